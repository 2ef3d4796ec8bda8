/* SPDX-License-Identifier: MPL-2.0 */
/* Keys pass through here: ranges are compared with arithmetic, without branches or tables. */
#include "codec/hex.h"

#include <string.h>

/* All ones where first <= c <= last, else 0. */
static unsigned within(unsigned c, unsigned first, unsigned last)
{
    return 0 - (((first - 1 - c) & (c - last - 1)) >> 31); // both differences negative
}

/* 0..15, or a value with bit 8 set. */
static unsigned digit_value(char digit)
{
    const unsigned c = (unsigned char)digit, lower = c | 0x20;
    const unsigned is_digit = within(c, '0', '9'), is_letter = within(lower, 'a', 'f');
    return (is_digit & (c - '0')) | (is_letter & (lower - 'a' + 10)) |
           (~(is_digit | is_letter) & 0x100);
}

static char digit_character(unsigned v)
{
    return (char)('0' + v + (within(v, 10, 15) & ('A' - '0' - 10)));
}

bool hex_decode(uint8_t *out, size_t n, const char *text, size_t text_len)
{
    unsigned bad = text_len != 2 * n;
    for (size_t i = 0; i < n && text_len == 2 * n; i++) {
        const unsigned high = digit_value(text[2 * i]), low = digit_value(text[2 * i + 1]);
        bad |= (high | low) & 0x100;
        out[i] = (uint8_t)(high << 4 | low);
    }
    if (bad)
        memset(out, 0, n);
    return !bad;
}

void hex_encode(char *out, const uint8_t *in, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        out[2 * i] = digit_character(in[i] >> 4);
        out[2 * i + 1] = digit_character(in[i] & 15);
    }
    out[2 * n] = '\0';
}
