/* SPDX-License-Identifier: MPL-2.0 */
/* Both total shares to totals. */
#include "base/log.h"
#include "base/utc.h"
#include "codec/ndjson.h"
#include "codec/uuid.h"
#include "processor/layout.h"
#include "processor/stage_parts.h"
#include "stage/lines.h"
#include "stage/totals.h"

#include <jansson.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

/* The one record of a batch among the lines of its parts. */
static int take_lines(struct span text, struct buf *record, struct err *err)
{
    while (text.len > 0) {
        const uint8_t *nl = memchr(text.ptr, '\n', text.len);
        const size_t len = nl ? (size_t)(nl - text.ptr) : text.len;
        const struct span line = span_of(text.ptr, len);
        if (!line_is_blank(line)) {
            if (record->len > 0)
                return err_set(err, E_FORMAT, 0, "there is more than one aggregate for the batch");
            const int r = buf_append(record, line.ptr, line.len, err);
            if (r < 0)
                return r;
        }
        text = span_of(text.ptr + len + (nl != NULL), text.len - len - (nl != NULL));
    }
    return 0;
}

/* own or the partner's: run->parts or run->mail of aggregate. */
static int read_record(struct run *run, struct run_batch *batch, bool own, struct aggregate *out,
                       struct err *err)
{
    struct object_list *list = own ? &run->parts[RUN_AGGREGATE] : &run->mail[RUN_AGGREGATE];
    struct store *store = own ? run->o->private : run->o->shared;
    const size_t most = aggregate_max_bytes(batch->entry->n_data) + 64;
    CLEANUP(buf_deinit) struct buf record = BUF_INIT_SECRET(most);
    size_t first = 0;
    const size_t n = run_batch_objects(list, batch->dir, &first);
    int r = 0;
    for (size_t i = first; i < first + n && r == 0; i++) {
        CLEANUP(buf_deinit) struct buf text = BUF_INIT_SECRET(most);
        struct key key;
        if (!run_is_part(&list->objects[i], batch->dir))
            continue;
        r = run_key(run, &key, err, "intermediate/%s/aggregate/%s", own ? "internal" : "external",
                    list->objects[i].key);
        if (r == 0)
            r = store_get_all(store, key.text, &text, NULL, err);
        if (r == 0)
            r = take_lines(buf_span(&text), &record, err);
    }
    if (r == 0 && record.len == 0)
        r = err_set(err, E_FORMAT, 0, "there is no aggregate in the batch's folder");
    if (r == 0)
        r = aggregate_parse(out, buf_span(&record), run->o->cpu, err);
    return r < 0 ? err_wrap(err, r, "%s aggregate", own ? "own" : "partner's") : 0;
}

struct published {
    uint64_t *totals;
    size_t n;
    struct aggregate own, peer;
};

static void published_deinit(struct published *p)
{
    free(p->totals);
    aggregate_deinit(&p->own);
    aggregate_deinit(&p->peer);
}

static int combine(struct run *run, struct run_batch *batch, struct published *p, struct err *err)
{
    int r = read_record(run, batch, true, &p->own, err);
    if (r == 0)
        r = read_record(run, batch, false, &p->peer, err);
    if (r < 0)
        return r;
    const struct totals_input in = {.own = &p->own,
                                    .peer = &p->peer,
                                    .own_is_a = run->o->role == PRIO_SERVER_A,
                                    .n_data = batch->entry->n_data};
    p->n = totals_count(&in);
    p->totals = calloc(p->n, sizeof *p->totals);
    if (!p->totals)
        return err_set(err, E_NOMEM, 0, "no memory for the totals");
    return totals_combine(p->totals, &in, err);
}

/*
 * Did this run write the file before it was interrupted, and does it say the same? Then its id and
 * time stay (D7). The marker of a run before this one is gone.
 */
static bool is_published(struct run *run, const char *key, const char *marker,
                         const struct published *p)
{
    CLEANUP(buf_deinit) struct buf text = BUF_INIT(64 + 24 * p->n + 4096);
    struct err ignored = {0};
    struct store_object object;
    if (store_stat(run->o->private, marker, &object, &ignored) < 0 ||
        store_get_all(run->o->private, key, &text, NULL, &ignored) < 0)
        return false;
    json_t *root = json_loadb((const char *)text.data, text.len, 0, NULL);
    const json_t *payload = json_object_get(root, "payload");
    bool same = json_array_size(payload) == p->n &&
                json_integer_value(json_object_get(root, "error")) == (json_int_t)p->own.error &&
                json_integer_value(json_object_get(root, "total")) == (json_int_t)p->own.total &&
                json_is_string(json_object_get(root, "id")) &&
                json_is_string(json_object_get(root, "timestamp"));
    for (size_t i = 0; same && i < p->n; i++)
        same = json_integer_value(json_array_get(payload, i)) == (json_int_t)p->totals[i];
    json_decref(root);
    return same;
}

