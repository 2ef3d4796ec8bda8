/* SPDX-License-Identifier: MPL-2.0 */
#include "processor/layout.h"

#include "base/base_test.h"

static void assert_partition(const char *value, const char *name)
{
    CLEANUP(buf_deinit) struct buf out = BUF_INIT(4096);
    assert_int_equal(buf_append_str(&out, "x/", NULL), 0);
    assert_int_equal(layout_append_partition(&out, "batch_id", value, NULL), 0);
    assert_int_equal(buf_append_byte(&out, '\0', NULL), 0);
    assert_string_equal((char *)out.data + 2, name);
}

static void assert_value(const char *name, const char *value)
{
    CLEANUP(buf_deinit) struct buf out = BUF_INIT(4096);
    assert_int_equal(layout_read_partition(&out, "batch_id", span_str(name), NULL), 1);
    assert_int_equal(out.len, strlen(value));
    assert_string_equal((char *)out.data, value);
}

static void values_are_escaped_as_hive_does(void **state)
{
    assert_partition("content.blocking_blocked-0", "batch_id=content.blocking_blocked-0");
    assert_partition("\"#%'*/", "batch_id=%22%23%25%27%2A%2F");
    assert_partition(":=?\\{[]^", "batch_id=%3A%3D%3F%5C%7B%5B%5D%5E");
    assert_partition("\x01\n\x1f\x7f", "batch_id=%01%0A%1F%7F");
    assert_partition("a b}~&+,ü", "batch_id=a b}~&+,ü");
    (void)state;
}

static void nothing_is_the_default_partition(void **state)
{
    assert_partition(NULL, "batch_id=__HIVE_DEFAULT_PARTITION__");
    assert_partition("", "batch_id=__HIVE_DEFAULT_PARTITION__");
    assert_value("batch_id=__HIVE_DEFAULT_PARTITION__", "");
    (void)state;
}

static void names_are_read_back(void **state)
{
    char value[2] = "";
    for (int c = 1; c < 256; c++) {
        CLEANUP(buf_deinit) struct buf name = BUF_INIT(4096);
        value[0] = (char)c;
        assert_int_equal(layout_append_partition(&name, "batch_id", value, NULL), 0);
        CLEANUP(buf_deinit) struct buf out = BUF_INIT(4096);
        assert_int_equal(layout_read_partition(&out, "batch_id", buf_span(&name), NULL), 1);
        assert_int_equal(out.len, 1);
        assert_string_equal((char *)out.data, value);
    }
    assert_value("batch_id=a%3ab", "a:b");
    assert_value("batch_id=a:b/", "a:b");
    (void)state;
}

static void other_names_are_no_partition(void **state)
{
    static const char *const names[] = {
        "",
        "/",
        "batch_id",
        "batch_id=",
        "batch_id=/",
        "batch=x",
        "batch_idx=",
        "_SUCCESS",
        "batch_id=a%",
        "batch_id=a%2",
        "batch_id=%G0",
        "batch_id=%0",
        "batch_id=%00",
        "batch_id=a/b",
        "batch_id=a//",
        "xbatch_id=a",
        "Batch_id=a",
    };
    CLEANUP(buf_deinit) struct buf out = BUF_INIT(4096);
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (layout_read_partition(&out, "batch_id", span_str(names[i]), NULL) != 0)
            fail_msg("\"%s\" was taken", names[i]);
    assert_int_equal(out.len, 0);
    (void)state;
}

static void a_full_buffer_is_reported_and_left_alone(void **state)
{
    CLEANUP(buf_deinit) struct buf out = BUF_INIT(12);
    struct err err = {0};
    assert_int_equal(layout_append_partition(&out, "batch_id", "long value", &err), E_NOMEM);
    assert_int_equal(out.len, 0);
    assert_int_equal(layout_read_partition(&out, "b", span_str("b=twelve bytes"), &err), E_NOMEM);
    assert_int_equal(out.len, 0);
    (void)state;
}

static void a_prefix_has_four_parts(void **state)
{
    char *prefix = NULL;
    assert_int_equal(layout_prefix(&prefix, "data/v1", "AB01", "my-app", "2026-03-14", NULL), 0);
    assert_string_equal(prefix, "data/v1/AB01/my-app/2026-03-14/");
    free(prefix);
    (void)state;
}

