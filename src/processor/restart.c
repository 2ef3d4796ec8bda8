/* SPDX-License-Identifier: MPL-2.0 */
/*
 * What an earlier run left, and what follows from it (prio-processor.md D4, D7).
 *
 *   published, and the raw data are those of that run or gone   finish its clean-up, nothing else
 *   new raw data                                                start over, drop what was answered
 *   not published, same raw data                                go on where it stopped
 */
#include "base/log.h"
#include "base/utc.h"
#include "processor/layout.h"
#include "processor/run.h"

#include <string.h>

enum raw_news { RAW_NONE, RAW_SAME, RAW_NEW, RAW_ARRIVING };

static int marker_time(struct run *run, bool *there, int64_t *modified_us, struct err *err)
{
    struct key key;
    struct store_object object;
    int r = run_key(run, &key, err, "processed/publish/_SUCCESS");
    if (r == 0)
        r = store_stat(run->o->private, key.text, &object, err);
    *there = r == 0;
    *modified_us = r == 0 ? object.modified_us : 0;
    return r == E_ABSENT ? 0 : r;
}

/* Without a record of what was read only the time tells. */
static int judge_by_time(struct run *run, int64_t published_us, enum raw_news *news,
                         struct err *err)
{
    struct key key;
    struct store_object object;
    int r = run_key(run, &key, err, "raw/shares/_SUCCESS");
    if (r == 0)
        r = store_stat(run->o->ingest, key.text, &object, err);
    if (r == E_ABSENT) {
        *news = RAW_ARRIVING;
        return 0;
    }
    *news = r == 0 && object.modified_us > published_us ? RAW_NEW : RAW_SAME;
    return r;
}

/* Are the bytes those of the recorded digest? Then they are this run's, wherever they lie now. */
static int judge_by_reading(struct run *run, struct object_list *now, const struct hash *recorded,
                            enum raw_news *news, struct err *err)
{
    struct hash digest;
    int r = raw_identify(run, now, err);
    if (r == 0)
        r = raw_digest(run, now, &digest, err);
    if (r < 0)
        return r;
    *news = hash_equal(&digest, recorded) ? RAW_SAME : RAW_NEW;
    return *news == RAW_SAME ? raw_note(run, now, err) : 0;
}

/*
 * published: a part of the recorded data may be gone, because the clean-up was interrupted; before,
 * all of it must be there.
 */
static int judge(struct run *run, bool published, int64_t published_us,
                 const struct maybe_hash *recorded, enum raw_news *news, struct err *err)
{
    CLEANUP(object_list_deinit) struct object_list now = {0}, known = {0};
    struct key key;
    struct err ignored = {0};
    int r = raw_list(run, &now, err);
    if (r < 0 || now.n == 0) {
        *news = RAW_NONE;
        return r;
    }
    if (!recorded->set)
        return judge_by_time(run, published_us, news, err);
    r = run_key(run, &key, err, "state/raw.json");
    if (r < 0)
        return r;
    if (object_list_read(&known, run->o->private, key.text, &ignored) == 0 &&
        (published ? object_list_within(&now, &known) : object_list_equal(&now, &known))) {
        *news = RAW_SAME;
        return 0;
    }
    *news = RAW_ARRIVING;
    return raw_has_marker(&now) ? judge_by_reading(run, &now, &recorded->hash, news, err) : 0;
}

/* Everything that only the last run needed. */
static int drop_state(struct run *run, struct err *err)
{
    CLEANUP(object_list_deinit) struct object_list there = {0};
    struct key folder, key;
    int r = run_key(run, &folder, err, "state/");
    if (r == 0)
        r = run_list(&there, run->o->private, folder.text, err);
    for (size_t i = 0; i < there.n && r == 0; i++) {
        const char *name = there.objects[i].key;
        if (strcmp(name, "run.json") == 0 || strcmp(name, "lock") == 0)
            continue;
        r = key_make(&key, err, "%s%s", folder.text, name);
        if (r == 0)
            r = store_delete_one(run->o->private, key.text, err);
    }
    return r;
}

/* Published files stay until new ones take their place, but nobody takes them for those. */
static int drop_publish_markers(struct run *run, struct err *err)
{
    CLEANUP(object_list_deinit) struct object_list there = {0};
    struct key folder, key;
    int r = run_key(run, &folder, err, "processed/publish/");
    if (r == 0)
        r = key_make(&key, err, "%s_SUCCESS", folder.text);
    if (r == 0)
        r = store_delete_one(run->o->private, key.text, err);
    if (r == 0)
        r = run_list(&there, run->o->private, folder.text, err);
    for (size_t i = 0; i < there.n && r == 0; i++) {
        const char *name = strrchr(there.objects[i].key, '/');
        if (!name || strcmp(name, "/_SUCCESS") != 0)
            continue;
        r = key_make(&key, err, "%s%s", folder.text, there.objects[i].key);
        if (r == 0)
            r = store_delete_one(run->o->private, key.text, err);
    }
    return r;
}

