/* SPDX-License-Identifier: MPL-2.0 */
/*
 * vec_avx512.c - eight lanes. Built with -mavx512f -mavx512dq -mavx512bw -mavx512vl -mavx512cd.
 */
#include "prio/kernels/lanes512.h"

static inline lanes mul32(lanes a, lanes b)
{
    return (lanes)_mm512_mul_epu32((__m512i)a, (__m512i)b);
}

#include "prio/kernels/limbs29.h"
#include "prio/kernels/loops.h"

/* Eight groups of twelve bytes: each goes into a quarter of a register, where byte_of picks one
 * number into the lower eight bytes and another into the upper eight. */
static inline void read_twelves(lanes *first, lanes *second, const uint8_t *in, __m128i byte_of)
{
    const __m512i pattern = _mm512_broadcast_i32x4(byte_of);
    const __m512i word_of = _mm512_setr_epi32(0, 1, 2, 0, 3, 4, 5, 0, 6, 7, 8, 0, 9, 10, 11, 0);
    const __m512i a =
        _mm512_shuffle_epi8(_mm512_permutexvar_epi32(word_of, _mm512_loadu_si512(in)), pattern);
    const __m512i b = _mm512_shuffle_epi8(
        _mm512_permutexvar_epi32(word_of, _mm512_loadu_si512(in + 48)), pattern);
    *first = __builtin_shufflevector((lanes)a, (lanes)b, 0, 2, 4, 6, 8, 10, 12, 14);
    *second = __builtin_shufflevector((lanes)a, (lanes)b, 1, 3, 5, 7, 9, 11, 13, 15);
}

/* Lanes where x < p. Range: hi < 2^36. */
static inline __mmask8 below_p(struct felanes x)
{
    const lanes difference = x.hi - FIELD_P_HI - ((x.lo - FIELD_P_LO) >> 63);
    return _mm512_movepi64_mask((__m512i)difference);
}

/* Eight attempts a step, all lanes stored; the position moves on by the accepted ones only. */
static size_t sample_avx512(struct fvec out, size_t want, const uint8_t *stream, size_t n_attempts)
{
    const __m128i byte_of = _mm_setr_epi8(10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 11, -1, -1, -1, -1, -1);
    size_t stored = 0, k = 0;
    for (; n_attempts - k >= LANES; k += LANES) {
        if (stored >= want)
            return want;
        lanes low, high;
        read_twelves(&low, &high, stream + 12 * k, byte_of);
        const struct felanes x = {low & FIELD_LO_MASK, (low >> FIELD_LO_BITS) | (high << 12)};
        const __mmask8 accepted = below_p(x);
        const struct felanes packed = {(lanes)_mm512_maskz_compress_epi64(accepted, (__m512i)x.lo),
                                       (lanes)_mm512_maskz_compress_epi64(accepted, (__m512i)x.hi)};
        felanes_store(out, stored, packed);
        stored += (size_t)__builtin_popcount(accepted);
    }
    if (stored >= want)
        return want;
    return stored +
           vec_sample_c(fvec_at(out, stored), want - stored, stream + 12 * k, n_attempts - k);
}

/* The header travels above the three upper bytes of the value. */
static size_t decode_avx512(struct fvec out, size_t want, const uint8_t *in, const uint8_t *end)
{
    const __m128i byte_of = _mm_setr_epi8(11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0, -1, -1, -1, -1);
    const __m512i fixstr_11 = _mm512_set1_epi64(0xab);
    size_t stored = 0;
    for (; end - in >= 12 * LANES; in += 12 * LANES, stored += LANES) {
        if (stored >= want)
            return want;
        lanes low, high;
        read_twelves(&low, &high, in, byte_of);
        const struct felanes x = {low & FIELD_LO_MASK,
                                  (low >> FIELD_LO_BITS) | ((high & 0xffffff) << 12)};
        felanes_store(out, stored, x);
        const unsigned good =
            below_p(x) & _mm512_cmpeq_epi64_mask((__m512i)(high >> 24), fixstr_11);
        if (good != 0xff) {
            stored += (size_t)__builtin_ctz(~good);
            return stored < want ? stored : want;
        }
    }
    if (stored >= want)
        return want;
    return stored + vec_decode_c(fvec_at(out, stored), want - stored, in, end);
}

void vec_ops_overlay_avx512(struct vec_ops *ops)
{
    lanes_overlay(ops);
    ops->sample = sample_avx512;
    ops->decode = decode_avx512;
}
