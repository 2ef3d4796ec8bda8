/* SPDX-License-Identifier: MPL-2.0 */
/* DuckDB: rows on their way into a table, a vector of each column at a time. */
#include "warehouse/duckdb_impl.h"

#include <stdlib.h>

static int appender_err(struct duckdb_rows *rows, struct err *err)
{
    duckdb_error_data data = duckdb_appender_error_data(rows->appender);
    const bool bad_rows = duckdb_error_data_error_type(data) == DUCKDB_ERROR_CONSTRAINT ||
                          duckdb_error_data_error_type(data) == DUCKDB_ERROR_CONVERSION ||
                          duckdb_error_data_error_type(data) == DUCKDB_ERROR_INVALID_INPUT;
    const int r = duckdb_backend_err(err, bad_rows ? E_FORMAT : E_IO, rows->backend,
                                     rows->schema->name, duckdb_error_data_message(data));
    duckdb_destroy_error_data(&data);
    return r;
}

static size_t count_fields(const struct column *column)
{
    size_t n = 0;
    while (column->fields[n])
        n++;
    return n;
}

static duckdb_logical_type record_type(const struct column *column)
{
    const size_t n = count_fields(column);
    duckdb_logical_type text = duckdb_create_logical_type(DUCKDB_TYPE_VARCHAR), record = NULL;
    duckdb_logical_type *types = calloc(n + 1, sizeof(duckdb_logical_type));
    const char **names = calloc(n + 1, sizeof *names);
    if (types && names) {
        for (size_t i = 0; i < n; i++) {
            types[i] = text;
            names[i] = column->fields[i];
        }
        record = duckdb_create_struct_type(types, names, n);
    }
    free(types);
    free((void *)names);
    duckdb_destroy_logical_type(&text);
    return record;
}

static duckdb_logical_type chunk_type(const struct column *column)
{
    static const duckdb_type types[] = {
        [COLUMN_STRING] = DUCKDB_TYPE_VARCHAR,     [COLUMN_INT64] = DUCKDB_TYPE_BIGINT,
        [COLUMN_DOUBLE] = DUCKDB_TYPE_DOUBLE,      [COLUMN_BOOL] = DUCKDB_TYPE_BOOLEAN,
        [COLUMN_DATE] = DUCKDB_TYPE_DATE,          [COLUMN_TIMESTAMP] = DUCKDB_TYPE_TIMESTAMP_TZ,
        [COLUMN_DATETIME] = DUCKDB_TYPE_TIMESTAMP, [COLUMN_JSON] = DUCKDB_TYPE_VARCHAR,
    };
    if (column->type == COLUMN_RECORD)
        return record_type(column);
    if (column->type != COLUMN_STRINGS)
        return duckdb_create_logical_type(types[column->type]);
    duckdb_logical_type text = duckdb_create_logical_type(DUCKDB_TYPE_VARCHAR);
    duckdb_logical_type list = duckdb_create_list_type(text);
    duckdb_destroy_logical_type(&text);
    return list;
}

static int make_chunk(struct duckdb_rows *rows, struct err *err)
{
    duckdb_logical_type *types = calloc(rows->n_columns + 1, sizeof(duckdb_logical_type));
    if (!types)
        return err_set(err, E_NOMEM, 0, "no memory for columns");
    bool ok = true;
    for (size_t i = 0; i < rows->n_columns; i++) {
        types[i] = chunk_type(&rows->schema->columns[i]);
        ok &= types[i] != NULL;
    }
    if (ok)
        rows->chunk = duckdb_create_data_chunk(types, rows->n_columns);
    for (size_t i = 0; i < rows->n_columns; i++)
        duckdb_destroy_logical_type(&types[i]);
    free(types);
    rows->capacity = duckdb_vector_size();
    return rows->chunk ? 0 : err_set(err, E_NOMEM, 0, "no memory for rows");
}

/* Columns are named one by one: a table may have others, and in another order. */
int duckdb_rows_begin(struct duckdb_rows *rows, struct duckdb_backend *b,
                      duckdb_connection connection, const char *catalog,
                      const struct table_name *name, const struct table_schema *schema,
                      struct err *err)
{
    *rows = (struct duckdb_rows){
        .backend = b, .schema = schema, .n_columns = count_columns(schema->columns)};
    if (duckdb_appender_create_ext(connection, catalog, name->dataset, name->table,
                                   &rows->appender) != DuckDBSuccess)
        return appender_err(rows, err);
    for (size_t i = 0; i < rows->n_columns; i++)
        if (duckdb_appender_add_column(rows->appender, schema->columns[i].name) != DuckDBSuccess)
            return appender_err(rows, err);
    return make_chunk(rows, err);
}

