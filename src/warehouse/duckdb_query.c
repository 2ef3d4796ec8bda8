/* SPDX-License-Identifier: MPL-2.0 */
/* DuckDB: statements, and their answers as rows of cells, a chunk in memory at a time. */
#include "warehouse/duckdb_impl.h"

#include <stdlib.h>

struct answer {
    struct duckdb_backend *backend;
    const struct column *columns;
    size_t n_columns;
    duckdb_connection connection;
    duckdb_prepared_statement statement;
    duckdb_result result;
    duckdb_type *types; // of the answer's columns
    struct cell *cells;
    struct items *items; // of lists and records
};

struct items {
    struct span *spans;
    size_t room;
};

static bool is_integer(duckdb_type type)
{
    return (type >= DUCKDB_TYPE_TINYINT && type <= DUCKDB_TYPE_UBIGINT) ||
           type == DUCKDB_TYPE_HUGEINT;
}

static bool has_texts_in_order(duckdb_logical_type record, const char *const *fields)
{
    const idx_t n = duckdb_struct_type_child_count(record);
    bool ok = true;
    for (idx_t i = 0; i < n && ok; i++) {
        char *name = duckdb_struct_type_child_name(record, i);
        duckdb_logical_type type = duckdb_struct_type_child_type(record, i);
        ok = fields[i] && strcmp(fields[i], name) == 0 &&
             duckdb_get_type_id(type) == DUCKDB_TYPE_VARCHAR;
        duckdb_destroy_logical_type(&type);
        duckdb_free(name);
    }
    return ok && !fields[n];
}

static bool is_list_of_texts(duckdb_logical_type list)
{
    duckdb_logical_type type = duckdb_list_type_child_type(list);
    const bool ok = duckdb_get_type_id(type) == DUCKDB_TYPE_VARCHAR;
    duckdb_destroy_logical_type(&type);
    return ok;
}

static bool fits_nested(struct answer *a, size_t i)
{
    const struct column *want = &a->columns[i];
    duckdb_logical_type type = duckdb_column_logical_type(&a->result, i);
    const bool ok =
        want->type == COLUMN_RECORD
            ? a->types[i] == DUCKDB_TYPE_STRUCT && has_texts_in_order(type, want->fields)
            : a->types[i] == DUCKDB_TYPE_LIST && is_list_of_texts(type);
    duckdb_destroy_logical_type(&type);
    return ok;
}

static bool fits(struct answer *a, size_t i)
{
    const duckdb_type is = a->types[i];
    switch (a->columns[i].type) {
    case COLUMN_STRING:
    case COLUMN_JSON:
        return is == DUCKDB_TYPE_VARCHAR;
    case COLUMN_INT64:
        return is_integer(is);
    case COLUMN_DOUBLE:
        return is == DUCKDB_TYPE_DOUBLE || is == DUCKDB_TYPE_FLOAT;
    case COLUMN_BOOL:
        return is == DUCKDB_TYPE_BOOLEAN;
    case COLUMN_DATE:
        return is == DUCKDB_TYPE_DATE;
    case COLUMN_TIMESTAMP:
        return is == DUCKDB_TYPE_TIMESTAMP_TZ;
    case COLUMN_DATETIME:
        return is == DUCKDB_TYPE_TIMESTAMP;
    case COLUMN_STRINGS:
    case COLUMN_RECORD:
        return fits_nested(a, i);
    }
    return false;
}

static int misfit_err(const struct column *column, struct err *err)
{
    CLEANUP(buf_deinit) struct buf type = BUF_INIT(SQL_MAX_BYTES);
    const int r = duckdb_append_type(&type, column, err);
    return r < 0 ? r
                 : err_set(err, E_ARG, 0, "column %s of the query is not of type %.*s: cast it",
                           column->name, (int)type.len, (const char *)type.data);
}

static int check_columns(struct answer *a, struct err *err)
{
    if (duckdb_column_count(&a->result) != a->n_columns)
        return err_set(err, E_ARG, 0, "the query gives %zu columns, not %zu",
                       (size_t)duckdb_column_count(&a->result), a->n_columns);
    for (size_t i = 0; i < a->n_columns; i++) {
        a->types[i] = duckdb_column_type(&a->result, i);
        if (!fits(a, i))
            return misfit_err(&a->columns[i], err);
    }
    return 0;
}

