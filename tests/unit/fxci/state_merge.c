/* SPDX-License-Identifier: MPL-2.0 */
/* Runs at once, and runs that are killed between two writes. Linked with a store_put that fails. */
#include "state_test.h"

enum { NEVER = -1 };
static int puts_left = NEVER; // the put after these fails
static bool fails_late;       // it is done, but nobody hears of it

int __real_store_put(struct store *store, const char *key, struct span bytes,
                     const struct store_put_options *options, struct store_object *object,
                     struct err *err);
int __wrap_store_put(struct store *store, const char *key, struct span bytes,
                     const struct store_put_options *options, struct store_object *object,
                     struct err *err);

int __wrap_store_put(struct store *store, const char *key, struct span bytes,
                     const struct store_put_options *options, struct store_object *object,
                     struct err *err)
{
    const bool fails = puts_left == 0;
    if (puts_left > 0)
        puts_left--;
    if (fails && !fails_late)
        return err_set(err, E_IO, 0, "the test says no");
    const int r = __real_store_put(store, key, bytes, options, object, err);
    return fails ? err_set(err, E_IO, 0, "the test says no") : r;
}

static int reset(void **state)
{
    puts_left = NEVER;
    fails_late = false;
    return state_setup(state);
}

static void two_runs_lose_nothing(void **state)
{
    STATE a = opened(state, T0, true);
    STATE b = opened(state, T0 + 1, true);
    fail_event(a, "1", "of a");
    fail_event(b, "2", "of b");
    fail_event(a, "3", "of a");
    fail_event(b, "3", "of b");
    want(a, "A");
    want(b, "B");
    saved(a);
    saved(b);
    assert_int_equal(state_count(b, STATE_EVENT), 3); // b knows what a wrote
    STATE all = opened(state, T0 + DAY, true);
    assert_int_equal(state_count(all, STATE_EVENT), 3);
    assert_int_equal(state_count(all, STATE_PENDING_ID), 2);
    TEXT list = listed(all);
    assert_contains(list, "\"reason\":\"of b\",\"attempts\":2,\"first_seen\":"
                          "\"2026-08-20T04:30:00.000000Z\",\"body\":3}");
}

static void attempts_of_two_runs_add_up(void **state)
{
    STATE first = opened(state, T0, true);
    fail_event(first, "1", "r");
    want(first, "A");
    saved(first);
    STATE a = opened(state, T0, true);
    STATE b = opened(state, T0, true);
    bool given_up;
    fail_event(a, "1", "of a");
    fail_event(b, "1", "of b");
    assert_int_equal(state_missed(a, span_str("A"), &given_up, NULL), 0);
    assert_int_equal(state_missed(b, span_str("A"), &given_up, NULL), 0);
    saved(a);
    saved(b);
    saved(b); // nothing more to do
    TEXT events = get_text(state, EVENTS);
    TEXT pending = get_text(state, PENDING);
    assert_contains(events, "\"reason\":\"of b\",\"attempts\":3");
    assert_contains(pending, "\"attempts\":2");
}

static void what_one_run_settles_the_other_does_not_bring_back(void **state)
{
    STATE first = opened(state, T0, true);
    fail_event(first, "1", "r");
    want(first, "A");
    want(first, "B");
    saved(first);
    STATE a = opened(state, T0, true);
    STATE b = opened(state, T0, true);
    char id[STATE_ID_BYTES];
    bool given_up;
    id_of(a, "\"body\":1}", id);
    assert_int_equal(state_resolve(a, id, NULL), 0);
    assert_int_equal(state_have(a, span_str("A"), NULL), 0);
    saved(a);
    assert_int_equal(state_missed(b, span_str("A"), &given_up, NULL), 0);
    fail_event(b, "2", "r");
    want(b, "C");
    saved(b);
    TEXT events = get_text(state, EVENTS);
    TEXT pending = get_text(state, PENDING);
    assert_lacks(events, "\"data\":1}");
    assert_contains(events, "\"data\":2}");
    assert_lacks(pending, "\"A\"");
    assert_contains(pending, "\"B\"");
    assert_contains(pending, "\"C\"");
}

/* It may be another message with the same body. */
static void a_failure_after_the_others_success_is_kept(void **state)
{
    STATE first = opened(state, T0, true);
    fail_event(first, "1", "r");
    saved(first);
    STATE a = opened(state, T0, true);
    STATE b = opened(state, T0, true);
    char id[STATE_ID_BYTES];
    id_of(a, "\"body\":1}", id);
    assert_int_equal(state_resolve(a, id, NULL), 0);
    fail_event(b, "1", "again");
    saved(a);
    saved(b);
    TEXT events = get_text(state, EVENTS);
    assert_contains(events, "\"reason\":\"again\"");
}

