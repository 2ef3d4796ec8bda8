/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Both servers are killed at random moments and started again at once, through two data sets of one
 * date. WEIR_RANDOM_KILLS says how often (default: enough to be quick; make test-real takes 500),
 * WEIR_RANDOM_SEED repeats a series.
 */
#include "base/retry.h"
#include "pair_steps.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

enum { KILLS_A_SET = 5, QUICK_KILLS = 25, MOST_WAIT_US = 40000 };

struct series {
    uint64_t random;
    unsigned n_kills;
};

static uint64_t number_from(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);
    return text && text[0] ? strtoull(text, NULL, 10) : otherwise;
}

/* xorshift64 */
static uint64_t next_random(struct series *s)
{
    s->random ^= s->random << 13;
    s->random ^= s->random >> 7;
    s->random ^= s->random << 17;
    return s->random;
}

/* @return true: it was killed; false: it had ended, which must have been well. */
static bool kill_one(int pid, int role)
{
    (void)kill(pid, SIGKILL);
    const int status = pair_wait(pid);
    if (status != 0 && status != 128 + SIGKILL)
        fail_msg("server %c ended with %d", role == 0 ? 'A' : 'B', status);
    return status != 0;
}

static void run_and_kill(struct series *s, struct pair *p, const struct pair_how *how)
{
    int pids[2] = {pair_spawn(p, 0, how, 0), pair_spawn(p, 1, how, 0)};
    for (int i = 0; i < KILLS_A_SET; i++) {
        const uint64_t victims = 1 + next_random(s) % 3; // A, B, both
        (void)usleep((useconds_t)(next_random(s) % MOST_WAIT_US));
        for (int role = 0; role < 2; role++)
            if (victims >> role & 1) {
                s->n_kills += kill_one(pids[role], role);
                pids[role] = pair_spawn(p, role, how, 0);
            }
    }
    for (int role = 0; role < 2; role++) {
        const int status = pair_wait(pids[role]);
        if (status != 0)
            fail_msg("server %c does not finish: %d", role == 0 ? 'A' : 'B', status);
    }
}

static void check_run(struct pair *p, const struct pair_data *data, const struct pair_how *how)
{
    pair_assert_published(p, data);
    if (!how->keep_state)
        pair_assert_clean(p);
}

static void killed_at_random_they_finish(void **state)
{
    static const struct pair_data sets[] = {{.n = 9, .bad = 2, .seed = 1},
                                            {.n = 12, .bad = 1, .seed = 3, .n_parts = 3},
                                            {.n = 5, .bad = 3, .seed = 2, .n_parts = 1}};
    (void)state;
    const uint64_t most = number_from("WEIR_RANDOM_KILLS", QUICK_KILLS);
    struct series s = {.random = number_from("WEIR_RANDOM_SEED", retry_now_ms() | 1)};
    print_message("WEIR_RANDOM_SEED=%llu\n", (unsigned long long)s.random);
    for (unsigned i = 0; s.n_kills < most; i++) {
        const struct pair_how how = {.keep_state = i / 2 % 2 == 1, .n_workers = 1 + i % 3};
        struct pair *p = pair_new(i % 2 == 1);
        for (size_t k = 0; k < ARRAY_LEN(sets); k++) {
            pair_stage(p, &sets[k]);
            run_and_kill(&s, p, &how);
            check_run(p, &sets[k], &how);
        }
        pair_free(p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(killed_at_random_they_finish),
    };
    return cmocka_run_group_tests_name("process_random", tests, NULL, NULL);
}
