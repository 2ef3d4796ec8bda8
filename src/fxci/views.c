/* SPDX-License-Identifier: MPL-2.0 */
/* The views: one row for each documented key. Source: fxci-etl.md 5.4, X2. */
#include "base/buf.h"
#include "fxci/derive.h"
#include "fxci/sql.h"

#include <stdio.h>

enum { VIEW_BYTES_MAX = 1 << 16, VIEW_NAME_BYTES = 320 };

static const struct view {
    const char *name;
    enum fxci_table table;
    const struct sql_text *text;
} views[] = {
    {"tasks", FXCI_TASKS, &sql_view_tasks},
    {"task_runs", FXCI_RUNS, &sql_view_task_runs},
    {"task_definitions", FXCI_DEFINITIONS, &sql_view_task_definitions},
    {"worker_metrics", FXCI_METRICS, &sql_view_worker_metrics},
    {"worker_costs", FXCI_WORKER_COSTS, &sql_view_worker_costs},
    {"worker_usage", FXCI_WORKER_USAGE, &sql_view_worker_usage},
    {"task_run_costs", FXCI_RUN_COSTS, &sql_view_task_run_costs},
};

static int make_view(struct warehouse *w, const struct fxci_tables *tables, const struct view *view,
                     struct err *err)
{
    CLEANUP(buf_deinit) struct buf sql = BUF_INIT(VIEW_BYTES_MAX);
    char name[VIEW_NAME_BYTES];
    const struct sql_value values[] = {{"table", SQL_TABLE, tables->names[view->table], 0},
                                       {.name = NULL}};
    (void)snprintf(name, sizeof name, "%s.%s", tables->views, view->name);
    const int r = warehouse_fill_sql(&sql, w, sql_of(w, view->text), values, err);
    return r < 0 ? r : warehouse_ensure_view(w, name, (const char *)sql.data, err);
}

int derive_views(struct warehouse *w, const struct fxci_tables *tables, struct err *err)
{
    int r = 0;
    for (size_t i = 0; i < ARRAY_LEN(views) && tables->views[0] && r == 0; i++)
        r = make_view(w, tables, &views[i], err);
    return r;
}

const char *derive_view_name(enum fxci_table table)
{
    for (size_t i = 0; i < ARRAY_LEN(views); i++)
        if (views[i].table == table)
            return views[i].name;
    return NULL;
}
