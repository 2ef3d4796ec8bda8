/* SPDX-License-Identifier: MPL-2.0 */
#include "codec/avro_internal.h"

#include <stddef.h>

enum { BLOCK_BYTES = 64 << 10, ALIGNMENT = sizeof(max_align_t) };

static size_t round_up(size_t n)
{
    return (n + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

static uint8_t *bytes_of(struct arena_block *b)
{
    return (uint8_t *)b + round_up(sizeof *b);
}

static struct arena_block *new_block(size_t size)
{
    struct arena_block *b = malloc(round_up(sizeof *b) + size);
    if (b)
        *b = (struct arena_block){.size = size};
    return b;
}

/* The next block that is large enough; smaller ones on the way are left out until the reset. */
static bool advance(struct arena *a, size_t size)
{
    struct arena_block *last = a->current;
    while (last && last->next) {
        last = last->next;
        if (last->size >= size) {
            a->current = last;
            a->used = 0;
            return true;
        }
    }
    struct arena_block *b = new_block(size > BLOCK_BYTES ? size : BLOCK_BYTES);
    if (!b)
        return false;
    if (last)
        last->next = b;
    else
        a->first = b;
    a->current = b;
    a->used = 0;
    return true;
}

void *arena_alloc(struct arena *a, size_t size)
{
    if (size > SIZE_MAX / 2)
        return NULL;
    size = round_up(size > 0 ? size : 1);
    if ((!a->current || a->current->size - a->used < size) && !advance(a, size))
        return NULL;
    void *p = bytes_of(a->current) + a->used;
    a->used += size;
    return memset(p, 0, size);
}

void arena_reset(struct arena *a)
{
    a->current = a->first;
    a->used = 0;
}

void arena_deinit(struct arena *a)
{
    for (struct arena_block *b = a->first; b;) {
        struct arena_block *next = b->next;
        free(b);
        b = next;
    }
    *a = (struct arena){0};
}
