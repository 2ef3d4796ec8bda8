/* SPDX-License-Identifier: MPL-2.0 */
#include "prio/wire.h"

#include <string.h>

static unsigned significant_bytes(uint128 v) // 1 for zero
{
    const uint64_t high = (uint64_t)(v >> 64);
    const uint64_t low = (uint64_t)v | 1;
    const unsigned bits =
        high != 0 ? 128 - (unsigned)__builtin_clzll(high) : 64 - (unsigned)__builtin_clzll(low);
    return (bits + 7) / 8;
}

/* The value is shifted so that its first byte comes first, and sixteen bytes are stored whatever
 * its length: no loop over bytes. */
size_t wire_write_element(uint8_t *out, struct fe x)
{
    const uint128 v = fe_to_u128(x);
    const unsigned n = significant_bytes(v);
    const uint128 left = v << (8 * (16 - n));
    const uint64_t words[2] = {__builtin_bswap64((uint64_t)(left >> 64)),
                               __builtin_bswap64((uint64_t)left)};
    out[0] = (uint8_t)(0xa0 + n);
    memcpy(out + 1, words, sizeof words);
    return 1 + (size_t)n;
}

/* All but one element in about 128 fill eleven bytes: header and value are then twelve bytes at
 * fixed places. */
static size_t write_usual_element(uint8_t *out, struct fe x)
{
    const uint32_t first = __builtin_bswap32(UINT32_C(0xab) << 24 | (uint32_t)(x.hi >> 12));
    const uint64_t rest = __builtin_bswap64(x.hi << FIELD_LO_BITS | x.lo);
    memcpy(out, &first, sizeof first);
    memcpy(out + sizeof first, &rest, sizeof rest);
    return WIRE_ELEMENT_MAX;
}

size_t wire_write_vector(uint8_t *out, struct fvec v, size_t n)
{
    const unsigned below_top_byte = 80 - FIELD_LO_BITS; // in hi
    uint8_t *p = out + msgpack_write_array(out, (uint32_t)n);
    for (size_t i = 0; i < n; i++) {
        const struct fe x = fvec_get(v, i);
        p += x.hi >> below_top_byte != 0 ? write_usual_element(p, x) : wire_write_element(p, x);
    }
    return (size_t)(p - out);
}

size_t wire_write_head(uint8_t *out, struct span batch, const struct packet_head *head,
                       uint8_t server_id)
{
    const struct fe fields[] = {head->a, head->b, head->c, head->f0, head->g0, head->h0};
    uint8_t *p = out + msgpack_write_str(out, batch);
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
        p += wire_write_element(p, fields[i]);
    p += msgpack_write_fixint(p, server_id);
    return (size_t)(p - out);
}

bool wire_read_element(struct msgpack_reader *r, struct fe *x)
{
    struct span body;
    if (!msgpack_read_str(r, &body) || body.len == 0)
        return false;
    for (; body.len > FIELD_BYTES; body.ptr++, body.len--)
        if (body.ptr[0] != 0)
            return false;
    uint8_t be[FIELD_BYTES] = {0};
    memcpy(be + FIELD_BYTES - body.len, body.ptr, body.len);
    return fe_from_bytes(x, be);
}

bool wire_read_vector(struct msgpack_reader *r, const struct vec_ops *ops, struct fvec out,
                      size_t n)
{
    uint32_t count;
    if (!msgpack_read_array(r, &count) || count != n)
        return false;
    for (size_t done = 0; done < n;) {
        const size_t run = ops->decode(fvec_at(out, done), n - done, r->pos, r->end);
        r->pos += 12 * run;
        done += run;
        if (done == n)
            break;
        struct fe x; // a shorter or unusual element, one in about 128
        if (!wire_read_element(r, &x))
            return false;
        fvec_set(out, done++, x);
    }
    return true;
}

bool wire_read_head(struct msgpack_reader *r, struct span batch, struct packet_head *head,
                    uint8_t server_id)
{
    struct fe *const fields[] = {&head->a, &head->b, &head->c, &head->f0, &head->g0, &head->h0};
    struct span id;
    uint64_t server;
    if (!msgpack_read_str(r, &id) || !span_equal(id, batch))
        return false;
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
        if (!wire_read_element(r, fields[i]))
            return false;
    return msgpack_read_uint(r, &server) && server == server_id;
}
