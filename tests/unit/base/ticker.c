/* SPDX-License-Identifier: MPL-2.0 */
#include "base/ticker.h"

#include "base/retry.h"
#include "base_test.h"

#include <stdatomic.h>

static void count(void *arg)
{
    (*(atomic_int *)arg)++;
}

static void it_ticks_until_it_is_stopped(void **state)
{
    struct ticker t;
    atomic_int n = 0;
    assert_int_equal(ticker_start(&t, 2, count, &n, NULL), 0);
    const uint64_t before = retry_now_ms();
    while (n < 3 && retry_now_ms() - before < 5000)
        retry_sleep_ms(1);
    ticker_stop(&t);
    const int at_stop = n;
    assert_true(at_stop >= 3);
    retry_sleep_ms(10);
    assert_int_equal(n, at_stop);
    ticker_stop(&t);
    (void)state;
}

static void stopping_does_not_wait_for_the_interval(void **state)
{
    struct ticker t;
    atomic_int n = 0;
    const uint64_t before = retry_now_ms();
    assert_int_equal(ticker_start(&t, 60000, count, &n, NULL), 0);
    ticker_stop(&t);
    assert_true(retry_now_ms() - before < 5000);
    assert_int_equal(n, 0);
    (void)state;
}

static void a_zeroed_one_can_be_stopped(void **state)
{
    struct ticker t = {0};
    ticker_stop(&t);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_ticks_until_it_is_stopped),
        cmocka_unit_test(stopping_does_not_wait_for_the_interval),
        cmocka_unit_test(a_zeroed_one_can_be_stopped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