static int write_totals(struct run *run, const char *key, const struct published *p,
                        struct err *err)
{
    uint8_t random[16];
    char uuid[UUID_TEXT_BYTES], timestamp[UTC_TEXT_BYTES];
    if (RAND_bytes(random, sizeof random) != 1)
        return err_set(err, E_CRYPTO, 0, "no random numbers from libcrypto");
    uuid4_format(uuid, random);
    utc_format_naive(timestamp, run->o->now_us != 0 ? run->o->now_us : utc_now_us());
    CLEANUP(buf_deinit) struct buf text = BUF_INIT(SIZE_MAX / 4);
    int r = totals_format_compact(&text, uuid, timestamp, p->totals, p->n, &p->own, err);
    if (r == 0)
        r = buf_append_byte(&text, '\n', err);
    return r == 0 ? store_put(run->o->private, key, buf_span(&text), NULL, NULL, err) : r;
}

static int publish_name(struct run *run, struct run_batch *batch, struct key *key, struct err *err)
{
    char uuid[LAYOUT_UUID_BYTES], name[LAYOUT_NAME_BYTES];
    const char *const texts[] = {run->o->date, run->o->app_name, batch->entry->batch_id, "publish",
                                 NULL};
    const int r = layout_derived_uuid(uuid, texts, err);
    if (r < 0)
        return r;
    layout_part_name(name, 0, uuid, LAYOUT_STAGE);
    return run_key(run, key, err, "processed/publish/%s/%s", batch->dir, name);
}

static int publish_batch(struct run *run, struct run_batch *batch, void *arg, struct err *err)
{
    CLEANUP(published_deinit) struct published p = {0};
    struct key key, marker;
    (void)arg;
    aggregate_init(&p.own);
    aggregate_init(&p.peer);
    int r = combine(run, batch, &p, err);
    if (r == 0 && p.own.total - p.own.error < run->o->min_batch) {
        log_event(LOG_LEVEL_ERROR, "a batch is smaller than --min-batch and is not published",
                  LOG_S("batch", batch->entry->batch_id), LOG_U("min_batch", run->o->min_batch));
        batch->withheld = true;
        return 0;
    }
    if (r == 0)
        r = publish_name(run, batch, &key, err);
    if (r == 0)
        r = run_key(run, &marker, err, "processed/publish/%s/_SUCCESS", batch->dir);
    if (r == 0 && !is_published(run, key.text, marker.text, &p))
        r = write_totals(run, key.text, &p, err);
    if (r == 0)
        r = run_mark(run, run->o->private, marker.text, err);
    batch->published = r == 0;
    return r;
}

/* What a run before this one published of batches that are no more, or beside their file. */
static int delete_strangers(struct run *run, struct err *err)
{
    CLEANUP(object_list_deinit) struct object_list there = {0};
    struct key folder, name;
    int r = run_key(run, &folder, err, "processed/publish/");
    if (r == 0)
        r = run_list(&there, run->o->private, folder.text, err);
    for (size_t i = 0; i < there.n && r == 0; i++) {
        struct key key;
        bool ours = false;
        r = key_make(&key, err, "%s%s", folder.text, there.objects[i].key);
        for (size_t b = 0; b < run->n_batches && r == 0 && !ours; b++) {
            struct run_batch *batch = &run->batches[b];
            if (!batch->published)
                continue;
            r = publish_name(run, batch, &name, err);
            ours = r == 0 && strcmp(name.text, key.text) == 0;
            if (r == 0 && !ours)
                r = key_make(&name, err, "%s%s/_SUCCESS", folder.text, batch->dir);
            ours = ours || (r == 0 && strcmp(name.text, key.text) == 0);
        }
        if (r == 0 && !ours)
            r = store_delete_one(run->o->private, key.text, err);
    }
    return r;
}

int run_publish(struct run *run, struct err *err)
{
    struct key marker;
    int r = stage_answer_mail(run, RUN_AGGREGATE, "publish", NULL, publish_batch, err);
    if (r == 0)
        r = delete_strangers(run, err);
    if (r == 0)
        r = run_save(run, err);
    if (r == 0)
        r = run_key(run, &marker, err, "processed/publish/_SUCCESS");
    return r == 0 ? run_mark(run, run->o->private, marker.text, err) : r;
}
