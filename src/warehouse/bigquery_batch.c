/* SPDX-License-Identifier: MPL-2.0 */
/* BigQuery: batches, table by table. */
#include "warehouse/bigquery_batch.h"

#include <stdlib.h>

enum {
    FLUSH_BYTES = 256 << 10,
    LINE_MAX_BYTES = 1 << 30, // beyond what any row can be whose parts came over a network
    MAX_ATTEMPTS = 100,
};

struct bigquery_batch {
    struct bigquery *b;
    size_t n_tables;
    struct staged_table tables[BATCH_MAX_TABLES];
};

int bigquery_batch_begin(void **out, void *impl, const struct table_name *names,
                         const struct table_schema *const *tables, size_t n_tables, int64_t since,
                         struct err *err)
{
    struct bigquery_batch *batch = calloc(1, sizeof *batch);
    if (!batch)
        return err_set(err, E_NOMEM, 0, "no memory for a batch");
    batch->b = impl;
    batch->n_tables = n_tables;
    for (size_t i = 0; i < n_tables; i++)
        batch->tables[i] = (struct staged_table){.b = impl,
                                                 .name = &names[i],
                                                 .schema = tables[i],
                                                 .since = since,
                                                 .file = TEMPFILE_INIT,
                                                 .text = BUF_INIT(FLUSH_BYTES + LINE_MAX_BYTES)};
    *out = batch;
    return 0;
}

static int grow_rows(struct staged_table *t, struct err *err)
{
    if (t->n_rows < t->cap_rows)
        return 0;
    const size_t cap = t->cap_rows > 0 ? 2 * t->cap_rows : 256;
    struct staged_row *rows = reallocarray(t->rows, cap, sizeof *rows);
    if (!rows)
        return err_set(err, E_NOMEM, 0, "no memory for a batch");
    t->rows = rows;
    t->cap_rows = cap;
    return 0;
}

static uint64_t nulls_of(const struct column *columns, const struct cell *cells)
{
    uint64_t nulls = 0;
    for (size_t i = 0; i < NULLS_KNOWN && columns[i].name; i++)
        nulls |= (uint64_t)cells[i].is_null << i;
    return nulls;
}

static int flush(struct staged_table *t, struct err *err)
{
    int r = t->file.fd < 0 ? tempfile_open(&t->file, t->b->temp_dir, err) : 0;
    if (r == 0)
        r = tempfile_append(&t->file, t->text.data, t->text.len, err);
    buf_clear(&t->text);
    return r;
}

int bigquery_batch_row(void *impl, size_t table, const struct cell *cells, struct err *err)
{
    struct bigquery_batch *batch = impl;
    struct staged_table *t = &batch->tables[table];
    const size_t before = t->text.len;
    int r = grow_rows(t, err);
    if (r == 0)
        r = bigquery_write_row(&t->text, t->schema->columns, cells, err);
    if (r < 0)
        return r;
    t->rows[t->n_rows++] = (struct staged_row){.offset = t->file.end + before,
                                               .len = t->text.len - before,
                                               .nulls = nulls_of(t->schema->columns, cells)};
    return t->text.len < FLUSH_BYTES ? 0 : flush(t, err);
}

size_t pending_rows(const struct staged_table *t, size_t first, size_t end)
{
    size_t n = 0;
    for (size_t i = first; i < end; i++)
        n += t->rows[i].state == ROW_PENDING;
    return n;
}

int refuse_row(struct staged_table *t, size_t row, const char *reason, struct err *err)
{
    struct refused_row *all = reallocarray(t->refused, t->n_refused + 1, sizeof *all);
    if (all)
        t->refused = all;
    char *copy = strdup(reason);
    if (!all || !copy) {
        free(copy);
        return err_set(err, E_NOMEM, 0, "no memory for a batch");
    }
    t->refused[t->n_refused++] = (struct refused_row){row, copy};
    t->rows[row].state = ROW_REFUSED;
    return 0;
}

static int tell_one(struct staged_table *t, size_t table, warehouse_refused_fn *fn, void *arg,
                    struct err *err)
{
    CLEANUP(buf_deinit) struct buf line = BUF_INIT(FLUSH_BYTES + LINE_MAX_BYTES);
    const struct refused_row *refused = &t->refused[t->n_told];
    const struct staged_row *row = &t->rows[refused->row];
    if (!fn)
        return err_set(err, E_FORMAT, 0, "a row for table %s is refused: %s", t->schema->name,
                       refused->reason);
    int r = buf_reserve(&line, row->len, err);
    if (r == 0)
        r = tempfile_read(&t->file, row->offset, line.data, row->len, err);
    if (r == 0)
        r = fn(arg, table, span_of(line.data, row->len - 1), refused->reason, err);
    t->n_told += r == 0;
    return r;
}

