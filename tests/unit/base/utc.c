/* SPDX-License-Identifier: MPL-2.0 */
#include "base/utc.h"

#include "base_test.h"

#include <time.h>

static void known_times_are_read_and_written(void **state)
{
    static const struct {
        const char *text;
        int64_t us;
    } known[] = {
        {"1970-01-01T00:00:00.000000Z", 0},
        {"1969-12-31T23:59:59.999999Z", -1},
        {"2020-08-03T20:06:46.920410Z", INT64_C(1596485206920410)},
        {"2026-08-20T04:30:00.000000Z", INT64_C(1787200200000000)},
        {"2000-02-29T12:00:00.000001Z", INT64_C(951825600000001)},
        {"2000-03-01T00:00:00.000000Z", INT64_C(951868800000000)},
        {"1900-03-01T00:00:00.000000Z", INT64_C(-2203891200000000)},
        {"2038-01-19T03:14:08.000000Z", INT64_C(2147483648000000)},
        {"0000-01-01T00:00:00.000000Z", INT64_C(-62167219200000000)},
        {"9999-12-31T23:59:59.999999Z", INT64_C(253402300799999999)},
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        int64_t us = 1;
        char text[UTC_TEXT_BYTES];
        assert_int_equal(utc_parse(&us, known[i].text, NULL), 0);
        assert_true(us == known[i].us);
        utc_format(text, us);
        assert_string_equal(text, known[i].text);
    }
    (void)state;
}

static void every_day_agrees_with_the_c_library(void **state)
{
    for (int64_t day = -719528; day < 2932896; day += day % 365 == 0 ? 1 : 37) {
        const time_t seconds = (time_t)(day * 86400 + 3723);
        struct tm tm;
        char want[64], got[UTC_TEXT_BYTES];
        assert_non_null(gmtime_r(&seconds, &tm));
        (void)snprintf(want, sizeof want, "%04d-%02d-%02dT01:02:03.000004", tm.tm_year + 1900,
                       tm.tm_mon + 1, tm.tm_mday);
        const int64_t us = (int64_t)seconds * 1000000 + 4;
        utc_format_naive(got, us);
        assert_string_equal(got, want);
        int64_t back = 0;
        utc_format(got, us);
        assert_int_equal(utc_parse(&back, got, NULL), 0);
        assert_true(back == us);
    }
    (void)state;
}

static void decimals_may_be_fewer_than_six(void **state)
{
    static const struct {
        const char *text;
        int64_t us;
    } known[] = {
        {"1970-01-01T00:00:01Z", 1000000},       {"1970-01-01T00:00:01.5Z", 1500000},
        {"1970-01-01T00:00:01.05Z", 1050000},    {"1970-01-01T00:00:01.000001Z", 1000001},
        {"1970-01-01T00:00:00.999999Z", 999999},
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        int64_t us = 0;
        assert_int_equal(utc_parse(&us, known[i].text, NULL), 0);
        assert_true(us == known[i].us);
    }
    (void)state;
}

static void other_texts_are_refused_by_name(void **state)
{
    static const char *const bad[] = {
        "",
        "2026",
        "2026-08-20",
        "2026-08-20T04:30:00",
        "2026-08-20T04:30:00z",
        "2026-08-20 04:30:00Z",
        "2026-08-20T04:30:00+00:00",
        "2026-08-20T04:30:00.Z",
        "2026-08-20T04:30:00.1234567Z",
        "2026-08-20T04:30:00ZZ",
        " 2026-08-20T04:30:00Z",
        "2026-8-20T04:30:00Z",
        "2026-00-20T04:30:00Z",
        "2026-13-20T04:30:00Z",
        "2026-08-00T04:30:00Z",
        "2026-04-31T04:30:00Z",
        "2026-08-32T04:30:00Z",
        "2026-02-29T04:30:00Z",
        "1900-02-29T04:30:00Z",
        "2024-02-30T04:30:00Z",
        "2026-08-20T24:00:00Z",
        "2026-08-20T04:60:00Z",
        "2026-08-20T04:30:60Z",
        "+026-08-20T04:30:00Z",
        "2026-08-20T04:30:0",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        int64_t us = 5;
        struct err err = {0};
        if (utc_parse(&us, bad[i], &err) != E_ARG)
            fail_msg("accepted \"%s\"", bad[i]);
        assert_true(us == 5);
        assert_contains(err.text, bad[i]);
    }
    (void)state;
}

