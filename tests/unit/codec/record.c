/* SPDX-License-Identifier: MPL-2.0 */
/*
 * What record_rewrite has to print was checked against Python's json.dumps. jansson, an independent
 * parser, judges which lines are JSON.
 */
#include "codec/record.h"

#include "base/cpu.h"
#include "codec/ndjson.h"
#include "testing.h"

#include <jansson.h>

enum { MAX_LINE = 1 << 20 };

static const unsigned level_c = 0, level_avx2 = CPU_AVX2;

static struct record_ops ops_for(void **state)
{
    const unsigned level = *(const unsigned *)*state;
    struct record_ops ops;
    if ((cpu_detect() & level) != level)
        skip();
    record_ops_init(&ops, level);
    return ops;
}

/* A line on the heap with the slack that record_parse may read, and what parsing it gave. */
struct parsed {
    uint8_t *bytes;
    struct buf scratch;
    struct record record;
    int result;
};

static struct parsed parse(const struct record_ops *ops, struct span text)
{
    struct parsed p = {.scratch = BUF_INIT(text.len)};
    p.bytes = malloc(text.len + NDJSON_SLACK);
    assert_non_null(p.bytes);
    memcpy(p.bytes, text.ptr, text.len);
    memset(p.bytes + text.len, '"', NDJSON_SLACK); // a tempting end of string
    p.result = record_parse(&p.record, ops, span_of(p.bytes, text.len), &p.scratch, NULL);
    return p;
}

static void parsed_deinit(struct parsed *p)
{
    buf_deinit(&p->scratch);
    free(p->bytes);
}

static void assert_verdict(const struct record_ops *ops, struct span text, int want)
{
    struct parsed p = parse(ops, text);
    if (p.result != want)
        print_error("%.*s\n", (int)text.len, (const char *)text.ptr);
    assert_int_equal(p.result, want);
    parsed_deinit(&p);
}

static void assert_span(struct span got, const char *want)
{
    assert_int_equal(got.len, strlen(want));
    assert_memory_equal(got.ptr, want, got.len);
}

static void every_stop_is_found_at_every_place(void **state)
{
    const struct record_ops ops = ops_for(state);
    uint8_t text[140 + 2 * NDJSON_SLACK];
    for (size_t len = 0; len <= 140; len++) {
        for (size_t at = 0; at < len + NDJSON_SLACK; at++) {
            memset(text, 'x', sizeof text);
            text[at] = '"'; // a stop in the slack does not count
            const uint8_t *const want = text + (at < len ? at : len);
            assert_ptr_equal(ops.string_end(text, text + len), want);
            assert_ptr_equal(ops.string_end(text + len / 2, text + len),
                             at < len / 2 ? text + len : want);
        }
    }
    for (unsigned c = 0; c < 256; c++) {
        const bool stops = c == '"' || c == '\\' || c < 0x20 || c > 0x7f;
        for (size_t at = 0; at < 130; at += 3) {
            memset(text, 'x', sizeof text);
            text[at] = (uint8_t)c;
            assert_ptr_equal(ops.string_end(text, text + 130), stops ? text + at : text + 130);
        }
    }
}

static void a_canonical_line_is_taken_apart_in_place(void **state)
{
    const struct record_ops ops = ops_for(state);
    static const char line[] = "{\"id\": \"abc-1\", \"payload\": \"QUJD\"}";
    struct parsed p = parse(&ops, span_str(line));
    assert_int_equal(p.result, 1);
    assert_int_equal(p.record.id_kind, RECORD_ID_STRING);
    assert_span(p.record.id, "abc-1");
    assert_span(p.record.id_raw, "\"abc-1\"");
    assert_true(p.record.has_payload);
    assert_false(p.record.payload_is_array);
    assert_span(p.record.payload, "QUJD");
    assert_span(p.record.payload_raw, "\"QUJD\"");
    assert_true(p.record.payload.ptr > p.bytes && p.record.payload.ptr < p.bytes + sizeof line);
    assert_true(p.record.plain);
    assert_int_equal(p.scratch.cap, 0); // nothing was copied
    parsed_deinit(&p);
}

