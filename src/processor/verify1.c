/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The only stage that has to read shares. It answers each record, and leaves a trace and an
 * optimistic sum, so that the others need not (stage/trace.h). Nothing leaves the own buckets here.
 *
 * The parts of a batch are read in the order of their names, because the first record with an id is
 * the one that counts; within a part all workers share the lines.
 */
#include "base/log.h"
#include "processor/layout.h"
#include "processor/part_record.h"
#include "processor/part_writer.h"
#include "processor/run.h"
#include "stage/trace.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_ROUNDS = 10 }; // of reading data that change while they are read

/* One batch on its way through the stage. */
struct work {
    struct run *run;
    struct run_batch *batch;
    struct object_list *raw;
    struct key dir; // relative to raw/
    char uuid[LAYOUT_UUID_BYTES];
    struct seen seen;
    struct stage_counts counts;
    struct hash before;    // of the parts so far
    bool sum_whole;        // batch->sum covers every part so far
    struct raw_part ahead; // the next part, already being read
    const char *ahead_key;
};

/* The names of what belongs to part number i of a batch. */
struct part_names {
    struct key answer, trace; // relative to internal/verify1/ and state/verify1/
    struct key record;        // in the bucket
};

static int name_part(const struct work *w, size_t i, struct part_names *names, struct err *err)
{
    char name[LAYOUT_NAME_BYTES];
    layout_part_name(name, (unsigned)i, w->uuid, LAYOUT_STAGE);
    int r = key_make(&names->answer, err, "%s/%s", w->batch->dir, name);
    if (r == 0)
        r = key_make(&names->trace, err, "%s/part-%05zu.trace", w->batch->dir, i);
    return r == 0 ? run_key(w->run, &names->record, err, "state/verify1/%s/part-%05zu.json",
                            w->batch->dir, i)
                  : r;
}

/* Are these bytes still there, as they were written? */
static int is_unchanged(struct run *run, const char *folder, const struct noted_object *o,
                        bool *same, struct err *err)
{
    struct key key;
    struct store_object now = {0};
    int r = run_key(run, &key, err, "%s%s", folder, o->key);
    if (r == 0)
        r = store_stat(run->o->private, key.text, &now, err);
    *same = r == 0 && now.size == o->size && strcmp(now.version, o->version) == 0;
    return r == E_ABSENT ? 0 : r;
}

/* What this part's records mean for later ones: their ids and ciphertexts have been met. */
static int remember_trace(struct work *w, struct trace_reader *reader, struct err *err)
{
    struct trace_entry entry;
    int r;
    while ((r = trace_next(reader, &entry, err)) == 1) {
        r = seen_id(&w->seen, &entry.id, err);
        if (r >= 0 && entry.accepted)
            r = seen_share(&w->seen, &entry.share, err);
        if (r < 0)
            return r;
    }
    return r;
}

/* @return 1: remembered; 0: the trace is not what was written; or E_*. */
static int read_trace(struct work *w, const struct noted_object *trace, struct err *err)
{
    struct key key;
    struct hash hash;
    CLEANUP(store_reader_closep) struct store_reader *object = NULL;
    CLEANUP(hasher_freep) struct hasher *hasher = NULL;
    int r = run_key(w->run, &key, err, "state/verify1/%s", trace->key);
    if (r == 0)
        r = hasher_new(&hasher, err);
    if (r == 0)
        r = store_get(&object, w->run->o->private, key.text, 0, STORE_TO_END, err);
    if (r < 0)
        return r;
    struct hashed_source hashed = {.inner = store_reader_source(object), .hasher = hasher};
    struct trace_reader *reader = malloc(sizeof *reader);
    if (!reader)
        return err_set(err, E_NOMEM, 0, "no memory for a trace");
    trace_reader_init(reader, hashed_source(&hashed));
    r = remember_trace(w, reader, err);
    trace_reader_deinit(reader);
    free(reader);
    if (r == 0)
        r = hasher_finish(hasher, &hash, err);
    return r < 0 ? r : hash_equal(&hash, &trace->hash);
}

