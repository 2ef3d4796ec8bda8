/* SPDX-License-Identifier: MPL-2.0 */
#include "base/buf.h"

#include "base/secret.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BUF_FIRST_BYTES = 64 };

/*
 * Every block has one byte more than cap says: vsnprintf ends its text with a NUL even where the
 * text itself just reaches the ceiling.
 */
static size_t block_bytes(size_t cap)
{
    return cap < SIZE_MAX ? cap + 1 : cap;
}

/* @return new memory of cap bytes with the contents in it, the old block being given back; or NULL.
 */
static uint8_t *move_block(struct buf *b, size_t cap)
{
    if (!b->secret)
        return realloc(b->data, block_bytes(cap));
    uint8_t *block = malloc(block_bytes(cap)); // realloc would leave an unwiped copy behind
    if (!block)
        return NULL;
    if (b->data)
        memcpy(block, b->data, b->len);
    secret_wipe(b->data, b->cap);
    free(b->data);
    return block;
}

int buf_reserve(struct buf *b, size_t extra, struct err *err)
{
    if (LIKELY(extra <= b->cap - b->len))
        return 0;
    if (extra > b->max - b->len)
        return err_set(err, E_NOMEM, 0, "more than %zu bytes", b->max);
    const size_t need = b->len + extra;
    // At least twice as much as before, so that many small steps stay cheap; but a first large
    // reservation is taken at its word.
    size_t cap = b->cap > b->max / 2 ? b->max : b->cap * 2;
    if (cap < BUF_FIRST_BYTES)
        cap = BUF_FIRST_BYTES;
    if (cap < need)
        cap = need;
    if (cap > b->max)
        cap = b->max;
    uint8_t *block = move_block(b, cap);
    if (!block)
        return err_set(err, E_NOMEM, 0, "no memory for %zu bytes", cap);
    b->data = block;
    b->cap = cap;
    return 0;
}

int buf_append(struct buf *b, const void *bytes, size_t len, struct err *err)
{
    const int r = buf_reserve(b, len, err);
    if (UNLIKELY(r < 0))
        return r;
    if (len > 0)
        memcpy(b->data + b->len, bytes, len);
    b->len += len;
    return 0;
}

int buf_append_str(struct buf *b, const char *s, struct err *err)
{
    return buf_append(b, s, strlen(s), err);
}

int buf_append_byte(struct buf *b, uint8_t byte, struct err *err)
{
    return buf_append(b, &byte, 1, err);
}

int buf_printf(struct buf *b, struct err *err, const char *fmt, ...)
{
    for (;;) {
        const size_t room = b->cap - b->len;
        va_list args;
        va_start(args, fmt);
        const int len = b->data ? vsnprintf((char *)b->data + b->len, room + 1, fmt, args)
                                : vsnprintf(NULL, 0, fmt, args);
        va_end(args);
        if (len < 0)
            return err_set(err, E_ARG, errno, "cannot format \"%s\"", fmt);
        if (len == 0 || (b->data && (size_t)len <= room)) {
            b->len += (size_t)len;
            return 0;
        }
        const int r = buf_reserve(b, (size_t)len, err);
        if (r < 0)
            return r;
    }
}

void buf_clear(struct buf *b)
{
    if (b->secret)
        secret_wipe(b->data, b->len);
    b->len = 0;
}

void buf_deinit(struct buf *b)
{
    if (b->secret)
        secret_wipe(b->data, b->cap);
    free(b->data);
    *b = (struct buf){.max = b->max, .secret = b->secret};
}
