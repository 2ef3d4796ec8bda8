/* SPDX-License-Identifier: MPL-2.0 */
/* One queue: batches until the stop rule says so. Source: fxci-etl.md 3.2, 3.8, 6.5. */
#include "base/log.h"
#include "base/progress.h"
#include "base/retry.h"
#include "fxci/drain_internal.h"

#include <unistd.h>

enum {
    IDLE_MS = 1000,
    FEW = 100,       // ready messages that are left for the next run
    CROWDED = 80000, // of the 100,000 at which production queues lose messages
};

/* A lost connection is made anew five times; then the queue is left for the next run. */
static const struct retry_policy reconnects = {
    .max_retries = 5, .first_wait_ms = 1000, .multiplier = 2, .max_wait_ms = 32000, .jitter = 0.5};

enum batch_end { BATCH_FULL, BATCH_AGED, BATCH_GOAL, BATCH_IDLE, BATCH_LAST, BATCH_OVERTIME };

struct queue {
    struct drain *d;
    size_t binding;
    const char *name;
    struct retry retry;
    uint64_t started_ms, deadline_ms;
    uint64_t n_ready, n_left; // at the start, at the end
    uint64_t goal;            // messages after which few may be left (3.2 b)
    bool goal_met;
    bool not_stored; // the batch at hand: no new connection helps
    struct drain_counts counts;
    struct progress progress;
};

static uint64_t clamp_wait(uint64_t wait_ms, uint64_t until_ms, uint64_t now_ms)
{
    const uint64_t left = until_ms > now_ms ? until_ms - now_ms : 0;
    return left < wait_ms ? left : wait_ms;
}

/* Read until the batch is full, old, or nothing comes. @return enum batch_end, or E_*. */
static int read_batch(struct queue *q, struct err *err)
{
    struct drain *d = q->d;
    const uint64_t batch_end_ms = retry_now_ms() + d->o->batch_ms;
    size_t n_bytes = 0;
    d->n_messages = 0;
    while (d->n_messages < d->o->batch_messages && n_bytes < DRAIN_BATCH_BYTES) {
        const uint64_t now_ms = retry_now_ms();
        if (drain_stopped(d) || now_ms >= q->deadline_ms)
            return BATCH_OVERTIME;
        if (now_ms >= batch_end_ms)
            return BATCH_AGED;
        struct broker_message *m = &d->messages[d->n_messages];
        const uint64_t wait_ms =
            clamp_wait(clamp_wait(IDLE_MS, batch_end_ms, now_ms), q->deadline_ms, now_ms);
        const int r = broker_next(d->o->broker, m, wait_ms, err);
        if (r < 0 || r == 0)
            return r < 0 ? r : BATCH_LAST;
        if (r == BROKER_IDLE) {
            if (wait_ms == IDLE_MS)
                return BATCH_IDLE;
            continue;
        }
        n_bytes += m->body.len;
        d->n_messages++;
        if (!q->goal_met && q->counts.n_taken + d->n_messages >= q->goal) {
            q->goal_met = true;
            return BATCH_GOAL;
        }
    }
    return BATCH_FULL;
}

/* Few are ready: the rest is the next run's. @return 1, 0, or E_*. */
static int few_left(struct queue *q, struct err *err)
{
    const int r = broker_queue_ready(q->d->o->broker, q->binding, &q->n_left, NULL, err);
    return r < 0 ? r : q->n_left < FEW;
}

/* 3.2 c: what is left is worth a line, but no failure. It is counted when the queue is closed: what
 * is just on its way is counted nowhere. */
static void log_overtime(struct queue *q)
{
    struct err ignored = {0};
    if (broker_is_recorded(q->d->o->broker))
        return;
    broker_queue_close(q->d->o->broker);
    if (few_left(q, &ignored) < 0)
        return;
    if (!drain_stopped(q->d))
        log_event(LOG_LEVEL_WARNING, "the time for a queue is used up", LOG_S("queue", q->name),
                  LOG_U("left", q->n_left));
}

/* @return 1: the queue is done with, 0: go on, or E_*. */
static int is_done(struct queue *q, enum batch_end end, struct err *err)
{
    if (end == BATCH_OVERTIME)
        log_overtime(q);
    if (end == BATCH_LAST || end == BATCH_OVERTIME)
        return 1;
    if (broker_is_recorded(q->d->o->broker) || (end != BATCH_IDLE && !q->goal_met))
        return 0;
    return few_left(q, err);
}

static int store_batch(struct queue *q, struct err *err)
{
    struct drain *d = q->d;
    if (d->n_messages == 0)
        return 0;
    const uint64_t n_failed = q->counts.n_failed;
    int r = drain_store(d, &q->counts, err);
    q->not_stored = r < 0;
    if (r == 0) {
        progress_add(&q->progress, d->n_messages, 0);
        progress_reject(&q->progress, q->counts.n_failed - n_failed);
        r = broker_ack(d->o->broker, d->messages[d->n_messages - 1].tag, err);
    }
    d->n_messages = 0;
    return r;
}