static void members_may_come_in_any_order_and_spacing(void **state)
{
    static const char *const lines[] = {
        "{\"id\":\"i\",\"payload\":\"p\"}",
        "{\"payload\": \"p\", \"id\": \"i\"}",
        " \t{ \"x\" : [ 1 , { \"id\" : 2 } ] , \"payload\" :\"p\" ,\r\n\"id\": \"i\" } ",
        "{\"id\": \"i\", \"payload\": \"p\", \"other\": {\"payload\": \"inner\"}}",
        "{\"\\u0069d\": \"\\u0069\", \"p\\u0061yload\": \"\\u0070\"}",
        "{\"id\": \"first\", \"payload\": 0, \"id\": \"i\", \"payload\": \"p\"}",
    };
    const struct record_ops ops = ops_for(state);
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        struct parsed p = parse(&ops, span_str(lines[i]));
        assert_int_equal(p.result, 1);
        assert_int_equal(p.record.id_kind, RECORD_ID_STRING);
        assert_span(p.record.id, "i");
        assert_true(p.record.has_payload);
        assert_span(p.record.payload, "p");
        assert_false(p.record.plain);
        parsed_deinit(&p);
    }
}

static void ids_are_strings_or_numbers_within_the_limit(void **state)
{
    static const struct {
        const char *value, *id;
        enum record_id kind;
    } cases[] = {
        {"0", "0", RECORD_ID_NUMBER},
        {"-12", "-12", RECORD_ID_NUMBER},
        {"1.50e+3", "1.50e+3", RECORD_ID_NUMBER},
        {"\"\"", "", RECORD_ID_STRING},
        {"\"a\\\"\\\\\\/\\b\\f\\n\\r\\tz\"", "a\"\\/\b\f\n\r\tz", RECORD_ID_STRING},
        {"\"\\u00e9\\u20ac\\ud83d\\uDE00\"", "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80",
         RECORD_ID_STRING},
        {"\"\xc3\xa9\"", "\xc3\xa9", RECORD_ID_STRING},
        {"null", "", RECORD_ID_NONE},
        {"true", "", RECORD_ID_NONE},
        {"[1]", "", RECORD_ID_NONE},
        {"{\"id\": 1}", "", RECORD_ID_NONE},
        {"1, \"id\": false", "", RECORD_ID_NONE},
        {"false, \"id\": 1", "1", RECORD_ID_NUMBER},
    };
    const struct record_ops ops = ops_for(state);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char line[200];
        (void)snprintf(line, sizeof line, "{\"id\": %s}", cases[i].value);
        struct parsed p = parse(&ops, span_str(line));
        assert_int_equal(p.result, 1);
        assert_int_equal(p.record.id_kind, cases[i].kind);
        assert_span(p.record.id, cases[i].id);
        assert_false(p.record.has_payload);
        assert_int_equal(p.record.payload_raw.len, 0);
        parsed_deinit(&p);
    }
    for (size_t len = RECORD_MAX_ID_BYTES - 1; len <= RECORD_MAX_ID_BYTES + 1; len++) {
        char line[RECORD_MAX_ID_BYTES + 100], number[RECORD_MAX_ID_BYTES + 100];
        memset(line, 'x', sizeof line);
        memcpy(line, "{\"id\":\"", 7);
        memcpy(line + 7 + len, "\"}", 3);
        memset(number, '7', sizeof number);
        memcpy(number, "{\"id\":", 6);
        memcpy(number + 6 + len, "}", 2);
        struct parsed s = parse(&ops, span_str(line)), n = parse(&ops, span_str(number));
        const bool fits = len <= RECORD_MAX_ID_BYTES;
        assert_int_equal(s.record.id_kind, fits ? RECORD_ID_STRING : RECORD_ID_NONE);
        assert_int_equal(n.record.id_kind, fits ? RECORD_ID_NUMBER : RECORD_ID_NONE);
        parsed_deinit(&s);
        parsed_deinit(&n);
    }
}