/*
 * What this server sent of the last run must not be taken for the new one's by a partner that
 * begins at the same time, and that would otherwise see it until the new verify1 is whole. Its
 * aggregate stays: the partner may need it to publish the last run.
 */
static int withdraw_markers(struct run *run, struct err *err)
{
    int r = 0;
    for (int s = RUN_VERIFY1; s <= RUN_VERIFY2 && r == 0; s++) {
        struct key key;
        r = key_make(&key, err, "%sintermediate/external/%s/_SUCCESS", run->partner,
                     run_stage_name((enum run_stage)s));
        if (r == 0)
            r = store_delete_one(run->o->external_shared, key.text, err);
    }
    return r;
}

/*
 * Begin as if there had been nothing, but for state.stale. A restart in this phase comes here
 * again. has_sent: the run before this one may have.
 */
static int start_over(struct run *run, bool has_sent, struct err *err)
{
    struct key key;
    run->state.phase = RUN_RESTARTING;
    int r = run_save(run, err);
    if (r == 0)
        r = run_key(run, &key, err, "intermediate/internal/");
    if (r == 0)
        r = run_delete_below(run->o->private, key.text, NULL, err);
    if (r == 0)
        r = drop_state(run, err);
    if (r == 0)
        r = drop_publish_markers(run, err);
    if (r == 0 && has_sent)
        r = withdraw_markers(run, err);
    if (r < 0)
        return r;
    run->state.phase = RUN_BEGUN;
    run->fresh = true;
    r = run_save(run, err);
    return r < 0 ? r : 1;
}

/* What was stale then still is. */
static int start_over_again(struct run *run, const struct run_state *last, struct err *err)
{
    memcpy(run->state.stale, last->stale, sizeof run->state.stale);
    return start_over(run, true, err);
}

/* What was found of an earlier run. */
struct earlier {
    bool recorded; // in run.json
    struct run_state state;
    bool published;
    int64_t published_us;
};

static int start_with_new_data(struct run *run, const struct earlier *e, struct err *err)
{
    const int r = e->recorded ? mail_note_stale(run, &e->state, err) : 0;
    return r == 0 ? start_over(run, e->recorded, err) : r;
}

static int refuse(const struct run *run, const char *what, struct err *err)
{
    return err_set(
        err, E_ARG, 0,
        "%s: the unfinished run of %s was begun with another %s, and its answers may have "
        "left: go on with the old one, or stage new raw data on both servers",
        what, run->o->date, what);
}

/* Not published yet. */
static int go_on(struct run *run, const struct earlier *e, enum raw_news news, struct err *err)
{
    const struct run_state *last = &e->state;
    const char *difference = run_state_difference(last, &run->state);
    const bool answered = run_state_answered(last);
    if (!answered && difference) // nothing has left: begin as if there had been nothing
        return start_over_again(run, last, err);
    if (answered && news == RAW_NEW) {
        log_event(LOG_LEVEL_WARNING,
                  "the raw data are others than those of the unfinished run; starting over",
                  LOG_S("date", run->o->date));
        return start_with_new_data(run, e, err);
    }
    if (difference)
        return refuse(run, difference, err);
    run->state = *last;
    run->state.batches = run->o->config;
    return 1;
}

static int wait_and_judge(struct run *run, bool published, int64_t published_us,
                          const struct maybe_hash *recorded, enum raw_news *news, struct err *err)
{
    int r = judge(run, published, published_us, recorded, news, err);
    if (r < 0 || *news != RAW_ARRIVING)
        return r;
    log_info("new raw data are arriving; waiting for their marker");
    r = run_wait_raw(run, err);
    if (r == 0)
        r = judge(run, published, published_us, recorded, news, err);
    if (r == 0 && *news == RAW_ARRIVING)
        r = err_set(err, E_IO, 0,
                    "the raw data are being replaced; start again when they are whole");
    return r;
}

static int find_earlier(struct run *run, struct earlier *e, struct err *err)
{
    struct key key;
    int r = run_key(run, &key, err, "state/run.json");
    if (r == 0)
        r = marker_time(run, &e->published, &e->published_us, err);
    if (r < 0)
        return r;
    r = run_state_read(&e->state, run->o->private, key.text, err);
    e->recorded = r == 0;
    return r == E_ABSENT ? 0 : r;
}

