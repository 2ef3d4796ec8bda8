/* SPDX-License-Identifier: MPL-2.0 */
#include "net/http.h"

/* RFC 3986, 2.3. Not isalnum, which asks the locale. */
static bool is_unreserved(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

int http_escape(struct buf *out, struct span text, bool keep_slash, struct err *err)
{
    static const char digits[] = "0123456789ABCDEF"; // RFC 3986 and SigV4 want upper case
    const size_t before = out->len;
    for (size_t i = 0; i < text.len; i++) {
        const uint8_t c = text.ptr[i];
        const char coded[] = {'%', digits[c >> 4], digits[c & 15]};
        const bool plain = is_unreserved(c) || (keep_slash && c == '/');
        const int r =
            plain ? buf_append_byte(out, c, err) : buf_append(out, coded, sizeof coded, err);
        if (r < 0) {
            out->len = before;
            return r;
        }
    }
    return 0;
}
