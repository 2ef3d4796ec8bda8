/* SPDX-License-Identifier: MPL-2.0 */
#include "taar/similarity/names.h"

#include "vectors.h"

#include <stdio.h>

enum { MANY = 20000 };

static void texts_keep_their_numbers(void **state)
{
    (void)state;
    CLEANUP(names_deinit) struct names names;
    struct err err = {0};
    names_init(&names);
    for (uint32_t round = 0; round < 2; round++)
        for (uint32_t i = 0; i < MANY; i++) {
            char text[16];
            uint32_t number;
            const int len = i == 0 ? 0 : snprintf(text, sizeof text, "name %u", i);
            assert_done(names_intern(&names, span_of(text, (size_t)len), &number, &err), &err);
            assert_int_equal(number, i);
            assert_true(span_equal(names_get(&names, number), span_of(text, (size_t)len)));
        }
    assert_int_equal(names.n, MANY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(texts_keep_their_numbers)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
