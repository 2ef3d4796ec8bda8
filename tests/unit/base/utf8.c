/* SPDX-License-Identifier: MPL-2.0 */
#include "base/utf8.h"

#include "base/compiler.h"
#include "base_test.h"

static void characters_are_as_long_as_rfc_3629_says(void **state)
{
    static const struct {
        const char *bytes;
        size_t len, n;
    } cases[] = {
        {"a", 1, 1},
        {"\0", 1, 1},
        {"\x7f", 1, 1},
        {"\xc2\x80", 2, 2},
        {"\xe0\xa0\x80", 3, 3},
        {"\xed\x9f\xbf", 3, 3},
        {"\xf0\x90\x80\x80", 4, 4},
        {"\xf4\x8f\xbf\xbf!", 5, 4},
        {"\x80", 1, 0},             // a tail alone
        {"\xc1\xbf", 2, 0},         // longer than needed
        {"\xe0\x9f\xbf", 3, 0},     //
        {"\xf0\x8f\xbf\xbf", 4, 0}, //
        {"\xed\xa0\x80", 3, 0},     // a surrogate
        {"\xf4\x90\x80\x80", 4, 0}, // beyond U+10FFFF
        {"\xe2\x82", 2, 0},         // cut off
        {"\xc3(", 2, 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_int_equal(utf8_length((const unsigned char *)cases[i].bytes, cases[i].len),
                         cases[i].n);
    (void)state;
}

static void a_text_is_valid_when_each_character_is(void **state)
{
    assert_true(utf8_is_valid(span_str("")));
    assert_true(utf8_is_valid(span_str("\xe2\x82\xac and $")));
    assert_false(utf8_is_valid(span_str("fine until \xff")));
    assert_false(utf8_is_valid(span_str("cut \xe2\x82")));
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(characters_are_as_long_as_rfc_3629_says),
        cmocka_unit_test(a_text_is_valid_when_each_character_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
