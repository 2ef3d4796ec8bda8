/* SPDX-License-Identifier: MPL-2.0 */
#include "profiles/bigtable_mutate.h"

#include "profiles/bigtable.pb-c.h"
#include "profiles/bigtable_messages.h"

#include <stdio.h>

enum { UNANSWERED = -1 };

/* The rows that are not done yet, and what the current try said of each. */
struct mutation {
    struct bigtable *b;
    const struct batch *batch;
    struct mutation_outcome *out;
    uint32_t rows[PROFILES_BATCH_ROWS]; // their numbers in the batch
    int codes[PROFILES_BATCH_ROWS];     // of rows[i]
    size_t n;
    struct grpc_status last; // of a row that may pass, or of the call
    unsigned n_tries;
};

static void fail_rows(struct mutation *m, size_t n, const struct grpc_status *status)
{
    struct failures *f = &m->out->failures;
    if (f->n == 0 && m->n_tries > 1)
        (void)err_set(&f->first, E_IO, 0, "%s: %s (after %u tries)", grpc_code_name(status->code),
                      status->message, m->n_tries);
    else if (f->n == 0)
        (void)bigtable_fail(status, &f->first);
    f->n += n;
}

static int take_result(struct mutation *m, const Bigtable__MutateRowsResult *result,
                       struct err *err)
{
    if (result->index < 0 || (uint64_t)result->index >= m->n ||
        m->codes[result->index] != UNANSWERED)
        return err_set(err, E_FORMAT, 0, "Bigtable answers for a row that it was not asked about");
    struct grpc_status status = {0};
    if (result->status) {
        status.code = result->status->code;
        (void)snprintf(status.message, sizeof status.message, "%.*s", GRPC_MESSAGE_BYTES - 1,
                       result->status->message);
    }
    m->codes[result->index] = status.code >= 0 ? status.code : GRPC_UNKNOWN;
    if (bigtable_may_pass(status.code))
        m->last = status;
    else if (status.code != GRPC_OK)
        fail_rows(m, 1, &status);
    return 0;
}

static int take_response(void *arg, struct span message, struct err *err)
{
    struct mutation *m = arg;
    Bigtable__MutateRowsResponse *response =
        bigtable__mutate_rows_response__unpack(NULL, message.len, message.ptr);
    if (!response)
        return err_set(err, E_FORMAT, 0, "Bigtable's answer is broken: no message of results");
    int r = 0;
    for (size_t i = 0; i < response->n_entries && r == 0; i++)
        r = take_result(m, response->entries[i], err);
    bigtable__mutate_rows_response__free_unpacked(response, NULL);
    return r;
}

static int try_once(struct mutation *m, struct buf *framed, uint64_t timeout_ms,
                    struct grpc_status *status, struct err *err)
{
    struct bigtable *b = m->b;
    for (size_t i = 0; i < m->n; i++)
        m->codes[i] = UNANSWERED;
    m->n_tries++;
    const int r = bigtable_pack_mutate_rows(framed, b->table, m->batch, m->rows, m->n, err);
    if (r < 0)
        return r;
    const struct bigtable_request request = {.service = BIGTABLE_DATA,
                                             .method = "MutateRows",
                                             .parameter = "table_name",
                                             .resource = b->table,
                                             .framed = buf_span(framed),
                                             .timeout_ms = timeout_ms,
                                             .fn = take_response,
                                             .arg = m};
    return bigtable_call(b, &request, status, err);
}

/* Keep the rows that are to be sent again. @return the number of rows that got no answer. */
static size_t keep_open_rows(struct mutation *m)
{
    size_t n = 0, n_unanswered = 0;
    for (size_t i = 0; i < m->n; i++) {
        n_unanswered += m->codes[i] == UNANSWERED;
        if (m->codes[i] == UNANSWERED || bigtable_may_pass(m->codes[i]))
            m->rows[n++] = m->rows[i];
    }
    m->n = n;
    return n_unanswered;
}

/* @return true: there are rows for another try. */
static bool step(struct mutation *m, struct buf *framed, uint64_t timeout_ms)
{
    struct grpc_status status = {0};
    struct err err = {0};
    const int r = try_once(m, framed, timeout_ms, &status, &err);
    const size_t n_unanswered = keep_open_rows(m);
    if (r != 0) { // not of a kind that another try would change
        if (m->out->failures.n == 0)
            m->out->failures.first = err;
        m->out->failures.n += m->n;
        m->out->refused = true;
        return false;
    }
    if (n_unanswered > 0 && status.code == GRPC_OK)
        m->last = (struct grpc_status){GRPC_UNAVAILABLE, "Bigtable's answer leaves out rows"};
    else if (n_unanswered > 0)
        m->last = status;
    if (status.code == GRPC_OK || bigtable_may_pass(status.code) || n_unanswered == 0)
        return m->n > 0;
    // Rows that may pass share the fate of the request, which has to be sent for them, too.
    fail_rows(m, m->n, &status);
    m->out->refused = true;
    return false;
}

void bigtable_write_batch(struct mutation_outcome *out, struct bigtable *b,
                          const struct batch *batch)
{
    CLEANUP(buf_deinit) struct buf framed = BUF_INIT(BIGTABLE_REQUEST_BYTES);
    struct mutation m = {.b = b, .batch = batch, .out = out, .n = batch->n};
    struct retry retry;
    uint64_t wait_ms;
    for (size_t i = 0; i < m.n; i++)
        m.rows[i] = (uint32_t)i;
    *out = (struct mutation_outcome){0};
    bigtable_retry_init(&retry, b);
    while (step(&m, &framed, bigtable_try_ms(b, &retry))) {
        if (!retry_next(&retry, retry_now_ms(), 0, &wait_ms)) {
            fail_rows(&m, m.n, &m.last);
            out->refused = true;
            return;
        }
        retry_sleep_ms(wait_ms);
    }
}