static void put_null(duckdb_vector vector, idx_t row)
{
    duckdb_vector_ensure_validity_writable(vector);
    duckdb_validity_set_row_invalid(duckdb_vector_get_validity(vector), row);
}

static void put_text(duckdb_vector vector, idx_t row, struct span text)
{
    duckdb_vector_assign_string_element_len(vector, row, text.len > 0 ? (const char *)text.ptr : "",
                                            text.len);
}

/* Fields of a record that is null are null as well. */
static void put_record(duckdb_vector vector, idx_t row, const struct column *column,
                       const struct cell *cell)
{
    for (size_t i = 0; column->fields[i]; i++) {
        duckdb_vector field = duckdb_struct_vector_get_child(vector, i);
        if (cell->is_null || !cell->items[i].ptr)
            put_null(field, row);
        else
            put_text(field, row, cell->items[i]);
    }
}

static int put_list(duckdb_vector vector, idx_t row, const struct cell *cell, struct err *err)
{
    const idx_t first = duckdb_list_vector_get_size(vector);
    if (duckdb_list_vector_reserve(vector, first + cell->n_items) != DuckDBSuccess ||
        duckdb_list_vector_set_size(vector, first + cell->n_items) != DuckDBSuccess)
        return err_set(err, E_NOMEM, 0, "no memory for a list");
    duckdb_vector items = duckdb_list_vector_get_child(vector);
    for (size_t i = 0; i < cell->n_items; i++)
        put_text(items, first + i, cell->items[i]);
    ((duckdb_list_entry *)duckdb_vector_get_data(vector))[row] =
        (duckdb_list_entry){.offset = first, .length = cell->n_items};
    return 0;
}

static int put_cell(duckdb_vector vector, idx_t row, const struct column *column,
                    const struct cell *cell, struct err *err)
{
    if (column->type == COLUMN_RECORD)
        put_record(vector, row, column, cell);
    if (cell->is_null) {
        put_null(vector, row);
        return 0;
    }
    void *data = duckdb_vector_get_data(vector);
    switch (column->type) {
    case COLUMN_STRING:
    case COLUMN_JSON:
        put_text(vector, row, cell->text);
        break;
    case COLUMN_DOUBLE:
        ((double *)data)[row] = cell->real;
        break;
    case COLUMN_BOOL:
        ((bool *)data)[row] = cell->integer != 0;
        break;
    case COLUMN_DATE:
        ((int32_t *)data)[row] = (int32_t)cell->integer;
        break;
    case COLUMN_INT64:
    case COLUMN_TIMESTAMP:
    case COLUMN_DATETIME:
        ((int64_t *)data)[row] = cell->integer;
        break;
    case COLUMN_STRINGS:
        return put_list(vector, row, cell, err);
    case COLUMN_RECORD:
        break;
    }
    return 0;
}

static int append_chunk(struct duckdb_rows *rows, struct err *err)
{
    if (rows->n == 0)
        return 0;
    duckdb_data_chunk_set_size(rows->chunk, rows->n);
    if (duckdb_append_data_chunk(rows->appender, rows->chunk) != DuckDBSuccess)
        return appender_err(rows, err);
    duckdb_data_chunk_reset(rows->chunk);
    rows->n = 0;
    return 0;
}

int duckdb_rows_add(struct duckdb_rows *rows, const struct cell *cells, struct err *err)
{
    int r = 0;
    for (size_t i = 0; i < rows->n_columns && r == 0; i++)
        r = put_cell(duckdb_data_chunk_get_vector(rows->chunk, i), rows->n,
                     &rows->schema->columns[i], &cells[i], err);
    if (r < 0)
        return r;
    rows->n++;
    rows->n_added++;
    return rows->n < rows->capacity ? 0 : append_chunk(rows, err);
}

int duckdb_rows_end(struct duckdb_rows *rows, struct err *err)
{
    const int r = append_chunk(rows, err);
    if (r < 0)
        return r;
    return duckdb_appender_close(rows->appender) == DuckDBSuccess ? 0 : appender_err(rows, err);
}

void duckdb_rows_deinit(struct duckdb_rows *rows)
{
    if (rows->chunk)
        duckdb_destroy_data_chunk(&rows->chunk);
    if (rows->appender)
        (void)duckdb_appender_destroy(&rows->appender);
}