/* @return 1: done with, or E_*. */
static int read_queue(struct queue *q, struct err *err)
{
    int done = 0;
    while (done == 0) {
        const int end = read_batch(q, err);
        if (end < 0)
            return end;
        const int r = store_batch(q, err);
        if (r < 0)
            return r;
        done = is_done(q, (enum batch_end)end, err);
        // Ids are asked for while they are few enough to be kept cheaply.
        if (done == 0 && state_count(q->d->o->state, STATE_PENDING_ID) >= 5000 &&
            !broker_is_recorded(q->d->o->broker))
            drain_definitions(q->d);
    }
    return done;
}

static int open_queue(struct queue *q, struct err *err)
{
    uint64_t n_ready = 0;
    const int r = broker_queue_open(q->d->o->broker, q->binding, &n_ready, err);
    if (r < 0 || q->goal > 0)
        return r;
    q->n_ready = n_ready;
    q->goal = n_ready > 0 ? n_ready + (n_ready + 9) / 10 : 1;
    // Of recorded messages nobody knows how many there are, and each is wanted.
    if (broker_is_recorded(q->d->o->broker))
        q->goal = UINT64_MAX;
    if (!broker_is_recorded(q->d->o->broker))
        log_event(n_ready > CROWDED ? LOG_LEVEL_WARNING : LOG_LEVEL_INFO,
                  n_ready > CROWDED ? "the queue is near its limit, at which messages are lost"
                                    : "draining",
                  LOG_S("queue", q->name), LOG_U("ready", n_ready));
    return 0;
}

/* Wait before the connection is made anew. @return false: enough. */
static bool may_reconnect(struct queue *q, const struct err *cause)
{
    uint64_t wait_ms = 0;
    if (drain_stopped(q->d) || !retry_next(&q->retry, retry_now_ms(), 0, &wait_ms) ||
        retry_now_ms() + wait_ms >= q->deadline_ms)
        return false;
    log_event(LOG_LEVEL_WARNING, "the connection is made anew", LOG_S("queue", q->name),
              LOG_U("wait_ms", wait_ms), LOG_S("cause", cause->text));
    for (uint64_t slept = 0; slept < wait_ms && !drain_stopped(q->d); slept += 100)
        retry_sleep_ms(100);
    return true;
}

static void log_table(const struct queue *q, enum fxci_table table)
{
    const struct row_counts *n = &q->counts.tables[table];
    if (n->n_written + n->n_duplicate + n->n_refused > 0)
        log_event(LOG_LEVEL_INFO, "stored", LOG_S("queue", q->name),
                  LOG_S("table", fxci_table_name(table)), LOG_U("written", n->n_written),
                  LOG_U("duplicate", n->n_duplicate), LOG_U("refused", n->n_refused));
}

static void log_queue(const struct queue *q)
{
    const struct drain_counts *n = &q->counts;
    log_event(LOG_LEVEL_INFO, "drained", LOG_S("queue", q->name), LOG_U("taken", n->n_taken),
              LOG_U("runs", n->n_runs), LOG_U("ids", n->n_ids), LOG_U("ignored", n->n_ignored),
              LOG_U("failed", n->n_failed), LOG_U("redelivered", n->n_redelivered),
              LOG_U("left", q->n_left),
              LOG_R("seconds", (double)(retry_now_ms() - q->started_ms) / 1000));
    log_table(q, FXCI_TASKS);
    log_table(q, FXCI_RUNS);
}

/* Open and read, again where the connection is lost. Where rows were not taken the warehouse had
 * its own patience; and recorded messages that were read do not come again. @return 1 or E_*. */
static int work_queue(struct queue *q, struct err *err)
{
    for (;;) {
        *err = (struct err){0};
        int r = open_queue(q, err);
        if (r == 0)
            r = read_queue(q, err);
        broker_queue_close(q->d->o->broker);
        rows_abandon(&q->d->rows);
        if (r != E_AGAIN || q->not_stored || !may_reconnect(q, err))
            return r;
    }
}

void drain_queue(struct drain *d, size_t binding)
{
    struct err err = {0};
    struct queue q = {.d = d, .binding = binding, .name = d->o->bindings->bindings[binding].name};
    q.started_ms = retry_now_ms();
    q.deadline_ms = q.started_ms + d->o->queue_ms;
    if (broker_is_recorded(d->o->broker))
        q.deadline_ms = UINT64_MAX; // a file ends by itself
    retry_init(&q.retry, &reconnects, q.started_ms, (uint64_t)getpid() ^ q.started_ms);
    progress_start(&q.progress, q.name, 0,
                   !d->o->show_progress ? PROGRESS_OFF
                   : progress_wanted()  ? PROGRESS_LINE
                                        : PROGRESS_LOG);
    int r = work_queue(&q, &err);
    progress_end(&q.progress);
    if (r >= 0)
        r = state_save(d->o->state, &err);
    if (r < 0)
        drain_note(d, r, q.name, &err);
    // What few have, other exchanges, is worth a line only where there is some.
    if (q.counts.n_taken > 0 || d->o->bindings->bindings[binding].exchange[0])
        log_queue(&q);
    drain_add(&d->total, &q.counts);
}
