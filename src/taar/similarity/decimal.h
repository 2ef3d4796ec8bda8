/* decimal.h - NUMERIC values as text. Source: taar-etl.md section 5 step 5, section 4, H1. */
#pragma once

#include "base/buf.h"

enum { DECIMAL_BYTES_MAX = 400 }; // a double's largest power of ten, and then some

/** Append a number's text as a plain decimal: no exponent, no zeros at its end.
 * @return 1, 0: it is no finite number of a sane length, or E_NOMEM. */
MUST_CHECK int decimal_plain(struct buf *out, struct span text, struct err *err);
/** Hours, as decimal_plain writes them, as whole seconds: the exact product, halves away from
 * zero. @return false: it does not fit. */
MUST_CHECK bool decimal_seconds(int64_t *seconds, struct span hours);
