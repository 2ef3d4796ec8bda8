/* whole.h - small files, read as a whole. */
#pragma once

#include "base/buf.h"

/** Append a file, at most text->max bytes in all. @return 0, or E_ABSENT, E_IO, E_NOMEM (too long),
 * with the path in err. */
MUST_CHECK int read_whole(struct buf *text, const char *path, struct err *err);
