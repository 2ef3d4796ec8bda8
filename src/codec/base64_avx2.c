/* SPDX-License-Identifier: MPL-2.0 */
/*
 * base64_avx2.c - 32 characters at a time, built with -mavx2.
 *
 * The alphabet is an interval or two in each row of 16 characters, so a character is classified by
 * its two halves (nibbles): one shuffle looks up a row's bit, another the set of rows in which a
 * column is foreign, and their AND is non-zero exactly for a foreign character. Rows 4 and 6 allow
 * the same columns, and so do 5 and 7. The last block, which may carry padding, always goes to the
 * C version, which makes the strict checks.
 */
#include "codec/base64_kernels.h"

#include <immintrin.h>

/* Rows of the ASCII table with equal columns share a bit. */
enum { ROW_2 = 1, ROW_3 = 2, ROWS_46 = 4, ROWS_57 = 8, ROWS_REST = 16 };

static __m256i twice(__m128i half)
{
    return _mm256_broadcastsi128_si256(half);
}

static __m256i foreign_rows_by_column(void)
{
    enum {
        COLUMN_0 = ROWS_REST | ROW_2 | ROWS_46,           // 0 P p
        COLUMNS_1_9 = ROWS_REST | ROW_2,                  // 1 A Q a q
        COLUMN_A = ROWS_REST | ROW_2 | ROW_3,             // J Z j z
        COLUMNS_BF = ROWS_REST | ROW_3 | ROWS_57,         // + K k and / O o
        COLUMNS_CDE = ROWS_REST | ROW_2 | ROW_3 | ROWS_57 // L l
    };
    return twice(_mm_setr_epi8(COLUMN_0, COLUMNS_1_9, COLUMNS_1_9, COLUMNS_1_9, COLUMNS_1_9,
                               COLUMNS_1_9, COLUMNS_1_9, COLUMNS_1_9, COLUMNS_1_9, COLUMNS_1_9,
                               COLUMN_A, COLUMNS_BF, COLUMNS_CDE, COLUMNS_CDE, COLUMNS_CDE,
                               COLUMNS_BF));
}

ptrdiff_t base64_decode_avx2(uint8_t *out, const uint8_t *in, size_t len)
{
    if (len % 4 != 0)
        return -1;
    if (len == 0)
        return 0; // in may be NULL
    const __m256i low_half = _mm256_set1_epi8(0x0f), slash = _mm256_set1_epi8('/');
    const __m256i foreign_rows = foreign_rows_by_column();
    const __m256i row_bit = twice(_mm_setr_epi8(
        ROWS_REST, ROWS_REST, ROW_2, ROW_3, ROWS_46, ROWS_57, ROWS_46, ROWS_57, ROWS_REST,
        ROWS_REST, ROWS_REST, ROWS_REST, ROWS_REST, ROWS_REST, ROWS_REST, ROWS_REST));
    // What to add to a character of each row; '/' moves from row 2 to row 1, which is free.
    const __m256i to_value = twice(_mm_setr_epi8(0, 63 - '/', 62 - '+', 52 - '0', -'A', -'A',
                                                 26 - 'a', 26 - 'a', 0, 0, 0, 0, 0, 0, 0, 0));
    const __m256i join_pairs = _mm256_set1_epi32(0x01400140); // 64 * v0 + v1, 64 * v2 + v3
    const __m256i join_quads = _mm256_set1_epi32(0x00011000); // 4096 * first + second
    const __m256i big_endian =
        twice(_mm_setr_epi8(2, 1, 0, 6, 5, 4, 10, 9, 8, 14, 13, 12, -1, -1, -1, -1));
    const __m256i close_gap = _mm256_setr_epi32(0, 1, 2, 4, 5, 6, 3, 7);

    __m256i bad = _mm256_setzero_si256();
    size_t i = 0;
    uint8_t *dst = out;
    for (; len - i > 32; i += 32, dst += 24) {
        const __m256i c = _mm256_loadu_si256((const __m256i *)(in + i));
        const __m256i column = _mm256_and_si256(c, low_half);
        const __m256i row = _mm256_and_si256(_mm256_srli_epi16(c, 4), low_half);
        bad = _mm256_or_si256(bad, _mm256_and_si256(_mm256_shuffle_epi8(foreign_rows, column),
                                                    _mm256_shuffle_epi8(row_bit, row)));
        const __m256i value_row = _mm256_add_epi8(row, _mm256_cmpeq_epi8(c, slash));
        const __m256i v = _mm256_add_epi8(c, _mm256_shuffle_epi8(to_value, value_row));
        const __m256i quads = _mm256_madd_epi16(_mm256_maddubs_epi16(v, join_pairs), join_quads);
        // 24 bytes and 8 zeros, which the next block overwrites or the slack takes.
        const __m256i bytes =
            _mm256_permutevar8x32_epi32(_mm256_shuffle_epi8(quads, big_endian), close_gap);
        _mm256_storeu_si256((__m256i *)dst, bytes);
    }
    const ptrdiff_t rest = base64_decode_c(dst, in + i, len - i);
    if (rest < 0 || !_mm256_testz_si256(bad, bad))
        return -1;
    return dst - out + rest;
}

size_t base64_encode_avx2(uint8_t *out, const uint8_t *in, size_t n)
{
    if (n == 0)
        return 0; // in may be NULL
    // A triple a b c becomes b a c b: then every six bits lie within one 16-bit half.
    const __m256i spread = twice(_mm_setr_epi8(1, 0, 2, 1, 4, 3, 5, 4, 7, 6, 8, 7, 10, 9, 11, 10));
    const __m256i take_02 = _mm256_set1_epi32(0x0fc0fc00), shift_02 = _mm256_set1_epi32(0x04000040);
    const __m256i take_13 = _mm256_set1_epi32(0x003f03f0), shift_13 = _mm256_set1_epi32(0x01000010);
    // Values 0..25 use slot 13, 26..51 slot 0, and each of the last twelve its own, 1 to 12.
    const __m256i to_character =
        twice(_mm_setr_epi8('a' - 26, '0' - 52, '0' - 52, '0' - 52, '0' - 52, '0' - 52, '0' - 52,
                            '0' - 52, '0' - 52, '0' - 52, '0' - 52, '+' - 62, '/' - 63, 'A', 0, 0));

    size_t i = 0;
    uint8_t *dst = out;
    for (; n - i >= 28; i += 24, dst += 32) { // the second load reads up to byte 28
        const __m128i first = _mm_loadu_si128((const __m128i *)(in + i));
        const __m128i second = _mm_loadu_si128((const __m128i *)(in + i + 12));
        const __m256i bytes = _mm256_shuffle_epi8(_mm256_set_m128i(second, first), spread);
        const __m256i v02 = _mm256_mulhi_epu16(_mm256_and_si256(bytes, take_02), shift_02);
        const __m256i v13 = _mm256_mullo_epi16(_mm256_and_si256(bytes, take_13), shift_13);
        const __m256i v = _mm256_or_si256(v02, v13);
        const __m256i beyond_51 = _mm256_subs_epu8(v, _mm256_set1_epi8(51));
        const __m256i upper = _mm256_cmpgt_epi8(_mm256_set1_epi8(26), v);
        const __m256i range =
            _mm256_or_si256(beyond_51, _mm256_and_si256(upper, _mm256_set1_epi8(13)));
        _mm256_storeu_si256((__m256i *)dst,
                            _mm256_add_epi8(v, _mm256_shuffle_epi8(to_character, range)));
    }
    return (size_t)(dst - out) + base64_encode_c(dst, in + i, n - i);
}
