/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The memory of a pass is this table: a batch may have a hundred million records, and prio-v1.md
 * 16.9 gives 48 bytes to each in verify1 and 128 in the other passes. So: open addressing with
 * linear probing, no pointers, no stored hash beside the key, and slots that are between 71 and
 * 80 percent full.
 *
 * One array that grows by an eighth would hold its old and its new copy at the same time. Here the
 * digest picks one of 256 segments and only that one grows. The segments start at different
 * sizes, so that they grow one after another instead of all in the same moment; blocks are then
 * freed in about the order in which they were allocated, which lets the allocator join and reuse
 * them.
 */
#include "stage/table.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_CAP = 16, MAX_CAP = 1u << 30 };

static const uint8_t empty_key[DIGEST_BYTES];

void table_init(struct table *t, size_t value_bytes)
{
    memset(t, 0, sizeof *t);
    t->value_bytes = value_bytes;
}

void table_deinit(struct table *t)
{
    for (size_t s = 0; s < TABLE_SEGMENTS; s++)
        free(t->segments[s].slots);
    table_init(t, t->value_bytes);
}

/* The first byte chose the segment; the next four choose the slot. */
static size_t home_slot(const uint8_t *key, uint32_t cap)
{
    uint32_t h;
    memcpy(&h, key + 1, sizeof h);
    return (size_t)(((uint64_t)h * cap) >> 32);
}

/* The slot that holds key, or the empty one where it would go. There is always an empty slot. */
static uint8_t *probe(const struct table_segment *s, size_t slot_bytes, const uint8_t *key)
{
    size_t i = home_slot(key, s->cap);
    for (;;) {
        uint8_t *slot = s->slots + i * slot_bytes;
        if (memcmp(slot, key, DIGEST_BYTES) == 0 || memcmp(slot, empty_key, DIGEST_BYTES) == 0)
            return slot;
        i = i + 1 == s->cap ? 0 : i + 1;
    }
}

static int grow(struct table_segment *s, size_t slot_bytes, size_t index, struct err *err)
{
    if (s->cap >= MAX_CAP)
        return err_set(err, E_NOMEM, 0, "more records than a table can hold");
    struct table_segment bigger = {.used = s->used};
    bigger.cap = s->cap > 0 ? s->cap + s->cap / 8 + 1 : FIRST_CAP + (uint32_t)index / 16;
    bigger.slots = calloc(bigger.cap, slot_bytes);
    if (!bigger.slots)
        return err_set(err, E_NOMEM, 0, "no memory for %zu bytes", bigger.cap * slot_bytes);
    for (uint32_t i = 0; i < s->cap; i++) {
        const uint8_t *old = s->slots + i * slot_bytes;
        if (memcmp(old, empty_key, DIGEST_BYTES) != 0)
            memcpy(probe(&bigger, slot_bytes, old), old, slot_bytes);
    }
    free(s->slots);
    *s = bigger;
    return 0;
}

int table_put(struct table *t, const struct digest *key, uint8_t **value, struct err *err)
{
    const size_t slot_bytes = DIGEST_BYTES + t->value_bytes;
    struct table_segment *s = &t->segments[key->bytes[0]];
    uint8_t *slot = s->cap > 0 ? probe(s, slot_bytes, key->bytes) : NULL;
    const bool found = slot && memcmp(slot, key->bytes, DIGEST_BYTES) == 0;
    if (!found) {
        if ((uint64_t)s->used * 5 >= (uint64_t)s->cap * 4) {
            const int r = grow(s, slot_bytes, key->bytes[0], err);
            if (r < 0)
                return r;
            slot = probe(s, slot_bytes, key->bytes);
        }
        memcpy(slot, key->bytes, DIGEST_BYTES);
        s->used++;
    }
    if (value)
        *value = slot + DIGEST_BYTES;
    return !found;
}

uint8_t *table_find(const struct table *t, const struct digest *key)
{
    const struct table_segment *s = &t->segments[key->bytes[0]];
    if (s->cap == 0)
        return NULL;
    uint8_t *slot = probe(s, DIGEST_BYTES + t->value_bytes, key->bytes);
    return memcmp(slot, key->bytes, DIGEST_BYTES) == 0 ? slot + DIGEST_BYTES : NULL;
}

uint64_t table_count(const struct table *t)
{
    uint64_t n = 0;
    for (size_t s = 0; s < TABLE_SEGMENTS; s++)
        n += t->segments[s].used;
    return n;
}

size_t table_bytes(const struct table *t)
{
    size_t n = 0;
    for (size_t s = 0; s < TABLE_SEGMENTS; s++)
        n += t->segments[s].cap * (DIGEST_BYTES + t->value_bytes);
    return n;
}
