/* SPDX-License-Identifier: MPL-2.0 */
#include "codec/ping.h"

#include "base/cpu.h"
#include "codec/ndjson.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
// cmocka.h leans on the standard headers above it.
#include <cmocka.h>

enum { TEXT_MAX = 1 << 16 };

static struct record_ops ops;
static uint8_t text_bytes[TEXT_MAX + NDJSON_SLACK];
static struct ping ping;

static struct span text_of(const char *text)
{
    assert_true(strlen(text) <= TEXT_MAX);
    memset(text_bytes, 0, sizeof text_bytes);
    memcpy(text_bytes, text, strlen(text));
    return span_of(text_bytes, strlen(text));
}

static void assert_span(struct span s, const char *want)
{
    assert_int_equal(s.len, strlen(want));
    assert_memory_equal(s.ptr, want, s.len);
}

static void a_ping_gives_its_id_and_its_shares_in_order(void **state)
{
    (void)state;
    assert_true(
        ping_read(&ping, &ops,
                  text_of(" {\"id\": \"x\", \"version\": 4, \"payload\": {\"reason\": \"max\", "
                          "\"prioData\": [ {\"encoding\":\"m-0\",\"prio\":{\"a\":\"QQ==\","
                          "\"b\":\"Qg==\"}}, {\"prio\":{\"b\":\"\",\"a\":\"a\"},"
                          "\"encoding\":\"m-1\"} ] }} ")));
    assert_int_equal(ping.id_kind, RECORD_ID_STRING);
    assert_span(ping.id, "x");
    assert_true(ping.has_data);
    struct ping_share s;
    assert_true(ping_next(&ping, &s));
    assert_true(s.usable);
    assert_span(s.encoding, "m-0");
    assert_span(s.a, "QQ==");
    assert_span(s.b, "Qg==");
    assert_true(ping_next(&ping, &s));
    assert_true(s.usable);
    assert_span(s.encoding, "m-1");
    assert_span(s.b, "");
    assert_false(ping_next(&ping, &s));
    assert_false(ping_next(&ping, &s));
}

static void escapes_are_undone_in_names_and_kept_in_payloads(void **state)
{
    (void)state;
    assert_true(ping_read(&ping, &ops,
                          text_of("{\"\\u0069d\":\"a\\/b\",\"payload\":{\"prioData\":[{"
                                  "\"encoding\":\"\\u00e9\",\"prio\":{\"a\":\"x\\/y\","
                                  "\"b\":\"q\\\"\"}}]}}")));
    assert_span(ping.id, "a/b");
    struct ping_share s;
    assert_true(ping_next(&ping, &s) && s.usable);
    assert_span(s.encoding, "\xc3\xa9");
    assert_span(s.a, "x\\/y");
    assert_span(s.b, "q\\\"");
}

static void elements_that_lack_something_are_told_apart(void **state)
{
    (void)state;
    static const char *const odd[] = {"1",
                                      "[]",
                                      "{}",
                                      "{\"encoding\":\"x\"}",
                                      "{\"prio\":{\"a\":\"\",\"b\":\"\"}}",
                                      "{\"encoding\":\"x\",\"prio\":{\"a\":\"\"}}",
                                      "{\"encoding\":\"x\",\"prio\":[\"a\"]}",
                                      "{\"encoding\":null,\"prio\":{\"a\":\"\",\"b\":\"\"}}",
                                      "{\"encoding\":\"x\",\"prio\":{\"a\":\"\",\"b\":7}}"};
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        char text[512];
        snprintf(text, sizeof text,
                 "{\"payload\":{\"prioData\":[%s,{\"encoding\":\"y\",\"prio\":{\"a\":\"1\","
                 "\"b\":\"2\"}}]}}",
                 odd[i]);
        assert_true(ping_read(&ping, &ops, text_of(text)));
        assert_int_equal(ping.id_kind, RECORD_ID_NONE);
        struct ping_share s;
        assert_true(ping_next(&ping, &s) && !s.usable);
        assert_true(ping_next(&ping, &s) && s.usable);
        assert_false(ping_next(&ping, &s));
    }
}

