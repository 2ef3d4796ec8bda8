/* SPDX-License-Identifier: MPL-2.0 */
#include "base/ticker.h"

#include <signal.h>
#include <time.h>

static struct timespec later(uint64_t ms)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    t.tv_sec += (time_t)(ms / 1000);
    t.tv_nsec += (long)(ms % 1000) * 1000000;
    if (t.tv_nsec >= 1000000000) {
        t.tv_nsec -= 1000000000;
        t.tv_sec++;
    }
    return t;
}

static void *live(void *arg)
{
    struct ticker *t = arg;
    (void)pthread_mutex_lock(&t->lock);
    while (!t->stopping) {
        const struct timespec until = later(t->interval_ms);
        int r = 0;
        while (!t->stopping && r == 0)
            r = pthread_cond_timedwait(&t->wake, &t->lock, &until);
        if (t->stopping)
            break;
        (void)pthread_mutex_unlock(&t->lock);
        t->fn(t->arg);
        (void)pthread_mutex_lock(&t->lock);
    }
    (void)pthread_mutex_unlock(&t->lock);
    return NULL;
}

/* Signals are for the threads that work: this one would take them where nobody looks. */
static int start_quietly(struct ticker *t)
{
    sigset_t all, before;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    const int cause = pthread_create(&t->thread, NULL, live, t);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return cause;
}

int ticker_start(struct ticker *t, uint64_t interval_ms, void (*fn)(void *arg), void *arg,
                 struct err *err)
{
    *t = (struct ticker){.interval_ms = interval_ms, .fn = fn, .arg = arg};
    pthread_condattr_t monotonic;
    if (pthread_condattr_init(&monotonic) != 0)
        return err_set(err, E_NOMEM, 0, "no memory for a timer");
    (void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    (void)pthread_mutex_init(&t->lock, NULL);
    (void)pthread_cond_init(&t->wake, &monotonic);
    (void)pthread_condattr_destroy(&monotonic);
    if (start_quietly(t) != 0) {
        (void)pthread_cond_destroy(&t->wake);
        (void)pthread_mutex_destroy(&t->lock);
        return err_set(err, E_NOMEM, 0, "no thread for a timer");
    }
    t->running = true;
    return 0;
}

void ticker_stop(struct ticker *t)
{
    if (!t->running)
        return;
    (void)pthread_mutex_lock(&t->lock);
    t->stopping = true;
    (void)pthread_cond_signal(&t->wake);
    (void)pthread_mutex_unlock(&t->lock);
    (void)pthread_join(t->thread, NULL);
    (void)pthread_cond_destroy(&t->wake);
    (void)pthread_mutex_destroy(&t->lock);
    t->running = false;
}
