/* SPDX-License-Identifier: MPL-2.0 */
#include "warehouse_test.h"

#include <inttypes.h>
#include <signal.h>
#include <sys/wait.h>

#define WITH_PLACE(test) cmocka_unit_test_setup_teardown(test, make_place, remove_place)

static const struct column columns[] = {
    {.name = "day", .type = COLUMN_DATE, .required = true},
    {.name = "text \"quoted\"", .type = COLUMN_STRING},
    {.name = "index", .type = COLUMN_INT64, .required = true},
    {.name = "real", .type = COLUMN_DOUBLE},
    {.name = "yes", .type = COLUMN_BOOL},
    {.name = "at", .type = COLUMN_TIMESTAMP},
    {.name = "naive", .type = COLUMN_DATETIME},
    {.name = "json", .type = COLUMN_JSON},
    {.name = NULL},
};
static const struct table_schema schema = {
    .name = "my set.select", .columns = columns, .partition_column = "day"};
enum { N_COLUMNS = 8 };

static void fill(struct cell cells[N_COLUMNS], int64_t day, int64_t index)
{
    static const char text[] = "a \0 zero, \xc3\xa9 and a text that is longer than twelve bytes";
    const struct cell row[N_COLUMNS] = {
        {.integer = day},         {.text = span_of(text, sizeof text - 1)},
        {.integer = index},       {.real = 0.1},
        {.integer = 1},           {.integer = INT64_C(1596485206920410)},
        {.integer = INT64_C(-1)}, {.text = span_str("{\"a\": [1, null]}")},
    };
    memcpy(cells, row, sizeof row);
}

static void load(struct warehouse *w, enum load_mode mode, int64_t day, int64_t first, int64_t n)
{
    struct err err = {0};
    struct warehouse_load *l = NULL;
    assert_ok(warehouse_load_begin(&l, w, &schema, mode, day, &err), &err);
    for (int64_t i = first; i < first + n; i++) {
        struct cell cells[N_COLUMNS];
        fill(cells, day, i);
        assert_ok(warehouse_load_row(l, cells, &err), &err);
    }
    uint64_t n_rows = 0;
    assert_ok(warehouse_load_commit(l, &n_rows, &err), &err);
    assert_int_equal(n_rows, n);
}

static uint64_t count(struct warehouse *w)
{
    struct err err = {0};
    uint64_t n = UINT64_MAX;
    assert_ok(warehouse_count(w, schema.name, &n, &err), &err);
    return n;
}

static int same_as_filled(void *arg, const struct cell *cells, struct err *err)
{
    int64_t *next = arg;
    struct cell want[N_COLUMNS];
    fill(want, cells[0].integer, (*next)++);
    for (size_t i = 0; i < N_COLUMNS; i++) {
        assert_int_equal(cells[i].is_null, want[i].is_null);
        assert_true(cells[i].integer == want[i].integer);
        assert_true(cells[i].real == want[i].real);
        assert_true(span_equal(cells[i].text, want[i].text));
    }
    (void)err;
    return 0;
}

static void rows_come_back_as_they_went_in(void **state)
{
    CLEANUP(warehouse_closep) struct warehouse *w = open_place(*state);
    struct err err = {0};
    load(w, LOAD_APPEND, 19000, 0, 5000); // more than two vectors
    int64_t next = 0;
    assert_ok(warehouse_scan(w, &schema, 19000, "index", same_as_filled, &next, &err), &err);
    assert_int_equal(next, 5000);
    assert_int_equal(count(w), 5000);
}

static int all_null(void *arg, const struct cell *cells, struct err *err)
{
    ++*(int *)arg;
    for (size_t i = 0; i < N_COLUMNS; i++)
        assert_int_equal(cells[i].is_null, !columns[i].required);
    (void)err;
    return 0;
}

static void nulls_stay_null(void **state)
{
    CLEANUP(warehouse_closep) struct warehouse *w = open_place(*state);
    struct err err = {0};
    struct warehouse_load *l = NULL;
    struct cell cells[N_COLUMNS] = {{.integer = 1}, {.is_null = true}, {.integer = 2}};
    for (size_t i = 3; i < N_COLUMNS; i++)
        cells[i].is_null = true;
    assert_ok(warehouse_load_begin(&l, w, &schema, LOAD_APPEND, 0, &err), &err);
    assert_ok(warehouse_load_row(l, cells, &err), &err);
    assert_ok(warehouse_load_commit(l, NULL, &err), &err);
    int n = 0;
    assert_ok(warehouse_scan(w, &schema, INT64_MIN, "day, index", all_null, &n, &err), &err);
    assert_int_equal(n, 1);
}

