/*
 * rows.h - rows on their way into the tables that `pulse drain` fills: the warehouse is opened when
 * the first row comes, and closed when all are stored (X6). Source: fxci-etl.md 3.5.
 */
#pragma once

#include "base/buf.h"
#include "fxci/state.h"
#include "fxci/tables.h"

/** Open the warehouse for one transaction; arg is rows.open_arg. */
typedef int rows_open_fn(void *arg, struct warehouse **w, struct err *err);

struct row_counts {
    uint64_t n_written, n_duplicate, n_refused;
};

/* Zeroed but for the first five, which are borrowed. */
struct rows {
    const struct fxci_tables *tables;
    struct state *state; // takes rows that are refused
    rows_open_fn *open;
    void *open_arg;
    int64_t since; // keys are looked for from this date on: days since 1970-01-01
    struct warehouse *w;
    struct warehouse_batch *batch;
    struct buf json;
};
void rows_deinit(struct rows *rows); // what was not committed is gone

/**
 * Add a row of FXCI_TASKS, FXCI_RUNS or FXCI_DEFINITIONS. One that cannot be stored is put into the
 * state as a failed record. @return 0 or E_*: the rows can only be abandoned.
 */
MUST_CHECK int rows_add(struct rows *rows, enum fxci_table table, const struct cell *cells,
                        struct err *err);
/**
 * Store what was added, and close the warehouse. counts: one a table, added to. Refused rows are in
 * the state then, which is still to be saved. @return 0, or E_*: at least one table took nothing;
 * adding the same rows again is safe.
 */
MUST_CHECK int rows_commit(struct rows *rows, struct row_counts counts[FXCI_N_TABLES],
                           struct err *err);
void rows_abandon(struct rows *rows);
