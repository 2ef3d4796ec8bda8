/* SPDX-License-Identifier: MPL-2.0 */
#include "taar/amo_fetch.h"

#include "base/log.h"
#include "codec/gzip.h"
#include "codec/ndjson.h"

#include <stdio.h>

enum {
    CONNECT_S = 10,
    ANSWER_MS = 60 * 1000,
    MAX_WAIT_MS = 60 * 1000,
};

void amo_answer_init(struct amo_answer *a)
{
    *a = (struct amo_answer){.text = BUF_INIT(AMO_MAX_ANSWER + 2 * NDJSON_SLACK)};
    http_response_init(&a->response);
}

void amo_answer_deinit(struct amo_answer *a)
{
    buf_deinit(&a->text);
    http_response_deinit(&a->response);
}

int amo_client_init(struct amo_client *c, const struct record_ops *ops,
                    const struct amo_client_options *options, struct err *err)
{
    *c = (struct amo_client){
        .ops = ops,
        .user_agent = options->user_agent,
        .retry = {.max_retries = options->tries - 1,
                  .first_wait_ms = options->retry_base_ms,
                  .multiplier = 2,
                  .max_wait_ms = MAX_WAIT_MS,
                  .jitter = 0.5},
        .max_quiet_ms = options->max_retry_after_ms,
    };
    amo_pace_init(&c->pace, options->rate);
    // Each try is made here, so that it waits for its turn.
    static const struct retry_policy once = {.max_retries = 0, .multiplier = 1};
    const struct http_options http = {
        .connect_timeout_s = CONNECT_S,
        .read_timeout_s = ANSWER_MS / 1000,
        .ca_file = options->ca_file,
        .retry = &once,
        .deadline_ms = ANSWER_MS,
        .direct = options->direct,
    };
    return http_new(&c->http, &http, err);
}

void amo_client_deinit(struct amo_client *c)
{
    http_free(c->http);
    amo_pace_deinit(&c->pace);
}

int amo_escape_guid(struct buf *out, struct span guid, struct err *err)
{
    static const char stays[] = "@+!";
    int r = 0;
    for (size_t i = 0; r == 0 && i < guid.len; i++) {
        const uint8_t c = guid.ptr[i];
        r = c != 0 && strchr(stays, c) ? buf_append_byte(out, c, err)
                                       : http_escape(out, span_of(&guid.ptr[i], 1), false, err);
    }
    return r;
}

static int unpack(struct buf *text, struct span body, struct err *err)
{
    CLEANUP(gunzip_freep) struct gunzip *g = NULL;
    struct memory_source from = {.rest = body};
    const int r = gunzip_new(&g, memory_source(&from), err);
    return r < 0 ? r : source_read_all(gunzip_source(g), text, err);
}

int amo_answer_read(struct amo_answer *a, const struct record_ops *ops, struct span body,
                    struct err *err)
{
    buf_clear(&a->text);
    int r = unpack(&a->text, body, err);
    if (r == 0)
        r = buf_reserve(&a->text, NDJSON_SLACK, err);
    if (r < 0)
        return r;
    if (a->text.len > AMO_MAX_ANSWER)
        return err_set(err, E_FORMAT, 0, "the answer is longer than %d bytes", AMO_MAX_ANSWER);
    memset(a->text.data + a->text.len, 0, NDJSON_SLACK);
    if (!amo_is_json(ops, buf_span(&a->text)))
        return err_set(err, E_FORMAT, 0, "the answer is no JSON nested up to %d deep",
                       AMO_MAX_DEPTH);
    return 0;
}

static void set_outcome(struct amo_answer *a, enum amo_outcome outcome, const char *reason)
{
    a->outcome = outcome;
    if (reason)
        (void)snprintf(a->reason, sizeof a->reason, "%s", reason);
    else
        (void)snprintf(a->reason, sizeof a->reason, "http_%d", a->status);
}

static bool is_transient(int status)
{
    return status == 408 || status == 429 || (status >= 500 && status <= 599);
}

/* What a try came to. sent: of http_send. @return 0, or what ends the run. */
static int judge(const struct amo_client *c, struct amo_answer *a, int sent, struct err *why)
{
    if (sent == E_NOMEM || sent == E_ARG)
        return sent;
    // http_send also fails for statuses that may pass; a broken body has the status of its head.
    a->status = a->response.status;
    if (is_transient(a->status))
        set_outcome(a, AMO_FAILED, NULL);
    else if (sent < 0)
        set_outcome(a, AMO_FAILED, sent == E_FORMAT ? "bad_answer" : "no_answer");
    else if (a->status != 200)
        set_outcome(a, AMO_REFUSED, NULL);
    else {
        const int r = amo_answer_read(a, c->ops, buf_span(&a->response.body), why);
        set_outcome(a, r == 0 ? AMO_ANSWERED : AMO_FAILED, r == 0 ? "" : "not_json");
        return r == E_NOMEM ? r : 0;
    }
    return 0;
}

static int send_once(struct amo_client *c, const char *url, struct amo_answer *a, struct err *err)
{
    const struct http_request request = {
        .method = "GET",
        .url = url,
        .headers = {{"Accept", "application/json"},
                    {"Accept-Encoding", "gzip"},
                    {"User-Agent", c->user_agent}},
        .n_headers = 3,
        .max_response = AMO_MAX_ANSWER,
    };
    struct err why = {0};
    c->n_requests++;
    const int sent = http_send(c->http, &request, &a->response, &why);
    const int r = judge(c, a, sent, &why);
    if (r < 0 && err)
        *err = why;
    return r;
}

/* @return whether there is to be another try, its time having come. */
static bool wait_for_next(struct amo_client *c, struct retry *retry, const struct amo_answer *a,
                          const char *url)
{
    uint64_t quiet_ms = 0, wait_ms;
    if (a->status == 429 || a->status == 503)
        quiet_ms = http_response_retry_after_ms(&a->response);
    if (quiet_ms > c->max_quiet_ms)
        quiet_ms = c->max_quiet_ms;
    if (quiet_ms > 0)
        amo_pace_quiet(&c->pace, quiet_ms);
    if (!retry_next(retry, retry_now_ms(), quiet_ms, &wait_ms))
        return false;
    log_event(LOG_LEVEL_DEBUG, "asking again", LOG_S("url", url), LOG_S("reason", a->reason),
              LOG_U("wait_ms", wait_ms));
    // The turn waits for what Retry-After asks for, and no longer than everybody else.
    return quiet_ms > 0 || amo_pace_sleep(&c->pace, wait_ms);
}

int amo_get(struct amo_client *c, const char *url, struct amo_answer *a, struct err *err)
{
    struct retry retry;
    const uint64_t now = retry_now_ms();
    retry_init(&retry, &c->retry, now, now ^ (uintptr_t)a);
    do {
        if (!amo_pace_turn(&c->pace)) {
            set_outcome(a, AMO_STOPPED, "stopped");
            return 0;
        }
        const int r = send_once(c, url, a, err);
        if (r < 0 || a->outcome != AMO_FAILED)
            return r;
    } while (wait_for_next(c, &retry, a, url));
    return 0;
}
