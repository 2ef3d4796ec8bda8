/* SPDX-License-Identifier: MPL-2.0 */
/* record_avx2.c - 64 bytes of text at a time, built with -mavx2. */
#include "codec/record_kernels.h"

#include <immintrin.h>

/* As signed bytes, all that is above 0x7f is below 0x20 too. */
static __m256i stops(__m256i text)
{
    const __m256i quote = _mm256_cmpeq_epi8(text, _mm256_set1_epi8('"'));
    const __m256i backslash = _mm256_cmpeq_epi8(text, _mm256_set1_epi8('\\'));
    const __m256i outside = _mm256_cmpgt_epi8(_mm256_set1_epi8(0x20), text);
    return _mm256_or_si256(_mm256_or_si256(quote, backslash), outside);
}

static uint64_t bits(__m256i low, __m256i high)
{
    return (uint32_t)_mm256_movemask_epi8(low) | (uint64_t)(uint32_t)_mm256_movemask_epi8(high)
                                                     << 32;
}

const uint8_t *record_string_end_avx2(const uint8_t *p, const uint8_t *end)
{
    for (; p < end; p += 64) {
        const __m256i low = stops(_mm256_loadu_si256((const __m256i *)p));
        const __m256i high = stops(_mm256_loadu_si256((const __m256i *)(p + 32)));
        const __m256i any = _mm256_or_si256(low, high);
        if (_mm256_testz_si256(any, any))
            continue;
        const uint8_t *const stop = p + __builtin_ctzll(bits(low, high));
        return stop < end ? stop : end; // the stop may stand in the slack
    }
    return end;
}
