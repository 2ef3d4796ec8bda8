/* SPDX-License-Identifier: MPL-2.0 */
/* Waiting for a marker, by the arithmetic of prio-processor.md 5.2. */
#include "base/log.h"
#include "base/retry.h"
#include "processor/run.h"

enum { MAX_SLEEP_S = 7 * 24 * 3600 }; // a multiplier must not overflow the clock

static bool is_ready(struct run *run, const char *what, run_ready_fn *ready, void *arg)
{
    struct err err = {0};
    const int r = ready(run, arg, &err);
    if (r < 0)
        log_event(LOG_LEVEL_WARNING, "cannot look for a marker, which counts as absent",
                  LOG_S("marker", what), LOG_S("cause", err.text));
    return r == 1;
}

int run_wait(struct run *run, const char *what, run_ready_fn *ready, void *arg, struct err *err)
{
    const struct process_options *o = run->o;
    double backoff_s = o->retry_delay_s;
    bool there = is_ready(run, what, ready, arg);
    for (uint64_t n_retries = 0; !there && n_retries <= o->retry_limit; n_retries++) {
        const double sleep_s = backoff_s < MAX_SLEEP_S ? backoff_s : MAX_SLEEP_S;
        log_event(LOG_LEVEL_INFO, "waiting", LOG_S("marker", what), LOG_R("seconds", sleep_s),
                  LOG_U("retries_left", o->retry_limit - n_retries));
        retry_sleep_ms((uint64_t)(sleep_s * 1000));
        backoff_s *= o->retry_multiplier;
        there = is_ready(run, what, ready, arg);
    }
    if (there)
        return 0;
    run_say(run, "Reached the maximum number of retries.");
    return err_set(err, E_AGAIN, 0, "%s did not appear", what);
}
