/* SPDX-License-Identifier: MPL-2.0 */
#include "warehouse/bigquery_impl.h"
#include "warehouse_test.h"

static const char *const names[] = {"a", "b", "c", NULL};
static const struct column list = {.name = "list", .type = COLUMN_STRINGS};
static const struct column record = {.name = "tags", .type = COLUMN_RECORD, .fields = names};

static json_t *parse(const char *text)
{
    json_t *json = json_loads(text, JSON_DECODE_ANY, NULL);
    assert_non_null(json);
    return json;
}

static void assert_item(const struct cell *cell, size_t i, const char *want)
{
    assert_true(span_equal(cell->items[i], span_str(want)));
}

static void lists_come_in_their_order(void **state)
{
    struct bigquery_nested nested = {0};
    struct cell cell;
    assert_int_equal(bigquery_nested_init(&nested, &list, NULL, NULL), 0);
    json_t *value = parse("[{\"v\":\"x\"},{\"v\":\"\"},{\"v\":\"z\"}]");
    assert_int_equal(bigquery_read_nested(&nested, &cell, &list, value, NULL), 0);
    assert_int_equal(cell.n_items, 3);
    assert_item(&cell, 0, "x");
    assert_item(&cell, 1, "");
    assert_item(&cell, 2, "z");
    json_decref(value);
    value = parse("[]");
    assert_int_equal(bigquery_read_nested(&nested, &cell, &list, value, NULL), 0);
    assert_int_equal(cell.n_items, 0);
    assert_false(cell.is_null);
    json_decref(value);
    bigquery_nested_deinit(&nested);
    (void)state;
}

/* The table may have more fields, in another order. */
static void records_come_by_name(void **state)
{
    struct bigquery_nested nested = {0};
    struct cell cell;
    json_t *field = parse("{\"fields\":[{\"name\":\"x\"},{\"name\":\"c\"},{\"name\":\"a\"}]}");
    assert_int_equal(bigquery_nested_init(&nested, &record, field, NULL), 0);
    json_t *value = parse("{\"f\":[{\"v\":\"X\"},{\"v\":\"C\"},{\"v\":null}]}");
    assert_int_equal(bigquery_read_nested(&nested, &cell, &record, value, NULL), 0);
    assert_int_equal(cell.n_items, 3);
    assert_null(cell.items[0].ptr);
    assert_null(cell.items[1].ptr);
    assert_item(&cell, 2, "C");
    assert_int_equal(bigquery_read_nested(&nested, &cell, &record, json_null(), NULL), 0);
    assert_true(cell.is_null);
    json_decref(value);
    json_decref(field);
    bigquery_nested_deinit(&nested);
    (void)state;
}

static void other_shapes_are_refused(void **state)
{
    static const struct {
        const struct column *column;
        const char *text;
    } bad[] = {
        {&list, "\"x\""},          {&list, "[\"x\"]"},
        {&list, "[{\"v\":null}]"}, {&list, "[{\"v\":{\"f\":[]}}]"},
        {&record, "[]"},           {&record, "{\"f\":[]}"},
        {&record, "\"x\""},        {&record, "{\"f\":[{\"v\":1},{\"v\":\"x\"},{\"v\":\"y\"}]}"},
    };
    json_t *field = parse("{\"fields\":[{\"name\":\"a\"},{\"name\":\"b\"},{\"name\":\"c\"}]}");
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct bigquery_nested nested = {0};
        struct cell cell;
        struct err err = {0};
        json_t *value = parse(bad[i].text);
        assert_int_equal(bigquery_nested_init(&nested, bad[i].column, field, NULL), 0);
        assert_int_equal(bigquery_read_nested(&nested, &cell, bad[i].column, value, &err),
                         E_FORMAT);
        assert_contains(err.text, bad[i].column->name);
        json_decref(value);
        bigquery_nested_deinit(&nested);
    }
    json_decref(field);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_come_in_their_order),
        cmocka_unit_test(records_come_by_name),
        cmocka_unit_test(other_shapes_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
