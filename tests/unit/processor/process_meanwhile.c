/* SPDX-License-Identifier: MPL-2.0 */
/* A second process, and data that change while they are read (prio-processor.md D6, D7a). */
#include "base/retry.h"
#include "pair_steps.h"

#include <signal.h>

static const struct pair_data usual = {.n = 9, .bad = 2, .seed = 1, .n_parts = 3};
static const struct pair_how plain = {0};
static const struct pair_how kept = {.keep_state = true};
static const char mail_marker[] = "intermediate/external/verify1/_SUCCESS";

static struct pair *stage(void)
{
    struct pair *p = pair_new(false);
    pair_stage(p, &usual);
    return p;
}

static void assert_finish(struct pair *p, const struct pair_how *how)
{
    if (!pair_alternate(p, how))
        fail_msg("the servers do not finish");
    pair_assert_published(p, &usual);
}

static uint64_t elapsed_ms(uint64_t since)
{
    return retry_now_ms() - since;
}

static void the_second_process_gives_up(void **state)
{
    (void)state;
    char text[ERR_TEXT_BYTES];
    struct pair *p = stage();
    const int a = pair_spawn_stopping(p, 0, &plain, "put a-private/*/internal/verify1/*");
    const uint64_t began = retry_now_ms();
    assert_int_equal(pair_run(p, 0, &plain, text), E_AGAIN);
    assert_in_range(elapsed_ms(began), 4500, 7000);
    char pid[32];
    (void)snprintf(pid, sizeof pid, "process %d holds it", a);
    if (!strstr(text, pid) || !strstr(text, "state/lock"))
        fail_msg("\"%s\" does not say who holds the lock", text);
    // Killed while it is stopped: the lock goes with it, at once.
    assert_int_equal(kill(a, SIGKILL), 0);
    assert_int_equal(pair_wait(a), 128 + SIGKILL);
    const uint64_t restarted = retry_now_ms();
    assert_finish(p, &plain);
    assert_true(elapsed_ms(restarted) < 4500);
    pair_free(p);
}

/* Whoever removes the lock lets a second process in; the first must not go on. */
static void a_lost_lock_stops_before_the_marker(void **state)
{
    static const char *const at[] = {"put b-shared/*/verify1/batch_id=second*_SUCCESS",
                                     "put a-private/*/state/raw.json",
                                     "put a-private/*/state/verify1.json"};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(at); i++) {
        struct pair *p = stage();
        struct pair_how how = {.quiet = true, .log_file = pair_file(p, "log")};
        const int a = pair_spawn_stopping(p, 0, &how, at[i]);
        pair_remove(p, 0, "private", "state/lock");
        char *record = pair_versions(p, 0, "private", "state/run.json");
        pair_go_on(a);
        assert_int_equal(pair_wait(a), 1);
        char *after = pair_versions(p, 0, "private", "state/run.json");
        assert_string_equal(after, record);
        assert_false(pair_has(p, 1, "shared", mail_marker));
        free(record);
        free(after);
        assert_finish(p, &plain);
        pair_assert_clean(p);
        pair_free(p);
    }
}

/* A watcher that puts something back as soon as the reading has begun. */
struct restore {
    struct pair *p;
    const char *bucket, *key, *text, *when;
    bool done;
};

static void put_back(void *arg, const char *change)
{
    struct restore *r = arg;
    if (r->done || !strstr(change, r->when))
        return;
    r->done = true;
    pair_put(r->p, 0, r->bucket, r->key, r->text);
}

static void run_while_it_changes(struct pair *p, struct restore *restore)
{
    struct pair_how how = kept;
    how.log_file = pair_file(p, "log");
    how.fate.watch = put_back;
    how.fate.watch_arg = restore;
    const int a = pair_spawn(p, 0, &how, 0), b = pair_spawn(p, 1, &kept, 0);
    assert_int_equal(pair_wait(a), 0);
    assert_int_equal(pair_wait(b), 0);
    pair_assert_published(p, &usual);
    char *log = pair_read_file(how.log_file);
    if (!strstr(log, "changed while"))
        fail_msg("nothing was read again: %s", log);
    free(log);
}

/* A part arrives, and one is completed, while verify1 has begun to read. */
static void raw_data_that_change_are_read_again(void **state)
{
    static const char key[] = "raw/shares/batch_id=first-0/part-00001-x.c000.json";
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct pair *p = stage();
        char *name;
        char *whole = pair_get(p, 0, "ingest", key);
        if (i == 0)
            pair_remove(p, 0, "ingest", key);
        else
            free(pair_shorten(p, 0, "ingest", key, &name));
        struct restore restore = {
            p,    "ingest", key, whole, i == 0 ? "second%3A1/part-00000" : "first-0/part-00001-",
            false};
        run_while_it_changes(p, &restore);
        if (i == 1)
            free(name);
        free(whole);
        pair_free(p);
    }
}

/* The partner's message is completed while it is read. */
static void a_mailbox_that_changes_is_read_again(void **state)
{
    static const struct {
        const char *stage, *when;
    } cases[] = {{"verify1", "internal/verify2/batch_id=second"},
                 {"verify2", "internal/aggregate/batch_id=second"}};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char pattern[128];
        struct pair *p = stage();
        char *name;
        if (i == 1)
            assert_int_equal(pair_step(p, 0, &kept), 1); // verify1
        assert_int_equal(pair_step(p, 1, &kept), 1);     // verify1, and verify2 if it can
        (void)snprintf(pattern, sizeof pattern,
                       "intermediate/external/%s/batch_id=first-0/part-00000*", cases[i].stage);
        char *whole = pair_shorten(p, 0, "shared", pattern, &name);
        struct restore restore = {p, "shared", name, whole, cases[i].when, false};
        run_while_it_changes(p, &restore);
        free(name);
        free(whole);
        pair_free(p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_second_process_gives_up),
        cmocka_unit_test(a_lost_lock_stops_before_the_marker),
        cmocka_unit_test(raw_data_that_change_are_read_again),
        cmocka_unit_test(a_mailbox_that_changes_is_read_again),
    };
    return cmocka_run_group_tests_name("process_meanwhile", tests, NULL, NULL);
}
