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
/** Append the text of an object, "prefix/base.json.bz2" or as the generation has it, with
 * NDJSON_SLACK readable bytes behind it; base may have its endings. @return 0, E_ABSENT, or E_*
 * naming it. */
MUST_CHECK int objects_read(const struct objects *o, const char *base, struct buf *text,
                            struct err *err);
/** Append an object's bytes, unpacked where they are bzip2, with the same slack behind them. */
MUST_CHECK int objects_unpack(struct buf *text, struct span bytes, struct err *err);
