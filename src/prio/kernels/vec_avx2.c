/* SPDX-License-Identifier: MPL-2.0 */
/*
 * vec_avx2.c - four lanes, for CPUs without AVX-512. Built with -mavx2 -mbmi2.
 */
#include "prio/kernels/versions.h"

#include <immintrin.h>

#define LANES 4
typedef uint64_t lanes __attribute__((vector_size(32)));

static inline lanes pick(lanes s, lanes a, lanes b)
{
    return (lanes)_mm256_blendv_pd((__m256d)b, (__m256d)a, (__m256d)s);
}

static inline lanes mul32(lanes a, lanes b)
{
    return (lanes)_mm256_mul_epu32((__m256i)a, (__m256i)b);
}

static inline void transpose(lanes m[LANES])
{
    const lanes a = __builtin_shufflevector(m[0], m[1], 0, 4, 2, 6);
    const lanes b = __builtin_shufflevector(m[0], m[1], 1, 5, 3, 7);
    const lanes c = __builtin_shufflevector(m[2], m[3], 0, 4, 2, 6);
    const lanes d = __builtin_shufflevector(m[2], m[3], 1, 5, 3, 7);
    m[0] = __builtin_shufflevector(a, c, 0, 1, 4, 5);
    m[1] = __builtin_shufflevector(b, d, 0, 1, 4, 5);
    m[2] = __builtin_shufflevector(a, c, 2, 3, 6, 7);
    m[3] = __builtin_shufflevector(b, d, 2, 3, 6, 7);
}

#include "prio/kernels/lanes.h"
#include "prio/kernels/limbs29.h"
#include "prio/kernels/loops.h"

/* Four groups of twelve bytes. Each 128-bit half becomes two numbers, the one that byte_of picks
 * for its lower eight bytes and the one for its upper eight; halves 0 and 2 meet 1 and 3. */
static inline void read_twelves(lanes *first, lanes *second, const uint8_t *in, __m128i byte_of)
{
    const __m256i pattern = _mm256_broadcastsi128_si256(byte_of);
    const __m256i even = _mm256_inserti128_si256(
        _mm256_castsi128_si256(_mm_loadu_si128((const __m128i *)(const void *)in)),
        _mm_loadu_si128((const __m128i *)(const void *)(in + 24)), 1);
    const __m256i odd = _mm256_inserti128_si256(
        _mm256_castsi128_si256(_mm_loadu_si128((const __m128i *)(const void *)(in + 12))),
        _mm_loadu_si128((const __m128i *)(const void *)(in + 36)), 1);
    const __m256i a = _mm256_shuffle_epi8(even, pattern);
    const __m256i b = _mm256_shuffle_epi8(odd, pattern);
    *first = (lanes)_mm256_unpacklo_epi64(a, b);
    *second = (lanes)_mm256_unpackhi_epi64(a, b);
}

/* All ones in the top bit where x < p. Range: hi < 2^36. */
static inline lanes below_p(struct felanes x)
{
    return x.hi - FIELD_P_HI - ((x.lo - FIELD_P_LO) >> 63);
}

static inline unsigned top_bits(lanes x)
{
    return (unsigned)_mm256_movemask_pd((__m256d)x);
}

/* Row m lists, as pairs of 32-bit words, the lanes whose bit is set in m, in order. */
#define PAIR(k) 2 * (k), 2 * (k) + 1
static const uint32_t COMPRESS[16][8] = {
    {0},
    {PAIR(0)},
    {PAIR(1)},
    {PAIR(0), PAIR(1)},
    {PAIR(2)},
    {PAIR(0), PAIR(2)},
    {PAIR(1), PAIR(2)},
    {PAIR(0), PAIR(1), PAIR(2)},
    {PAIR(3)},
    {PAIR(0), PAIR(3)},
    {PAIR(1), PAIR(3)},
    {PAIR(0), PAIR(1), PAIR(3)},
    {PAIR(2), PAIR(3)},
    {PAIR(0), PAIR(2), PAIR(3)},
    {PAIR(1), PAIR(2), PAIR(3)},
    {PAIR(0), PAIR(1), PAIR(2), PAIR(3)},
};

static inline lanes compress(lanes x, unsigned mask)
{
    const __m256i row = _mm256_loadu_si256((const __m256i *)(const void *)COMPRESS[mask]);
    return (lanes)_mm256_permutevar8x32_epi32((__m256i)x, row);
}

/* Four attempts a step, all lanes stored; the position moves on by the accepted ones only. */
static size_t sample_avx2(struct fvec out, size_t want, const uint8_t *stream, size_t n_attempts)
{
    const __m128i byte_of = _mm_setr_epi8(10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 11, -1, -1, -1, -1, -1);
    size_t stored = 0, k = 0;
    for (; n_attempts - k >= LANES; k += LANES) {
        if (stored >= want)
            return want;
        lanes low, high;
        read_twelves(&low, &high, stream + 12 * k, byte_of);
        const struct felanes x = {low & FIELD_LO_MASK, (low >> FIELD_LO_BITS) | (high << 12)};
        const unsigned accepted = top_bits(below_p(x));
        felanes_store(out, stored,
                      (struct felanes){compress(x.lo, accepted), compress(x.hi, accepted)});
        stored += (size_t)__builtin_popcount(accepted);
    }
    if (stored >= want)
        return want;
    return stored +
           vec_sample_c(fvec_at(out, stored), want - stored, stream + 12 * k, n_attempts - k);
}

/* The header travels above the three upper bytes of the value. */
static size_t decode_avx2(struct fvec out, size_t want, const uint8_t *in, const uint8_t *end)
{
    const __m128i byte_of = _mm_setr_epi8(11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0, -1, -1, -1, -1);
    size_t stored = 0;
    for (; end - in >= 12 * LANES; in += 12 * LANES, stored += LANES) {
        if (stored >= want)
            return want;
        lanes low, high;
        read_twelves(&low, &high, in, byte_of);
        const struct felanes x = {low & FIELD_LO_MASK,
                                  (low >> FIELD_LO_BITS) | ((high & 0xffffff) << 12)};
        felanes_store(out, stored, x);
        const unsigned good = top_bits(below_p(x) & (lanes)((high >> 24) == 0xab));
        if (good != 0xf) {
            stored += (size_t)__builtin_ctz(~good);
            return stored < want ? stored : want;
        }
    }
    if (stored >= want)
        return want;
    return stored + vec_decode_c(fvec_at(out, stored), want - stored, in, end);
}

void vec_ops_overlay_avx2(struct vec_ops *ops)
{
    lanes_overlay(ops);
    ops->sample = sample_avx2;
    ops->decode = decode_avx2;
}
