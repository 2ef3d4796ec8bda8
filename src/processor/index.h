/*
 * index.h - the command `index`: from published sums to one row a site.
 * Source: prio-processor.md, section 8.
 */
#pragma once

#include "processor/data_config.h"
#include "processor/index_row.h"
#include "processor/origins.h"
#include "processor/place.h"

/* What process has published, and what it is read by. */
struct index_published {
    struct place input; // with batch_id=<id>/ folders
    const struct data_config *config;
    const struct origins *origins;
};

/**
 * The rows of all batches that are in the config, in the order of their folders; published must
 * outlive the rows. Element j of part k of NAME is origin offset + j, offset being the lengths of
 * parts 0..k-1. `each` gives E_FORMAT naming the batch id: it does not end in "-<number>", a lower
 * part is missing in the config, the record is malformed or has another length than n_data, it
 * reaches beyond the origins, or there are several records; and E_ABSENT: nothing at all is
 * published there.
 */
struct index_rows index_published_rows(const struct index_published *published);

struct index_options {
    struct index_published published;
    struct place output; // replaced
    bool dry_run;        // only look whether every row is right
};

struct index_result {
    uint64_t n_rows;  // 0 for dry_run
    struct buf shown; // a table of the first 20 rows, for people; buf_deinit
};

/** Write all rows into one part file, and _SUCCESS. Nothing is touched where a row is wrong.
 * @return 0 (also without rows), or E_*. */
MUST_CHECK int index_run(const struct index_options *options, struct index_result *result,
                         struct err *err);
