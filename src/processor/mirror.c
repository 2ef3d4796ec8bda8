/* SPDX-License-Identifier: MPL-2.0 */
/*
 * An own answer into the partner's mailbox (prio-processor.md 4.4, D5): the old marker away, data,
 * strangers away, recorded as complete, marker. So a partner that sees the marker sees the whole
 * answer, and a restart knows whether the partner may have consumed it.
 */
#include "base/log.h"
#include "base/pool.h"
#include "processor/manifest.h"
#include "processor/run.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { COPIES_AT_ONCE = 8 };

struct mirror {
    struct run *run;
    enum run_stage stage;
    struct key from, to;        // folders
    struct object_list objects; // data first, then the batches' markers
    size_t n_data;
    size_t end;              // of what is copied in this go
    struct object_list sent; // as written into the partner's mailbox; under run->mutex
    _Atomic size_t next;
    _Atomic uint64_t bytes;
};

static int note_sent(struct mirror *m, const char *key, const struct store_object *written,
                     struct err *err)
{
    pthread_mutex_lock(&m->run->mutex);
    const int r = object_list_add(&m->sent, key, written->size, written->version, NULL, err);
    pthread_mutex_unlock(&m->run->mutex);
    return r;
}

static int copy_object(struct mirror *m, const struct noted_object *o, struct err *err)
{
    uint8_t bytes[64 << 10];
    struct key from, to;
    CLEANUP(store_reader_closep) struct store_reader *reader = NULL;
    CLEANUP(store_writer_abandonp) struct store_writer *writer = NULL;
    int r = key_make(&from, err, "%s%s", m->from.text, o->key);
    if (r == 0)
        r = key_make(&to, err, "%s%s", m->to.text, o->key);
    if (r == 0)
        r = store_get(&reader, m->run->o->private, from.text, 0, STORE_TO_END, err);
    if (r == 0)
        r = store_put_begin(&writer, m->run->o->external_shared, to.text, NULL, err);
    if (r < 0)
        return r;
    const struct source source = store_reader_source(reader);
    ssize_t n;
    while ((n = source.read(source.arg, bytes, sizeof bytes, err)) > 0) {
        r = store_writer_write(writer, bytes, (size_t)n, err);
        if (r < 0)
            return r;
        m->bytes += (uint64_t)n;
    }
    if (n < 0)
        return (int)n;
    struct store_writer *whole = writer;
    struct store_object written = {0};
    writer = NULL; // a commit frees it, whatever comes of it
    r = store_writer_commit(whole, &written, err);
    return r == 0 ? note_sent(m, o->key, &written, err) : r;
}

static int copy_some(unsigned index, void *arg, struct err *err)
{
    struct mirror *m = arg;
    (void)index;
    for (size_t i; (i = m->next++) < m->end;) {
        const int r = copy_object(m, &m->objects.objects[i], err);
        if (r < 0)
            return r;
    }
    return 0;
}

/* Objects [from, to) of the list, several at once. */
static int copy_range(struct mirror *m, size_t from, size_t to, struct err *err)
{
    if (from == to)
        return 0;
    const size_t n = to - from;
    m->next = from;
    m->end = to;
    return pool_run(n < COPIES_AT_ONCE ? (unsigned)n : COPIES_AT_ONCE, copy_some, m, err);
}

static int add_object(struct mirror *m, const struct noted_object *o, struct err *err)
{
    return object_list_add(&m->objects, o->key, o->size, o->version, NULL, err);
}

/* What there is to send: the recorded parts, then each batch's marker. */
static int collect(struct mirror *m, struct err *err)
{
    struct run *run = m->run;
    int r = 0;
    for (size_t i = 0; i < run->parts[m->stage].n && r == 0; i++)
        r = add_object(m, &run->parts[m->stage].objects[i], err);
    m->n_data = m->objects.n;
    for (size_t b = 0; b < run->n_batches && r == 0; b++) {
        size_t first;
        struct key marker;
        if (run_batch_objects(&run->parts[m->stage], run->batches[b].dir, &first) == 0)
            continue;
        r = key_make(&marker, err, "%s/_SUCCESS", run->batches[b].dir);
        if (r == 0)
            r = object_list_add(&m->objects, marker.text, 0, "", NULL, err);
    }
    return r;
}

static bool is_sent(const struct mirror *m, const char *key)
{
    for (size_t i = 0; i < m->objects.n; i++)
        if (strcmp(m->objects.objects[i].key, key) == 0)
            return true;
    return strcmp(key, MANIFEST_NAME) == 0 && m->run->o->sign_key;
}

