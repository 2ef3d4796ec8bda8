/* SPDX-License-Identifier: MPL-2.0 */
/* Whatever lies in the store: it is read, kept, and no run fails on it. */
#include "state_test.h"

static const char *const objects[] = {EVENTS, PENDING, DEFINITIONS, TASKS, RUNS, DEF_ROWS};

static void empty_lists_are_nothing(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(objects); i++)
        put_text(state, objects[i], i % 2 ? "[]" : " [ ] \n");
    STATE s = opened(state, T0, true);
    TEXT list = listed(s);
    assert_string_equal(list, "");
    saved(s);
    TEXT events = get_text(state, EVENTS);
    assert_string_equal(events, " [ ] \n"); // untouched
}

static void events_of_the_original_are_read(void **state)
{
    put_text(state, EVENTS,
             "[{\"data\": {\"a\": 1}}, {\"data\": 5}, {\"data\": null},\n{\"data\":[\"]\"]}]");
    STATE s = opened(state, T0, true);
    assert_int_equal(state_count(s, STATE_EVENT), 4);
    TEXT list = listed(s);
    assert_contains(list,
                    "\"exchange\":null,\"routing_key\":null,\"table\":null,\"reason\":\"failed "
                    "in an earlier tool, which kept no reason\",\"attempts\":1,\"first_seen\":"
                    "\"2026-08-20T04:30:00.000000Z\",\"body\":{\"a\": 1}}");
    assert_contains(list, "\"body\":5}");
    assert_contains(list, "\"body\":null}");
    assert_contains(list, "\"body\":[\"]\"]}");
}

static void events_of_the_original_change_their_form_with_the_first_save(void **state)
{
    put_text(state, EVENTS, "[{\"data\": {\"a\": 1}}, {\"data\": {\"b\": 2}}]");
    STATE s = opened(state, T0, true);
    char id[STATE_ID_BYTES], stored[STATE_ID_BYTES];
    id_of(s, "\"b\": 2", id);
    assert_int_equal(state_resolve(s, id, NULL), 0);
    id_of(s, "\"a\": 1", id);
    saved(s);
    TEXT events = get_text(state, EVENTS);
    assert_contains(events, "\"data\":{\"a\": 1}}]");
    STATE later = opened(state, T0 + DAY, true);
    id_of(later, "\"first_seen\":\"2026-08-20T04:30:00.000000Z\",\"body\":{\"a\": 1}}", stored);
    assert_string_equal(id, stored);
}

static void bare_ids_of_the_original_are_read(void **state)
{
    put_text(state, PENDING, "[\"X_wcXXQ8SRCLZaWMtV620A\", \"a\\u0062\"]");
    STATE s = opened(state, T0, true);
    bool given_up;
    assert_int_equal(state_have(s, span_str("ab"), NULL), 0);
    assert_int_equal(state_missed(s, span_str("X_wcXXQ8SRCLZaWMtV620A"), &given_up, NULL), 0);
    saved(s);
    TEXT pending = get_text(state, PENDING);
    assert_string_equal(pending, "[{\"taskId\":\"X_wcXXQ8SRCLZaWMtV620A\",\"first_seen\":"
                                 "\"2026-08-20T04:30:00.000000Z\",\"attempts\":1}]\n");
}

/* An event may name a task like that; nobody has its definition, so it is given up in the end. */
static void an_empty_id_is_an_id(void **state)
{
    STATE s = opened(state, T0, true);
    assert_int_equal(state_want(s, span_str(""), INT64_MIN, NULL), 0);
    saved(s);
    STATE later = opened(state, T0 + DAY, true);
    TEXT list = listed(later);
    assert_contains(list, "\"kind\":\"pending-id\"");
    assert_contains(list, "\"attempts\":0");
    assert_contains(list, "\"body\":\"\"}");
    bool given_up;
    assert_int_equal(state_missed(later, span_str(""), &given_up, NULL), 0);
    saved(later);
    STATE last = opened(state, T0 + DAY, true);
    TEXT missed = listed(last);
    assert_contains(missed, "\"attempts\":1");
}

static int count(void *arg, const struct state_entry *e, struct err *err)
{
    (void)e;
    (void)err;
    ++*(unsigned *)arg;
    return 0;
}

static void error_descriptions_are_only_listed(void **state)
{
    put_text(state, RUNS,
             "[{\"index\": 3, \"errors\": [{\"reason\": \"stopped\", \"location\": \"\"}]},\n"
             " {\"table\":\"task_runs_v1\",\"data\":{\"task_id\":\"t\"}}]");
    STATE s = opened(state, T0, true);
    unsigned n = 0;
    assert_int_equal(state_each(s, STATE_RECORD, count, &n, NULL), 0);
    assert_int_equal(n, 1);
    assert_int_equal(state_count(s, STATE_RECORD), 2);
    TEXT list = listed(s);
    assert_contains(list,
                    "\"table\":\"task_runs_v1\",\"reason\":\"an error description of an earlier "
                    "tool, not a row: it cannot be retried, only dropped\",\"attempts\":1");
    assert_contains(list, "\"body\":{\"index\": 3, \"errors\": [{\"reason\": \"stopped\", "
                          "\"location\": \"\"}]}}");
}

