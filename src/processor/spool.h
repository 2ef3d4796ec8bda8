/*
 * spool.h - share records of any number, taken in as pings arrive, given back by batch.
 *
 * What arrives is gathered in memory of a fixed size, sorted and written to a temporary file as a
 * run; at the end all runs are read side by side. Within a batch records keep their order.
 */
#pragma once

#include "base/buf.h"

enum { SPOOL_MAX_BATCH_ID = 255 };

struct spool;

struct spool_record {
    struct span batch; // 1..SPOOL_MAX_BATCH_ID bytes
    struct span a, b;  // the insides of JSON strings
    uint64_t ping;     // which ping it came with
};

/** tmp_dir: borrowed. memory_bytes: for one run. @return 0, E_NOMEM or E_IO. */
MUST_CHECK int spool_new(struct spool **out, const char *tmp_dir, size_t memory_bytes,
                         struct err *err);
void spool_free(struct spool *spool); // NULL is fine
DEFINE_FREEP(struct spool, spool_free)

/** Append a record in the form that spool_append takes; its ping is left open. Thread: any. */
MUST_CHECK int spool_pack(struct buf *out, const struct spool_record *record, struct err *err);
/** Take in records packed one after another, all of one ping. */
MUST_CHECK int spool_append(struct spool *spool, struct span packed, uint64_t ping,
                            struct err *err);

/** No more come; from here on spool_next. */
MUST_CHECK int spool_finish(struct spool *spool, struct err *err);
/** The next record by (batch, arrival); its spans are valid until the next call.
 * @return 1, 0 at the end, or E_*. */
MUST_CHECK int spool_next(struct spool *spool, struct spool_record *record, struct err *err);
/** Number of runs written so far. */
size_t spool_runs(const struct spool *spool);
