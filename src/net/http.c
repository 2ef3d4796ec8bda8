/* SPDX-License-Identifier: MPL-2.0 */
#include "net/http.h"

#include "net/http_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DEADLINE_MS = 15 * 60 * 1000 };

/* For libcurl's own global state, which any client may be the first to need. */
static pthread_once_t curl_once = PTHREAD_ONCE_INIT;
static CURLcode curl_ready;

static void init_curl(void)
{
    curl_ready = curl_global_init(CURL_GLOBAL_DEFAULT);
}

static struct retry_policy policy_of(const struct http_options *options)
{
    static const struct retry_policy usual = {.max_retries = 5,
                                              .first_wait_ms = 200,
                                              .multiplier = 2,
                                              .max_wait_ms = 10000,
                                              .jitter = 0.5};
    struct retry_policy policy = options->retry ? *options->retry : usual;
    if (options->deadline_ms > 0)
        policy.deadline_ms = options->deadline_ms;
    if (policy.deadline_ms == 0)
        policy.deadline_ms = DEADLINE_MS;
    return policy;
}

int http_new(struct http **out, const struct http_options *options, struct err *err)
{
    (void)pthread_once(&curl_once, init_curl); // cannot fail with a valid control
    if (curl_ready != CURLE_OK)
        return err_set(err, E_NOMEM, 0, "start libcurl: %s", curl_easy_strerror(curl_ready));
    struct http *http = calloc(1, sizeof *http);
    if (!http)
        return err_set(err, E_NOMEM, 0, "no memory for an HTTP client");
    if (options->ca_file && !(http->ca_file = strdup(options->ca_file))) {
        free(http);
        return err_set(err, E_NOMEM, 0, "no memory for an HTTP client");
    }
    http->connect_timeout_s = options->connect_timeout_s ? options->connect_timeout_s : 5;
    http->read_timeout_s = options->read_timeout_s ? options->read_timeout_s : 200;
    http->retry = policy_of(options);
    http->direct = options->direct;
    (void)pthread_mutex_init(&http->mutex, NULL); // never fails on Linux
    *out = http;
    return 0;
}

static void lane_free(struct lane lane)
{
    // The multi handle first: it closes connections with the help of the easy one.
    (void)curl_multi_cleanup(lane.multi);
    curl_easy_cleanup(lane.easy);
}

void http_free(struct http *http)
{
    if (!http)
        return;
    for (size_t i = 0; i < http->n_idle; i++)
        lane_free(http->idle[i]);
    (void)pthread_mutex_destroy(&http->mutex);
    free(http->ca_file);
    free(http);
}

int lane_take(struct lane *lane, struct http *http, struct err *err)
{
    (void)pthread_mutex_lock(&http->mutex);
    const bool found = http->n_idle > 0;
    if (found)
        *lane = http->idle[--http->n_idle];
    (void)pthread_mutex_unlock(&http->mutex);
    if (found)
        return 0;
    const struct lane fresh = {.easy = curl_easy_init(), .multi = curl_multi_init()};
    if (!fresh.easy || !fresh.multi) {
        lane_free(fresh);
        return err_set(err, E_NOMEM, 0, "no memory for a connection");
    }
    *lane = fresh;
    return 0;
}

void lane_give(struct http *http, struct lane lane, bool may_serve_again)
{
    (void)pthread_mutex_lock(&http->mutex);
    const bool kept = may_serve_again && http->n_idle < HTTP_MAX_IDLE_LANES;
    if (kept)
        http->idle[http->n_idle++] = lane;
    (void)pthread_mutex_unlock(&http->mutex);
    if (!kept)
        lane_free(lane);
}

void http_request_name(char out[HTTP_NAME_BYTES], const struct http_request *request)
{
    (void)snprintf(out, HTTP_NAME_BYTES, "%s %.*s", request->method,
                   (int)strcspn(request->url, "?#"), request->url);
}

static bool is_final(const struct http_request *request, int status)
{
    static const int retried[] = {408, 429, 500, 502, 503, 504};
    for (size_t i = 0; i < ARRAY_LEN(request->final_statuses); i++) {
        if (request->final_statuses[i] == status)
            return true;
    }
    for (size_t i = 0; i < ARRAY_LEN(retried); i++) {
        if (retried[i] == status)
            return request->no_retry;
    }
    return true;
}

/* Run it to its end, or to the head of a stream. @return 0, E_AGAIN or E_*. */
static int run(struct exchange *x, uint64_t end_ms, struct err *err)
{
    for (;;) {
        exchange_step(x);
        if (x->streams)
            return 0; // the stream looks at how it ends
        if (x->finished)
            return exchange_verdict(x, err);
        const uint64_t now = retry_now_ms();
        if (now >= end_ms)
            return err_set(err, E_AGAIN, 0, "no answer before the deadline");
        const int r = exchange_wait(x, end_ms - now, err);
        if (r < 0)
            return r;
    }
}

struct tries {
    const struct http_request *request;
    struct retry retry;
    bool refreshed; // the signer had its second chance
};

/* One try and its verdict. @return 0: an answer for the caller, E_AGAIN, or E_*. */
static int try_once(struct tries *t, struct exchange *x, struct err *err)
{
    int r = exchange_begin(x, t->request, err);
    if (r < 0)
        return r;
    r = run(x, t->retry.started_ms + t->retry.policy.deadline_ms, err);
    if (r < 0)
        return r;
    const struct http_signer *signer = &t->request->signer;
    if (x->response->status == 401 && !t->refreshed && signer->refused) {
        t->refreshed = true;
        if (signer->refused(signer->arg, x->token)) {
            exchange_end(x);
            return try_once(t, x, err);
        }
    }
    if (!is_final(t->request, x->response->status))
        return err_set(err, E_AGAIN, 0, "the server answers with status %d", x->response->status);
    return 0;
}

/* err may be NULL for callers; the cause of the last try is wanted all the same. */
static int give_up(const struct tries *t, int r, const struct err *cause, struct err *err)
{
    char name[HTTP_NAME_BYTES];
    http_request_name(name, t->request);
    const int code = r == E_AGAIN ? E_IO : r;
    if (t->retry.n_retries == 0)
        return err_set(err, code, 0, "%s: %s", name, cause->text);
    return err_set(err, code, 0, "%s: %s (after %u tries)", name, cause->text,
                   t->retry.n_retries + 1);
}

int http_try(struct exchange *x, const struct http_request *request, struct err *err)
{
    struct tries t = {.request = request};
    const uint64_t now = retry_now_ms();
    retry_init(&t.retry, &x->http->retry, now, now ^ (uintptr_t)x);
    for (;;) {
        struct err cause = {0};
        const int r = try_once(&t, x, &cause);
        if (r == 0)
            return 0;
        exchange_end(x);
        const uint64_t asked_ms = http_response_retry_after_ms(x->response);
        uint64_t wait_ms;
        if (r != E_AGAIN || request->no_retry ||
            !retry_next(&t.retry, retry_now_ms(), asked_ms, &wait_ms))
            return give_up(&t, r, &cause, err);
        retry_sleep_ms(wait_ms);
    }
}

int http_send(struct http *http, const struct http_request *request, struct http_response *response,
              struct err *err)
{
    struct exchange x = {.http = http, .response = response};
    const int r = http_try(&x, request, err);
    exchange_end(&x);
    return r;
}
