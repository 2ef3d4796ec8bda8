/* SPDX-License-Identifier: MPL-2.0 */
/* Task rows whose event was never seen, from what is known by the definitions. */
#include "base/buf.h"
#include "codec/ndjson.h"
#include "fxci/definition.h"
#include "fxci/report.h"
#include "fxci/sql.h"
#include "fxci/tags.h"

enum { SQL_BYTES_MAX = 1 << 16 };
enum { SCHEDULER_ID, TASK_GROUP, ID, QUEUE_ID, TAGS };

struct backfill {
    struct warehouse_batch *batch;
    struct record_ops ops;
    int64_t today;
    struct buf text, scratch; // of a task's tags
    struct span tags[N_TAGS];
    struct backfill_counts *counts;
};

static void backfill_deinit(struct backfill *b)
{
    warehouse_batch_abandon(b->batch);
    buf_deinit(&b->text);
    buf_deinit(&b->scratch);
}

/* The text of a column has nothing readable behind it, as the walker needs it. */
static int copy_tags(struct backfill *b, struct span text, struct err *err)
{
    static const uint8_t slack[NDJSON_SLACK];
    buf_clear(&b->text);
    buf_clear(&b->scratch);
    int r = buf_append(&b->text, text.ptr, text.len, err);
    if (r == 0)
        r = buf_append(&b->text, slack, sizeof slack, err);
    return r < 0 ? r : buf_reserve(&b->scratch, text.len + 1, err);
}

/* @return 1, 0: the tags are none that an event could have, or E_*. */
static int read_tags(struct backfill *b, const struct cell *cell, struct err *err)
{
    struct tags tags;
    memset(b->tags, 0, sizeof b->tags);
    if (cell->is_null)
        return 1;
    int r = copy_tags(b, cell->text, err);
    if (r < 0)
        return r;
    struct json_members it = {.text = {.ops = &b->ops, .end = b->text.data + cell->text.len},
                              .p = b->text.data,
                              .max_depth = RECORD_MAX_DEPTH};
    if (!tags_read(&it, &tags) || tags.failed)
        return 0;
    for (size_t i = 0; i < N_TAGS && r == 0; i++)
        if (tags.values[i].text.ptr)
            r = member_text(&b->tags[i], &tags.values[i], &b->scratch, cell->text.len, err);
    return r < 0 ? r : 1;
}

static int take_definition(void *arg, const struct cell *cells, struct err *err)
{
    struct backfill *b = arg;
    int r = read_tags(b, &cells[TAGS], err);
    if (r == 0)
        b->counts->n_bad_tags++;
    if (r <= 0)
        return r;
    const struct cell row[TASK_N] = {
        [TASK_SUBMISSION_DATE] = {.integer = b->today},
        [TASK_SCHEDULER_ID] = cells[SCHEDULER_ID],
        [TASK_GROUP_ID] = cells[TASK_GROUP],
        [TASK_ID] = cells[ID],
        [TASK_QUEUE_ID] = cells[QUEUE_ID],
        [TASK_TAGS] = {.items = b->tags, .n_items = N_TAGS},
    };
    return warehouse_batch_row(b->batch, 0, row, err);
}

static int find_missing(struct backfill *b, struct warehouse *w, const struct fxci_tables *tables,
                        int64_t first, int64_t last, struct err *err)
{
    static const struct column columns[] = {{.name = "schedulerId", .type = COLUMN_STRING},
                                            {.name = "taskGroupId", .type = COLUMN_STRING},
                                            {.name = "taskId", .type = COLUMN_STRING},
                                            {.name = "taskQueueId", .type = COLUMN_STRING},
                                            {.name = "tags", .type = COLUMN_JSON},
                                            {.name = NULL}};
    const struct sql_value values[] = {
        {"from", SQL_DATE, NULL, first},
        {"to", SQL_DATE, NULL, last},
        {"runs", SQL_TABLE, tables->names[FXCI_RUNS], 0},
        {"tasks", SQL_TABLE, tables->names[FXCI_TASKS], 0},
        {"definitions", SQL_TABLE, tables->names[FXCI_DEFINITIONS], 0},
        {.name = NULL},
    };
    CLEANUP(buf_deinit) struct buf sql = BUF_INIT(SQL_BYTES_MAX);
    const int r = warehouse_fill_sql(&sql, w, sql_of(w, &sql_missing_tasks), values, err);
    return r < 0 ? r : warehouse_query(w, (const char *)sql.data, columns, take_definition, b, err);
}

int backfill_tasks(struct warehouse *w, const struct fxci_tables *tables, int64_t first,
                   int64_t last, int64_t today, unsigned cpu, struct backfill_counts *counts,
                   struct err *err)
{
    const struct table_schema *schema = &tables->schemas[FXCI_TASKS];
    struct batch_outcome outcome;
    CLEANUP(backfill_deinit)
    struct backfill b = {.today = today,
                         .text = BUF_INIT(DEFINITION_MAX_BYTES),
                         .scratch = BUF_INIT(DEFINITION_MAX_BYTES),
                         .counts = counts};
    *counts = (struct backfill_counts){0};
    record_ops_init(&b.ops, cpu);
    int r = warehouse_batch_begin(&b.batch, w, &schema, 1, 0, err);
    if (r == 0)
        r = find_missing(&b, w, tables, first, last, err);
    if (r < 0)
        return r;
    struct warehouse_batch *batch = b.batch;
    b.batch = NULL;
    r = warehouse_batch_commit(batch, &outcome, NULL, NULL, err);
    counts->n_written = r == 0 ? outcome.n_written : 0;
    return r;
}
