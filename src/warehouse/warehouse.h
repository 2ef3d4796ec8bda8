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
#include "base/opts.h"
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
    uint64_t lock_wait_ms; // for another program that holds the file; 0: 30 s. Waiting is in turn,
                           // on FILE.lock beside it

    // BigQuery
    const char *google_credentials, *metadata_host; // NULL: net/google.h's defaults
    const struct opt_secret *google_key; // the text of such a file instead; NULL or len 0: none
    const char *ca_file;
    const char *endpoint; // base URL; NULL: the real one. It gets no token, as emulators want none,
    bool endpoint_is_google; // but here: Google's own by another name (a private endpoint)
    const char *location;    // of new datasets; NULL: US
    const char *temp_dir;    // for rows on their way; NULL: /tmp
    uint64_t retry_ms; // of one call with all its tries, and of a quota's waits; 0: 10 minutes
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
    COLUMN_JSON,      // string: any JSON value, kept as it is written
    COLUMN_STRINGS,   // a list of strings, none of them null; the list itself is never null in
                      // BigQuery. DuckDB VARCHAR[], BigQuery REPEATED STRING
    COLUMN_RECORD,    // strings by name, each may be null. DuckDB STRUCT, BigQuery RECORD
};

struct column {
    const char *name; // NULL ends a list
    enum column_type type;
    bool required;             // NOT NULL
    const char *const *fields; // COLUMN_RECORD: the names, NULL ends
};

/* Borrowed during a call, and by a load until its end. Names of columns differ in more than case.
 */
struct table_schema {
    const char *name;
    const struct column *columns;
    const char *partition_column; // a COLUMN_DATE, or NULL
    /* What tells rows apart (warehouse_batch_*), NULL ends; NULL: nothing. Null equals null. No
     * doubles, JSON, lists or records. In DuckDB it is looked for, not a PRIMARY KEY, with
     * the help of a column that the first batch adds: see duckdb_batch.c. */
    const char *const *key;
    const char *const *cluster;    // BigQuery: up to four, NULL ends; or NULL
    bool require_partition_filter; // BigQuery: of a table that is made
    bool lax; // an existing table may be stricter or laxer about null than this says
};

