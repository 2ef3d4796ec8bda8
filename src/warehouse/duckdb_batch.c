/* SPDX-License-Identifier: MPL-2.0 */
/*
 * DuckDB: batches. Rows wait in temporary tables, which live in memory and are the connection's
 * own; one short transaction at the end takes those whose keys are new. A process that dies before
 * its end leaves the file as it was.
 *
 * Keys are looked for by their hashes (duckdb_find.c), and no index helps. With a PRIMARY KEY each
 * opening reads the index back and each closing writes it anew, as keys are spread at random: a
 * batch of 8,000 rows into two tables of 8 million rows took 10 s and more, and then DuckDB ran out
 * of 1 GiB of memory. The lock on the file keeps others from writing between the look and the
 * insert.
 */
#include "warehouse/duckdb_impl.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

struct duckdb_batch {
    struct duckdb_backend *backend;
    duckdb_connection connection;
    size_t n_tables;
    struct duckdb_waiting tables[BATCH_MAX_TABLES];
};

static char temp_catalog[] = "temp", temp_schema[] = "main";

enum { WAITING_NAME_BYTES = 32 };
static const size_t hashes_max_bytes = (size_t)1 << 31;

static void format_waiting(char text[WAITING_NAME_BYTES], size_t i)
{
    (void)snprintf(text, WAITING_NAME_BYTES, "waiting_%zu", i);
}

int duckdb_append_waiting(struct buf *sql, const struct duckdb_waiting *t, struct err *err)
{
    char text[WAITING_NAME_BYTES];
    format_waiting(text, t->index);
    return buf_printf(sql, err, "%s.%s.%s", temp_catalog, temp_schema, text);
}

static int run(const struct duckdb_waiting *t, struct buf *sql, uint64_t *n_changed,
               struct err *err)
{
    const int r = buf_append_byte(sql, '\0', err);
    return r < 0 ? r
                 : duckdb_backend_change(t->backend, t->connection, (const char *)sql->data,
                                         n_changed, err);
}

static int begin_table(struct duckdb_waiting *t, struct err *err)
{
    CLEANUP(buf_deinit) struct buf sql = BUF_INIT(SQL_MAX_BYTES);
    char text[WAITING_NAME_BYTES];
    format_waiting(text, t->index);
    const struct table_name name = {.dataset = temp_schema, .table = text};
    int r = buf_printf(&sql, err, "CREATE TEMP TABLE %s", text);
    if (r == 0)
        r = duckdb_append_columns(&sql, t->stored.schema.columns, err);
    if (r == 0)
        r = buf_append_str(&sql, ")", err);
    if (r == 0)
        r = run(t, &sql, NULL, err);
    if (r == 0)
        r = duckdb_rows_begin(&t->rows, t->backend, t->connection, temp_catalog, &name,
                              &t->stored.schema, err);
    return r;
}

static int begin(struct duckdb_batch *batch, const struct table_name *names,
                 const struct table_schema *const *tables, struct err *err)
{
    int r = duckdb_backend_connect(&batch->connection, batch->backend, err);
    for (size_t i = 0; i < batch->n_tables && r == 0; i++) {
        batch->tables[i] = (struct duckdb_waiting){.backend = batch->backend,
                                                   .connection = batch->connection,
                                                   .name = &names[i],
                                                   .schema = tables[i],
                                                   .index = i,
                                                   .hashes = BUF_INIT(hashes_max_bytes)};
        r = duckdb_stored_init(&batch->tables[i].stored, tables[i], err);
    }
    return r;
}

int duckdb_batch_begin(void **out, void *impl, const struct table_name *names,
                       const struct table_schema *const *tables, size_t n_tables, int64_t since,
                       struct err *err)
{
    (void)since; // keys are looked for everywhere
    struct duckdb_batch *batch = calloc(1, sizeof *batch);
    if (!batch)
        return err_set(err, E_NOMEM, 0, "no memory for a batch");
    batch->backend = impl;
    batch->n_tables = n_tables;
    const int r = begin(batch, names, tables, err);
    if (r < 0) {
        duckdb_batch_free(batch);
        return r;
    }
    *out = batch;
    return 0;
}

