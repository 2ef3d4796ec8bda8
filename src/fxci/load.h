/*
 * load.h - rows of a file into one of our tables. Source: embedded.md, fxci-etl.md X2, X11, X13.
 *
 * The whole file is checked first: where a row has a fault, nothing is stored. Then rows go in
 * batches, each a transaction, with the first of a key winning: what fails in the middle may be run
 * again.
 */
#pragma once

#include "fxci/tables.h"

struct load_options {
    const char *path; // NDJSON (gzip too), CSV (gzip too) or Parquet, by name or content
    const struct fxci_tables *tables;
    enum fxci_table table;
    unsigned cpu;
    int64_t today; // days since 1970-01-01
    uint64_t window_days;
    const char *temp_dir; // for reading CSV and Parquet; NULL: /tmp
    uint64_t batch_rows;  // 0: 50,000
    /* Called for each batch, for a warehouse with all tables; *w is closed behind it. */
    int (*open_warehouse)(void *arg, struct warehouse **w, struct err *err);
    void *open_arg;
};
struct load_counts {
    uint64_t n_rows, n_written, n_duplicate;
};
/** Columns that the table does not have are warned of, once each. @return 0, E_ARG (a table of
 * bills), E_ABSENT, E_FORMAT naming the file, the line (of CSV and Parquet, the row) and the
 * column, or E_*: counts tell what was stored. */
MUST_CHECK int load_rows(const struct load_options *o, struct load_counts *counts, struct err *err);