/* @return 1: an earlier process was done with this part, 0: not, or E_*. */
static int reuse_part(struct work *w, struct noted_object *raw, const struct part_names *names,
                      struct part_record *record, struct err *err)
{
    bool same = false, trace_same = false;
    int r = part_record_read(record, w->run->o->private, names->record.text, NULL);
    if (r < 0)
        return 0; // absent or unreadable: it is made again
    if (!hash_equal(&record->before, &w->before) || !noted_equal(&record->raw, raw) ||
        strcmp(record->answer.key, names->answer.text) != 0)
        return 0;
    r = is_unchanged(w->run, "intermediate/internal/verify1/", &record->answer, &same, err);
    if (r == 0 && same)
        r = is_unchanged(w->run, "state/verify1/", &record->trace, &trace_same, err);
    if (r < 0 || !trace_same)
        return r;
    return read_trace(w, &record->trace, err);
}

static int pass_over(struct work *w, struct raw_part *part, const struct noted_object *raw,
                     struct part_writer *answer, struct part_writer *trace,
                     struct part_record *record, struct err *err)
{
    const struct run *run = w->run;
    const bool first = run->o->points == PRIO_POINTS_FIRST;
    const struct stage_sink out = part_writer_sink(answer);
    struct stage_trace traced = {.entries = part_writer_sink(trace), .sum = w->batch->sum};
    const struct stage_input in = {.server = w->batch->server,
                                   .shares = raw_part_source(part),
                                   .name = raw->key,
                                   .seen = &w->seen};
    const struct stage_options options = {.n_workers = run->o->n_workers,
                                          .cpu = run->o->cpu,
                                          .progress = &w->run->progress,
                                          .compact = true,
                                          .identity = record->raw.hash.bytes,
                                          .trace = first ? &traced : NULL};
    return stage_verify1(&in, &options, &out, &record->counts, err);
}

static int note_key(char **to, const char *key, struct err *err)
{
    *to = strdup(key);
    return *to ? 0 : err_set(err, E_NOMEM, 0, "no memory for a record");
}

static int describe(struct part_record *record, const struct work *w,
                    const struct noted_object *raw, const struct part_names *names, struct err *err)
{
    *record = (struct part_record){.raw = *raw, .before = w->before};
    record->raw.key = NULL;
    int r = note_key(&record->raw.key, raw->key, err);
    if (r == 0)
        r = note_key(&record->answer.key, names->answer.text, err);
    return r == 0 ? note_key(&record->trace.key, names->trace.text, err) : r;
}

static int write_part(struct work *w, struct raw_part *part, const struct noted_object *raw,
                      const struct part_names *names, struct part_record *record, struct err *err)
{
    CLEANUP(part_writer_abandon) struct part_writer answer = {0}, trace = {0};
    struct store *private = w->run->o->private;
    struct key key;
    int r = describe(record, w, raw, names, err);
    if (r == 0)
        r = run_key(w->run, &key, err, "intermediate/internal/verify1/%s", names->answer.text);
    if (r == 0)
        r = part_writer_open(&answer, private, key.text, err);
    if (r == 0)
        r = run_key(w->run, &key, err, "state/verify1/%s", names->trace.text);
    if (r == 0)
        r = part_writer_open(&trace, private, key.text, err);
    if (r == 0)
        r = pass_over(w, part, raw, &answer, &trace, record, err);
    if (r < 0)
        return r;
    record->raw.has_hash = true;
    record->packed = raw_part_packed(part);
    r = part_writer_commit(&answer, &record->answer, err);
    if (r == 0)
        r = part_writer_commit(&trace, &record->trace, err);
    return r == 0 ? part_record_write(record, private, names->record.text, err) : r;
}

/* The part that was opened ahead, or this one opened now. */
static int take_part(struct work *w, const struct noted_object *raw, struct raw_part *part,
                     struct err *err)
{
    if (w->ahead_key == raw->key) {
        *part = w->ahead;
        w->ahead = (struct raw_part){0};
        w->ahead_key = NULL;
        return 0;
    }
    return raw_part_open(part, w->run, raw->key, err);
}

