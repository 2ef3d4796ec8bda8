/* SPDX-License-Identifier: MPL-2.0 */
#include "base/log.h"
#include "processor/layout.h"
#include "processor/status_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    COUNT_BYTES_MAX = 8 << 20,
    READ_BYTES = 64 << 10
}; // larger batches are not read to be counted

struct place {
    const char *stage, *side, *path;
};

static const struct place places[STATUS_N_PLACES] = {
    [STATUS_RAW] = {"raw", "own", "raw/shares/"},
    [STATUS_OWN_VERIFY1] = {"verify1", "own", "intermediate/internal/verify1/"},
    [STATUS_SENT_VERIFY1] = {"verify1", "sent", "intermediate/external/verify1/"},
    [STATUS_RECEIVED_VERIFY1] = {"verify1", "received", "intermediate/external/verify1/"},
    [STATUS_OWN_VERIFY2] = {"verify2", "own", "intermediate/internal/verify2/"},
    [STATUS_SENT_VERIFY2] = {"verify2", "sent", "intermediate/external/verify2/"},
    [STATUS_RECEIVED_VERIFY2] = {"verify2", "received", "intermediate/external/verify2/"},
    [STATUS_OWN_AGGREGATE] = {"aggregate", "own", "intermediate/internal/aggregate/"},
    [STATUS_SENT_AGGREGATE] = {"aggregate", "sent", "intermediate/external/aggregate/"},
    [STATUS_RECEIVED_AGGREGATE] = {"aggregate", "received", "intermediate/external/aggregate/"},
    [STATUS_PUBLISH] = {"publish", "own", "processed/publish/"},
};

const char *status_place_stage(enum status_place place)
{
    return places[place].stage;
}

const char *status_place_side(enum status_place place)
{
    return places[place].side;
}

static void status_deinit(struct status *s)
{
    for (size_t i = 0; i < STATUS_N_PLACES; i++) {
        for (size_t j = 0; j < s->found[i].n; j++)
            free(s->found[i].batches[j].id);
        free(s->found[i].batches);
    }
}

static void free_text(char **text)
{
    free(*text);
}

static struct store *store_of(const struct status_options *o, enum status_place place)
{
    if (place == STATUS_RAW)
        return o->ingest;
    if (strcmp(places[place].side, "sent") == 0)
        return o->external_shared;
    return strcmp(places[place].side, "received") == 0 ? o->shared : o->private;
}

/* The entry of a batch, which is the last one: listings are sorted. */
static struct status_batch *batch_of(struct status_found *f, const char *id, struct err *err)
{
    if (f->n > 0 && strcmp(f->batches[f->n - 1].id, id) == 0)
        return &f->batches[f->n - 1];
    struct status_batch *batches = realloc(f->batches, (f->n + 1) * sizeof *batches);
    if (batches)
        f->batches = batches;
    char *copy = batches ? strdup(id) : NULL;
    if (!copy) {
        (void)err_set(err, E_NOMEM, 0, "no memory for a list of batches");
        return NULL;
    }
    f->batches[f->n] = (struct status_batch){.id = copy};
    return &f->batches[f->n++];
}

static int count_lines(uint64_t *n, struct store *store, const char *key, struct err *err)
{
    CLEANUP(store_reader_closep) struct store_reader *reader = NULL;
    uint8_t block[READ_BYTES];
    const int r = store_get(&reader, store, key, 0, STORE_TO_END, err);
    if (r < 0)
        return r;
    const struct source from = store_reader_source(reader);
    uint8_t last = '\n';
    for (;;) {
        const ssize_t got = from.read(from.arg, block, sizeof block, err);
        if (got <= 0) {
            *n += last != '\n';
            return (int)got;
        }
        for (ssize_t i = 0; i < got; i++)
            *n += block[i] == '\n';
        last = block[got - 1];
    }
}

/* The batch of a part; rest: its key behind the place's. @return 1, 0: it is no part; or E_NOMEM.
 */
static int read_batch(struct buf *id, const char *rest, struct err *err)
{
    const size_t len = strcspn(rest, "/");
    id->len = 0;
    if (rest[len] == '\0' || !layout_is_data(rest))
        return 0;
    return layout_read_partition(id, "batch_id", span_of(rest, len), err);
}

static int take_object(struct status_found *f, const struct store_object *object, const char *rest,
                       struct err *err)
{
    CLEANUP(buf_deinit) struct buf id = BUF_INIT(STORE_MAX_KEY + 1);
    if (strcmp(rest, "_SUCCESS") == 0) {
        f->has_marker = true;
        f->marker_us = object->modified_us;
        return 0;
    }
    const int r = read_batch(&id, rest, err);
    if (r <= 0)
        return r;
    struct status_batch *batch = batch_of(f, (const char *)id.data, err);
    if (!batch)
        return E_NOMEM;
    batch->n_parts++;
    batch->n_bytes += object->size;
    batch->n_records = UINT64_MAX;
    return 0;
}