static void pings_without_a_list_have_no_data(void **state)
{
    (void)state;
    static const char *const none[] = {"{}", "{\"payload\":3}", "{\"payload\":{}}",
                                       "{\"payload\":{\"prioData\":null}}",
                                       "{\"payload\":{\"prioData\":{}}}"};
    struct ping_share s;
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        assert_true(ping_read(&ping, &ops, text_of(none[i])));
        assert_false(ping.has_data);
        assert_false(ping_next(&ping, &s));
    }
    assert_true(ping_read(&ping, &ops, text_of("{\"payload\":{\"prioData\":[ ]}}")));
    assert_true(ping.has_data);
    assert_false(ping_next(&ping, &s));
}

static void ids_are_strings_or_numbers_of_some_length(void **state)
{
    (void)state;
    char text[2 * RECORD_MAX_ID_BYTES];
    snprintf(text, sizeof text, "{\"id\":\"%0*d\"}", RECORD_MAX_ID_BYTES, 1);
    assert_true(ping_read(&ping, &ops, text_of(text)));
    assert_int_equal(ping.id_kind, RECORD_ID_STRING);
    snprintf(text, sizeof text, "{\"id\":\"%0*d\"}", RECORD_MAX_ID_BYTES + 1, 1);
    assert_true(ping_read(&ping, &ops, text_of(text)));
    assert_int_equal(ping.id_kind, RECORD_ID_NONE);
    assert_true(ping_read(&ping, &ops, text_of("{\"id\":\"x\",\"id\":17}")));
    assert_int_equal(ping.id_kind, RECORD_ID_NUMBER);
    assert_span(ping.id, "17");
    static const char *const none[] = {"{\"id\":null}", "{\"id\":\"\"}", "{\"id\":{\"id\":1}}",
                                       "{\"id\":\"x\",\"id\":true}"};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        assert_true(ping_read(&ping, &ops, text_of(none[i])));
        assert_int_equal(ping.id_kind, RECORD_ID_NONE);
    }
}

static void what_is_not_one_object_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"",
                                      "null",
                                      "[{}]",
                                      "{",
                                      "{} {}",
                                      "{\"id\":1,}",
                                      "{\"payload\":{\"prioData\":[}}",
                                      "{\"payload\":{\"prioData\":[1 2]}}",
                                      "{\"id\":\"\\ud800\"}",
                                      "{\"id\":\"\xff\"}"};
    struct buf scratch = BUF_INIT(TEXT_MAX);
    struct ping_message m;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_false(ping_read(&ping, &ops, text_of(bad[i])));
        assert_int_equal(ping_read_message(&m, &ops, text_of(bad[i]), &scratch, NULL), 0);
    }
    buf_deinit(&scratch);
}

static void a_message_gives_payload_and_time(void **state)
{
    (void)state;
    struct buf scratch = BUF_INIT(TEXT_MAX);
    struct ping_message m;
    assert_int_equal(
        ping_read_message(&m, &ops,
                          text_of("{\"attributeMap\":{\"payload\":\"no\"},\"payload\":\"QUJD\"}"),
                          &scratch, NULL),
        1);
    assert_true(m.has_payload && !m.has_time);
    assert_span(m.payload, "QUJD");
    assert_int_equal(ping_read_message(&m, &ops,
                                       text_of("{\"payload\":\"Q\\/U=\",\"submission_timestamp\":"
                                               "\"2026-03-14 09:27:10 UTC\"}"),
                                       &scratch, NULL),
                     1);
    assert_span(m.payload, "Q/U=");
    assert_span(m.time, "2026-03-14 09:27:10 UTC");
    assert_int_equal(ping_read_message(&m, &ops, text_of("{\"payload\":{}}"), &scratch, NULL), 1);
    assert_false(m.has_payload);
    buf_deinit(&scratch);
}

int main(void)
{
    record_ops_init(&ops, cpu_detect());
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_ping_gives_its_id_and_its_shares_in_order),
        cmocka_unit_test(escapes_are_undone_in_names_and_kept_in_payloads),
        cmocka_unit_test(elements_that_lack_something_are_told_apart),
        cmocka_unit_test(pings_without_a_list_have_no_data),
        cmocka_unit_test(ids_are_strings_or_numbers_of_some_length),
        cmocka_unit_test(what_is_not_one_object_is_refused),
        cmocka_unit_test(a_message_gives_payload_and_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
