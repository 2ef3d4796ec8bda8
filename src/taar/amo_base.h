/* amo_base.h - where AMO's interface is. Source: taar-etl.md 3.1, Y2, Y12. */
#pragma once

#include "base/buf.h"
#include "taar/locations.h"

/** Append "https://addons.mozilla.org/api/v4/": url (NULL: AMO's own) with a slash at its end, and
 * with the path of the generation's version where it has none. @return 0, E_ARG, E_NOMEM. */
MUST_CHECK int amo_base_write(struct buf *out, const char *url, enum generation generation,
                              struct err *err);
/** The same of the server that url leads to, whatever its path is. */
MUST_CHECK int amo_base_of(struct buf *out, const char *url, enum generation generation,
                           struct err *err);
/** Is the server on this machine, where no proxy reaches it? */
bool amo_is_loopback(const char *url);