static void times_of_strangers_are_read(void **state)
{
    static const struct {
        const char *text;
        int64_t us;
    } known[] = {
        {"2026-08-20T04:30:00Z", INT64_C(1787200200000000)},
        {"2026-08-20T04:30:00.1Z", INT64_C(1787200200100000)},
        {"2026-08-20T04:30:00.1234569999999999999999Z", INT64_C(1787200200123456)},
        {"2026-08-20T06:30:00+02:00", INT64_C(1787200200000000)},
        {"2026-08-19T22:00:00.000-06:30", INT64_C(1787200200000000)},
        {"2026-08-20T04:30:00-00:00", INT64_C(1787200200000000)},
        {"0001-01-01T00:00:00Z", INT64_C(-62135596800000000)},
        {"9999-12-31T23:59:59.9999999Z", INT64_C(253402300799999999)},
        {"0000-12-31T23:00:00-01:00", INT64_C(-62135596800000000)},
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        int64_t us = 1;
        assert_true(utc_parse_rfc3339(&us, span_str(known[i].text)));
        assert_true(us == known[i].us);
    }
    static const char *const bad[] = {
        "",
        "2026-08-20T04:30:00",
        "2026-08-20t04:30:00Z",
        "2026-08-20T04:30:00z",
        "2026-08-20 04:30:00Z",
        "2026-08-20T04:30:00.Z",
        "2026-08-20T04:30:00,5Z",
        "2026-08-20T04:30:00Z ",
        "2026-08-20T04:30Z",
        "2026-08-20T04:30:00+0200",
        "2026-08-20T04:30:00+02",
        "2026-08-20T04:30:00+24:00",
        "2026-08-20T04:30:00+02:60",
        "2026-08-20T04:30:00 02:00",
        "2026-08-20T24:00:00Z",
        "2026-06-30T23:59:60Z",
        "2026-02-29T04:30:00Z",
        "0000-12-31T23:59:59Z",
        "0001-01-01T00:00:00+00:01",
        "9999-12-31T23:59:59-00:01",
        "2026-08-20 04:30:00 UTC",
        "1787200200",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        int64_t us = 5;
        if (utc_parse_rfc3339(&us, span_str(bad[i])))
            fail_msg("accepted \"%s\"", bad[i]);
        assert_true(us == 5);
    }
    int64_t us = 5;
    assert_false(utc_parse_rfc3339(&us, span_of("2026-08-20T04:30:00Z", 19))); // no look behind it
    assert_false(utc_parse_rfc3339(&us, span_of("2026-08-20T04:30:00Z\0", 21)));
    assert_false(utc_parse_rfc3339(&us, span_of(NULL, 0)));
    (void)state;
}

static void billing_times_and_dates_are_read(void **state)
{
    int64_t us = 5;
    assert_true(utc_parse_billing(&us, span_str("2026-08-20 04:30:00 UTC")));
    assert_true(us == INT64_C(1787200200000000));
    assert_true(utc_parse_billing(&us, span_str("2026-08-20 04:30:00.2500009 UTC")));
    assert_true(us == INT64_C(1787200200250000));
    static const char *const bad[] = {
        "",
        "2026-08-20 04:30:00",
        "2026-08-20 04:30:00 UT",
        "2026-08-20 04:30:00 UTC ",
        "2026-08-20 04:30:00 utc",
        "2026-08-20 04:30:00UTC",
        "2026-08-20T04:30:00 UTC",
        "2026-08-20T04:30:00Z",
        "2026-02-30 04:30:00 UTC",
        "0000-08-20 04:30:00 UTC",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (utc_parse_billing(&us, span_str(bad[i])))
            fail_msg("accepted \"%s\"", bad[i]);
    int64_t days = 7;
    assert_true(utc_parse_date(&days, span_str("2026-08-20")));
    assert_true(days == 20685);
    assert_true(utc_parse_date(&days, span_str("0001-01-01")));
    assert_true(days == -719162);
    static const char *const no_dates[] = {"",           "2026-8-20",  "2026-08-20 ",
                                           "2026-02-29", "0000-01-01", "2026-00-01",
                                           "20260820",   "2026-08-20T"};
    for (size_t i = 0; i < sizeof no_dates / sizeof no_dates[0]; i++)
        if (utc_parse_date(&days, span_str(no_dates[i])))
            fail_msg("accepted \"%s\"", no_dates[i]);
    (void)state;
}

static void the_ends_of_the_range_fit(void **state)
{
    char text[UTC_TEXT_BYTES];
    utc_format(text, INT64_MAX);
    assert_string_equal(text, "294247-01-10T04:00:54.775807Z");
    utc_format(text, INT64_MIN);
    assert_string_equal(text, "-290308-12-21T19:59:05.224192Z");
    (void)state;
}

static void now_is_now(void **state)
{
    const int64_t low = (int64_t)time(NULL) * 1000000;
    const int64_t now = utc_now_us();
    assert_true(now >= low - 1000000 && now < low + 60000000);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_times_are_read_and_written),
        cmocka_unit_test(every_day_agrees_with_the_c_library),
        cmocka_unit_test(decimals_may_be_fewer_than_six),
        cmocka_unit_test(other_texts_are_refused_by_name),
        cmocka_unit_test(times_of_strangers_are_read),
        cmocka_unit_test(billing_times_and_dates_are_read),
        cmocka_unit_test(the_ends_of_the_range_fit),
        cmocka_unit_test(now_is_now),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
