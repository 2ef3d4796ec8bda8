/* SPDX-License-Identifier: MPL-2.0 */
/* Values in SQL, a date's rows from a query, views, and tables that others made: on DuckDB. */
#include "base/buf.h"
#include "warehouse_test.h"

#define WITH_PLACE(test) cmocka_unit_test_setup_teardown(test, make_place, remove_place)

static const struct column columns[] = {{.name = "day", .type = COLUMN_DATE},
                                        {.name = "zone \"z\"", .type = COLUMN_STRING},
                                        {.name = "n", .type = COLUMN_INT64},
                                        {.name = NULL}};
static const struct table_schema sums = {
    .name = "s.sums", .columns = columns, .partition_column = "day"};

static int take_count(void *arg, const struct cell *cells, struct err *err)
{
    (void)err;
    *(int64_t *)arg = cells[0].integer;
    return 0;
}

static int64_t ask(struct warehouse *w, const char *sql)
{
    static const struct column one[] = {{.name = "n", .type = COLUMN_INT64}, {.name = NULL}};
    struct err err = {0};
    int64_t n = -1;
    assert_ok(warehouse_query(w, sql, one, take_count, &n, &err), &err);
    return n;
}

static void run(struct warehouse *w, const char *sql)
{
    struct err err = {0};
    assert_ok(warehouse_query(w, sql, NULL, NULL, NULL, &err), &err);
}

static void values_are_filled_in(void **state)
{
    static const struct sql_value values[] = {
        {.name = "t", .kind = SQL_TABLE, .text = "a\"b.c d"},
        {.name = "bare", .kind = SQL_TABLE, .text = "select"},
        {.name = "date", .kind = SQL_DATE, .integer = 20685},
        {.name = "text", .kind = SQL_TEXT, .text = "it's \\ {date}"},
        {.name = "n_1", .kind = SQL_INT, .integer = -5},
        {.name = "as_is", .kind = SQL_VERBATIM, .text = "1 + 1"},
        {.name = NULL},
    };
    CLEANUP(warehouse_closep) struct warehouse *w = open_place(*state);
    CLEANUP(buf_deinit) struct buf sql = BUF_INIT(1000);
    struct err err = {0};
    assert_ok(warehouse_fill_sql(&sql, w,
                                 "{t} {bare} {date} {text} -{n_1} {as_is} {'a': 1} {} {x y} {",
                                 values, &err),
              &err);
    assert_string_equal((const char *)sql.data,
                        "\"a\"\"b\".\"c d\" \"main\".\"select\" DATE '2026-08-20' "
                        "'it''s \\ {date}' -(-5) 1 + 1 {'a': 1} {} {x y} {");
    buf_clear(&sql);
    assert_int_equal(warehouse_fill_sql(&sql, w, "{t} {missing}", values, &err), E_ARG);
    assert_contains(err.text, "{missing}");
    const struct sql_value bad[] = {{.name = "t", .kind = SQL_TABLE, .text = "a.b.c"},
                                    {.name = "u", .kind = SQL_TEXT, .text = "\xff"},
                                    {.name = NULL}};
    assert_int_equal(warehouse_fill_sql(&sql, w, "{t}", bad, &err), E_ARG);
    assert_int_equal(warehouse_fill_sql(&sql, w, "{u}", bad, &err), E_ARG);
}

static void a_query_replaces_a_date(void **state)
{
    CLEANUP(warehouse_closep) struct warehouse *w = open_place(*state);
    struct err err = {0};
    uint64_t n = 0;
    for (int again = 0; again < 2; again++) {
        assert_ok(warehouse_replace_by_query(w, &sums, 20000,
                                             "SELECT DATE '2024-10-04', 'z' || i, i FROM range(5) "
                                             "t(i) -- all of them",
                                             &n, &err),
                  &err);
        assert_int_equal(n, 5);
    }
    assert_ok(warehouse_replace_by_query(
                  w, &sums, 20001, "SELECT DATE '2024-10-05', 'y', count(*) FROM s.sums", &n, &err),
              &err);
    assert_int_equal(n, 1);
    assert_int_equal(ask(w, "SELECT sum(n)::BIGINT FROM s.sums"), 15);
    assert_int_equal(
        warehouse_replace_by_query(
            w, &sums, 20000,
            "SELECT DATE '2024-10-04', 'x', CASE WHEN i < 4000 THEN i ELSE error('no') "
            "END FROM range(5000) t(i)",
            &n, &err),
        E_IO);
    assert_int_equal(ask(w, "SELECT count(*) FROM s.sums"), 6);
    assert_ok(
        warehouse_replace_by_query(w, &sums, 20000, "SELECT * FROM s.sums WHERE false", NULL, &err),
        &err);
    assert_int_equal(ask(w, "SELECT count(*) FROM s.sums"), 1);
}

