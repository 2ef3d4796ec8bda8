/* SPDX-License-Identifier: MPL-2.0 */
/* DuckDB: what tables there are, and making them what a schema says. */
#include "warehouse/duckdb_impl.h"

#include <strings.h>

int duckdb_append_type(struct buf *sql, const struct column *column, struct err *err)
{
    static const char *const names[] = {
        [COLUMN_STRING] = "VARCHAR",     [COLUMN_INT64] = "BIGINT",
        [COLUMN_DOUBLE] = "DOUBLE",      [COLUMN_BOOL] = "BOOLEAN",
        [COLUMN_DATE] = "DATE",          [COLUMN_TIMESTAMP] = "TIMESTAMP WITH TIME ZONE",
        [COLUMN_DATETIME] = "TIMESTAMP", [COLUMN_JSON] = "JSON",
        [COLUMN_STRINGS] = "VARCHAR[]",  [COLUMN_RECORD] = "STRUCT",
    };
    int r = buf_append_str(sql, names[column->type], err);
    if (column->type != COLUMN_RECORD)
        return r;
    for (size_t i = 0; column->fields[i] && r == 0; i++) {
        r = buf_append_str(sql, i == 0 ? "(" : ", ", err);
        if (r == 0)
            r = append_quoted(sql, '"', column->fields[i], err);
        if (r == 0)
            r = buf_append_str(sql, " VARCHAR", err);
    }
    return r < 0 ? r : buf_append_str(sql, ")", err);
}

int duckdb_append_table(void *impl, const struct table_name *name, struct buf *sql, struct err *err)
{
    (void)impl;
    int r = append_quoted(sql, '"', name->dataset, err);
    if (r == 0)
        r = buf_append_byte(sql, '.', err);
    return r < 0 ? r : append_quoted(sql, '"', name->table, err);
}

/* Append name as a string literal. */
static int append_literal(struct buf *sql, const char *name, struct err *err)
{
    return append_quoted(sql, '\'', name, err);
}

static int write_lookup(struct buf *sql, const struct table_name *name, struct err *err)
{
    int r = buf_append_str(sql,
                           "SELECT column_name AS name, data_type AS type, is_nullable AS nullable "
                           "FROM duckdb_columns() WHERE database_name = current_database() AND "
                           "lower(schema_name) = lower(",
                           err);
    if (r == 0)
        r = append_literal(sql, name->dataset, err);
    if (r == 0)
        r = buf_append_str(sql, ") AND lower(table_name) = lower(", err);
    if (r == 0)
        r = append_literal(sql, name->table, err);
    if (r == 0)
        r = buf_append_str(sql, ") ORDER BY column_index", err);
    return r < 0 ? r : buf_append_byte(sql, '\0', err);
}

enum { MAX_COLUMNS = 1024 };

/* The columns of a schema against those of the table that is there. */
struct comparison {
    const struct table_schema *schema;
    size_t n_there;
    bool found[MAX_COLUMNS];
};

/* Names of fields are quoted where they must be: DuckDB knows better which. */
static bool same_type(struct span a, struct span b)
{
    size_t i = 0, k = 0;
    for (;;) {
        while (i < a.len && a.ptr[i] == '"')
            i++;
        while (k < b.len && b.ptr[k] == '"')
            k++;
        if (i == a.len || k == b.len)
            return i == a.len && k == b.len;
        if (a.ptr[i++] != b.ptr[k++])
            return false;
    }
}

static int compare_type(const struct table_schema *schema, const struct column *want,
                        struct span type, struct err *err)
{
    CLEANUP(buf_deinit) struct buf text = BUF_INIT(SQL_MAX_BYTES);
    const int r = duckdb_append_type(&text, want, err);
    if (r < 0 || same_type(type, buf_span(&text)))
        return r;
    return err_set(err, E_FORMAT, 0, "table %s: column %s is %.*s, not %.*s", schema->name,
                   want->name, (int)type.len, (const char *)type.ptr, (int)text.len,
                   (const char *)text.data);
}

