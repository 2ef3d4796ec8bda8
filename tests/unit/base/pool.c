/* SPDX-License-Identifier: MPL-2.0 */
#include "base/pool.h"

#include "base_test.h"

#include <sched.h>
#include <stdatomic.h>

struct shared {
    atomic_uint ran[POOL_MAX_WORKERS];
    atomic_uint n_ran;
    pthread_t caller;
    bool zero_on_caller;
    unsigned first_failing; // workers from here on fail
    struct turnstile gate;
    _Atomic uint64_t next_ticket;
    uint64_t n_tickets, failing_ticket;
    uint64_t log[2000];
    size_t n_logged; // guarded by the turnstile
};

static struct shared *new_shared(void)
{
    struct shared *s = calloc(1, sizeof *s);
    assert_non_null(s);
    s->caller = pthread_self();
    s->first_failing = POOL_MAX_WORKERS;
    s->failing_ticket = UINT64_MAX;
    assert_int_equal(turnstile_init(&s->gate, NULL), 0);
    return s;
}

static void free_shared(struct shared *s)
{
    turnstile_deinit(&s->gate);
    free(s);
}

static int note_run(unsigned index, void *arg, struct err *err)
{
    struct shared *s = arg;
    s->ran[index]++;
    s->n_ran++;
    if (index == 0)
        s->zero_on_caller = pthread_equal(pthread_self(), s->caller);
    if (index >= s->first_failing)
        return err_set(err, E_FORMAT, 0, "worker %u", index);
    return 0;
}

static void every_worker_runs_once_and_the_first_on_the_caller(void **state)
{
    static const unsigned counts[] = {1, 2, 3, 17, 200};
    for (size_t i = 0; i < ARRAY_LEN(counts); i++) {
        struct shared *s = new_shared();
        assert_int_equal(pool_run(counts[i], note_run, s, NULL), 0);
        assert_int_equal(s->n_ran, counts[i]);
        for (unsigned w = 0; w < counts[i]; w++)
            assert_int_equal(s->ran[w], 1);
        assert_true(s->zero_on_caller);
        free_shared(s);
    }
    (void)state;
}

static void the_lowest_failed_worker_is_reported(void **state)
{
    for (unsigned first = 0; first < 5; first++) {
        struct shared *s = new_shared();
        struct err err = {0};
        char want[32];
        s->first_failing = first;
        assert_int_equal(pool_run(5, note_run, s, &err), E_FORMAT);
        (void)snprintf(want, sizeof want, "worker %u", first);
        assert_string_equal(err.text, want);
        assert_int_equal(err.code, E_FORMAT);
        assert_int_equal(s->n_ran, 5);
        assert_int_equal(pool_run(5, note_run, s, NULL), E_FORMAT);
        free_shared(s);
    }
    (void)state;
}

static void worker_counts_have_limits(void **state)
{
    struct shared *s = new_shared();
    assert_int_equal(pool_run(0, note_run, s, NULL), E_ARG);
    assert_int_equal(pool_run(POOL_MAX_WORKERS + 1, note_run, s, NULL), E_ARG);
    assert_int_equal(s->n_ran, 0);
    free_shared(s);
    (void)state;
}

static void default_workers_follow_the_affinity_mask(void **state)
{
    cpu_set_t all, one;
    assert_int_equal(sched_getaffinity(0, sizeof all, &all), 0);
    assert_int_equal(pool_default_workers(), CPU_COUNT(&all));
    CPU_ZERO(&one);
    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
        if (CPU_ISSET(cpu, &all)) {
            CPU_SET(cpu, &one);
            break;
        }
    }
    assert_int_equal(sched_setaffinity(0, sizeof one, &one), 0);
    const unsigned alone = pool_default_workers();
    assert_int_equal(sched_setaffinity(0, sizeof all, &all), 0);
    assert_int_equal(alone, 1);
    (void)state;
}

static int pass_in_order(unsigned index, void *arg, struct err *err)
{
    struct shared *s = arg;
    for (uint64_t ticket; (ticket = s->next_ticket++) < s->n_tickets;) {
        if (ticket == s->failing_ticket) {
            turnstile_abort(&s->gate);
            return err_set(err, E_IO, 0, "ticket lost");
        }
        if ((ticket + index) % 3 == 0)
            (void)sched_yield();
        if (!turnstile_enter(&s->gate, ticket))
            return 0;
        s->log[s->n_logged++] = ticket;
        turnstile_done(&s->gate, ticket);
    }
    return 0;
}

static void tickets_pass_in_order(void **state)
{
    for (unsigned n_workers = 1; n_workers <= 9; n_workers += 4) {
        struct shared *s = new_shared();
        s->n_tickets = ARRAY_LEN(s->log);
        assert_int_equal(pool_run(n_workers, pass_in_order, s, NULL), 0);
        assert_int_equal(s->n_logged, s->n_tickets);
        for (size_t i = 0; i < s->n_logged; i++)
            assert_int_equal(s->log[i], i);
        free_shared(s);
    }
    (void)state;
}

static void an_abort_frees_every_waiter(void **state)
{
    struct shared *s = new_shared();
    struct err err = {0};
    s->n_tickets = ARRAY_LEN(s->log);
    s->failing_ticket = 100;
    assert_int_equal(pool_run(8, pass_in_order, s, &err), E_IO);
    assert_string_equal(err.text, "ticket lost");
    assert_true(s->n_logged <= 100);
    for (size_t i = 0; i < s->n_logged; i++)
        assert_int_equal(s->log[i], i);
    assert_false(turnstile_enter(&s->gate, s->n_logged));
    turnstile_abort(&s->gate);
    free_shared(s);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_worker_runs_once_and_the_first_on_the_caller),
        cmocka_unit_test(the_lowest_failed_worker_is_reported),
        cmocka_unit_test(worker_counts_have_limits),
        cmocka_unit_test(default_workers_follow_the_affinity_mask),
        cmocka_unit_test(tickets_pass_in_order),
        cmocka_unit_test(an_abort_frees_every_waiter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
