/* SPDX-License-Identifier: MPL-2.0 */
#include "base/err.h"

#include "base_test.h"

#include <errno.h>

static void set_returns_the_code_and_keeps_the_native_error(void **state)
{
    struct err err = {0};
    assert_int_equal(err_set(&err, E_FORMAT, 7, "line %d", 12), E_FORMAT);
    assert_int_equal(err.code, E_FORMAT);
    assert_int_equal(err.native, 7);
    assert_string_equal(err.text, "line 12");
    (void)state;
}

static void io_errors_end_with_the_system_text(void **state)
{
    struct err err = {0};
    assert_int_equal(err_set(&err, E_IO, ENOENT, "open %s", "x"), E_IO);
    assert_string_equal(err.text, "open x: No such file or directory");
    (void)err_set(&err, E_IO, 0, "closed early");
    assert_string_equal(err.text, "closed early");
    (void)err_set(&err, E_ARG, ENOENT, "no %s", "x");
    assert_string_equal(err.text, "no x");
    (void)state;
}

static void wrap_puts_the_outer_words_in_front(void **state)
{
    struct err err = {0};
    (void)err_set(&err, E_FORMAT, 0, "bad number");
    assert_int_equal(err_wrap(&err, E_FORMAT, "line %d", 3), E_FORMAT);
    assert_int_equal(err_wrap(&err, E_FORMAT, "%s", "file x"), E_FORMAT);
    assert_string_equal(err.text, "file x: line 3: bad number");
    assert_int_equal(err.code, E_FORMAT);
    (void)state;
}

static void wrap_of_an_empty_text_has_no_colon(void **state)
{
    struct err err = {0};
    assert_int_equal(err_wrap(&err, E_IO, "batch"), E_IO);
    assert_string_equal(err.text, "batch");
    (void)state;
}

static void null_is_accepted(void **state)
{
    assert_int_equal(err_set(NULL, E_IO, EIO, "x"), E_IO);
    assert_int_equal(err_wrap(NULL, E_AGAIN, "x"), E_AGAIN);
    (void)state;
}

static void the_old_text_may_be_an_argument(void **state)
{
    struct err err = {0};
    (void)err_set(&err, E_ARG, 0, "inner");
    (void)err_set(&err, E_IO, ENOENT, "outer (%s)", err.text);
    assert_string_equal(err.text, "outer (inner): No such file or directory");
    (void)err_wrap(&err, E_IO, "[%s]", err.text);
    assert_string_equal(err.text, "[outer (inner): No such file or directory]: "
                                  "outer (inner): No such file or directory");
    (void)state;
}

static void a_long_message_keeps_its_system_text(void **state)
{
    char path[2000];
    memset(path, 'p', sizeof path - 1);
    path[sizeof path - 1] = '\0';
    struct err err = {0};
    (void)err_set(&err, E_IO, ENOENT, "open %s", path);
    assert_true(strlen(err.text) < ERR_TEXT_BYTES);
    assert_true(strlen(err.text) > ERR_TEXT_BYTES - 8);
    assert_int_equal(strncmp(err.text, "open ppp", 8), 0);
    assert_contains(err.text, "ppp...: No such file or directory");
    (void)state;
}

static void when_full_the_cause_stays_and_the_outer_words_go(void **state)
{
    struct err err = {0};
    (void)err_set(&err, E_FORMAT, 0, "THE CAUSE");
    for (int i = 0; i < 200; i++)
        (void)err_wrap(&err, E_FORMAT, "layer %d", i);
    const size_t len = strlen(err.text);
    assert_true(len < ERR_TEXT_BYTES);
    assert_true(len > ERR_TEXT_BYTES - 8);
    assert_int_equal(strncmp(err.text, "...", 3), 0);
    assert_string_equal(err.text + len - strlen(": layer 0: THE CAUSE"), ": layer 0: THE CAUSE");
    (void)state;
}

static void every_length_fits_exactly_or_is_cut(void **state)
{
    char word[600];
    for (size_t len = 440; len < 500; len++) {
        memset(word, 'w', len);
        word[len] = '\0';
        struct err err = {0};
        (void)err_set(&err, E_ARG, 0, "%s", word);
        assert_int_equal(strlen(err.text), len < ERR_TEXT_BYTES ? len : ERR_TEXT_BYTES - 1);
        (void)err_set(&err, E_ARG, 0, "cause");
        (void)err_wrap(&err, E_ARG, "%s", word);
        assert_true(strlen(err.text) < ERR_TEXT_BYTES);
        assert_string_equal(err.text + strlen(err.text) - 5, "cause");
        assert_int_equal(strncmp(err.text, "...", 3) == 0, len + 7 >= ERR_TEXT_BYTES);
    }
    (void)state;
}

static void characters_are_not_cut_in_two(void **state)
{
    char word[1200];
    for (size_t shift = 0; shift < 4; shift++) {
        memset(word, 'x', shift);
        for (size_t i = shift; i + 3 < sizeof word; i += 3)
            memcpy(word + i, "\u20ac", 4);
        struct err err = {0};
        (void)err_set(&err, E_ARG, 0, "%s", word);
        // What stands before the dots is whole characters of three bytes.
        assert_int_equal((strlen(err.text) - 3 - shift) % 3, 0);
        (void)err_set(&err, E_ARG, 0, "%.*s", 450 + (int)shift, word);
        (void)err_wrap(&err, E_ARG, "%.300s", word + shift);
        assert_int_equal((unsigned char)err.text[3], 0xe2);
    }
    (void)state;
}

static void every_code_has_its_own_name(void **state)
{
    for (int a = E_CRYPTO; a <= 0; a++) {
        for (int b = E_CRYPTO; b < a; b++)
            assert_string_not_equal(err_name(a), err_name(b));
    }
    assert_string_equal(err_name(E_IO), "io");
    assert_string_equal(err_name(E_FORMAT), "format");
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(set_returns_the_code_and_keeps_the_native_error),
        cmocka_unit_test(io_errors_end_with_the_system_text),
        cmocka_unit_test(wrap_puts_the_outer_words_in_front),
        cmocka_unit_test(wrap_of_an_empty_text_has_no_colon),
        cmocka_unit_test(null_is_accepted),
        cmocka_unit_test(the_old_text_may_be_an_argument),
        cmocka_unit_test(a_long_message_keeps_its_system_text),
        cmocka_unit_test(when_full_the_cause_stays_and_the_outer_words_go),
        cmocka_unit_test(every_length_fits_exactly_or_is_cut),
        cmocka_unit_test(characters_are_not_cut_in_two),
        cmocka_unit_test(every_code_has_its_own_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