static bool read_integer(int64_t *out, duckdb_type type, const void *data, idx_t row)
{
    const duckdb_hugeint *huge = (const duckdb_hugeint *)data + row;
    switch (type) {
    case DUCKDB_TYPE_TINYINT:
        *out = ((const int8_t *)data)[row]; // NOLINT(bugprone-signed-char-misuse): a number
        return true;
    case DUCKDB_TYPE_SMALLINT:
        *out = ((const int16_t *)data)[row];
        return true;
    case DUCKDB_TYPE_INTEGER:
        *out = ((const int32_t *)data)[row];
        return true;
    case DUCKDB_TYPE_BIGINT:
        *out = ((const int64_t *)data)[row];
        return true;
    case DUCKDB_TYPE_UTINYINT:
        *out = ((const uint8_t *)data)[row];
        return true;
    case DUCKDB_TYPE_USMALLINT:
        *out = ((const uint16_t *)data)[row];
        return true;
    case DUCKDB_TYPE_UINTEGER:
        *out = ((const uint32_t *)data)[row];
        return true;
    case DUCKDB_TYPE_UBIGINT:
        *out = (int64_t)((const uint64_t *)data)[row];
        return *out >= 0;
    default:
        *out = (int64_t)huge->lower;
        return huge->upper == (*out < 0 ? -1 : 0);
    }
}

static struct span read_string(const void *data, idx_t row)
{
    duckdb_string_t *s = (duckdb_string_t *)data + row;
    return span_of(duckdb_string_t_data(s), duckdb_string_t_length(*s));
}

static bool is_null(duckdb_vector vector, idx_t row)
{
    uint64_t *validity = duckdb_vector_get_validity(vector);
    return validity && !duckdb_validity_row_is_valid(validity, row);
}

static int make_room(struct items *items, size_t n, struct err *err)
{
    if (n <= items->room)
        return 0;
    struct span *spans = realloc(items->spans, 2 * n * sizeof *spans);
    if (!spans)
        return err_set(err, E_NOMEM, 0, "no memory for a list");
    items->spans = spans;
    items->room = 2 * n;
    return 0;
}

static struct span read_string_or_null(duckdb_vector vector, idx_t row)
{
    return is_null(vector, row) ? span_of(NULL, 0)
                                : read_string(duckdb_vector_get_data(vector), row);
}

static int read_record(struct answer *a, size_t column, duckdb_vector vector, idx_t row,
                       struct err *err)
{
    struct items *items = &a->items[column];
    size_t n = 0;
    while (a->columns[column].fields[n])
        n++;
    const int r = make_room(items, n, err);
    for (size_t i = 0; i < n && r == 0; i++)
        items->spans[i] = read_string_or_null(duckdb_struct_vector_get_child(vector, i), row);
    a->cells[column].items = items->spans;
    a->cells[column].n_items = n;
    return r;
}

static int read_list(struct answer *a, size_t column, duckdb_vector vector, idx_t row,
                     struct err *err)
{
    struct items *items = &a->items[column];
    const duckdb_list_entry entry =
        ((const duckdb_list_entry *)duckdb_vector_get_data(vector))[row];
    duckdb_vector child = duckdb_list_vector_get_child(vector);
    int r = make_room(items, entry.length, err);
    for (size_t i = 0; i < entry.length && r == 0; i++) {
        items->spans[i] = read_string_or_null(child, entry.offset + i);
        if (!items->spans[i].ptr)
            r = err_set(err, E_FORMAT, 0, "column %s of the query has a list with a null in it",
                        a->columns[column].name);
    }
    a->cells[column].items = items->spans;
    a->cells[column].n_items = entry.length;
    return r;
}

static int read_cell(struct answer *a, size_t column, duckdb_vector vector, idx_t row,
                     struct err *err)
{
    struct cell *cell = &a->cells[column];
    const void *data = duckdb_vector_get_data(vector);
    *cell = (struct cell){.is_null = is_null(vector, row)};
    if (cell->is_null)
        return 0;
    switch (a->columns[column].type) {
    case COLUMN_STRING:
    case COLUMN_JSON:
        cell->text = read_string(data, row);
        break;
    case COLUMN_INT64:
        if (!read_integer(&cell->integer, a->types[column], data, row))
            return err_set(err, E_FORMAT, 0, "column %s of the query exceeds 64 bits with sign",
                           a->columns[column].name);
        break;
    case COLUMN_DOUBLE:
        cell->real = a->types[column] == DUCKDB_TYPE_FLOAT ? (double)((const float *)data)[row]
                                                           : ((const double *)data)[row];
        break;
    case COLUMN_BOOL:
        cell->integer = ((const bool *)data)[row];
        break;
    case COLUMN_DATE:
        cell->integer = ((const int32_t *)data)[row];
        break;
    case COLUMN_TIMESTAMP:
    case COLUMN_DATETIME:
        cell->integer = ((const int64_t *)data)[row];
        break;
    case COLUMN_STRINGS:
        return read_list(a, column, vector, row, err);
    case COLUMN_RECORD:
        return read_record(a, column, vector, row, err);
    }
    return 0;
}

