/* SPDX-License-Identifier: MPL-2.0 */
#include "base/retry.h"
#include "net/http.h"
#include "store/backend.h"

#include <stdlib.h>

/* Between bytes: a server that hands out some after each break may go on breaking. */
static const struct retry_policy resume_policy = {
    .max_retries = 5,
    .first_wait_ms = 200,
    .multiplier = 2,
    .max_wait_ms = 10 * 1000,
    .jitter = 0.5,
};

struct remote_reader {
    struct store_reader base;
    void *self;
    remote_open_fn *open;
    struct http_stream *stream; // NULL: none is open
    uint64_t offset, end;       // the next byte to hand out, and the one behind the last
    struct retry retry;         // since the last byte that came
};

static struct remote_reader *remote(struct store_reader *reader)
{
    return (struct remote_reader *)reader;
}

static void drop_stream(struct remote_reader *r)
{
    if (r->stream)
        http_stream_close(r->stream);
    r->stream = NULL;
}

static void restart_patience(struct remote_reader *r)
{
    const uint64_t now = retry_now_ms();
    retry_init(&r->retry, &resume_policy, now, now ^ (uint64_t)(uintptr_t)r);
}

static int reopen(struct remote_reader *r, struct err *err)
{
    struct store_object object = {0};
    const int result = r->open(&r->stream, r->self, r->base.key, r->offset, r->end - r->offset,
                               r->base.object.version, &object, err);
    if (result < 0 && result != E_ABSENT)
        return result;
    if (result != 0 || !r->stream)
        return err_set(err, E_IO, 0, "the object changed while it was read");
    return 0;
}

/* The connection broke, err says how. @return 0 to go on. */
static int resume(struct remote_reader *r, int broken, struct err *err)
{
    uint64_t wait_ms;
    drop_stream(r);
    if (!retry_next(&r->retry, retry_now_ms(), 0, &wait_ms))
        return broken;
    retry_sleep_ms(wait_ms);
    return reopen(r, err);
}

static ssize_t remote_read(struct store_reader *reader, void *dst, size_t cap, struct err *err)
{
    struct remote_reader *r = remote(reader);
    const uint64_t left = r->end - r->offset;
    while (left > 0 && cap > 0) {
        const size_t want = cap < left ? cap : (size_t)left;
        ssize_t n = http_stream_read(r->stream, dst, want, err);
        if (n > 0) {
            r->offset += (uint64_t)n;
            restart_patience(r);
            return n;
        }
        if (n == 0)
            n = err_set(err, E_IO, 0, "the answer ended %llu bytes early",
                        (unsigned long long)left);
        const int result = n == E_IO ? resume(r, (int)n, err) : (int)n;
        if (result < 0)
            return result;
    }
    return 0;
}

static void remote_close(struct store_reader *reader)
{
    drop_stream(remote(reader));
    free(reader);
}

static const struct store_reader_ops remote_ops = {.read = remote_read, .close = remote_close};

int remote_get(struct store_reader **out, const struct store_backend *backend, void *self,
               remote_open_fn *open, const char *key, uint64_t offset, uint64_t len,
               struct err *err)
{
    struct remote_reader *r = calloc(1, sizeof *r);
    if (!r)
        return err_set(err, E_NOMEM, 0, "no memory for a reader");
    r->base.ops = &remote_ops;
    r->self = self;
    r->open = open;
    // No range of HTTP is empty, and servers count in 63 bits.
    if (offset <= INT64_MAX && len > INT64_MAX - offset)
        len = STORE_TO_END;
    const int result = len == 0 || offset > INT64_MAX
                           ? backend->stat(self, key, &r->base.object, err)
                           : open(&r->stream, self, key, offset, len, NULL, &r->base.object, err);
    if (result != 0) {
        free(r);
        return result;
    }
    const uint64_t size = r->base.object.size;
    r->offset = offset;
    r->end = !r->stream ? offset : len < size - offset ? offset + len : size;
    restart_patience(r);
    *out = &r->base;
    return 0;
}
