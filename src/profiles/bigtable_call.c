/* SPDX-License-Identifier: MPL-2.0 */
#include "profiles/bigtable_impl.h"

enum {
    TRY_MS = 60 * 1000,
    MAX_MESSAGE = 64 << 20, // an answer holds whole rows, unless the server cuts them
    MAX_URL = 1024
};

bool bigtable_may_pass(int code)
{
    return code == GRPC_UNAVAILABLE || code == GRPC_ABORTED || code == GRPC_DEADLINE_EXCEEDED;
}

void bigtable_retry_init(struct retry *retry, const struct bigtable *b)
{
    const struct retry_policy policy = {.max_retries = 30,
                                        .first_wait_ms = 100,
                                        .multiplier = 2,
                                        .max_wait_ms = 30000,
                                        .deadline_ms = b->deadline_ms,
                                        .jitter = 0.5};
    const uint64_t now = retry_now_ms();
    retry_init(retry, &policy, now, now ^ (uintptr_t)retry);
}

uint64_t bigtable_try_ms(const struct bigtable *b, const struct retry *retry)
{
    const uint64_t spent = retry_now_ms() - retry->started_ms;
    const uint64_t left = spent < b->deadline_ms ? b->deadline_ms - spent : 1;
    return left < TRY_MS ? left : TRY_MS;
}

int bigtable_fail(const struct grpc_status *status, struct err *err)
{
    return err_set(err, status->code == GRPC_NOT_FOUND ? E_ABSENT : E_IO, 0, "%s: %s",
                   grpc_code_name(status->code), status->message);
}

static int build_url(struct buf *url, struct buf *routing, const struct bigtable *b,
                     const struct bigtable_request *request, struct err *err)
{
    const bool data = request->service == BIGTABLE_DATA;
    int r = buf_printf(url, err, "%s/google.bigtable.%s/%s", data ? b->data_url : b->admin_url,
                       data ? "v2.Bigtable" : "admin.v2.BigtableTableAdmin", request->method);
    if (r == 0)
        r = buf_append_byte(url, 0, err);
    if (r == 0)
        r = buf_printf(routing, err, "%s=", request->parameter);
    if (r == 0)
        r = http_escape(routing, span_str(request->resource), false, err);
    return r < 0 ? r : buf_append_byte(routing, 0, err);
}

int bigtable_call(struct bigtable *b, const struct bigtable_request *request,
                  struct grpc_status *status, struct err *err)
{
    CLEANUP(buf_deinit) struct buf url = BUF_INIT(MAX_URL);
    CLEANUP(buf_deinit) struct buf routing = BUF_INIT(MAX_URL);
    const int r = build_url(&url, &routing, b, request, err);
    if (r < 0)
        return r;
    struct google_auth *auth = request->service == BIGTABLE_DATA ? b->data_auth : b->admin_auth;
    struct grpc_call call = {
        .url = (const char *)url.data,
        .routing = (const char *)routing.data,
        .request = request->framed,
        .timeout_ms = request->timeout_ms,
        .max_message = MAX_MESSAGE,
        .fn = request->fn,
        .arg = request->arg,
    };
    if (auth)
        call.signer = google_auth_signer(auth);
    return grpc_call(b->http, &call, status, err);
}