static void a_date_replaces_itself_and_no_other(void **state)
{
    CLEANUP(warehouse_closep) struct warehouse *w = open_place(*state);
    load(w, LOAD_REPLACE_PARTITION, 100, 0, 10);
    load(w, LOAD_REPLACE_PARTITION, 101, 0, 20);
    load(w, LOAD_REPLACE_PARTITION, 100, 0, 3);
    assert_int_equal(count(w), 23);
    load(w, LOAD_REPLACE_PARTITION, 101, 0, 0);
    assert_int_equal(count(w), 3);
    load(w, LOAD_REPLACE_TABLE, 102, 0, 5);
    assert_int_equal(count(w), 5);
}

static void a_load_shows_only_when_it_is_committed(void **state)
{
    CLEANUP(warehouse_closep) struct warehouse *w = open_place(*state);
    struct err err = {0};
    load(w, LOAD_APPEND, 100, 0, 10);
    struct warehouse_load *l = NULL, *other = NULL;
    struct cell cells[N_COLUMNS];
    assert_ok(warehouse_load_begin(&l, w, &schema, LOAD_REPLACE_TABLE, 0, &err), &err);
    assert_int_equal(warehouse_load_begin(&other, w, &schema, LOAD_APPEND, 0, &err), E_ARG);
    fill(cells, 7, 1);
    for (int i = 0; i < 3000; i++)
        assert_ok(warehouse_load_row(l, cells, &err), &err);
    assert_int_equal(count(w), 10);
    warehouse_load_abandon(l);
    assert_int_equal(count(w), 10);
}

static void a_bad_row_spoils_its_load(void **state)
{
    CLEANUP(warehouse_closep) struct warehouse *w = open_place(*state);
    load(w, LOAD_APPEND, 100, 0, 10);
    for (int what = 0; what < 5; what++) {
        struct err err = {0};
        struct warehouse_load *l = NULL;
        struct cell cells[N_COLUMNS];
        fill(cells, 100, 1);
        assert_ok(warehouse_load_begin(&l, w, &schema, LOAD_REPLACE_PARTITION, 100, &err), &err);
        assert_ok(warehouse_load_row(l, cells, &err), &err);
        if (what == 0)
            cells[2].is_null = true;
        else if (what == 1)
            cells[1].text = span_str("\xc3(");
        else if (what == 2)
            cells[0].integer = 101;
        else if (what == 3)
            cells[5].integer = INT64_MAX;
        else
            cells[7].text = span_str("{\"a\": ");
        assert_int_equal(warehouse_load_row(l, cells, &err), what == 2 ? E_ARG : E_FORMAT);
        assert_contains(err.text, "row 2 for my set.select: column ");
        assert_int_equal(warehouse_load_commit(l, NULL, &err), E_ARG);
        assert_int_equal(count(w), 10);
    }
}

/* The file of a process that died in a load is what it was before. */
static void a_load_that_is_killed_changes_nothing(void **state)
{
    const struct place *p = *state;
    struct warehouse *w = open_place(p);
    load(w, LOAD_APPEND, 100, 0, 10);
    warehouse_close(w);
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    const pid_t child = fork();
    if (child == 0) {
        struct cell cells[N_COLUMNS];
        struct warehouse_load *l = NULL;
        fill(cells, 100, 1);
        int r = warehouse_open(&w, &(struct warehouse_config){.url = p->url}, NULL);
        if (r == 0)
            r = warehouse_load_begin(&l, w, &schema, LOAD_REPLACE_PARTITION, 100, NULL);
        // Enough for whole row groups to reach the disk before the end.
        for (int i = 0; i < 300000 && r == 0; i++)
            r = warehouse_load_row(l, cells, NULL);
        (void)!write(ends[1], &r, sizeof r);
        (void)pause();
        _exit(1);
    }
    int r = -1, status;
    assert_int_equal(read(ends[0], &r, sizeof r), sizeof r);
    assert_int_equal(r, 0);
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(close(ends[0]) | close(ends[1]), 0);
    CLEANUP(warehouse_closep) struct warehouse *again = open_place(p);
    int64_t next = 0;
    struct err err = {0};
    assert_int_equal(count(again), 10);
    assert_ok(warehouse_scan(again, &schema, 100, "index", same_as_filled, &next, &err), &err);
    load(again, LOAD_REPLACE_PARTITION, 100, 0, 4);
    assert_int_equal(count(again), 4);
}

