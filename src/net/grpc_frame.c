/* SPDX-License-Identifier: MPL-2.0 */
/* A frame: a byte that says whether it is compressed, the length as 32 bits, the message. */
#include "net/grpc.h"

int grpc_frame_begin(struct buf *framed, struct err *err)
{
    static const uint8_t head[GRPC_PREFIX_BYTES];
    buf_clear(framed);
    return buf_append(framed, head, sizeof head, err);
}

int grpc_frame_end(struct buf *framed, struct err *err)
{
    const size_t len = framed->len - GRPC_PREFIX_BYTES;
    if (len > UINT32_MAX)
        return err_set(err, E_ARG, 0, "a message of %zu bytes is too long for gRPC", len);
    for (unsigned i = 0; i < 4; i++)
        framed->data[1 + i] = (uint8_t)(len >> (24 - 8 * i));
    return 0;
}

static int read_prefix(struct grpc_reader *r, struct err *err)
{
    if (r->prefix[0] != 0)
        return err_set(err, E_FORMAT, 0, "a gRPC message is compressed, which nobody asked for");
    r->left = 0;
    for (unsigned i = 1; i < GRPC_PREFIX_BYTES; i++)
        r->left = r->left << 8 | r->prefix[i];
    if (r->left > r->message.max)
        return err_set(err, E_FORMAT, 0, "a gRPC message of %zu bytes; at most %zu are taken",
                       r->left, r->message.max);
    buf_clear(&r->message);
    return 0;
}

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

int grpc_reader_feed(struct grpc_reader *r, struct span bytes, grpc_message_fn *fn, void *arg,
                     struct err *err)
{
    while (bytes.len > 0) {
        int result = 0;
        size_t n;
        if (r->n_prefix < GRPC_PREFIX_BYTES) {
            n = smaller(GRPC_PREFIX_BYTES - r->n_prefix, bytes.len);
            memcpy(r->prefix + r->n_prefix, bytes.ptr, n);
            r->n_prefix += n;
            if (r->n_prefix == GRPC_PREFIX_BYTES)
                result = read_prefix(r, err);
        } else {
            n = smaller(r->left, bytes.len);
            result = buf_append(&r->message, bytes.ptr, n, err);
            r->left -= n;
        }
        bytes = span_of(bytes.ptr + n, bytes.len - n);
        if (result == 0 && r->n_prefix == GRPC_PREFIX_BYTES && r->left == 0) {
            r->n_prefix = 0;
            result = fn(arg, buf_span(&r->message), err);
        }
        if (result != 0)
            return result;
    }
    return 0;
}

int grpc_reader_end(const struct grpc_reader *r, struct err *err)
{
    return r->n_prefix == 0 ? 0 : err_set(err, E_FORMAT, 0, "the answer ends within a message");
}

void grpc_reader_deinit(struct grpc_reader *r)
{
    buf_deinit(&r->message);
}
