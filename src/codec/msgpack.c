/* SPDX-License-Identifier: MPL-2.0 */
#include "codec/msgpack.h"

enum {
    FIXARRAY = 0x90,
    FIXSTR = 0xa0,
    UINT_8 = 0xcc, // to 0xcf: 1, 2, 4, 8 bytes follow
    INT_8 = 0xd0,  // to 0xd3: likewise, signed
    STR_8 = 0xd9,  // to 0xdb: 1, 2, 4 bytes of length
    ARRAY_16 = 0xdc,
    ARRAY_32 = 0xdd,
};

static size_t rest(const struct msgpack_reader *r)
{
    return (size_t)(r->end - r->pos);
}

static bool read_byte(struct msgpack_reader *r, uint8_t *byte)
{
    if (r->pos == r->end)
        return false;
    *byte = *r->pos++;
    return true;
}

static bool read_big_endian(struct msgpack_reader *r, size_t n_bytes, uint64_t *value)
{
    if (rest(r) < n_bytes)
        return false;
    uint64_t v = 0;
    for (size_t i = 0; i < n_bytes; i++)
        v = v << 8 | r->pos[i];
    r->pos += n_bytes;
    *value = v;
    return true;
}

static size_t put_big_endian(uint8_t *out, size_t n_bytes, uint64_t value)
{
    for (size_t i = 0; i < n_bytes; i++)
        out[i] = (uint8_t)(value >> 8 * (n_bytes - 1 - i));
    return n_bytes;
}

bool msgpack_read_str(struct msgpack_reader *r, struct span *body)
{
    uint8_t head;
    uint64_t len;
    if (!read_byte(r, &head))
        return false;
    if ((head & 0xe0) == FIXSTR)
        len = head & 0x1f;
    else if (head < STR_8 || head > STR_8 + 2 ||
             !read_big_endian(r, (size_t)1 << (head - STR_8), &len))
        return false;
    if (rest(r) < len)
        return false;
    *body = span_of(r->pos, (size_t)len);
    r->pos += len;
    return true;
}

bool msgpack_read_array(struct msgpack_reader *r, uint32_t *count)
{
    uint8_t head;
    uint64_t n;
    if (!read_byte(r, &head))
        return false;
    if ((head & 0xf0) == FIXARRAY)
        n = head & 0x0f;
    else if ((head != ARRAY_16 && head != ARRAY_32) ||
             !read_big_endian(r, head == ARRAY_16 ? 2 : 4, &n))
        return false;
    *count = (uint32_t)n;
    return true;
}

bool msgpack_read_uint(struct msgpack_reader *r, uint64_t *value)
{
    uint8_t head;
    if (!read_byte(r, &head))
        return false;
    if (head < 0x80) {
        *value = head;
        return true;
    }
    if (head < UINT_8 || head > INT_8 + 3)
        return false;
    const size_t n_bytes = (size_t)1 << (head & 3);
    uint64_t v;
    if (!read_big_endian(r, n_bytes, &v))
        return false;
    if (head >= INT_8 && v >> (8 * n_bytes - 1) != 0)
        return false; // negative
    *value = v;
    return true;
}

size_t msgpack_write_str(uint8_t *out, struct span body)
{
    size_t n = 1;
    if (body.len < 32) {
        out[0] = (uint8_t)(FIXSTR | body.len);
    } else {
        const unsigned size_class = body.len > UINT16_MAX ? 2 : body.len > UINT8_MAX ? 1 : 0;
        out[0] = (uint8_t)(STR_8 + size_class);
        n += put_big_endian(out + 1, (size_t)1 << size_class, body.len);
    }
    if (body.len > 0)
        memcpy(out + n, body.ptr, body.len);
    return n + body.len;
}

size_t msgpack_write_array(uint8_t *out, uint32_t count)
{
    if (count < 16) {
        out[0] = (uint8_t)(FIXARRAY | count);
        return 1;
    }
    out[0] = count > UINT16_MAX ? ARRAY_32 : ARRAY_16;
    return 1 + put_big_endian(out + 1, count > UINT16_MAX ? 4 : 2, count);
}

size_t msgpack_write_fixint(uint8_t *out, uint8_t value)
{
    out[0] = value;
    return 1;
}