static pid_t hold_file(const struct place *p, int64_t for_ms)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    const pid_t child = fork();
    if (child == 0) {
        struct warehouse *w = NULL;
        const int r = warehouse_open(&w, &(struct warehouse_config){.url = p->url}, NULL);
        (void)!write(ends[1], &r, sizeof r);
        (void)usleep((useconds_t)for_ms * 1000);
        warehouse_close(w);
        _exit(0);
    }
    int r = -1;
    assert_int_equal(read(ends[0], &r, sizeof r), sizeof r);
    assert_int_equal(close(ends[0]) | close(ends[1]), 0);
    assert_int_equal(r, 0);
    return child;
}

static void a_file_in_use_is_waited_for(void **state)
{
    const struct place *p = *state;
    const pid_t child = hold_file(p, 300);
    struct warehouse *w = open_place(p);
    warehouse_close(w);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static void a_file_in_use_is_not_waited_for_without_end(void **state)
{
    const struct place *p = *state;
    const pid_t child = hold_file(p, 10000);
    struct warehouse *w = NULL;
    struct err err = {0};
    assert_int_equal(
        warehouse_open(&w, &(struct warehouse_config){.url = p->url, .lock_wait_ms = 200}, &err),
        E_AGAIN);
    assert_contains(err.text, "w.duckdb is still held by another program");
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, NULL, 0), child);
}

static void tables_are_made_to_fit_or_refused(void **state)
{
    static const struct column narrow[] = {{.name = "day", .type = COLUMN_DATE, .required = true},
                                           {.name = "n", .type = COLUMN_INT64},
                                           {.name = NULL}};
    static const struct column wide[] = {{.name = "m", .type = COLUMN_STRING},
                                         {.name = "n", .type = COLUMN_INT64},
                                         {.name = "day", .type = COLUMN_DATE, .required = true},
                                         {.name = NULL}};
    static const struct {
        struct column columns[4];
        const char *says;
    } bad[] = {
        {{{.name = "day", .type = COLUMN_DATE, .required = true},
          {.name = "n", .type = COLUMN_DOUBLE}},
         "column n is BIGINT, not DOUBLE"},
        {{{.name = "DAY", .type = COLUMN_DATE, .required = true}}, "DAY is spelled day"},
        {{{.name = "day", .type = COLUMN_DATE}, {.name = "n", .type = COLUMN_INT64}},
         "column day must not be null"},
        {{{.name = "day", .type = COLUMN_DATE, .required = true},
          {.name = "n", .type = COLUMN_INT64, .required = true}},
         "column n may be null"},
        {{{.name = "n", .type = COLUMN_INT64}}, "column day is not among ours"},
        {{{.name = "day", .type = COLUMN_DATE, .required = true},
          {.name = "x", .type = COLUMN_INT64, .required = true}},
         "lacks the column x"},
    };
    CLEANUP(warehouse_closep) struct warehouse *w = open_place(*state);
    struct err err = {0};
    assert_ok(
        warehouse_ensure_table(w, &(struct table_schema){.name = "t", .columns = narrow}, &err),
        &err);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        assert_int_equal(
            warehouse_ensure_table(
                w, &(struct table_schema){.name = "t", .columns = bad[i].columns}, &err),
            E_FORMAT);
        assert_contains(err.text, bad[i].says);
    }
    assert_ok(
        warehouse_ensure_table(w, &(struct table_schema){.name = "main.T", .columns = wide}, &err),
        &err);
    struct warehouse_load *l = NULL;
    const struct table_schema t = {.name = "t", .columns = wide};
    const struct cell row[] = {{.text = span_str("x")}, {.integer = 7}, {.integer = 1}};
    assert_ok(warehouse_load_begin(&l, w, &t, LOAD_APPEND, 0, &err), &err);
    assert_ok(warehouse_load_row(l, row, &err), &err);
    assert_ok(warehouse_load_commit(l, NULL, &err), &err);
    uint64_t n = 0;
    assert_ok(warehouse_count(w, "t", &n, &err), &err);
    assert_int_equal(n, 1);
}

static int take_integers(void *arg, const struct cell *cells, struct err *err)
{
    int64_t *out = arg;
    for (int i = 0; i < 3; i++)
        out[i] = cells[i].integer;
    (void)err;
    return 0;
}