int duckdb_batch_row(void *impl, size_t table, const struct cell *cells, struct err *err)
{
    struct duckdb_batch *batch = impl;
    struct duckdb_waiting *t = &batch->tables[table];
    const struct cell *stored = duckdb_stored_row(&t->stored, cells);
    int r = t->rows.appender ? 0 : begin_table(t, err);
    if (r == 0 && duckdb_hash_name(&t->stored))
        r = buf_append(&t->hashes, &stored[t->stored.n].integer, sizeof stored->integer, err);
    return r < 0 ? r : duckdb_rows_add(&t->rows, stored, err);
}

int duckdb_append_names(struct buf *sql, const struct column *columns, struct err *err)
{
    int r = 0;
    for (size_t i = 0; columns[i].name && r == 0; i++) {
        if (i > 0)
            r = buf_append_str(sql, ", ", err);
        if (r == 0)
            r = append_quoted(sql, '"', columns[i].name, err);
    }
    return r;
}

static int append_match(struct buf *sql, const char *const *key, struct err *err)
{
    int r = 0;
    for (size_t i = 0; key[i] && r == 0; i++) {
        r = buf_append_str(sql, i == 0 ? "old." : " AND old.", err);
        if (r == 0)
            r = append_quoted(sql, '"', key[i], err);
        if (r == 0)
            r = buf_append_str(sql, " IS NOT DISTINCT FROM new.", err);
        if (r == 0)
            r = append_quoted(sql, '"', key[i], err);
    }
    return r;
}

/* Append WHERE, or AND, no row of the table has the key, among those that `which` says. */
static int append_unless(struct buf *sql, const struct duckdb_waiting *t, const char *lead,
                         struct span which, struct err *err)
{
    int r = buf_printf(sql, err, " %s NOT EXISTS (SELECT 1 FROM ", lead);
    if (r == 0)
        r = duckdb_append_table(NULL, t->name, sql, err);
    if (r == 0)
        r = buf_append_str(sql, " AS old WHERE ", err);
    if (r == 0)
        r = buf_append(sql, which.ptr, which.len, err);
    if (r == 0)
        r = append_match(sql, t->schema->key, err);
    return r < 0 ? r : buf_append_str(sql, ")", err);
}

static int append_unless_found(struct buf *sql, const struct duckdb_waiting *t,
                               const struct duckdb_found *found, struct err *err)
{
    CLEANUP(buf_deinit) struct buf which = BUF_INIT(SQL_MAX_BYTES);
    int r = buf_printf(&which, err, "old.rowid BETWEEN %" PRId64 " AND %" PRId64 " AND ",
                       found->first, found->last);
    return r < 0 ? r : append_unless(sql, t, "WHERE", buf_span(&which), err);
}

static int append_unless_without(struct buf *sql, const struct duckdb_waiting *t, const char *lead,
                                 struct err *err)
{
    CLEANUP(buf_deinit) struct buf which = BUF_INIT(SQL_MAX_BYTES);
    int r = buf_append_str(&which, "old.", err);
    if (r == 0)
        r = append_quoted(&which, '"', duckdb_hash_name(&t->stored), err);
    if (r == 0)
        r = buf_append_str(&which, " IS NULL AND ", err);
    return r < 0 ? r : append_unless(sql, t, lead, buf_span(&which), err);
}

static int append_condition(struct buf *sql, const struct duckdb_waiting *t,
                            const struct duckdb_found *found, struct err *err)
{
    if (!duckdb_hash_name(&t->stored))
        return append_unless(sql, t, "WHERE", span_of(NULL, 0), err);
    int r = found->n > 0 ? append_unless_found(sql, t, found, err) : 0;
    if (r == 0 && found->n_without > 0)
        r = append_unless_without(sql, t, found->n > 0 ? "AND" : "WHERE", err);
    return r;
}

static int write_insert(struct buf *sql, const struct duckdb_waiting *t,
                        const struct duckdb_found *found, struct err *err)
{
    const struct column *columns = t->stored.schema.columns;
    int r = buf_append_str(sql, "INSERT INTO ", err);
    if (r == 0)
        r = duckdb_append_table(NULL, t->name, sql, err);
    if (r == 0)
        r = buf_append_str(sql, " (", err);
    if (r == 0)
        r = duckdb_append_names(sql, columns, err);
    if (r == 0)
        r = buf_append_str(sql, ") SELECT ", err);
    if (r == 0)
        r = duckdb_append_names(sql, columns, err);
    if (r == 0)
        r = buf_append_str(sql, " FROM ", err);
    if (r == 0)
        r = duckdb_append_waiting(sql, t, err);
    if (r == 0)
        r = buf_append_str(sql, " AS new", err);
    return r < 0 ? r : append_condition(sql, t, found, err);
}

