/* SPDX-License-Identifier: MPL-2.0 */
#include "warehouse/bigquery_impl.h"
#include "warehouse_test.h"

#include <math.h>

static const struct column columns[] = {
    {.name = "s", .type = COLUMN_STRING},
    {.name = "i", .type = COLUMN_INT64},
    {.name = "r", .type = COLUMN_DOUBLE},
    {.name = "b", .type = COLUMN_BOOL},
    {.name = "d", .type = COLUMN_DATE},
    {.name = "t", .type = COLUMN_TIMESTAMP},
    {.name = "n", .type = COLUMN_DATETIME},
    {.name = "j", .type = COLUMN_JSON},
    {.name = NULL},
};
enum { N = 8 };

static void written(const struct cell cells[N], const char *want)
{
    CLEANUP(buf_deinit) struct buf out = BUF_INIT(1000);
    assert_int_equal(bigquery_write_row(&out, columns, cells, NULL), 0);
    assert_int_equal(buf_append_byte(&out, '\0', NULL), 0);
    assert_string_equal((const char *)out.data, want);
}

static void a_row_is_one_line_of_json(void **state)
{
    struct cell cells[N] = {
        {.text = span_str("a\n\"\xc3\xa9")},
        {.integer = INT64_MIN},
        {.real = 0.1},
        {.integer = 1},
        {.integer = -1},
        {.integer = 1},
        {.integer = -1},
        {.text = span_str("{\"a\":\r\n [1]}")},
    };
    written(cells, "{\"s\":\"a\\n\\\"\\u00e9\",\"i\":-9223372036854775808,"
                   "\"r\":0.10000000000000001,\"b\":true,\"d\":\"1969-12-31\","
                   "\"t\":\"1970-01-01T00:00:00.000001Z\","
                   "\"n\":\"1969-12-31T23:59:59.999999\",\"j\":{\"a\":   [1]}}\n");
    for (size_t i = 0; i < N; i++)
        cells[i].is_null = true;
    written(cells, "{}\n");
    cells[2] = (struct cell){.real = -INFINITY};
    written(cells, "{\"r\":\"-Infinity\"}\n");
    cells[2] = (struct cell){.real = NAN};
    written(cells, "{\"r\":\"NaN\"}\n");
    (void)state;
}

static void values_are_read_as_what_they_are(void **state)
{
    static const struct {
        size_t column;
        const char *text;
        int64_t integer;
        double real;
    } good[] = {
        {1, "-9223372036854775808", INT64_MIN, 0},
        {2, "1e-3", 0, 1e-3},
        {2, "-Infinity", 0, -INFINITY},
        {3, "true", 1, 0},
        {3, "False", 0, 0},
        {4, "1969-12-31", -1, 0},
        {4, "1970-01-02", 1, 0},
        {5, "-1", -1, 0},
        {5, "1.596485206920411E9", INT64_C(1596485206920411), 0},
        {5, "-0.000001", -1, 0},
        {6, "1970-01-01T00:00:00.000001", 1, 0},
        {6, "1970-01-01 00:00:01", 1000000, 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        struct cell cell;
        json_t *value = json_string(good[i].text);
        assert_int_equal(bigquery_read_cell(&cell, &columns[good[i].column], value, NULL), 0);
        assert_false(cell.is_null);
        assert_true(cell.integer == good[i].integer);
        assert_true(cell.real == good[i].real);
        json_decref(value);
    }
    (void)state;
}

static void other_values_are_refused(void **state)
{
    static const struct {
        size_t column;
        const char *text;
    } bad[] = {
        {1, ""},     {1, "1.0"},        {1, "9223372036854775808"},  {1, "1 "},        {2, "one"},
        {3, "yes"},  {4, "1970-02-30"}, {4, "1970-01-01T00:00:00"},  {5, "yesterday"}, {5, "1e30"},
        {5, "nan."}, {6, "1970-01-01"}, {6, "1970-01-01T00:00:00Z"}, {6, ""},
    };
    struct cell cell;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct err err = {0};
        json_t *value = json_string(bad[i].text);
        assert_int_equal(bigquery_read_cell(&cell, &columns[bad[i].column], value, &err), E_FORMAT);
        assert_contains(err.text, columns[bad[i].column].name);
        json_decref(value);
    }
    assert_int_equal(bigquery_read_cell(&cell, &columns[0], NULL, NULL), E_FORMAT);
    json_t *number = json_integer(1);
    assert_int_equal(bigquery_read_cell(&cell, &columns[1], number, NULL), E_FORMAT);
    json_decref(number);
    assert_int_equal(bigquery_read_cell(&cell, &columns[1], json_null(), NULL), 0);
    assert_true(cell.is_null);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_row_is_one_line_of_json),
        cmocka_unit_test(values_are_read_as_what_they_are),
        cmocka_unit_test(other_values_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
