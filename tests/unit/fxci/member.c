/* SPDX-License-Identifier: MPL-2.0 */
#include "fxci/member.h"

#include "base/cpu.h"
#include "rows.h"

static struct record_ops ops;

static struct json_members members_of(const char *text, unsigned max_depth)
{
    const struct span s = padded(span_str(text));
    return (struct json_members){.text = {&ops, s.ptr + s.len}, .p = s.ptr, .max_depth = max_depth};
}

static int count_elements(const char *text, unsigned max_depth)
{
    const struct span s = padded(span_str(text));
    struct json_elements it = {.text = {&ops, s.ptr + s.len}, .p = s.ptr, .max_depth = max_depth};
    struct span value;
    bool escaped;
    int n = 0, more;
    while ((more = json_next_element(&it, &value, &escaped)) == 1)
        n++;
    return more < 0 ? more : n;
}

static void elements_are_visited_in_order(void **state)
{
    (void)state;
    static const char *const want[] = {"1", "\"a\\n\"", "[2, 3]", "{\"k\": [ ]}", "null"};
    const struct span s = padded(span_str(" [ 1,\"a\\n\" , [2, 3],{\"k\": [ ]}\n,null ] behind"));
    struct json_elements it = {.text = {&ops, s.ptr + s.len}, .p = s.ptr, .max_depth = 3};
    struct span value;
    bool escaped;
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(json_next_element(&it, &value, &escaped), 1);
        assert_text(value, want[i]);
        assert_int_equal(escaped, i == 1);
    }
    assert_int_equal(json_next_element(&it, &value, &escaped), 0);
    assert_string_equal((const char *)it.p, " behind");
}

static void no_arrays_are_told(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",      "[",   "[1",  "[1,",    "[1,]",          "[,1]",
        "[1 2]", "{}",  "[1}", "[nul]",  "[\"a]",         "[01]",
        "1",     "[[]", "[1,", "[1,,2]", "[\"\\ud800\"]", "[\"\x80\"]"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        if (count_elements(bad[i], 9) >= 0)
            fail_msg("took %s", bad[i]);
    assert_int_equal(count_elements("[]", 1), 0);
    assert_int_equal(count_elements(" [ ] ", 1), 0);
    assert_int_equal(count_elements("[1]", 1), 1);
    assert_int_equal(count_elements("[[]]", 1), -1);
    assert_int_equal(count_elements("[[]]", 2), 1);
}

static void the_last_of_a_name_counts(void **state)
{
    (void)state;
    static const struct span names[] = {{(const uint8_t *)"a", 1}, {(const uint8_t *)"b", 1}};
    struct member m[2];
    struct json_members it =
        members_of("{\"a\": 1, \"c\": {\"a\": 7}, \"\\u0061\": \"\\t\", \"ab\": 3}", 3);
    assert_true(members_read(&it, names, 2, m));
    assert_text(m[0].text, "\"\\t\"");
    assert_true(m[0].escaped);
    assert_null(m[1].text.ptr);
    it = members_of("{\"a\": 1, }", 3);
    assert_false(members_read(&it, names, 2, m));
    it = members_of("{\"a\":", 3);
    assert_false(members_read(&it, names, 2, m));
    assert_false(members_of_text(&ops, padded(span_str("{} x")), 3, names, 2, m));
    assert_true(members_of_text(&ops, padded(span_str(" {} ")), 3, names, 2, m));
}

static bool reads_integer(const char *text, int64_t want)
{
    int64_t value = 5;
    const struct member m = {span_str(text), false};
    return member_integer(&value, &m) && value == want;
}

static void integers_have_no_fraction(void **state)
{
    (void)state;
    assert_true(reads_integer("0", 0));
    assert_true(reads_integer("-0", 0));
    assert_true(reads_integer("1000", 1000));
    assert_true(reads_integer("9223372036854775807", INT64_MAX));
    assert_true(reads_integer("-9223372036854775808", INT64_MIN));
    static const char *const bad[] = {"1.0",
                                      "1e3",
                                      "1E0",
                                      "true",
                                      "null",
                                      "\"1\"",
                                      "[]",
                                      "-1.5",
                                      "9223372036854775808",
                                      "-9223372036854775809",
                                      "99999999999999999999999"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        int64_t value;
        const struct member m = {span_str(bad[i]), false};
        if (member_integer(&value, &m))
            fail_msg("took %s", bad[i]);
    }
    int64_t value;
    assert_false(member_integer(&value, &(struct member){0}));
}

static void insides_are_compared_by_what_they_say(void **state)
{
    (void)state;
    static const struct {
        const char *a, *b;
        bool equal;
    } pairs[] = {{"", "", true},
                 {"a", "\\u0061", true},
                 {"a", "ab", false},
                 {"ab", "a", false},
                 {"\\n", "\\u000A", true},
                 {"\\n", "n", false},
                 {"\xc3\xa9", "\\u00e9", true}};
    for (size_t i = 0; i < ARRAY_LEN(pairs); i++)
        assert_int_equal(json_insides_equal(span_str(pairs[i].a), span_str(pairs[i].b)),
                         pairs[i].equal);
}

int main(void)
{
    record_ops_init(&ops, cpu_detect());
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(elements_are_visited_in_order),
        cmocka_unit_test(no_arrays_are_told),
        cmocka_unit_test(the_last_of_a_name_counts),
        cmocka_unit_test(integers_have_no_fraction),
        cmocka_unit_test(insides_are_compared_by_what_they_say),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
