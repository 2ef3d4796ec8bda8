/* SPDX-License-Identifier: MPL-2.0 */
#include "broker/window.h"

#include "codec/ndjson.h"

#include <stdlib.h>
#include <string.h>

enum { BLOCK_BYTES = 1 << 20 };

struct window_block {
    struct window_block *next;
    size_t cap, used;
    uint64_t last_tag;
    uint8_t bytes[];
};

/* A block of its own for what is longer than most. */
static struct window_block *new_block(struct window *w, size_t len)
{
    struct window_block *block = w->spare;
    if (len <= BLOCK_BYTES && block) {
        w->spare = block->next;
    } else {
        const size_t cap = len <= BLOCK_BYTES ? BLOCK_BYTES : len;
        block = malloc(sizeof *block + cap);
        if (!block)
            return NULL;
        block->cap = cap;
    }
    block->next = NULL;
    block->used = 0;
    if (w->newest)
        w->newest->next = block;
    else
        w->oldest = block;
    w->newest = block;
    return block;
}

int window_take(struct window *w, uint64_t tag, size_t len, uint8_t **out, struct err *err)
{
    if (len > SIZE_MAX / 2)
        return err_set(err, E_NOMEM, 0, "a message of %zu bytes", len);
    const size_t want = len + NDJSON_SLACK;
    struct window_block *block = w->newest;
    if (!block || block->cap - block->used < want)
        block = new_block(w, want);
    if (!block)
        return err_set(err, E_NOMEM, 0, "no memory for a message of %zu bytes", len);
    *out = block->bytes + block->used;
    memset(*out + len, 0, NDJSON_SLACK);
    block->used += want;
    block->last_tag = tag;
    w->n_used += want;
    return 0;
}

static void release_oldest(struct window *w)
{
    struct window_block *block = w->oldest;
    w->oldest = block->next;
    if (!w->oldest)
        w->newest = NULL;
    w->n_used -= block->used;
    if (block->cap == BLOCK_BYTES) {
        block->next = w->spare;
        w->spare = block;
    } else {
        free(block);
    }
}

void window_release(struct window *w, uint64_t tag)
{
    while (w->oldest && w->oldest->last_tag <= tag)
        release_oldest(w);
}

void window_release_all(struct window *w)
{
    window_release(w, UINT64_MAX);
}

void window_deinit(struct window *w)
{
    window_release_all(w);
    while (w->spare) {
        struct window_block *block = w->spare;
        w->spare = block->next;
        free(block);
    }
}
