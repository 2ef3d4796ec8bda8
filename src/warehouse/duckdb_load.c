/* SPDX-License-Identifier: MPL-2.0 */
/*
 * DuckDB: loads. One transaction deletes what is replaced and appends the rows, a vector of each
 * column at a time. A process that dies in it leaves the file as it was.
 */
#include "warehouse/duckdb_impl.h"

#include <stdlib.h>

struct duckdb_load {
    struct duckdb_backend *backend;
    const struct table_schema *schema;
    size_t n_columns;
    duckdb_connection connection;
    duckdb_appender appender;
    duckdb_data_chunk chunk;
    idx_t n, capacity; // rows of the chunk
};

static int run(struct duckdb_load *load, const char *sql, struct err *err)
{
    return duckdb_backend_run(load->backend, load->connection, sql, err);
}

static int appender_err(struct duckdb_load *load, struct err *err)
{
    duckdb_error_data data = duckdb_appender_error_data(load->appender);
    const bool bad_rows = duckdb_error_data_error_type(data) == DUCKDB_ERROR_CONSTRAINT ||
                          duckdb_error_data_error_type(data) == DUCKDB_ERROR_CONVERSION ||
                          duckdb_error_data_error_type(data) == DUCKDB_ERROR_INVALID_INPUT;
    const int r = duckdb_backend_err(err, bad_rows ? E_FORMAT : E_IO, load->backend,
                                     load->schema->name, duckdb_error_data_message(data));
    duckdb_destroy_error_data(&data);
    return r;
}

static int delete_old(struct duckdb_load *load, const struct table_name *name, enum load_mode mode,
                      int64_t date, struct err *err)
{
    CLEANUP(buf_deinit) struct buf sql = BUF_INIT(SQL_MAX_BYTES);
    if (mode == LOAD_APPEND)
        return 0;
    int r = buf_append_str(&sql, "DELETE FROM ", err);
    if (r == 0)
        r = duckdb_append_table(load->backend, name, &sql, err);
    if (r == 0 && mode == LOAD_REPLACE_PARTITION) {
        r = buf_append_str(&sql, " WHERE ", err);
        if (r == 0)
            r = append_quoted(&sql, '"', load->schema->partition_column, err);
        if (r == 0)
            r = buf_append_str(&sql, " = ", err);
        if (r == 0)
            r = append_date(&sql, date, err);
    }
    if (r == 0)
        r = buf_append_byte(&sql, '\0', err);
    return r < 0 ? r : run(load, (const char *)sql.data, err);
}

/* Columns are named one by one: a table may have others, and in another order. */
static int open_appender(struct duckdb_load *load, const struct table_name *name, struct err *err)
{
    if (duckdb_appender_create_ext(load->connection, NULL, name->dataset, name->table,
                                   &load->appender) != DuckDBSuccess)
        return appender_err(load, err);
    for (size_t i = 0; i < load->n_columns; i++)
        if (duckdb_appender_add_column(load->appender, load->schema->columns[i].name) !=
            DuckDBSuccess)
            return appender_err(load, err);
    return 0;
}

static duckdb_type chunk_type(enum column_type type)
{
    static const duckdb_type types[] = {
        [COLUMN_STRING] = DUCKDB_TYPE_VARCHAR,     [COLUMN_INT64] = DUCKDB_TYPE_BIGINT,
        [COLUMN_DOUBLE] = DUCKDB_TYPE_DOUBLE,      [COLUMN_BOOL] = DUCKDB_TYPE_BOOLEAN,
        [COLUMN_DATE] = DUCKDB_TYPE_DATE,          [COLUMN_TIMESTAMP] = DUCKDB_TYPE_TIMESTAMP_TZ,
        [COLUMN_DATETIME] = DUCKDB_TYPE_TIMESTAMP, [COLUMN_JSON] = DUCKDB_TYPE_VARCHAR,
    };
    return types[type];
}