static int tell_refused(struct staged_table *t, size_t table, warehouse_refused_fn *fn, void *arg,
                        struct err *err)
{
    int r = 0;
    while (t->n_told < t->n_refused && r == 0)
        r = tell_one(t, table, fn, arg, err);
    return r;
}

/* Are exactly our rows staged? A table or a job that was there before us may be a leftover of
 * another end: a job whose table has gone since has loaded nothing into this one. */
static int check_staging(struct staged_table *t, struct err *err)
{
    uint64_t n;
    const int r = staging_count(t, &n, err);
    if (r == E_ABSENT)
        return 1;
    return r < 0 ? r : n != t->n_rows - t->n_refused;
}

/* @return 0, 1: the next attempt's staging table is to be used, or E_*. */
static int attempt(struct staged_table *t, size_t table, unsigned number,
                   struct batch_outcome *outcome, warehouse_refused_fn *fn, void *arg,
                   struct err *err)
{
    for (size_t i = 0; i < t->n_rows; i++)
        if (t->rows[i].state == ROW_STAGED)
            t->rows[i].state = ROW_PENDING;
    t->any_known = false;
    int r = staging_name(t, number, err);
    const int existed = r < 0 ? r : staging_create(t, err);
    r = existed < 0 ? existed : stage_rows(t, err);
    if (existed >= 0 && r == E_ABSENT)
        return 1;
    if (r == 0 && (existed || t->any_known))
        r = check_staging(t, err);
    if (r == 0)
        r = tell_refused(t, table, fn, arg, err);
    if (r == 0 && t->n_refused < t->n_rows)
        r = merge_staging(t, &outcome->n_written, err);
    if (r == 0 || (r > 0 && existed == 0))
        staging_drop(t); // after a failure it is what the next try goes on with
    return r;
}

static int store(struct staged_table *t, size_t table, struct batch_outcome *outcome,
                 warehouse_refused_fn *fn, void *arg, struct err *err)
{
    int r = flush(t, err);
    if (r == 0)
        r = staging_prepare(t, err);
    unsigned number = 0;
    do
        r = r < 0 ? r : attempt(t, table, number, outcome, fn, arg, err);
    while (r == 1 && ++number < MAX_ATTEMPTS);
    if (r == 1)
        return err_set(err, E_IO, 0, "%s: %d staging tables for %s came and went", t->b->url,
                       MAX_ATTEMPTS, t->schema->name);
    return r;
}

static void commit_table(struct staged_table *t, size_t table, struct batch_outcome *outcome,
                         warehouse_refused_fn *fn, void *arg)
{
    *outcome = (struct batch_outcome){0};
    if (t->n_rows == 0)
        return;
    outcome->code = store(t, table, outcome, fn, arg, &outcome->err);
    const uint64_t n = outcome->n_written;
    outcome->n_written = outcome->code == 0 ? n : 0;
    outcome->n_refused = outcome->code == 0 ? t->n_refused : 0;
    if (outcome->code == 0)
        outcome->n_duplicate = t->n_rows - t->n_refused - n;
}

int bigquery_batch_commit(void *impl, struct batch_outcome *outcomes, warehouse_refused_fn *refused,
                          void *arg, struct err *err)
{
    struct bigquery_batch *batch = impl;
    int first = 0;
    for (size_t i = 0; i < batch->n_tables; i++) {
        commit_table(&batch->tables[i], i, &outcomes[i], refused, arg);
        if (first == 0 && outcomes[i].code < 0) {
            first = outcomes[i].code;
            if (err)
                *err = outcomes[i].err;
        }
    }
    return first;
}

void bigquery_batch_free(void *impl)
{
    struct bigquery_batch *batch = impl;
    for (size_t i = 0; i < batch->n_tables; i++) {
        struct staged_table *t = &batch->tables[i];
        for (size_t k = 0; k < t->n_refused; k++)
            free(t->refused[k].reason);
        free(t->refused);
        free(t->rows);
        json_decref(t->fields);
        buf_deinit(&t->text);
        tempfile_close(&t->file);
    }
    free(batch);
}
