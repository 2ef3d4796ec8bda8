/* SPDX-License-Identifier: MPL-2.0 */
#include "codec/uuid.h"

#include "testing.h"

static void version_and_variant_are_set(void **state)
{
    uint8_t random[16];
    char text[UUID_TEXT_BYTES];
    memset(random, 0x00, sizeof random);
    uuid4_format(text, random);
    assert_string_equal(text, "00000000-0000-4000-8000-000000000000");
    memset(random, 0xff, sizeof random);
    uuid4_format(text, random);
    assert_string_equal(text, "ffffffff-ffff-4fff-bfff-ffffffffffff");
    uuid8_format(text, random);
    assert_string_equal(text, "ffffffff-ffff-8fff-bfff-ffffffffffff");
    (void)state;
}

static void bytes_appear_in_order(void **state)
{
    uint8_t random[16];
    char text[UUID_TEXT_BYTES];
    for (int i = 0; i < 16; i++)
        random[i] = (uint8_t)(0x11 * i);
    uuid4_format(text, random);
    assert_string_equal(text, "00112233-4455-4677-8899-aabbccddeeff");
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(version_and_variant_are_set),
        cmocka_unit_test(bytes_appear_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
