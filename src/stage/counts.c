/* SPDX-License-Identifier: MPL-2.0 */
#include "stage/counts.h"

const char *stage_reason_name(enum stage_reason reason)
{
    static const char *const names[] = {
        [REASON_BAD_JSON] = "bad-json",
        [REASON_NO_ID] = "no-id",
        [REASON_BAD_BASE64] = "bad-base64",
        [REASON_TOO_LONG] = "too-long",
        [REASON_DECRYPT] = "decrypt",
        [REASON_PARSE] = "parse",
        [REASON_DUPLICATE_ID] = "duplicate-id",
        [REASON_REPLAY] = "replay",
        [REASON_MISSING_INTERNAL] = "missing-internal",
        [REASON_MISSING_EXTERNAL] = "missing-external",
        [REASON_BAD_PACKET] = "bad-packet",
        [REASON_INVALID] = "invalid",
        [REASON_NONE] = "none",
    };
    return names[reason];
}

void stage_counts_add(struct stage_counts *counts, const struct stage_counts *more)
{
    counts->total += more->total;
    counts->error += more->error;
    for (int i = 0; i < REASON_COUNT; i++)
        counts->by_reason[i] += more->by_reason[i];
}

void stage_joined_counts(const struct stage_counts *counts, uint64_t *error, uint64_t *total)
{
    *error = counts->by_reason[REASON_BAD_PACKET] + counts->by_reason[REASON_INVALID];
    *total = counts->total - counts->error + *error;
}
