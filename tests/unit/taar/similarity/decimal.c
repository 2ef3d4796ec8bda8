/* SPDX-License-Identifier: MPL-2.0 */
#include "taar/similarity/decimal.h"

#include "vectors.h"

static void assert_plain(const char *text, const char *want)
{
    CLEANUP(buf_deinit) struct buf out = BUF_INIT(4096);
    struct err err = {0};
    assert_int_equal(decimal_plain(&out, span_str(text), &err), want != NULL);
    if (want && !span_equal(buf_span(&out), span_str(want)))
        fail_msg("%s: %.*s is not %s", text, (int)out.len, (const char *)out.data, want);
}

static void decimals_are_plain(void **state)
{
    (void)state;
    JSON *cases = vector("decimals.json");
    size_t i;
    json_t *c;
    json_array_foreach(cases, i, c) assert_plain(json_string_value(json_object_get(c, "numeric")),
                                                 json_string_value(json_object_get(c, "json")));
    assert_plain("1e-05", "0.00001");
    assert_plain("+1.5E2", "150");
    assert_plain("-0.000", "0");
    assert_plain(".5", "0.5");
    assert_plain("12345678901234567890123456789.123456789",
                 "12345678901234567890123456789.123456789");
}

static void what_is_no_number_is_refused(void **state)
{
    static const char *const texts[] = {"",   "-",     ".",   "nan",   "inf",     "1e",
                                        "1 ", "1.2.3", "0x1", "1e400", "1e-1000", "1e5x"};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        assert_plain(texts[i], NULL);
}

static void hours_become_whole_seconds(void **state)
{
    static const struct {
        const char *hours;
        int64_t seconds;
    } cases[] = {
        {"0", 0},
        {"1.05", 3780},
        {"10.5", 37800},
        {"0.003055556", 11},
        {"0.000138888", 0}, // 0.4999968 s
        {"0.00013888888888888888889", 1},
        {"0.0001388888888888888888", 0},
        {"0.000416666666666666666666667", 2}, // a half goes away from zero
        {"-3.25", -11700},
        {"-0.000416666666666666666666667", -2},
        {"2562047788015215.501944444", INT64_MAX},
        {"-2562047788015215.50222222", INT64_MIN},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        int64_t seconds = 0;
        assert_true(decimal_seconds(&seconds, span_str(cases[i].hours)));
        assert_int_equal(seconds, cases[i].seconds);
    }
}

static void seconds_that_do_not_fit_are_none(void **state)
{
    static const char *const texts[] = {"2562047788015216", "-2562047788015216",
                                        "99999999999999999999999999999",
                                        "2562047788015215.502222222"};
    int64_t seconds;
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        assert_false(decimal_seconds(&seconds, span_str(texts[i])));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decimals_are_plain),
        cmocka_unit_test(what_is_no_number_is_refused),
        cmocka_unit_test(hours_become_whole_seconds),
        cmocka_unit_test(seconds_that_do_not_fit_are_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
