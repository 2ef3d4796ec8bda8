/* SPDX-License-Identifier: MPL-2.0 */
#include "fxci/state_internal.h"

#include <stdlib.h>

static struct state_item **collect(const struct state *s, unsigned kinds, size_t *n,
                                   struct err *err)
{
    size_t room = 1;
    for (unsigned i = 0; i < STATE_N_PLACES; i++)
        room += s->objects[i].n;
    struct state_item **list = calloc(room, sizeof(struct state_item *));
    *n = 0;
    if (!list) {
        (void)err_set(err, E_NOMEM, 0, "no memory for %zu entries", room);
        return NULL;
    }
    for (unsigned i = 0; i < STATE_N_PLACES; i++)
        for (size_t j = 0; kinds >> state_places[i].kind & 1 && j < s->objects[i].n; j++)
            if (!s->objects[i].items[j]->removed)
                list[(*n)++] = s->objects[i].items[j];
    return list;
}

struct state_entry state_shown(const struct state_item *item)
{
    struct state_entry e = item->e;
    if (e.kind == STATE_PENDING_ID && !e.foreign)
        e.reason = span_str(e.attempts == 0 ? "its definition was not asked for yet"
                                            : "its definition was asked for, and was not returned");
    return e;
}

static int walk(struct state *s, struct state_item *const *list, size_t n, bool foreign,
                state_fn *fn, void *arg, struct err *err)
{
    int r = 0;
    s->n_walks++;
    for (size_t i = 0; i < n && r == 0; i++) {
        if (list[i]->removed || (list[i]->e.foreign && !foreign))
            continue;
        const struct state_entry e = state_shown(list[i]);
        r = fn(arg, &e, err);
    }
    s->n_walks--;
    state_free_dead(s);
    return r;
}

int state_each(struct state *s, enum state_kind kind, state_fn *fn, void *arg, struct err *err)
{
    size_t n;
    struct state_item **list = collect(s, 1u << kind, &n, err);
    if (!list)
        return E_NOMEM;
    qsort(list, n, sizeof *list, state_item_order);
    const int r = walk(s, list, n, false, fn, arg, err);
    free(list);
    return r;
}

static int list_order(const void *a, const void *b)
{
    const struct state_item *x = *(struct state_item *const *)a;
    const struct state_item *y = *(struct state_item *const *)b;
    if (x->e.kind != y->e.kind)
        return x->e.kind < y->e.kind ? -1 : 1;
    if (x->e.first_seen_us != y->e.first_seen_us)
        return x->e.first_seen_us < y->e.first_seen_us ? -1 : 1;
    return strcmp(x->e.id, y->e.id);
}

int state_list(struct state *s, state_fn *fn, void *arg, struct err *err)
{
    size_t n;
    struct state_item **list = collect(s, (1u << STATE_N_KINDS) - 1, &n, err);
    if (!list)
        return E_NOMEM;
    qsort(list, n, sizeof *list, list_order);
    const int r = walk(s, list, n, true, fn, arg, err);
    free(list);
    return r;
}
