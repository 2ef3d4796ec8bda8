/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The thread alone touches libcurl; it and the reader meet in a ring. A full ring pauses the
 * transfer instead of blocking inside libcurl, so that closing needs one wake-up, and a slow reader
 * does not count as a silent server.
 */
#include "net/http_internal.h"

#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

enum {
    RING_BYTES = 1 << 20,
    RESUME_BYTES =
        RING_BYTES / 4, // room worth a wake-up; more than one piece of libcurl's (16 KiB)
};

struct http_stream {
    struct exchange x; // the opener's until the thread runs, then the thread's
    pthread_t thread;
    bool threaded;
    char name[HTTP_NAME_BYTES];
    pthread_mutex_t mutex; // of all below
    pthread_cond_t changed;
    size_t head, len; // of the bytes in the ring
    bool paused, ended, closing;
    int result; // once ended: 0 or E_*
    struct err cause;
    uint8_t ring[RING_BYTES];
};

static void put(struct http_stream *s, const uint8_t *bytes, size_t len)
{
    const size_t at = (s->head + s->len) % RING_BYTES;
    const size_t first = len < RING_BYTES - at ? len : RING_BYTES - at;
    memcpy(s->ring + at, bytes, first);
    memcpy(s->ring, bytes + first, len - first);
    s->len += len;
}

/* exchange.take */
static size_t take(void *arg, const void *bytes, size_t len)
{
    struct http_stream *s = arg;
    (void)pthread_mutex_lock(&s->mutex);
    s->paused = len > RING_BYTES - s->len;
    if (!s->paused)
        put(s, bytes, len);
    (void)pthread_cond_signal(&s->changed);
    const bool paused = s->paused;
    (void)pthread_mutex_unlock(&s->mutex);
    return paused ? CURL_WRITEFUNC_PAUSE : len;
}

/* No more bytes will come. */
static void end(struct http_stream *s, int result)
{
    (void)pthread_mutex_lock(&s->mutex);
    s->ended = true;
    s->result = result == E_AGAIN ? E_IO : result;
    (void)pthread_cond_signal(&s->changed);
    (void)pthread_mutex_unlock(&s->mutex);
}

/* What the reader wants. @return false: to stop. */
static bool look_at_reader(struct http_stream *s, bool *resume)
{
    (void)pthread_mutex_lock(&s->mutex);
    const bool go_on = !s->closing;
    *resume = s->paused && RING_BYTES - s->len >= RESUME_BYTES;
    if (s->paused)
        s->x.moved_at_ms = retry_now_ms(); // the silence is ours
    if (*resume)
        s->paused = false;
    (void)pthread_mutex_unlock(&s->mutex);
    return go_on;
}

/* @return 0, E_*, or E_AGAIN: nobody reads on. */
static int run(struct http_stream *s)
{
    bool resume;
    for (;;) {
        if (!look_at_reader(s, &resume))
            return E_AGAIN;
        if (resume)
            (void)curl_easy_pause(s->x.lane.easy, CURLPAUSE_CONT); // failures show in the next step
        exchange_step(&s->x);
        if (s->x.finished)
            return exchange_verdict(&s->x, &s->cause);
        const int r = exchange_wait(&s->x, UINT64_MAX, &s->cause);
        if (r < 0)
            return r;
    }
}

static void *fetch(void *arg)
{
    end(arg, run(arg));
    return NULL;
}

/* Signals are the program's business, not this thread's. */
static int start(struct http_stream *s, struct err *err)
{
    sigset_t all, old;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_BLOCK, &all, &old);
    const int failure = pthread_create(&s->thread, NULL, fetch, s);
    (void)pthread_sigmask(SIG_SETMASK, &old, NULL);
    if (failure)
        return err_set(err, E_IO, failure, "start a thread for %s", s->name);
    s->threaded = true;
    return 0;
}

int http_stream_open(struct http_stream **out, struct http *http,
                     const struct http_request *request, struct http_response *response,
                     struct err *err)
{
    struct http_stream *s = malloc(sizeof *s);
    if (!s)
        return err_set(err, E_NOMEM, 0, "no memory for a stream");
    memset(s, 0, offsetof(struct http_stream, ring)); // the ring's pages come when it fills
    s->x = (struct exchange){.http = http, .response = response, .take = take, .arg = s};
    (void)pthread_mutex_init(&s->mutex, NULL); // never fails on Linux
    (void)pthread_cond_init(&s->changed, NULL);
    http_request_name(s->name, request);
    int r = http_try(&s->x, request, err);
    if (r == 0 && s->x.finished)
        end(s, exchange_verdict(&s->x, &s->cause));
    else if (r == 0)
        r = start(s, err);
    if (r < 0) {
        http_stream_close(s);
        return r;
    }
    *out = s;
    return 0;
}

static size_t get(struct http_stream *s, uint8_t *dst, size_t cap)
{
    const size_t len = cap < s->len ? cap : s->len;
    const size_t first = len < RING_BYTES - s->head ? len : RING_BYTES - s->head;
    memcpy(dst, s->ring + s->head, first);
    memcpy(dst + first, s->ring, len - first);
    s->head = (s->head + len) % RING_BYTES;
    s->len -= len;
    return len;
}

ssize_t http_stream_read(struct http_stream *stream, void *dst, size_t cap, struct err *err)
{
    struct http_stream *s = stream;
    (void)pthread_mutex_lock(&s->mutex);
    while (s->len == 0 && !s->ended)
        (void)pthread_cond_wait(&s->changed, &s->mutex);
    const size_t n = get(s, dst, cap);
    const bool wake = s->paused && RING_BYTES - s->len >= RESUME_BYTES;
    const int result = s->result;
    (void)pthread_mutex_unlock(&s->mutex);
    if (wake)
        (void)curl_multi_wakeup(s->x.lane.multi);
    if (n > 0 || result == 0)
        return (ssize_t)n;
    return err_set(err, (enum err_code)result, 0, "%s: %s", s->name, s->cause.text);
}

void http_stream_close(struct http_stream *stream)
{
    struct http_stream *s = stream;
    if (!s)
        return;
    if (s->threaded) {
        (void)pthread_mutex_lock(&s->mutex);
        s->closing = true;
        (void)pthread_mutex_unlock(&s->mutex);
        (void)curl_multi_wakeup(s->x.lane.multi);
        (void)pthread_join(s->thread, NULL);
    }
    exchange_end(&s->x);
    (void)pthread_cond_destroy(&s->changed);
    (void)pthread_mutex_destroy(&s->mutex);
    free(s);
}