static void views_are_made_and_changed(void **state)
{
    CLEANUP(warehouse_closep) struct warehouse *w = open_place(*state);
    struct err err = {0};
    run(w, "CREATE TABLE t AS SELECT 7 AS n");
    assert_ok(warehouse_ensure_view(w, "my views.v", "SELECT n FROM main.t", &err), &err);
    assert_int_equal(ask(w, "SELECT n FROM \"my views\".v"), 7);
    assert_ok(warehouse_ensure_view(w, "my views.v", "SELECT n + 1 AS n FROM main.t", &err), &err);
    assert_int_equal(ask(w, "SELECT n FROM \"my views\".v"), 8);
    assert_int_equal(warehouse_ensure_view(w, "v", "SELECT frm", &err), E_IO);
    assert_int_equal(warehouse_ensure_view(w, "main.t", "SELECT 1 AS n", &err), E_IO);
}

static const struct column metric_columns[] = {
    {.name = "day", .type = COLUMN_DATE, .required = true},
    {.name = "id", .type = COLUMN_STRING, .required = true},
    {.name = "uptime", .type = COLUMN_DOUBLE},
    {.name = "note", .type = COLUMN_STRINGS},
    {.name = NULL},
};
static const char *const metric_key[] = {"id", NULL};
static const struct table_schema metrics = {.name = "metrics",
                                            .columns = metric_columns,
                                            .partition_column = "day",
                                            .key = metric_key,
                                            .lax = true};

static void load_metrics(struct warehouse *w, double uptime, int n)
{
    struct err err = {0};
    struct warehouse_load *load = NULL;
    assert_ok(warehouse_load_begin(&load, w, &metrics, LOAD_REPLACE_PARTITION, 20000, &err), &err);
    for (int i = 0; i < n; i++) {
        char id[32];
        (void)snprintf(id, sizeof id, "machine %d", i);
        const struct cell cells[] = {
            {.integer = 20000}, {.text = span_str(id)}, {.real = uptime}, {.n_items = 0}};
        assert_ok(warehouse_load_row(load, cells, &err), &err);
    }
    assert_ok(warehouse_load_commit(load, NULL, &err), &err);
}

/* Keys are deleted and inserted again in one transaction, which an index must not mind. */
static void a_table_with_an_index_of_its_own_is_taken(void **state)
{
    CLEANUP(warehouse_closep) struct warehouse *w = open_place(*state);
    static const struct table_schema *const list[] = {&metrics};
    struct err err = {0};
    run(w, "CREATE TABLE metrics (uptime DOUBLE, id VARCHAR PRIMARY KEY, day DATE)");
    load_metrics(w, 1, 5000);
    load_metrics(w, 2, 4000);
    load_metrics(w, 3, 4500);
    assert_int_equal(ask(w, "SELECT count(*) FROM metrics WHERE uptime = 3"), 4500);
    assert_int_equal(ask(w, "SELECT count(*) FROM metrics"), 4500);
    struct warehouse_batch *batch = NULL;
    struct batch_outcome outcome;
    assert_ok(warehouse_batch_begin(&batch, w, list, 1, 0, &err), &err);
    for (int i = 4400; i < 4600; i++) {
        char id[32];
        (void)snprintf(id, sizeof id, "machine %d", i);
        const struct cell cells[] = {
            {.integer = 20001}, {.text = span_str(id)}, {.is_null = true}, {.is_null = true}};
        assert_ok(warehouse_batch_row(batch, 0, cells, &err), &err);
    }
    assert_ok(warehouse_batch_commit(batch, &outcome, NULL, NULL, &err), &err);
    assert_int_equal(outcome.n_written, 100);
    assert_int_equal(outcome.n_duplicate, 100);
}

static void lax_overlooks_what_may_be_null_and_nothing_else(void **state)
{
    CLEANUP(warehouse_closep) struct warehouse *w = open_place(*state);
    static const char *const fields[] = {"select", "b", NULL}, *const others[] = {"b", "select",
                                                                                  NULL};
    struct column cols[] = {{.name = "a", .type = COLUMN_INT64},
                            {.name = "b", .type = COLUMN_STRING, .required = true},
                            {.name = "c", .type = COLUMN_RECORD, .fields = fields},
                            {.name = "d", .type = COLUMN_STRINGS},
                            {.name = NULL}};
    struct table_schema schema = {.name = "t", .columns = cols};
    struct err err = {0};
    run(w, "CREATE TABLE t (a BIGINT NOT NULL, b VARCHAR)");
    assert_int_equal(warehouse_ensure_table(w, &schema, &err), E_FORMAT);
    schema.lax = true;
    assert_ok(warehouse_ensure_table(w, &schema, &err), &err); // adds c and d
    assert_ok(warehouse_ensure_table(w, &schema, &err), &err);
    cols[2].fields = others;
    assert_int_equal(warehouse_ensure_table(w, &schema, &err), E_FORMAT);
    assert_contains(err.text, "column c is STRUCT(\"select\" VARCHAR, b VARCHAR), not STRUCT(");
    cols[2].fields = fields;
    cols[3].type = COLUMN_STRING;
    assert_int_equal(warehouse_ensure_table(w, &schema, &err), E_FORMAT);
    assert_contains(err.text, "column d is VARCHAR[], not VARCHAR");
    run(w, "DROP TABLE t");
    run(w, "CREATE TABLE t (a BIGINT, b VARCHAR, x BIGINT NOT NULL)");
    cols[3].type = COLUMN_STRINGS;
    assert_int_equal(warehouse_ensure_table(w, &schema, &err), E_FORMAT);
    assert_contains(err.text, "column x is not among ours");
}