static void payloads_say_what_they_are(void **state)
{
    static const struct {
        const char *value, *payload;
        bool is_string, is_array;
    } cases[] = {{"\"\"", "", true, false},       {"\"a\\/b\\u002B\"", "a/b+", true, false},
                 {"[0, 1]", "", false, true},     {"[]", "", false, true},
                 {"null", "", false, false},      {"12", "", false, false},
                 {"{\"a\": 1}", "", false, false}};
    const struct record_ops ops = ops_for(state);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char line[200];
        (void)snprintf(line, sizeof line, "{\"id\": \"\\u0041\", \"payload\": %s}", cases[i].value);
        struct parsed p = parse(&ops, span_str(line));
        assert_int_equal(p.result, 1);
        assert_int_equal(p.record.has_payload, cases[i].is_string);
        assert_int_equal(p.record.payload_is_array, cases[i].is_array);
        assert_span(p.record.payload, cases[i].payload);
        assert_span(p.record.payload_raw, cases[i].value);
        assert_span(p.record.id, "A"); // still there after the payload was unescaped
        parsed_deinit(&p);
    }
}

static void unescaping_much_does_not_move_what_was_unescaped_before(void **state)
{
    enum { LEN = 20000 };
    const struct record_ops ops = ops_for(state);
    struct buf line = BUF_INIT(MAX_LINE);
    assert_int_equal(buf_append_str(&line, "{\"id\": \"\\u0041\", \"payload\": \"", NULL), 0);
    for (size_t i = 0; i < LEN; i++)
        assert_int_equal(buf_append_str(&line, "\\/", NULL), 0);
    assert_int_equal(buf_append_str(&line, "\"}", NULL), 0);
    struct parsed p = parse(&ops, buf_span(&line));
    assert_int_equal(p.result, 1);
    assert_span(p.record.id, "A");
    assert_int_equal(p.record.payload.len, LEN);
    for (size_t i = 0; i < LEN; i++)
        assert_int_equal(p.record.payload.ptr[i], '/');
    parsed_deinit(&p);
    buf_deinit(&line);
}

