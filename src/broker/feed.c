/* SPDX-License-Identifier: MPL-2.0 */
#include "broker/feed_internal.h"

#include <amqp_framing.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* The thread takes up to two seconds for a goodbye. */
enum { STOP_TIMEOUT_MS = 5000 };

static struct timespec deadline_in(clockid_t clock, uint64_t ms)
{
    struct timespec t;
    (void)clock_gettime(clock, &t);
    t.tv_sec += (time_t)(ms / 1000);
    t.tv_nsec += (long)(ms % 1000) * 1000000;
    if (t.tv_nsec >= 1000000000) {
        t.tv_sec++;
        t.tv_nsec -= 1000000000;
    }
    return t;
}

static void wake(const struct feed *f)
{
    const uint64_t one = 1;
    (void)!write(f->wake, &one, sizeof one); // full means that it will wake anyway
}

static int failure_of(const struct feed *f, struct err *err)
{
    return err_set(err, f->failed.code, f->failed.native, "%s", f->failed.text);
}

/* Nothing more can come before something is acknowledged. */
static bool is_held_up(const struct feed *f)
{
    return f->is_dropping || f->received - f->acked >= f->limit;
}

int feed_next(struct feed *f, struct broker_message *m, uint64_t wait_ms, struct err *err)
{
    int r = BROKER_IDLE;
    (void)pthread_mutex_lock(&f->lock);
    if (f->taken == f->received && wait_ms > 0) {
        const struct timespec end = deadline_in(CLOCK_MONOTONIC, wait_ms);
        int waited = 0;
        while (waited == 0 && !f->has_ended && f->taken == f->received && !is_held_up(f))
            waited = pthread_cond_timedwait(&f->changed, &f->lock, &end);
    }
    if (f->has_ended) {
        r = failure_of(f, err);
    } else if (f->taken < f->received) {
        *m = f->entries[++f->taken % f->prefetch].m;
        r = 1;
    }
    (void)pthread_mutex_unlock(&f->lock);
    return r;
}

/* Let the thread do it and wait until it is done; f->lock is held. */
static int ask(struct feed *f, enum feed_request request, struct err *err)
{
    if (f->has_ended)
        return failure_of(f, err);
    f->request = request;
    wake(f);
    const struct timespec end = deadline_in(CLOCK_MONOTONIC, (uint64_t)f->timeout_s * 1000);
    int waited = 0;
    while (waited == 0 && !f->has_ended && f->request != FEED_ANSWERED)
        waited = pthread_cond_timedwait(&f->changed, &f->lock, &end);
    if (f->request == FEED_ANSWERED) {
        f->request = FEED_NO_REQUEST;
        return 0;
    }
    if (f->has_ended)
        return failure_of(f, err);
    // Wherever the thread is stuck, it must not go on as if nothing had happened.
    (void)shutdown(amqp_get_sockfd(f->state), SHUT_RDWR);
    return err_set(err, E_AGAIN, 0, "the broker did not answer within %u s", f->timeout_s);
}

int feed_ack(struct feed *f, uint64_t tag, struct err *err)
{
    (void)pthread_mutex_lock(&f->lock);
    f->ack_tag = f->entries[tag % f->prefetch].delivery_tag;
    const int r = ask(f, FEED_ACK, err);
    (void)pthread_mutex_unlock(&f->lock);
    return r;
}

int feed_ready(struct feed *f, uint64_t *n_ready, uint64_t *n_consumers, struct err *err)
{
    (void)pthread_mutex_lock(&f->lock);
    const int r = ask(f, FEED_DECLARE, err);
    *n_ready = f->n_ready + (f->received - f->taken);
    *n_consumers = f->n_consumers;
    (void)pthread_mutex_unlock(&f->lock);
    return r;
}

static void feed_free(struct feed *f)
{
    if (f->wake >= 0)
        (void)close(f->wake);
    (void)pthread_cond_destroy(&f->changed);
    (void)pthread_mutex_destroy(&f->lock);
    window_deinit(&f->window);
    free(f->entries);
    free(f);
}

void feed_stop(struct feed *f)
{
    (void)pthread_mutex_lock(&f->lock);
    f->is_stopping = true;
    (void)pthread_mutex_unlock(&f->lock);
    wake(f);
    const struct timespec end = deadline_in(CLOCK_REALTIME, STOP_TIMEOUT_MS);
    if (pthread_timedjoin_np(f->thread, NULL, &end) != 0) {
        (void)shutdown(amqp_get_sockfd(f->state), SHUT_RDWR);
        (void)pthread_join(f->thread, NULL);
    }
    (void)amqp_destroy_connection(f->state);
    feed_free(f);
}

static struct feed *feed_new(unsigned prefetch)
{
    struct feed *f = calloc(1, sizeof *f);
    struct feed_entry *entries = calloc(prefetch, sizeof *entries);
    if (!f || !entries) {
        free(f);
        free(entries);
        return NULL;
    }
    f->entries = entries;
    f->prefetch = f->limit = prefetch;
    f->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    pthread_condattr_t attr;
    (void)pthread_condattr_init(&attr);
    (void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    (void)pthread_mutex_init(&f->lock, NULL);
    (void)pthread_cond_init(&f->changed, &attr);
    (void)pthread_condattr_destroy(&attr);
    return f;
}

static int consume(struct feed *f, struct err *err)
{
    (void)amqp_basic_qos(f->state, CONN_CHANNEL, 0, (uint16_t)f->prefetch, 0);
    int r = conn_check(amqp_get_rpc_reply(f->state), "set the prefetch", NULL, err);
    if (r < 0)
        return r;
    const amqp_basic_consume_ok_t *ok =
        amqp_basic_consume(f->state, CONN_CHANNEL, amqp_cstring_bytes(f->queue), amqp_empty_bytes,
                           0, 0, 0, amqp_empty_table);
    r = conn_check(amqp_get_rpc_reply(f->state), "read the queue",
                   "another program may have it for itself, or this user may not read it", err);
    if (r == 0)
        memcpy(f->consumer_tag, ok->consumer_tag.bytes, ok->consumer_tag.len);
    return r;
}

/* Signals are for the program's own threads. */
static int start_thread(struct feed *f, struct err *err)
{
    sigset_t all, before;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    const int failed = pthread_create(&f->thread, NULL, feed_run, f);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return failed == 0 ? 0 : err_set(err, E_NOMEM, 0, "no thread to be had for a queue");
}

int feed_start(struct feed **out, amqp_connection_state_t state, const char *queue,
               unsigned prefetch, unsigned timeout_s, struct err *err)
{
    struct feed *f = feed_new(prefetch);
    if (!f) {
        conn_close(state);
        return err_set(err, E_NOMEM, 0, "no memory to read ahead %u messages", prefetch);
    }
    f->state = state;
    f->queue = queue;
    f->timeout_s = timeout_s;
    int r = f->wake < 0 ? err_set(err, E_IO, errno, "eventfd") : consume(f, err);
    if (r == 0)
        r = start_thread(f, err);
    if (r < 0) {
        conn_close(state);
        feed_free(f);
        return r;
    }
    *out = f;
    return 0;
}
