/* SPDX-License-Identifier: MPL-2.0 */
/* The second message about each record, from traces where there are any, else from the shares. */
#include "base/log.h"
#include "base/pool.h"
#include "processor/part_record.h"
#include "processor/stage_parts.h"
#include "stage/traced.h"

#include <stdatomic.h>
#include <stdlib.h>

/* One batch. */
struct work {
    struct run *run;
    struct run_batch *batch;
    struct packets packets;
    struct run_traces traces;
    struct stage_counts counts; // under run->mutex where workers share it
    _Atomic size_t next;
    atomic_bool unusable; // a trace is not what verify1 wrote
};

/* A stored object of a part, while it is read: its bytes must be those that were written. */
struct known_source {
    struct store_reader *reader;
    struct hasher *hasher;
    struct hashed_source hashed;
};

static void known_close(struct known_source *k)
{
    hasher_free(k->hasher);
    store_reader_close(k->reader);
}

static int known_open(struct known_source *k, struct run *run, const char *folder, const char *key,
                      struct err *err)
{
    struct key full;
    int r = run_key(run, &full, err, "%s%s", folder, key);
    if (r == 0)
        r = hasher_new(&k->hasher, err);
    if (r == 0)
        r = store_get(&k->reader, run->o->private, full.text, 0, STORE_TO_END, err);
    if (r == 0)
        k->hashed =
            (struct hashed_source){.inner = store_reader_source(k->reader), .hasher = k->hasher};
    return r;
}

/* @return 1: what was read is what was written. */
static int known_check(struct known_source *k, const struct hash *written, struct err *err)
{
    struct hash read;
    const int r = hasher_finish(k->hasher, &read, err);
    return r < 0 ? r : hash_equal(&read, written);
}

static int answer_part(struct work *w, size_t number, struct part_writer *out,
                       struct stage_counts *counts, struct err *err)
{
    struct part_record *record = &w->traces.records[number];
    CLEANUP(known_close) struct known_source own = {0}, trace = {0};
    int r = known_open(&own, w->run, "intermediate/internal/verify1/", record->answer.key, err);
    if (r == 0)
        r = known_open(&trace, w->run, "state/verify1/", record->trace.key, err);
    if (r < 0)
        return r;
    const struct traced_input in = {.server = w->batch->server,
                                    .packets = &w->packets,
                                    .own_verify1 = hashed_source(&own.hashed),
                                    .trace = hashed_source(&trace.hashed),
                                    .name = record->answer.key,
                                    .cpu = w->run->o->cpu};
    const struct stage_sink sink = part_writer_sink(out);
    r = traced_verify2(&in, true, &sink, counts, err);
    if (r < 0)
        return r;
    const int same = known_check(&own, &record->answer.hash, err);
    const int trace_same = known_check(&trace, &record->trace.hash, err);
    if (same < 0 || trace_same < 0)
        return same < 0 ? same : trace_same;
    return same && trace_same
               ? 0
               : err_set(err, E_FORMAT, 0, "%s: its trace has changed", record->answer.key);
}

static int traced_part(struct work *w, size_t number, struct err *err)
{
    struct key name;
    struct stage_counts counts = {0};
    CLEANUP(part_writer_abandon) struct part_writer out = {0};
    int r = stage_part_name(w->run, w->batch, RUN_VERIFY2, number, &name, err);
    if (r == 0)
        r = stage_part_open(w->run, RUN_VERIFY2, &name, &out, err);
    if (r == 0)
        r = answer_part(w, number, &out, &counts, err);
    if (r == 0)
        r = stage_part_commit(w->run, RUN_VERIFY2, &name, &out, err);
    if (r < 0)
        return r;
    pthread_mutex_lock(&w->run->mutex);
    stage_counts_add(&w->counts, &counts);
    pthread_mutex_unlock(&w->run->mutex);
    progress_add(&w->run->progress, counts.total, 0);
    return 0;
}

