/*
 * amowhitelist.h - which add-ons of the catalogue are whitelisted and which are featured. Source:
 * taar-etl.md 3.3, Y11, H5.
 */
#pragma once

#include "taar/database.h"

/* Why a record is not whitelisted; the first that holds, in the order of the checks. */
enum amo_verdict {
    AMO_WHITELISTED,
    AMO_PIONEER,
    AMO_BAD_FILES, // something else stands where an object or an array should
    AMO_NO_FILES,
    AMO_NO_WEBEXTENSION,
    AMO_BAD_RATING,
    AMO_LOW_RATING,
    AMO_BAD_DATE, // first_create_date is missing or no date
    AMO_TOO_YOUNG,
    AMO_N_VERDICTS,
};
extern const char *const amo_verdict_names[AMO_N_VERDICTS]; // "bad_rating"

struct amo_rules {
    double min_rating;
    int64_t youngest_us; // a wall clock's time, as microseconds since 1970-01-01T00:00:00 there
    bool v3;             // featured by is_featured in place of promoted
};

/** The rules of 3.3 for one record, checked text of any type. */
enum amo_verdict amo_judge(const struct amo_rules *rules, struct span guid, struct span record);
bool amo_is_featured(const struct amo_rules *rules, struct span record);
/** "2021-01-14", or with "T12:30:00.5" and "Z" or "+01:00", which is cut off. @return false: it is
 * none of these. */
bool amo_wall_clock(int64_t *us, struct span text);

struct amo_lists {
    struct buf whitelist, featured, both; // JSON objects guid -> record, the records as they came
    uint64_t n_featured, n_both, n[AMO_N_VERDICTS];
};
void amo_lists_deinit(struct amo_lists *l); // zeroed is fine
/** @return 0 or E_NOMEM. */
MUST_CHECK int amo_lists_make(struct amo_lists *out, const struct database *d,
                              const struct amo_rules *rules, struct err *err);
