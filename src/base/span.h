/* span.h - borrowed bytes. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
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