static int make_chunk(struct duckdb_load *load, struct err *err)
{
    duckdb_logical_type *types = calloc(load->n_columns + 1, sizeof(duckdb_logical_type));
    if (!types)
        return err_set(err, E_NOMEM, 0, "no memory for columns");
    for (size_t i = 0; i < load->n_columns; i++)
        types[i] = duckdb_create_logical_type(chunk_type(load->schema->columns[i].type));
    load->chunk = duckdb_create_data_chunk(types, load->n_columns);
    for (size_t i = 0; i < load->n_columns; i++)
        duckdb_destroy_logical_type(&types[i]);
    free(types);
    load->capacity = duckdb_vector_size();
    return load->chunk ? 0 : err_set(err, E_NOMEM, 0, "no memory for rows");
}

static int begin(struct duckdb_load *load, const struct table_name *name, enum load_mode mode,
                 int64_t date, struct err *err)
{
    int r = duckdb_backend_connect(&load->connection, load->backend, err);
    if (r == 0)
        r = run(load, "BEGIN TRANSACTION", err);
    if (r == 0)
        r = delete_old(load, name, mode, date, err);
    if (r == 0)
        r = open_appender(load, name, err);
    return r < 0 ? r : make_chunk(load, err);
}

int duckdb_load_begin(void **out, void *impl, const struct table_name *name,
                      const struct table_schema *schema, enum load_mode mode, int64_t date,
                      struct err *err)
{
    struct duckdb_load *load = calloc(1, sizeof *load);
    if (!load)
        return err_set(err, E_NOMEM, 0, "no memory for a load");
    load->backend = impl;
    load->schema = schema;
    load->n_columns = count_columns(schema->columns);
    const int r = begin(load, name, mode, date, err);
    if (r < 0) {
        duckdb_load_free(load);
        return r;
    }
    *out = load;
    return 0;
}

static void put_cell(duckdb_vector vector, idx_t row, enum column_type type,
                     const struct cell *cell)
{
    if (cell->is_null) {
        duckdb_vector_ensure_validity_writable(vector);
        duckdb_validity_set_row_invalid(duckdb_vector_get_validity(vector), row);
        return;
    }
    void *data = duckdb_vector_get_data(vector);
    switch (type) {
    case COLUMN_STRING:
    case COLUMN_JSON:
        duckdb_vector_assign_string_element_len(vector, row, (const char *)cell->text.ptr,
                                                cell->text.len);
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
    case COLUMN_RECORD:
        break;
    }
}

static int append_chunk(struct duckdb_load *load, struct err *err)
{
    if (load->n == 0)
        return 0;
    duckdb_data_chunk_set_size(load->chunk, load->n);
    if (duckdb_append_data_chunk(load->appender, load->chunk) != DuckDBSuccess)
        return appender_err(load, err);
    duckdb_data_chunk_reset(load->chunk);
    load->n = 0;
    return 0;
}

int duckdb_load_row(void *impl, const struct cell *cells, struct err *err)
{
    struct duckdb_load *load = impl;
    for (size_t i = 0; i < load->n_columns; i++)
        put_cell(duckdb_data_chunk_get_vector(load->chunk, i), load->n,
                 load->schema->columns[i].type, &cells[i]);
    load->n++;
    return load->n < load->capacity ? 0 : append_chunk(load, err);
}

int duckdb_load_commit(void *impl, struct err *err)
{
    struct duckdb_load *load = impl;
    const int r = append_chunk(load, err);
    if (r < 0)
        return r;
    if (duckdb_appender_close(load->appender) != DuckDBSuccess)
        return appender_err(load, err);
    return run(load, "COMMIT", err);
}

/* A connection that is closed within a transaction rolls it back. */
void duckdb_load_free(void *impl)
{
    struct duckdb_load *load = impl;
    if (load->chunk)
        duckdb_destroy_data_chunk(&load->chunk);
    if (load->appender)
        (void)duckdb_appender_destroy(&load->appender);
    if (load->connection)
        duckdb_disconnect(&load->connection);
    free(load);
}