static int compute_part(struct work *w, const struct noted_object *raw,
                        const struct noted_object *next, const struct part_names *names,
                        struct part_record *record, struct err *err)
{
    struct raw_part part = {0};
    int r = take_part(w, raw, &part, err);
    if (r == 0 && next) {
        w->ahead_key = next->key;
        r = raw_part_open(&w->ahead, w->run, next->key, err);
    }
    if (r == 0)
        r = write_part(w, &part, raw, names, record, err);
    raw_part_close(&part);
    return err_wrap(err, r, "raw/%s", raw->key);
}

/* One part more has had its say about duplicates. */
static int add_before(struct work *w, const struct noted_object *raw, struct err *err)
{
    CLEANUP(hasher_freep) struct hasher *hasher = NULL;
    int r = hasher_new(&hasher, err);
    if (r == 0)
        r = hasher_add(hasher, span_of(w->before.bytes, HASH_BYTES), err);
    if (r == 0)
        r = hasher_add_text(hasher, raw->key, err);
    if (r == 0)
        r = hasher_add_text(hasher, raw->version, err);
    return r == 0 ? hasher_finish(hasher, &w->before, err) : r;
}

static int handle_part(struct work *w, size_t i, struct noted_object *raw,
                       const struct noted_object *next, struct err *err)
{
    struct part_names names;
    CLEANUP(part_record_deinit) struct part_record record = {0};
    const bool first = w->run->o->points == PRIO_POINTS_FIRST;
    int r = name_part(w, i, &names, err);
    // Without points of their own, records depend on all that came before in the part only.
    const bool may_reuse = first && !w->run->fresh;
    const int reused = r == 0 && may_reuse ? reuse_part(w, raw, &names, &record, err) : 0;
    if (r < 0 || reused < 0)
        return r < 0 ? r : reused;
    if (!reused) {
        part_record_deinit(&record);
        r = compute_part(w, raw, next, &names, &record, err);
    }
    if (r == 0)
        r = add_before(w, raw, err);
    if (r < 0)
        return r;
    if (reused || record.packed || !first)
        w->sum_whole = false;
    raw->hash = record.raw.hash;
    raw->has_hash = true;
    stage_counts_add(&w->counts, &record.counts);
    progress_reject(&w->run->progress, reused ? 0 : record.counts.error);
    pthread_mutex_lock(&w->run->mutex);
    r = object_list_add(&w->run->parts[RUN_VERIFY1], record.answer.key, record.answer.size,
                        record.answer.version, &record.answer.hash, err);
    pthread_mutex_unlock(&w->run->mutex);
    return r;
}

static int handle_parts(struct work *w, struct err *err)
{
    size_t first = 0, number = 0;
    const size_t n = run_batch_objects(w->raw, w->dir.text, &first);
    int r = 0;
    for (size_t i = first; i < first + n && r == 0; i++) {
        struct noted_object *raw = &w->raw->objects[i];
        if (!run_is_part(raw, w->dir.text))
            continue;
        const struct noted_object *next = NULL;
        for (size_t k = i + 1; k < first + n && !next; k++)
            if (run_is_part(&w->raw->objects[k], w->dir.text))
                next = &w->raw->objects[k];
        r = handle_part(w, number++, raw, next, err);
    }
    return r;
}

static int start_work(struct work *w, struct run *run, struct run_batch *batch,
                      struct object_list *raw, struct err *err)
{
    *w = (struct work){.run = run, .batch = batch, .raw = raw, .sum_whole = true};
    seen_init_keyed(&w->seen, &batch->key);
    prio_sum_free(batch->sum);
    batch->sum = NULL;
    if (prio_sum_new(&batch->sum, batch->server) != PRIO_OK)
        return err_set(err, E_NOMEM, 0, "no memory for a sum");
    const char *const texts[] = {run->o->date, run->o->app_name, batch->entry->batch_id, "verify1",
                                 NULL};
    int r = layout_derived_uuid(w->uuid, texts, err);
    return r == 0 ? key_make(&w->dir, err, "shares/%s", batch->dir) : r;
}

