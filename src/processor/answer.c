/* SPDX-License-Identifier: MPL-2.0 */
/*
 * One answer per stage (prio-processor.md D4). What a stage answers is digested into run.json
 * before the first object of it leaves; from then on a restart sends exactly that, or stops.
 */
#include "base/log.h"
#include "processor/run.h"

#include <stdlib.h>
#include <string.h>

static int folder_key(const struct run *run, enum run_stage stage, struct key *key, struct err *err)
{
    return run_key(run, key, err, "intermediate/internal/%s/", run_stage_name(stage));
}

/* Delete what lies in the stage's folder and is not of this run: parts of other names, batches that
 * fell away, temporary files (D5). */
static int delete_strangers(struct run *run, enum run_stage stage, struct err *err)
{
    CLEANUP(object_list_deinit) struct object_list there = {0};
    struct key folder, key;
    int r = folder_key(run, stage, &folder, err);
    if (r == 0)
        r = run_list(&there, run->o->private, folder.text, err);
    for (size_t i = 0; i < there.n && r == 0; i++) {
        const char *name = there.objects[i].key;
        const char *slash = strrchr(name, '/');
        bool ours = object_list_find(&run->parts[stage], name) != NULL;
        for (size_t b = 0; slash && b < run->n_batches && !ours; b++)
            ours = run->batches[b].stages[stage].done && strcmp(slash, "/_SUCCESS") == 0 &&
                   strncmp(name, run->batches[b].dir, (size_t)(slash - name)) == 0 &&
                   run->batches[b].dir[slash - name] == '\0';
        if (ours)
            continue;
        r = key_make(&key, err, "%s%s", folder.text, name);
        if (r == 0)
            r = store_delete_one(run->o->private, key.text, err);
    }
    return r;
}

int answer_record(struct run *run, enum run_stage stage, struct err *err)
{
    struct key key;
    object_list_sort(&run->parts[stage]);
    int r = delete_strangers(run, stage, err);
    if (r == 0)
        r = run_key(run, &key, err, "state/%s.json", run_stage_name(stage));
    if (r == 0)
        r = object_list_write(&run->parts[stage], run->o->private, key.text, err);
    if (r == 0)
        r = run_counts_save(run, stage, err);
    if (r == 0)
        r = object_list_digest(&run->parts[stage], &run->state.answer[stage].hash, err);
    if (r < 0)
        return r;
    run->state.answer[stage].set = true;
    run->state.mirrored[stage] = false;
    return run_save(run, err);
}

static int hash_own(struct run *run, const char *folder, const struct noted_object *o,
                    struct hash *out, struct err *err)
{
    struct key key;
    const int r = key_make(&key, err, "%s%s", folder, o->key);
    return r == 0 ? object_hash(run->o->private, key.text, out, err) : r;
}

/* The parts that stand in the folder now, with their hashes: known ones where nothing has changed.
 */
static int list_parts(struct run *run, enum run_stage stage, const struct object_list *known,
                      struct object_list *parts, struct err *err)
{
    CLEANUP(object_list_deinit) struct object_list there = {0};
    struct key folder;
    int r = folder_key(run, stage, &folder, err);
    if (r == 0)
        r = run_list(&there, run->o->private, folder.text, err);
    for (size_t i = 0; i < there.n && r == 0; i++) {
        struct noted_object *o = &there.objects[i];
        const char *name = strrchr(o->key, '/');
        if (!name || name[1] == '_' || name[1] == '.')
            continue;
        const struct noted_object *same = object_list_find(known, o->key);
        struct hash hash;
        if (same && noted_equal(same, o) && same->has_hash)
            hash = same->hash;
        else
            r = hash_own(run, folder.text, o, &hash, err);
        if (r == 0)
            r = object_list_add(parts, o->key, o->size, o->version, &hash, err);
    }
    object_list_sort(parts);
    return r;
}

int answer_check(struct run *run, enum run_stage stage, struct err *err)
{
    CLEANUP(object_list_deinit) struct object_list known = {0};
    struct key key;
    struct hash now;
    const char *name = run_stage_name(stage);
    int r = run_key(run, &key, err, "state/%s.json", name);
    if (r < 0)
        return r;
    struct err ignored = {0};
    // Without the list everything is hashed again; what counts is the digest in run.json.
    if (object_list_read(&known, run->o->private, key.text, &ignored) < 0)
        object_list_deinit(&known);
    object_list_deinit(&run->parts[stage]);
    r = list_parts(run, stage, &known, &run->parts[stage], err);
    if (r == 0)
        r = object_list_digest(&run->parts[stage], &now, err);
    if (r < 0)
        return r;
    if (hash_equal(&now, &run->state.answer[stage].hash))
        return 0;
    return err_set(err, E_FORMAT, 0,
                   "the own answer of %s has changed since it was recorded (%s below "
                   "intermediate/internal/): restore it, or stage new raw data on both servers",
                   name, name);
}
