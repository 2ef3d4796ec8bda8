/* SPDX-License-Identifier: MPL-2.0 */
/* DuckDB: rows of a batch that a table will not have, as it is stricter about null than its schema
 * says (`lax`): looked for only once the table has refused them. */
#include "warehouse/duckdb_impl.h"

struct search {
    const struct duckdb_waiting *waiting;
    struct buf where; // "c" IS NULL OR ..
    warehouse_refused_fn *refused;
    void *arg;
    struct buf json;
    uint64_t n;
};

/* A column of the table that must not be null. */
static int take_strict(void *arg, const struct cell *cells, struct err *err)
{
    struct search *s = arg;
    for (const struct column *c = s->waiting->schema->columns; c->name; c++) {
        if (c->required || !span_equal(span_str(c->name), cells[0].text))
            continue;
        int r = s->where.len > 0 ? buf_append_str(&s->where, " OR ", err) : 0;
        if (r == 0)
            r = append_quoted(&s->where, '"', c->name, err);
        return r < 0 ? r : buf_append_str(&s->where, " IS NULL", err);
    }
    return 0;
}

static int find_strict(struct search *s, struct err *err)
{
    static const struct column columns[] = {{.name = "name", .type = COLUMN_STRING},
                                            {.name = NULL}};
    const struct table_name *name = s->waiting->name;
    CLEANUP(buf_deinit) struct buf sql = BUF_INIT(SQL_MAX_BYTES);
    int r = buf_append_str(&sql,
                           "SELECT column_name FROM duckdb_columns() WHERE NOT is_nullable AND "
                           "database_name = current_database() AND lower(schema_name) = lower(",
                           err);
    if (r == 0)
        r = append_quoted(&sql, '\'', name->dataset, err);
    if (r == 0)
        r = buf_append_str(&sql, ") AND lower(table_name) = lower(", err);
    if (r == 0)
        r = append_quoted(&sql, '\'', name->table, err);
    if (r == 0)
        r = buf_append(&sql, ")", sizeof ")", err);
    return r < 0 ? r
                 : duckdb_query_on(s->waiting->backend, s->waiting->connection,
                                   (const char *)sql.data, columns, take_strict, s, err);
}

static int refuse_row(void *arg, const struct cell *cells, struct err *err)
{
    struct search *s = arg;
    buf_clear(&s->json);
    s->n++;
    const int r = warehouse_row_json(&s->json, s->waiting->schema->columns, cells, err);
    return r < 0 ? r
                 : s->refused(s->arg, s->waiting->index, buf_span(&s->json),
                              "a column is null that must not be null in the table", err);
}

static int write_statement(struct buf *sql, const struct search *s, struct err *err)
{
    int r = buf_append_str(sql, " FROM ", err);
    if (r == 0)
        r = duckdb_append_waiting(sql, s->waiting, err);
    if (r == 0)
        r = buf_append_str(sql, " WHERE ", err);
    if (r == 0)
        r = buf_append(sql, s->where.data, s->where.len, err);
    return r < 0 ? r : buf_append_byte(sql, '\0', err);
}

static int refuse_rows(struct search *s, struct err *err)
{
    const struct duckdb_waiting *t = s->waiting;
    CLEANUP(buf_deinit) struct buf sql = BUF_INIT(SQL_MAX_BYTES);
    int r = buf_append_str(&sql, "SELECT ", err);
    if (r == 0)
        r = duckdb_append_names(&sql, t->schema->columns, err);
    if (r == 0)
        r = write_statement(&sql, s, err);
    if (r == 0)
        r = duckdb_query_on(t->backend, t->connection, (const char *)sql.data, t->schema->columns,
                            refuse_row, s, err);
    buf_clear(&sql);
    if (r == 0)
        r = buf_append_str(&sql, "DELETE", err);
    if (r == 0)
        r = write_statement(&sql, s, err);
    return r < 0 ? r : duckdb_backend_run(t->backend, t->connection, (const char *)sql.data, err);
}

int duckdb_refuse_nulls(const struct duckdb_waiting *t, warehouse_refused_fn *refused, void *arg,
                        uint64_t *n, struct err *err)
{
    struct search s = {.waiting = t,
                       .where = BUF_INIT(SQL_MAX_BYTES),
                       .refused = refused,
                       .arg = arg,
                       .json = BUF_INIT((size_t)1 << 30)};
    int r = find_strict(&s, err);
    if (r == 0 && s.where.len > 0)
        r = refuse_rows(&s, err);
    *n = s.n;
    buf_deinit(&s.where);
    buf_deinit(&s.json);
    return r;
}
