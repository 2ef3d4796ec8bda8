/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Batches under way: each has a thread. Bigtable applies them in any order, so that a batch waits
 * for one that has a key of its own.
 */
#include "profiles/bigtable_mutate.h"

#include <pthread.h>

struct writer {
    struct writers *all;
    pthread_t thread;
    struct batch *batch;
    bool busy; // the batch is the thread's
};

struct writers {
    struct bigtable *b;
    pthread_mutex_t mutex; // of all below
    pthread_cond_t changed;
    struct failures failures; // since they were last asked for
    bool refused;             // and the service refuses all: nothing more is sent
    bool stopping;
    unsigned n;
    struct writer writers[];
};

static void finish(struct writer *w, const struct mutation_outcome *outcome)
{
    struct failures *f = &w->all->failures;
    if (f->n == 0 && outcome->failures.n > 0)
        f->first = outcome->failures.first;
    f->n += outcome->failures.n;
    w->all->refused = w->all->refused || outcome->refused;
    batch_clear(w->batch);
    w->busy = false;
    (void)pthread_cond_broadcast(&w->all->changed);
}

static void *run(void *arg)
{
    struct writer *w = arg;
    struct writers *all = w->all;
    (void)pthread_mutex_lock(&all->mutex);
    while (w->busy || !all->stopping) {
        if (!w->busy) {
            (void)pthread_cond_wait(&all->changed, &all->mutex);
            continue;
        }
        (void)pthread_mutex_unlock(&all->mutex);
        struct mutation_outcome outcome;
        bigtable_write_batch(&outcome, all->b, w->batch);
        (void)pthread_mutex_lock(&all->mutex);
        finish(w, &outcome);
    }
    (void)pthread_mutex_unlock(&all->mutex);
    return NULL;
}

static bool start_one(struct writers *all)
{
    struct writer *w = &all->writers[all->n];
    *w = (struct writer){.all = all, .batch = batch_new()};
    if (w->batch && pthread_create(&w->thread, NULL, run, w) == 0)
        return true;
    batch_free(w->batch);
    return false;
}

/* As many as can be had. */
static int start_writers(struct bigtable *b, struct err *err)
{
    struct writers *all = calloc(1, sizeof *all + b->n_streams * sizeof all->writers[0]);
    if (!all)
        return err_set(err, E_NOMEM, 0, "no memory for threads");
    all->b = b;
    (void)pthread_mutex_init(&all->mutex, NULL); // neither fails on Linux
    (void)pthread_cond_init(&all->changed, NULL);
    b->writers = all;
    while (all->n < b->n_streams && start_one(all))
        all->n++;
    return all->n > 0 ? 0 : err_set(err, E_NOMEM, 0, "no thread can be started");
}

void bigtable_stop_writers(struct bigtable *b)
{
    struct writers *all = b->writers;
    if (!all)
        return;
    (void)pthread_mutex_lock(&all->mutex);
    all->stopping = true;
    (void)pthread_cond_broadcast(&all->changed);
    (void)pthread_mutex_unlock(&all->mutex);
    for (unsigned i = 0; i < all->n; i++) {
        (void)pthread_join(all->writers[i].thread, NULL);
        batch_free(all->writers[i].batch);
    }
    (void)pthread_cond_destroy(&all->changed);
    (void)pthread_mutex_destroy(&all->mutex);
    free(all);
    b->writers = NULL;
}

static bool shares_a_key(const struct batch *a, const struct batch *b)
{
    for (size_t i = 0; i < a->n; i++) {
        if (batch_may_hold(b, batch_key(a, &a->rows[i])))
            return true;
    }
    return false;
}

/* One that is free, unless the batch has to wait for another. A busy batch is only read. */
static struct writer *free_writer(struct writers *all, const struct batch *batch)
{
    struct writer *found = NULL;
    for (unsigned i = 0; i < all->n; i++) {
        struct writer *w = &all->writers[i];
        if (!w->busy)
            found = w;
        else if (shares_a_key(batch, w->batch))
            return NULL;
    }
    return found;
}

int bigtable_send(void *impl, struct batch **batch, struct err *err)
{
    struct bigtable *b = impl;
    int r = b->writers ? 0 : start_writers(b, err);
    if (r < 0)
        return r;
    struct writers *all = b->writers;
    struct writer *w = NULL;
    (void)pthread_mutex_lock(&all->mutex);
    while (!all->refused && !(w = free_writer(all, *batch)))
        (void)pthread_cond_wait(&all->changed, &all->mutex);
    if (all->refused) {
        r = err_set(err, E_IO, all->failures.first.native, "%s", all->failures.first.text);
    } else {
        struct batch *cleared = w->batch;
        w->batch = *batch;
        w->busy = true;
        *batch = cleared;
        (void)pthread_cond_broadcast(&all->changed);
    }
    (void)pthread_mutex_unlock(&all->mutex);
    return r;
}

static bool is_busy(const struct writers *all)
{
    for (unsigned i = 0; i < all->n; i++) {
        if (all->writers[i].busy)
            return true;
    }
    return false;
}

void bigtable_settle(void *impl, struct failures *failures)
{
    struct writers *all = ((struct bigtable *)impl)->writers;
    if (!all)
        return;
    (void)pthread_mutex_lock(&all->mutex);
    while (is_busy(all))
        (void)pthread_cond_wait(&all->changed, &all->mutex);
    if (failures->n == 0)
        failures->first = all->failures.first;
    failures->n += all->failures.n;
    all->failures = (struct failures){0};
    all->refused = false;
    (void)pthread_mutex_unlock(&all->mutex);
}