static void what_is_not_one_json_object_is_refused(void **state)
{
    static const char *const bad[] = {
        "",
        " ",
        "{",
        "}",
        "[]",
        "[{\"id\": 1}]",
        "1",
        "\"x\"",
        "null",
        "{}{}",
        "{} x",
        "{},",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}",
        "{,}",
        "{\"a\":1 \"b\":2}",
        "{a:1}",
        "{'a':1}",
        "{1:1}",
        "{\"a\":1",
        "{\"a\":\"",
        "{\"a\":\"x",
        "{\"a",
        "{\"a\":[1,]}",
        "{\"a\":[,1]}",
        "{\"a\":[1 2]}",
        "{\"a\":[1}",
        "{\"a\":[1}]",
        "{\"a\":{]}",
        "{\"a\":[}]}",
        // Numbers.
        "{\"a\":01}",
        "{\"a\":-}",
        "{\"a\":+1}",
        "{\"a\":.5}",
        "{\"a\":1.}",
        "{\"a\":1.e3}",
        "{\"a\":1e}",
        "{\"a\":1e+}",
        "{\"a\":-01}",
        "{\"a\":0x10}",
        "{\"a\":NaN}",
        "{\"a\":Infinity}",
        "{\"a\":-Infinity}",
        "{\"a\":1.2.3}",
        "{\"a\":00}",
        // Words.
        "{\"a\":nul}",
        "{\"a\":True}",
        "{\"a\":truefalse}",
        "{\"a\":nullx}",
        // Strings.
        "{\"a\":\"\t\"}",
        "{\"a\":\"\x1f\"}",
        "{\"a\":\"\\x\"}",
        "{\"a\":\"\\\"}",
        "{\"a\":\"\\u12\"}",
        "{\"a\":\"\\u12g4\"}",
        "{\"a\":\"\\U0041\"}",
        "{\"a\":\"\\",
        "{\"a\":\"\\u",
        "{\"a\":\"\\u004",
        // Halves of surrogate pairs, and pairs in the wrong order.
        "{\"a\":\"\\ud800\"}",
        "{\"a\":\"\\udc00\"}",
        "{\"a\":\"\\ud800x\"}",
        "{\"a\":\"\\ud800\\n\"}",
        "{\"a\":\"\\ud800\\u0041\"}",
        "{\"a\":\"\\ud800\\ud800\"}",
        "{\"a\":\"\\udc00\\ud800\"}",
        "{\"a\":\"\\ud83d\\ude0\"}",
        "{\"\\ud800\":1}",
        // UTF-8: stray and missing continuations, overlong forms, surrogates, beyond U+10FFFF.
        "{\"a\":\"\x80\"}",
        "{\"a\":\"\xbf\"}",
        "{\"a\":\"\xc3\"}",
        "{\"a\":\"\xc3x\"}",
        "{\"a\":\"\xe2\x82\"}",
        "{\"a\":\"\xf0\x9f\x98\"}",
        "{\"a\":\"\xc0\x80\"}",
        "{\"a\":\"\xc1\xbf\"}",
        "{\"a\":\"\xe0\x9f\xbf\"}",
        "{\"a\":\"\xf0\x8f\xbf\xbf\"}",
        "{\"a\":\"\xed\xa0\x80\"}",
        "{\"a\":\"\xed\xbf\xbf\"}",
        "{\"a\":\"\xf4\x90\x80\x80\"}",
        "{\"a\":\"\xf8\x88\x80\x80\x80\"}",
        "{\"a\":\"\xff\"}",
        "{\"\xff\":1}",
        "\xef\xbb\xbf{\"a\":1}",
        "{\"a\":1}\xc2\xa0",
        "{\"a\":\xc2\xa0 1}",
    };
    const struct record_ops ops = ops_for(state);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_verdict(&ops, span_str(bad[i]), 0);
    assert_verdict(&ops, span_of("{\"a\":\"\0\"}", 9), 0);
    assert_verdict(&ops, span_of("{\"a\":1}\0", 8), 0);
    assert_verdict(&ops, span_of("{\"a\"\0:1}", 8), 0);
}

static void the_corners_of_the_grammar_are_accepted(void **state)
{
    static const char *const good[] = {
        "{}",
        " { } ",
        "{\"\":\"\"}",
        "{\"a\":{}}",
        "{\"a\":[ ]}",
        "{\"a\":[[],{}]}",
        "{\"a\":-0}",
        "{\"a\":0.0}",
        "{\"a\":0e0}",
        "{\"a\":1E-9}",
        "{\"a\":-1.25e+10}",
        "{\"a\":99999999999999999999999999999999}",
        "{\"a\":true,\"b\":false,\"c\":null}",
        "{\"a\":\"\x7f\"}",
        "{\"a\":\"\\u0000\"}",
        "{\"a\":\"\\ud800\\udc00\"}",
        "{\"a\":\"\\udbff\\uDFFF\"}",
        "{\"a\":\"\xc2\x80\xdf\xbf\xe0\xa0\x80\xef\xbf\xbf\"}",
        "{\"a\":\"\xf0\x90\x80\x80\xf4\x8f\xbf\xbf\xed\x9f\xbf\xee\x80\x80\"}",
        "{\"a\":[1,\t2,3,  4, \r5,6]}",
        "{\"a\":[1,\n[2], 3]}",
        "\t\r\n {\"a\"\t:\r1\n,\"b\":2 }\r\n",
    };
    const struct record_ops ops = ops_for(state);
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        assert_verdict(&ops, span_str(good[i]), 1);
}

