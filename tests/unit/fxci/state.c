/* SPDX-License-Identifier: MPL-2.0 */
/* What is kept between runs: how it is counted, listed and taken out. */
#include "state_test.h"

#include <time.h>

static void nothing_to_save_contacts_nobody(void **state)
{
    STATE s = opened(state, T0, true);
    saved(s);
    TEXT events = get_text(state, EVENTS);
    assert_string_equal(events, "absent");
}

static void an_event_is_kept_as_it_came(void **state)
{
    static const char body[] =
        " {\"n\":123456789012345678901234567890, \"n\": 1.50e+3,\n\"t\":\"\\u00e9\xc3\xa9\"} ";
    STATE s = opened(state, T0, false);
    fail_event(s, body, "status is not an \"object\"");
    saved(s);
    TEXT stored = get_text(state, EVENTS);
    assert_string_equal(
        stored, "[{\"exchange\":\"exchange/x\",\"routing_key\":\"a.b\",\"first_seen\":"
                "\"2026-08-20T04:30:00.000000Z\",\"reason\":\"status is not an \\\"object\\\"\","
                "\"attempts\":1,\"data\":{\"n\":123456789012345678901234567890, \"n\": "
                "1.50e+3,\n\"t\":\"\\u00e9\xc3\xa9\"}}]\n");
    STATE again = opened(state, T0 + DAY, true);
    TEXT list = listed(again);
    assert_string_equal(
        list, "{\"kind\":\"event\",\"exchange\":\"exchange/x\",\"routing_key\":\"a.b\",\"table\":"
              "null,\"reason\":\"status is not an \\\"object\\\"\",\"attempts\":1,\"first_seen\":"
              "\"2026-08-20T04:30:00.000000Z\",\"body\":{\"n\":123456789012345678901234567890, "
              "\"n\": 1.50e+3,\"t\":\"\\u00e9\xc3\xa9\"}}\n");
}

static void the_same_event_again_is_one_entry(void **state)
{
    STATE s = opened(state, T0, false);
    fail_event(s, "{\"a\":1}", "first");
    fail_event(s, " {\"a\":1}\n", "second");
    fail_event(s, "{\"a\": 1}", "other bytes");
    saved(s);
    STATE later = opened(state, T0 + DAY, true);
    assert_int_equal(state_count(later, STATE_EVENT), 2);
    fail_event(later, "{\"a\":1}", "third");
    saved(later);
    STATE last = opened(state, T0 + 2 * DAY, true);
    TEXT list = listed(last);
    assert_contains(list, "\"reason\":\"third\",\"attempts\":3,\"first_seen\":\"2026-08-20T04:30");
    assert_contains(list, "\"reason\":\"other bytes\",\"attempts\":1");
}

static void bytes_that_are_no_json_come_back(void **state)
{
    static const uint8_t body[] = {0xff, 0x00, '{'};
    STATE s = opened(state, T0, false);
    const struct state_entry e = {.kind = STATE_EVENT,
                                  .body = span_of(body, sizeof body),
                                  .undecodable = true,
                                  .content_type = span_str("text/plain"),
                                  .exchange = span_str("x"),
                                  .reason = span_str("not JSON")};
    char id[STATE_ID_BYTES], stored_id[STATE_ID_BYTES];
    assert_int_equal(state_fail(s, &e, id, NULL), 0);
    saved(s);
    STATE again = opened(state, T0, true);
    id_of(again, "\"body\":{\"base64\":\"/wB7\",\"content_type\":\"text/plain\"}", stored_id);
    assert_string_equal(id, stored_id);
    assert_true(state_was_tried(s, id));
    assert_false(state_was_tried(again, id));
}

static void an_empty_message_comes_back(void **state)
{
    STATE s = opened(state, T0, false);
    fail_event(s, "", "not JSON");
    saved(s);
    STATE again = opened(state, T0, true);
    TEXT list = listed(again);
    assert_contains(list, "\"body\":{\"base64\":\"\",\"content_type\":null}}");
}

/* It would not fit into an entry, which nests two levels itself. */
static void deep_bodies_are_kept_as_bytes(void **state)
{
    char body[130] = "";
    memset(body, '[', 62);
    memset(body + 62, ']', 62);
    STATE s = opened(state, T0, false);
    fail_event(s, body, "deep");
    saved(s);
    STATE again = opened(state, T0, true);
    TEXT list = listed(again);
    assert_contains(list, "\"reason\":\"deep\"");
    assert_contains(list, "\"base64\":\"W1tb");
}

