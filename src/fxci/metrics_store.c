/* SPDX-License-Identifier: MPL-2.0 */
/* Source: fxci-etl.md 4.4, X9. */
#include "fxci/metrics_internal.h"

static int load_rows(struct warehouse_load *load, const struct metric_intake *in, struct err *err)
{
    for (size_t i = 0; i < in->rows.n; i++) {
        const struct metric_row *row = &in->rows.rows[i];
        if (row->is_duplicate)
            continue;
        struct cell cells[METRIC_N];
        metric_rows_cells(&in->rows, row, in->run->date, cells);
        const int r = warehouse_load_row(load, cells, err);
        if (r < 0)
            return r;
    }
    return 0;
}

static int replace(struct warehouse *w, const struct table_schema *schema,
                   const struct metric_intake *in, uint64_t *n_rows, struct err *err)
{
    struct warehouse_load *load = NULL;
    int r = warehouse_load_begin(&load, w, schema, LOAD_REPLACE_PARTITION, in->run->date, err);
    if (r < 0)
        return r;
    r = load_rows(load, in, err);
    if (r < 0) {
        warehouse_load_abandon(load);
        return r;
    }
    return warehouse_load_commit(load, n_rows, err);
}

int metric_store(const struct metrics_run *run, const struct metric_intake *in, uint64_t *n_rows,
                 struct err *err)
{
    CLEANUP(warehouse_closep) struct warehouse *w = NULL;
    struct metric_table table;
    int r = metric_table_init(&table, run->tables, in->metric, err);
    if (r == 0)
        r = run->open_warehouse(run->open_arg, &w, err);
    if (r == 0)
        r = replace(w, &table.schema, in, n_rows, err);
    return r < 0 ? err_wrap(err, r, "%s", table.name) : 0;
}
