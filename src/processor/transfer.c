/* SPDX-License-Identifier: MPL-2.0 */
#include "processor/transfer.h"

#include "base/log.h"
#include "base/pool.h"
#include "processor/layout.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

enum { AT_ONCE = 8, COPY_BYTES = 256 << 10 };
static const char marker_name[] = "_SUCCESS";

/* One server's half. */
struct side {
    bool wanted;
    struct buf from, to; // folders, NUL-terminated; from ends in "/"
    struct place target;
    struct store_listing source, present; // what is to be there, what is
};

struct transfer {
    const struct transfer_options *options;
    struct transfer_result *result;
    struct side sides[N_SERVERS];
    struct store_object staged; // staging's marker as it was at the beginning
    struct progress progress;
    pthread_mutex_t lock; // of reports and the result
    /* The copies of a side. */
    struct side *copying;
    _Atomic size_t next;
    _Atomic bool failed;
};

const char *transfer_action_name(enum transfer_action action)
{
    static const char *const names[] = {"delete", "copy", "keep", "mark"};
    return names[action];
}

static void report(struct transfer *t, enum transfer_action action, const struct side *side,
                   const char *key)
{
    const struct transfer_options *o = t->options;
    if (o->report)
        o->report(o->report_arg, action, store_name(side->target.store), key);
}

static int staging_marker(struct transfer *t, struct store_object *object, struct err *err)
{
    CLEANUP(buf_deinit) struct buf key = PLACE_KEY_INIT;
    const struct place *input = &t->options->input;
    const char *marker = place_key(&key, input, marker_name, err);
    if (!marker)
        return E_NOMEM;
    const int r = store_stat(input->store, marker, object, err);
    object->key = NULL; // borrowed from the call
    if (r == E_ABSENT)
        return err_set(err, E_ABSENT, 0, "staging has not finished: %s has no %s",
                       store_name(input->store), marker);
    return r;
}

/* The key of a source object at its target. */
static const char *target_key(struct buf *key, const struct side *side, const char *source_key,
                              struct err *err)
{
    return place_key(key, &side->target, source_key + strlen((const char *)side->from.data), err);
}

/* Keep the data files of a listing; the rest is freed with it. */
static void keep_data(struct store_listing *l)
{
    size_t n = 0;
    for (size_t i = 0; i < l->n; i++)
        if (layout_is_data(l->objects[i].key))
            l->objects[n++] = l->objects[i];
    l->n = n;
}

static int list(struct store_listing *out, struct store *store, const char *prefix, struct err *err)
{
    const int r = store_list(store, prefix, out, err);
    return r == E_ABSENT ? 0 : r;
}

static int prepare_side(struct transfer *t, enum prio_role role, struct err *err)
{
    const struct transfer_options *o = t->options;
    struct side *side = &t->sides[role];
    char rest[64];
    side->from = side->to = PLACE_KEY_INIT;
    side->wanted = o->ingest.bucket[role] != NULL;
    if (!side->wanted)
        return 0;
    snprintf(rest, sizeof rest, "submission_date=%.10s/server_id=%c/", o->ingest.date,
             role == PRIO_SERVER_A ? 'a' : 'b');
    if (!place_key(&side->from, &o->input, rest, err))
        return E_NOMEM;
    int r = ingest_folder(&side->to, &o->ingest, role, err);
    if (r < 0)
        return r;
    side->target = (struct place){o->ingest.bucket[role], (const char *)side->to.data};
    r = list(&side->source, o->input.store, (const char *)side->from.data, err);
    keep_data(&side->source);
    if (r == 0 && side->source.n == 0)
        log_warning("nothing is staged below %s: the server's folder of this date becomes empty",
                    (const char *)side->from.data);
    return r;
}

/* Markers first: nobody may begin while data changes. */
static int unmark(struct transfer *t, struct side *side, struct err *err)
{
    CLEANUP(buf_deinit) struct buf key = PLACE_KEY_INIT;
    const char *marker = place_key(&key, &side->target, marker_name, err);
    struct store_object object;
    struct err unused;
    if (!marker)
        return E_NOMEM;
    if (store_stat(side->target.store, marker, &object, &unused) == 0)
        report(t, TRANSFER_DELETE, side, marker);
    return t->options->dry_run ? 0 : place_unmark(&side->target, marker_name, err);
}