/* Whoever made the table may not have known of it. */
static int add_hash_column(const struct duckdb_waiting *t, struct err *err)
{
    CLEANUP(buf_deinit) struct buf sql = BUF_INIT(SQL_MAX_BYTES);
    int r = buf_append_str(&sql, "ALTER TABLE ", err);
    if (r == 0)
        r = duckdb_append_table(NULL, t->name, &sql, err);
    if (r == 0)
        r = buf_append_str(&sql, " ADD COLUMN IF NOT EXISTS ", err);
    if (r == 0)
        r = append_quoted(&sql, '"', duckdb_hash_name(&t->stored), err);
    if (r == 0)
        r = buf_append_str(&sql, " BIGINT", err);
    return r < 0 ? r : run(t, &sql, NULL, err);
}

static int find_keys(const struct duckdb_waiting *t, struct duckdb_found *found, struct err *err)
{
    const int r = add_hash_column(t, err);
    return r < 0 ? r : duckdb_find_keys(t, found, err);
}

static int store_table(const struct duckdb_waiting *t, struct batch_outcome *outcome,
                       struct err *err)
{
    CLEANUP(buf_deinit) struct buf sql = BUF_INIT(SQL_MAX_BYTES);
    struct duckdb_found found = {0};
    const uint64_t n = t->rows.n_added - outcome->n_refused;
    if (n == 0)
        return 0;
    int r = duckdb_hash_name(&t->stored) ? find_keys(t, &found, err) : 0;
    if (r == 0)
        r = write_insert(&sql, t, &found, err);
    if (r == 0)
        r = run(t, &sql, &outcome->n_written, err);
    outcome->n_duplicate = n - outcome->n_written;
    return r < 0 ? err_wrap(err, r, "table %s", t->schema->name) : 0;
}

static int store(struct duckdb_batch *batch, struct batch_outcome *outcomes, struct err *err)
{
    int r = duckdb_backend_run(batch->backend, batch->connection, "BEGIN TRANSACTION", err);
    for (size_t i = 0; i < batch->n_tables && r == 0; i++)
        r = store_table(&batch->tables[i], &outcomes[i], err);
    return r < 0 ? r : duckdb_backend_run(batch->backend, batch->connection, "COMMIT", err);
}

static int store_without_refused(struct duckdb_batch *batch, struct batch_outcome *outcomes,
                                 warehouse_refused_fn *refused, void *arg, struct err *err)
{
    int r = duckdb_backend_run(batch->backend, batch->connection, "ROLLBACK", err);
    for (size_t i = 0; i < batch->n_tables && r == 0; i++)
        if (batch->tables[i].rows.appender)
            r = duckdb_refuse_nulls(&batch->tables[i], refused, arg, &outcomes[i].n_refused, err);
    return r < 0 ? r : store(batch, outcomes, err);
}

int duckdb_batch_commit(void *impl, struct batch_outcome *outcomes, warehouse_refused_fn *refused,
                        void *arg, struct err *err)
{
    struct duckdb_batch *batch = impl;
    struct err why = {0};
    int r = 0;
    for (size_t i = 0; i < batch->n_tables && r == 0; i++)
        if (batch->tables[i].rows.appender)
            r = duckdb_rows_end(&batch->tables[i].rows, &why);
    if (r == 0)
        r = store(batch, outcomes, &why);
    if (r == E_FORMAT && refused)
        r = store_without_refused(batch, outcomes, refused, arg, &why);
    for (size_t i = 0; i < batch->n_tables && r < 0; i++)
        outcomes[i] = (struct batch_outcome){.code = r, .err = why};
    if (r < 0 && err)
        *err = why;
    return r;
}

/* A connection that is closed within a transaction rolls it back. */
void duckdb_batch_free(void *impl)
{
    struct duckdb_batch *batch = impl;
    for (size_t i = 0; i < batch->n_tables; i++) {
        duckdb_rows_deinit(&batch->tables[i].rows);
        duckdb_stored_deinit(&batch->tables[i].stored);
        buf_deinit(&batch->tables[i].hashes);
    }
    if (batch->connection)
        duckdb_disconnect(&batch->connection);
    free(batch);
}
