/* SPDX-License-Identifier: MPL-2.0 */
#include "taar/guids.h"

#include "base/buf.h"

#include <jansson.h>
#include <stdlib.h>

enum { FIRST_SLOTS = 1024 };

static uint64_t hash(struct span text)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325); // FNV-1a, then mixed: its low bits are weak
    for (size_t i = 0; i < text.len; i++)
        h = (h ^ text.ptr[i]) * UINT64_C(0x100000001b3);
    h ^= h >> 32;
    h *= UINT64_C(0xd6e8feb86659fd93);
    return h ^ h >> 32;
}

/* The slot that has the text, or the free one where it belongs. n_slots is a power of two. */
static size_t slot_of(const struct guids *g, struct span text)
{
    size_t i = hash(text) & (g->n_slots - 1);
    while (g->slots[i] != 0 && !span_equal(g->list[g->slots[i] - 1], text))
        i = (i + 1) & (g->n_slots - 1);
    return i;
}

/* Half of the slots stay free. */
static int grow(struct guids *g, struct err *err)
{
    if (g->n < g->cap)
        return 0;
    const size_t n_slots = g->n_slots > 0 ? 2 * g->n_slots : FIRST_SLOTS;
    struct span *list = realloc(g->list, n_slots / 2 * sizeof *list);
    uint32_t *slots = calloc(n_slots, sizeof *slots);
    if (list)
        g->list = list;
    if (!list || !slots || g->n >= UINT32_MAX - 1) {
        free(slots);
        return err_set(err, E_NOMEM, 0, "no memory for a list of add-ons");
    }
    free(g->slots);
    g->slots = slots;
    g->n_slots = n_slots;
    g->cap = n_slots / 2;
    for (size_t i = 0; i < g->n; i++)
        g->slots[slot_of(g, g->list[i])] = (uint32_t)i + 1;
    return 0;
}

int guids_add(struct guids *g, struct span text, size_t *place, struct err *err)
{
    const int r = grow(g, err);
    if (r < 0)
        return r;
    const size_t slot = slot_of(g, text);
    const bool is_new = g->slots[slot] == 0;
    if (is_new) {
        g->list[g->n++] = text;
        g->slots[slot] = (uint32_t)g->n;
    }
    *place = g->slots[slot] - 1;
    return is_new;
}

size_t guids_find(const struct guids *g, struct span text)
{
    if (g->n_slots == 0)
        return SIZE_MAX;
    const uint32_t found = g->slots[slot_of(g, text)];
    return found == 0 ? SIZE_MAX : found - 1;
}

void guids_deinit(struct guids *g)
{
    free(g->list);
    free(g->slots);
    *g = (struct guids){0};
}

int append_json_text(struct buf *out, struct span text, struct err *err)
{
    json_t *json = json_stringn((const char *)text.ptr, text.len);
    char *spelled = json ? json_dumps(json, JSON_ENCODE_ANY | JSON_ENSURE_ASCII) : NULL;
    const int r = spelled ? buf_append_str(out, spelled, err)
                          : err_set(err, E_NOMEM, 0, "no memory for a guid");
    free(spelled);
    json_decref(json);
    return r;
}