static bool is_small(const struct status_found *f)
{
    uint64_t n_bytes = 0;
    for (size_t i = 0; i < f->n; i++)
        n_bytes += f->batches[i].n_bytes;
    return n_bytes <= COUNT_BYTES_MAX;
}

/* Count the records of a batch; parts may go meanwhile, and then there is no number. */
static void count_batch(struct status_batch *batch, struct store *store, const char *prefix,
                        const struct store_listing *listing)
{
    uint64_t n = 0;
    for (size_t i = 0; i < listing->n; i++) {
        CLEANUP(buf_deinit) struct buf id = BUF_INIT(STORE_MAX_KEY + 1);
        const char *key = listing->objects[i].key;
        if (read_batch(&id, key + strlen(prefix), NULL) <= 0 ||
            strcmp((const char *)id.data, batch->id) != 0)
            continue;
        if (count_lines(&n, store, key, NULL) < 0)
            return;
    }
    batch->n_records = n;
}

static int look(struct status_found *f, struct store *store, const char *prefix, struct err *err)
{
    struct store_listing listing = {0};
    struct err cause = {0};
    if (!store)
        return 0;
    int r = store_list(store, prefix, &listing, &cause);
    if (r < 0) { // the partner's mailbox may be closed to us; is_readable says so
        log_event(LOG_LEVEL_WARNING, "not readable", LOG_S("bucket", store_name(store)),
                  LOG_S("cause", cause.text));
        return 0;
    }
    f->is_readable = true;
    for (size_t i = 0; i < listing.n && r == 0; i++)
        r = take_object(f, &listing.objects[i], listing.objects[i].key + strlen(prefix), err);
    for (size_t i = 0; i < f->n && r == 0 && is_small(f); i++)
        count_batch(&f->batches[i], store, prefix, &listing);
    store_listing_deinit(&listing);
    return r;
}

/* Nobody asks again a server that did not answer. */
static bool is_closed(const struct status *s, const struct status_options *o, unsigned place)
{
    const struct store *store = store_of(o, (enum status_place)place);
    for (unsigned i = 0; i < place; i++)
        if (store_of(o, (enum status_place)i) == store && !s->found[i].is_readable)
            return true;
    return false;
}

/* Has this server given its answer of the stage? */
static bool is_answered(const struct status *s, enum status_place own)
{
    const struct status_found *sent = &s->found[own + 1];
    return sent->is_readable ? sent->has_marker : s->found[own].n > 0;
}

const char *status_state(const struct status *s)
{
    static const struct {
        enum status_place own;
        const char *next, *waiting;
    } stages[] = {
        {STATUS_OWN_VERIFY1, "verify1 is next", "waiting for the partner's verify1"},
        {STATUS_OWN_VERIFY2, "verify2 is next", "waiting for the partner's verify2"},
        {STATUS_OWN_AGGREGATE, "aggregate is next", "waiting for the partner's aggregate"},
    };
    if (s->found[STATUS_PUBLISH].has_marker)
        return "finished";
    if (!s->found[STATUS_RAW].is_readable || !s->found[STATUS_PUBLISH].is_readable ||
        !s->found[STATUS_RECEIVED_VERIFY1].is_readable)
        return "not known, as an own bucket is not readable";
    for (size_t i = 0; i < ARRAY_LEN(stages); i++) {
        if (!is_answered(s, stages[i].own) && i == 0 && !s->found[STATUS_RAW].has_marker)
            return "waiting for raw shares";
        if (!is_answered(s, stages[i].own))
            return stages[i].next;
        if (!s->found[stages[i].own + 2].has_marker)
            return stages[i].waiting;
    }
    return "publish is next";
}

int status_run(struct buf *out, const struct status_options *o, struct err *err)
{
    CLEANUP(status_deinit) struct status status = {0};
    CLEANUP(free_text) char *own = NULL;
    CLEANUP(free_text) char *partner = NULL;
    char prefix[STORE_MAX_KEY + 1];
    int r = layout_prefix(&own, o->bucket_prefix, o->key_external, o->app_name, o->date, err);
    if (r == 0)
        r = layout_prefix(&partner, o->bucket_prefix, o->key_internal, o->app_name, o->date, err);
    for (unsigned i = 0; i < STATUS_N_PLACES && r == 0; i++) {
        struct store *store = store_of(o, (enum status_place)i);
        const bool is_partners = store == o->external_shared && strcmp(places[i].side, "sent") == 0;
        (void)snprintf(prefix, sizeof prefix, "%s%s", is_partners ? partner : own, places[i].path);
        if (!is_closed(&status, o, i))
            r = look(&status.found[i], store, prefix, err);
    }
    if (r < 0)
        return r;
    return o->format == STATUS_JSON ? status_format_json(out, &status, o, err)
                                    : status_format_table(out, &status, o, err);
}