static int by_key(const void *key, const void *object)
{
    return strcmp(key, ((const struct store_object *)object)->key);
}

static const struct store_object *find(const struct store_listing *l, const char *key)
{
    return l->n > 0 ? bsearch(key, l->objects, l->n, sizeof *l->objects, by_key) : NULL;
}

/* The source object that belongs at a target key, or NULL. */
static const struct store_object *source_of(const struct side *side, const char *key)
{
    CLEANUP(buf_deinit) struct buf text = PLACE_KEY_INIT;
    const char *rest = key + strlen(side->target.dir) + 1;
    // The folder's text carries its NUL.
    if (buf_append(&text, side->from.data, side->from.len - 1, NULL) != 0 ||
        buf_append(&text, rest, strlen(rest) + 1, NULL) != 0)
        return NULL;
    return find(&side->source, (const char *)text.data);
}

/* Delete what the date has at the target and the source lacks. */
static int delete_strangers(struct transfer *t, struct side *side, struct err *err)
{
    CLEANUP(buf_deinit) struct buf key = PLACE_KEY_INIT;
    const char *folder = place_key(&key, &side->target, "", err);
    int r = folder ? list(&side->present, side->target.store, folder, err) : E_NOMEM;
    if (r < 0)
        return r;
    const char **keys = calloc(side->present.n + 1, sizeof *keys);
    size_t n = 0;
    if (!keys)
        return err_set(err, E_NOMEM, 0, "no memory for %zu objects", side->present.n);
    for (size_t i = 0; i < side->present.n; i++) {
        const char *present = side->present.objects[i].key;
        const bool is_marker = strcmp(present + strlen(folder), marker_name) == 0;
        if (is_marker || source_of(side, present))
            continue;
        keys[n++] = present;
        report(t, TRANSFER_DELETE, side, present);
    }
    t->result->n_deleted += n;
    for (size_t i = 0; i < n && r == 0 && !t->options->dry_run; i += PLACE_DELETE_AT_ONCE)
        r = store_delete(side->target.store, keys + i,
                         n - i < PLACE_DELETE_AT_ONCE ? n - i : PLACE_DELETE_AT_ONCE, err);
    free(keys);
    return r;
}

/* Do both have the same contents, as far as listings tell? */
static bool is_there(const struct side *side, const struct store_object *source, const char *key)
{
    const struct store_object *present = find(&side->present, key);
    return present && present->size == source->size && source->content[0] != '\0' &&
           strcmp(present->content, source->content) == 0;
}

static int copy_bytes(struct transfer *t, struct store_reader *reader, struct store_writer *writer,
                      uint64_t *n_bytes, struct err *err)
{
    const struct source src = store_reader_source(reader);
    uint8_t *bytes = malloc(COPY_BYTES);
    if (!bytes)
        return err_set(err, E_NOMEM, 0, "no memory for a copy");
    ssize_t n;
    int r = 0;
    while (r == 0 && (n = src.read(src.arg, bytes, COPY_BYTES, err)) != 0) {
        r = n < 0 ? (int)n : store_writer_write(writer, bytes, (size_t)n, err);
        *n_bytes += n > 0 ? (uint64_t)n : 0;
        progress_add(&t->progress, 0, n > 0 ? (uint64_t)n : 0);
    }
    free(bytes);
    return r;
}

static int copy_object(struct transfer *t, const struct store_object *source, const char *key,
                       struct err *err)
{
    CLEANUP(store_reader_closep) struct store_reader *reader = NULL;
    CLEANUP(store_writer_abandonp) struct store_writer *writer = NULL;
    uint64_t n_bytes = 0;
    int r = store_get(&reader, t->options->input.store, source->key, 0, STORE_TO_END, err);
    if (r == 0)
        r = store_put_begin(&writer, t->copying->target.store, key, NULL, err);
    if (r == 0)
        r = copy_bytes(t, reader, writer, &n_bytes, err);
    if (r < 0)
        return r;
    if (n_bytes != source->size)
        return err_set(err, E_AGAIN, 0, "%s changed while it was copied", source->key);
    struct store_writer *whole = writer;
    writer = NULL; // commit frees it in any case
    r = store_writer_commit(whole, NULL, err);
    progress_add(&t->progress, 1, 0);
    return r < 0 ? r : 0;
}

