/* SPDX-License-Identifier: MPL-2.0 */
/* The own mailbox: what the partner answered. */
#include "base/log.h"
#include "processor/layout.h"
#include "processor/manifest.h"
#include "processor/run.h"
#include "stage/packets.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int folder_key(const struct run *run, enum run_stage stage, struct key *key, struct err *err)
{
    return run_key(run, key, err, "intermediate/external/%s/", run_stage_name(stage));
}

static bool is_batch_part(const struct run *run, const struct noted_object *o)
{
    for (size_t b = 0; b < run->n_batches; b++) {
        const char *dir = run->batches[b].dir;
        const size_t len = strlen(dir);
        if (strncmp(o->key, dir, len) == 0 && o->key[len] == '/')
            return run_is_part(o, dir);
    }
    return false;
}

static int hash_part(struct run *run, const char *folder, struct noted_object *o, struct err *err)
{
    struct key key;
    int r = key_make(&key, err, "%s%s", folder, o->key);
    if (r == 0)
        r = object_hash(run->o->shared, key.text, &o->hash, err);
    o->has_hash = r == 0;
    return r;
}

/*
 * One digest for what lies in the folder of a stage, as its listing shows it: whatever is written
 * there again makes it another. Nothing there: not set.
 */
static int listing_digest(const struct store_listing *there, struct maybe_hash *out,
                          struct err *err)
{
    CLEANUP(hasher_freep) struct hasher *hasher = NULL;
    int r = hasher_new(&hasher, err);
    for (size_t i = 0; i < there->n && r == 0; i++) {
        const struct store_object *o = &there->objects[i];
        char size_and_time[64];
        (void)snprintf(size_and_time, sizeof size_and_time, "%" PRIu64 " %" PRId64, o->size,
                       o->modified_us);
        r = hasher_add_text(hasher, o->key, err);
        if (r == 0)
            r = hasher_add_text(hasher, size_and_time, err);
        if (r == 0)
            r = hasher_add_text(hasher, o->version, err);
    }
    out->set = r == 0 && there->n > 0;
    return out->set ? hasher_finish(hasher, &out->hash, err) : r;
}

static int list_mail(struct run *run, enum run_stage stage, struct store_listing *there,
                     size_t *prefix_len, struct err *err)
{
    struct key folder;
    const int r = folder_key(run, stage, &folder, err);
    if (r < 0)
        return r;
    *prefix_len = strlen(folder.text);
    return store_list(run->o->shared, folder.text, there, err);
}

/* Is all of it what the last run consumed, or what its clean-up has left of that? */
static int is_consumed(struct run *run, enum run_stage stage, struct object_list *now,
                       const struct maybe_hash *consumed, bool *yes, struct err *err)
{
    CLEANUP(object_list_deinit) struct object_list known = {0};
    struct err ignored = {0};
    struct key folder, list;
    struct hash digest;
    int r = folder_key(run, stage, &folder, err);
    if (r == 0)
        r = run_key(run, &list, err, "state/mail-%s.json", run_stage_name(stage));
    if (r < 0)
        return r;
    if (object_list_read(&known, run->o->private, list.text, &ignored) == 0) {
        *yes = object_list_within(now, &known);
        return 0;
    }
    // Without the list only the contents tell.
    for (size_t i = 0; consumed->set && i < now->n && r == 0; i++)
        if (is_batch_part(run, &now->objects[i]))
            r = hash_part(run, folder.text, &now->objects[i], err);
    if (r == 0)
        r = object_list_digest(now, &digest, err);
    *yes = r == 0 && consumed->set && hash_equal(&digest, &consumed->hash);
    return r;
}

static int note_stale(struct run *run, enum run_stage stage, const struct run_state *last,
                      struct err *err)
{
    CLEANUP(store_listing_deinit) struct store_listing there = {0};
    CLEANUP(object_list_deinit) struct object_list now = {0};
    const struct maybe_hash *before = &last->stale[stage];
    struct maybe_hash digest = {0};
    size_t prefix_len;
    bool stale = true; // verify2 and aggregate answer an own verify1 that has not left yet
    int r = list_mail(run, stage, &there, &prefix_len, err);
    if (r == 0)
        r = listing_digest(&there, &digest, err);
    if (r == 0)
        r = object_list_take(&now, &there, prefix_len, err);
    if (r == 0 && stage == RUN_VERIFY1)
        r = is_consumed(run, stage, &now, &last->consumed[stage], &stale, err);
    if (r < 0)
        return r;
    stale |= digest.set && before->set && hash_equal(&digest.hash, &before->hash);
    run->state.stale[stage] = stale ? digest : (struct maybe_hash){0};
    return 0;
}

int mail_note_stale(struct run *run, const struct run_state *last, struct err *err)
{
    int r = 0;
    for (int s = 0; s < RUN_STAGES && r == 0; s++)
        r = note_stale(run, (enum run_stage)s, last, err);
    return r;
}

/* The marker was seen. What counts is one listing that has it, too: the partner may begin anew. */
static int take_mail(struct run *run, enum run_stage stage, struct err *err)
{
    CLEANUP(store_listing_deinit) struct store_listing there = {0};
    const struct maybe_hash *stale = &run->state.stale[stage];
    struct object_list *mail = &run->mail[stage];
    struct maybe_hash digest = {0};
    size_t prefix_len;
    object_list_deinit(mail);
    int r = list_mail(run, stage, &there, &prefix_len, err);
    if (r == 0)
        r = listing_digest(&there, &digest, err);
    if (r == 0)
        r = object_list_take(mail, &there, prefix_len, err);
    if (r < 0)
        return r;
    if (stale->set && digest.set && hash_equal(&digest.hash, &stale->hash)) {
        log_event(LOG_LEVEL_INFO, "the mailbox still holds what is of the last run",
                  LOG_S("stage", run_stage_name(stage)));
        return 0;
    }
    return object_list_find(mail, "_SUCCESS") != NULL;
}

