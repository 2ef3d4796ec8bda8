/*
 * report.h - questions that people ask of the tables, and what repairs them. Source: fxci-etl.md
 * 9.3, H19, X8.
 */
#pragma once

#include "fxci/tables.h"

enum report_by { REPORT_TASK_GROUP, REPORT_WORKER_TYPE, REPORT_PROJECT, REPORT_PROVIDER };
extern const char *const report_by_names[]; // "task-group" ...; NULL ends

enum {
    REPORT_KEY, // null: not known, as of a run whose task or whose costs have no row
    REPORT_RUNS,
    REPORT_RUN_SECONDS, // from started to resolved, whole seconds a run
    REPORT_COST,
    REPORT_RUNS_WITHOUT_COST, // that have no row of task_run_costs_v1
    REPORT_N,
};
extern const struct column report_columns[REPORT_N + 1];

/**
 * Runs of some submission dates (days since 1970-01-01, last included) by key, the most expensive
 * ones first, and then one row with key "total" for all of them. Each (task_id, run_id) counts
 * once.
 * @return 0, what fn returned, or E_*.
 */
MUST_CHECK int report_costs(struct warehouse *w, const struct fxci_tables *tables,
                            enum report_by by, int64_t first, int64_t last, warehouse_row_fn *fn,
                            void *arg, struct err *err);

/** Runs of the days from `since` on whose task has no row. A task's row is looked for from 30 days
 * before on, for BigQuery bills what it looks at. */
MUST_CHECK int report_orphan_runs(struct warehouse *w, const struct fxci_tables *tables,
                                  int64_t since, uint64_t *n, struct err *err);

struct backfill_counts {
    uint64_t n_written;
    uint64_t n_bad_tags; // left out, for a tag is no text, as in an event (X11)
};
/**
 * Rows for tasks that have runs of these days but no row, from their definitions; today becomes
 * their submission_date. Again changes nothing. @return 0 or E_*.
 */
MUST_CHECK int backfill_tasks(struct warehouse *w, const struct fxci_tables *tables, int64_t first,
                              int64_t last, int64_t today, unsigned cpu,
                              struct backfill_counts *counts, struct err *err);
