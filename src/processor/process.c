/* SPDX-License-Identifier: MPL-2.0 */
/* The order of things; each of them has a file of its own (run.h). */
#include "processor/process.h"

#include "base/log.h"
#include "base/secret.h"
#include "processor/layout.h"
#include "processor/manifest.h"
#include "processor/run.h"

#include <string.h>

static int check_keys(const struct process_options *o, struct err *err)
{
    uint8_t own[PRIO_KEY_BYTES], given[PRIO_KEY_BYTES], peer[PRIO_KEY_BYTES];
    if (prio_key_from_hex(given, o->key_internal, strlen(o->key_internal)) != PRIO_OK)
        return err_set(err, E_ARG, 0, "PUBLIC_KEY_HEX_INTERNAL: a key is exactly 64 hex digits");
    if (prio_key_from_hex(peer, o->key_external, strlen(o->key_external)) != PRIO_OK)
        return err_set(err, E_ARG, 0, "PUBLIC_KEY_HEX_EXTERNAL: a key is exactly 64 hex digits");
    if (prio_public_key(own, o->private_key) != PRIO_OK ||
        memcmp(own, given, sizeof own) != 0) // both halves are public
        return err_set(
            err, E_ARG, 0,
            "PUBLIC_KEY_HEX_INTERNAL: not the public half of PRIVATE_KEY_HEX; internal is "
            "the own key and external the partner's");
    if (memcmp(given, peer, sizeof given) == 0) // public
        return err_set(err, E_ARG, 0,
                       "PUBLIC_KEY_HEX_EXTERNAL: it is the own key; it must be the partner's");
    return 0;
}

int process_check(const struct process_options *o, struct err *err)
{
    if (o->retry_multiplier < 0 || o->retry_delay_s < 0)
        return err_set(err, E_ARG, 0, "RETRY_DELAY, RETRY_BACKOFF_EXPONENT: not negative");
    if (!layout_is_date(o->date))
        return err_set(err, E_ARG, 0, "SUBMISSION_DATE \"%s\": a day like 2026-08-20", o->date);
    const int r = check_keys(o, err);
    return r == 0 ? manifest_check_keys(o->sign_key, o->verify_key, err) : r;
}

int process_check_earlier(const struct process_options *o, struct err *err)
{
    struct run run;
    struct process_options silent = *o;
    silent.metrics_file = NULL;
    int r = run_init(&run, &silent, err);
    if (r == 0)
        r = run_check_earlier(&run, err);
    run_deinit(&run);
    secret_wipe(&silent, sizeof silent);
    return r;
}

typedef int stage_fn(struct run *run, struct err *err);

/* Compute what has not been answered yet, and send it. */
static int answer(struct run *run, enum run_stage stage, struct err *err)
{
    static stage_fn *const compute[RUN_STAGES] = {run_verify1, run_verify2, run_aggregate};
    int r;
    run_say(run, "Running %s", run_stage_name(stage));
    if (run->state.answer[stage].set) {
        log_event(LOG_LEVEL_INFO, "answered before; sending the same",
                  LOG_S("stage", run_stage_name(stage)));
        r = answer_check(run, stage, err);
        if (r == 0)
            run_counts_recall(run, stage);
    } else {
        r = compute[stage](run, err);
    }
    if (r == 0)
        run_report_counts(run, stage);
    return r == 0 ? run_mirror(run, stage, err) : r;
}

static int run_stages(struct run *run, struct err *err)
{
    int r = 0;
    for (int stage = 0; stage < RUN_STAGES && r == 0; stage++)
        r = answer(run, (enum run_stage)stage, err);
    if (r < 0)
        return r;
    run_say(run, "Running publish");
    return run_publish(run, err);
}

static int run_locked(struct run *run, struct err *err)
{
    run_warn_yesterday(run);
    int r = run_begin(run, err);
    if (r == 1)
        r = run_stages(run, err);
    else if (r == 0)
        log_event(LOG_LEVEL_INFO, "this run is finished already; --again repeats it",
                  LOG_S("prefix", run->own));
    if (r < 0 || run->finished_by_other)
        return r;
    return run_finish(run, err);
}

int process_run(const struct process_options *options, struct err *err)
{
    struct run run;
    struct key key;
    int r = process_check(options, err);
    if (r < 0)
        return r;
    r = run_init(&run, options, err);
    if (r == 0)
        r = run_key(&run, &key, err, "state/lock");
    if (r == 0)
        r = store_lock(&run.lock, options->private, key.text, err);
    if (r == 0)
        r = run_locked(&run, err);
    store_unlock(run.lock);
    if (run.report) {
        struct err later = {0};
        const int told = run_report_write(&run, r, err ? err->text : NULL, &later);
        if (told < 0)
            log_warning("%s", later.text);
    }
    run_deinit(&run);
    return r;
}
