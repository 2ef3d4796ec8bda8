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

static void a_row_is_a_line(void **state)
{
    CLEANUP(buf_deinit) struct buf out = BUF_INIT(1000);
    struct cell cells[N];
    for (size_t i = 0; i < N; i++)
        cells[i] = (struct cell){.is_null = true};
    cells[7] = (struct cell){.text = span_str("{\"a\":\r\n [1]}")};
    assert_int_equal(bigquery_write_row(&out, columns, cells, NULL), 0);
    assert_int_equal(buf_append_byte(&out, '\0', NULL), 0);
    assert_string_equal((const char *)out.data, "{\"s\":null,\"i\":null,\"r\":null,\"b\":null,"
                                                "\"d\":null,\"t\":null,\"n\":null,"
                                                "\"j\":{\"a\":[1]}}\n");
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
        cmocka_unit_test(a_row_is_a_line),
        cmocka_unit_test(values_are_read_as_what_they_are),
        cmocka_unit_test(other_values_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
