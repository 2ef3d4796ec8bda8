/* duckdb_impl.h - what the DuckDB backend's files share. The only files that include <duckdb.h>. */
#pragma once

#include "warehouse/backend.h"

#include <duckdb.h>

struct duckdb_backend {
    duckdb_database database;
    char *path;
};

/** A connection of its own for each call, so that calls may nest and a load sees nothing of them.
 * Close with duckdb_disconnect. */
int duckdb_backend_connect(duckdb_connection *out, struct duckdb_backend *b, struct err *err);
/** Start err with path, what, and the first line of DuckDB's text. */
int duckdb_backend_err(struct err *err, int code, const struct duckdb_backend *b, const char *what,
                       const char *text);
/** Run a statement without rows. @return 0, E_FORMAT (a constraint is broken) or E_IO. */
int duckdb_backend_run(struct duckdb_backend *b, duckdb_connection c, const char *sql,
                       struct err *err);
/** The name of a column's type in SQL. */
const char *duckdb_type_name(enum column_type type);

int duckdb_append_table(void *impl, const struct table_name *name, struct buf *sql,
                        struct err *err);
int duckdb_has_table(void *impl, const struct table_name *name, struct err *err);
int duckdb_ensure_table(void *impl, const struct table_name *name,
                        const struct table_schema *schema, struct err *err);
int duckdb_run_query(void *impl, const char *sql, const struct column *columns,
                     warehouse_row_fn *fn, void *arg, struct err *err);
int duckdb_load_begin(void **load, void *impl, const struct table_name *name,
                      const struct table_schema *schema, enum load_mode mode, int64_t date,
                      struct err *err);
int duckdb_load_row(void *load, const struct cell *cells, struct err *err);
int duckdb_load_commit(void *load, struct err *err);
void duckdb_load_free(void *load);
