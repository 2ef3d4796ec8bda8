/* utc.h - points in time as microseconds since 1970-01-01T00:00:00Z, and their texts. */
#pragma once

#include "base/err.h"

#include <stdint.h>

enum { UTC_TEXT_BYTES = 32 };

/** The real clock. */
int64_t utc_now_us(void);

/**
 * Read RFC 3339 UTC: "2026-08-20T04:30:00Z", with up to six decimals; no leap seconds.
 * @return 0 or E_ARG naming the text.
 */
MUST_CHECK int utc_parse(int64_t *us, const char *text, struct err *err);

/**
 * "2020-08-03T20:06:46.920410": ISO 8601, always six decimals, no zone.
 * Source: prio-processor.md, section 6.
 */
void utc_format_naive(char out[UTC_TEXT_BYTES], int64_t us);
/** The same with a final Z. */
void utc_format(char out[UTC_TEXT_BYTES], int64_t us);
