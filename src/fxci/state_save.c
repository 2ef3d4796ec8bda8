/* SPDX-License-Identifier: MPL-2.0 */
#include "base/log.h"
#include "base/retry.h"
#include "fxci/state_sync.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { COPY_BYTES = 256 * 1024 };

/* Other runs hold an object for as long as one read and one write take. */
static const struct retry_policy conflicts = {
    .max_retries = 40, .first_wait_ms = 10, .multiplier = 1.6, .max_wait_ms = 2000, .jitter = 0.5};

struct changes {
    bool adds, removes, others;
};

static struct changes changes_of(const struct state_object *o)
{
    struct changes c = {.others = o->unreadable};
    for (size_t i = 0; i < o->n; i++) {
        const struct state_item *item = o->items[i];
        c.removes |= item->removed && item->stored;
        c.adds |= !item->removed && !item->stored;
        c.others |= !item->removed && item->stored && item->n_more > 0;
    }
    return c;
}

void state_aside_key(char key[STATE_ASIDE_BYTES], const struct state *s, enum state_place place)
{
    // FNV-1a of the version: the same bytes always go to the same place.
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (const char *p = s->objects[place].version; *p; p++)
        hash = (hash ^ (uint8_t)*p) * UINT64_C(0x100000001b3);
    (void)snprintf(key, STATE_ASIDE_BYTES, "%s.unreadable-%016llx", state_places[place].key,
                   (unsigned long long)hash);
}

static int copy_all(struct source from, struct store_writer *to, struct err *err)
{
    CLEANUP(buf_deinit) struct buf part = BUF_INIT(COPY_BYTES);
    int r = buf_reserve(&part, COPY_BYTES, err);
    ssize_t n = 0;
    while (r == 0 && (n = from.read(from.arg, part.data, COPY_BYTES, err)) > 0)
        r = store_writer_write(to, part.data, (size_t)n, err);
    return r < 0 ? r : (int)n;
}

/* @return 0, STORE_CONFLICT: it is another object now; or E_*. */
static int move_aside(struct state *s, enum state_place place, struct err *err)
{
    const struct state_object *o = &s->objects[place];
    CLEANUP(store_reader_closep) struct store_reader *reader = NULL;
    CLEANUP(store_writer_abandonp) struct store_writer *writer = NULL;
    char aside[STATE_ASIDE_BYTES];
    state_aside_key(aside, s, place);
    int r = store_get(&reader, s->store, state_places[place].key, 0, STORE_TO_END, err);
    if (r == E_ABSENT)
        return STORE_CONFLICT;
    if (r == 0 && strcmp(store_reader_object(reader)->version, o->version) != 0)
        return STORE_CONFLICT;
    if (r == 0)
        r = store_put_begin(&writer, s->store, aside, NULL, err);
    if (r == 0)
        r = copy_all(store_reader_source(reader), writer, err);
    if (r < 0)
        return r;
    struct store_writer *const whole = writer;
    writer = NULL;
    return store_writer_commit(whole, NULL, err);
}

/* @return 0, or E_NOMEM: also where the object would become too large to be read again. */
static int put_item(const struct state *s, const struct state_item *item, struct buf *out,
                    struct err *err)
{
    int r = buf_append_str(out, out->len > 1 ? ",\n" : "", err);
    if (r == 0)
        r = state_write_entry(s, out, &item->e, err);
    if (r == 0 && out->len >= STATE_MAX_OBJECT_BYTES - STATE_SLACK)
        r = err_set(err, E_NOMEM, 0,
                    "it would be larger than %d MiB: look at it with `fxci-etl failed list`, then "
                    "use `failed retry` or `failed drop`",
                    STATE_MAX_OBJECT_BYTES >> 20);
    return r;
}