static void names_that_are_no_text_keep_their_id(void **state)
{
    STATE s = opened(state, T0, false);
    const struct state_entry e = {.kind = STATE_EVENT,
                                  .exchange = span_str("a\xff"),
                                  .body = span_str("5"),
                                  .reason = span_str("r")};
    char id[STATE_ID_BYTES], stored_id[STATE_ID_BYTES];
    assert_int_equal(state_fail(s, &e, id, NULL), 0);
    saved(s);
    STATE again = opened(state, T0, true);
    id_of(again, "\"body\":5", stored_id);
    assert_string_equal(id, stored_id);
}

static void rows_have_an_object_a_table(void **state)
{
    STATE s = opened(state, T0, false);
    const enum fxci_table tables[] = {FXCI_TASKS, FXCI_RUNS, FXCI_DEFINITIONS};
    for (size_t i = 0; i < 3; i++) {
        const struct state_entry e = {.kind = STATE_RECORD,
                                      .table = fxci_table_name(tables[i]),
                                      .body = span_str("{\"task_id\":\"t\"}"),
                                      .reason = span_str("refused")};
        assert_int_equal(state_fail(s, &e, NULL, NULL), 0);
    }
    struct state_entry wrong = {.kind = STATE_RECORD, .table = "other", .body = span_str("{}")};
    assert_int_equal(state_fail(s, &wrong, NULL, NULL), E_ARG);
    saved(s);
    TEXT tasks = get_text(state, TASKS);
    TEXT runs = get_text(state, RUNS);
    TEXT definitions = get_text(state, DEF_ROWS);
    assert_contains(tasks, "\"table\":\"tasks_v2\"");
    assert_contains(runs, "\"table\":\"task_runs_v1\"");
    assert_contains(definitions, "\"table\":\"task_definitions_v1\"");
    STATE again = opened(state, T0, true);
    assert_int_equal(state_count(again, STATE_RECORD), 3);
    TEXT list = listed(again);
    assert_contains(list, "\"kind\":\"record\",\"exchange\":null,\"routing_key\":null,\"table\":"
                          "\"tasks_v2\",\"reason\":\"refused\"");
    assert_contains(list, "\"body\":{\"task_id\":\"t\"}}");
}

static int collect(void *arg, const struct state_entry *e, struct err *err)
{
    return buf_append(arg, e->body.ptr, e->body.len, err);
}

static void entries_come_in_the_order_of_their_failures(void **state)
{
    STATE s = opened(state, T0 + DAY, false);
    fail_event(s, "3", "r");
    fail_event(s, "1", "r");
    saved(s);
    STATE earlier = opened(state, T0, false);
    fail_event(earlier, "2", "r");
    saved(earlier);
    STATE all = opened(state, T0, true);
    CLEANUP(buf_deinit) struct buf order = BUF_INIT(100);
    assert_int_equal(state_each(all, STATE_EVENT, collect, &order, NULL), 0);
    assert_int_equal(order.len, 3);
    assert_memory_equal(order.data, "231", 3);
}

static void what_is_dealt_with_goes(void **state)
{
    STATE s = opened(state, T0, false);
    fail_event(s, "1", "r");
    saved(s);
    char id[STATE_ID_BYTES];
    id_of(s, "\"body\":1", id);
    assert_int_equal(state_resolve(s, id, NULL), 0);
    assert_int_equal(state_resolve(s, id, NULL), E_ABSENT);
    assert_int_equal(state_resolve(s, "00", NULL), E_ABSENT);
    assert_int_equal(state_count(s, STATE_EVENT), 0);
    saved(s);
    TEXT events = get_text(state, EVENTS);
    assert_string_equal(events, "[]\n");
}

static int resolve_and_save(void *arg, const struct state_entry *e, struct err *err)
{
    struct state *s = arg;
    const struct span body = e->body;
    int r = state_resolve(s, e->id, err);
    if (r == 0)
        r = state_save(s, err);
    assert_int_equal(body.ptr[0], '1'); // still there
    return r;
}

static void entries_may_go_while_they_are_walked(void **state)
{
    STATE s = opened(state, T0, false);
    fail_event(s, "10", "r");
    fail_event(s, "11", "r");
    saved(s);
    assert_int_equal(state_each(s, STATE_EVENT, resolve_and_save, s, NULL), 0);
    assert_int_equal(state_count(s, STATE_EVENT), 0);
}

