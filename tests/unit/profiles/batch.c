/* SPDX-License-Identifier: MPL-2.0 */
#include "profiles/batch.h"

#include "base/base_test.h"

static void add(struct batch *b, const char *key, size_t value_len)
{
    struct err err = {0};
    uint8_t *value = calloc(1, value_len + 1);
    assert_non_null(value);
    assert_int_equal(batch_add(b, ROW_PUT, span_str(key), span_of(value, value_len), 1000, &err),
                     0);
    free(value);
}

static void a_batch_ends_at_a_thousand_rows(void **state)
{
    (void)state;
    CLEANUP(batch_freep) struct batch *b = batch_new();
    char key[16];
    for (int i = 0; i < PROFILES_BATCH_ROWS; i++) {
        (void)snprintf(key, sizeof key, "%d", i);
        assert_true(batch_has_room(b, strlen(key), 5));
        add(b, key, 5);
    }
    assert_false(batch_has_room(b, 1, 0));
    assert_true(span_equal(batch_key(b, &b->rows[999]), span_str("999")));
    assert_int_equal(batch_value(b, &b->rows[999]).len, 5);
    batch_clear(b);
    assert_true(batch_has_room(b, 1, 0));
    assert_false(batch_may_hold(b, span_str("999")));
}

static void a_batch_ends_at_its_bytes(void **state)
{
    (void)state;
    CLEANUP(batch_freep) struct batch *b = batch_new();
    add(b, "k", PROFILES_BATCH_BYTES - 3);
    assert_true(batch_has_room(b, 1, 1));
    assert_false(batch_has_room(b, 1, 2));
    batch_clear(b);
    assert_true(batch_has_room(b, PROFILES_MAX_KEY, PROFILES_MAX_VALUE)); // alone
    add(b, "k", PROFILES_MAX_VALUE);
    assert_false(batch_has_room(b, 1, 0));
}

static void a_batch_knows_its_keys(void **state)
{
    (void)state;
    CLEANUP(batch_freep) struct batch *b = batch_new();
    char key[16];
    for (int i = 0; i < PROFILES_BATCH_ROWS; i++) {
        (void)snprintf(key, sizeof key, "%d", i % 500);
        add(b, key, 0);
    }
    for (int i = 0; i < 2000; i++) {
        (void)snprintf(key, sizeof key, "%d", i);
        assert_int_equal(batch_may_hold(b, span_str(key)), i < 500);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_batch_ends_at_a_thousand_rows),
        cmocka_unit_test(a_batch_ends_at_its_bytes),
        cmocka_unit_test(a_batch_knows_its_keys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
