/* SPDX-License-Identifier: MPL-2.0 */
#include "taar/amo_pace.h"

#include "amo_test.h"
#include "base/pool.h"
#include "base/retry.h"

enum { WORKERS = 4, TURNS = 10 };

static int take_turns(unsigned index, void *arg, struct err *err)
{
    (void)index;
    (void)err;
    for (int i = 0; i < TURNS; i++)
        if (!amo_pace_turn(arg))
            return 1;
    return 0;
}

static void the_rate_is_that_of_all(void **state)
{
    (void)state;
    struct amo_pace p;
    amo_pace_init(&p, 200);
    const uint64_t begin = retry_now_ms();
    assert_int_equal(pool_run(WORKERS, take_turns, &p, NULL), 0);
    assert_true(retry_now_ms() - begin >= (WORKERS * TURNS - 1) * 5 - 1);
    amo_pace_deinit(&p);
}

static void quiet_is_for_all(void **state)
{
    (void)state;
    struct amo_pace p;
    amo_pace_init(&p, 0);
    const uint64_t begin = retry_now_ms();
    amo_pace_quiet(&p, 100);
    amo_pace_quiet(&p, 10); // does not shorten it
    assert_int_equal(pool_run(WORKERS, take_turns, &p, NULL), 0);
    const uint64_t took = retry_now_ms() - begin;
    assert_true(took >= 100 && took < 5000);
    amo_pace_deinit(&p);
}

static int stop_or_wait(unsigned index, void *arg, struct err *err)
{
    (void)err;
    if (index > 0)
        return amo_pace_sleep(arg, 60000) || amo_pace_turn(arg);
    amo_pace_stop(arg);
    return 0;
}

static void a_stop_wakes_all(void **state)
{
    (void)state;
    struct amo_pace p;
    amo_pace_init(&p, 0);
    amo_pace_quiet(&p, 60000);
    assert_int_equal(pool_run(WORKERS, stop_or_wait, &p, NULL), 0);
    amo_pace_deinit(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_rate_is_that_of_all),
        cmocka_unit_test(quiet_is_for_all),
        cmocka_unit_test(a_stop_wakes_all),
    };
    return cmocka_run_group_tests_name("taar/amo_pace", tests, NULL, NULL);
}
