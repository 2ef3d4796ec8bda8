/* SPDX-License-Identifier: MPL-2.0 */
#include "base/buf.h"
#include "codec/record.h"
#include "warehouse_test.h"

#include <jansson.h>
#include <math.h>

static const char *const fields[] = {"os", "a\"b", NULL};
static const struct column columns[] = {
    {.name = "s", .type = COLUMN_STRING},
    {.name = "i", .type = COLUMN_INT64},
    {.name = "r", .type = COLUMN_DOUBLE},
    {.name = "b", .type = COLUMN_BOOL},
    {.name = "d", .type = COLUMN_DATE},
    {.name = "t", .type = COLUMN_TIMESTAMP},
    {.name = "n", .type = COLUMN_DATETIME},
    {.name = "j", .type = COLUMN_JSON},
    {.name = "list", .type = COLUMN_STRINGS},
    {.name = "o", .type = COLUMN_RECORD, .fields = fields},
    {.name = NULL},
};
enum { N = 10 };

static void says(const struct column *cols, const struct cell *cells, const char *want)
{
    CLEANUP(buf_deinit) struct buf out = BUF_INIT(10000);
    assert_int_equal(warehouse_row_json(&out, cols, cells, NULL), 0);
    assert_int_equal(buf_append_byte(&out, '\0', NULL), 0);
    assert_string_equal((const char *)out.data, want);
}

static void every_column_is_a_member(void **state)
{
    const struct span list[] = {span_str("x"), span_str("")};
    const struct span record[] = {span_str("linux"), span_of(NULL, 0)};
    struct cell cells[N] = {
        {.text = span_str("\xc3\xa9\xf0\x9f\xa6\x8a\n\"\\\x7f")},
        {.integer = INT64_MIN},
        {.real = 2.5},
        {.integer = 1},
        {.integer = -1},
        {.integer = 1},
        {.integer = -1},
        {.text = span_str(" {\"a\" :\n[1, 2.50, \"\\u0041\\/ \xc3\xa9\"] , \"n\": null}")},
        {.items = list, .n_items = 2},
        {.items = record, .n_items = 2},
    };
    says(columns, cells,
         "{\"s\":\"\\u00e9\\ud83e\\udd8a\\n\\\"\\\\\\u007f\",\"i\":-9223372036854775808,\"r\":2.5,"
         "\"b\":true,\"d\":\"1969-12-31\",\"t\":\"1970-01-01T00:00:00.000001Z\","
         "\"n\":\"1969-12-31T23:59:59.999999\",\"j\":{\"a\":[1,2.50,\"A/ \\u00e9\"],\"n\":null},"
         "\"list\":[\"x\",\"\"],\"o\":{\"os\":\"linux\",\"a\\\"b\":null}}");
    cells[8].n_items = 0;
    for (int i = 0; i < N; i++)
        cells[i].is_null = i != 8;
    says(columns, cells,
         "{\"s\":null,\"i\":null,\"r\":null,\"b\":null,\"d\":null,\"t\":null,\"n\":null,\"j\":null,"
         "\"list\":[],\"o\":null}");
    (void)state;
}

/* As Python's json.dumps spells them. */
static void doubles_read_back_the_same(void **state)
{
    static const struct {
        double x;
        const char *text;
    } cases[] = {
        {0, "0.0"},
        {-0.0, "-0.0"},
        {3600, "3600.0"},
        {0.1, "0.1"},
        {1.0 / 3, "0.3333333333333333"},
        {0.1 + 0.2, "0.30000000000000004"},
        {49143.58, "49143.58"},
        {1e15, "1000000000000000.0"},
        {9007199254740993e0, "9007199254740992.0"},
        {1e16, "1e+16"},
        {12345678901234567e0, "1.2345678901234568e+16"},
        {1e23, "1e+23"},
        {1e-5, "1e-05"},
        {0.0001, "0.0001"},
        {5e-324, "5e-324"},
        {1.7976931348623157e308, "1.7976931348623157e+308"},
        {NAN, "\"NaN\""},
        {-INFINITY, "\"-Infinity\""},
    };
    static const struct column one[] = {{.name = "r", .type = COLUMN_DOUBLE}, {.name = NULL}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char want[64];
        (void)snprintf(want, sizeof want, "{\"r\":%s}", cases[i].text);
        says(one, &(struct cell){.real = cases[i].x}, want);
    }
    (void)state;
}

/* A row of the vectors: texts are strings, null is null, anything else JSON. */
static size_t row_bytes(const json_t *row)
{
    struct column cols[8] = {{.name = NULL}};
    struct cell cells[8];
    char *texts[8] = {NULL};
    size_t n = 0;
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)row, name, value)
    {
        assert_in_range(n, 0, 6);
        texts[n] = json_dumps(value, JSON_ENCODE_ANY);
        cols[n] = (struct column){.name = name,
                                  .type = json_is_string(value) ? COLUMN_STRING : COLUMN_JSON};
        cells[n] = (struct cell){.is_null = json_is_null(value),
                                 .text = json_is_string(value) ? span_of(json_string_value(value),
                                                                         json_string_length(value))
                                                               : span_str(texts[n])};
        n++;
    }
    cols[n].name = NULL;
    CLEANUP(buf_deinit) struct buf out = BUF_INIT(100000);
    assert_int_equal(warehouse_row_json(&out, cols, cells, NULL), 0);
    for (size_t i = 0; i < n; i++)
        free(texts[i]);
    return out.len;
}

static void sizes_are_those_of_the_vectors(void **state)
{
    json_t *cases = json_load_file(WEIR_VECTORS "/fxci/batching.json", 0, NULL);
    size_t i, k, n_rows = 0;
    json_t *c, *row;
    assert_non_null(cases);
    json_array_foreach(cases, i, c)
    {
        json_array_foreach(json_object_get(c, "rows"), k, row)
        {
            assert_int_equal(row_bytes(row), json_integer_value(json_array_get(
                                                 json_object_get(c, "row_bytes"), k)));
            n_rows++;
        }
    }
    assert_true(n_rows > 10);
    json_decref(cases);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_column_is_a_member),
        cmocka_unit_test(doubles_read_back_the_same),
        cmocka_unit_test(sizes_are_those_of_the_vectors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
