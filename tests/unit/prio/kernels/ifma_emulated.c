/* SPDX-License-Identifier: MPL-2.0 */
/*
 * ifma_emulated.c - the level avx512ifma with its one instruction replaced by exact scalar
 * arithmetic, so that everything else about it is tested on any CPU with AVX-512. Built with the
 * flags of vec_avx512.c, without -mavx512ifma.
 */
#include "prio/field.h"
#include "unit/prio/kernels/levels.h"

#include <immintrin.h>

typedef uint64_t eight __attribute__((vector_size(64)));

static inline __m512i madd52(__m512i sum, __m512i a, __m512i b, int shift)
{
    const eight x = (eight)a, y = (eight)b;
    eight r = (eight)sum;
    for (int i = 0; i < 8; i++) {
        const uint128 product = (uint128)(x[i] & FIELD_LO_MASK) * (y[i] & FIELD_LO_MASK);
        r[i] += (uint64_t)(product >> shift) & FIELD_LO_MASK;
    }
    return (__m512i)r;
}

#define _mm512_madd52lo_epu64(sum, a, b) madd52(sum, a, b, 0)
#define _mm512_madd52hi_epu64(sum, a, b) madd52(sum, a, b, 52)
#define vec_ops_overlay_avx512ifma(ops)  vec_ops_overlay_emulated(ops)

#include "prio/kernels/vec_avx512ifma.c"
