/* SPDX-License-Identifier: MPL-2.0 */
#include "net/grpc.h"

#include "net/http_internal.h"

#include <inttypes.h>
#include <stdio.h>

enum { TIMEOUT_BYTES = 16 };

/* A call while it runs. */
struct running {
    const struct grpc_call *call;
    struct grpc_reader reader;
    bool got_message;
    int result; // what ended it from within: 0, or what fn or the reader returned
    struct err *err;
};

static int on_message(void *arg, struct span message, struct err *err)
{
    struct running *r = arg;
    r->got_message = true;
    return r->call->fn(r->call->arg, message, err);
}

/* exchange.take */
static size_t on_bytes(void *arg, const void *bytes, size_t len)
{
    struct running *r = arg;
    r->result = grpc_reader_feed(&r->reader, span_of(bytes, len), on_message, r, r->err);
    return r->result == 0 ? len : 0;
}

/* At most eight digits and a unit. */
static void format_timeout(char out[TIMEOUT_BYTES], uint64_t ms)
{
    if (ms < UINT64_C(100000000))
        (void)snprintf(out, TIMEOUT_BYTES, "%" PRIu64 "m", ms);
    else
        (void)snprintf(out, TIMEOUT_BYTES, "%" PRIu64 "S",
                       ms / 1000 < 99999999 ? ms / 1000 : UINT64_C(99999999));
}

static int start(struct exchange *x, const struct grpc_call *call, struct err *err)
{
    char timeout[TIMEOUT_BYTES];
    format_timeout(timeout, call->timeout_ms);
    struct http_request request = {
        .method = "POST",
        .url = call->url,
        .headers = {{"Content-Type", "application/grpc"},
                    {"TE", "trailers"},
                    {"grpc-timeout", timeout}},
        .n_headers = 3,
        .body = call->request,
        .signer = call->signer,
    };
    if (call->routing)
        request.headers[request.n_headers++] =
            (struct http_header){"x-goog-request-params", call->routing};
    return exchange_begin(x, &request, err);
}

/* @return 0: finished, or E_AGAIN: too late. */
static int run(struct exchange *x, uint64_t end_ms, struct err *err)
{
    for (;;) {
        exchange_step(x);
        if (x->finished)
            return 0;
        const uint64_t now = retry_now_ms();
        if (now >= end_ms)
            return err_set(err, E_AGAIN, 0, "no answer before the deadline");
        const int r = exchange_wait(x, end_ms - now, err);
        if (r < 0)
            return r;
    }
}

static void set_status(struct grpc_status *status, int code, const char *message)
{
    status->code = code;
    (void)snprintf(status->message, sizeof status->message, "%.*s", GRPC_MESSAGE_BYTES - 1,
                   message);
}

/* How a finished one ended. */
static int judge(const struct running *r, const struct exchange *x, struct grpc_status *status,
                 struct err *err)
{
    if (r->result != 0)
        return r->result;
    struct err cause = {0};
    const int verdict = exchange_verdict(x, &cause);
    // A status counts even where the connection broke behind it.
    const bool spoken = http_response_header(x->response, "grpc-status").len > 0;
    if (verdict == 0 || spoken)
        grpc_status_of(status, x->response);
    else if (verdict == E_AGAIN)
        set_status(status, GRPC_UNAVAILABLE, cause.text);
    else
        return err_set(err, cause.code, cause.native, "%s", cause.text);
    return status->code == GRPC_OK ? grpc_reader_end(&r->reader, err) : 0;
}

static int try_once(struct exchange *x, struct running *r, struct grpc_status *status,
                    struct err *err)
{
    const uint64_t end_ms = retry_now_ms() + r->call->timeout_ms;
    int result = start(x, r->call, err);
    if (result < 0)
        return result;
    struct err late = {0};
    if (run(x, end_ms, &late) == 0)
        result = judge(r, x, status, err);
    else
        set_status(status, retry_now_ms() >= end_ms ? GRPC_DEADLINE_EXCEEDED : GRPC_UNAVAILABLE,
                   late.text);
    exchange_end(x);
    return result;
}

int grpc_call(struct http *http, const struct grpc_call *call, struct grpc_status *status,
              struct err *err)
{
    struct http_response response;
    http_response_init(&response);
    struct running r = {.call = call, .reader.message = BUF_INIT(call->max_message), .err = err};
    struct exchange x = {
        .http = http, .response = &response, .take = on_bytes, .arg = &r, .grpc = true};
    int result = try_once(&x, &r, status, err);
    const struct http_signer *signer = &call->signer;
    if (result == 0 && status->code == GRPC_UNAUTHENTICATED && !r.got_message && signer->refused &&
        signer->refused(signer->arg, x.token))
        result = try_once(&x, &r, status, err);
    if (result < 0)
        (void)err_wrap(err, result, "%s", call->url);
    grpc_reader_deinit(&r.reader);
    http_response_deinit(&response);
    return result;
}
