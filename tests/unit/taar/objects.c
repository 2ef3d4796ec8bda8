/* SPDX-License-Identifier: MPL-2.0 */
#include "taar/objects.h"

#include "taar_test.h"

static const char json[] = "{\"a\": [1, 2]}";

static void written_is(void **state, enum generation generation, const char *prefix,
                       const char *date, const char *keys)
{
    const struct objects o = objects_of(state, prefix, generation);
    TEXT(text);
    assert_int_equal(objects_write(&o, "test", date, span_str(json), NULL), 0);
    assert_keys(state, keys);
    assert_int_equal(objects_read(&o, "test", &text, NULL), 0);
    assert_true(span_equal(buf_span(&text), span_str(json)));
    text.len = 0;
    assert_int_equal(objects_read(&o, "test.json", &text, NULL), 0);
    text.len = 0;
    assert_int_equal(objects_read(&o, "test.json.bz2", &text, NULL), 0);
    assert_true(span_equal(buf_span(&text), span_str(json)));
}

static void g1_has_its_prefix_and_date_without_a_joint(void **state)
{
    written_is(state, GENERATION_1, "a/b/", "20171106", "a/b/test.json\na/b/test20171106.json\n");
}

static void g2_is_named_as_g3_and_plain(void **state)
{
    written_is(state, GENERATION_2, "a/b/", "20200601", "a/b/test.json\na/b/test.json.20200601\n");
}

static void g3_is_packed(void **state)
{
    written_is(state, GENERATION_3, "a/b", "2020-06-01",
               "a/b/test.json.2020-06-01.bz2\na/b/test.json.bz2\n");
    TEXT(one);
    TEXT(two);
    assert_int_equal(store_get_all(*state, "a/b/test.json.bz2", &one, NULL, NULL), 0);
    assert_int_equal(store_get_all(*state, "a/b/test.json.2020-06-01.bz2", &two, NULL, NULL), 0);
    assert_memory_equal(one.data, "BZh9", 4);
    assert_true(span_equal(buf_span(&one), buf_span(&two)));
}

static void there_need_be_no_prefix(void **state)
{
    written_is(state, GENERATION_3, "", "2020-06-01", "test.json.2020-06-01.bz2\ntest.json.bz2\n");
}

static void compression_is_told_by_content(void **state)
{
    const struct objects o = objects_of(state, "p", GENERATION_3);
    TEXT(text);
    bucket_put(state, "p/plain.json.bz2", json);
    assert_int_equal(objects_read(&o, "plain", &text, NULL), 0);
    assert_true(span_equal(buf_span(&text), span_str(json)));
    bucket_put(state, "p/cut.json.bz2", "BZh9");
    struct err err = {0};
    assert_int_equal(objects_read(&o, "cut", &text, &err), E_FORMAT);
    assert_non_null(strstr(err.text, "p/cut.json.bz2 in /tmp/"));
}

static void what_is_missing_is_named(void **state)
{
    const struct objects o = objects_of(state, "p", GENERATION_3);
    TEXT(text);
    struct err err = {0};
    assert_int_equal(objects_read(&o, "x", &text, &err), E_ABSENT);
    assert_non_null(strstr(err.text, "p/x.json.bz2"));
}

static void what_cannot_be_written_is_named(void **state)
{
    const struct objects o = objects_of(state, "p/x", GENERATION_3);
    struct err err = {0};
    bucket_put(state, "p", "a file in the way");
    assert_true(objects_write(&o, "y", "20200601", span_str(json), &err) < 0);
    assert_non_null(strstr(err.text, "p/x/y.json.bz2"));
    const struct objects same = objects_of(state, "p2", GENERATION_3);
    assert_int_equal(objects_write(&same, "y", "20200601", span_str(json), NULL), 0);
    assert_int_equal(objects_write(&same, "y", "20200601", span_str("[]"), NULL), 0); // Y9
    TEXT(text);
    assert_int_equal(objects_read(&same, "y", &text, NULL), 0);
    assert_true(span_equal(buf_span(&text), span_str("[]")));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, bucket_setup, bucket_teardown)
    const struct CMUnitTest tests[] = {
        TEST(g1_has_its_prefix_and_date_without_a_joint),
        TEST(g2_is_named_as_g3_and_plain),
        TEST(g3_is_packed),
        TEST(there_need_be_no_prefix),
        TEST(compression_is_told_by_content),
        TEST(what_is_missing_is_named),
        TEST(what_cannot_be_written_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
