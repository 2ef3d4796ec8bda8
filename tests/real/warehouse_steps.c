/* SPDX-License-Identifier: MPL-2.0 */
/*
 * warehouse_steps - what a warehouse is asked for in tests against real servers, a step at a time.
 *
 *   warehouse_steps STEP URL ENDPOINT [CREDENTIALS]
 *
 * Prints "ok", or the error as "<code>: <text>" with exit status 1. With credentials, the endpoint
 * gets a token.
 */
#include "base/compiler.h"
#include "warehouse/warehouse.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define TRY(call)                                                                                  \
    do {                                                                                           \
        const int r_ = (call);                                                                     \
        if (r_ < 0)                                                                                \
            return r_;                                                                             \
    } while (0)

enum { N_COLUMNS = 8 };
static const struct column columns[N_COLUMNS + 1] = {
    {.name = "day", .type = COLUMN_DATE, .required = true},
    {.name = "text", .type = COLUMN_STRING},
    {.name = "index", .type = COLUMN_INT64, .required = true},
    {.name = "real", .type = COLUMN_DOUBLE},
    {.name = "yes", .type = COLUMN_BOOL},
    {.name = "at", .type = COLUMN_TIMESTAMP},
    {.name = "naive", .type = COLUMN_DATETIME},
    {.name = "json", .type = COLUMN_JSON},
};
static const struct table_schema plain = {.name = "steps.plain", .columns = columns};
static const struct table_schema parted = {
    .name = "steps.parted", .columns = columns, .partition_column = "day"};

static void fill(struct cell cells[N_COLUMNS], int64_t day, int64_t index)
{
    static const char text[] = "quotes \" \\ ' `, a\nline, \xc3\xa9 \xf0\x9f\x8c\x8a";
    const struct cell row[N_COLUMNS] = {
        {.integer = day},
        {.text = span_str(text), .is_null = index % 3 == 2},
        {.integer = index % 2 ? index : -index},
        {.real = index % 3 ? 0.1 : -1e300},
        {.integer = index % 2},
        {.integer = INT64_C(1596485206920411) + index, .is_null = index % 3 == 1},
        {.integer = INT64_C(1596485206920411) - index},
        {.text = span_str("{\"a\":[1,null]}"), .is_null = index % 3 == 0},
    };
    memcpy(cells, row, sizeof row);
}

static int load(struct warehouse *w, const struct table_schema *schema, enum load_mode mode,
                int64_t day, int64_t n, struct err *err)
{
    struct warehouse_load *l = NULL;
    uint64_t n_rows = 0;
    TRY(warehouse_load_begin(&l, w, schema, mode, day, err));
    for (int64_t i = 0; i < n; i++) {
        struct cell cells[N_COLUMNS];
        fill(cells, day, i);
        const int r = warehouse_load_row(l, cells, err);
        if (r < 0) {
            warehouse_load_abandon(l);
            return r;
        }
    }
    TRY(warehouse_load_commit(l, &n_rows, err));
    return n_rows == (uint64_t)n ? 0 : err_set(err, E_FORMAT, 0, "%" PRIu64 " rows", n_rows);
}

static int expect(struct warehouse *w, const struct table_schema *schema, uint64_t want,
                  struct err *err)
{
    uint64_t n = 0;
    TRY(warehouse_count(w, schema->name, &n, err));
    return n == want ? 0
                     : err_set(err, E_FORMAT, 0, "%s has %" PRIu64 " rows, not %" PRIu64,
                               schema->name, n, want);
}

struct walk {
    int64_t previous;
    uint64_t n;
};

static bool same(const struct cell *a, const struct cell *b, enum column_type type)
{
    if (a->is_null || b->is_null)
        return a->is_null == b->is_null;
    switch (type) {
    case COLUMN_JSON:
        return a->text.len >= b->text.len; // servers space it as they like
    case COLUMN_STRING:
        return span_equal(a->text, b->text);
    case COLUMN_DOUBLE:
        return a->real == b->real;
    default:
        return a->integer == b->integer;
    }
}

static int check_row(void *arg, const struct cell *cells, struct err *err)
{
    struct walk *walk = arg;
    struct cell want[N_COLUMNS];
    const int64_t index = cells[2].integer;
    if (walk->n++ > 0 && index <= walk->previous)
        return err_set(err, E_FORMAT, 0, "row %" PRId64 " out of order", index);
    walk->previous = index;
    fill(want, cells[0].integer, index < 0 ? -index : index);
    for (size_t i = 0; i < N_COLUMNS; i++)
        if (!same(&cells[i], &want[i], columns[i].type))
            return err_set(err, E_FORMAT, 0,
                           "row %" PRId64 ", column %s: %s%" PRId64 " %.17g \"%.*s\"", index,
                           columns[i].name, cells[i].is_null ? "null " : "", cells[i].integer,
                           cells[i].real, (int)cells[i].text.len, (const char *)cells[i].text.ptr);
    return 0;
}

static int scan(struct warehouse *w, const struct table_schema *schema, int64_t day, uint64_t want,
                struct err *err)
{
    struct walk walk = {0};
    TRY(warehouse_scan(w, schema, day, "index", check_row, &walk, err));
    return walk.n == want ? 0 : err_set(err, E_FORMAT, 0, "%" PRIu64 " rows came", walk.n);
}