static bool same_but_for_case(const char *a, struct span b)
{
    return strlen(a) == b.len && strncasecmp(a, (const char *)b.ptr, b.len) == 0;
}

static int compare_column(void *arg, const struct cell *cells, struct err *err)
{
    struct comparison *c = arg;
    const struct column *want = c->schema->columns;
    const struct span name = cells[0].text;
    const bool nullable = cells[2].integer != 0;
    c->n_there++;
    while (want->name && !same_but_for_case(want->name, name))
        want++;
    if (!want->name)
        return nullable ? 0
                        : err_set(err, E_FORMAT, 0,
                                  "table %s: column %.*s is not among ours and must not be null",
                                  c->schema->name, (int)name.len, (const char *)name.ptr);
    if (memcmp(want->name, name.ptr, name.len) != 0)
        return err_set(err, E_FORMAT, 0, "table %s: column %s is spelled %.*s there",
                       c->schema->name, want->name, (int)name.len, (const char *)name.ptr);
    c->found[want - c->schema->columns] = true;
    const int r = compare_type(c->schema, want, cells[1].text, err);
    if (r < 0 || c->schema->lax || nullable != want->required)
        return r;
    return err_set(err, E_FORMAT, 0, "table %s: column %s %s be null", c->schema->name, want->name,
                   nullable ? "may" : "must not");
}

static const struct column lookup_columns[] = {{.name = "name", .type = COLUMN_STRING},
                                               {.name = "type", .type = COLUMN_STRING},
                                               {.name = "nullable", .type = COLUMN_BOOL},
                                               {.name = NULL}};

static int count_row(void *arg, const struct cell *cells, struct err *err)
{
    (void)cells, (void)err;
    ++*(size_t *)arg;
    return 0;
}

int duckdb_has_table(void *impl, const struct table_name *name, struct err *err)
{
    CLEANUP(buf_deinit) struct buf sql = BUF_INIT(SQL_MAX_BYTES);
    size_t n = 0;
    int r = write_lookup(&sql, name, err);
    if (r == 0)
        r = duckdb_run_query(impl, (const char *)sql.data, lookup_columns, count_row, &n, err);
    return r < 0 ? r : n > 0;
}

static int append_column(struct buf *sql, const struct column *column, struct err *err)
{
    int r = append_quoted(sql, '"', column->name, err);
    if (r == 0)
        r = buf_append_byte(sql, ' ', err);
    if (r == 0)
        r = duckdb_append_type(sql, column, err);
    return r < 0 || !column->required ? r : buf_append_str(sql, " NOT NULL", err);
}

int duckdb_append_columns(struct buf *sql, const struct column *columns, struct err *err)
{
    int r = 0;
    for (size_t i = 0; columns[i].name && r == 0; i++) {
        r = buf_append_str(sql, i == 0 ? " (" : ", ", err);
        if (r == 0)
            r = append_column(sql, &columns[i], err);
    }
    return r;
}

static int write_create(struct buf *sql, const struct table_name *name,
                        const struct table_schema *schema, struct err *err)
{
    int r = buf_append_str(sql, "CREATE TABLE ", err);
    if (r == 0)
        r = duckdb_append_table(NULL, name, sql, err);
    if (r == 0)
        r = duckdb_append_columns(sql, schema->columns, err);
    if (r == 0)
        r = buf_append_str(sql, ")", err);
    return r < 0 ? r : buf_append_byte(sql, '\0', err);
}

static int add_column(struct duckdb_backend *b, duckdb_connection c, const struct table_name *name,
                      const struct column *column, struct err *err)
{
    CLEANUP(buf_deinit) struct buf sql = BUF_INIT(SQL_MAX_BYTES);
    int r = buf_append_str(&sql, "ALTER TABLE ", err);
    if (r == 0)
        r = duckdb_append_table(NULL, name, &sql, err);
    if (r == 0)
        r = buf_append_str(&sql, " ADD COLUMN ", err);
    if (r == 0)
        r = append_column(&sql, column, err);
    if (r == 0)
        r = buf_append_byte(&sql, '\0', err);
    return r < 0 ? r : duckdb_backend_run(b, c, (const char *)sql.data, err);
}

