/* SPDX-License-Identifier: MPL-2.0 */
/*
 * base64.c - base64 in plain C, and the choice among its versions.
 *
 * Shared secrets pass through here as well as ciphertexts, so a character is mapped by comparing
 * ranges, not by looking it up in a table: no branch and no address depends on a character that
 * belongs to the alphabet. In blocks of constant size the compiler turns these comparisons into
 * vector code even for the baseline of the architecture.
 */
#include "codec/base64.h"

#include "base/cpu.h"
#include "codec/base64_kernels.h"

#include <string.h>

enum { BLOCK_CHARS = 64, BLOCK_BYTES = BLOCK_CHARS / 4 * 3, FOREIGN = 0xc0 };

/* 0xff where first <= c <= last, else 0. */
static inline uint8_t within(uint8_t c, uint8_t first, uint8_t last)
{
    const bool inside = (uint8_t)(c - first) <= (uint8_t)(last - first);
    return (uint8_t)(0 - (unsigned)inside);
}

/* The six bits of a character; bits of FOREIGN are set when it is none of the 64. */
static inline uint8_t sextet(uint8_t c)
{
    // One more than the value, so that "in no range" is 0 and becomes 0xff.
    const unsigned v = (within(c, 'A', 'Z') & (unsigned)(c - 'A' + 1)) |
                       (within(c, 'a', 'z') & (unsigned)(c - 'a' + 27)) |
                       (within(c, '0', '9') & (unsigned)(c - '0' + 53)) |
                       (within(c, '+', '+') & 63u) | (within(c, '/', '/') & 64u);
    return (uint8_t)(v - 1);
}

static inline uint8_t character(uint8_t v)
{
    return (uint8_t)((within(v, 0, 25) & (unsigned)(v + 'A')) |
                     (within(v, 26, 51) & (unsigned)(v - 26 + 'a')) |
                     (within(v, 52, 61) & (unsigned)(v - 52 + '0')) | (within(v, 62, 62) & '+') |
                     (within(v, 63, 63) & '/'));
}

static inline void pack_quad(uint8_t out[3], const uint8_t v[4])
{
    out[0] = (uint8_t)(v[0] << 2 | v[1] >> 4);
    out[1] = (uint8_t)(v[1] << 4 | v[2] >> 2);
    out[2] = (uint8_t)(v[2] << 6 | v[3]);
}

/* Whole quads without padding. @return bits of FOREIGN if a character was not in the alphabet. */
static uint8_t decode_quads(uint8_t *out, const uint8_t *in, size_t len)
{
    uint8_t v[BLOCK_CHARS], bad = 0;
    size_t i = 0;
    for (; len - i >= BLOCK_CHARS; i += BLOCK_CHARS) {
        for (size_t k = 0; k < BLOCK_CHARS; k++) {
            v[k] = sextet(in[i + k]);
            bad |= v[k];
        }
        for (size_t k = 0; k < BLOCK_CHARS / 4; k++)
            pack_quad(out + i / 4 * 3 + 3 * k, v + 4 * k);
    }
    for (; i < len; i += 4) {
        for (size_t k = 0; k < 4; k++) {
            v[k] = sextet(in[i + k]);
            bad |= v[k];
        }
        pack_quad(out + i / 4 * 3, v);
    }
    return bad & FOREIGN;
}

ptrdiff_t base64_decode_c(uint8_t *out, const uint8_t *in, size_t len)
{
    if (len % 4 != 0)
        return -1;
    if (len == 0)
        return 0;
    const size_t pad = in[len - 1] != '=' ? 0 : in[len - 2] != '=' ? 1 : 2;
    const size_t whole = pad > 0 ? len - 4 : len;
    uint8_t bad = decode_quads(out, in, whole);
    uint8_t *end = out + whole / 4 * 3;
    if (pad > 0) {
        uint8_t last[4] = {'A', 'A', 'A', 'A'}, bytes[3];
        memcpy(last, in + whole, 4 - pad);
        bad |= decode_quads(bytes, last, 4);
        memcpy(end, bytes, 3 - pad);
        end += 3 - pad;
        // The bits beyond the last byte stand in the bytes that are not handed out.
        bad |= (uint8_t)(bytes[2] | (pad == 2 ? bytes[1] : 0)) != 0 ? FOREIGN : 0;
    }
    return bad ? -1 : end - out;
}

static void spread_triple(uint8_t v[4], uint8_t a, uint8_t b, uint8_t c)
{
    v[0] = a >> 2;
    v[1] = (uint8_t)((a << 4 | b >> 4) & 63);
    v[2] = (uint8_t)((b << 2 | c >> 6) & 63);
    v[3] = c & 63;
}

size_t base64_encode_c(uint8_t *out, const uint8_t *in, size_t n)
{
    uint8_t v[BLOCK_CHARS];
    size_t i = 0, written = 0;
    for (; n - i >= BLOCK_BYTES; i += BLOCK_BYTES, written += BLOCK_CHARS) {
        for (size_t k = 0; k < BLOCK_CHARS / 4; k++)
            spread_triple(v + 4 * k, in[i + 3 * k], in[i + 3 * k + 1], in[i + 3 * k + 2]);
        for (size_t k = 0; k < BLOCK_CHARS; k++)
            out[written + k] = character(v[k]);
    }
    for (; i < n; i += 3, written += 4) {
        const size_t have = n - i < 3 ? n - i : 3;
        spread_triple(v, in[i], have > 1 ? in[i + 1] : 0, have > 2 ? in[i + 2] : 0);
        for (size_t k = 0; k < 4; k++)
            out[written + k] = k <= have ? character(v[k]) : (uint8_t)'=';
    }
    return written;
}

void base64_ops_init(struct base64_ops *ops, unsigned cpu)
{
    *ops = (struct base64_ops){.decode = base64_decode_c, .encode = base64_encode_c};
#if defined(__x86_64__)
    if (cpu & CPU_AVX2)
        *ops = (struct base64_ops){.decode = base64_decode_avx2, .encode = base64_encode_avx2};
#else
    (void)cpu;
#endif
}