static void nesting_ends_at_the_limit(void **state)
{
    const struct record_ops ops = ops_for(state);
    static const char *const opens[] = {"[", "{\"k\":"}, *const closes[] = {"]", "}"};
    for (size_t inner = RECORD_MAX_DEPTH - 3; inner <= RECORD_MAX_DEPTH + 2; inner++) {
        for (unsigned mix = 0; mix < 4; mix++) {
            struct buf line = BUF_INIT(MAX_LINE);
            assert_int_equal(buf_append_str(&line, "{\"a\":", NULL), 0);
            for (size_t d = 0; d < inner; d++) // mix: all arrays, alternating, all objects
                assert_int_equal(buf_append_str(&line, opens[d % 2 ? mix >> 1 : mix & 1], NULL), 0);
            assert_int_equal(buf_append_str(&line, "0", NULL), 0);
            for (size_t d = inner; d-- > 0;)
                assert_int_equal(buf_append_str(&line, closes[d % 2 ? mix >> 1 : mix & 1], NULL),
                                 0);
            assert_int_equal(buf_append_str(&line, "}", NULL), 0);
            assert_verdict(&ops, buf_span(&line), inner + 1 <= RECORD_MAX_DEPTH);
            buf_deinit(&line);
        }
    }
    uint8_t *deep = malloc(MAX_LINE);
    assert_non_null(deep);
    memset(deep, '[', MAX_LINE);
    memcpy(deep, "{\"a\":", 5);
    assert_verdict(&ops, span_of(deep, MAX_LINE), 0);
    free(deep);
}

static void jansson_agrees_about_damaged_lines(void **state)
{
    static const char *const seeds[] = {
        "{\"id\": \"a-1\", \"payload\": \"QUJDRA==\", \"x\": [1, -2.5e3, true, null, {\"y\": []}]}",
        "{\"a\\n\\u00e9\xc3\xa9\xe2\x82\xac\": {\"b\": [0, \"\\ud83d\\ude00\"]}, \"c\": \"\"}"};
    static const char pieces[] = "{}[],:\"\\u0123456789abcdefnrt.-+eE \t\xc3\xa9\xed\xa0\x80\x01";
    const struct record_ops ops = ops_for(state);
    uint64_t seed = 9;
    size_t n_good = 0;
    for (int round = 0; round < 40000; round++) {
        const char *const from = seeds[round % 2];
        char text[200];
        size_t len = strlen(from);
        memcpy(text, from, len);
        for (uint64_t edits = noise(&seed) % 3; edits > 0; edits--) {
            const size_t at = noise(&seed) % len;
            if (noise(&seed) % 3 == 0) {
                memmove(text + at, text + at + 1, len - at - 1);
                len--;
            } else {
                text[at] = pieces[noise(&seed) % (sizeof pieces - 1)];
            }
        }
        json_error_t error;
        json_t *tree = json_loadb(text, len, JSON_ALLOW_NUL, &error);
        // jansson has an opinion on ranges, we do not.
        const bool judged = tree || json_error_code(&error) != json_error_numeric_overflow;
        if (judged)
            assert_verdict(&ops, span_of(text, len), json_is_object(tree));
        n_good += tree != NULL;
        json_decref(tree);
    }
    assert_true(n_good > 5000 && n_good < 35000);
}

static void assert_rewritten(const struct record_ops *ops, const char *line, const char *want)
{
    struct parsed p = parse(ops, span_str(line));
    struct buf out = BUF_INIT(MAX_LINE);
    assert_int_equal(p.result, 1);
    assert_int_equal(buf_append_str(&out, ">", NULL), 0); // what stands before is kept
    assert_int_equal(record_rewrite(&out, &p.record, span_str("TkVX"), NULL), 0);
    assert_int_equal(buf_append_byte(&out, 0, NULL), 0);
    assert_string_equal((const char *)out.data + 1, want);
    assert_int_equal(out.data[0], '>');
    buf_deinit(&out);
    parsed_deinit(&p);
}