static int take_refused(void *arg, size_t table, struct span json, const char *reason,
                        struct err *err)
{
    (void)err;
    assert_int_equal(table, 0);
    assert_true(span_equal(json, span_str("{\"day\":\"2024-10-04\",\"id\":\"b\",\"uptime\":null,"
                                          "\"note\":[]}")));
    assert_contains(reason, "null");
    ++*(int *)arg;
    return 0;
}

static void add_machine(struct warehouse_batch *batch, const char *id, bool uptime_known)
{
    struct err err = {0};
    const struct cell cells[] = {
        {.integer = 20000}, {.text = span_str(id)}, {.is_null = !uptime_known}, {.is_null = true}};
    assert_ok(warehouse_batch_row(batch, 0, cells, &err), &err);
}

static void rows_that_a_stricter_table_refuses_are_handed_back(void **state)
{
    CLEANUP(warehouse_closep) struct warehouse *w = open_place(*state);
    static const struct table_schema *const list[] = {&metrics};
    struct err err = {0};
    run(w, "CREATE TABLE metrics (day DATE, id VARCHAR, uptime DOUBLE NOT NULL, note VARCHAR[])");
    assert_ok(warehouse_ensure_table(w, &metrics, &err), &err);
    for (int with_fn = 0; with_fn < 2; with_fn++) {
        struct warehouse_batch *batch = NULL;
        struct batch_outcome outcome;
        int n_refused = 0;
        assert_ok(warehouse_batch_begin(&batch, w, list, 1, 0, &err), &err);
        add_machine(batch, "a", true);
        add_machine(batch, "b", false);
        add_machine(batch, "c", true);
        const int r = warehouse_batch_commit(batch, &outcome, with_fn ? take_refused : NULL,
                                             &n_refused, &err);
        assert_int_equal(r, with_fn ? 0 : E_FORMAT);
        assert_int_equal(outcome.code, r);
        assert_int_equal(outcome.n_written, with_fn ? 2 : 0);
        assert_int_equal(outcome.n_refused, with_fn);
        assert_int_equal(n_refused, with_fn);
        assert_int_equal(ask(w, "SELECT count(*) FROM metrics"), with_fn ? 2 : 0);
    }
}

static int take_nothing(void *arg, const struct cell *cells, struct err *err)
{
    (void)arg, (void)cells, (void)err;
    return 0;
}

static void lists_and_records_of_queries_are_checked(void **state)
{
    static const char *const fields[] = {"a", "b", NULL};
    static const struct column list[] = {{.name = "l", .type = COLUMN_STRINGS}, {.name = NULL}};
    static const struct column record[] = {{.name = "r", .type = COLUMN_RECORD, .fields = fields},
                                           {.name = NULL}};
    static const struct {
        const struct column *columns;
        const char *sql;
        int r;
    } cases[] = {
        {list, "SELECT ['a', 'b']", 0},
        {list, "SELECT [1]", E_ARG},
        {list, "SELECT 'a'", E_ARG},
        {list, "SELECT ['a', NULL]", E_FORMAT},
        {record, "SELECT {'a': 'x', 'b': NULL::VARCHAR}", 0},
        {record, "SELECT {'b': 'x', 'a': 'y'}", E_ARG},
        {record, "SELECT {'a': 'x'}", E_ARG},
        {record, "SELECT {'a': 'x', 'b': 'y', 'c': 'z'}", E_ARG},
        {record, "SELECT {'a': 'x', 'b': 1}", E_ARG},
        {record, "SELECT ['a']", E_ARG},
    };
    CLEANUP(warehouse_closep) struct warehouse *w = open_place(*state);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_int_equal(
            warehouse_query(w, cases[i].sql, cases[i].columns, take_nothing, NULL, NULL),
            cases[i].r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_PLACE(values_are_filled_in),
        WITH_PLACE(a_query_replaces_a_date),
        WITH_PLACE(views_are_made_and_changed),
        WITH_PLACE(a_table_with_an_index_of_its_own_is_taken),
        WITH_PLACE(lax_overlooks_what_may_be_null_and_nothing_else),
        WITH_PLACE(rows_that_a_stricter_table_refuses_are_handed_back),
        WITH_PLACE(lists_and_records_of_queries_are_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
