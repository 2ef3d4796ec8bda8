/* SPDX-License-Identifier: MPL-2.0 */
#include "fxci/report.h"

#include "base/buf.h"
#include "fxci/sql.h"

enum { SQL_BYTES_MAX = 1 << 16, TASK_BEFORE_RUN_DAYS = 30 };

const char *const report_by_names[] = {"task-group", "worker-type", "project", "provider", NULL};

static const char *const keys[] = {
    [REPORT_TASK_GROUP] = "tasks.task_group_id",
    [REPORT_WORKER_TYPE] = "tasks.task_queue_id",
    [REPORT_PROJECT] = "tasks.tags.project",
    [REPORT_PROVIDER] = "costs.cloud_provider",
};

const struct column report_columns[REPORT_N + 1] = {
    [REPORT_KEY] = {.name = "key", .type = COLUMN_STRING},
    [REPORT_RUNS] = {.name = "runs", .type = COLUMN_INT64},
    [REPORT_RUN_SECONDS] = {.name = "run_seconds", .type = COLUMN_INT64},
    [REPORT_COST] = {.name = "cost", .type = COLUMN_DOUBLE},
    [REPORT_RUNS_WITHOUT_COST] = {.name = "runs_without_cost", .type = COLUMN_INT64},
};

struct total {
    struct cell cells[REPORT_N];
    warehouse_row_fn *fn;
    void *arg;
};

static int add_row(void *arg, const struct cell *cells, struct err *err)
{
    struct total *t = arg;
    t->cells[REPORT_RUNS].integer += cells[REPORT_RUNS].integer;
    t->cells[REPORT_RUN_SECONDS].integer += cells[REPORT_RUN_SECONDS].integer;
    t->cells[REPORT_COST].real += cells[REPORT_COST].real;
    t->cells[REPORT_RUNS_WITHOUT_COST].integer += cells[REPORT_RUNS_WITHOUT_COST].integer;
    return t->fn(t->arg, cells, err);
}

int report_costs(struct warehouse *w, const struct fxci_tables *tables, enum report_by by,
                 int64_t first, int64_t last, warehouse_row_fn *fn, void *arg, struct err *err)
{
    const struct sql_value values[] = {
        {"from", SQL_DATE, NULL, first},
        {"to", SQL_DATE, NULL, last},
        {"key", SQL_VERBATIM, keys[by], 0},
        {"runs", SQL_TABLE, tables->names[FXCI_RUNS], 0},
        {"tasks", SQL_TABLE, tables->names[FXCI_TASKS], 0},
        {"run_costs", SQL_TABLE, tables->names[FXCI_RUN_COSTS], 0},
        {.name = NULL},
    };
    CLEANUP(buf_deinit) struct buf sql = BUF_INIT(SQL_BYTES_MAX);
    struct total total = {
        .cells = {[REPORT_KEY] = {.text = span_str("total")}}, .fn = fn, .arg = arg};
    int r = warehouse_fill_sql(&sql, w, sql_of(w, &sql_report_costs), values, err);
    if (r == 0)
        r = warehouse_query(w, (const char *)sql.data, report_columns, add_row, &total, err);
    return r < 0 ? r : fn(arg, total.cells, err);
}

static int take_count(void *arg, const struct cell *cells, struct err *err)
{
    (void)err;
    *(uint64_t *)arg = (uint64_t)cells[0].integer;
    return 0;
}

int report_orphan_runs(struct warehouse *w, const struct fxci_tables *tables, int64_t since,
                       uint64_t *n, struct err *err)
{
    static const struct column columns[] = {{.name = "n", .type = COLUMN_INT64}, {.name = NULL}};
    const struct sql_value values[] = {
        {"since", SQL_DATE, NULL, since},
        {"tasks_since", SQL_DATE, NULL, since - TASK_BEFORE_RUN_DAYS},
        {"runs", SQL_TABLE, tables->names[FXCI_RUNS], 0},
        {"tasks", SQL_TABLE, tables->names[FXCI_TASKS], 0},
        {.name = NULL},
    };
    CLEANUP(buf_deinit) struct buf sql = BUF_INIT(SQL_BYTES_MAX);
    const int r = warehouse_fill_sql(&sql, w, sql_of(w, &sql_orphan_runs), values, err);
    return r < 0 ? r : warehouse_query(w, (const char *)sql.data, columns, take_count, n, err);
}
