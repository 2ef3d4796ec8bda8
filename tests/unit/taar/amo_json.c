/* SPDX-License-Identifier: MPL-2.0 */
#include "taar/amo_json.h"

#include "amo_test.h"
#include "taar/amo_fetch.h"

static void json_is_checked(void **state)
{
    (void)state;
    const struct record_ops ops = plain_ops();
    char deep[2 * AMO_MAX_DEPTH + 3] = "";
    assert_true(amo_is_json(&ops, padded(" {\"a\": [1.5e3, null]} \n")));
    assert_false(amo_is_json(&ops, padded("")));
    assert_false(amo_is_json(&ops, padded("{\"a\": 1")));
    assert_false(amo_is_json(&ops, padded("{} {}")));
    assert_false(amo_is_json(&ops, padded("<html>")));
    memset(deep, '[', AMO_MAX_DEPTH);
    memset(deep + AMO_MAX_DEPTH, ']', AMO_MAX_DEPTH);
    assert_true(amo_is_json(&ops, padded(deep)));
    memset(deep, '[', AMO_MAX_DEPTH + 1);
    memset(deep + AMO_MAX_DEPTH + 1, ']', AMO_MAX_DEPTH + 1);
    assert_false(amo_is_json(&ops, padded(deep)));
}

static void the_listing_is_read(void **state)
{
    (void)state;
    const struct record_ops ops = plain_ops();
    struct amo_listing l;
    const char *good = "{\"page_size\": 25, \"page_count\": 3, \"count\": 70, \"results\": []}";
    assert_int_equal(amo_listing_read(&ops, padded(good), &l, NULL), 0);
    assert_int_equal(l.page_size, 25);
    assert_int_equal(l.page_count, 3);
    assert_int_equal(l.count, 70);
    assert_int_equal(amo_listing_read(&ops, padded("{\"page_count\": 100000}"), &l, NULL), 0);
    assert_int_equal(l.count, 0);
    static const char *const bad[] = {"{\"page_count\": 100001}", "{\"page_count\": \"3\"}",
                                      "{\"page_count\": 3.0}",    "{\"page_count\": -1}",
                                      "{\"count\": 3}",           "[]"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(amo_listing_read(&ops, padded(bad[i]), &l, NULL), E_FORMAT);
}

static void records_keep_their_values(void **state)
{
    (void)state;
    const struct record_ops ops = plain_ops();
    CLEANUP(buf_deinit) struct buf out = BUF_INIT(TEXT_MAX);
    const char *record =
        "{ \"n\" : 9223372036854775807 , \"first_create_date\": \"x\", \"f\": "
        "4.095866216, \"t\": \"\xc3\xa9\\u00e9\\ud83d\\ude00\\\"\", \"o\": {\"a\": "
        "[ ] } }";
    assert_int_equal(amo_record_write(&out, &ops, padded(record), NULL), 0);
    assert_text(&out, "{\"n\":9223372036854775807,\"f\":4.095866216,\"t\":"
                      "\"\\u00e9\\u00e9\\ud83d\\ude00\\\"\",\"o\":{\"a\":[]}");
}

struct created_case {
    const char *answer, *date, *missing;
};

static void the_date_is_positional(void **state)
{
    (void)state;
    const struct record_ops ops = plain_ops();
    static const struct created_case cases[] = {
        {"{\"results\": [{\"files\": [{\"created\": \"2001\"}]}, {\"files\": [{\"created\": "
         "\"2009\"}, {\"created\": \"2000\"}]}]}",
         "2009", NULL},
        {"{\"results\": [{\"files\": [{\"created\": \"a\\u0041\"}]}]}", "aA", NULL},
        {"{\"results\": []}", "", "versions_no_results"},
        {"{\"detail\": \"Not found.\"}", "", "versions_no_results"},
        {"[1]", "", "versions_no_results"},
        {"{\"results\": [{\"files\": [{\"created\": \"x\"}]}, {}]}", "", "versions_without_files"},
        {"{\"results\": [7]}", "", "versions_without_files"},
        {"{\"results\": [{\"files\": []}]}", "", "versions_no_files"},
        {"{\"results\": [{\"files\": null}]}", "", "versions_no_files"},
        {"{\"results\": [{\"files\": [{}]}]}", "", "versions_no_created"},
        {"{\"results\": [{\"files\": [{\"created\": null}]}]}", "", "versions_no_created"},
        {"{\"results\": [{\"files\": [{\"created\": 5}]}]}", "", "versions_no_created"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(buf_deinit) struct buf date = BUF_INIT(TEXT_MAX);
        const char *missing;
        assert_int_equal(amo_first_created(&date, &ops, padded(cases[i].answer), &missing, NULL),
                         0);
        assert_text(&date, cases[i].date);
        assert_true((missing == NULL) == (cases[i].missing == NULL));
        if (missing)
            assert_string_equal(missing, cases[i].missing);
    }
}

static void guids_stand_in_paths(void **state)
{
    (void)state;
    CLEANUP(buf_deinit) struct buf path = BUF_INIT(TEXT_MAX);
    assert_int_equal(amo_escape_guid(&path, span_str("{a-b}@x.Y+!~_ 5%/\xc3\xa9?&#"), NULL), 0);
    assert_text(&path, "%7Ba-b%7D@x.Y+!~_%205%25%2F%C3%A9%3F%26%23");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_is_checked),           cmocka_unit_test(the_listing_is_read),
        cmocka_unit_test(records_keep_their_values), cmocka_unit_test(the_date_is_positional),
        cmocka_unit_test(guids_stand_in_paths),
    };
    return cmocka_run_group_tests_name("taar/amo_json", tests, NULL, NULL);
}
