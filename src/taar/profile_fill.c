/* SPDX-License-Identifier: MPL-2.0 */
/* The stage fill-bq: a day's clients with add-ons into a table. */
#include "taar/profile.h"
#include "taar/sql.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { SQL_BYTES_MAX = 256 << 20, RATE_BYTES = 64, HASH_BITS = 64 };

static const char part_suffix[] = "_part";

struct filling {
    struct warehouse *warehouse;
    struct telemetry *telemetry;
    const struct profile_fill_config *config;
    bool begun;
};

static bool is_name(const char *name)
{
    static const char letters[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
    return *name && strlen(name) <= 255 && strspn(name, letters) == strlen(name);
}

int profile_fill_sql(struct buf *out, struct warehouse *w, const char *sql,
                     const struct profile_table *table, struct err *err)
{
    char name[2 * 256], part[2 * 256 + sizeof part_suffix], dataset[256 + 2], plain[256 + 2];
    if (!is_name(table->dataset) || !is_name(table->table))
        return err_set(err, E_ARG, 0,
                       "%.100s.%.100s is no name of a table: letters, digits, _ and - only",
                       table->dataset, table->table);
    const char quote = warehouse_is_bigquery(w) ? '`' : '"';
    (void)snprintf(name, sizeof name, "%s.%s", table->dataset, table->table);
    (void)snprintf(part, sizeof part, "%s%s", name, part_suffix);
    (void)snprintf(dataset, sizeof dataset, "%c%s%c", quote, table->dataset, quote);
    (void)snprintf(plain, sizeof plain, "%c%s%c", quote, table->table, quote);
    const struct sql_value values[] = {{"table", SQL_TABLE, name, 0},
                                       {"part", SQL_TABLE, part, 0},
                                       {"dataset", SQL_VERBATIM, dataset, 0},
                                       {"name", SQL_VERBATIM, plain, 0},
                                       {.name = NULL}};
    return warehouse_fill_sql(out, w, sql, values, err);
}

static int run(const struct filling *f, const char *sql, struct err *err)
{
    CLEANUP(buf_deinit) struct buf text = BUF_INIT(1 << 16);
    const int r = profile_fill_sql(&text, f->warehouse, sql, &f->config->table, err);
    return r < 0 ? r
                 : warehouse_query(f->warehouse, (const char *)text.data, NULL, NULL, NULL, err);
}

/* Rows by chance cannot be had again (H10); by a seed, clients can. */
static int append_sample(struct buf *out, const struct filling *f, struct err *err)
{
    const double rate = f->config->rate;
    if (rate >= 1)
        return buf_append(out, "", 1, err);
    if (!f->config->seed) {
        const int r = buf_printf(out, err, "AND %s < %.17g",
                                 warehouse_is_bigquery(f->warehouse) ? "RAND()" : "random()", rate);
        return r < 0 ? r : buf_append_byte(out, '\0', err);
    }
    char limit[RATE_BYTES], seed[RATE_BYTES];
    (void)snprintf(limit, sizeof limit, "%016" PRIx64, (uint64_t)ldexp(rate, HASH_BITS));
    (void)snprintf(seed, sizeof seed, "%" PRIu64 ":", *f->config->seed);
    const struct sql_value values[] = {
        {"seed", SQL_TEXT, seed, 0}, {"limit", SQL_TEXT, limit, 0}, {.name = NULL}};
    return warehouse_fill_sql(out, f->warehouse, sql_of(f->warehouse, &sql_sample), values, err);
}

static int append_select(struct buf *out, const struct filling *f, const char *relation,
                         struct err *err)
{
    CLEANUP(buf_deinit) struct buf sample = BUF_INIT(1 << 16);
    int r = append_sample(&sample, f, err);
    if (r < 0)
        return r;
    const struct sql_value values[] = {{"relation", SQL_VERBATIM, relation, 0},
                                       {"sample", SQL_VERBATIM, (const char *)sample.data, 0},
                                       {.name = NULL}};
    return warehouse_fill_sql(out, f->warehouse, sql_of(f->warehouse, &sql_profile_fill), values,
                              err);
}

static int fill_piece(void *arg, const char *relation, struct err *err)
{
    struct filling *f = arg;
    CLEANUP(buf_deinit) struct buf sql = BUF_INIT(SQL_BYTES_MAX);
    int r =
        profile_fill_sql(&sql, f->warehouse,
                         f->begun ? "INSERT INTO {part}\n" : "CREATE OR REPLACE TABLE {part} AS\n",
                         &f->config->table, err);
    if (r < 0)
        return r;
    sql.len--; // its NUL
    r = append_select(&sql, f, relation, err);
    f->begun = true;
    return r < 0 ? r : warehouse_query(f->warehouse, (const char *)sql.data, NULL, NULL, NULL, err);
}

/* In DuckDB the pieces of a bucket come one by one: until all are there the table is as it was. */
static int fill(struct filling *f, struct err *err)
{
    int r = telemetry_each(f->telemetry, false, fill_piece, f, err);
    if (warehouse_is_bigquery(f->warehouse))
        return r;
    if (r == 0)
        r = run(f,
                "BEGIN TRANSACTION; DROP TABLE IF EXISTS {table}; "
                "ALTER TABLE {part} RENAME TO {name}; COMMIT",
                err);
    if (r == 0)
        return 0;
    struct err ignored = {0};
    (void)run(f, "DROP TABLE IF EXISTS {part}", &ignored); // the first failure is what matters
    return r;
}

static int take_number(void *arg, const struct cell *cells, struct err *err)
{
    uint64_t *n = arg;
    (void)err;
    *n = (uint64_t)cells[0].integer;
    return 0;
}

int profile_fill(struct warehouse *w, struct telemetry *t, const struct profile_fill_config *config,
                 uint64_t *n_rows, struct err *err)
{
    static const struct column columns[] = {{.name = "n", .type = COLUMN_INT64}, {.name = NULL}};
    CLEANUP(buf_deinit) struct buf sql = BUF_INIT(1 << 16);
    struct filling f = {.warehouse = w, .telemetry = t, .config = config};
    int r = run(&f, "CREATE SCHEMA IF NOT EXISTS {dataset}", err);
    if (r == 0)
        r = fill(&f, err);
    if (r == 0)
        r = profile_fill_sql(&sql, w, "SELECT COUNT(*) AS n FROM {table}", &config->table, err);
    return r < 0 ? r
                 : warehouse_query(w, (const char *)sql.data, columns, take_number, n_rows, err);
}