/* One cell; which member counts is the column's type. */
struct cell {
    bool is_null;
    struct span text;
    int64_t integer; // also bool, date, timestamp, datetime
    double real;
    const struct span *items; // COLUMN_STRINGS; COLUMN_RECORD: one a field, a null one has ptr NULL
    size_t n_items;
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

/*
 * Rows of several tables that are stored together; the first of a key wins: a row whose key the
 * table, or an earlier row of the batch, has already is left out and counted.
 *
 * DuckDB: one transaction for all. BigQuery: table by table, a staged load under a job id made from
 * the rows, then a MERGE; doing any step again changes nothing, and one table's failure does not
 * stop the others. Keys are looked for in partitions from `since` on (fxci-etl.md 3.5), in DuckDB
 * everywhere.
 */
struct warehouse_batch;
enum { BATCH_MAX_TABLES = 16 };

struct batch_outcome {
    int code; // 0, or E_* with err: nothing of this table was stored, all of it may be tried again
    uint64_t n_written, n_duplicate, n_refused;
    struct err err;
};

/* A row that the target will not have. json: all columns as one object; both texts are borrowed. */
typedef int warehouse_refused_fn(void *arg, size_t table, struct span json, const char *reason,
                                 struct err *err);

/** The tables must exist (warehouse_ensure_table) and have keys; tables: the array is copied, the
 * schemas are borrowed until the end. since: days since 1970-01-01. */
MUST_CHECK int warehouse_batch_begin(struct warehouse_batch **out, struct warehouse *w,
                                     const struct table_schema *const *tables, size_t n_tables,
                                     int64_t since, struct err *err);
/** table: index into tables. Cells are copied. @return 0; E_FORMAT: this row cannot be stored (as
 * in warehouse_load_row) and is not in the batch, which goes on; or E_*: it can only be abandoned.
 */
MUST_CHECK int warehouse_batch_row(struct warehouse_batch *batch, size_t table,
                                   const struct cell *cells, struct err *err);
/**
 * Frees the batch in any case. outcomes: one a table. refused (may be NULL: a refused row is that
 * table's failure) is called for each row that the target refused; the others are stored without
 * it.
 * @return 0 when every outcome's code is 0; else the first failed one's code, with its err.
 */
MUST_CHECK int warehouse_batch_commit(struct warehouse_batch *batch, struct batch_outcome *outcomes,
                                      warehouse_refused_fn *refused, void *arg, struct err *err);
void warehouse_batch_abandon(struct warehouse_batch *batch); // NULL is fine
DEFINE_FREEP(struct warehouse_batch, warehouse_batch_abandon)

struct buf;
/** Append cells as one JSON object without blanks, a member a column, null where null (a list: []),
 * other than ASCII as \uXXXX, dates as "2026-08-20", times as RFC 3339 UTC with microseconds, JSON
 * columns as the values they are; numbers that JSON lacks as "NaN", "Infinity", "-Infinity". Cells
 * are as warehouse_load_row takes them. */
MUST_CHECK int warehouse_row_json(struct buf *out, const struct column *columns,
                                  const struct cell *cells, struct err *err);

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
/**
 * What `select` gives, in the order of the schema's columns, takes the place of a date's rows, in
 * one transaction. select: one SELECT in the backend's SQL. @return 0 with *n_rows (may be NULL) in
 * the partition now, or E_*: nothing changed.
 */
MUST_CHECK int warehouse_replace_by_query(struct warehouse *w, const struct table_schema *schema,
                                          int64_t date, const char *select, uint64_t *n_rows,
                                          struct err *err);
/** Make the view, its dataset where missing, or change it; name as of a table. */
MUST_CHECK int warehouse_ensure_view(struct warehouse *w, const char *name, const char *select,
                                     struct err *err);

/* What stands for {name} in a text of SQL. */
struct sql_value {
    const char *name; // NULL ends a list
    enum { SQL_TABLE, SQL_DATE, SQL_TEXT, SQL_INT, SQL_VERBATIM } kind;
    const char *text; // table: "table" or "dataset.table"; text: becomes a literal; verbatim: SQL
    int64_t integer;  // date: days since 1970-01-01
};
/** Append sql with each {name} (small letters, digits, _) filled in, and a NUL; other braces stay.
 * @return 0, E_ARG (a name without a value, an
 * unusable table name), or E_NOMEM. */
MUST_CHECK int warehouse_fill_sql(struct buf *out, struct warehouse *w, const char *sql,
                                  const struct sql_value *values, struct err *err);

/** Is it BigQuery? */
bool warehouse_is_bigquery(const struct warehouse *w);

/* sql/NAME.duckdb.sql and sql/NAME.bigquery.sql, as scripts/embed-sql puts them into a program;
 * NULL where there is no such file. */
struct sql_text {
    const char *duckdb, *bigquery;
};
/** The one for this warehouse. */
const char *sql_of(const struct warehouse *w, const struct sql_text *text);

/* Rows as text, for people and programs. */
enum rows_format {
    ROWS_NDJSON, // an object a line, spelled as warehouse_row_json does
    ROWS_CSV,    // RFC 4180, with a header; null is nothing, an empty text is "", lists are JSON
    ROWS_TABLE,  // columns for people; control characters are shown as ?
};
/* The same, for options; NULL ends. */
extern const char *const rows_format_names[];

struct rows_text {
    const struct column *columns;
    enum rows_format format;
    bool milliseconds; // of times, in place of microseconds: cut, not rounded
    size_t max_width;  // of a value in ROWS_TABLE, in characters; 0: any
    int decimals;      // of doubles in ROWS_TABLE, rounded; 0: as many as they have
    int (*write)(void *arg, const void *bytes, size_t len, struct err *err); // 0 or E_*
    void *write_arg;
};

/** Call scan once, or twice where widths must be known first, and write the rows that it hands on,
 * in their order. scan: calls fn(arg, cells) for each row. @return 0, or what scan or write
 * returned. */
typedef int rows_scan_fn(void *scan_arg, warehouse_row_fn *fn, void *arg, struct err *err);
MUST_CHECK int rows_text_write(const struct rows_text *text, rows_scan_fn *scan, void *scan_arg,
                               struct err *err);
