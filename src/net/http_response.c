/* SPDX-License-Identifier: MPL-2.0 */
#include "base/utc.h"
#include "net/http_internal.h"

#include <string.h>
#include <strings.h>

enum { MAX_HEADER_BYTES = 64 << 10, MAX_BODY_BYTES = 8 << 20 };

void http_response_init(struct http_response *r)
{
    *r = (struct http_response){.body = BUF_INIT(MAX_BODY_BYTES),
                                .headers = BUF_INIT(MAX_HEADER_BYTES)};
}

void http_response_deinit(struct http_response *r)
{
    buf_deinit(&r->body);
    buf_deinit(&r->headers);
}

static bool is_space(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static struct span trim(struct span s)
{
    while (s.len > 0 && is_space(s.ptr[0])) {
        s.ptr++;
        s.len--;
    }
    while (s.len > 0 && is_space(s.ptr[s.len - 1]))
        s.len--;
    return s;
}

struct span http_response_header(const struct http_response *r, const char *name)
{
    const size_t name_len = strlen(name);
    struct span rest = buf_span(&r->headers);
    while (rest.len > 0) {
        const uint8_t *end = memchr(rest.ptr, '\n', rest.len);
        const size_t len = end ? (size_t)(end - rest.ptr) + 1 : rest.len;
        if (len > name_len && rest.ptr[name_len] == ':' &&
            strncasecmp((const char *)rest.ptr, name, name_len) == 0)
            return trim(span_of(rest.ptr + name_len + 1, len - name_len - 1));
        rest = span_of(rest.ptr + len, rest.len - len);
    }
    return (struct span){0};
}

/* @return false when the text is not a plain number; one too large for a uint32_t is cut. */
static bool read_seconds(struct span text, uint64_t *seconds)
{
    uint64_t n = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            return false;
        n = n * 10 + (text.ptr[i] - '0');
        n = n > UINT32_MAX ? UINT32_MAX : n;
    }
    *seconds = n;
    return text.len > 0;
}

uint64_t http_response_retry_after_ms(const struct http_response *response)
{
    const struct span text = http_response_header(response, "Retry-After");
    uint64_t seconds;
    if (read_seconds(text, &seconds))
        return seconds * 1000;
    char date[64];
    if (text.len == 0 || text.len >= sizeof date)
        return 0;
    memcpy(date, text.ptr, text.len);
    date[text.len] = '\0';
    const int64_t now_ms = utc_now_us() / 1000, last_s = now_ms / 1000 + UINT32_MAX;
    const int64_t at_s = (int64_t)curl_getdate(date, NULL); // of any year that fits
    const int64_t wait_ms = (at_s < last_s ? at_s : last_s) * 1000 - now_ms;
    return wait_ms > 0 ? (uint64_t)wait_ms : 0;
}