static void queries_give_the_types_that_were_asked_for(void **state)
{
    static const struct column three[] = {{.name = "a", .type = COLUMN_INT64},
                                          {.name = "b", .type = COLUMN_INT64},
                                          {.name = "c", .type = COLUMN_TIMESTAMP},
                                          {.name = NULL}};
    CLEANUP(warehouse_closep) struct warehouse *w = open_place(*state);
    struct err err = {0};
    int64_t got[3];
    assert_ok(warehouse_query(w,
                              "SELECT sum(i), min(-i)::TINYINT, '2020-01-01 00:00'::TIMESTAMPTZ "
                              "FROM range(10) t(i)",
                              three, take_integers, got, &err),
              &err);
    assert_int_equal(got[0], 45);
    assert_int_equal(got[1], -9);
    assert_true(got[2] == INT64_C(1577836800000000));
    assert_int_equal(warehouse_query(w, "SELECT 1, 2", three, take_integers, got, &err), E_ARG);
    assert_int_equal(warehouse_query(w, "SELECT 1, 2, 3", three, take_integers, got, &err), E_ARG);
    assert_contains(err.text, "column c of the query is not of type");
    assert_int_equal(warehouse_query(w, "SELECT 9223372036854775808::UBIGINT, 1, now()", three,
                                     take_integers, got, &err),
                     E_FORMAT);
    assert_int_equal(warehouse_query(w, "SELECT frm", NULL, NULL, NULL, &err), E_IO);
    assert_contains(err.text, "frm");
}

/* One thread: of several, DuckDB reports whichever it stopped first. */
static void a_query_that_breaks_midway_says_why(void **state)
{
    static const struct column three[] = {{.name = "a", .type = COLUMN_INT64},
                                          {.name = "b", .type = COLUMN_INT64},
                                          {.name = "c", .type = COLUMN_TIMESTAMP},
                                          {.name = NULL}};
    const struct place *p = *state;
    const struct warehouse_config one_thread = {.url = p->url, .n_threads = 1};
    CLEANUP(warehouse_closep) struct warehouse *w = NULL;
    struct err err = {0};
    int64_t got[3];
    assert_ok(warehouse_open(&w, &one_thread, &err), &err);
    assert_int_equal(warehouse_query(w,
                                     "SELECT i, i, CASE WHEN i = 90000 THEN error('stop') ELSE "
                                     "now() END FROM range(100000) t(i)",
                                     three, take_integers, got, &err),
                     E_IO);
    assert_contains(err.text, "stop");
}

static void what_is_not_there_is_absent(void **state)
{
    struct place *p = *state;
    struct warehouse *w = NULL;
    struct err err = {0};
    uint64_t n;
    const struct warehouse_config reader = {.url = p->url, .read_only = true};
    assert_int_equal(warehouse_open(&w, &reader, &err), E_ABSENT);
    w = open_place(p);
    assert_int_equal(warehouse_count(w, "nothing", &n, &err), E_ABSENT);
    assert_contains(err.text, "main.nothing");
    assert_int_equal(warehouse_scan(w, &schema, INT64_MIN, "", NULL, NULL, &err), E_ABSENT);
    assert_int_equal(warehouse_count(w, "a.b.c", &n, &err), E_ARG);
    assert_int_equal(warehouse_count(w, "a.", &n, &err), E_ARG);
    load(w, LOAD_APPEND, 1, 0, 1);
    assert_int_equal(warehouse_scan(w, &schema, 1, "day, nothing", NULL, NULL, &err), E_ARG);
    warehouse_close(w);
    assert_ok(warehouse_open(&w, &reader, &err), &err);
    struct warehouse_load *l = NULL;
    assert_int_equal(count(w), 1);
    assert_int_equal(warehouse_load_begin(&l, w, &schema, LOAD_APPEND, 0, &err), E_ARG);
    warehouse_close(w);
}

static void urls_that_name_no_warehouse_are_refused(void **state)
{
    static const char *const urls[] = {"", "duckdb://", "duckdb:///tmp/", "sqlite:///x", "/tmp/x"};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(urls); i++) {
        struct warehouse *w = NULL;
        struct err err = {0};
        assert_int_equal(warehouse_open(&w, &(struct warehouse_config){.url = urls[i]}, &err),
                         E_ARG);
        assert_contains(err.text, "duckdb:///path/file.duckdb");
        assert_null(w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_PLACE(rows_come_back_as_they_went_in),
        WITH_PLACE(nulls_stay_null),
        WITH_PLACE(a_date_replaces_itself_and_no_other),
        WITH_PLACE(a_load_shows_only_when_it_is_committed),
        WITH_PLACE(a_bad_row_spoils_its_load),
        WITH_PLACE(a_load_that_is_killed_changes_nothing),
        WITH_PLACE(a_file_in_use_is_waited_for),
        WITH_PLACE(a_file_in_use_is_not_waited_for_without_end),
        WITH_PLACE(tables_are_made_to_fit_or_refused),
        WITH_PLACE(queries_give_the_types_that_were_asked_for),
        WITH_PLACE(a_query_that_breaks_midway_says_why),
        WITH_PLACE(what_is_not_there_is_absent),
        cmocka_unit_test(urls_that_name_no_warehouse_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