/*
 * --again, for which the raw data have to be there. The same shares must not be answered at another
 * point, which another secret, PRG or mode would mean: two answers lay a client's bits open
 * (prio-v1.md 9.1).
 */
static int repeat(struct run *run, const struct earlier *e, struct err *err)
{
    enum raw_news news = RAW_NONE;
    const char *difference = e->recorded ? run_state_difference(&e->state, &run->state) : NULL;
    int r = run_wait_raw(run, err);
    if (r == 0)
        r = wait_and_judge(run, e->published, e->published_us, &e->state.raw, &news, err);
    if (r < 0)
        return r;
    if (news == RAW_NEW)
        return start_with_new_data(run, e, err);
    return difference ? refuse(run, difference, err) : start_over(run, false, err);
}

/* Nothing to process: what is left of the clean-up is all that run_finish will do. */
static int take_over_finished(struct run *run, const struct earlier *e)
{
    run->finished_by_other = !e->recorded;
    if (e->recorded) {
        run->state = e->state;
        run->state.batches = run->o->config;
    }
    return 0;
}

static int decide(struct run *run, const struct earlier *e, struct err *err)
{
    enum raw_news news = RAW_NONE;
    const bool finished = e->published || (e->recorded && e->state.phase >= RUN_PUBLISHED);
    if (e->recorded && e->state.phase == RUN_RESTARTING)
        return start_over_again(run, &e->state, err);
    if (!e->recorded && !e->published)
        return start_over(run, false, err);
    if (run->o->again && finished)
        return repeat(run, e, err);
    const int r = wait_and_judge(run, e->published, e->published_us, &e->state.raw, &news, err);
    if (r < 0)
        return r;
    if (!e->published)
        return go_on(run, e, news, err);
    if (news == RAW_NEW)
        return start_with_new_data(run, e, err);
    return take_over_finished(run, e);
}

int run_begin(struct run *run, struct err *err)
{
    const struct process_options *o = run->o;
    struct earlier earlier = {0};
    int r = run_state_init(&run->state, o->role, o->prg, o->points, o->private_key,
                           o->shared_secret, o->config, err);
    if (r == 0)
        r = find_earlier(run, &earlier, err);
    return r == 0 ? decide(run, &earlier, err) : r;
}

int run_check_earlier(struct run *run, struct err *err)
{
    const struct process_options *o = run->o;
    CLEANUP(object_list_deinit) struct object_list now = {0}, known = {0};
    struct earlier earlier = {0};
    struct key key;
    int r = run_state_init(&run->state, o->role, o->prg, o->points, o->private_key,
                           o->shared_secret, o->config, err);
    if (r == 0)
        r = find_earlier(run, &earlier, err);
    if (r < 0 || !earlier.recorded || earlier.state.phase == RUN_RESTARTING || earlier.published ||
        !run_state_answered(&earlier.state))
        return r;
    const char *difference = run_state_difference(&earlier.state, &run->state);
    if (!difference)
        return 0;
    r = raw_list(run, &now, err);
    if (r == 0)
        r = run_key(run, &key, err, "state/raw.json");
    if (r == 0)
        r = object_list_read(&known, o->private, key.text, err);
    // Other objects: new data, with which everything may be new.
    if (r == 0 && now.n > 0 && !object_list_equal(&now, &known))
        return 0;
    return r == 0 || r == E_ABSENT ? refuse(run, difference, err) : r;
}

void run_warn_yesterday(struct run *run)
{
    enum { DAY_US_1000 = 86400 * 1000 };
    const struct process_options *o = run->o;
    char yesterday[11];
    struct err ignored = {0};
    struct run_state state;
    struct key key;
    if (o->date_given)
        return;
    const int64_t now_us = o->now_us != 0 ? o->now_us : utc_now_us();
    layout_today(yesterday, now_us - (int64_t)DAY_US_1000 * 1000);
    if (key_make(&key, &ignored, "%s/%s/%s/%s/state/run.json", o->bucket_prefix, o->key_external,
                 o->app_name, yesterday) < 0 ||
        run_state_read(&state, o->private, key.text, &ignored) < 0 || state.phase >= RUN_PUBLISHED)
        return;
    log_event(LOG_LEVEL_WARNING,
              "the run of yesterday is not finished; set SUBMISSION_DATE to go on with it",
              LOG_S("date", yesterday));
}
