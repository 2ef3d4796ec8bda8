/* gzip.h - a source that unpacks gzip (RFC 1952) when its first two bytes say so, and passes on
 * anything else. */
#pragma once

#include "base/source.h"

#include <stdbool.h>

struct gunzip; // opaque: a zlib stream and its input buffer

/** from is borrowed and must outlive *out. */
MUST_CHECK int gunzip_new(struct gunzip **out, struct source from, struct err *err);
void gunzip_free(struct gunzip *g); // NULL is fine
/** Several members in a row read as one. A truncated or damaged stream is E_FORMAT. */
struct source gunzip_source(struct gunzip *g);
/** Is the input packed? Known once something was read from the source. */
bool gunzip_is_packed(const struct gunzip *g);
DEFINE_FREEP(struct gunzip, gunzip_free)
