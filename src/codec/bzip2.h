/* bzip2.h - bzip2 streams by libbz2: one standard stream, block size 9 (taar-etl.md section 2). */
#pragma once

#include "base/buf.h"
#include "base/source.h"

/** Append all of text compressed. @return 0 or E_NOMEM. */
MUST_CHECK int bzip2_compress(struct buf *out, struct span text, struct err *err);
/** Append what a stream, or several in a row, decompresses to; at most out->max bytes in all.
 * @return 0, E_FORMAT (damaged, or cut short), E_NOMEM (it does not fit). */
MUST_CHECK int bzip2_decompress(struct buf *out, struct span bytes, struct err *err);
