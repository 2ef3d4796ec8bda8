/* SPDX-License-Identifier: MPL-2.0 */
#include "fxci/state_internal.h"

#include <stdlib.h>
#include <string.h>

static struct span copy(uint8_t **to, struct span text)
{
    if (text.len > 0)
        memcpy(*to, text.ptr, text.len);
    const struct span copied = span_of(*to, text.len);
    *to += text.len;
    return copied;
}

/* With bytes behind the body that whoever maps it may read. */
static struct state_item *new_item(const struct state_entry *e)
{
    const size_t n = e->exchange.len + e->routing_key.len + e->content_type.len + e->body.len;
    struct state_item *item = calloc(1, sizeof *item + n + STATE_SLACK);
    if (!item)
        return NULL;
    uint8_t *to = item->texts;
    item->e = *e;
    item->e.exchange = copy(&to, e->exchange);
    item->e.routing_key = copy(&to, e->routing_key);
    item->e.content_type = copy(&to, e->content_type);
    item->e.body = copy(&to, e->body);
    return item;
}

static int push(struct state_object *o, struct state_item *item, struct err *err)
{
    if (o->n == o->room) {
        const size_t room = o->room > 0 ? o->room * 2 : 64;
        struct state_item **items = realloc(o->items, room * sizeof *items);
        if (!items)
            return err_set(err, E_NOMEM, 0, "no memory for %zu entries", room);
        o->items = items;
        o->room = room;
    }
    o->items[o->n++] = item;
    return 0;
}

int state_item_set_reason(struct state_item *item, struct span reason, struct err *err)
{
    char *text = span_to_text(reason); // before the old one goes: reason may lie in it
    if (!text)
        return err_set(err, E_NOMEM, 0, "no memory for a reason");
    free(item->reason);
    item->reason = text;
    item->e.reason = span_of(text, reason.len);
    return 0;
}

int state_item_add(struct state *s, struct state_item **out, enum state_place place,
                   const struct state_entry *e, const struct state_key *key, struct err *err)
{
    struct state_item *item = new_item(e);
    if (!item)
        return err_set(err, E_NOMEM, 0, "no memory for an entry of %zu bytes", e->body.len);
    item->key = *key;
    item->place = place;
    item->seq = s->next_seq++;
    state_key_text(item->e.id, key);
    struct state_object *o = &s->objects[place];
    int r = state_item_set_reason(item, e->reason, err);
    if (r == 0)
        r = push(o, item, err);
    if (r == 0 && (r = state_table_add(&s->table, item, err)) < 0)
        o->n--;
    if (r < 0) {
        free(item->reason);
        free(item);
        return r;
    }
    *out = item;
    return 0;
}

void state_item_bury(struct state *s, struct state_item *item)
{
    state_table_drop(&s->table, item);
    item->removed = true;
    item->next_dead = s->dead;
    s->dead = item;
}

void state_free_dead(struct state *s)
{
    while (s->dead && s->n_walks == 0) {
        struct state_item *item = s->dead;
        s->dead = item->next_dead;
        free(item->reason);
        free(item);
    }
}

int state_item_order(const void *a, const void *b)
{
    const struct state_item *x = *(struct state_item *const *)a;
    const struct state_item *y = *(struct state_item *const *)b;
    if (x->e.first_seen_us != y->e.first_seen_us)
        return x->e.first_seen_us < y->e.first_seen_us ? -1 : 1;
    return (x->seq > y->seq) - (x->seq < y->seq);
}
