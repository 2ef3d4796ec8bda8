/*
 * docids.h - which document ids have been met, for any number of them in memory of a fixed size.
 *
 * Most duplicates are found when they arrive. When the table is full it is written to a temporary
 * file, sorted; duplicates that stand in two such runs are found at the end.
 */
#pragma once

#include "base/buf.h"
#include "stage/table.h"

struct docids;

/* What is taken back when a ping turns out to be a duplicate. */
struct docids_ping {
    struct digest digest; // of its document id
    uint32_t n_records;
    uint64_t number; // of the ping, ascending
    uint64_t a_bytes;
};

/** tmp_dir: borrowed. @return 0 or E_NOMEM, E_IO. */
MUST_CHECK int docids_new(struct docids **out, const char *tmp_dir, size_t memory_bytes,
                          struct err *err);
void docids_free(struct docids *docids); // NULL is fine
DEFINE_FREEP(struct docids, docids_free)

/** @return 1: new, or not known to be old; 0: a duplicate; or E_*. */
MUST_CHECK int docids_add(struct docids *docids, const struct docids_ping *ping, struct err *err);
/** Visit every ping that docids_add let pass although its id had been met. @return 0 or E_*. */
MUST_CHECK int docids_finish(struct docids *docids,
                             void (*visit)(void *arg, const struct docids_ping *ping), void *arg,
                             struct err *err);
