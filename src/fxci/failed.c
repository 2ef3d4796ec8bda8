/* SPDX-License-Identifier: MPL-2.0 */
#include "fxci/failed.h"

#include <stdlib.h>
#include <string.h>

void failed_entries_deinit(struct failed_entries *entries)
{
    free(entries->items);
    *entries = (struct failed_entries){0};
}

struct search {
    struct failed_entries *found;
    int kind;
};

static int add(struct failed_entries *found, const struct state_entry *e, struct err *err)
{
    if (found->n == found->room) {
        const size_t room = found->room > 0 ? found->room * 2 : 64;
        struct failed_item *items = realloc(found->items, room * sizeof *items);
        if (!items)
            return err_set(err, E_NOMEM, 0, "no memory for %zu entries", room);
        found->items = items;
        found->room = room;
    }
    struct failed_item *item = &found->items[found->n++];
    *item = (struct failed_item){
        .kind = e->kind, .foreign = e->foreign, .first_seen_us = e->first_seen_us};
    memcpy(item->id, e->id, sizeof item->id);
    return 0;
}

static int add_of_kind(void *arg, const struct state_entry *e, struct err *err)
{
    const struct search *search = arg;
    if (search->kind != FAILED_ANY_KIND && search->kind != (int)e->kind)
        return 0;
    return add(search->found, e, err);
}

static int by_list_order(const void *a, const void *b)
{
    const struct failed_item *x = a, *y = b;
    if (x->kind != y->kind)
        return x->kind < y->kind ? -1 : 1;
    if (x->first_seen_us != y->first_seen_us)
        return x->first_seen_us < y->first_seen_us ? -1 : 1;
    return strcmp(x->id, y->id);
}

/* One given twice is meant once. */
static void sort_out(struct failed_entries *found)
{
    size_t kept = 0;
    qsort(found->items, found->n, sizeof *found->items, by_list_order);
    for (size_t i = 0; i < found->n; i++)
        if (kept == 0 || strcmp(found->items[kept - 1].id, found->items[i].id) != 0)
            found->items[kept++] = found->items[i];
    found->n = kept;
}

static int add_ids(struct failed_entries *out, const struct state *s,
                   const struct failed_pick *pick, struct err *err)
{
    int r = 0;
    for (size_t i = 0; i < pick->n_ids && r == 0; i++) {
        struct state_entry e;
        const bool found = state_get(s, pick->ids[i], &e);
        if (!found || (pick->kind != FAILED_ANY_KIND && pick->kind != (int)e.kind))
            return err_set(err, E_ABSENT, 0, "no %s has the id %.80s; nothing was changed",
                           pick->kind == FAILED_ANY_KIND ? "entry" : state_kind_names[pick->kind],
                           pick->ids[i]);
        r = add(out, &e, err);
    }
    if (r == 0)
        sort_out(out);
    return r;
}

int failed_find(struct failed_entries *out, struct state *s, const struct failed_pick *pick,
                struct err *err)
{
    struct search search = {.found = out, .kind = pick->kind};
    *out = (struct failed_entries){0};
    const int r =
        pick->n_ids > 0 ? add_ids(out, s, pick, err) : state_list(s, add_of_kind, &search, err);
    if (r < 0)
        failed_entries_deinit(out);
    return r;
}

int failed_drop(struct state *s, const struct failed_entries *entries, struct err *err)
{
    int r = 0;
    for (size_t i = 0; i < entries->n && r == 0; i++)
        r = state_resolve(s, entries->items[i].id, err);
    return r == 0 ? state_save(s, err) : r;
}
