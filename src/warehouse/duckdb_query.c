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
};

static bool is_integer(duckdb_type type)
{
    return (type >= DUCKDB_TYPE_TINYINT && type <= DUCKDB_TYPE_UBIGINT) ||
           type == DUCKDB_TYPE_HUGEINT;
}

static bool fits(enum column_type want, duckdb_type is)
{
    switch (want) {
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
        return false;
    }
    return false;
}

static int check_columns(struct answer *a, struct err *err)
{
    if (duckdb_column_count(&a->result) != a->n_columns)
        return err_set(err, E_ARG, 0, "the query gives %zu columns, not %zu",
                       (size_t)duckdb_column_count(&a->result), a->n_columns);
    for (size_t i = 0; i < a->n_columns; i++) {
        a->types[i] = duckdb_column_type(&a->result, i);
        if (!fits(a->columns[i].type, a->types[i]))
            return err_set(err, E_ARG, 0, "column %s of the query is not of type %s: cast it",
                           a->columns[i].name, duckdb_type_name(a->columns[i].type));
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

static int read_cell(struct answer *a, size_t column, duckdb_vector vector, idx_t row,
                     struct err *err)
{
    struct cell *cell = &a->cells[column];
    uint64_t *validity = duckdb_vector_get_validity(vector);
    const void *data = duckdb_vector_get_data(vector);
    *cell = (struct cell){.is_null = validity && !duckdb_validity_row_is_valid(validity, row)};
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
    case COLUMN_RECORD:
        break;
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

static int walk(struct answer *a, warehouse_row_fn *fn, void *arg, struct err *err)
{
    duckdb_data_chunk chunk;
    int r = check_columns(a, err);
    while (r == 0 && (chunk = duckdb_fetch_chunk(a->result))) {
        r = hand_out(a, chunk, fn, arg, err);
        duckdb_destroy_data_chunk(&chunk);
    }
    // A stream that broke ends like one that is done, but for its text.
    return r == 0 && duckdb_result_error(&a->result) ? answer_err(a, err) : r;
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

int duckdb_run_query(void *impl, const char *sql, const struct column *columns,
                     warehouse_row_fn *fn, void *arg, struct err *err)
{
    struct answer a = {.backend = impl, .columns = columns, .n_columns = count_columns(columns)};
    int r = duckdb_backend_connect(&a.connection, a.backend, err);
    if (r < 0)
        return r;
    a.types = calloc(a.n_columns + 1, sizeof *a.types);
    a.cells = calloc(a.n_columns + 1, sizeof *a.cells);
    r = a.types && a.cells ? execute(&a, sql, err) : err_set(err, E_NOMEM, 0, "no memory for rows");
    if (r == 0 && columns)
        r = walk(&a, fn, arg, err);
    duckdb_destroy_result(&a.result);
    duckdb_destroy_prepare(&a.statement);
    duckdb_disconnect(&a.connection);
    free(a.types);
    free(a.cells);
    return r;
}
