/* SPDX-License-Identifier: MPL-2.0 */
/* The own shares, as ingestion left them. */
#include "base/log.h"
#include "codec/gzip.h"
#include "processor/run.h"

#include <string.h>

static const char marker[] = "shares/_SUCCESS";

static int marker_is_there(struct run *run, void *arg, struct err *err)
{
    struct key key;
    struct store_object object;
    (void)arg;
    int r = run_key(run, &key, err, "raw/%s", marker);
    if (r == 0)
        r = store_stat(run->o->ingest, key.text, &object, err);
    return r == E_ABSENT ? 0 : r == 0 ? 1 : r;
}

int run_wait_raw(struct run *run, struct err *err)
{
    return run_wait(run, "raw/shares/_SUCCESS", marker_is_there, NULL, err);
}

int raw_list(struct run *run, struct object_list *out, struct err *err)
{
    struct key key;
    const int r = run_key(run, &key, err, "raw/");
    return r == 0 ? run_list(out, run->o->ingest, key.text, err) : r;
}

bool raw_has_marker(const struct object_list *raw)
{
    return object_list_find(raw, marker) != NULL;
}

/* The folder of a batch within raw/. */
static int shares_dir(struct key *dir, const struct run_batch *batch, struct err *err)
{
    return key_make(dir, err, "shares/%s", batch->dir);
}

int raw_digest(const struct run *run, const struct object_list *raw, struct hash *out,
               struct err *err)
{
    CLEANUP(hasher_freep) struct hasher *hasher = NULL;
    int r = hasher_new(&hasher, err);
    for (size_t b = 0; b < run->n_batches && r == 0; b++) {
        struct key dir;
        r = shares_dir(&dir, &run->batches[b], err);
        if (r == 0)
            r = hasher_add_text(hasher, dir.text, err);
        size_t first = 0;
        const size_t n = r == 0 ? run_batch_objects(raw, dir.text, &first) : 0;
        for (size_t i = first; i < first + n && r == 0; i++)
            if (raw->objects[i].has_hash)
                r = hasher_add(hasher, span_of(raw->objects[i].hash.bytes, HASH_BYTES), err);
    }
    return r == 0 ? hasher_finish(hasher, out, err) : r;
}

struct identify {
    struct object_list *raw;
};

static int identify_batch(struct run *run, struct run_batch *batch, void *arg, struct err *err)
{
    struct identify *job = arg;
    struct key dir;
    size_t first = 0;
    int r = shares_dir(&dir, batch, err);
    const size_t n = r == 0 ? run_batch_objects(job->raw, dir.text, &first) : 0;
    for (size_t i = first; i < first + n && r == 0; i++) {
        struct noted_object *object = &job->raw->objects[i];
        struct raw_part part = {0};
        if (object->has_hash || !run_is_part(object, dir.text))
            continue;
        r = raw_part_open(&part, run, object->key, err);
        if (r == 0)
            r = identity_of_source(object->hash.bytes, raw_part_source(&part),
                                   stage_max_line(batch->server), err);
        raw_part_close(&part);
        object->has_hash = r == 0;
    }
    return r;
}

int raw_identify(struct run *run, struct object_list *raw, struct err *err)
{
    struct identify job = {raw};
    int r = 0;
    for (size_t b = 0; b < run->n_batches && r == 0; b++)
        r = identify_batch(run, &run->batches[b], &job, err);
    return r;
}

int raw_note(struct run *run, const struct object_list *raw, struct err *err)
{
    struct key key;
    const int r = run_key(run, &key, err, "state/raw.json");
    return r == 0 ? object_list_write(raw, run->o->private, key.text, err) : r;
}

int raw_part_open(struct raw_part *part, struct run *run, const char *relative, struct err *err)
{
    struct key key;
    int r = run_key(run, &key, err, "raw/%s", relative);
    if (r == 0)
        r = store_get(&part->reader, run->o->ingest, key.text, 0, STORE_TO_END, err);
    return r == 0 ? gunzip_new(&part->gunzip, store_reader_source(part->reader), err) : r;
}

struct source raw_part_source(struct raw_part *part)
{
    return gunzip_source(part->gunzip);
}

bool raw_part_packed(const struct raw_part *part)
{
    return gunzip_is_packed(part->gunzip);
}

void raw_part_close(struct raw_part *part)
{
    gunzip_free(part->gunzip);
    store_reader_close(part->reader);
    *part = (struct raw_part){0};
}

/* Without the record of what was read, everything is read to find its digest. */
static int recall_by_reading(struct run *run, struct err *err)
{
    struct hash now;
    int r = raw_list(run, &run->raw, err);
    if (r == 0)
        r = raw_identify(run, &run->raw, err);
    if (r == 0)
        r = raw_digest(run, &run->raw, &now, err);
    if (r < 0 || (run->state.raw.set && hash_equal(&now, &run->state.raw.hash)))
        return r;
    return err_set(err, E_FORMAT, 0,
                   "the raw data have changed since verify1 read them: restore them, or stage new "
                   "data on both servers");
}

static int recall(struct run *run, struct err *err)
{
    struct key key;
    struct err ignored = {0};
    if (run->raw.n > 0)
        return 0;
    const int r = run_key(run, &key, err, "state/raw.json");
    if (r < 0)
        return r;
    if (object_list_read(&run->raw, run->o->private, key.text, &ignored) == 0)
        return 0;
    object_list_deinit(&run->raw);
    return recall_by_reading(run, err);
}

int raw_recall(struct run *run, struct err *err)
{
    pthread_mutex_lock(&run->mutex); // batches that run side by side come here together
    const int r = recall(run, err);
    pthread_mutex_unlock(&run->mutex);
    return r;
}