static void rewriting_spells_as_python_does(void **state)
{
    static const struct {
        const char *line, *want;
    } cases[] = {
        {"{\"id\": \"a\", \"payload\": \"x\"}", "{\"id\": \"a\", \"payload\": \"TkVX\"}\n"},
        {"{\"id\": 17, \"payload\": [1]}", "{\"id\": 17, \"payload\": \"TkVX\"}\n"},
        {"{\"id\":\"a\",\"payload\":\"x\"}", "{\"id\": \"a\", \"payload\": \"TkVX\"}\n"},
        {"{\"id\": \"\xc3\xa9\", \"payload\": \"x\"}",
         "{\"id\": \"\\u00e9\", \"payload\": \"TkVX\"}\n"},
        {"{\"id\": \"\\u0041\\/\\u00E9\", \"payload\": \"x\"}",
         "{\"id\": \"A/\\u00e9\", \"payload\": \"TkVX\"}\n"},
        {"{\"id\": \"\x7f\", \"payload\": \"x\"}",
         "{\"id\": \"\\u007f\", \"payload\": \"TkVX\"}\n"},
        {"{\"id\": \"a\", \"payload\": \"x\"} ", "{\"id\": \"a\", \"payload\": \"TkVX\"}\n"},
        {"{\"payload\":\"x\",\"id\":\"a\"}", "{\"payload\": \"TkVX\", \"id\": \"a\"}\n"},
        {"{\"n\":[1,-2.5,true , null],\"o\":{\"k\" :[ ] , \"l\":{ }},\"id\":1,\"payload\":0}",
         "{\"n\": [1, -2.5, true, null], \"o\": {\"k\": [], \"l\": {}}, \"id\": 1, "
         "\"payload\": \"TkVX\"}\n"},
        {"{\"s\":\"a\\\"b\\\\c\\/d\\b\\f\\n\\r\\t\\u0000\\u001f,: {}\",\"payload\":1}",
         "{\"s\": \"a\\\"b\\\\c/d\\b\\f\\n\\r\\t\\u0000\\u001f,: {}\", \"payload\": \"TkVX\"}\n"},
        {"{\"\xe2\x82\xac\":\"\xf0\x9f\x98\x80\\uD83D\\uDE00\",\"payload\":1}",
         "{\"\\u20ac\": \"\\ud83d\\ude00\\ud83d\\ude00\", \"payload\": \"TkVX\"}\n"},
        {"{\"id\":\"a\",\"payload\":1,\"id\":\"b\",\"payload\":2,\"x\":3}",
         "{\"id\": \"b\", \"payload\": \"TkVX\", \"x\": 3}\n"},
        {"{\"p\\u0061yload\":1,\"x\":{\"payload\":2},\"payload\":3}",
         "{\"payload\": \"TkVX\", \"x\": {\"payload\": 2}}\n"},
        {"{}", "{\"payload\": \"TkVX\"}\n"},
        {"{\"id\":[1,2]}", "{\"id\": [1, 2], \"payload\": \"TkVX\"}\n"},
        {"{\"id\": \"a\", \"payload\": \"x\", \"payload\": \"y\"}",
         "{\"id\": \"a\", \"payload\": \"TkVX\"}\n"},
        {"{\"id\": \"\", \"payload\": \"\"}", "{\"id\": \"\", \"payload\": \"TkVX\"}\n"},
    };
    const struct record_ops ops = ops_for(state);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_rewritten(&ops, cases[i].line, cases[i].want);
}

