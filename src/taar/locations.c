/* SPDX-License-Identifier: MPL-2.0 */
#include "taar/locations.h"

#include <stddef.h>

const char *const generation_names[] = {"g1", "g2", "g3", NULL};

struct location location_of(enum taar_job job, enum generation generation)
{
    static const struct location on_s3[] = {
        [JOB_AMO] = {"telemetry-parquet", "telemetry-ml/addon_recommender/"},
        [JOB_SIMILARITY] = {"telemetry-parquet", "taar/similarity/"},
        [JOB_LOCALE] = {"telemetry-private-analysis-2", "taar/locale/"},
        [JOB_LITE] = {"telemetry-parquet", "taar/lite/"},
    };
    static const struct location on_gcs[] = {
        [JOB_AMO] = {"taar_models", "addon_recommender"},
        [JOB_SIMILARITY] = {"taar_models", "taar/similarity"},
        [JOB_LOCALE] = {"taar_models", "taar/locale"},
        [JOB_LITE] = {"taar_models", "taar/lite"},
    };
    return generation == GENERATION_3 ? on_gcs[job] : on_s3[job];
}
