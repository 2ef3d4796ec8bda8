/* SPDX-License-Identifier: MPL-2.0 */
#include "stage/packets.h"

#include "stage_test.h"

static const struct digest_key key = {{1}};

static struct packets loaded(enum packet_kind kind, enum packet_side side, const char *text)
{
    struct packets p;
    struct memory_source memory = {.rest = span_str(text)};
    const struct packets_load load = {
        .source = memory_source(&memory), .name = "own", .max_line = 1 << 16};
    packets_init(&p, kind, &key);
    assert_int_equal(packets_load(&p, side, &load, NULL, NULL), 0);
    return p;
}

static uint8_t *entry_of(const struct packets *p, enum record_id kind, const char *id)
{
    struct digester *d;
    struct digest digest;
    assert_int_equal(digester_new(&d, &key, NULL), 0);
    assert_int_equal(digester_id(d, &digest, kind, span_str(id), NULL), 0);
    digester_free(d);
    return packets_find(p, &digest);
}

static struct packet_pair pair_of(const struct packets *p, const char *id)
{
    const uint8_t *entry = entry_of(p, RECORD_ID_STRING, id);
    assert_non_null(entry);
    return packets_pair(p, entry);
}

static void messages_are_found_by_side_and_id(void **state)
{
    (void)state;
    struct packets p = loaded(PACKET_VERIFY1, PACKET_OWN,
                              "{\"id\": \"x\", \"payload\": \"oQGhAg==\"}\n\n"
                              "{\"payload\":\"oQOhBA==\",\"more\":1,\"id\":\"y\"}\n");
    assert_null(entry_of(&p, RECORD_ID_STRING, "z"));
    assert_null(entry_of(&p, RECORD_ID_NUMBER, "x"));
    const struct packet_pair x = pair_of(&p, "x"), y = pair_of(&p, "y");
    assert_true(x.has_own && !x.has_peer);
    assert_int_equal(x.own.len, 4);
    assert_memory_equal(x.own.ptr, "\xa1\x01\xa1\x02", 4);
    assert_memory_equal(y.own.ptr, "\xa1\x03\xa1\x04", 4);
    packets_deinit(&p);
}

static void the_last_line_of_an_id_counts(void **state)
{
    (void)state;
    struct packets p = loaded(PACKET_VERIFY2, PACKET_PEER,
                              "{\"id\": \"x\", \"payload\": \"oQE=\"}\n"
                              "{\"id\": \"y\", \"payload\": \"oQE=\"}\n"
                              "{\"id\": \"x\", \"payload\": \"oQI=\"}\n"
                              "{\"id\": \"y\", \"payload\": \"?\"}\n");
    const struct packet_pair x = pair_of(&p, "x"), y = pair_of(&p, "y");
    assert_true(x.has_peer && !x.has_own);
    assert_memory_equal(x.peer.ptr, "\xa1\x02", 2);
    assert_true(y.has_peer);
    assert_int_equal(y.peer.len, 0);
    packets_deinit(&p);
}

static void long_spellings_of_a_message_are_shortened(void **state)
{
    // d9: a str with a length byte; leading zeros; bytes behind the end. Readers accept them all.
    (void)state;
    struct packets p =
        loaded(PACKET_VERIFY1, PACKET_OWN,
               // d9 0f 00000000 0b0a090807060504030201 | db 00000002 0005 | 6a756e6b
               "{\"id\": \"x\", \"payload\": \"2Q8AAAAACwoJCAcGBQQDAgHbAAAAAgAFanVuaw==\"}\n"
               // ab 0b..01 | ab 0b..01 | 00: one byte too many
               "{\"id\": \"y\", \"payload\": \"qwsKCQgHBgUEAwIBqwsKCQgHBgUEAwIBAA==\"}\n");
    const struct packet_pair x = pair_of(&p, "x"), y = pair_of(&p, "y");
    assert_int_equal(x.own.len, 14);
    assert_memory_equal(x.own.ptr, "\xab\x0b\x0a\x09\x08\x07\x06\x05\x04\x03\x02\x01\xa1\x05", 14);
    assert_int_equal(y.own.len, 24);
    packets_deinit(&p);
}

