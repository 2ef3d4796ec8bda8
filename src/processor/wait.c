/* SPDX-License-Identifier: MPL-2.0 */
/* Waiting for a marker, by the arithmetic of prio-processor.md 5.2. */
#include "base/log.h"
#include "base/retry.h"
#include "processor/run.h"

enum {
    MAX_SLEEP_S = 7 * 24 * 3600, // a multiplier must not overflow the clock
    TELL_MS = 5000,
};

/* Short waits would flood the log: is it time for a line again? */
static bool may_tell(uint64_t *told_ms)
{
    const uint64_t now_ms = retry_now_ms();
    if (*told_ms != 0 && now_ms - *told_ms < TELL_MS)
        return false;
    *told_ms = now_ms;
    return true;
}

static bool is_ready(struct run *run, const char *what, run_ready_fn *ready, void *arg,
                     uint64_t *warned_ms)
{
    struct err err = {0};
    const int r = ready(run, arg, &err);
    if (r < 0 && may_tell(warned_ms))
        log_event(LOG_LEVEL_WARNING, "cannot look for a marker, which counts as absent",
                  LOG_S("marker", what), LOG_S("cause", err.text));
    return r == 1;
}

static void tell(void *arg)
{
    log_event(LOG_LEVEL_INFO, "still waiting", LOG_S("marker", arg));
}

/* A program that is silent for long is taken for dead by whoever started it. */
static void sleep_aloud(const struct run *run, const char *what, uint64_t ms)
{
    struct ticker ticker = {0};
    // Without a thread the wait is as long, and silent.
    if (run->o->progress != PROGRESS_OFF && ms > PROGRESS_LOG_MS &&
        ticker_start(&ticker, PROGRESS_LOG_MS, tell, (void *)(uintptr_t)what, NULL) < 0)
        ticker = (struct ticker){0};
    retry_sleep_ms(ms);
    ticker_stop(&ticker);
}

int run_wait(struct run *run, const char *what, run_ready_fn *ready, void *arg, struct err *err)
{
    const struct process_options *o = run->o;
    double backoff_s = o->retry_delay_s;
    uint64_t told_ms = 0, warned_ms = 0;
    bool there = is_ready(run, what, ready, arg, &warned_ms);
    for (uint64_t n_retries = 0; !there && n_retries <= o->retry_limit; n_retries++) {
        const double sleep_s = backoff_s < MAX_SLEEP_S ? backoff_s : MAX_SLEEP_S;
        if (may_tell(&told_ms))
            log_event(LOG_LEVEL_INFO, "waiting", LOG_S("marker", what), LOG_R("seconds", sleep_s),
                      LOG_U("retries_left", o->retry_limit - n_retries));
        sleep_aloud(run, what, (uint64_t)(sleep_s * 1000));
        backoff_s *= o->retry_multiplier;
        there = is_ready(run, what, ready, arg, &warned_ms);
    }
    if (there)
        return 0;
    run_say(run, "Reached the maximum number of retries.");
    return err_set(err, E_AGAIN, 0, "%s did not appear", what);
}
