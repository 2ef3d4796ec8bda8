/* SPDX-License-Identifier: MPL-2.0 */
#include "base/base_test.h"
#include "fxci/metrics_internal.h"

enum { DAY = 20684 }; // 2026-08-19
static const int64_t start_us = DAY * INT64_C(86400) * 1000000;
#define END_US (start_us + INT64_C(86399) * 1000000)
#define LABELS                                                                                     \
    "\"resource\":{\"labels\":{\"project_id\":\"p\",\"zone\":\"z\",\"instance_id\":\"7\"}}"

struct fixture {
    struct metric_rows rows;
    struct err err;
};

static int set_up(void **state)
{
    static struct fixture f;
    f = (struct fixture){0};
    metric_rows_init(&f.rows);
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    metric_rows_deinit(&f->rows);
    return 0;
}

static int read_text(struct fixture *f, const char *text)
{
    json_t *series = json_loads(text, 0, NULL);
    assert_non_null(series);
    f->err = (struct err){0};
    const int r = metric_series_read(&f->rows, series,
                                     &(const struct metric_interval){start_us, END_US}, &f->err);
    json_decref(series);
    return r;
}

static int read_point(struct fixture *f, const char *point)
{
    char text[1024];
    (void)snprintf(text, sizeof text, "{%s,\"points\":[%s,{\"value\":{\"doubleValue\":1}}]}",
                   LABELS, point);
    return read_text(f, text);
}

static void two_decimals_are_what_the_exact_value_gives(void **state)
{
    static const double cases[][2] = {{0.125, 0.12},  {0.375, 0.38},         {2.675, 2.67},
                                      {1.005, 1.0},   {15333.335, 15333.33}, {86399, 86399},
                                      {-0.125, -.12}, {1e300, 1e300}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_true(metric_round(cases[i][0]) == cases[i][1]);
    (void)state;
}

static void the_first_point_becomes_a_row(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(read_point(f, "{\"interval\":{\"startTime\":\"2026-08-19T01:00:00.1234567Z\","
                                   "\"endTime\":\"2026-08-19T04:00:00+02:00\"},"
                                   "\"value\":{\"doubleValue\":41230.456}}"),
                     0);
    assert_int_equal(f->rows.n, 1);
    struct cell cells[METRIC_N];
    metric_rows_cells(&f->rows, &f->rows.rows[0], DAY, cells);
    assert_int_equal(cells[METRIC_SUBMISSION_DATE].integer, DAY);
    assert_true(span_equal(cells[METRIC_INSTANCE_ID].text, span_str("7")));
    assert_true(span_equal(cells[METRIC_PROJECT].text, span_str("p")));
    assert_true(span_equal(cells[METRIC_ZONE].text, span_str("z")));
    assert_true(cells[METRIC_UPTIME].real == 41230.46);
    assert_int_equal(cells[METRIC_INTERVAL_START].integer, start_us + INT64_C(3600123456));
    assert_int_equal(cells[METRIC_INTERVAL_END].integer, start_us + INT64_C(7200000000));
}

static void numbers_come_in_three_forms(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(read_point(f, "{\"value\":{\"doubleValue\":86399}}"), 0);
    assert_int_equal(read_point(f, "{\"value\":{\"int64Value\":\"86399\"}}"), 0);
    assert_int_equal(read_point(f, "{\"value\":{\"int64Value\":86399}}"), 0);
    for (size_t i = 0; i < 3; i++)
        assert_true(f->rows.rows[i].value == 86399);
}

static void missing_times_are_the_requested_ones(void **state)
{
    struct fixture *f = *state;
    static const char *const points[] = {
        "{\"value\":{\"doubleValue\":1}}", "{\"interval\":{},\"value\":{\"doubleValue\":1}}",
        "{\"interval\":{\"startTime\":null,\"endTime\":null},\"value\":{\"doubleValue\":1}}"};
    for (size_t i = 0; i < ARRAY_LEN(points); i++) {
        assert_int_equal(read_point(f, points[i]), 0);
        assert_int_equal(f->rows.rows[i].start_us, start_us);
        assert_int_equal(f->rows.rows[i].end_us, END_US);
    }
}

static void broken_series_say_why(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *text, *why;
    } broken[] = {
        {"{" LABELS "}", "no points"},
        {"{" LABELS ",\"points\":[]}", "no points"},
        {"{\"points\":[{\"value\":{\"doubleValue\":1}}]}", "no label instance_id"},
        {"{\"resource\":{\"labels\":{\"project_id\":\"p\",\"instance_id\":\"7\"}},"
         "\"points\":[{\"value\":{\"doubleValue\":1}}]}",
         "no label zone"},
        {"{\"resource\":{\"labels\":{\"project_id\":7,\"zone\":\"z\",\"instance_id\":\"7\"}},"
         "\"points\":[{\"value\":{\"doubleValue\":1}}]}",
         "no label project_id"},
        {"{" LABELS ",\"points\":[{}]}", "no number"},
        {"{" LABELS ",\"points\":[{\"value\":{\"doubleValue\":\"NaN\"}}]}", "no number"},
        {"{" LABELS ",\"points\":[{\"value\":{\"int64Value\":\"7x\"}}]}", "no number"},
        {"{" LABELS ",\"points\":[{\"value\":{\"int64Value\":\"\"}}]}", "no number"},
        {"{" LABELS ",\"points\":[{\"value\":{\"int64Value\":\"99999999999999999999\"}}]}",
         "no number"},
        {"{" LABELS
         ",\"points\":[{\"value\":{\"doubleValue\":1},\"interval\":{\"startTime\":\"x\"}}]}",
         "a time"},
        {"{" LABELS ",\"points\":[{\"value\":{\"doubleValue\":1},\"interval\":{\"endTime\":7}}]}",
         "a time"},
        {"[]", "no points"},
    };
    for (size_t i = 0; i < ARRAY_LEN(broken); i++) {
        assert_int_equal(read_text(f, broken[i].text), SERIES_BROKEN);
        assert_contains(f->err.text, broken[i].why);
    }
    assert_int_equal(f->rows.n, 0);
}

static void the_first_row_of_a_key_counts(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(read_point(f, "{\"value\":{\"doubleValue\":5}}"), 0);
    assert_int_equal(read_point(f, "{\"interval\":{\"startTime\":\"2026-08-19T01:00:00Z\"},"
                                   "\"value\":{\"doubleValue\":6}}"),
                     0);
    assert_int_equal(read_point(f, "{\"value\":{\"doubleValue\":4}}"), 0);
    assert_int_equal(read_point(f, "{\"value\":{\"doubleValue\":3}}"), 0);
    uint64_t n;
    assert_int_equal(metric_rows_mark_duplicates(&f->rows, &n, &f->err), 0);
    assert_int_equal(n, 2);
    static const bool want[] = {false, false, true, true};
    for (size_t i = 0; i < ARRAY_LEN(want); i++)
        assert_int_equal(f->rows.rows[i].is_duplicate, want[i]);
}

#define PROMISE(FN) cmocka_unit_test_setup_teardown(FN, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        PROMISE(two_decimals_are_what_the_exact_value_gives),
        PROMISE(the_first_point_becomes_a_row),
        PROMISE(numbers_come_in_three_forms),
        PROMISE(missing_times_are_the_requested_ones),
        PROMISE(broken_series_say_why),
        PROMISE(the_first_row_of_a_key_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