static void what_is_no_entry_is_kept_until_it_is_dropped(void **state)
{
    static const char *const broken = "[5, {\"foo\":1}, nul, [\"a,b]\\\"\", x], {\"data\":1}, "
                                      "{\"base64\":\"???\"}, \"\", \"a\" x]";
    for (size_t i = 0; i < ARRAY_LEN(objects); i++)
        put_text(state, objects[i], broken);
    STATE s = opened(state, T0, true);
    TEXT first = listed(s);
    assert_int_equal(state_count(s, STATE_EVENT), 8);
    assert_int_equal(state_count(s, STATE_PENDING_ID), 8);
    assert_int_equal(state_count(s, STATE_DEFINITION), 8);
    assert_int_equal(state_count(s, STATE_RECORD), 3 * 8);
    unsigned n = 0;
    assert_int_equal(state_each(s, STATE_EVENT, count, &n, NULL), 0);
    assert_int_equal(n, 1);
    assert_int_equal(state_each(s, STATE_PENDING_ID, count, &n, NULL), 0);
    assert_int_equal(n, 1); // none more
    // Written again, it is what it was.
    fail_event(s, "{\"data\":1}", "new");
    want(s, "AAA");
    const struct state_entry definition = {.kind = STATE_DEFINITION,
                                           .body = span_str("{\"taskId\":\"B\",\"task\":1}"),
                                           .reason = span_str("new")};
    assert_int_equal(state_fail(s, &definition, NULL, NULL), 0);
    saved(s);
    STATE again = opened(state, T0, true);
    assert_int_equal(state_count(again, STATE_EVENT), 9);
    assert_int_equal(state_count(again, STATE_PENDING_ID), 9);
    assert_int_equal(state_count(again, STATE_DEFINITION), 9);
    TEXT second = listed(again);
    const char *line = first;
    for (const char *end; (end = strchr(line, '\n')); line = end + 1) {
        TEXT one = span_to_text(span_of(line, (size_t)(end + 1 - line)));
        assert_contains(second, one);
    }
}

static void the_same_entry_twice_is_one(void **state)
{
    put_text(state, EVENTS, "[{\"data\":1},{\"data\":1}]");
    put_text(state, PENDING, "[\"A\",{\"taskId\":\"A\",\"attempts\":3}]");
    STATE s = opened(state, T0, true);
    assert_int_equal(state_count(s, STATE_EVENT), 1);
    assert_int_equal(state_count(s, STATE_PENDING_ID), 1);
}

static void odd_members_take_their_defaults(void **state)
{
    put_text(state, EVENTS,
             "[{\"data\":1,\"attempts\":-1,\"first_seen\":\"yesterday\",\"reason\":7,"
             "\"exchange\":{},\"routing_key\":null},"
             "{\"data\":2,\"attempts\":99999999999999999999,\"first_seen\":5}]");
    STATE s = opened(state, T0, true);
    TEXT list = listed(s);
    assert_contains(list,
                    "\"attempts\":1,\"first_seen\":\"2026-08-20T04:30:00.000000Z\",\"body\":1}");
    assert_contains(list,
                    "\"attempts\":1,\"first_seen\":\"2026-08-20T04:30:00.000000Z\",\"body\":2}");
}

static void unreadable(void **state, const char *text)
{
    put_text(state, EVENTS, text);
    STATE s = opened(state, T0, true);
    assert_int_equal(state_count(s, STATE_EVENT), 0);
    TEXT untouched = get_text(state, EVENTS);
    assert_string_equal(untouched, text); // looking changes nothing
    fail_event(s, "1", "new");
    saved(s);
    struct store_listing listing;
    struct store *store = ((struct place_of_state *)*state)->store;
    assert_int_equal(store_list(store, EVENTS ".unreadable-", &listing, NULL), 0);
    assert_int_equal(listing.n, 1);
    TEXT aside = get_text(state, listing.objects[0].key);
    assert_string_equal(aside, text);
    assert_int_equal(store_delete_one(store, listing.objects[0].key, NULL), 0);
    store_listing_deinit(&listing);
    STATE again = opened(state, T0, true);
    assert_int_equal(state_count(again, STATE_EVENT), 1);
}

static void objects_that_are_no_list_are_moved_aside(void **state)
{
    static const char *const texts[] = {
        "",
        "{}",
        "null",
        "[",
        "[{\"data\":1}",
        "[{\"data\":1},",
        "[{\"data\":1}] x",
        "[1,,2]",
        "[{\"data\":\"",
        "\xff\xfe",
        "[{\"data\":1},]",
    };
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        unreadable(state, texts[i]);
}

static void an_unreadable_object_is_replaced_without_other_changes(void **state)
{
    put_text(state, DEFINITIONS, "oops");
    STATE s = opened(state, T0, true);
    saved(s);
    TEXT definitions = get_text(state, DEFINITIONS);
    assert_string_equal(definitions, "[]\n");
}

static void an_id_with_a_definition_entry_waits_no_longer(void **state)
{
    put_text(state, PENDING, "[\"A\",\"B\"]");
    put_text(state, DEFINITIONS, "[{\"data\":{\"task\":{},\"taskId\":\"A\"}}]");
    STATE s = opened(state, T0, true);
    assert_int_equal(state_count(s, STATE_PENDING_ID), 1);
    saved(s);
    TEXT pending = get_text(state, PENDING);
    assert_lacks(pending, "\"A\"");
    assert_contains(pending, "\"B\"");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(empty_lists_are_nothing),
        TEST(events_of_the_original_are_read),
        TEST(events_of_the_original_change_their_form_with_the_first_save),
        TEST(bare_ids_of_the_original_are_read),
        TEST(an_empty_id_is_an_id),
        TEST(error_descriptions_are_only_listed),
        TEST(what_is_no_entry_is_kept_until_it_is_dropped),
        TEST(the_same_entry_twice_is_one),
        TEST(odd_members_take_their_defaults),
        TEST(objects_that_are_no_list_are_moved_aside),
        TEST(an_unreadable_object_is_replaced_without_other_changes),
        TEST(an_id_with_a_definition_entry_waits_no_longer),
    };
    return cmocka_run_group_tests_name("fxci/state_forms", tests, NULL, NULL);
}
