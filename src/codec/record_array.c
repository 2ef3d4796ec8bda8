/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Arrays of numbers as payloads. What a client has to say stands in these bits, so reading them
 * must not depend on them: a wrong entry is noted and the reading goes on; only a text that is
 * refused anyway is searched for the first culprit.
 */
#include "codec/json.h"

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

/* Plain digits, no leading zero, below limit. @return behind them, or NULL. */
static const uint8_t *read_uint(const uint8_t *p, const uint8_t *end, uint64_t limit, uint64_t *v)
{
    const uint8_t *const first = p;
    *v = 0;
    for (; p < end && is_digit(*p); p++) {
        if (__builtin_mul_overflow(*v, 10, v) ||
            __builtin_add_overflow(*v, (uint64_t)(*p - '0'), v))
            return NULL;
    }
    if (p == first || (*first == '0' && p > first + 1) || *v >= limit)
        return NULL;
    return p;
}

/* As uint_array_parse; out may be NULL. */
static bool read_array(uint64_t *out, size_t n, uint64_t limit, struct span text, size_t *bad_index)
{
    const uint8_t *const end = span_end(text), *p = json_skip_space(text.ptr, end);
    *bad_index = SIZE_MAX;
    if (p == end || *p != '[')
        return false;
    p = json_skip_space(p + 1, end);
    size_t i = 0;
    const bool empty = p < end && *p == ']';
    for (bool more = !empty; more; i++) {
        p = json_skip_space(p, end);
        uint64_t v;
        *bad_index = i;
        if (i == n || !(p = read_uint(p, end, limit, &v)))
            return false;
        if (out)
            out[i] = v;
        p = json_skip_space(p, end);
        if (p == end || (*p != ',' && *p != ']'))
            return false;
        more = *p == ',';
        p += more;
    }
    *bad_index = SIZE_MAX;
    if (json_skip_space(p + 1, end) != end)
        return false;
    *bad_index = n;
    return i == n;
}

int uint_array_parse(uint64_t *out, size_t n, uint64_t limit, struct span text, size_t *bad_index)
{
    return read_array(out, n, limit, text, bad_index);
}

/* Bits of '0' and '1' are equal but for the last. */
static inline uint8_t not_a_bit(uint8_t c)
{
    return (c ^ '0') & 0xfe;
}

/* n entries, each `stride` bytes behind the one before: "[0,1]" has 2, "[0, 1]" has 3. */
static inline bool read_even_bits(uint8_t *out, size_t n, const uint8_t *text, size_t stride)
{
    const size_t last = n - 1;
    uint8_t bad = (uint8_t)(text[0] ^ '[') | (uint8_t)(text[stride * last + 2] ^ ']');
    for (size_t i = 0; i < last; i++) {
        const uint8_t *const entry = text + 1 + stride * i;
        bad |= not_a_bit(entry[0]) | (uint8_t)(entry[1] ^ ',');
        if (stride == 3)
            bad |= entry[2] ^ ' ';
        out[i] = entry[0] & 1;
    }
    bad |= not_a_bit(text[stride * last + 1]);
    out[last] = text[stride * last + 1] & 1;
    return bad == 0;
}

/* White space anywhere: its places decide the path taken, the entries do not. */
static bool read_spaced_bits(uint8_t *out, size_t n, struct span text)
{
    const uint8_t *const end = span_end(text), *p = json_skip_space(text.ptr, end);
    uint8_t bad = 0;
    if (p == end || *p++ != '[')
        return false;
    for (size_t i = 0; i < n; i++) {
        p = json_skip_space(p, end);
        if (p == end)
            return false;
        bad |= not_a_bit(*p);
        out[i] = *p & 1;
        p = json_skip_space(p + 1, end);
        if (p == end || *p != (i + 1 < n ? ',' : ']'))
            return false;
        p++;
    }
    return bad == 0 && json_skip_space(p, end) == end;
}

int bit_array_parse(uint8_t *out, size_t n, struct span text, size_t *bad_index)
{
    bool good;
    if (n == 0)
        return read_array(NULL, 0, 2, text, bad_index);
    if (text.len == 2 * n + 1)
        good = read_even_bits(out, n, text.ptr, 2);
    else if (text.len == 3 * n)
        good = read_even_bits(out, n, text.ptr, 3);
    else
        good = false;
    if (good || read_spaced_bits(out, n, text))
        return 1;
    (void)read_array(NULL, n, 2, text, bad_index); // it fails as well, and says where
    return 0;
}