static int delete_strangers(struct mirror *m, struct err *err)
{
    CLEANUP(object_list_deinit) struct object_list there = {0};
    int r = run_list(&there, m->run->o->external_shared, m->to.text, err);
    for (size_t i = 0; i < there.n && r == 0; i++) {
        struct key key;
        if (is_sent(m, there.objects[i].key))
            continue;
        r = key_make(&key, err, "%s%s", m->to.text, there.objects[i].key);
        if (r == 0)
            r = store_delete_one(m->run->o->external_shared, key.text, err);
    }
    return r;
}

static int sent_key(const struct mirror *m, struct key *key, struct err *err)
{
    return run_key(m->run, key, err, "state/sent-%s.json", run_stage_name(m->stage));
}

/* What a restart compares the partner's mailbox with, which it may list but not read (4.1). */
static int record_sent(struct mirror *m, struct err *err)
{
    struct key key;
    const int r = sent_key(m, &key, err);
    object_list_sort(&m->sent);
    return r == 0 ? object_list_write(&m->sent, m->run->o->private, key.text, err) : r;
}

static int send(struct mirror *m, const char *marker, struct err *err)
{
    struct store *to = m->run->o->external_shared;
    int r = run_check_lock(m->run, err);
    if (r == 0)
        r = store_delete_one(to, marker, err);
    if (r == 0)
        r = collect(m, err);
    if (r == 0)
        r = copy_range(m, 0, m->n_data, err);
    if (r == 0)
        r = copy_range(m, m->n_data, m->objects.n, err);
    if (r == 0)
        r = manifest_send(m->run, m->stage, m->to.text, err);
    if (r == 0)
        r = delete_strangers(m, err);
    if (r == 0)
        r = record_sent(m, err);
    if (r < 0)
        return r;
    m->run->state.mirrored[m->stage] = true;
    return run_save(m->run, err);
}

enum left { LEFT_NOTHING, LEFT_MARKER, LEFT_EVERYTHING };

/*
 * Sent before. Where the marker is there, or the partner is done with all of it and has cleaned up,
 * nothing is left to do. Data without a marker have not been consumed: the marker is missing, or,
 * if they are not as they were written, everything.
 */
static int what_is_left(struct mirror *m, const char *marker, enum left *left, struct err *err)
{
    CLEANUP(object_list_deinit) struct object_list there = {0}, sent = {0};
    struct err ignored = {0};
    struct key key;
    int r = run_list(&there, m->run->o->external_shared, m->to.text, err);
    if (r == 0)
        r = sent_key(m, &key, err);
    if (r < 0)
        return r;
    *left = LEFT_NOTHING;
    if (there.n == 0 || object_list_find(&there, marker + strlen(m->to.text)))
        return 0;
    const bool known = object_list_read(&sent, m->run->o->private, key.text, &ignored) == 0;
    *left = known && object_list_within(&sent, &there) ? LEFT_MARKER : LEFT_EVERYTHING;
    return 0;
}

static int mirror(struct mirror *m, struct err *err)
{
    struct run *run = m->run;
    struct key marker;
    enum left left = LEFT_EVERYTHING;
    int r = key_make(&marker, err, "%s_SUCCESS", m->to.text);
    if (r == 0 && run->state.mirrored[m->stage])
        r = what_is_left(m, marker.text, &left, err);
    if (r < 0 || left == LEFT_NOTHING)
        return r;
    if (left == LEFT_EVERYTHING) {
        r = send(m, marker.text, err);
        run_report_sent(run, m->stage, m->bytes);
    }
    return r == 0 ? run_mark(run, run->o->external_shared, marker.text, err) : r;
}

int run_mirror(struct run *run, enum run_stage stage, struct err *err)
{
    struct mirror *m = calloc(1, sizeof *m);
    if (!m)
        return err_set(err, E_NOMEM, 0, "no memory to send %s", run_stage_name(stage));
    m->run = run;
    m->stage = stage;
    int r = run_key(run, &m->from, err, "intermediate/internal/%s/", run_stage_name(stage));
    if (r == 0)
        r = key_make(&m->to, err, "%sintermediate/external/%s/", run->partner,
                     run_stage_name(stage));
    if (r == 0)
        r = mirror(m, err);
    object_list_deinit(&m->objects);
    object_list_deinit(&m->sent);
    free(m);
    return r < 0 ? err_wrap(err, r, "sending %s to the partner", run_stage_name(stage)) : 0;
}
