/*
 * objects.h - the files that the recommender reads: where they are and how they are written, by
 * generation. Source: taar-etl.md section 2, 1.1, Y2, Y9.
 */
#pragma once

#include "base/buf.h"
#include "store/store.h"
#include "taar/locations.h"

struct objects {
    struct store *store; // the job's bucket
    const char *prefix;  // as the option has it; "": none
    enum generation generation;
};

enum { OBJECT_MAX_BYTES = 1 << 30 };

/**
 * Write base ("guid_coinstallation") twice, the copy of date (the option's text) and the plain one,
 * in the generation's order, names and compression; each appears whole or not at all.
 * @return 0, or E_IO naming the object that failed.
 */
MUST_CHECK int objects_write(const struct objects *o, const char *base, const char *date,
                             struct span json, struct err *err);
/** Append the text of an object, "prefix/base.json.bz2" or as the generation has it; compression is
 * told by content. @return 0, E_ABSENT, or E_* naming it. */
MUST_CHECK int objects_read(const struct objects *o, const char *base, struct buf *text,
                            struct err *err);

/* A whitelist: guids in order, with a look-up. */
struct whitelist {
    struct span *guids; // in the order of the object; unescaped
    size_t n;
    struct whitelist_impl *impl;
};
void whitelist_deinit(struct whitelist *w); // zeroed is fine
/** The curated one: the array in only_guids_top_200. @return 0, E_FORMAT, E_ABSENT. */
MUST_CHECK int whitelist_curated(struct whitelist *w, const struct objects *o, struct err *err);
/** The external one: of a database object, records with any web extension file, by their guid.
 * @return 0, or E_FORMAT "Empty AMO whitelist detected". */
MUST_CHECK int whitelist_external(struct whitelist *w, const struct objects *o, const char *base,
                                  struct err *err);
/** @return its place, or SIZE_MAX. */
size_t whitelist_find(const struct whitelist *w, struct span guid);
