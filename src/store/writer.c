/* SPDX-License-Identifier: MPL-2.0 */
#include "base/buf.h"
#include "store/backend.h"

#include <stdlib.h>
#include <string.h>

struct store_writer {
    struct store *store;
    char *key;
    struct store_put_options options;
    char *if_version; // options.if_version, copied
    struct buf part;
    void *upload; // NULL while everything fits into one part
    bool failed;  // a write was lost: commit must not make the rest visible
};

static void free_writer(struct store_writer *w)
{
    buf_deinit(&w->part);
    free(w->key);
    free(w->if_version);
    free(w);
}

static int check_put(const struct store *store, const char *key,
                     const struct store_put_options *options, struct err *err)
{
    if (options && options->if_absent && options->if_version)
        return err_set(err, E_ARG, 0, "if_absent and if_version exclude each other");
    return key_check(store, key, true, err);
}

static int wrap(const struct store_writer *w, int r, struct err *err)
{
    return r < 0 ? err_wrap(err, r, "write %s/%s", w->store->name, w->key) : r;
}

int store_put_begin(struct store_writer **out, struct store *store, const char *key,
                    const struct store_put_options *options, struct err *err)
{
    const int r = check_put(store, key, options, err);
    if (r < 0)
        return r;
    struct store_writer *w = calloc(1, sizeof *w);
    if (!w)
        return err_set(err, E_NOMEM, 0, "no memory for a writer");
    w->store = store;
    w->part = BUF_INIT(store->backend->part_bytes);
    w->key = strdup(key);
    if (options)
        w->options = *options;
    if (w->options.if_version)
        w->options.if_version = w->if_version = strdup(w->options.if_version);
    if (!w->key || (options && options->if_version && !w->if_version)) {
        free_writer(w);
        return err_set(err, E_NOMEM, 0, "no memory for a writer");
    }
    *out = w;
    return 0;
}

static int send_part(struct store_writer *w, struct err *err)
{
    const struct store_backend *b = w->store->backend;
    int r = 0;
    if (!w->upload)
        r = b->upload_begin(&w->upload, w->store->self, w->key, &w->options, err);
    if (r == 0)
        r = b->upload_part(w->upload, buf_span(&w->part), err);
    buf_clear(&w->part);
    return r;
}

int store_writer_write(struct store_writer *w, const void *bytes, size_t len, struct err *err)
{
    const uint8_t *rest = bytes;
    int r = 0;
    while (len > 0 && r == 0) {
        // A full part waits for the byte that follows it, so that the last part is never empty.
        if (w->part.len == w->part.max)
            r = send_part(w, err);
        const size_t room = w->part.max - w->part.len;
        const size_t n = len < room ? len : room;
        if (r == 0)
            r = buf_append(&w->part, rest, n, err);
        rest += n;
        len -= n;
    }
    w->failed = w->failed || r != 0;
    return wrap(w, r, err);
}

int store_writer_commit(struct store_writer *w, struct store_object *object, struct err *err)
{
    const struct store_backend *b = w->store->backend;
    struct store_object written = {0};
    int r;
    if (w->failed)
        r = err_set(err, E_ARG, 0, "an earlier part could not be written");
    else if (w->upload)
        r = b->upload_finish(w->upload, buf_span(&w->part), &written, err);
    else
        r = b->put(w->store->self, w->key, buf_span(&w->part), &w->options, &written, err);
    if (w->failed && w->upload)
        b->upload_abort(w->upload);
    written.key = NULL;
    if (r == 0 && object)
        *object = written;
    r = wrap(w, r, err);
    free_writer(w);
    return r;
}

void store_writer_abandon(struct store_writer *w)
{
    if (!w)
        return;
    if (w->upload)
        w->store->backend->upload_abort(w->upload);
    free_writer(w);
}

int store_put(struct store *store, const char *key, struct span bytes,
              const struct store_put_options *options, struct store_object *object, struct err *err)
{
    struct store_writer *w = NULL;
    int r = store_put_begin(&w, store, key, options, err);
    if (!w)
        return r;
    r = store_writer_write(w, bytes.ptr, bytes.len, err);
    if (r == 0)
        return store_writer_commit(w, object, err);
    store_writer_abandon(w);
    return r;
}
