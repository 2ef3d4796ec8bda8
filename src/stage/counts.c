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
