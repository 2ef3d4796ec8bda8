/* locations.h - where each job's files lie when no option says so. Source: taar-etl.md 1.1, 2, Y2.
 */
#pragma once

enum generation { GENERATION_1, GENERATION_2, GENERATION_3 };
extern const char *const generation_names[]; // "g1", "g2", "g3", NULL

enum taar_job { JOB_AMO, JOB_SIMILARITY, JOB_LOCALE, JOB_LITE };

struct location {
    const char *bucket; // a bare name
    const char *prefix; // with a slash at its end before GENERATION_3
};
struct location location_of(enum taar_job job, enum generation generation);