/* Rows of every type come back, and a table is replaced as a whole. */
static int rows(struct warehouse *w, struct err *err)
{
    TRY(load(w, &plain, LOAD_REPLACE_TABLE, 18000, 7, err));
    TRY(scan(w, &plain, INT64_MIN, 7, err));
    TRY(load(w, &plain, LOAD_APPEND, 18001, 2, err));
    TRY(expect(w, &plain, 9, err));
    TRY(load(w, &plain, LOAD_REPLACE_TABLE, 18000, 3, err));
    TRY(expect(w, &plain, 3, err));
    return scan(w, &plain, INT64_MIN, 3, err);
}

static int append(struct warehouse *w, struct err *err)
{
    TRY(load(w, &plain, LOAD_APPEND, 18000, 3, err));
    TRY(expect(w, &plain, 3, err));
    return scan(w, &plain, INT64_MIN, 3, err);
}

static int partitions(struct warehouse *w, struct err *err)
{
    TRY(load(w, &parted, LOAD_REPLACE_PARTITION, 18000, 5, err));
    TRY(load(w, &parted, LOAD_REPLACE_PARTITION, 18001, 6, err));
    TRY(load(w, &parted, LOAD_REPLACE_PARTITION, 18000, 2, err));
    TRY(expect(w, &parted, 8, err));
    TRY(scan(w, &parted, 18001, 6, err));
    TRY(load(w, &parted, LOAD_REPLACE_PARTITION, 18001, 0, err));
    TRY(expect(w, &parted, 2, err));
    TRY(load(w, &parted, LOAD_REPLACE_TABLE, 18002, 4, err));
    return expect(w, &parted, 4, err);
}

/* More than a chunk of an upload (16 MiB). */
static int many(struct warehouse *w, struct err *err)
{
    TRY(load(w, &parted, LOAD_REPLACE_PARTITION, 18000, 90000, err));
    return expect(w, &parted, 90000, err);
}

static int pages(struct warehouse *w, struct err *err)
{
    TRY(load(w, &plain, LOAD_REPLACE_TABLE, 18000, 1050, err));
    return scan(w, &plain, INT64_MIN, 1050, err);
}

static const struct column wider[] = {{.name = "day", .type = COLUMN_DATE, .required = true},
                                      {.name = "more", .type = COLUMN_STRING},
                                      {.name = "index", .type = COLUMN_INT64, .required = true},
                                      {.name = NULL}};
static const struct column other[] = {{.name = "day", .type = COLUMN_DATE, .required = true},
                                      {.name = "index", .type = COLUMN_STRING, .required = true},
                                      {.name = NULL}};

/* Missing columns come, those that a schema does not name stay. */
static int columns_added(struct warehouse *w, struct err *err)
{
    TRY(load(w, &plain, LOAD_APPEND, 18000, 3, err));
    TRY(warehouse_ensure_table(w, &(struct table_schema){.name = plain.name, .columns = wider},
                               err));
    TRY(load(w, &plain, LOAD_APPEND, 18000, 3, err));
    return expect(w, &plain, 6, err);
}

static int columns_refused(struct warehouse *w, struct err *err)
{
    TRY(warehouse_ensure_table(w, &plain, err));
    return warehouse_ensure_table(w, &(struct table_schema){.name = plain.name, .columns = other},
                                  err);
}

static int partitions_refused(struct warehouse *w, struct err *err)
{
    TRY(warehouse_ensure_table(w, &plain, err));
    return warehouse_ensure_table(
        w,
        &(struct table_schema){.name = plain.name, .columns = columns, .partition_column = "day"},
        err);
}

static int broken_sql(struct warehouse *w, struct err *err)
{
    return warehouse_query(w, "SELECT frm", NULL, NULL, NULL, err);
}

static int absent(struct warehouse *w, struct err *err)
{
    return expect(w, &(struct table_schema){.name = "steps.nothing"}, 0, err);
}

static const struct {
    const char *name;
    int (*run)(struct warehouse *w, struct err *err);
} steps[] = {
    {"rows", rows},
    {"append", append},
    {"partitions", partitions},
    {"many", many},
    {"pages", pages},
    {"columns-added", columns_added},
    {"columns-refused", columns_refused},
    {"partitions-refused", partitions_refused},
    {"broken-sql", broken_sql},
    {"absent", absent},
};

static int run(char **argv, int argc, struct err *err)
{
    CLEANUP(warehouse_closep) struct warehouse *w = NULL;
    const struct warehouse_config config = {
        .url = argv[2],
        .endpoint = argv[3],
        .endpoint_is_google = argc > 4,
        .google_credentials = argc > 4 ? argv[4] : NULL,
        .location = argc > 3 && strstr(argv[3], "-eu") ? "EU" : NULL,
        .temp_dir = getenv("TMPDIR"),
        .retry_ms = 8000,
    };
    TRY(warehouse_open(&w, &config, err));
    for (size_t i = 0; i < ARRAY_LEN(steps); i++)
        if (strcmp(steps[i].name, argv[1]) == 0)
            return steps[i].run(w, err);
    return err_set(err, E_ARG, 0, "no step %s", argv[1]);
}

int main(int argc, char **argv)
{
    struct err err = {0};
    if (argc < 4) {
        (void)fprintf(stderr, "usage: warehouse_steps STEP URL ENDPOINT [CREDENTIALS]\n");
        return 2;
    }
    const int r = run(argv, argc, &err);
    if (r < 0)
        (void)printf("%s: %s\n", err_name(r), err.text);
    else
        (void)puts("ok");
    return r < 0;
}