static int take_object(struct transfer *t, const struct store_object *source, struct err *err)
{
    CLEANUP(buf_deinit) struct buf key = PLACE_KEY_INIT;
    const char *target = target_key(&key, t->copying, source->key, err);
    if (!target)
        return E_NOMEM;
    const bool keep = is_there(t->copying, source, target);
    pthread_mutex_lock(&t->lock);
    t->result->n_kept += keep;
    t->result->n_copied += !keep;
    t->result->n_bytes += keep ? 0 : source->size;
    report(t, keep ? TRANSFER_KEEP : TRANSFER_COPY, t->copying, target);
    pthread_mutex_unlock(&t->lock);
    return keep || t->options->dry_run ? 0 : copy_object(t, source, target, err);
}

static int copy_some(unsigned index, void *arg, struct err *err)
{
    struct transfer *t = arg;
    const struct store_listing *source = &t->copying->source;
    (void)index;
    for (size_t i; !t->failed && (i = t->next++) < source->n;) {
        const int r = take_object(t, &source->objects[i], err);
        if (r < 0) {
            t->failed = true;
            return r;
        }
    }
    return 0;
}

static int copy_side(struct transfer *t, struct side *side, struct err *err)
{
    const unsigned wanted = t->options->n_at_once > 0 ? t->options->n_at_once : AT_ONCE;
    const unsigned n = side->source.n < wanted ? (unsigned)side->source.n : wanted;
    int r = delete_strangers(t, side, err);
    if (r < 0 || n == 0)
        return r;
    t->copying = side;
    t->next = 0;
    return pool_run(n, copy_some, t, err);
}

static int mark(struct transfer *t, struct side *side, struct err *err)
{
    CLEANUP(buf_deinit) struct buf key = PLACE_KEY_INIT;
    const char *marker = place_key(&key, &side->target, marker_name, err);
    if (!marker)
        return E_NOMEM;
    report(t, TRANSFER_MARK, side, marker);
    return t->options->dry_run ? 0 : place_mark(&side->target, marker_name, err);
}

static int each_side(struct transfer *t, struct err *err,
                     int (*fn)(struct transfer *t, struct side *side, struct err *err))
{
    int r = 0;
    for (int i = 0; i < N_SERVERS && r == 0; i++)
        if (t->sides[i].wanted)
            r = fn(t, &t->sides[i], err);
    return r;
}

/* Is what was copied what staging left? */
static int check_unchanged(struct transfer *t, struct err *err)
{
    struct store_object now;
    const int r = staging_marker(t, &now, err);
    if (r < 0 && r != E_ABSENT)
        return r;
    if (r == E_ABSENT || strcmp(now.version, t->staged.version) != 0)
        return err_set(err, E_AGAIN, 0, "staging ran meanwhile: run transfer again");
    return 0;
}

static int move(struct transfer *t, struct err *err)
{
    uint64_t bytes = 0;
    int r = staging_marker(t, &t->staged, err);
    for (int i = 0; i < N_SERVERS && r == 0; i++) {
        r = prepare_side(t, (enum prio_role)i, err);
        for (size_t k = 0; k < t->sides[i].source.n; k++)
            bytes += t->sides[i].source.objects[k].size;
    }
    if (r == 0)
        r = each_side(t, err, unmark);
    progress_start(&t->progress, "transfer", bytes, t->options->progress);
    if (r == 0)
        r = each_side(t, err, copy_side);
    progress_end(&t->progress);
    if (r == 0)
        r = check_unchanged(t, err);
    return r < 0 ? r : each_side(t, err, mark);
}

int transfer_run(const struct transfer_options *options, struct transfer_result *result,
                 struct err *err)
{
    struct transfer t = {.options = options, .result = result};
    *result = (struct transfer_result){0};
    if (!layout_is_date(options->ingest.date))
        return err_set(err, E_ARG, 0, "\"%s\" is not a date like 2026-03-14", options->ingest.date);
    pthread_mutex_init(&t.lock, NULL);
    const int r = move(&t, err);
    pthread_mutex_destroy(&t.lock);
    for (int i = 0; i < N_SERVERS; i++) {
        store_listing_deinit(&t.sides[i].source);
        store_listing_deinit(&t.sides[i].present);
        buf_deinit(&t.sides[i].from);
        buf_deinit(&t.sides[i].to);
    }
    return r;
}
