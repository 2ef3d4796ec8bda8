/* SPDX-License-Identifier: MPL-2.0 */
#include "processor/stage_parts.h"

#include "base/log.h"
#include "processor/layout.h"

#include <stdlib.h>

enum { MOST_ROUNDS = 10 };

int stage_part_name(struct run *run, struct run_batch *batch, enum run_stage stage, size_t number,
                    struct key *relative, struct err *err)
{
    char uuid[LAYOUT_UUID_BYTES], name[LAYOUT_NAME_BYTES];
    const char *const texts[] = {run->o->date, run->o->app_name, batch->entry->batch_id,
                                 run_stage_name(stage), NULL};
    const int r = layout_derived_uuid(uuid, texts, err);
    if (r < 0)
        return r;
    layout_part_name(name, (unsigned)number, uuid, LAYOUT_STAGE);
    return key_make(relative, err, "%s/%s", batch->dir, name);
}

int stage_part_open(struct run *run, enum run_stage stage, const struct key *relative,
                    struct part_writer *writer, struct err *err)
{
    struct key key;
    const int r = run_key(run, &key, err, "intermediate/internal/%s/%s", run_stage_name(stage),
                          relative->text);
    return r == 0 ? part_writer_open(writer, run->o->private, key.text, err) : r;
}

int stage_part_commit(struct run *run, enum run_stage stage, const struct key *relative,
                      struct part_writer *writer, struct err *err)
{
    struct noted_object object;
    int r = part_writer_commit(writer, &object, err);
    if (r < 0)
        return r;
    pthread_mutex_lock(&run->mutex);
    r = object_list_add(&run->parts[stage], relative->text, object.size, object.version,
                        &object.hash, err);
    pthread_mutex_unlock(&run->mutex);
    return r;
}

int stage_batch_done(struct run *run, struct run_batch *batch, enum run_stage stage,
                     const struct stage_counts *counts, struct err *err)
{
    struct key marker;
    int r = run_key(run, &marker, err, "intermediate/internal/%s/%s/_SUCCESS",
                    run_stage_name(stage), batch->dir);
    if (r == 0)
        r = run_mark(run, run->o->private, marker.text, err);
    if (r < 0)
        return r;
    batch->stages[stage].done = true;
    batch->stages[stage].counts = *counts;
    progress_reject(&run->progress, counts->error);
    return 0;
}

void stage_find_batches(struct run *run, enum run_stage before, bool *wanted)
{
    for (size_t b = 0; b < run->n_batches; b++) {
        const struct run_batch *batch = &run->batches[b];
        size_t first;
        const bool mail = run_batch_objects(&run->mail[before], batch->dir, &first) > 0;
        const bool own = run_batch_objects(&run->parts[before], batch->dir, &first) > 0;
        wanted[b] = mail && own;
        if (!mail)
            run_say(run, "data for %s does not exist, skipping...", batch->entry->batch_id);
        if (mail != own)
            log_event(LOG_LEVEL_WARNING,
                      own ? "the partner has nothing for a batch that this server has"
                          : "this server has nothing for a batch that the partner has",
                      LOG_S("batch", batch->entry->batch_id),
                      LOG_S("stage", run_stage_name(before)));
    }
}

static uint64_t bytes_of(const struct object_list *list)
{
    uint64_t bytes = 0;
    for (size_t i = 0; i < list->n; i++)
        bytes += list->objects[i].size;
    return bytes;
}

/* What may come of objects that are replaced while they are read. */
static bool may_be_a_change(int r)
{
    return r == E_ABSENT || r == E_FORMAT || r == E_IO;
}

static int answer_batches(struct run *run, enum run_stage before, const char *label,
                          run_batch_fn *fn, struct err *err)
{
    bool *wanted = calloc(run->n_batches + 1, sizeof *wanted);
    if (!wanted)
        return err_set(err, E_NOMEM, 0, "no memory for the batches");
    stage_find_batches(run, before, wanted);
    run_stage_begin(run, label, bytes_of(&run->mail[before]));
    const int r = run_each_batch(run, wanted, fn, NULL, err);
    run_stage_end(run, r == 0);
    free(wanted);
    return r;
}

/* @return 1: the mailbox stood still, 0: again, or E_*. */
static int one_round(struct run *run, enum run_stage before, const char *label, run_batch_fn *fn,
                     struct err *err)
{
    int r = mail_verify(run, before, err);
    if (r == 0)
        r = answer_batches(run, before, label, fn, err);
    if (r < 0 && !may_be_a_change(r))
        return r;
    struct err later = {0};
    const int changed = mail_changed(run, before, r < 0 ? &later : err);
    if (r < 0)
        return changed == 1 ? 0 : r;
    return changed < 0 ? changed : !changed;
}

/* What an earlier round made of a stage is void. */
static void forget_round(struct run *run, enum run_stage before, struct object_list *results)
{
    for (size_t b = 0; b < run->n_batches; b++) {
        struct run_batch *batch = &run->batches[b];
        batch->published = false;
        if (!results)
            continue;
        batch->withheld = false;
        batch->stages[before + 1] = (struct run_counts){0};
    }
    if (results)
        object_list_deinit(results);
}

int stage_answer_mail(struct run *run, enum run_stage before, const char *label,
                      struct object_list *results, run_batch_fn *fn, struct err *err)
{
    for (int round = 0; round < MOST_ROUNDS; round++) {
        int r = mail_wait(run, before, err);
        forget_round(run, before, results);
        if (r == 0)
            r = one_round(run, before, label, fn, err);
        if (r < 0)
            return r;
        if (r == 1)
            return mail_record(run, before, err);
        log_event(LOG_LEVEL_WARNING, "the mailbox changed while it was read; reading it again",
                  LOG_S("stage", run_stage_name(before)));
    }
    return err_set(err, E_IO, 0, "the partner's %s changed %d times while it was read",
                   run_stage_name(before), MOST_ROUNDS);
}
