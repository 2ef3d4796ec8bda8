/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The end of a run (prio-processor.md 5.9, D7): what it read and wrote goes from the own buckets,
 * results stay. Only objects that are still what this run saw are deleted, so that data that arrive
 * meanwhile are safe. It may be killed anywhere and begun again: the lists of what to delete go
 * last.
 */
#include "base/log.h"
#include "processor/run.h"

#include <stdio.h>
#include <string.h>

struct finish {
    struct run *run;
    uint64_t n_deleted, n_kept;
};

static bool is_root_marker(const struct noted_object *o)
{
    return strcmp(o->key, "_SUCCESS") == 0 || strcmp(o->key, "shares/_SUCCESS") == 0;
}

/* Delete o if it is still there as it was noted. *kept: it is another by now. */
static int delete_noted(struct finish *f, struct store *store, const char *folder,
                        const struct noted_object *o, bool *kept, struct err *err)
{
    struct key key;
    int r = key_make(&key, err, "%s%s", folder, o->key);
    if (r < 0)
        return r;
    struct store_object object = {.key = key.text, .size = o->size};
    memcpy(object.version, o->version, sizeof object.version);
    r = store_delete_version(store, &object, err);
    if (r == STORE_CONFLICT) {
        *kept = true;
        f->n_kept++;
        return 0;
    }
    f->n_deleted += r == 0;
    return r;
}

/* All objects of a list but the stage's marker. */
static int delete_data(struct finish *f, struct store *store, const char *folder,
                       const struct object_list *list, bool *kept, struct err *err)
{
    int r = 0;
    for (size_t i = 0; i < list->n && r == 0; i++)
        if (!is_root_marker(&list->objects[i]))
            r = delete_noted(f, store, folder, &list->objects[i], kept, err);
    return r;
}

static int delete_marker(struct finish *f, struct store *store, const char *folder,
                         const struct object_list *list, struct err *err)
{
    bool kept = false;
    int r = 0;
    for (size_t i = 0; i < list->n && r == 0; i++)
        if (is_root_marker(&list->objects[i]))
            r = delete_noted(f, store, folder, &list->objects[i], &kept, err);
    return r;
}

/* @return 1 and the list, 0: there is none, so nothing is known of what was read, or E_*. */
static int recall_list(struct run *run, const char *name, struct object_list *list, struct err *err)
{
    struct key key;
    int r = run_key(run, &key, err, "state/%s", name);
    if (r == 0)
        r = object_list_read(list, run->o->private, key.text, err);
    return r == E_ABSENT ? 0 : r == 0 ? 1 : r;
}

static int finish_raw(struct finish *f, struct err *err)
{
    CLEANUP(object_list_deinit) struct object_list list = {0};
    struct key folder;
    bool kept = false;
    int r = recall_list(f->run, "raw.json", &list, err);
    if (r <= 0)
        return r;
    r = run_key(f->run, &folder, err, "raw/");
    if (r == 0) // first, so that nobody takes half of the data for a new set
        r = delete_marker(f, f->run->o->ingest, folder.text, &list, err);
    return r == 0 ? delete_data(f, f->run->o->ingest, folder.text, &list, &kept, err) : r;
}

/* Does the stage hold anything but its marker? Then the marker stays: it may be that data's. */
static int is_empty(struct run *run, const char *folder, bool *empty, struct err *err)
{
    CLEANUP(object_list_deinit) struct object_list there = {0};
    const int r = run_list(&there, run->o->shared, folder, err);
    *empty = true;
    for (size_t i = 0; i < there.n; i++)
        *empty = *empty && is_root_marker(&there.objects[i]);
    return r;
}

static int finish_mail(struct finish *f, enum run_stage stage, struct err *err)
{
    CLEANUP(object_list_deinit) struct object_list list = {0};
    char name[64];
    struct key folder;
    bool kept = false, empty = false;
    (void)snprintf(name, sizeof name, "mail-%s.json", run_stage_name(stage));
    int r = recall_list(f->run, name, &list, err);
    if (r <= 0)
        return r;
    r = run_key(f->run, &folder, err, "intermediate/external/%s/", run_stage_name(stage));
    if (r == 0)
        r = delete_data(f, f->run->o->shared, folder.text, &list, &kept, err);
    if (r == 0)
        r = is_empty(f->run, folder.text, &empty, err);
    return r == 0 && empty ? delete_marker(f, f->run->o->shared, folder.text, &list, err) : r;
}

/* What lies below own/state/ but run.json and lock: the lists of what to delete, or all the rest.
 */
static int delete_state(struct finish *f, bool lists, struct err *err)
{
    CLEANUP(object_list_deinit) struct object_list there = {0};
    struct key folder, key;
    int r = run_key(f->run, &folder, err, "state/");
    if (r == 0)
        r = run_list(&there, f->run->o->private, folder.text, err);
    for (size_t i = 0; i < there.n && r == 0; i++) {
        const char *name = there.objects[i].key;
        const bool is_list = strcmp(name, "raw.json") == 0 || strncmp(name, "mail-", 5) == 0;
        if (strcmp(name, "run.json") == 0 || strcmp(name, "lock") == 0 || is_list != lists)
            continue;
        r = key_make(&key, err, "%s%s", folder.text, name);
        if (r == 0)
            r = store_delete_one(f->run->o->private, key.text, err);
        f->n_deleted += r == 0;
    }
    return r;
}

static int clean_up(struct finish *f, struct err *err)
{
    struct key internal;
    int r = finish_raw(f, err);
    for (int s = 0; s < RUN_STAGES && r == 0; s++)
        r = finish_mail(f, (enum run_stage)s, err);
    if (r == 0)
        r = run_key(f->run, &internal, err, "intermediate/internal/");
    if (r == 0)
        r = run_delete_below(f->run->o->private, internal.text, &f->n_deleted, err);
    if (r == 0)
        r = delete_state(f, false, err);
    return r == 0 ? delete_state(f, true, err) : r;
}

int run_finish(struct run *run, struct err *err)
{
    struct finish f = {.run = run};
    run->state.phase = RUN_PUBLISHED;
    int r = run_save(run, err);
    if (r < 0 || run->o->keep_state)
        return r;
    r = clean_up(&f, err);
    if (r == 0) {
        run->state.phase = RUN_CLEANED;
        r = run_save(run, err);
    }
    if (r < 0)
        return err_wrap(err, r, "cleaning up");
    log_event(LOG_LEVEL_INFO, "cleaned up", LOG_S("prefix", run->own),
              LOG_U("deleted", f.n_deleted), LOG_U("left_because_new", f.n_kept));
    return 0;
}