static int hand_out(struct answer *a, duckdb_data_chunk chunk, warehouse_row_fn *fn, void *arg,
                    struct err *err)
{
    const idx_t n = duckdb_data_chunk_get_size(chunk);
    int r = 0;
    for (idx_t row = 0; row < n && r == 0; row++) {
        for (size_t i = 0; i < a->n_columns && r == 0; i++)
            r = read_cell(a, i, duckdb_data_chunk_get_vector(chunk, i), row, err);
        if (r == 0)
            r = fn(arg, a->cells, err);
    }
    return r;
}

static int answer_err(struct answer *a, struct err *err)
{
    return duckdb_backend_err(err, E_IO, a->backend, "query", duckdb_result_error(&a->result));
}

/* A stream that broke ends like one that is done, but for its text. */
static int end_of_stream(struct answer *a, int r, struct err *err)
{
    return r == 0 && duckdb_result_error(&a->result) ? answer_err(a, err) : r;
}

static int walk(struct answer *a, warehouse_row_fn *fn, void *arg, struct err *err)
{
    duckdb_data_chunk chunk;
    int r = check_columns(a, err);
    while (r == 0 && (chunk = duckdb_fetch_chunk(a->result))) {
        r = hand_out(a, chunk, fn, arg, err);
        duckdb_destroy_data_chunk(&chunk);
    }
    return end_of_stream(a, r, err);
}

/* The answer streams: rows are computed as they are asked for. */
static int execute(struct answer *a, const char *sql, struct err *err)
{
    if (duckdb_prepare(a->connection, sql, &a->statement) != DuckDBSuccess)
        return duckdb_backend_err(err, E_IO, a->backend, "query",
                                  duckdb_prepare_error(a->statement));
    duckdb_pending_result pending;
    int r = 0;
    if (duckdb_pending_prepared_streaming(a->statement, &pending) != DuckDBSuccess)
        r = duckdb_backend_err(err, E_IO, a->backend, "query", duckdb_pending_error(pending));
    else if (duckdb_execute_pending(pending, &a->result) != DuckDBSuccess)
        r = answer_err(a, err);
    duckdb_destroy_pending(&pending);
    return r;
}

static int allocate(struct answer *a, struct err *err)
{
    a->types = calloc(a->n_columns + 1, sizeof *a->types);
    a->cells = calloc(a->n_columns + 1, sizeof *a->cells);
    a->items = calloc(a->n_columns + 1, sizeof *a->items);
    return a->types && a->cells && a->items ? 0 : err_set(err, E_NOMEM, 0, "no memory for rows");
}

static void answer_deinit(struct answer *a)
{
    duckdb_destroy_result(&a->result);
    duckdb_destroy_prepare(&a->statement);
    for (size_t i = 0; a->items && i < a->n_columns; i++)
        free(a->items[i].spans);
    free(a->types);
    free(a->cells);
    free(a->items);
}

int duckdb_query_on(struct duckdb_backend *b, duckdb_connection connection, const char *sql,
                    const struct column *columns, warehouse_row_fn *fn, void *arg, struct err *err)
{
    struct answer a = {.backend = b,
                       .connection = connection,
                       .columns = columns,
                       .n_columns = count_columns(columns)};
    int r = allocate(&a, err);
    if (r == 0)
        r = execute(&a, sql, err);
    if (r == 0)
        r = walk(&a, fn, arg, err);
    answer_deinit(&a);
    return r;
}

int duckdb_query_chunks(struct duckdb_backend *b, duckdb_connection connection, const char *sql,
                        duckdb_chunk_fn *fn, void *arg, struct err *err)
{
    struct answer a = {.backend = b, .connection = connection};
    duckdb_data_chunk chunk;
    int r = execute(&a, sql, err);
    while (r == 0 && (chunk = duckdb_fetch_chunk(a.result))) {
        fn(arg, chunk);
        duckdb_destroy_data_chunk(&chunk);
    }
    r = end_of_stream(&a, r, err);
    answer_deinit(&a);
    return r;
}

/* Without columns it may be a script; a transaction that one leaves open ends with the connection.
 */
int duckdb_run_query(void *impl, const char *sql, const struct column *columns,
                     warehouse_row_fn *fn, void *arg, struct err *err)
{
    struct duckdb_backend *b = impl;
    duckdb_connection c;
    int r = duckdb_backend_connect(&c, b, err);
    if (r < 0)
        return r;
    r = columns ? duckdb_query_on(b, c, sql, columns, fn, arg, err)
                : duckdb_backend_run(b, c, sql, err);
    duckdb_disconnect(&c);
    return r;
}