static int write_text(struct state *s, enum state_place place, bool with_removals, struct buf *out,
                      struct err *err)
{
    const struct state_object *o = &s->objects[place];
    if (o->n > 0) // its own order means nothing
        qsort(o->items, o->n, sizeof *o->items, state_item_order);
    int r = buf_append_byte(out, '[', err);
    for (size_t i = 0; i < o->n && r == 0; i++)
        if (!o->items[i]->removed || (o->items[i]->stored && !with_removals))
            r = put_item(s, o->items[i], out, err);
    return r == 0 ? buf_append_str(out, "]\n", err) : r;
}

/* What was written is what is stored now. */
static void settle(struct state *s, struct state_object *o, bool with_removals)
{
    size_t kept = 0;
    for (size_t i = 0; i < o->n; i++) {
        struct state_item *item = o->items[i];
        if (item->removed && (with_removals || !item->stored)) {
            state_item_bury(s, item);
            continue;
        }
        item->stored = true;
        item->stored_attempts = item->e.attempts;
        item->n_more = 0;
        o->items[kept++] = item;
    }
    o->n = kept;
    state_free_dead(s);
}

/* @return 0, STORE_CONFLICT: somebody else was faster; or E_*. */
static int try_write(struct state *s, enum state_place place, bool with_removals, struct err *err)
{
    struct state_object *o = &s->objects[place];
    CLEANUP(buf_deinit) struct buf text = BUF_INIT(2 * (size_t)STATE_MAX_OBJECT_BYTES);
    struct store_object written;
    int r = write_text(s, place, with_removals, &text, err);
    if (r == 0 && o->unreadable)
        r = move_aside(s, place, err);
    if (r != 0)
        return r;
    const struct store_put_options options = {.if_absent = !o->exists,
                                              .if_version = o->exists ? o->version : NULL};
    o->known = false; // where it fails, nobody knows what is there
    r = store_put(s->store, state_places[place].key, buf_span(&text), &options, &written, err);
    if (r != 0)
        return r;
    o->known = o->exists = true;
    o->unreadable = false;
    memcpy(o->version, written.version, sizeof o->version);
    settle(s, o, with_removals);
    return 0;
}

static int save_object(struct state *s, enum state_place place, bool with_removals, struct err *err)
{
    const char *const key = state_places[place].key;
    struct retry retry;
    uint64_t wait_ms;
    retry_init(&retry, &conflicts, retry_now_ms(), (uint64_t)getpid() ^ retry_now_ms());
    for (;;) {
        int r = s->objects[place].known ? 0 : state_read_object(s, place, err);
        if (r == 0)
            r = try_write(s, place, with_removals, err);
        if (r < 0)
            return err_wrap(err, r, "%s/%s", store_name(s->store), key);
        if (r != STORE_CONFLICT)
            return 0;
        s->objects[place].known = false;
        if (!retry_next(&retry, retry_now_ms(), 0, &wait_ms))
            return err_set(err, E_AGAIN, 0, "%s/%s is written by others all the time",
                           store_name(s->store), key);
        log_debug("%s was changed meanwhile: merging", key);
        retry_sleep_ms(wait_ms);
    }
}

static bool others_add(const struct state *s, unsigned from)
{
    for (unsigned i = from; i < STATE_N_PLACES; i++)
        if (changes_of(&s->objects[i]).adds)
            return true;
    return false;
}

/*
 * Entries move between objects: where a run is killed on the way, they are in both, never in none.
 * So all that is added is written first, and what is taken out with the last of it or after it.
 */
int state_save(struct state *s, struct err *err)
{
    int r = 0;
    for (unsigned i = 0; i < STATE_N_PLACES && r == 0; i++)
        if (changes_of(&s->objects[i]).adds)
            r = save_object(s, (enum state_place)i, !others_add(s, i + 1), err);
    for (unsigned i = 0; i < STATE_N_PLACES && r == 0; i++) {
        const struct changes c = changes_of(&s->objects[i]);
        if (c.adds || c.removes || c.others)
            r = save_object(s, (enum state_place)i, true, err);
    }
    return r;
}
