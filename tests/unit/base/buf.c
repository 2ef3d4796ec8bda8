/* SPDX-License-Identifier: MPL-2.0 */
#include "base/buf.h"

#include "base_test.h"

static void appends_add_up(void **state)
{
    CLEANUP(buf_deinit) struct buf b = BUF_INIT(1000);
    assert_int_equal(buf_append(&b, "abc", 3, NULL), 0);
    assert_int_equal(buf_append_str(&b, "de", NULL), 0);
    assert_int_equal(buf_append_byte(&b, 0, NULL), 0);
    assert_int_equal(buf_printf(&b, NULL, "%d-%s", 42, "x"), 0);
    assert_int_equal(b.len, 10);
    assert_memory_equal(b.data, "abcde\00042-x", 10);
    assert_true(span_equal(buf_span(&b), span_of("abcde\00042-x", 10)));
    (void)state;
}

static void nothing_appended_to_nothing_is_fine(void **state)
{
    CLEANUP(buf_deinit) struct buf b = BUF_INIT(0);
    assert_int_equal(buf_append(&b, NULL, 0, NULL), 0);
    assert_int_equal(buf_append_str(&b, "", NULL), 0);
    assert_int_equal(buf_printf(&b, NULL, "%s", ""), 0);
    assert_int_equal(buf_reserve(&b, 0, NULL), 0);
    buf_clear(&b);
    assert_int_equal(b.len, 0);
    (void)state;
}

static void the_ceiling_is_reached_exactly_and_never_passed(void **state)
{
    for (size_t max = 1; max < 300; max++) {
        CLEANUP(buf_deinit) struct buf b = BUF_INIT(max);
        struct err err = {0};
        for (size_t i = 0; i < max; i++) {
            assert_int_equal(buf_append_byte(&b, (uint8_t)i, &err), 0);
            assert_true(b.len <= b.cap && b.cap <= max);
        }
        assert_int_equal(buf_append_byte(&b, 1, &err), E_NOMEM);
        assert_int_equal(buf_printf(&b, &err, "x"), E_NOMEM);
        assert_int_equal(b.len, max);
        for (size_t i = 0; i < max; i++)
            assert_int_equal(b.data[i], (uint8_t)i);
    }
    (void)state;
}

static void printf_fits_to_the_last_byte(void **state)
{
    for (size_t max = 60; max < 70; max++) {
        CLEANUP(buf_deinit) struct buf b = BUF_INIT(max);
        assert_int_equal(buf_printf(&b, NULL, "%0*d", (int)max, 7), 0);
        assert_int_equal(b.len, max);
        assert_int_equal(b.data[max - 1], '7');
        buf_clear(&b);
        assert_int_equal(buf_printf(&b, NULL, "%0*d", (int)max + 1, 7), E_NOMEM);
        assert_int_equal(b.len, 0);
    }
    (void)state;
}

static void printf_grows_over_what_is_there(void **state)
{
    CLEANUP(buf_deinit) struct buf b = BUF_INIT(1 << 16);
    char want[3000];
    size_t len = 0;
    for (int i = 0; i < 500; i++) {
        assert_int_equal(buf_printf(&b, NULL, "%d,", i), 0);
        len += (size_t)snprintf(want + len, sizeof want - len, "%d,", i);
    }
    assert_int_equal(b.len, len);
    assert_memory_equal(b.data, want, len);
    (void)state;
}

static void a_refused_reserve_changes_nothing(void **state)
{
    static const size_t too_much[] = {98, 1000, SIZE_MAX / 2, SIZE_MAX - 3, SIZE_MAX};
    CLEANUP(buf_deinit) struct buf b = BUF_INIT(100);
    assert_int_equal(buf_append(&b, "abc", 3, NULL), 0);
    const struct buf before = b;
    for (size_t i = 0; i < ARRAY_LEN(too_much); i++) {
        struct err err = {0};
        assert_int_equal(buf_reserve(&b, too_much[i], &err), E_NOMEM);
        assert_int_equal(err.code, E_NOMEM);
        assert_memory_equal(&b, &before, sizeof b);
        assert_memory_equal(b.data, "abc", 3);
    }
    assert_int_equal(buf_reserve(&b, 97, NULL), 0);
    (void)state;
}

static void growth_is_geometric(void **state)
{
    CLEANUP(buf_deinit) struct buf b = BUF_INIT((size_t)1 << 20);
    unsigned n_growths = 0;
    size_t cap = 0;
    for (size_t i = 0; i < (size_t)1 << 20; i++) {
        assert_int_equal(buf_append_byte(&b, 1, NULL), 0);
        n_growths += b.cap != cap;
        cap = b.cap;
    }
    assert_true(n_growths <= 16);
    (void)state;
}

static void reserve_makes_room_at_once(void **state)
{
    CLEANUP(buf_deinit) struct buf b = BUF_INIT(10000);
    assert_int_equal(buf_reserve(&b, 5000, NULL), 0);
    const uint8_t *block = b.data;
    for (int i = 0; i < 5000; i++)
        assert_int_equal(buf_append_byte(&b, 1, NULL), 0);
    assert_ptr_equal(b.data, block);
    (void)state;
}

static void clear_keeps_the_memory_and_wipes_secrets(void **state)
{
    CLEANUP(buf_deinit) struct buf b = BUF_INIT_SECRET(100);
    assert_int_equal(buf_append_str(&b, "hunter2", NULL), 0);
    const uint8_t *block = b.data;
    buf_clear(&b);
    assert_int_equal(b.len, 0);
    assert_ptr_equal(b.data, block);
    assert_memory_equal(block, "\0\0\0\0\0\0", 7);
    (void)state;
}

static void secret_contents_survive_growth(void **state)
{
    CLEANUP(buf_deinit) struct buf b = BUF_INIT_SECRET(5000);
    for (int i = 0; i < 5000; i++)
        assert_int_equal(buf_append_byte(&b, (uint8_t)(i * 7), NULL), 0);
    for (int i = 0; i < 5000; i++)
        assert_int_equal(b.data[i], (uint8_t)(i * 7));
    (void)state;
}

static void deinit_leaves_an_empty_buf_with_the_same_ceiling(void **state)
{
    struct buf b = BUF_INIT_SECRET(77);
    assert_int_equal(buf_append_str(&b, "x", NULL), 0);
    buf_deinit(&b);
    assert_null(b.data);
    assert_int_equal(b.len, 0);
    assert_int_equal(b.cap, 0);
    assert_int_equal(b.max, 77);
    assert_true(b.secret);
    buf_deinit(&b);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(appends_add_up),
        cmocka_unit_test(nothing_appended_to_nothing_is_fine),
        cmocka_unit_test(the_ceiling_is_reached_exactly_and_never_passed),
        cmocka_unit_test(printf_fits_to_the_last_byte),
        cmocka_unit_test(printf_grows_over_what_is_there),
        cmocka_unit_test(a_refused_reserve_changes_nothing),
        cmocka_unit_test(growth_is_geometric),
        cmocka_unit_test(reserve_makes_room_at_once),
        cmocka_unit_test(clear_keeps_the_memory_and_wipes_secrets),
        cmocka_unit_test(secret_contents_survive_growth),
        cmocka_unit_test(deinit_leaves_an_empty_buf_with_the_same_ceiling),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