static void unusable_parts_are_named(void **state)
{
    static const struct {
        const char *parts[4], *complaint;
    } cases[] = {
        {{"", "k", "a", "d"}, "BUCKET_PREFIX"},
        {{"/data", "k", "a", "d"}, "BUCKET_PREFIX"},
        {{"data/", "k", "a", "d"}, "BUCKET_PREFIX"},
        {{"a//b", "k", "a", "d"}, "BUCKET_PREFIX"},
        {{"a/../b", "k", "a", "d"}, "BUCKET_PREFIX"},
        {{".", "k", "a", "d"}, "BUCKET_PREFIX"},
        {{"p", "", "a", "d"}, "key"},
        {{"p", "k/x", "a", "d"}, "key"},
        {{"p", "k", "a/b", "d"}, "APP_NAME"},
        {{"p", "k", "..", "d"}, "APP_NAME"},
        {{"p", "k", "a\n", "d"}, "APP_NAME"},
        {{"p", "k", "a\x7f", "d"}, "APP_NAME"},
        {{"p", "k", "a", ""}, "SUBMISSION_DATE"},
        {{"p", "k", "a", "x/y"}, "SUBMISSION_DATE"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const char *const *p = cases[i].parts;
        char *prefix = NULL;
        struct err err = {0};
        assert_int_equal(layout_prefix(&prefix, p[0], p[1], p[2], p[3], &err), E_ARG);
        assert_contains(err.text, cases[i].complaint);
        assert_null(prefix);
    }
    (void)state;
}

static void dates_are_days_of_the_calendar(void **state)
{
    static const char *const good[] = {"2026-03-14", "2024-02-29", "2000-02-29", "1999-12-31"};
    static const char *const bad[] = {"",           "2026-3-14",  "2026-02-29", "2100-02-29",
                                      "2026-13-01", "2026-00-10", "2026-04-31", "2026-03-14 ",
                                      "2026/03/14", "20260314",   "+026-03-14", "2026-03-1x"};
    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        assert_true(layout_is_date(good[i]));
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_false(layout_is_date(bad[i]));
    (void)state;
}

static void today_is_utc(void **state)
{
    char text[11];
    layout_today(text, INT64_C(1773532799999999));
    assert_string_equal(text, "2026-03-14");
    layout_today(text, INT64_C(1773532800000000));
    assert_string_equal(text, "2026-03-15");
    (void)state;
}

static void markers_and_hidden_files_are_no_data(void **state)
{
    static const char *const data[] = {"a", "x/part-0.json", "_x/a", ".x/a", "a/b_", "a/b."};
    static const char *const others[] = {"",   "_SUCCESS", "x/_SUCCESS", "x/.part-0.json.crc",
                                         "x/", ".a.tmp",   "x/_",        "x/."};
    for (size_t i = 0; i < ARRAY_LEN(data); i++)
        assert_true(layout_is_data(data[i]));
    for (size_t i = 0; i < ARRAY_LEN(others); i++)
        assert_false(layout_is_data(others[i]));
    (void)state;
}

static void part_names_have_two_forms(void **state)
{
    static const char uuid[] = "00112233-4455-8677-8899-aabbccddeeff";
    char name[LAYOUT_NAME_BYTES];
    layout_part_name(name, 7, uuid, LAYOUT_STAGE);
    assert_string_equal(name, "part-00007-00112233-4455-8677-8899-aabbccddeeff-c000.json");
    layout_part_name(name, 123456, uuid, LAYOUT_PARTITION);
    assert_string_equal(name, "part-123456-00112233-4455-8677-8899-aabbccddeeff.c000.json");
    layout_part_name(name, UINT32_MAX, uuid, LAYOUT_PARTITION);
    assert_string_equal(name, "part-4294967295-00112233-4455-8677-8899-aabbccddeeff.c000.json");
    (void)state;
}

static void a_derived_uuid_depends_on_its_texts_alone(void **state)
{
    char a[LAYOUT_UUID_BYTES], b[LAYOUT_UUID_BYTES];
    assert_int_equal(layout_derived_uuid(a, (const char *const[]){"ab", "c", NULL}, NULL), 0);
    // The first half of sha256("ab\0c\0"), with version and variant put in.
    assert_string_equal(a, "629c2f14-f654-8026-886f-2aefe1855533");
    assert_int_equal(layout_derived_uuid(b, (const char *const[]){"ab", "c", NULL}, NULL), 0);
    assert_string_equal(a, b);
    assert_int_equal(layout_derived_uuid(b, (const char *const[]){"a", "bc", NULL}, NULL), 0);
    assert_string_not_equal(a, b);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_escaped_as_hive_does),
        cmocka_unit_test(nothing_is_the_default_partition),
        cmocka_unit_test(names_are_read_back),
        cmocka_unit_test(other_names_are_no_partition),
        cmocka_unit_test(a_full_buffer_is_reported_and_left_alone),
        cmocka_unit_test(a_prefix_has_four_parts),
        cmocka_unit_test(unusable_parts_are_named),
        cmocka_unit_test(dates_are_days_of_the_calendar),
        cmocka_unit_test(today_is_utc),
        cmocka_unit_test(markers_and_hidden_files_are_no_data),
        cmocka_unit_test(part_names_have_two_forms),
        cmocka_unit_test(a_derived_uuid_depends_on_its_texts_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
