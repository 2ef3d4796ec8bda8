/* SPDX-License-Identifier: MPL-2.0 */
#include "base/secret.h"

#include "base_test.h"

static void wipe_overwrites_exactly_n_bytes(void **state)
{
    char text[] = "0123456789";
    secret_wipe(text + 2, 5);
    assert_memory_equal(text, "01\0\0\0\0\000789", 11);
    secret_wipe(NULL, 0);
    secret_wipe(text, 0);
    assert_int_equal(text[0], '0');
    (void)state;
}

static void a_difference_anywhere_is_seen(void **state)
{
    uint8_t a[67], b[67];
    for (size_t n = 0; n <= sizeof a; n++) {
        memset(a, 0x5a, sizeof a);
        memset(b, 0x5a, sizeof b);
        assert_true(secret_equal(a, b, n));
        for (size_t bit = 0; bit < 8 * n; bit++) {
            b[bit / 8] ^= (uint8_t)(1u << bit % 8);
            assert_false(secret_equal(a, b, n));
            b[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
        if (n < sizeof a)
            b[n] ^= 0xff;
        assert_true(secret_equal(a, b, n));
    }
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wipe_overwrites_exactly_n_bytes),
        cmocka_unit_test(a_difference_anywhere_is_seen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