static int add_missing(struct duckdb_backend *b, duckdb_connection c, const struct table_name *name,
                       const struct comparison *comparison, struct err *err)
{
    int r = 0;
    const struct table_schema *schema = comparison->schema;
    for (size_t i = 0; schema->columns[i].name && r == 0; i++) {
        if (comparison->found[i])
            continue;
        r = schema->columns[i].required
                ? err_set(err, E_FORMAT, 0, "table %s lacks the column %s, which must not be null",
                          schema->name, schema->columns[i].name)
                : add_column(b, c, name, &schema->columns[i], err);
    }
    return r;
}

static int create_dataset(struct duckdb_backend *b, duckdb_connection c,
                          const struct table_name *name, struct err *err)
{
    CLEANUP(buf_deinit) struct buf sql = BUF_INIT(SQL_MAX_BYTES);
    int r = buf_append_str(&sql, "CREATE SCHEMA IF NOT EXISTS ", err);
    if (r == 0)
        r = append_quoted(&sql, '"', name->dataset, err);
    if (r == 0)
        r = buf_append_byte(&sql, '\0', err);
    return r < 0 ? r : duckdb_backend_run(b, c, (const char *)sql.data, err);
}

static int create(struct duckdb_backend *b, duckdb_connection c, const struct table_name *name,
                  const struct table_schema *schema, struct err *err)
{
    CLEANUP(buf_deinit) struct buf sql = BUF_INIT(SQL_MAX_BYTES);
    int r = create_dataset(b, c, name, err);
    if (r == 0)
        r = write_create(&sql, name, schema, err);
    return r < 0 ? r : duckdb_backend_run(b, c, (const char *)sql.data, err);
}

int duckdb_ensure_table(void *impl, const struct table_name *name,
                        const struct table_schema *schema, struct err *err)
{
    struct duckdb_backend *b = impl;
    struct comparison comparison = {.schema = schema};
    if (count_columns(schema->columns) > MAX_COLUMNS)
        return err_set(err, E_ARG, 0, "table %s has too many columns", schema->name);
    CLEANUP(buf_deinit) struct buf sql = BUF_INIT(SQL_MAX_BYTES);
    int r = write_lookup(&sql, name, err);
    if (r == 0)
        r = duckdb_run_query(b, (const char *)sql.data, lookup_columns, compare_column, &comparison,
                             err);
    if (r < 0)
        return r;
    duckdb_connection c;
    r = duckdb_backend_connect(&c, b, err);
    if (r < 0)
        return r;
    r = comparison.n_there > 0 ? add_missing(b, c, name, &comparison, err)
                               : create(b, c, name, schema, err);
    duckdb_disconnect(&c);
    return r;
}

int duckdb_ensure_view(void *impl, const struct table_name *name, const char *select,
                       struct err *err)
{
    struct duckdb_backend *b = impl;
    CLEANUP(buf_deinit) struct buf sql = BUF_INIT(SQL_MAX_BYTES);
    duckdb_connection c = NULL;
    int r = buf_append_str(&sql, "CREATE OR REPLACE VIEW ", err);
    if (r == 0)
        r = duckdb_append_table(NULL, name, &sql, err);
    if (r == 0)
        r = buf_append_str(&sql, " AS ", err);
    if (r == 0)
        r = buf_append_str(&sql, select, err);
    if (r == 0)
        r = buf_append_byte(&sql, '\0', err);
    if (r == 0)
        r = duckdb_backend_connect(&c, b, err);
    if (r < 0)
        return r;
    r = create_dataset(b, c, name, err);
    if (r == 0)
        r = duckdb_backend_run(b, c, (const char *)sql.data, err);
    duckdb_disconnect(&c);
    return r;
}
