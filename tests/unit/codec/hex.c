/* SPDX-License-Identifier: MPL-2.0 */
#include "codec/hex.h"

#include "testing.h"

static void digits_of_any_case_are_read(void **state)
{
    uint8_t out[8];
    assert_true(hex_decode(out, 8, "0123456789abcDEF", 16));
    assert_memory_equal(out, "\x01\x23\x45\x67\x89\xab\xcd\xef", 8);
    (void)state;
}

static void text_is_upper_case_and_terminated(void **state)
{
    char out[9];
    memset(out, 'x', sizeof out);
    hex_encode(out, (const uint8_t *)"\x00\x9a\xbc\xff", 4);
    assert_string_equal(out, "009ABCFF");
    hex_encode(out, NULL, 0);
    assert_string_equal(out, "");
    (void)state;
}

static void every_byte_goes_there_and_back(void **state)
{
    for (unsigned byte = 0; byte < 256; byte++) {
        const uint8_t in = (uint8_t)byte;
        uint8_t back;
        char text[3];
        hex_encode(text, &in, 1);
        assert_true(hex_decode(&back, 1, text, 2));
        assert_int_equal(back, byte);
    }
    (void)state;
}

static void anything_else_is_refused_and_leaves_zeros(void **state)
{
    static const char digits[] = "0123456789abcdefABCDEF";
    for (size_t at = 0; at < 8; at++) {
        for (unsigned c = 0; c < 256; c++) {
            char text[8];
            uint8_t out[4];
            memset(text, '7', sizeof text);
            memset(out, 0xee, sizeof out);
            text[at] = (char)c;
            const bool legal = c != 0 && strchr(digits, (int)c) != NULL;
            assert_int_equal(hex_decode(out, 4, text, 8), legal);
            if (!legal)
                assert_memory_equal(out, "\0\0\0\0", 4);
        }
    }
    (void)state;
}

static void the_length_must_be_exact(void **state)
{
    static const char text[] = "0011223344";
    for (size_t len = 0; len <= 10; len++) {
        uint8_t out[4];
        memset(out, 0xee, sizeof out);
        assert_int_equal(hex_decode(out, 4, text, len), len == 8);
        assert_memory_equal(out, len == 8 ? "\x00\x11\x22\x33" : "\0\0\0\0", 4);
    }
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(digits_of_any_case_are_read),
        cmocka_unit_test(text_is_upper_case_and_terminated),
        cmocka_unit_test(every_byte_goes_there_and_back),
        cmocka_unit_test(anything_else_is_refused_and_leaves_zeros),
        cmocka_unit_test(the_length_must_be_exact),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
