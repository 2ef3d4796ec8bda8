/* SPDX-License-Identifier: MPL-2.0 */
#include "store/s3_xml.h"

#include "base/buf.h"

// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
// clang-format on

#include <stdlib.h>
#include <string.h>

static int write_down(void *arg, const char *path, struct span text, struct err *err)
{
    return buf_printf(arg, err, "%s=[%.*s]\n", path, (int)text.len,
                      text.len > 0 ? (const char *)text.ptr : "");
}

static void assert_reads(const char *document, const char *want)
{
    CLEANUP(buf_deinit) struct buf got = BUF_INIT(1 << 16);
    struct err err = {0};
    if (s3_xml_walk(span_str(document), write_down, &got, &err) != 0)
        fail_msg("%s: %s", document, err.text);
    assert_int_equal(buf_append_byte(&got, 0, NULL), 0);
    assert_string_equal((const char *)got.data, want);
}

static void assert_breaks(const char *document, const char *why)
{
    CLEANUP(buf_deinit) struct buf got = BUF_INIT(1 << 16);
    struct err err = {0};
    assert_int_equal(s3_xml_walk(span_str(document), write_down, &got, &err), E_FORMAT);
    if (!strstr(err.text, why))
        fail_msg("\"%s\" is not in \"%s\"", why, err.text);
}

static void reads_an_answer(void **state)
{
    (void)state;
    assert_reads("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                 "<ListBucketResult xmlns='http://s3.amazonaws.com/doc/2006-03-01/'>\n"
                 "  <Contents><Key>a&amp;b</Key><ETag>&quot;00&quot;</ETag></Contents>\n"
                 "  <Owner/>\n"
                 "</ListBucketResult>\n",
                 "ListBucketResult/Contents/Key=[a&b]\n"
                 "ListBucketResult/Contents/ETag=[\"00\"]\n"
                 "ListBucketResult/Contents=[]\n"
                 "ListBucketResult/Owner=[]\n"
                 "ListBucketResult=[\n]\n");
}

static void decodes_entities(void **state)
{
    (void)state;
    assert_reads("<a>&lt;&gt;&apos;&#65;&#x42;&#xe9;&#x1234;&#x1F600;</a>",
                 "a=[<>'AB\xc3\xa9\xe1\x88\xb4\xf0\x9f\x98\x80]\n");
}

static void drops_prefixes_and_comments(void **state)
{
    (void)state;
    assert_reads("<!-- x --><s:a xmlns:s = \"y\" s:b='>'><s:c >1</s:c ></s:a><!-- - -->",
                 "a/c=[1]\na=[]\n");
}

static void refuses_what_is_no_answer(void **state)
{
    (void)state;
    static const struct {
        const char *document, *why;
    } bad[] = {
        {"", "ends early"},
        {"not found", "outside of the root"},
        {"<!DOCTYPE html><html></html>", "a declaration"},
        {"<a><![CDATA[x]]></a>", "a declaration"},
        {"<a>", "ends early"},
        {"<a><b></a></b>", "closes another"},
        {"<a></a><b></b>", "a second root"},
        {"<a></a>x", "outside of the root"},
        {"</a>", "nothing opened"},
        {"<a>&nbsp;</a>", "unknown entity"},
        {"<a>&#0;</a>", "unknown entity"},
        {"<a>&#xd800;</a>", "unknown entity"},
        {"<a>&#x110000;</a>", "unknown entity"},
        {"<a>&#;</a>", "unknown entity"},
        {"<a>&amp</a>", "does not end"},
        {"<a b></a>", "no value"},
        {"<a b=1></a>", "no quotes"},
        {"<a b='1></a>", "does not end"},
        {"<a", "a tag does not end"},
        {"<a/", "a tag does not end"},
        {"< a></a>", "a name is missing"},
        {"<?xml", "does not end"},
        {"<a><b><c><d><e><f><g><h><i></i></h></g></f></e></d></c></b></a>", "too many levels"},
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_breaks(bad[i].document, bad[i].why);
}

static void keeps_its_limits(void **state)
{
    (void)state;
    CLEANUP(buf_deinit) struct buf text = BUF_INIT(1 << 20);
    assert_int_equal(buf_append_str(&text, "<a>", NULL), 0);
    for (size_t i = 0; i <= S3_XML_MAX_TEXT; i++)
        assert_int_equal(buf_append_byte(&text, 'x', NULL), 0);
    assert_int_equal(buf_append(&text, "</a>", sizeof "</a>", NULL), 0);
    assert_breaks((const char *)text.data, "a text is too long");

    buf_clear(&text);
    assert_int_equal(buf_append_byte(&text, '<', NULL), 0);
    for (size_t i = 0; i < S3_XML_MAX_PATH; i++)
        assert_int_equal(buf_append_byte(&text, 'a', NULL), 0);
    assert_int_equal(buf_append(&text, "/>", sizeof "/>", NULL), 0);
    assert_breaks((const char *)text.data, "names are too long");
}

static int stop(void *arg, const char *path, struct span text, struct err *err)
{
    (void)arg;
    (void)text;
    return strcmp(path, "a/b") == 0 ? err_set(err, E_NOMEM, 0, "enough") : 0;
}

static void stops_when_it_is_told_to(void **state)
{
    (void)state;
    struct err err = {0};
    assert_int_equal(s3_xml_walk(span_str("<a><b/><c></a>"), stop, NULL, &err), E_NOMEM);
    assert_string_equal(err.text, "enough");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_an_answer),
        cmocka_unit_test(decodes_entities),
        cmocka_unit_test(drops_prefixes_and_comments),
        cmocka_unit_test(refuses_what_is_no_answer),
        cmocka_unit_test(keeps_its_limits),
        cmocka_unit_test(stops_when_it_is_told_to),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
