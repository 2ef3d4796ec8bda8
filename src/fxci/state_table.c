/* SPDX-License-Identifier: MPL-2.0 */
#include "fxci/state_internal.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_ROOM = 64 };

/* The first slot where the key may be; the others follow it, up to an empty one. */
static size_t home(const struct state_table *t, const struct state_key *key)
{
    size_t h;
    memcpy(&h, key->bytes, sizeof h);
    return h & (t->room - 1);
}

static size_t after(const struct state_table *t, size_t i)
{
    return (i + 1) & (t->room - 1);
}

static bool same_key(const struct state_key *a, const struct state_key *b)
{
    return memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

struct state_item *state_table_get(const struct state_table *t, const struct state_key *key)
{
    if (t->room == 0)
        return NULL;
    size_t i = home(t, key);
    while (t->slots[i] && !same_key(&t->slots[i]->key, key))
        i = after(t, i);
    return t->slots[i];
}

static void place_item(struct state_table *t, struct state_item *item)
{
    size_t i = home(t, &item->key);
    while (t->slots[i])
        i = after(t, i);
    t->slots[i] = item;
}

static int grow(struct state_table *t, struct err *err)
{
    struct state_table wider = {.n = t->n, .room = t->room > 0 ? t->room * 2 : FIRST_ROOM};
    wider.slots = calloc(wider.room, sizeof(struct state_item *));
    if (!wider.slots)
        return err_set(err, E_NOMEM, 0, "no memory for %zu entries", wider.room);
    for (size_t i = 0; i < t->room; i++)
        if (t->slots[i])
            place_item(&wider, t->slots[i]);
    free(t->slots);
    *t = wider;
    return 0;
}

int state_table_add(struct state_table *t, struct state_item *item, struct err *err)
{
    // At least a quarter stays empty, so that searches end soon.
    const int r = t->n >= t->room / 4 * 3 ? grow(t, err) : 0;
    if (r < 0)
        return r;
    place_item(t, item);
    t->n++;
    return 0;
}

void state_table_drop(struct state_table *t, const struct state_item *item)
{
    size_t hole = home(t, &item->key);
    while (t->slots[hole] != item)
        hole = after(t, hole);
    // Items behind the hole move up where it lies between their home and them.
    for (size_t i = after(t, hole); t->slots[i]; i = after(t, i)) {
        const size_t from_home = (i - home(t, &t->slots[i]->key)) & (t->room - 1);
        if (from_home < ((i - hole) & (t->room - 1)))
            continue;
        t->slots[hole] = t->slots[i];
        hole = i;
    }
    t->slots[hole] = NULL;
    t->n--;
}
