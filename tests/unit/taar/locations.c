/* SPDX-License-Identifier: MPL-2.0 */
#include "taar/locations.h"

#include "taar_test.h"

/* What the seed and the specification (1.1, 2) name, as the writing job has it. */
static const struct {
    enum generation generation;
    enum taar_job job;
    const char *bucket, *base, *date, *plain, *dated;
} paths[] = {
#define ON_S3 GENERATION_1, JOB_AMO, "telemetry-parquet"
#define AMO   "telemetry-ml/addon_recommender/"
    {ON_S3, "extended_addons_database", "20171106", AMO "extended_addons_database.json",
     AMO "extended_addons_database20171106.json"},
    {ON_S3, "whitelist_addons_database", "20171106", AMO "whitelist_addons_database.json",
     AMO "whitelist_addons_database20171106.json"},
    {ON_S3, "featured_addons_database", "20171106", AMO "featured_addons_database.json",
     AMO "featured_addons_database20171106.json"},
    {ON_S3, "featured_whitelist_addons", "20171106", AMO "featured_whitelist_addons.json",
     AMO "featured_whitelist_addons20171106.json"},
    {ON_S3, "only_guids_top_200", "20171106", AMO "only_guids_top_200.json",
     AMO "only_guids_top_20020171106.json"},
    {GENERATION_1, JOB_SIMILARITY, "telemetry-parquet", "donors", "20171106",
     "taar/similarity/donors.json", "taar/similarity/donors20171106.json"},
    {GENERATION_1, JOB_SIMILARITY, "telemetry-parquet", "lr_curves", "20171106",
     "taar/similarity/lr_curves.json", "taar/similarity/lr_curves20171106.json"},
    {GENERATION_1, JOB_LOCALE, "telemetry-private-analysis-2", "top10_dict", "20171106",
     "taar/locale/top10_dict.json", "taar/locale/top10_dict20171106.json"},
    {GENERATION_1, JOB_LITE, "telemetry-parquet", "guid_coinstallation", "20171106",
     "taar/lite/guid_coinstallation.json", "taar/lite/guid_coinstallation20171106.json"},
    {GENERATION_1, JOB_LITE, "telemetry-parquet", "guid_install_ranking", "20171106",
     "taar/lite/guid_install_ranking.json", "taar/lite/guid_install_ranking20171106.json"},
    {GENERATION_2, JOB_AMO, "telemetry-parquet", "only_guids_top_200", "20200601",
     AMO "only_guids_top_200.json", AMO "only_guids_top_200.json.20200601"},
    {GENERATION_2, JOB_LOCALE, "telemetry-private-analysis-2", "top10_dict", "20200601",
     "taar/locale/top10_dict.json", "taar/locale/top10_dict.json.20200601"},
    {GENERATION_3, JOB_AMO, "taar_models", "extended_addons_database", "20220620",
     "addon_recommender/extended_addons_database.json.bz2",
     "addon_recommender/extended_addons_database.json.20220620.bz2"},
    {GENERATION_3, JOB_SIMILARITY, "taar_models", "donors", "2020-06-01",
     "taar/similarity/donors.json.bz2", "taar/similarity/donors.json.2020-06-01.bz2"},
    {GENERATION_3, JOB_LOCALE, "taar_models", "top10_dict", "20200601",
     "taar/locale/top10_dict.json.bz2", "taar/locale/top10_dict.json.20200601.bz2"},
    {GENERATION_3, JOB_LITE, "taar_models", "guid_install_ranking", "2020-05-31",
     "taar/lite/guid_install_ranking.json.bz2",
     "taar/lite/guid_install_ranking.json.2020-05-31.bz2"},
};

static void every_path_is_written_and_read(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
        const struct location l = location_of(paths[i].job, paths[i].generation);
        const struct objects o = objects_of(state, l.prefix, paths[i].generation);
        char json[32];
        TEXT(text);
        struct store_object at = {0};
        (void)snprintf(json, sizeof json, "[%zu]", i);
        assert_string_equal(l.bucket, paths[i].bucket);
        assert_int_equal(objects_write(&o, paths[i].base, paths[i].date, span_str(json), NULL), 0);
        assert_int_equal(store_stat(*state, paths[i].plain, &at, NULL), 0);
        assert_int_equal(store_stat(*state, paths[i].dated, &at, NULL), 0);
        assert_int_equal(objects_read(&o, paths[i].base, &text, NULL), 0);
        assert_true(span_equal(buf_span(&text), span_str(json)));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_path_is_written_and_read, bucket_setup,
                                        bucket_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
