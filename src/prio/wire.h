/* wire.h - the bytes of packets and messages (section 2). */
#pragma once

#include "codec/msgpack.h"
#include "prio/kernels/vec.h"

enum {
    WIRE_ELEMENT_MAX = 12, // a0 + length, then up to 11 bytes
    WIRE_SLACK = 16,       // bytes behind a written element that may be overwritten
};

/* The fields that stand before the server id in both packets: a server's share of them. */
struct packet_head {
    struct fe a, b, c, f0, g0, h0;
};

/** Element in the fewest bytes, zero as one zero byte. out: WIRE_ELEMENT_MAX + WIRE_SLACK bytes.
 * @return bytes written. */
size_t wire_write_element(uint8_t *out, struct fe x);
/** Array header and n elements. out: wire_vector_max(n) bytes. @return bytes written. */
size_t wire_write_vector(uint8_t *out, struct fvec v, size_t n);
/** Batch id, head and server id. out: wire_head_max(batch.len) bytes. @return bytes written. */
size_t wire_write_head(uint8_t *out, struct span batch, const struct packet_head *head,
                       uint8_t server_id);

static inline size_t wire_vector_max(size_t n)
{
    return MSGPACK_HEADER_MAX + n * WIRE_ELEMENT_MAX + WIRE_SLACK;
}

static inline size_t wire_head_max(size_t batch_len)
{
    return MSGPACK_HEADER_MAX + batch_len + 6 * WIRE_ELEMENT_MAX + 1 + WIRE_SLACK;
}

/* Readers return false for what section 2 rejects; outputs are then unspecified. */

/** A str of any length whose value is below p. */
bool wire_read_element(struct msgpack_reader *r, struct fe *x);
/** An array of exactly n elements. VEC_SLACK readable bytes stand behind r->end; VEC_PAD elements
 * behind out[n] may be overwritten. */
bool wire_read_vector(struct msgpack_reader *r, const struct vec_ops *ops, struct fvec out,
                      size_t n);
/** Batch id equal to `batch`, head, server id equal to server_id. */
bool wire_read_head(struct msgpack_reader *r, struct span batch, struct packet_head *head,
                    uint8_t server_id);