static int stage_is_there(struct run *run, void *arg, struct err *err)
{
    const enum run_stage stage = *(enum run_stage *)arg;
    struct key marker;
    struct store_object object;
    int r = run_key(run, &marker, err, "intermediate/external/%s/_SUCCESS", run_stage_name(stage));
    if (r == 0)
        r = store_stat(run->o->shared, marker.text, &object, err);
    if (r < 0)
        return r == E_ABSENT ? 0 : r;
    return take_mail(run, stage, err);
}

int mail_wait(struct run *run, enum run_stage stage, struct err *err)
{
    struct key marker;
    const int r =
        run_key(run, &marker, err, "intermediate/external/%s/_SUCCESS", run_stage_name(stage));
    return r == 0 ? run_wait(run, marker.text + strlen(run->own), stage_is_there, &stage, err) : r;
}

int mail_changed(struct run *run, enum run_stage stage, struct err *err)
{
    CLEANUP(object_list_deinit) struct object_list now = {0};
    struct key folder;
    int r = folder_key(run, stage, &folder, err);
    if (r == 0)
        r = run_list(&now, run->o->shared, folder.text, err);
    return r < 0 ? r : !object_list_equal(&now, &run->mail[stage]);
}

/* One digest for the parts that lie in run->mail; where it is signed, of whatever batch they are.
 */
static int mail_digest(struct run *run, enum run_stage stage, struct hash *out, struct err *err)
{
    struct key folder;
    int r = folder_key(run, stage, &folder, err);
    for (size_t i = 0; i < run->mail[stage].n && r == 0; i++) {
        struct noted_object *o = &run->mail[stage].objects[i];
        const bool counts = run->o->verify_key ? layout_is_data(o->key) : is_batch_part(run, o);
        if (counts && !o->has_hash)
            r = hash_part(run, folder.text, o, err);
    }
    return r == 0 ? object_list_digest(&run->mail[stage], out, err) : r;
}

int mail_verify(struct run *run, enum run_stage stage, struct err *err)
{
    struct hash digest;
    if (!run->o->verify_key)
        return 0;
    const int r = mail_digest(run, stage, &digest, err);
    return r == 0 ? manifest_check(run, stage, &digest, err) : r;
}

int mail_record(struct run *run, enum run_stage stage, struct err *err)
{
    struct key key;
    struct maybe_hash *consumed = &run->state.consumed[stage];
    // Batches that were skipped have not been read; they belong to what was consumed all the same.
    int r = mail_digest(run, stage, &consumed->hash, err);
    if (r == 0)
        r = run_key(run, &key, err, "state/mail-%s.json", run_stage_name(stage));
    if (r == 0)
        r = object_list_write(&run->mail[stage], run->o->private, key.text, err);
    consumed->set = r == 0;
    return r;
}

/* Load one object into packets, and note its hash where it has none. */
static int load_object(struct run *run, struct run_batch *batch, struct store *store,
                       const char *key, enum packet_side side, struct noted_object *o,
                       struct packets *packets, struct err *err)
{
    uint64_t n_skipped = 0;
    struct hash hash;
    CLEANUP(store_reader_closep) struct store_reader *object = NULL;
    CLEANUP(hasher_freep) struct hasher *hasher = NULL;
    int r = hasher_new(&hasher, err);
    if (r == 0)
        r = store_get(&object, store, key, 0, STORE_TO_END, err);
    if (r < 0)
        return r;
    struct hashed_source hashed = {.inner = store_reader_source(object), .hasher = hasher};
    const struct packets_load load = {.source = hashed_source(&hashed),
                                      .name = key,
                                      .max_line = stage_max_line(batch->server),
                                      .cpu = run->o->cpu};
    r = packets_load(packets, side, &load, &n_skipped, err);
    if (r == 0)
        r = hasher_finish(hasher, &hash, err);
    if (r < 0)
        return r;
    if (n_skipped > 0)
        log_event(LOG_LEVEL_WARNING, "lines without a usable record were skipped",
                  LOG_S("object", key), LOG_U("lines", n_skipped));
    if (o->has_hash && !hash_equal(&hash, &o->hash))
        return err_set(err, E_FORMAT, 0, "%s has changed since it was written", key);
    o->hash = hash;
    o->has_hash = true;
    return 0;
}

static int load_side(struct run *run, struct run_batch *batch, enum run_stage stage,
                     enum packet_side side, struct packets *packets, struct err *err)
{
    const bool own = side == PACKET_OWN;
    struct object_list *list = own ? &run->parts[stage] : &run->mail[stage];
    struct store *store = own ? run->o->private : run->o->shared;
    size_t first = 0;
    const size_t n = run_batch_objects(list, batch->dir, &first);
    int r = 0;
    for (size_t i = first; i < first + n && r == 0; i++) {
        struct noted_object *o = &list->objects[i];
        struct key key;
        if (!run_is_part(o, batch->dir))
            continue;
        r = run_key(run, &key, err, "intermediate/%s/%s/%s", own ? "internal" : "external",
                    run_stage_name(stage), o->key);
        if (r == 0)
            r = load_object(run, batch, store, key.text, side, o, packets, err);
    }
    return r;
}

int mail_load(struct run *run, struct run_batch *batch, enum run_stage stage,
              struct packets *packets, struct err *err)
{
    return load_side(run, batch, stage, PACKET_PEER, packets, err);
}

int own_load(struct run *run, struct run_batch *batch, enum run_stage stage,
             struct packets *packets, struct err *err)
{
    return load_side(run, batch, stage, PACKET_OWN, packets, err);
}
