/* SPDX-License-Identifier: MPL-2.0 */
#include "warehouse/batching.h"

#include "base/buf.h"
#include "codec/record.h"
#include "warehouse_test.h"

#include <jansson.h>

static size_t size_of(const json_t *object, const char *key)
{
    return (size_t)json_integer_value(json_object_get(object, key));
}

/* What a row is as it is sent. */
static size_t measure(const json_t *row)
{
    CLEANUP(buf_deinit) struct buf out = BUF_INIT(10000);
    char *text = json_dumps(row, 0); // with blanks, and not in ASCII
    assert_non_null(text);
    assert_int_equal(json_write_compact(&out, span_str(text), NULL), 0);
    free(text);
    return out.len;
}

struct cut {
    json_t *batches, *too_large;
};

static void take(struct cut *cut, unsigned flags, size_t row)
{
    if (flags & BATCHING_CLOSES)
        assert_int_equal(json_array_append_new(cut->batches, json_array()), 0);
    json_t *last = json_array_get(cut->batches, json_array_size(cut->batches) - 1);
    if (flags & BATCHING_TOO_LARGE)
        last = cut->too_large;
    assert_int_equal(json_array_append_new(last, json_integer((json_int_t)row)), 0);
}

/* Of the last request nobody says that it is open. */
static void drop_empty(json_t *batches)
{
    const size_t n = json_array_size(batches);
    if (json_array_size(json_array_get(batches, n - 1)) == 0)
        assert_int_equal(json_array_remove(batches, n - 1), 0);
}

static void check(const json_t *c)
{
    const json_t *rows = json_object_get(c, "rows");
    struct batching batching = {.max_rows = size_of(c, "max_rows"),
                                .max_bytes = size_of(c, "max_batch_bytes"),
                                .max_row_bytes = size_of(c, "max_row_bytes")};
    struct cut cut = {json_pack("[[]]"), json_array()};
    for (size_t i = 0; i < json_array_size(rows); i++) {
        const size_t n = measure(json_array_get(rows, i));
        assert_int_equal(n, json_integer_value(json_array_get(json_object_get(c, "row_bytes"), i)));
        take(&cut, batching_add(&batching, n), i);
    }
    drop_empty(cut.batches);
    if (!json_equal(cut.batches, json_object_get(c, "batches")) ||
        !json_equal(cut.too_large, json_object_get(c, "too_large")))
        fail_msg("%s", json_string_value(json_object_get(c, "case")));
    json_decref(cut.batches);
    json_decref(cut.too_large);
}

static void the_vectors_hold(void **state)
{
    json_t *cases = json_load_file(WEIR_VECTORS "/fxci/batching.json", 0, NULL);
    assert_true(json_array_size(cases) > 0);
    for (size_t i = 0; i < json_array_size(cases); i++)
        check(json_array_get(cases, i));
    json_decref(cases);
    (void)state;
}

/* A row may be larger than what several share. */
static void a_large_row_goes_alone(void **state)
{
    struct batching b = {.max_rows = 10, .max_bytes = 10, .max_row_bytes = 100};
    assert_int_equal(batching_add(&b, 5), 0);
    assert_int_equal(batching_add(&b, 100), BATCHING_CLOSES);
    assert_int_equal(batching_add(&b, 1), BATCHING_CLOSES);
    assert_int_equal(batching_add(&b, 101), BATCHING_CLOSES | BATCHING_TOO_LARGE);
    assert_int_equal(batching_add(&b, 101), BATCHING_TOO_LARGE);
    assert_int_equal(batching_add(&b, 10), 0);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_vectors_hold),
        cmocka_unit_test(a_large_row_goes_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
