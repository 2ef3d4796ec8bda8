/* SPDX-License-Identifier: MPL-2.0 */
#include "base/retry.h"

#include "base/compiler.h"
#include "base_test.h"

#include <signal.h>
#include <sys/time.h>

static void waits_double_up_to_their_ceiling(void **state)
{
    static const uint64_t want[] = {100, 200, 400, 500, 500};
    const struct retry_policy policy = {
        .max_retries = 5, .first_wait_ms = 100, .multiplier = 2, .max_wait_ms = 500};
    struct retry r;
    retry_init(&r, &policy, 1000, 1);
    uint64_t wait;
    for (size_t i = 0; i < ARRAY_LEN(want); i++) {
        assert_true(retry_next(&r, 1000, 0, &wait));
        assert_int_equal(wait, want[i]);
    }
    assert_false(retry_next(&r, 1000, 0, &wait));
    assert_false(retry_next(&r, 1000, 0, &wait));
    (void)state;
}

static void no_retries_means_none(void **state)
{
    const struct retry_policy policy = {.first_wait_ms = 1, .multiplier = 2};
    struct retry r;
    retry_init(&r, &policy, 0, 1);
    uint64_t wait = 77;
    assert_false(retry_next(&r, 0, 0, &wait));
    assert_int_equal(wait, 77);
    (void)state;
}

static void jitter_stays_within_its_share(void **state)
{
    const struct retry_policy policy = {
        .max_retries = 10000, .first_wait_ms = 1000, .multiplier = 1, .jitter = 0.5};
    struct retry r;
    retry_init(&r, &policy, 0, 42);
    uint64_t lowest = UINT64_MAX, highest = 0, wait;
    while (retry_next(&r, 0, 0, &wait)) {
        lowest = wait < lowest ? wait : lowest;
        highest = wait > highest ? wait : highest;
    }
    assert_in_range(lowest, 500, 510);
    assert_in_range(highest, 990, 1000);
    (void)state;
}

static void seeds_make_waits_differ(void **state)
{
    const struct retry_policy policy = {
        .max_retries = 1, .first_wait_ms = 1000000, .multiplier = 1, .jitter = 1};
    uint64_t waits[3];
    for (uint64_t seed = 0; seed < 3; seed++) {
        struct retry r;
        retry_init(&r, &policy, 0, seed);
        assert_true(retry_next(&r, 0, 0, &waits[seed]));
    }
    assert_int_not_equal(waits[0], waits[1]);
    assert_int_not_equal(waits[1], waits[2]);
    (void)state;
}

static void a_wait_past_the_deadline_is_not_begun(void **state)
{
    const struct retry_policy policy = {
        .max_retries = 100, .first_wait_ms = 100, .multiplier = 1, .deadline_ms = 1000};
    struct retry r;
    retry_init(&r, &policy, 5000, 1);
    uint64_t wait;
    assert_true(retry_next(&r, 5800, 0, &wait));
    assert_true(retry_next(&r, 5900, 0, &wait));
    assert_false(retry_next(&r, 5901, 0, &wait));
    assert_false(retry_next(&r, 9000, 0, &wait));
    assert_false(retry_next(&r, UINT64_MAX, 0, &wait));
    (void)state;
}

static void the_peers_wish_beats_the_ceiling_but_not_the_deadline(void **state)
{
    const struct retry_policy policy = {.max_retries = 100,
                                        .first_wait_ms = 100,
                                        .multiplier = 1,
                                        .max_wait_ms = 100,
                                        .deadline_ms = 10000};
    struct retry r;
    retry_init(&r, &policy, 0, 1);
    uint64_t wait;
    assert_true(retry_next(&r, 0, 3000, &wait));
    assert_int_equal(wait, 3000);
    assert_true(retry_next(&r, 3000, 50, &wait));
    assert_int_equal(wait, 100);
    assert_false(retry_next(&r, 3000, 7001, &wait));
    assert_false(retry_next(&r, 3000, UINT64_MAX, &wait));
    (void)state;
}

static void growth_without_a_ceiling_does_not_overflow(void **state)
{
    const struct retry_policy policy = {
        .max_retries = 5000, .first_wait_ms = UINT32_MAX, .multiplier = 1e6};
    struct retry r;
    retry_init(&r, &policy, 0, 1);
    uint64_t wait = 0, before = 0;
    while (retry_next(&r, 0, 0, &wait)) {
        assert_true(wait >= before);
        before = wait;
    }
    assert_true(before >= UINT64_C(1000000000000000));
    (void)state;
}

static void senseless_policies_are_tamed(void **state)
{
    const struct retry_policy policy = {
        .max_retries = 50, .first_wait_ms = 100, .multiplier = 0.1, .jitter = 7};
    struct retry r;
    retry_init(&r, &policy, 500, 1);
    uint64_t wait;
    while (retry_next(&r, 100, 0, &wait)) // a clock that went back is no reason to give up
        assert_true(wait <= 100);
    assert_int_equal(r.n_retries, 50);
    (void)state;
}

static void on_alarm(int signal_number)
{
    (void)signal_number;
}

static void sleep_survives_signals(void **state)
{
    const struct sigaction action = {.sa_handler = on_alarm}; // without SA_RESTART
    struct sigaction old;
    assert_int_equal(sigaction(SIGALRM, &action, &old), 0);
    const struct itimerval often = {{0, 2000}, {0, 2000}};
    assert_int_equal(setitimer(ITIMER_REAL, &often, NULL), 0);
    const uint64_t before = retry_now_ms();
    retry_sleep_ms(50);
    const uint64_t after = retry_now_ms();
    const struct itimerval never = {{0, 0}, {0, 0}};
    assert_int_equal(setitimer(ITIMER_REAL, &never, NULL), 0);
    assert_int_equal(sigaction(SIGALRM, &old, NULL), 0);
    assert_in_range(after - before, 49, 5000);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(waits_double_up_to_their_ceiling),
        cmocka_unit_test(no_retries_means_none),
        cmocka_unit_test(jitter_stays_within_its_share),
        cmocka_unit_test(seeds_make_waits_differ),
        cmocka_unit_test(a_wait_past_the_deadline_is_not_begun),
        cmocka_unit_test(the_peers_wish_beats_the_ceiling_but_not_the_deadline),
        cmocka_unit_test(growth_without_a_ceiling_does_not_overflow),
        cmocka_unit_test(senseless_policies_are_tamed),
        cmocka_unit_test(sleep_survives_signals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
