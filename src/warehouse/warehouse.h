/*
 * warehouse.h - tables: the one door to DuckDB and BigQuery.
 *
 * A URL says which: "duckdb:///path/file.duckdb" (the file and its folder are made where missing),
 * or "bigquery://project[/dataset]". A table's name is "dataset.table" (a dataset is a schema in
 * DuckDB) or "table" in the URL's dataset ("main" in DuckDB).
 *
 * Loads are all or nothing: rows become visible together, when a load is committed.
 */
#pragma once

#include "base/err.h"
#include "base/span.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct warehouse;

struct warehouse_config {
    const char *url;
    bool read_only; // a DuckDB file must exist; loads are refused

    // DuckDB
    uint64_t memory_limit_bytes; // 0: 1 GiB
    unsigned n_threads;          // 0: as many as there are cores and 128 MiB of memory each
    uint64_t lock_wait_ms;       // for another program that holds the file; 0: 30 s

    // BigQuery
    const char *google_credentials, *metadata_host; // NULL: net/google.h's defaults
    const char *ca_file;
    const char *endpoint; // base URL; NULL: the real one. It gets no token, as emulators want none,
    bool endpoint_is_google; // but here: Google's own by another name (a private endpoint)
    const char *location;    // of new datasets; NULL: US
    const char *temp_dir;    // for rows on their way; NULL: /tmp
};

/**
 * DuckDB: the file is opened (one handle of it a process, at a time); BigQuery: nobody is
 * contacted.
 * @return 0, E_ARG (unusable URL or configuration), E_ABSENT (read_only, no file), E_AGAIN (the
 * file is still held by another program), or E_*.
 */
MUST_CHECK int warehouse_open(struct warehouse **out, const struct warehouse_config *config,
                              struct err *err);
void warehouse_close(struct warehouse *w);
DEFINE_FREEP(struct warehouse, warehouse_close)
/** For messages: the URL. */
const char *warehouse_name(const struct warehouse *w);

enum column_type {
    COLUMN_STRING,
    COLUMN_INT64,
    COLUMN_DOUBLE,
    COLUMN_BOOL,
    COLUMN_DATE,      // int64: days since 1970-01-01
    COLUMN_TIMESTAMP, // int64: microseconds since 1970-01-01 UTC. DuckDB TIMESTAMPTZ
    COLUMN_DATETIME,  // int64: the same without a zone. DuckDB TIMESTAMP, BigQuery DATETIME
    COLUMN_JSON,      // string
};

struct column {
    const char *name; // NULL ends a list
    enum column_type type;
    bool required; // NOT NULL
};

/* Borrowed during a call, and by a load until its end. Names of columns differ in more than case.
 */
struct table_schema {
    const char *name;
    const struct column *columns;
    const char *partition_column; // a COLUMN_DATE, or NULL
};

/* One cell; which member counts is the column's type. */
struct cell {
    bool is_null;
    struct span text;
    int64_t integer; // also bool, date, timestamp, datetime
    double real;
};

/**
 * Create dataset and table where missing; missing nullable columns are added. An existing table
 * that lacks a required column, has a column of another type or strictness, or (BigQuery) is
 * partitioned otherwise, is E_FORMAT, naming the first difference. Columns of the table that the
 * schema does not name are left alone if they may be null, and E_FORMAT else.
 */
MUST_CHECK int warehouse_ensure_table(struct warehouse *w, const struct table_schema *schema,
                                      struct err *err);

enum load_mode {
    LOAD_APPEND,
    LOAD_REPLACE_PARTITION, // rows of one date take the place of that date's
    LOAD_REPLACE_TABLE,
};

/* A load: one at a time a warehouse, one thread. */
struct warehouse_load;
/** The table is ensured first. date: of LOAD_REPLACE_PARTITION, days since 1970-01-01; every row
 * must carry it in the partition column (E_ARG). */
MUST_CHECK int warehouse_load_begin(struct warehouse_load **out, struct warehouse *w,
                                    const struct table_schema *schema, enum load_mode mode,
                                    int64_t date, struct err *err);
/** cells: one a column, in order; copied. @return 0, E_FORMAT (null where required, not UTF-8, a
 * date or time outside of years 1 to 9999), E_ARG, or E_*: the load can only be abandoned then. */
MUST_CHECK int warehouse_load_row(struct warehouse_load *load, const struct cell *cells,
                                  struct err *err);
/** Frees the load in any case. @return 0 with *n_rows (may be NULL) loaded, or E_*: nothing
 * changed. */
MUST_CHECK int warehouse_load_commit(struct warehouse_load *load, uint64_t *n_rows,
                                     struct err *err);
void warehouse_load_abandon(struct warehouse_load *load); // NULL is fine
DEFINE_FREEP(struct warehouse_load, warehouse_load_abandon)

/** A row of a query's answer; cells are borrowed during the call. @return 0 to go on, or E_*. */
typedef int warehouse_row_fn(void *arg, const struct cell *cells, struct err *err);
/**
 * Rows of a table where the partition column is date (INT64_MIN: all), sorted by the columns named
 * in order_by (comma-separated). @return 0, E_ABSENT (no such table), or E_*.
 */
MUST_CHECK int warehouse_scan(struct warehouse *w, const struct table_schema *schema, int64_t date,
                              const char *order_by, warehouse_row_fn *fn, void *arg,
                              struct err *err);
/** Number of rows of a table. */
MUST_CHECK int warehouse_count(struct warehouse *w, const char *table, uint64_t *n,
                               struct err *err);

/**
 * Run one statement in the backend's own SQL; rows in the given column types, NULL-named last.
 * columns NULL: no rows wanted. Any integer type does for COLUMN_INT64, as long as its value does.
 * A bare table name means the URL's dataset; the session's time zone is UTC. Answers are paged, of
 * any size.
 * @return 0, E_ARG: the answer has other columns, or E_*.
 */
MUST_CHECK int warehouse_query(struct warehouse *w, const char *sql, const struct column *columns,
                               warehouse_row_fn *fn, void *arg, struct err *err);
/** Is it BigQuery? Callers pick sql/NAME.bigquery.sql or sql/NAME.duckdb.sql by it. */
bool warehouse_is_bigquery(const struct warehouse *w);
