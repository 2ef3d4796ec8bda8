/* billing_internal.h - what the files that load billing exports share. */
#pragma once

#include "fxci/tables.h"

#include <jansson.h>

/* One row of a file, decoded. where: "line 7", "row 7". */
typedef int billing_fn(void *arg, json_t *row, struct err *err);
/**
 * Each row of a file; a row's own error gets the file and its place in front. tabular (may be
 * NULL): is it CSV or Parquet?
 * @return 0, E_ABSENT, E_FORMAT, what fn returned, or E_*.
 */
MUST_CHECK int billing_read(struct warehouse *w, const char *path, billing_fn *fn, void *arg,
                            bool *tabular, struct err *err);

/* Rows of exports as cells of our tables, which borrow from row. has_cost becomes true where the
 * row names a cost at all. @return 0, or E_FORMAT naming the member. */
MUST_CHECK int billing_gcp_row(struct cell cells[GCP_N], json_t *row, bool tabular, bool *has_cost,
                               struct err *err);
/** table: "fxci_daily_actual_load", of a bare row; NULL: the row says. */
MUST_CHECK int billing_azure_row(struct cell cells[AZURE_N], json_t *row, const char *table,
                                 bool tabular, bool *has_cost, struct err *err);
/** @return 0, or E_ARG naming the tables that there are. */
MUST_CHECK int billing_check_azure_table(const char *table, struct err *err);
