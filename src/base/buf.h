/* buf.h - owned bytes that grow up to a ceiling. */
#pragma once

#include "base/err.h"
#include "base/span.h"

#include <stdarg.h>

/*
 * len <= cap <= max. Growth is geometric and stops at max with E_NOMEM, so that no input can make a
 * process grow without bound. A buf marked `secret` wipes memory before giving it back (also the
 * old block of a growth).
 */
struct buf {
    uint8_t *data;
    size_t len, cap, max;
    bool secret;
};

#define BUF_INIT(max_bytes)        ((struct buf){.max = (max_bytes)})
#define BUF_INIT_SECRET(max_bytes) ((struct buf){.max = (max_bytes), .secret = true})

/** Make room for extra more bytes behind len. @return 0 or E_NOMEM (buf unchanged). */
MUST_CHECK int buf_reserve(struct buf *b, size_t extra, struct err *err);
/** Append len bytes from outside of b. @return 0 or E_NOMEM (buf unchanged), as for all below. */
MUST_CHECK int buf_append(struct buf *b, const void *bytes, size_t len, struct err *err);
MUST_CHECK int buf_append_str(struct buf *b, const char *s, struct err *err);
MUST_CHECK int buf_append_byte(struct buf *b, uint8_t byte, struct err *err);
MUST_CHECK int buf_printf(struct buf *b, struct err *err, const char *fmt, ...) PRINTF_LIKE(3, 4);

/** Forget the contents (wiping them where secret), keep the memory. */
void buf_clear(struct buf *b);
/** Free the memory; leaves an empty buf with the same ceiling. */
void buf_deinit(struct buf *b);

static inline struct span buf_span(const struct buf *b)
{
    return (struct span){b->data, b->len};
}
