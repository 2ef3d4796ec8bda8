/*
 * lanes512.h - the eight lanes of AVX-512, for both levels of it: what lanes.h and loops.h ask of
 * a level, then lanes.h itself.
 */
#pragma once

#include <immintrin.h>
#include <stdint.h>

#define LANES 8
typedef uint64_t lanes __attribute__((vector_size(64)));

static inline lanes pick(lanes s, lanes a, lanes b)
{
    return (lanes)_mm512_mask_blend_epi64(_mm512_movepi64_mask((__m512i)s), (__m512i)b, (__m512i)a);
}

#define QUARTERS_0_2(a, b) __builtin_shufflevector(a, b, 0, 1, 4, 5, 8, 9, 12, 13)
#define QUARTERS_1_3(a, b) __builtin_shufflevector(a, b, 2, 3, 6, 7, 10, 11, 14, 15)

/* First the pairs of lanes inside each quarter of 128 bits; then, for even and odd columns apart,
 * quarters change places as the entries of a matrix of four by four. */
static inline void transpose(lanes m[LANES])
{
    lanes t[LANES];
    for (int i = 0; i < LANES; i += 2) {
        t[i] = __builtin_shufflevector(m[i], m[i + 1], 0, 8, 2, 10, 4, 12, 6, 14);
        t[i + 1] = __builtin_shufflevector(m[i], m[i + 1], 1, 9, 3, 11, 5, 13, 7, 15);
    }
    for (int odd = 0; odd < 2; odd++) {
        const lanes top02 = QUARTERS_0_2(t[odd], t[odd + 2]);
        const lanes top13 = QUARTERS_1_3(t[odd], t[odd + 2]);
        const lanes bottom02 = QUARTERS_0_2(t[odd + 4], t[odd + 6]);
        const lanes bottom13 = QUARTERS_1_3(t[odd + 4], t[odd + 6]);
        m[odd] = QUARTERS_0_2(top02, bottom02);
        m[odd + 2] = QUARTERS_0_2(top13, bottom13);
        m[odd + 4] = QUARTERS_1_3(top02, bottom02);
        m[odd + 6] = QUARTERS_1_3(top13, bottom13);
    }
}

#undef QUARTERS_0_2
#undef QUARTERS_1_3

#include "prio/kernels/lanes.h"
