/* SPDX-License-Identifier: MPL-2.0 */
#include "processor/part_writer.h"

#include <stdio.h>

int part_writer_open(struct part_writer *w, struct store *store, const char *key, struct err *err)
{
    const int r = hasher_new(&w->hasher, err);
    return r == 0 ? store_put_begin(&w->writer, store, key, NULL, err) : r;
}

static int write_part(void *arg, const void *bytes, size_t len, struct err *err)
{
    struct part_writer *w = arg;
    const int r = hasher_add(w->hasher, span_of(bytes, len), err);
    w->n_bytes += len;
    return r == 0 ? store_writer_write(w->writer, bytes, len, err) : r;
}

struct stage_sink part_writer_sink(struct part_writer *w)
{
    return (struct stage_sink){.write = write_part, .arg = w};
}

int part_writer_commit(struct part_writer *w, struct noted_object *object, struct err *err)
{
    struct store_object written;
    int r = hasher_finish(w->hasher, &object->hash, err);
    if (r < 0)
        return r;
    r = store_writer_commit(w->writer, &written, err);
    w->writer = NULL;
    if (r != 0)
        return r;
    object->has_hash = true;
    object->size = w->n_bytes;
    (void)snprintf(object->version, sizeof object->version, "%s", written.version);
    return 0;
}

void part_writer_abandon(struct part_writer *w)
{
    store_writer_abandon(w->writer);
    w->writer = NULL;
    hasher_free(w->hasher);
    w->hasher = NULL;
}
