/* SPDX-License-Identifier: MPL-2.0 */
#include "processor/ordered.h"

#include "base/pool.h"

#include <stdatomic.h>

struct state {
    const struct ordered *job;
    struct turnstile turn;
    _Atomic uint64_t next;
    pthread_mutex_t stopping;
};

static int work(struct state *s, void *worker, struct err *err)
{
    for (uint64_t i; (i = s->next++) < s->job->n_pieces;) {
        int r = s->job->make(worker, i, err);
        if (r < 0)
            return r;
        if (!turnstile_enter(&s->turn, i))
            return 0; // another worker has failed, and says why
        r = s->job->take(worker, i, err);
        if (r < 0)
            return r;
        turnstile_done(&s->turn, i);
    }
    return 0;
}

static int run_worker(unsigned index, void *arg, struct err *err)
{
    struct state *s = arg;
    void *worker = NULL;
    (void)index;
    int r = s->job->start(&worker, s->job->arg, err);
    if (r == 0) {
        r = work(s, worker, err);
        pthread_mutex_lock(&s->stopping);
        s->job->stop(worker, s->job->arg);
        pthread_mutex_unlock(&s->stopping);
    }
    if (r < 0)
        turnstile_abort(&s->turn);
    return r;
}

int ordered_run(const struct ordered *job, struct err *err)
{
    struct state s = {.job = job};
    int r = turnstile_init(&s.turn, err);
    if (r < 0)
        return r;
    pthread_mutex_init(&s.stopping, NULL);
    r = pool_run(job->n_workers > 0 ? job->n_workers : 1, run_worker, &s, err);
    pthread_mutex_destroy(&s.stopping);
    turnstile_deinit(&s.turn);
    return r;
}