static int verify1_batch(struct run *run, struct run_batch *batch, void *arg, struct err *err)
{
    struct key marker;
    struct work w;
    int r = start_work(&w, run, batch, arg, err);
    if (r == 0)
        r = handle_parts(&w, err);
    raw_part_close(&w.ahead);
    seen_deinit(&w.seen);
    if (r == 0)
        r = run_key(run, &marker, err, "intermediate/internal/verify1/%s/_SUCCESS", batch->dir);
    if (r == 0)
        r = run_mark(run, run->o->private, marker.text, err);
    if (r < 0)
        return r;
    if (!w.sum_whole) {
        prio_sum_free(batch->sum);
        batch->sum = NULL;
    }
    batch->stages[RUN_VERIFY1] = (struct run_counts){.done = true, .counts = w.counts};
    return 0;
}

/* Which batches have raw data; says which have not. Their bytes together. */
static uint64_t find_batches(struct run *run, const struct object_list *raw, bool *wanted)
{
    uint64_t bytes = 0;
    for (size_t b = 0; b < run->n_batches; b++) {
        struct key dir;
        size_t first = 0, n = 0;
        wanted[b] = false;
        if (key_make(&dir, NULL, "shares/%s", run->batches[b].dir) == 0)
            n = run_batch_objects(raw, dir.text, &first);
        for (size_t i = first; i < first + n; i++)
            if (run_is_part(&raw->objects[i], dir.text)) {
                wanted[b] = true;
                bytes += raw->objects[i].size;
            }
        if (!wanted[b])
            run_say(run, "data for %s does not exist, skipping...",
                    run->batches[b].entry->batch_id);
    }
    return bytes;
}

/* One reading of everything. @return 1: it stood still meanwhile, 0: again, or E_*. */
static int verify1_round(struct run *run, struct err *err)
{
    bool *wanted = calloc(run->n_batches + 1, sizeof *wanted);
    struct object_list *raw = &run->raw;
    CLEANUP(object_list_deinit) struct object_list after = {0};
    if (!wanted)
        return err_set(err, E_NOMEM, 0, "no memory for the batches");
    object_list_deinit(&run->parts[RUN_VERIFY1]);
    int r = raw_list(run, raw, err);
    if (r == 0 && raw_has_marker(raw)) {
        const uint64_t bytes = find_batches(run, raw, wanted);
        run_stage_begin(run, "verify1", bytes);
        r = run_each_batch(run, wanted, verify1_batch, raw, err);
        run_stage_end(run, r == 0);
    }
    free(wanted);
    // What vanished or was torn while it was read is a change like any other.
    if (r < 0 && r != E_ABSENT && r != E_FORMAT && r != E_IO)
        return r;
    struct err later = {0};
    const int listed = raw_list(run, &after, r < 0 ? &later : err);
    if (r < 0)
        return listed == 0 && !object_list_equal(raw, &after) ? 0 : r;
    return listed < 0 ? listed : raw_has_marker(raw) && object_list_equal(raw, &after);
}

static int settle_round(struct run *run, struct err *err)
{
    int r = raw_note(run, &run->raw, err);
    if (r == 0)
        r = raw_digest(run, &run->raw, &run->state.raw.hash, err);
    run->state.raw.set = r == 0;
    return r == 0 ? answer_record(run, RUN_VERIFY1, err) : r;
}

int run_verify1(struct run *run, struct err *err)
{
    for (int round = 0; round < MOST_ROUNDS; round++) {
        int r = run_wait_raw(run, err);
        if (r == 0)
            r = verify1_round(run, err);
        if (r < 0)
            return r;
        if (r == 1)
            return settle_round(run, err);
        log_warning("the raw data changed while they were read; reading them again");
    }
    return err_set(err, E_IO, 0, "the raw data changed %d times while they were read", MOST_ROUNDS);
}