static void long_nonsense_is_malformed(void **state)
{
    (void)state;
    struct packets p = loaded(PACKET_VERIFY2, PACKET_OWN,
                              // ac 01 02..: an element of 12 bytes that does not begin with zero
                              "{\"id\": \"long\", \"payload\": \"rAECAwQFBgcICQoLDA==\"}\n"
                              // c4 0c ..: bin
                              "{\"id\": \"bin\", \"payload\": \"xAwBAgMEBQYHCAkKCww=\"}\n"
                              // ab and only eleven zero bytes less one, then nothing
                              "{\"id\": \"cut\", \"payload\": \"2gAQAQIDBAUGBwgJCgs=\"}\n"
                              "{\"id\": \"empty\", \"payload\": \"\"}\n"
                              "{\"id\": \"number\", \"payload\": 5}\n"
                              "{\"id\": \"none\"}\n");
    static const char *const ids[] = {"long", "bin", "cut", "empty", "number", "none"};
    for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
        const struct packet_pair pair = pair_of(&p, ids[i]);
        assert_true(pair.has_own);
        assert_int_equal(pair.own.len, 0);
    }
    packets_deinit(&p);
}

static int load_text(const char *text, bool strict, uint64_t *n_skipped, struct err *err)
{
    struct packets p;
    struct memory_source memory = {.rest = span_str(text)};
    const struct packets_load load = {
        .source = memory_source(&memory), .name = "peer.ndjson", .max_line = 64, .strict = strict};
    packets_init(&p, PACKET_VERIFY2, &key);
    const int r = packets_load(&p, PACKET_PEER, &load, n_skipped, err);
    packets_deinit(&p);
    return r;
}

static void lines_without_a_usable_record_are_counted(void **state)
{
    (void)state;
    uint64_t n = 0;
    static const char text[] =
        "rubbish\n\n{\"payload\": \"oQE=\"}\n{\"id\": true}\n{\"id\": \"x\", \"payload\": "
        "\"oQE=\"}\n"
        "{\"id\": \"a line that is longer than the limit\", \"payload\": \"                \"}\n";
    assert_int_equal(load_text(text, false, &n, NULL), 0);
    assert_int_equal(n, 4);
}

static void strict_names_file_and_line(void **state)
{
    (void)state;
    struct err err = {0};
    assert_int_equal(load_text("{\"id\": true}\n\n[]\n", true, NULL, &err), E_FORMAT);
    assert_string_equal(err.text, "peer.ndjson: line 3: not a JSON object");
    static const char text[] =
        "{\"id\": \"a line that is longer than the limit\", \"payload\": \"                \"}\n";
    assert_int_equal(load_text(text, true, NULL, &err), E_FORMAT);
    assert_string_equal(err.text, "peer.ndjson: line 1: too long");
}

static void an_entry_is_seen_once(void **state)
{
    (void)state;
    struct packets p = loaded(PACKET_VERIFY2, PACKET_OWN, "{\"id\": 7, \"payload\": \"oQE=\"}\n");
    uint8_t *entry = entry_of(&p, RECORD_ID_NUMBER, "7");
    assert_non_null(entry);
    assert_false(packets_seen(entry));
    assert_true(packets_seen(entry));
    assert_int_equal(packets_pair(&p, entry).own.len, 2);
    packets_deinit(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_are_found_by_side_and_id),
        cmocka_unit_test(the_last_line_of_an_id_counts),
        cmocka_unit_test(long_spellings_of_a_message_are_shortened),
        cmocka_unit_test(long_nonsense_is_malformed),
        cmocka_unit_test(lines_without_a_usable_record_are_counted),
        cmocka_unit_test(strict_names_file_and_line),
        cmocka_unit_test(an_entry_is_seen_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
