/*
 * identity.h - is this still the same share file? A digest that costs next to nothing.
 *
 * Of each line it covers the length, the first and the last IDENTITY_EDGE bytes (shorter lines
 * whole). In a share record these hold id, ephemeral key, IV and authentication tag, and the tag
 * depends on every byte between them. So two files with the same identity hold the same shares
 * under the same ids; only a share that opens in one of them and not in the other can differ, and
 * the passes notice that by themselves. Hashing everything would cost more than opening it.
 */
#pragma once

#include "base/source.h"

enum { IDENTITY_BYTES = 32, IDENTITY_EDGE = 256 };

struct identity; // one thread at a time
MUST_CHECK int identity_new(struct identity **out, struct err *err);
void identity_free(struct identity *i);
DEFINE_FREEP(struct identity, identity_free)

/** The digest of one line; a line that was too long to be read is an empty one. @return 0 or
 * E_CRYPTO. */
MUST_CHECK int identity_of_line(struct identity *i, uint8_t out[IDENTITY_BYTES], struct span line,
                                struct err *err);

/** Lines' digests in order make the file's: start, add, finish. @return 0 or E_CRYPTO. */
MUST_CHECK int identity_start(struct identity *i, struct err *err);
MUST_CHECK int identity_add(struct identity *i, const uint8_t line[IDENTITY_BYTES],
                            struct err *err);
MUST_CHECK int identity_finish(struct identity *i, uint8_t out[IDENTITY_BYTES], struct err *err);

/** Of a whole stream, as a pass with the same max_line finds it. @return 0 or E_*. */
MUST_CHECK int identity_of_source(uint8_t out[IDENTITY_BYTES], struct source source,
                                  size_t max_line, struct err *err);
