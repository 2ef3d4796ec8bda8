/* SPDX-License-Identifier: MPL-2.0 */
/*
 * One server is killed before its k-th change of a store, for every k, and started again at once,
 * while the other goes on. Afterwards a new data set of the same date is processed. It takes a
 * minute and more with every k; WEIR_KILL_STEP says how many of them to leave out (default: enough
 * to be quick; make test-real takes 1).
 */
#include "pair_steps.h"

enum { KILLED = 128 + 9, MOST_CHANGES = 2000, QUICK_STEP = 24 };

static const struct pair_data first = {.n = 9, .bad = 2, .seed = 1};
static const struct pair_data second = {.n = 12, .bad = 1, .seed = 3, .n_parts = 3};

/* A kill from outside is not waited for by anybody. @return false when it outlived its k. */
static bool kill_and_restart(struct pair *p, int victim, const struct pair_how *how, unsigned k)
{
    const int other = pair_spawn(p, 1 - victim, how, 0);
    const int status = pair_wait(pair_spawn(p, victim, how, k));
    int again = status;
    if (status == KILLED)
        again = pair_wait(pair_spawn(p, victim, how, 0));
    const int other_status = pair_wait(other);
    if (again != 0 || other_status != 0)
        fail_msg("victim %c, change %u: exit %d, partner %d", victim == 0 ? 'A' : 'B', k, again,
                 other_status);
    return status == KILLED;
}

static void check_run(struct pair *p, const struct pair_data *data, const struct pair_how *how)
{
    pair_assert_published(p, data);
    if (!how->keep_state)
        pair_assert_clean(p);
}

/* How far k goes each time; others are left out, differently in each test. */
static unsigned step_of(void)
{
    const char *text = getenv("WEIR_KILL_STEP");
    const unsigned long step = text ? strtoul(text, NULL, 10) : 0;
    return step > 0 && step < MOST_CHANGES ? (unsigned)step : QUICK_STEP;
}

static void kill_everywhere(bool one_bucket, const struct pair_how *how, unsigned from)
{
    const unsigned step = step_of();
    for (int victim = 0; victim < 2; victim++) {
        bool killed = true;
        for (unsigned k = 1 + from % step; killed && k < MOST_CHANGES; k += step) {
            struct pair *p = pair_new(one_bucket);
            pair_stage(p, &first);
            killed = kill_and_restart(p, victim, how, k);
            check_run(p, &first, how);
            pair_stage(p, &second);
            if (!pair_run_both(p, how))
                fail_msg("victim %c, change %u: the next data set fails", victim == 0 ? 'A' : 'B',
                         k);
            check_run(p, &second, how);
            pair_free(p);
        }
        assert_false(killed);
    }
}

static void killed_before_any_change_it_finishes(void **state)
{
    (void)state;
    kill_everywhere(false, &(struct pair_how){0}, 0);
}

static void in_one_bucket_too(void **state)
{
    (void)state;
    kill_everywhere(true, &(struct pair_how){0}, 5);
}

static void with_kept_state_too(void **state)
{
    (void)state;
    kill_everywhere(false, &(struct pair_how){.keep_state = true}, 10);
}

/* While the new data set is processed, too: what the last one left must not come in between. */
static void killed_in_the_second_data_set(void **state)
{
    (void)state;
    for (int keep = 0; keep < 2; keep++) {
        const struct pair_how how = {.keep_state = keep == 1};
        bool killed = true;
        for (unsigned k = 3; killed && k < MOST_CHANGES; k += step_of()) {
            struct pair *p = pair_new(false);
            pair_stage(p, &first);
            assert_true(pair_run_both(p, &how));
            pair_stage(p, &second);
            killed = kill_and_restart(p, (int)(k / step_of() % 2), &how, k);
            check_run(p, &second, &how);
            pair_free(p);
        }
    }
}

/* A change that fails ends the process with a word, or is of no matter; never in between. */
static void a_change_that_fails(void **state)
{
    (void)state;
    bool failed = true;
    for (unsigned k = 1; failed; k += step_of()) {
        struct pair *p = pair_new(false);
        pair_stage(p, &first);
        const struct pair_how plain = {0};
        struct pair_how how = {.quiet = true, .log_file = "/dev/null"};
        char changes[256];
        (void)snprintf(changes, sizeof changes, "%s/changes", p->root);
        how.fate.fail_at = k;
        how.fate.watch = pair_note_change;
        how.fate.watch_arg = changes;
        const int other = pair_spawn(p, 1, &plain, 0);
        int status = pair_wait(pair_spawn(p, 0, &how, 0));
        if (status > 1)
            fail_msg("change %u fails: exit %d", k, status);
        char *text = pair_read_file(changes);
        size_t n = 0;
        for (const char *c = text; *c; c++)
            n += *c == '\n';
        free(text);
        failed = n >= k;
        if (status == 1)
            status = pair_wait(pair_spawn(p, 0, &plain, 0));
        if (status != 0 || pair_wait(other) != 0)
            fail_msg("change %u failed, and they do not finish", k);
        pair_assert_published(p, &first);
        pair_stage(p, &second);
        assert_true(pair_run_both(p, &plain));
        check_run(p, &second, &plain);
        pair_free(p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(killed_before_any_change_it_finishes),
        cmocka_unit_test(in_one_bucket_too),
        cmocka_unit_test(with_kept_state_too),
        cmocka_unit_test(killed_in_the_second_data_set),
        cmocka_unit_test(a_change_that_fails),
    };
    return cmocka_run_group_tests_name("process_kill", tests, NULL, NULL);
}
