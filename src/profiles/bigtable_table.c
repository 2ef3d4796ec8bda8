/* SPDX-License-Identifier: MPL-2.0 */
#include "profiles/bigtable_impl.h"
#include "profiles/bigtable_messages.h"

enum { REQUEST_BYTES = 4096 };

/* The answers are tables, of which it is enough that they come. */
static int ignore(void *arg, struct span message, struct err *err)
{
    (void)arg;
    (void)message;
    (void)err;
    return 0;
}

/* Until there is a status that stays. @return 0 or E_*. */
static int call_admin(struct bigtable *b, struct bigtable_request *request,
                      struct grpc_status *status, struct err *err)
{
    struct retry retry;
    uint64_t wait_ms;
    bigtable_retry_init(&retry, b);
    for (;;) {
        request->timeout_ms = bigtable_try_ms(b, &retry);
        const int r = bigtable_call(b, request, status, err);
        if (r != 0 || !bigtable_may_pass(status->code) ||
            !retry_next(&retry, retry_now_ms(), 0, &wait_ms))
            return r;
        retry_sleep_ms(wait_ms);
    }
}

static int create_table(struct bigtable *b, struct err *err)
{
    CLEANUP(buf_deinit) struct buf framed = BUF_INIT(REQUEST_BYTES);
    int r = bigtable_pack_create_table(&framed, b->instance, b->table_id, err);
    if (r < 0)
        return r;
    struct bigtable_request request = {.service = BIGTABLE_ADMIN,
                                       .method = "CreateTable",
                                       .parameter = "parent",
                                       .resource = b->instance,
                                       .framed = buf_span(&framed),
                                       .fn = ignore};
    struct grpc_status status = {0};
    r = call_admin(b, &request, &status, err);
    // Another process, or a try of ours whose answer was lost, may have made it.
    if (r != 0 || status.code == GRPC_OK || status.code == GRPC_ALREADY_EXISTS)
        return r;
    return err_wrap(err, bigtable_fail(&status, err), "make table %s", b->table);
}

int bigtable_ensure_table(void *impl, struct err *err)
{
    struct bigtable *b = impl;
    CLEANUP(buf_deinit) struct buf framed = BUF_INIT(REQUEST_BYTES);
    int r = bigtable_pack_get_table(&framed, b->table, err);
    if (r < 0)
        return r;
    struct bigtable_request request = {.service = BIGTABLE_ADMIN,
                                       .method = "GetTable",
                                       .parameter = "name",
                                       .resource = b->table,
                                       .framed = buf_span(&framed),
                                       .fn = ignore};
    struct grpc_status status = {0};
    r = call_admin(b, &request, &status, err);
    if (r != 0 || status.code == GRPC_OK)
        return r;
    if (status.code == GRPC_NOT_FOUND)
        return create_table(b, err);
    return err_wrap(err, bigtable_fail(&status, err), "look for table %s", b->table);
}
