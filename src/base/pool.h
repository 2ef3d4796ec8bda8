/* pool.h - fork-join worker threads, and a turnstile that lets them commit in order. */
#pragma once

#include "base/err.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

enum { POOL_MAX_WORKERS = 1024 };

/** Runs on worker `index` in [0, n_workers). Returns 0 or E_*, with its own err filled. */
typedef int pool_fn(unsigned index, void *arg, struct err *err);

/**
 * Run fn once per worker, on the calling thread and n_workers - 1 new ones, and wait for all.
 * If a thread cannot be started, the run goes on with fewer; fn(0) always runs. So workers take
 * work from a common counter or queue: a fixed share each would lose the shares of missing workers.
 * A worker that fails does not stop the others: where they may wait for it (in a turnstile, say),
 * it must wake them itself before it returns.
 * Range:  1 <= n_workers <= POOL_MAX_WORKERS.
 * @return 0, or the failure of the lowest-numbered failed worker; E_ARG or E_NOMEM when nothing
 * ran.
 */
MUST_CHECK int pool_run(unsigned n_workers, pool_fn *fn, void *arg, struct err *err);

/** Cores this process may run on (sched_getaffinity), at least 1. */
unsigned pool_default_workers(void);

/*
 * Tickets 0, 1, 2, ... pass one after another: whoever holds ticket t waits until t - 1 is done.
 * A worker that fails calls turnstile_abort, which lets every waiter go with `false`.
 */
enum { TURNSTILE_SLOTS = 64 };
struct turnstile {
    pthread_mutex_t lock;
    pthread_cond_t moved[TURNSTILE_SLOTS]; // ticket t waits at t % TURNSTILE_SLOTS
    uint64_t next;
    bool aborted;
};

MUST_CHECK int turnstile_init(struct turnstile *t, struct err *err);
void turnstile_deinit(struct turnstile *t);
/**
 * Block until it is ticket's turn.
 * @return false when the run was aborted (then do not call turnstile_done).
 */
MUST_CHECK bool turnstile_enter(struct turnstile *t, uint64_t ticket);
/** Let ticket + 1 pass. Only for the ticket whose turn it is. */
void turnstile_done(struct turnstile *t, uint64_t ticket);
/** For ever: nobody enters any more. Any thread may call it, also more than once. */
void turnstile_abort(struct turnstile *t);
