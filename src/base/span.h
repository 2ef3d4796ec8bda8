/* span.h - borrowed bytes. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct span {
    const uint8_t *ptr; // may be NULL only when len is 0
    size_t len;
};

static inline struct span span_of(const void *ptr, size_t len)
{
    return (struct span){.ptr = (const uint8_t *)ptr, .len = len};
}

static inline struct span span_str(const char *s)
{
    return span_of(s, strlen(s));
}

/** Not constant-time: never for secrets (secret.h). */
static inline bool span_equal(struct span a, struct span b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

/** A NUL-terminated copy; owner: the caller. Bytes need no NUL behind them. NULL: no memory. */
static inline char *span_to_text(struct span s)
{
    char *text = malloc(s.len + 1);
    if (text) {
        if (s.len > 0)
            memcpy(text, s.ptr, s.len);
        text[s.len] = '\0';
    }
    return text;
}
