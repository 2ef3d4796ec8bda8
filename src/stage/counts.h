/* counts.h - why records did not come through, and how many. */
#pragma once

#include <stdint.h>

/* prio-v1.md 16.3, in its order. A record has the first reason that was found. */
enum stage_reason {
    REASON_BAD_JSON,
    REASON_NO_ID,
    REASON_BAD_BASE64,
    REASON_TOO_LONG,
    REASON_DECRYPT,
    REASON_PARSE,
    REASON_DUPLICATE_ID,
    REASON_REPLAY,
    REASON_MISSING_INTERNAL,
    REASON_MISSING_EXTERNAL,
    REASON_BAD_PACKET,
    REASON_INVALID,
    REASON_COUNT,
    REASON_NONE = REASON_COUNT, // the record came through
};

/** "bad-json", "no-id", ... Never NULL; "none" for REASON_NONE. */
const char *stage_reason_name(enum stage_reason reason);

struct stage_counts {
    uint64_t total; // lines of the share file that are not blank
    uint64_t error; // those that did not come through
    uint64_t by_reason[REASON_COUNT];
};

/** Add all of `more` to counts. */
void stage_counts_add(struct stage_counts *counts, const struct stage_counts *more);

/**
 * What aggregate writes in the directory form (prio-processor.md 5.8): total counts the records
 * that both servers' messages were there for, error those of them that failed in aggregate. What
 * was lost before appears in neither.
 */
void stage_joined_counts(const struct stage_counts *counts, uint64_t *error, uint64_t *total);
