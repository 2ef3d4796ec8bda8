/* utc.h - points in time as microseconds since 1970-01-01T00:00:00Z, and their texts. */
#pragma once

#include "base/err.h"
#include "base/span.h"

#include <stdbool.h>
#include <stdint.h>

enum { UTC_TEXT_BYTES = 32 };

/** The real clock. */
int64_t utc_now_us(void);

/**
 * Read RFC 3339 UTC: "2026-08-20T04:30:00Z", with up to six decimals; no leap seconds.
 * @return 0 or E_ARG naming the text.
 */
MUST_CHECK int utc_parse(int64_t *us, const char *text, struct err *err);

/* For text of strangers. @return false, with the result as it was: it is none such, an impossible
 * date, hour 24, a leap second, or outside of the years 1 to 9999. */
/** RFC 3339 with `T`, and `Z` or an offset: "2026-08-20T06:30:00.5+02:00". More than six decimals
 * are cut. Source: fxci-etl.md X11. */
MUST_CHECK bool utc_parse_rfc3339(int64_t *us, struct span text);
/** As billing exports write it: "2026-08-20 04:30:00.25 UTC". Source: fxci-etl.md X11. */
MUST_CHECK bool utc_parse_billing(int64_t *us, struct span text);
/** "2026-08-20" as days since 1970-01-01. */
MUST_CHECK bool utc_parse_date(int64_t *days, struct span text);

/**
 * "2020-08-03T20:06:46.920410": ISO 8601, always six decimals, no zone.
 * Source: prio-processor.md, section 6.
 */
void utc_format_naive(char out[UTC_TEXT_BYTES], int64_t us);
/** The same with a final Z. */
void utc_format(char out[UTC_TEXT_BYTES], int64_t us);
