/* SPDX-License-Identifier: MPL-2.0 */
#include "base/pool.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>

struct worker {
    pthread_t thread;
    unsigned index;
    pool_fn *fn;
    void *arg;
    int result;
    struct err err;
};

static void *run_worker(void *arg)
{
    struct worker *w = arg;
    w->result = w->fn(w->index, w->arg, &w->err);
    return NULL;
}

int pool_run(unsigned n_workers, pool_fn *fn, void *arg, struct err *err)
{
    if (n_workers < 1 || n_workers > POOL_MAX_WORKERS)
        return err_set(err, E_ARG, 0, "%u workers: between 1 and %d are possible", n_workers,
                       POOL_MAX_WORKERS);
    if (n_workers == 1)
        return fn(0, arg, err);
    struct worker *workers = calloc(n_workers, sizeof *workers);
    if (!workers)
        return err_set(err, E_NOMEM, 0, "no memory for %u workers", n_workers);

    unsigned n_started = 1; // the calling thread
    for (; n_started < n_workers; n_started++) {
        struct worker *w = &workers[n_started];
        *w = (struct worker){.index = n_started, .fn = fn, .arg = arg};
        if (pthread_create(&w->thread, NULL, run_worker, w) != 0)
            break; // out of threads or memory: those that run share the work
    }
    workers[0] = (struct worker){.fn = fn, .arg = arg};
    (void)run_worker(&workers[0]);
    for (unsigned i = 1; i < n_started; i++)
        (void)pthread_join(workers[i].thread, NULL); // fails only for a thread that is not ours

    int r = 0;
    for (unsigned i = 0; i < n_started && r == 0; i++) {
        r = workers[i].result;
        if (r != 0 && err)
            *err = workers[i].err;
    }
    free(workers);
    return r;
}

unsigned pool_default_workers(void)
{
    // The kernel wants a mask as large as its own, whose size only trying tells.
    for (size_t n_cpus = 1024; n_cpus <= 1 << 20; n_cpus *= 2) {
        cpu_set_t *set = CPU_ALLOC(n_cpus);
        if (!set)
            return 1;
        const size_t set_bytes = CPU_ALLOC_SIZE(n_cpus);
        const int r = sched_getaffinity(0, set_bytes, set);
        const int cause = errno;
        const int count = r == 0 ? CPU_COUNT_S(set_bytes, set) : 0;
        CPU_FREE(set);
        if (count > POOL_MAX_WORKERS)
            return POOL_MAX_WORKERS;
        if (count > 0)
            return (unsigned)count;
        if (cause != EINVAL)
            return 1;
    }
    return 1;
}

/*
 * Each ticket waits at a slot of its own, unless more than TURNSTILE_SLOTS are waiting: with one
 * condition for all, every step would wake every worker, and most of them in vain.
 */
static pthread_cond_t *slot_of(struct turnstile *t, uint64_t ticket)
{
    return &t->moved[ticket % TURNSTILE_SLOTS];
}

int turnstile_init(struct turnstile *t, struct err *err)
{
    *t = (struct turnstile){0};
    int cause = pthread_mutex_init(&t->lock, NULL);
    if (cause != 0)
        return err_set(err, E_IO, cause, "create a lock");
    for (size_t i = 0; i < TURNSTILE_SLOTS; i++) {
        cause = pthread_cond_init(&t->moved[i], NULL);
        if (cause == 0)
            continue;
        while (i > 0)
            (void)pthread_cond_destroy(&t->moved[--i]);
        (void)pthread_mutex_destroy(&t->lock);
        return err_set(err, E_IO, cause, "create a condition variable");
    }
    return 0;
}

void turnstile_deinit(struct turnstile *t)
{
    for (size_t i = 0; i < TURNSTILE_SLOTS; i++)
        (void)pthread_cond_destroy(&t->moved[i]);
    (void)pthread_mutex_destroy(&t->lock);
}

bool turnstile_enter(struct turnstile *t, uint64_t ticket)
{
    (void)pthread_mutex_lock(&t->lock);
    while (t->next != ticket && !t->aborted)
        (void)pthread_cond_wait(slot_of(t, ticket), &t->lock);
    const bool may_go = !t->aborted;
    (void)pthread_mutex_unlock(&t->lock);
    return may_go;
}

void turnstile_done(struct turnstile *t, uint64_t ticket)
{
    (void)pthread_mutex_lock(&t->lock);
    t->next = ticket + 1;
    (void)pthread_cond_broadcast(slot_of(t, ticket + 1));
    (void)pthread_mutex_unlock(&t->lock);
}

void turnstile_abort(struct turnstile *t)
{
    (void)pthread_mutex_lock(&t->lock);
    t->aborted = true;
    for (size_t i = 0; i < TURNSTILE_SLOTS; i++)
        (void)pthread_cond_broadcast(&t->moved[i]);
    (void)pthread_mutex_unlock(&t->lock);
}
