/* whitelist.h - the add-ons that jobs may speak of, in order, with a look-up. Source: taar-etl.md
 * section 2. */
#pragma once

#include "taar/guids.h"
#include "taar/objects.h"

struct whitelist {
    struct guids guids; // .list and .n: in the order of the object; unescaped, each once
    struct buf text;    // what they point into
};
void whitelist_deinit(struct whitelist *w); // zeroed is fine
/** The curated one: the array in only_guids_top_200. @return 0, E_FORMAT, E_ABSENT, or E_*. */
MUST_CHECK int whitelist_curated(struct whitelist *w, const struct objects *o, struct err *err);
/** The external one: of a database object, records with any web extension file, by their guid.
 * @return 0, or E_FORMAT "Empty AMO whitelist detected"; E_ABSENT: there is no such object, which
 * GENERATION_1 takes for an empty one. */
MUST_CHECK int whitelist_external(struct whitelist *w, const struct objects *o, const char *base,
                                  struct err *err);
/** @return its place, or SIZE_MAX. */
static inline size_t whitelist_find(const struct whitelist *w, struct span guid)
{
    return guids_find(&w->guids, guid);
}

/* whitelist_sql.c */
struct warehouse;
/** Append 'guid', 'guid', .. for an IN, and a NUL. @return 0; E_FORMAT: the whitelist is empty; or
 * E_*. */
MUST_CHECK int whitelist_literals(struct buf *out, struct warehouse *w,
                                  const struct whitelist *whitelist, struct err *err);
