/* ticker.h - a thread that does something small every so often, until it is stopped. */
#pragma once

#include "base/err.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct ticker {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    uint64_t interval_ms;
    void (*fn)(void *arg);
    void *arg;
    bool running, stopping;
};

/**
 * Call fn(arg) on a thread of its own each interval_ms; the first time after one interval. t must
 * stay where it is. @return 0 or E_NOMEM (no thread to be had; ticker_stop is then harmless).
 */
MUST_CHECK int ticker_start(struct ticker *t, uint64_t interval_ms, void (*fn)(void *arg),
                            void *arg, struct err *err);
/** Stop at once and wait for a call that is under way. Idempotent; a zeroed ticker is fine. */
void ticker_stop(struct ticker *t);