/* What a run changes at once: one kind becomes another, both ways. */
static void change(struct state *s)
{
    char id[STATE_ID_BYTES];
    bool given_up;
    const struct state_entry row = {.kind = STATE_RECORD,
                                    .table = "tasks_v2",
                                    .body = span_str("{\"task_id\":\"of event 1\"}"),
                                    .reason = span_str("refused")};
    id_of(s, "\"body\":1}", id);
    assert_int_equal(state_fail(s, &row, NULL, NULL), 0);
    assert_int_equal(state_resolve(s, id, NULL), 0);
    fail_event(s, "2", "r");
    want(s, "NEW");
    assert_int_equal(state_missed(s, span_str("LOST"), &given_up, NULL), 0);
    assert_true(given_up);
    id_of(s, "\"body\":{\"taskId\":\"GIVEN-UP\"", id);
    want(s, "GIVEN-UP");
    assert_int_equal(state_resolve(s, id, NULL), 0);
}

static void begin(void **state)
{
    put_text(state, EVENTS, "[{\"data\":1}]");
    put_text(state, PENDING,
             "[{\"taskId\":\"LOST\",\"attempts\":7,\"expires\":\"2026-01-01T00:00:00Z\"}]");
    put_text(state, DEFINITIONS, "[{\"data\":{\"taskId\":\"GIVEN-UP\",\"task\":null}}]");
}

static void forget(void **state)
{
    static const char *const keys[] = {EVENTS, PENDING, DEFINITIONS, TASKS};
    struct store *store = ((struct place_of_state *)*state)->store;
    assert_int_equal(store_delete(store, keys, ARRAY_LEN(keys), NULL), 0);
}

/* Somewhere in what is listed. */
static void assert_nothing_is_lost(const char *list)
{
    if (!strstr(list, "\"body\":1}"))
        assert_contains(list, "\"task_id\":\"of event 1\"");
    assert_contains(list, "LOST");
    assert_contains(list, "GIVEN-UP");
}

static void kill_before_put(void **state, int n)
{
    begin(state);
    {
        STATE s = opened(state, T0, true);
        change(s);
        puts_left = n;
        assert_int_equal(state_save(s, NULL), E_IO);
        puts_left = NEVER;
    }
    STATE next = opened(state, T0, true);
    TEXT list = listed(next);
    assert_nothing_is_lost(list);
    saved(next);
    TEXT definitions = get_text(state, DEFINITIONS);
    TEXT pending = get_text(state, PENDING);
    assert_false(strstr(definitions, "LOST") && strstr(pending, "LOST"));
    assert_false(strstr(definitions, "GIVEN-UP") && strstr(pending, "GIVEN-UP"));
}

static void a_kill_between_any_two_writes_loses_nothing(void **state)
{
    for (int n = 0; n < 5; n++) {
        kill_before_put(state, n);
        forget(state);
    }
}

static void settled(struct state *s)
{
    TEXT list = listed(s);
    assert_int_equal(state_count(s, STATE_EVENT), 1);
    assert_int_equal(state_count(s, STATE_RECORD), 1);
    assert_int_equal(state_count(s, STATE_DEFINITION), 1);
    assert_int_equal(state_count(s, STATE_PENDING_ID), 2);
    assert_contains(list, "\"body\":{\"taskId\":\"LOST\",\"task\":null}}");
    assert_contains(list, "\"body\":\"GIVEN-UP\"}");
    assert_contains(list, "\"body\":\"NEW\"}");
    assert_contains(list, "\"body\":2}");
}

/* The same run tries again, where the write is not done, and where it is and nobody heard of it. */
static void a_save_that_failed_is_made_up_for(void **state)
{
    for (int n = 0; n < 5; n++) {
        for (int late = 0; late < 2; late++) {
            begin(state);
            STATE s = opened(state, T0, true);
            change(s);
            puts_left = n;
            fails_late = late;
            assert_int_equal(state_save(s, NULL), E_IO);
            puts_left = NEVER;
            saved(s);
            settled(s);
            STATE next = opened(state, T0, true);
            settled(next);
            forget(state);
        }
    }
}

static void loading_again_keeps_what_is_not_saved(void **state)
{
    STATE s = opened(state, T0, true);
    fail_event(s, "1", "r");
    want(s, "A");
    STATE other = opened(state, T0, true);
    fail_event(other, "1", "r");
    fail_event(other, "2", "r");
    saved(other);
    assert_int_equal(state_load(s, NULL), 0);
    assert_int_equal(state_count(s, STATE_EVENT), 2);
    saved(s);
    TEXT events = get_text(state, EVENTS);
    TEXT pending = get_text(state, PENDING);
    assert_contains(events, "\"attempts\":2,\"data\":1}");
    assert_contains(pending, "\"A\"");
}

#define KILL_TEST(fn) cmocka_unit_test_setup_teardown(fn, reset, state_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        KILL_TEST(two_runs_lose_nothing),
        KILL_TEST(attempts_of_two_runs_add_up),
        KILL_TEST(what_one_run_settles_the_other_does_not_bring_back),
        KILL_TEST(a_failure_after_the_others_success_is_kept),
        KILL_TEST(a_kill_between_any_two_writes_loses_nothing),
        KILL_TEST(a_save_that_failed_is_made_up_for),
        KILL_TEST(loading_again_keeps_what_is_not_saved),
    };
    return cmocka_run_group_tests_name("fxci/state_merge", tests, NULL, NULL);
}
