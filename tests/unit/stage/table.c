/* SPDX-License-Identifier: MPL-2.0 */
#include "stage/table.h"

#include "stage_test.h"

/* Digests of consecutive numbers; splitmix64 stands in for the keyed hash. */
static struct digest digest_of(uint64_t n)
{
    struct digest d;
    for (size_t i = 0; i < DIGEST_BYTES; i += 4) {
        uint64_t z = (n + i * 0x1000000) * UINT64_C(0x9e3779b97f4a7c15) + i;
        z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
        z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
        z ^= z >> 31;
        memcpy(d.bytes + i, &z, 4);
    }
    d.bytes[DIGEST_BYTES - 1] |= 1;
    return d;
}

static void a_key_is_new_once(void **state)
{
    (void)state;
    enum { N = 200000 };
    struct table t;
    table_init(&t, 0);
    for (uint64_t i = 0; i < N; i++) {
        const struct digest d = digest_of(i);
        assert_int_equal(table_put(&t, &d, NULL, NULL), 1);
    }
    for (uint64_t i = 0; i < N; i++) {
        const struct digest d = digest_of(i);
        assert_int_equal(table_put(&t, &d, NULL, NULL), 0);
    }
    assert_int_equal(table_count(&t), N);
    const struct digest absent = digest_of(N);
    assert_null(table_find(&t, &absent));
    table_deinit(&t);
}

static void values_survive_growth(void **state)
{
    (void)state;
    enum { N = 50000 };
    struct table t;
    uint8_t *value;
    table_init(&t, 9);
    for (uint64_t i = 0; i < N; i++) {
        const struct digest d = digest_of(i);
        assert_int_equal(table_put(&t, &d, &value, NULL), 1);
        for (size_t k = 0; k < 9; k++)
            assert_int_equal(value[k], 0);
        memcpy(value, &i, sizeof i);
        value[8] = 0xa5;
    }
    for (uint64_t i = 0; i < N; i++) {
        const struct digest d = digest_of(i);
        value = table_find(&t, &d);
        assert_non_null(value);
        assert_memory_equal(value, &i, sizeof i);
        assert_int_equal(value[8], 0xa5);
    }
    table_deinit(&t);
}

static void keys_that_share_a_home_are_kept_apart(void **state)
{
    // The worst that a table can meet: one segment, one home, wrapping around at the end.
    (void)state;
    struct table t;
    uint8_t *value;
    table_init(&t, 1);
    for (int i = 0; i < 100; i++) {
        struct digest d = {{7, 0xff, 0xff, 0xff, 0xff}};
        d.bytes[DIGEST_BYTES - 1] = (uint8_t)(i + 1);
        assert_int_equal(table_put(&t, &d, &value, NULL), 1);
        *value = (uint8_t)i;
    }
    for (int i = 0; i < 100; i++) {
        struct digest d = {{7, 0xff, 0xff, 0xff, 0xff}};
        d.bytes[DIGEST_BYTES - 1] = (uint8_t)(i + 1);
        assert_int_equal(*table_find(&t, &d), i);
    }
    table_deinit(&t);
}

static void memory_stays_below_19_bytes_a_key(void **state)
{
    // prio-v1.md 16.9 allows 48 bytes a record in verify1, which keeps two keys of each record.
    (void)state;
    struct table t;
    table_init(&t, 0);
    uint64_t i = 0;
    for (uint64_t n = 20000; n <= 320000; n += 4999) {
        for (; i < n; i++) {
            const struct digest d = digest_of(i);
            assert_int_equal(table_put(&t, &d, NULL, NULL), 1);
        }
        assert_true(table_bytes(&t) < 19 * n);
    }
    table_deinit(&t);
}

static void an_emptied_table_can_be_used_again(void **state)
{
    (void)state;
    struct table t;
    const struct digest d = digest_of(1);
    table_init(&t, 3);
    assert_null(table_find(&t, &d));
    assert_int_equal(table_put(&t, &d, NULL, NULL), 1);
    table_deinit(&t);
    assert_int_equal(table_bytes(&t), 0);
    assert_int_equal(table_put(&t, &d, NULL, NULL), 1);
    assert_int_equal(table_count(&t), 1);
    table_deinit(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_is_new_once),
        cmocka_unit_test(values_survive_growth),
        cmocka_unit_test(keys_that_share_a_home_are_kept_apart),
        cmocka_unit_test(memory_stays_below_19_bytes_a_key),
        cmocka_unit_test(an_emptied_table_can_be_used_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
