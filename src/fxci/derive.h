/*
 * derive.h - the tables that are computed from others, the billing exports that they need, and the
 * views. Source: fxci-etl.md section 5, X2, X5, X15.
 */
#pragma once

#include "fxci/config.h"
#include "fxci/tables.h"

/**
 * Compute a derived table (FXCI_WORKER_COSTS, FXCI_WORKER_USAGE, FXCI_RUN_COSTS) for a day, in
 * place of what is there. @return 0 with *n_rows, or E_*: nothing changed.
 */
MUST_CHECK int derive_table(struct warehouse *w, const struct fxci_tables *tables,
                            const struct fxci_config *config, enum fxci_table table, int64_t date,
                            uint64_t *n_rows, struct err *err);

/** The views on all tables (5.4, X2): one row for each documented key. */
MUST_CHECK int derive_views(struct warehouse *w, const struct fxci_tables *tables, struct err *err);
/** "tasks", of the view on a table; NULL: it has none. */
const char *derive_view_name(enum fxci_table table);

struct billing_files {
    const char *gcp, *azure; // each may be NULL
    /* "fxci_daily_actual_load": the Azure file holds rows of this table alone, as they are; NULL:
     * each row is {"table", "row"}, or has a column "table". */
    const char *azure_table;
};
struct billing_counts {
    uint64_t n_gcp, n_azure_load, n_azure_lookup;
};
/**
 * Load exports into the embedded billing tables, as X5 says: all of both files or nothing. Files
 * are NDJSON (gzip too), CSV (gzip too) or Parquet, by name or content; members that nobody asks
 * for are passed over. Shape: memory does not grow with the files.
 * @return 0, E_ARG (the warehouse is BigQuery, no such Azure table), E_ABSENT, E_FORMAT naming the
 * file and the line (of CSV and Parquet, the row), or E_*.
 */
MUST_CHECK int billing_load(struct warehouse *w, const struct fxci_tables *tables,
                            const struct billing_files *files, struct billing_counts *counts,
                            struct err *err);
