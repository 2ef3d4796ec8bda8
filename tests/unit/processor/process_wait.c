/* SPDX-License-Identifier: MPL-2.0 */
/* The arithmetic of prio-processor.md 5.2, on a clock that does not run. */
#include "base/log.h"
#include "pair_steps.h"
#include "processor/run.h"

static double slept_ms[512];
static size_t n_sleeps, n_tests, ready_at;
static int answer_before; // what the test of the marker says until then

void __wrap_retry_sleep_ms(uint64_t ms);
void __wrap_retry_sleep_ms(uint64_t ms)
{
    assert_true(n_sleeps < 512);
    slept_ms[n_sleeps++] = (double)ms;
}

static int is_ready(struct run *run, void *arg, struct err *err)
{
    (void)run;
    (void)arg;
    n_tests++;
    if (ready_at > 0 && n_tests >= ready_at)
        return 1;
    return answer_before < 0 ? err_set(err, answer_before, 0, "the store is down") : 0;
}

static char said[512];
static void keep_line(void *arg, const char *line)
{
    (void)arg;
    (void)snprintf(said + strlen(said), sizeof said - strlen(said), "%s\n", line);
}

static int wait_for(uint64_t limit, double delay_s, double multiplier, size_t ready)
{
    log_init("test", LOG_FORMAT_TEXT, LOG_LEVEL_ERROR);
    const struct process_options o = {.retry_limit = limit,
                                      .retry_delay_s = delay_s,
                                      .retry_multiplier = multiplier,
                                      .say = keep_line};
    struct run run = {.o = &o};
    struct err err = {0};
    n_sleeps = n_tests = 0;
    ready_at = ready;
    said[0] = '\0';
    return run_wait(&run, "marker", is_ready, NULL, &err);
}

static double total_s(void)
{
    double ms = 0;
    for (size_t i = 0; i < n_sleeps; i++)
        ms += slept_ms[i];
    return ms / 1000;
}

static void the_table_of_waits(void **state)
{
    static const struct {
        uint64_t limit;
        double delay_s, multiplier, total_s;
    } rows[] = {{5, 2, 2, 126}, {90, 10, 1, 910}, {180, 10, 1, 1810}, {4, 2, 2, 62}, {0, 3, 9, 3}};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        assert_int_equal(wait_for(rows[i].limit, rows[i].delay_s, rows[i].multiplier, 0), E_AGAIN);
        assert_float_equal(total_s(), rows[i].total_s, 1e-6);
        assert_int_equal(n_sleeps, rows[i].limit + 1);
        // One more than the original, whose last sleep was of no use.
        assert_int_equal(n_tests, rows[i].limit + 2);
        assert_string_equal(said, "Reached the maximum number of retries.\n");
    }
}

static void delay_and_multiplier_have_fractions(void **state)
{
    (void)state;
    assert_int_equal(wait_for(3, 0.5, 1.5, 0), E_AGAIN);
    const double wanted[] = {500, 750, 1125, 1687};
    assert_int_equal(n_sleeps, 4);
    for (size_t i = 0; i < 4; i++)
        assert_float_equal(slept_ms[i], wanted[i], 1e-6);
    assert_int_equal(wait_for(2, 8, 0.5, 0), E_AGAIN);
    assert_float_equal(total_s(), 14, 1e-6);
}

static void a_huge_multiplier_does_not_overflow(void **state)
{
    (void)state;
    assert_int_equal(wait_for(400, 2, 1e6, 0), E_AGAIN);
    for (size_t i = 1; i < n_sleeps; i++)
        assert_true(slept_ms[i] >= slept_ms[i - 1] && slept_ms[i] < 1e9);
}

static void it_ends_when_the_marker_is_there(void **state)
{
    (void)state;
    for (size_t test = 1; test <= 7; test++) {
        assert_int_equal(wait_for(5, 2, 2, test), 0);
        assert_int_equal(n_tests, test);
        assert_int_equal(n_sleeps, test - 1);
        assert_string_equal(said, "");
    }
}

static void a_store_that_fails_counts_as_absent(void **state)
{
    (void)state;
    answer_before = E_IO;
    assert_int_equal(wait_for(5, 2, 2, 4), 0);
    assert_int_equal(n_sleeps, 3);
    assert_int_equal(wait_for(1, 2, 2, 0), E_AGAIN);
    assert_string_equal(said, "Reached the maximum number of retries.\n");
    answer_before = 0;
}

static void misses(struct pair *p, const char *marker)
{
    char text[ERR_TEXT_BYTES];
    const struct pair_how how = {.retry_limit = 1};
    n_sleeps = 0;
    assert_int_equal(pair_run(p, 0, &how, text), E_AGAIN);
    if (!strstr(text, marker))
        fail_msg("\"%s\" does not name %s", text, marker);
    assert_int_equal(n_sleeps, 2);
    const char *last = strstr(p->said[0], "Reached the maximum number of retries.\n");
    assert_non_null(last);
    assert_string_equal(last, "Reached the maximum number of retries.\n");
}

/* Each of the four waits begins anew, and ends in the same words. */
static void every_wait_of_a_run(void **state)
{
    static const struct pair_data data = {.n = 3, .seed = 1};
    static const char verify2[] = "intermediate/external/verify2/_SUCCESS";
    const struct pair_how how = {.retry_limit = 1};
    (void)state;
    struct pair *p = pair_new(false);
    misses(p, "raw/shares/_SUCCESS");
    pair_stage(p, &data);
    misses(p, "intermediate/external/verify1/_SUCCESS");
    assert_int_equal(pair_step(p, 1, &how), 1);
    pair_remove(p, 0, "shared", verify2);
    misses(p, verify2);
    pair_put(p, 0, "shared", verify2, "");
    misses(p, "intermediate/external/aggregate/_SUCCESS");
    assert_int_equal(pair_step(p, 1, &how), 0);
    assert_int_equal(pair_step(p, 0, &how), 0);
    pair_assert_published(p, &data);
    pair_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_table_of_waits),
        cmocka_unit_test(delay_and_multiplier_have_fractions),
        cmocka_unit_test(a_huge_multiplier_does_not_overflow),
        cmocka_unit_test(it_ends_when_the_marker_is_there),
        cmocka_unit_test(a_store_that_fails_counts_as_absent),
        cmocka_unit_test(every_wait_of_a_run),
    };
    return cmocka_run_group_tests_name("process_wait", tests, NULL, NULL);
}
