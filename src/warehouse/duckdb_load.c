/* SPDX-License-Identifier: MPL-2.0 */
/*
 * DuckDB: loads. One transaction deletes what is replaced and appends the rows. A process that dies
 * in it leaves the file as it was.
 */
#include "warehouse/duckdb_impl.h"

#include <stdlib.h>

struct duckdb_load {
    struct duckdb_backend *backend;
    duckdb_connection connection;
    struct duckdb_rows rows;
};

static int run(struct duckdb_load *load, const char *sql, struct err *err)
{
    return duckdb_backend_run(load->backend, load->connection, sql, err);
}

static int delete_old(struct duckdb_load *load, const struct table_name *name,
                      const struct table_schema *schema, enum load_mode mode, int64_t date,
                      struct err *err)
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
            r = append_quoted(&sql, '"', schema->partition_column, err);
        if (r == 0)
            r = buf_append_str(&sql, " = ", err);
        if (r == 0)
            r = append_date(&sql, date, err);
    }
    if (r == 0)
        r = buf_append_byte(&sql, '\0', err);
    return r < 0 ? r : run(load, (const char *)sql.data, err);
}

int duckdb_load_begin(void **out, void *impl, const struct table_name *name,
                      const struct table_schema *schema, enum load_mode mode, int64_t date,
                      struct err *err)
{
    struct duckdb_load *load = calloc(1, sizeof *load);
    if (!load)
        return err_set(err, E_NOMEM, 0, "no memory for a load");
    load->backend = impl;
    int r = duckdb_backend_connect(&load->connection, load->backend, err);
    if (r == 0)
        r = run(load, "BEGIN TRANSACTION", err);
    if (r == 0)
        r = delete_old(load, name, schema, mode, date, err);
    if (r == 0)
        r = duckdb_rows_begin(&load->rows, load->backend, load->connection, NULL, name, schema,
                              err);
    if (r < 0) {
        duckdb_load_free(load);
        return r;
    }
    *out = load;
    return 0;
}

int duckdb_load_row(void *impl, const struct cell *cells, struct err *err)
{
    struct duckdb_load *load = impl;
    return duckdb_rows_add(&load->rows, cells, err);
}

int duckdb_load_commit(void *impl, struct err *err)
{
    struct duckdb_load *load = impl;
    const int r = duckdb_rows_end(&load->rows, err);
    return r < 0 ? r : run(load, "COMMIT", err);
}

/* A connection that is closed within a transaction rolls it back. */
void duckdb_load_free(void *impl)
{
    struct duckdb_load *load = impl;
    duckdb_rows_deinit(&load->rows);
    if (load->connection)
        duckdb_disconnect(&load->connection);
    free(load);
}
