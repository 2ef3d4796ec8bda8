/* SPDX-License-Identifier: MPL-2.0 */
#include "base/utf8.h"

size_t utf8_length(const unsigned char *s, size_t len)
{
    static const uint32_t lowest[] = {0, 0, 0x80, 0x800, 0x10000}; // by length: no overlong forms
    if (s[0] < 0x80)
        return 1;
    const size_t n = s[0] >= 0xc2 && s[0] < 0xe0   ? 2
                     : s[0] >= 0xe0 && s[0] < 0xf0 ? 3
                     : s[0] >= 0xf0 && s[0] < 0xf5 ? 4
                                                   : 0;
    if (n == 0 || n > len)
        return 0;
    uint32_t c = s[0] & (0xffu >> (n + 1));
    for (size_t i = 1; i < n; i++) {
        if ((s[i] & 0xc0) != 0x80)
            return 0;
        c = c << 6 | (s[i] & 0x3fu);
    }
    const bool is_surrogate = c >= 0xd800 && c < 0xe000;
    return c < lowest[n] || c > 0x10ffff || is_surrogate ? 0 : n;
}

bool utf8_is_valid(struct span text)
{
    for (size_t i = 0, n; i < text.len; i += n) {
        n = utf8_length(text.ptr + i, text.len - i);
        if (n == 0)
            return false;
    }
    return true;
}
