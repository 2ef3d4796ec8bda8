/*
 * metrics.h - `metric export`: one day of each metric from Cloud Monitoring into its table's
 * partition. Source: fxci-etl.md section 4, 6.4, X9, X14.
 */
#pragma once

#include "fxci/config.h"
#include "fxci/tables.h"

/* A metric's own table: as FXCI_METRICS, but for its name and that of the value's column. It must
 * stay where it is. */
struct metric_table {
    struct table_schema schema;
    struct column columns[METRIC_N + 1];
    char name[256]; // "dataset.table"
};
/** The texts are borrowed. @return 0 or E_ARG: the name is too long. */
MUST_CHECK int metric_table_init(struct metric_table *t, const struct fxci_tables *tables,
                                 const struct metric_config *metric, struct err *err);
/** The table of a configured metric by its name, "worker_cpu_v1". @return false: there is none. */
bool metric_table_find(struct metric_table *t, const struct fxci_tables *tables,
                       const struct fxci_config *config, const char *name);

struct metrics_run {
    const struct fxci_config *config;
    int64_t now_us;
    int64_t date;           // days since 1970-01-01
    const char *timeseries; // answers from a file; NULL: the service
    bool dry_run;
    const char *metadata_host, *google_credentials; // of the environment; NULL: none
    /* One line of --dry-run: a series as it came. */
    void (*say)(void *arg, const char *line);
    void *say_arg;
    /* Where rows go; not called in a dry run, nor when nothing came back. *w is closed by the run.
     */
    int (*open_warehouse)(void *arg, struct warehouse **w, struct err *err);
    void *open_arg;
    const struct fxci_tables *tables;
};
struct metrics_counts {
    uint64_t n_series, n_rows, n_duplicate, n_skipped;
};

/**
 * Metrics are done one after the other, and the failure of one does not keep the others from being
 * stored. @return 0, E_AGAIN (the day is not over for 10 minutes; nobody was asked), E_ABSENT (no
 * records), E_ARG (no metric, or two with one table), or E_*: the first failure. The partition of a
 * metric that failed is as it was.
 */
MUST_CHECK int metrics_export(const struct metrics_run *run, struct metrics_counts *counts,
                              struct err *err);