static int work_on_parts(unsigned index, void *arg, struct err *err)
{
    struct work *w = arg;
    (void)index;
    for (size_t i; !w->unusable && (i = w->next++) < w->traces.n;) {
        const int r = traced_part(w, i, err);
        if (r < 0)
            w->unusable = true;
        if (r < 0 && r != E_FORMAT && r != E_ABSENT)
            return r;
    }
    return 0;
}

/* @return 1: answered, 0: the traces are of no use, or E_*. */
static int from_traces(struct work *w, struct err *err)
{
    int r = run_traces_open(&w->traces, w->run, w->batch, err);
    if (r <= 0)
        return r;
    r = pool_run(w->run->o->n_workers, work_on_parts, w, err);
    if (r == 0 && w->unusable)
        log_event(LOG_LEVEL_WARNING, "the traces of a batch are of no use; reading its shares",
                  LOG_S("batch", w->batch->entry->batch_id));
    return r < 0 ? r : !w->unusable;
}

static int answer_shares(void *arg, size_t number, const struct stage_input *in,
                         const struct stage_options *options, struct err *err)
{
    struct work *w = arg;
    struct key name;
    CLEANUP(part_writer_abandon) struct part_writer out = {0};
    int r = stage_part_name(w->run, w->batch, RUN_VERIFY2, number, &name, err);
    if (r == 0)
        r = stage_part_open(w->run, RUN_VERIFY2, &name, &out, err);
    if (r < 0)
        return r;
    const struct stage_sink sink = part_writer_sink(&out);
    r = stage_verify2(in, &w->packets, options, &sink, &w->counts, err);
    return r == 0 ? stage_part_commit(w->run, RUN_VERIFY2, &name, &out, err) : r;
}

/* Records that verify1 had lost already are no losses of this stage. */
static void drop_earlier_losses(struct stage_counts *counts)
{
    for (int i = 0; i < REASON_COUNT; i++)
        if (i != REASON_MISSING_EXTERNAL && i != REASON_BAD_PACKET) {
            counts->total -= counts->by_reason[i];
            counts->error -= counts->by_reason[i];
            counts->by_reason[i] = 0;
        }
}

/* Parts that were written before the traces proved useless. */
static void forget_parts(struct run *run, struct run_batch *batch)
{
    struct object_list *parts = &run->parts[RUN_VERIFY2];
    pthread_mutex_lock(&run->mutex);
    object_list_drop_below(parts, batch->dir);
    pthread_mutex_unlock(&run->mutex);
}

static int from_shares(struct work *w, struct err *err)
{
    forget_parts(w->run, w->batch);
    w->counts = (struct stage_counts){0};
    int r = own_load(w->run, w->batch, RUN_VERIFY1, &w->packets, err);
    if (r == 0)
        r = run_later_pass(w->run, w->batch, &w->counts, answer_shares, w, err);
    if (r == 0)
        drop_earlier_losses(&w->counts);
    return r;
}

static int verify2_batch(struct run *run, struct run_batch *batch, void *arg, struct err *err)
{
    struct work w = {.run = run, .batch = batch};
    (void)arg;
    packets_init(&w.packets, PACKET_VERIFY1, &batch->key);
    int r = mail_load(run, batch, RUN_VERIFY1, &w.packets, err);
    if (r == 0)
        r = from_traces(&w, err);
    if (r == 0)
        r = from_shares(&w, err);
    run_traces_close(&w.traces);
    packets_deinit(&w.packets);
    return r < 0 ? r : stage_batch_done(run, batch, RUN_VERIFY2, &w.counts, err);
}

int run_verify2(struct run *run, struct err *err)
{
    const int r = stage_answer_mail(run, RUN_VERIFY1, "verify2", &run->parts[RUN_VERIFY2],
                                    verify2_batch, err);
    return r == 0 ? answer_record(run, RUN_VERIFY2, err) : r;
}
