/* duckdb_impl.h - what the DuckDB backend's files share. Only duckdb_api.h includes <duckdb.h>. */
#pragma once

#include "base/retry.h"
#include "warehouse/duckdb_api.h"
#include "warehouse/keys.h"

struct duckdb_backend {
    duckdb_database database;
    char *path;
    int lock; // file descriptor of FILE.lock, or -1
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
/** The same; *n_changed (may be NULL): rows that it inserted. */
int duckdb_backend_change(struct duckdb_backend *b, duckdb_connection c, const char *sql,
                          uint64_t *n_changed, struct err *err);

/** duckdb_run_query on a connection, of one statement with columns. */
int duckdb_query_on(struct duckdb_backend *b, duckdb_connection connection, const char *sql,
                    const struct column *columns, warehouse_row_fn *fn, void *arg, struct err *err);

typedef void duckdb_chunk_fn(void *arg, duckdb_data_chunk chunk);
/** Run a statement with columns of one's own knowing; fn gets the answer a chunk at a time. */
int duckdb_query_chunks(struct duckdb_backend *b, duckdb_connection connection, const char *sql,
                        duckdb_chunk_fn *fn, void *arg, struct err *err);

/* Waiting for the file: every try of an opening counts against one limit. */
struct duckdb_wait {
    const char *path;
    struct retry retry;
    bool said; // that it waits
};
void duckdb_wait_init(struct duckdb_wait *wait, const char *path, uint64_t limit_ms);
/** Sleep before the next try. @return 0, or E_AGAIN: the limit is reached. */
int duckdb_wait_more(struct duckdb_wait *wait, struct err *err);
/** *fd: FILE.lock, locked until it is closed; or -1 where a reader cannot make it. shared: for
 * reading. @return 0, E_AGAIN, E_NOMEM or E_IO. */
int duckdb_lock(int *fd, struct duckdb_wait *wait, bool shared, struct err *err);

/** Append a column's type in SQL. */
int duckdb_append_type(struct buf *sql, const struct column *column, struct err *err);
/** Append " (", and names and types of columns. */
int duckdb_append_columns(struct buf *sql, const struct column *columns, struct err *err);

/* A table as batches store it. */
struct duckdb_stored {
    struct table_schema schema; // with a column for the hash where there is one
    struct key_columns key;
    struct buf hash_name;   // with a NUL
    struct column *columns; // NULL, as cells: the schema's own
    struct cell *cells;     // room for one row
    size_t n;               // columns without the hash
};
/** schema: its parts are borrowed. To be deinitialised in any case. */
int duckdb_stored_init(struct duckdb_stored *s, const struct table_schema *schema, struct err *err);
void duckdb_stored_deinit(struct duckdb_stored *s);
/** The column with the hash, which is a row's last; NULL: there is none. */
const char *duckdb_hash_name(const struct duckdb_stored *s);
/** A row's cells as they are stored; valid until the next call. */
const struct cell *duckdb_stored_row(struct duckdb_stored *s, const struct cell *cells);

/* Rows on their way into a table. */
struct duckdb_rows {
    struct duckdb_backend *backend;
    const struct table_schema *schema;
    size_t n_columns;
    uint64_t n_added;
    duckdb_appender appender;
    duckdb_data_chunk chunk;
    idx_t n, capacity; // rows of the chunk
};
/** catalog: NULL: the file's. To be deinitialised in any case, before the connection is closed. */
int duckdb_rows_begin(struct duckdb_rows *rows, struct duckdb_backend *b,
                      duckdb_connection connection, const char *catalog,
                      const struct table_name *name, const struct table_schema *schema,
                      struct err *err);
int duckdb_rows_add(struct duckdb_rows *rows, const struct cell *cells, struct err *err);
int duckdb_rows_end(struct duckdb_rows *rows, struct err *err);
void duckdb_rows_deinit(struct duckdb_rows *rows);

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

/* Rows that wait for a table in a temporary one, which is of a connection. */
struct duckdb_waiting {
    struct duckdb_backend *backend;
    duckdb_connection connection;
    const struct table_name *name; // of the table
    const struct table_schema *schema;
    struct duckdb_stored stored;
    size_t index; // of the table in its batch
    struct duckdb_rows rows;
    struct buf hashes; // of the rows' keys, 8 bytes each
};
/** Append the temporary table's name. */
int duckdb_append_waiting(struct buf *sql, const struct duckdb_waiting *t, struct err *err);
/* Rows of a table whose keys have a hash that a batch's key has as well. */
struct duckdb_found {
    uint64_t n, n_without; // n_without: rows without a hash
    int64_t first, last;   // row ids
};
/** Of a table with hashes. */
int duckdb_find_keys(const struct duckdb_waiting *t, struct duckdb_found *found, struct err *err);
/** Append names of columns, comma-separated. */
int duckdb_append_names(struct buf *sql, const struct column *columns, struct err *err);
/** Give rows to refused, and take them away, that are null where the table in the file, being
 * stricter than the schema, does not take null. *n: how many. @return 0, E_*, or what refused
 * returned. */
int duckdb_refuse_nulls(const struct duckdb_waiting *t, warehouse_refused_fn *refused, void *arg,
                        uint64_t *n, struct err *err);

int duckdb_batch_begin(void **batch, void *impl, const struct table_name *names,
                       const struct table_schema *const *tables, size_t n_tables, int64_t since,
                       struct err *err);
int duckdb_batch_row(void *batch, size_t table, const struct cell *cells, struct err *err);
int duckdb_batch_commit(void *batch, struct batch_outcome *outcomes, warehouse_refused_fn *refused,
                        void *arg, struct err *err);
void duckdb_batch_free(void *batch);
int duckdb_ensure_view(void *impl, const struct table_name *name, const char *select,
                       struct err *err);
