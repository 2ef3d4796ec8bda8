/* SPDX-License-Identifier: MPL-2.0 */
/* Reading objects, and laying what was changed here over what is there now. */
#include "base/log.h"
#include "fxci/state_sync.h"

#include <stdlib.h>

static int get_text(struct state *s, enum state_place place, struct buf *text, struct err *err)
{
    struct state_object *o = &s->objects[place];
    CLEANUP(store_reader_closep) struct store_reader *reader = NULL;
    o->exists = o->unreadable = false;
    int r = store_get(&reader, s->store, state_places[place].key, 0, STORE_TO_END, err);
    if (r == E_ABSENT)
        return 0;
    if (r < 0)
        return r;
    const struct store_object *object = store_reader_object(reader);
    o->exists = true;
    memcpy(o->version, object->version, sizeof o->version);
    o->unreadable = object->size > STATE_MAX_OBJECT_BYTES;
    if (o->unreadable)
        return 0;
    r = buf_reserve(text, (size_t)object->size + STATE_SLACK, err);
    return r == 0 ? source_read_all(store_reader_source(reader), text, err) : r;
}

/* What is stored stands; what was added here since comes on top. */
static int rebase_item(struct state_item *item, const struct state_entry *e, struct err *err)
{
    if (item->seen)
        return 0; // twice in one object
    item->stored = item->seen = true;
    item->e.first_seen_us = e->first_seen_us;
    item->stored_attempts = e->attempts;
    item->e.attempts = e->attempts + item->n_more;
    item->e.foreign = e->foreign;
    if (e->expires_us != INT64_MIN)
        item->e.expires_us = e->expires_us;
    return item->n_more > 0 ? 0 : state_item_set_reason(item, e->reason, err);
}

static int take_element(struct state *s, enum state_place place, struct span element,
                        struct buf *scratch, struct err *err)
{
    struct state_entry e;
    struct state_key key;
    int r = state_read_entry(s, place, element, &e, scratch, err);
    if (r == 0)
        r = state_key_of(s, &key, &e, err);
    if (r < 0)
        return r;
    struct state_item *item = state_table_get(&s->table, &key);
    if (item)
        return rebase_item(item, &e, err);
    r = state_item_add(s, &item, place, &e, &key, err);
    if (r < 0)
        return r;
    item->stored = item->seen = true;
    item->stored_attempts = e.attempts;
    return 0;
}

/*
 * Somebody else took it out. What failed here since, or never was there, is added again: a failure
 * too many is tried once more, one too few is lost.
 */
static bool outlives(struct state_item *item)
{
    const bool is_new = !item->stored;
    item->stored = false;
    if (is_new)
        return true;
    return !item->removed && item->n_more > 0 && item->e.kind != STATE_PENDING_ID;
}

static void drop_unseen(struct state *s, struct state_object *o)
{
    size_t kept = 0;
    for (size_t i = 0; i < o->n; i++) {
        if (o->items[i]->seen || outlives(o->items[i]))
            o->items[kept++] = o->items[i];
        else
            state_item_bury(s, o->items[i]);
    }
    o->n = kept;
}

static int take_text(struct state *s, enum state_place place, struct span text, struct err *err)
{
    struct state_object *o = &s->objects[place];
    CLEANUP(buf_deinit) struct buf scratch = BUF_INIT(3 * (size_t)STATE_MAX_OBJECT_BYTES);
    struct span *elements = NULL;
    size_t n = 0;
    int r = o->exists && !o->unreadable ? state_split(s, text, &elements, &n, err) : 1;
    if (r < 0)
        return r;
    o->unreadable |= r == 0;
    for (size_t i = 0; i < o->n; i++)
        o->items[i]->seen = false;
    r = 0;
    for (size_t i = 0; i < n && r == 0; i++)
        r = take_element(s, place, elements[i], &scratch, err);
    free(elements);
    if (r == 0)
        drop_unseen(s, o);
    return r;
}

int state_read_object(struct state *s, enum state_place place, struct err *err)
{
    CLEANUP(buf_deinit) struct buf text = BUF_INIT(STATE_MAX_OBJECT_BYTES + 2 * STATE_SLACK);
    s->objects[place].known = false;
    int r = get_text(s, place, &text, err);
    if (r == 0)
        r = take_text(s, place, buf_span(&text), err);
    s->objects[place].known = r == 0;
    state_free_dead(s);
    return r;
}

/* An id that moved to the definitions and was not taken out here: the run was killed in between. */
static int repair_pending(struct state *s, struct err *err)
{
    const struct state_object *definitions = &s->objects[PLACE_DEFINITIONS];
    CLEANUP(buf_deinit) struct buf scratch = BUF_INIT(STATE_MAX_OBJECT_BYTES);
    for (size_t i = 0; i < definitions->n; i++) {
        const struct state_item *item = definitions->items[i];
        struct span task_id = {0};
        int r = 0;
        if (!item->removed && !item->e.foreign)
            r = state_body_task(s, item->e.body, &task_id, &scratch, err);
        if (r == 1)
            r = state_have(s, task_id, err);
        if (r < 0)
            return r;
    }
    return 0;
}

static void warn_unreadable(const struct state *s, enum state_place place)
{
    char aside[STATE_ASIDE_BYTES];
    state_aside_key(aside, s, place);
    log_warning("%s/%s is no list of entries: it counts as empty, and will be moved to %s",
                store_name(s->store), state_places[place].key, aside);
}

int state_load(struct state *s, struct err *err)
{
    for (unsigned i = 0; i < STATE_N_PLACES; i++) {
        const int r = state_read_object(s, (enum state_place)i, err);
        if (r < 0)
            return err_wrap(err, r, "%s/%s", store_name(s->store), state_places[i].key);
        if (s->objects[i].unreadable)
            warn_unreadable(s, (enum state_place)i);
    }
    return repair_pending(s, err);
}