static void a_full_output_is_an_error_at_every_size(void **state)
{
    static const char *const lines[] = {
        "{\"id\": \"a\", \"payload\": \"x\"}",
        "{\"\xc3\xa9\":[1,\"\\n\xf0\x9f\x98\x80\"],\"payload\":\"x\",\"id\":2}"};
    const struct record_ops ops = ops_for(state);
    for (size_t i = 0; i < 2; i++) {
        struct parsed p = parse(&ops, span_str(lines[i]));
        struct buf whole = BUF_INIT(MAX_LINE);
        assert_int_equal(record_rewrite(&whole, &p.record, span_str("TkVX"), NULL), 0);
        for (size_t room = 0; room < whole.len; room++) {
            struct buf out = BUF_INIT(room);
            assert_int_equal(record_rewrite(&out, &p.record, span_str("TkVX"), NULL), E_NOMEM);
            buf_deinit(&out);
        }
        buf_deinit(&whole);
        parsed_deinit(&p);
    }
}

static void scratch_that_is_too_small_is_an_error(void **state)
{
    static const char line[] = "{\"id\": \"\\n\", \"payload\": \"\\t\"}";
    const struct record_ops ops = ops_for(state);
    uint8_t bytes[sizeof line + NDJSON_SLACK] = {0};
    struct buf scratch = BUF_INIT(4);
    struct record r;
    struct err err = {0};
    memcpy(bytes, line, sizeof line);
    assert_int_equal(record_parse(&r, &ops, span_of(bytes, sizeof line - 1), &scratch, &err),
                     E_NOMEM);
    buf_deinit(&scratch);
}

static void strings_are_written_in_ascii_as_python_does(void **state)
{
    static const struct {
        const char *text;
        size_t len;
        const char *want;
    } cases[] = {
        {"", 0, "\"\""},
        {"plain /text ~", 13, "\"plain /text ~\""},
        {"\"\\\b\f\n\r\t", 7, "\"\\\"\\\\\\b\\f\\n\\r\\t\""},
        {"\0\x01\x1f\x7f", 4, "\"\\u0000\\u0001\\u001f\\u007f\""},
        {"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", 9, "\"\\u00e9\\u20ac\\ud83d\\ude00\""},
        {"a\xff"
         "b\xc3",
         4, "\"a\\ufffdb\\ufffd\""},
        {"\xed\xa0\x80", 3, "\"\\ufffd\\ufffd\\ufffd\""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buf out = BUF_INIT(MAX_LINE);
        assert_int_equal(json_write_string(&out, span_of(cases[i].text, cases[i].len), NULL), 0);
        assert_true(span_equal(buf_span(&out), span_str(cases[i].want)));
        buf_deinit(&out);
    }
    (void)state;
}

#define AT(LEVEL, TEST)                                                                            \
    {                                                                                              \
#TEST " (" #LEVEL ")", TEST, NULL, NULL, (void *)(uintptr_t)&level_##LEVEL                 \
    }
#define AT_EVERY_LEVEL(TEST) AT(c, TEST), AT(avx2, TEST)

int main(void)
{
    const struct CMUnitTest tests[] = {
        AT_EVERY_LEVEL(every_stop_is_found_at_every_place),
        AT_EVERY_LEVEL(a_canonical_line_is_taken_apart_in_place),
        AT_EVERY_LEVEL(members_may_come_in_any_order_and_spacing),
        AT_EVERY_LEVEL(ids_are_strings_or_numbers_within_the_limit),
        AT_EVERY_LEVEL(payloads_say_what_they_are),
        AT_EVERY_LEVEL(unescaping_much_does_not_move_what_was_unescaped_before),
        AT_EVERY_LEVEL(what_is_not_one_json_object_is_refused),
        AT_EVERY_LEVEL(the_corners_of_the_grammar_are_accepted),
        AT_EVERY_LEVEL(nesting_ends_at_the_limit),
        AT_EVERY_LEVEL(jansson_agrees_about_damaged_lines),
        AT_EVERY_LEVEL(rewriting_spells_as_python_does),
        AT_EVERY_LEVEL(a_full_output_is_an_error_at_every_size),
        AT_EVERY_LEVEL(scratch_that_is_too_small_is_an_error),
        cmocka_unit_test(strings_are_written_in_ascii_as_python_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
