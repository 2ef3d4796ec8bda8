/* zstream.h - zlib streams (RFC 1950) of texts in memory. */
#pragma once

#include "base/buf.h"

struct zstream;
/** A packer of the default level, for any number of texts. @return 0 or E_NOMEM. */
MUST_CHECK int zstream_open(struct zstream **out, struct err *err);
void zstream_close(struct zstream *z);
DEFINE_FREEP(struct zstream, zstream_close)
/** out becomes the stream of text. @return 0 or E_*. */
MUST_CHECK int zstream_pack(struct zstream *z, struct buf *out, struct span text, struct err *err);
/** Append what is in a stream. @return 0, E_FORMAT: it is none, or E_NOMEM. */
MUST_CHECK int zstream_unpack(struct buf *out, struct span stream, struct err *err);
