/* SPDX-License-Identifier: MPL-2.0 */
#include "taar/amo_pace.h"

#include "base/retry.h"

#include <math.h>
#include <time.h>

enum { MS_OF_S = 1000, NS_OF_MS = 1000000, CLOCK_STEP_MS = 1 };

void amo_pace_init(struct amo_pace *p, double rate)
{
    pthread_condattr_t monotonic; // none of these calls fails on Linux
    *p = (struct amo_pace){.interval_ms = rate > 0 ? MS_OF_S / rate : 0};
    (void)pthread_mutex_init(&p->lock, NULL);
    (void)pthread_condattr_init(&monotonic);
    (void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&p->moved, &monotonic);
    (void)pthread_condattr_destroy(&monotonic);
}

void amo_pace_deinit(struct amo_pace *p)
{
    (void)pthread_cond_destroy(&p->moved);
    (void)pthread_mutex_destroy(&p->lock);
}

static void wait_until(struct amo_pace *p, uint64_t ms)
{
    const struct timespec until = {.tv_sec = (time_t)(ms / MS_OF_S),
                                   .tv_nsec = (long)(ms % MS_OF_S) * NS_OF_MS};
    (void)pthread_cond_timedwait(&p->moved, &p->lock, &until); // callers look at the clock again
}

/* Turns are counted from the last one's due time, so that the clock's steps do not add up. */
static void take_turn(struct amo_pace *p, uint64_t now_ms)
{
    const double now = (double)now_ms;
    const bool on_time = p->next_ms > now - CLOCK_STEP_MS;
    p->next_ms = (on_time ? p->next_ms : now) + p->interval_ms;
}

bool amo_pace_turn(struct amo_pace *p)
{
    (void)pthread_mutex_lock(&p->lock);
    while (!p->stopped) {
        const uint64_t now = retry_now_ms();
        const uint64_t turn = (uint64_t)ceil(p->next_ms);
        const uint64_t due = turn > p->quiet_until_ms ? turn : p->quiet_until_ms;
        if (now >= due) {
            take_turn(p, now);
            break;
        }
        wait_until(p, due);
    }
    const bool may_go = !p->stopped;
    (void)pthread_mutex_unlock(&p->lock);
    return may_go;
}

bool amo_pace_sleep(struct amo_pace *p, uint64_t ms)
{
    const uint64_t end = retry_now_ms() + ms;
    (void)pthread_mutex_lock(&p->lock);
    while (!p->stopped && retry_now_ms() < end)
        wait_until(p, end);
    const bool may_go = !p->stopped;
    (void)pthread_mutex_unlock(&p->lock);
    return may_go;
}

void amo_pace_quiet(struct amo_pace *p, uint64_t ms)
{
    const uint64_t until = retry_now_ms() + ms;
    (void)pthread_mutex_lock(&p->lock);
    if (until > p->quiet_until_ms)
        p->quiet_until_ms = until;
    (void)pthread_mutex_unlock(&p->lock);
}

void amo_pace_stop(struct amo_pace *p)
{
    (void)pthread_mutex_lock(&p->lock);
    p->stopped = true;
    (void)pthread_cond_broadcast(&p->moved);
    (void)pthread_mutex_unlock(&p->lock);
}