static void a_wanted_id_waits_until_it_is_there(void **state)
{
    STATE s = opened(state, T0, true);
    assert_int_equal(state_want(s, span_str("AAA"), T0 + DAY, NULL), 0);
    want(s, "AAA");
    want(s, "BBB");
    saved(s);
    STATE later = opened(state, T0 + DAY, true);
    TEXT list = listed(later);
    assert_contains(list,
                    "\"kind\":\"pending-id\",\"exchange\":null,\"routing_key\":null,\"table\":"
                    "null,\"reason\":\"its definition was not asked for yet\",\"attempts\":0,"
                    "\"first_seen\":\"2026-08-20T04:30:00.000000Z\",\"body\":\"AAA\"}");
    assert_int_equal(state_count(later, STATE_PENDING_ID), 2);
    assert_int_equal(state_have(later, span_str("AAA"), NULL), 0);
    assert_int_equal(state_have(later, span_str("unknown"), NULL), 0);
    saved(later);
    TEXT pending = get_text(state, PENDING);
    assert_string_equal(pending, "[{\"taskId\":\"BBB\",\"first_seen\":\"2026-08-20T04:30:00."
                                 "000000Z\",\"attempts\":0}]\n");
}

/* Asked for in one run a day, from T0 on. @return the run that gives up. */
static int run_of_giving_up(void **state, int64_t expires_us)
{
    STATE first = opened(state, T0, true);
    assert_int_equal(state_want(first, span_str("AAA"), expires_us, NULL), 0);
    saved(first);
    for (int run = 1; run < 50; run++) {
        STATE s = opened(state, T0 + run * DAY, true);
        bool given_up;
        assert_int_equal(state_missed(s, span_str("AAA"), &given_up, NULL), 0);
        saved(s);
        if (given_up)
            return run;
        assert_int_equal(state_count(s, STATE_PENDING_ID), 1);
    }
    return 0;
}

static void an_id_is_given_up_after_five_runs_and_its_end(void **state)
{
    assert_int_equal(run_of_giving_up(state, T0 + 7 * DAY), 7);
    TEXT pending = get_text(state, PENDING);
    TEXT definitions = get_text(state, DEFINITIONS);
    assert_string_equal(pending, "[]\n");
    assert_contains(definitions, "\"data\":{\"taskId\":\"AAA\",\"task\":null}");
    assert_contains(definitions, "did not return this task in 7 runs");
}

static void an_id_whose_task_has_ended_is_asked_for_five_times(void **state)
{
    assert_int_equal(run_of_giving_up(state, T0 - DAY), 5);
}

static void an_id_without_an_end_waits_for_thirty_days(void **state)
{
    assert_int_equal(run_of_giving_up(state, INT64_MIN), 30);
}

static void unknown_ids_are_not_missed(void **state)
{
    STATE s = opened(state, T0, true);
    bool given_up = true;
    assert_int_equal(state_missed(s, span_str("AAA"), &given_up, NULL), 0);
    assert_false(given_up);
    assert_int_equal(state_count(s, STATE_PENDING_ID), 0);
}

static void a_hundred_thousand_ids_are_quick(void **state)
{
    enum { N = 100000 };
    char id[32];
    const clock_t begin = clock();
    STATE s = opened(state, T0, true);
    for (int i = 0; i < N; i++) {
        (void)snprintf(id, sizeof id, "task-%017d", i);
        want(s, id);
    }
    saved(s);
    STATE later = opened(state, T0, true);
    assert_int_equal(state_count(later, STATE_PENDING_ID), N);
    for (int i = 0; i < N; i++) {
        bool given_up;
        (void)snprintf(id, sizeof id, "task-%017d", i);
        if (i % 2)
            assert_int_equal(state_have(later, span_str(id), NULL), 0);
        else
            assert_int_equal(state_missed(later, span_str(id), &given_up, NULL), 0);
    }
    saved(later);
    assert_int_equal(state_count(later, STATE_PENDING_ID), N / 2);
    assert_true(clock() - begin < 10 * CLOCKS_PER_SEC); // quadratic: minutes
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(nothing_to_save_contacts_nobody),
        TEST(an_event_is_kept_as_it_came),
        TEST(the_same_event_again_is_one_entry),
        TEST(bytes_that_are_no_json_come_back),
        TEST(an_empty_message_comes_back),
        TEST(deep_bodies_are_kept_as_bytes),
        TEST(names_that_are_no_text_keep_their_id),
        TEST(rows_have_an_object_a_table),
        TEST(entries_come_in_the_order_of_their_failures),
        TEST(what_is_dealt_with_goes),
        TEST(entries_may_go_while_they_are_walked),
        TEST(a_wanted_id_waits_until_it_is_there),
        TEST(an_id_is_given_up_after_five_runs_and_its_end),
        TEST(an_id_whose_task_has_ended_is_asked_for_five_times),
        TEST(an_id_without_an_end_waits_for_thirty_days),
        TEST(unknown_ids_are_not_missed),
        TEST(a_hundred_thousand_ids_are_quick),
    };
    return cmocka_run_group_tests_name("fxci/state", tests, NULL, NULL);
}
