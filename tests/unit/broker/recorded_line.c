/* SPDX-License-Identifier: MPL-2.0 */
#include "broker/recorded_line.h"

#include "codec/ndjson.h"
#include "codec/testing.h"

enum { MAX_LINE = 4096 };

struct fixture {
    struct recorded_parser parser;
    struct recorded_line line;
    uint8_t bytes[MAX_LINE + NDJSON_SLACK];
};

static int set_up(void **state)
{
    static struct fixture f;
    recorded_parser_init(&f.parser, MAX_LINE);
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    recorded_parser_deinit(&f->parser);
    return 0;
}

static int read_text(struct fixture *f, const char *text)
{
    memset(f->bytes, 0, sizeof f->bytes);
    memcpy(f->bytes, text, strlen(text));
    return recorded_line_read(&f->line, &f->parser, span_of(f->bytes, strlen(text)), NULL);
}

static void assert_span(struct span got, const char *want)
{
    assert_int_equal(got.len, strlen(want));
    assert_memory_equal(got.ptr ? got.ptr : (const uint8_t *)"", want, got.len);
}

static void assert_body(struct fixture *f, const char *text, const char *body)
{
    assert_int_equal(read_text(f, text), 1);
    assert_null(f->line.reason);
    assert_span(f->line.body, body);
}

static void assert_no_message(struct fixture *f, const char *text, const char *reason)
{
    assert_int_equal(read_text(f, text), 1);
    assert_string_equal(f->line.reason, reason);
    assert_span(f->line.body, text);
}

static void texts_come_without_their_spelling(void **state)
{
    struct fixture *f = *state;
    assert_body(f,
                " { \"payload\" : {\"a\": [1, 2 ]} , \"exchange\":\"a\\/b\\u00e9\",\"x\":[],"
                "\"routingKey\":\"k.#\",\"content_type\":\"t\"}\r",
                "{\"a\": [1, 2 ]}");
    assert_span(f->line.exchange, "a/b\xc3\xa9");
    assert_span(f->line.routing_key, "k.#");
    assert_span(f->line.content_type, "t");
}

static void any_value_is_a_payload(void **state)
{
    struct fixture *f = *state;
    assert_body(f, "{\"exchange\":\"e\",\"payload\":null}", "null");
    assert_body(f, "{\"exchange\":\"e\",\"payload\":\"te\\\"xt\"}", "\"te\\\"xt\"");
    assert_body(f, "{\"exchange\":\"e\",\"payload\":-1.5e3}", "-1.5e3");
    assert_body(f, "{\"exchange\":\"e\",\"p\\u0061yload\":[]}", "[]");
    assert_body(f, "{\"exchange\":\"e\",\"payload\":1,\"payload\":2}", "2");
}

static void base64_becomes_bytes(void **state)
{
    struct fixture *f = *state;
    assert_body(f, "{\"exchange\":\"e\",\"payload_base64\":\"aGFsbG8=\"}", "hallo");
    assert_body(f, "{\"exchange\":\"e\\n\",\"payload_base64\":\"\\u0061GFsbG8=\"}", "hallo");
    assert_span(f->line.exchange, "e\n");
    assert_body(f, "{\"exchange\":\"e\",\"payload_base64\":\"\"}", "");
    assert_body(f, "{\"exchange\":\"e\",\"payload_base64\":\"!\",\"payload\":3}", "3");
    assert_no_message(f, "{\"exchange\":\"e\",\"payload_base64\":\"aGFsbG8\"}",
                      "payload_base64 is not base64");
    assert_no_message(f, "{\"exchange\":\"e\",\"payload_base64\":17}",
                      "payload_base64 is not base64");
}

static void what_is_no_message_says_why(void **state)
{
    struct fixture *f = *state;
    static const char no_object[] = "not one JSON object";
    assert_no_message(f, "nonsense", no_object);
    assert_no_message(f, "[1]", no_object);
    assert_no_message(f, "{\"exchange\":\"e\",\"payload\":1", no_object);
    assert_no_message(f, "{\"exchange\":\"e\",\"payload\":1} 2", no_object);
    assert_no_message(f, "{\"exchange\":\"e\",\"payload\":\"\xff\"}", no_object);
    assert_no_message(f, "{}", "neither payload nor payload_base64");
    assert_no_message(f, "{\"exchange\":\"e\"}", "neither payload nor payload_base64");
    assert_span(f->line.exchange, "e");
}

/* What a message means is said by its body alone. */
static void a_message_without_exchange_is_one(void **state)
{
    struct fixture *f = *state;
    assert_body(f, "{\"payload\":1}", "1");
    assert_false(f->line.has_exchange);
    assert_body(f, "{\"payload\":1,\"exchange\":null}", "1");
    assert_false(f->line.has_exchange);
    assert_span(f->line.exchange, "");
}

static void a_routing_key_that_is_no_text_is_absent(void **state)
{
    struct fixture *f = *state;
    assert_body(f, "{\"exchange\":\"e\",\"payload\":1,\"routingKey\":{}}", "1");
    assert_span(f->line.routing_key, "");
}

static void blank_lines_are_nothing(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(read_text(f, ""), 0);
    assert_int_equal(read_text(f, " \t\r"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(texts_come_without_their_spelling, set_up, tear_down),
        cmocka_unit_test_setup_teardown(any_value_is_a_payload, set_up, tear_down),
        cmocka_unit_test_setup_teardown(base64_becomes_bytes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_no_message_says_why, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_message_without_exchange_is_one, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_routing_key_that_is_no_text_is_absent, set_up, tear_down),
        cmocka_unit_test_setup_teardown(blank_lines_are_nothing, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
