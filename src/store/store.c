/* SPDX-License-Identifier: MPL-2.0 */
#include "store/store.h"

#include "base/buf.h"
#include "store/backend.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* A backend is one line here. */
static const struct store_backend *const backends[STORE_KINDS] = {
    [STORE_DIRECTORY] = &store_directory,
    [STORE_S3] = &store_s3,
    [STORE_GCS] = &store_gcs,
};

static int set_name(struct store *store, const struct store_config *config)
{
    const struct store_place *p = &store->place;
    const size_t prefix_len = strlen(p->prefix);
    int n;
    if (p->kind == STORE_DIRECTORY)
        n = asprintf(&store->name, "%s", p->bucket);
    else // the prefix without the "/" at its end
        n = asprintf(&store->name, "%s://%s%s%.*s", p->kind == STORE_S3 ? "s3" : "gs", p->bucket,
                     prefix_len > 0 ? "/" : "", prefix_len > 0 ? (int)prefix_len - 1 : 0,
                     p->prefix);
    if (n < 0)
        store->name = NULL; // asprintf leaves it undefined
    store->endpoint =
        strdup(config->endpoint && p->kind != STORE_DIRECTORY ? config->endpoint : "");
    return store->name && store->endpoint ? 0 : E_NOMEM;
}

static int open_backend(struct store *store, const struct store_config *config, struct err *err)
{
    int r = place_parse(&store->place, config, err);
    if (r < 0)
        return r;
    if (set_name(store, config) < 0)
        return err_set(err, E_NOMEM, 0, "no memory for a store");
    const struct store_backend *backend = backends[store->place.kind];
    if (!backend)
        return err_set(err, E_ARG, 0, "%s: this build has no such stores", store->name);
    r = backend->open(&store->self, &store->place, config, err);
    if (r < 0)
        return err_wrap(err, r, "%s", store->name);
    store->backend = backend;
    return 0;
}

int store_open(struct store **out, const struct store_config *config, struct err *err)
{
    struct store *store = calloc(1, sizeof *store);
    if (!store)
        return err_set(err, E_NOMEM, 0, "no memory for a store");
    store->lock_times =
        (struct lock_times){.wait_ms = 5 * 1000, .renew_ms = 10 * 1000, .expire_ms = 30 * 1000};
    const int r = open_backend(store, config, err);
    if (r < 0) {
        store_close(store);
        return r;
    }
    *out = store;
    return 0;
}

void store_close(struct store *store)
{
    if (!store)
        return;
    if (store->backend)
        store->backend->close(store->self);
    place_deinit(&store->place);
    free(store->name);
    free(store->endpoint);
    free(store);
}

const char *store_name(const struct store *store)
{
    return store->name;
}

bool store_same(const struct store *a, const struct store *b)
{
    if (a->place.kind != b->place.kind || strcmp(a->endpoint, b->endpoint) != 0)
        return false;
    if (strcmp(a->place.bucket, b->place.bucket) == 0)
        return strcmp(a->place.prefix, b->place.prefix) == 0;
    struct stat sa, sb; // two paths may lead to one directory
    return store_is_local(a) && stat(a->place.bucket, &sa) == 0 &&
           stat(b->place.bucket, &sb) == 0 && sa.st_dev == sb.st_dev && sa.st_ino == sb.st_ino;
}

bool store_is_local(const struct store *store)
{
    return store->place.kind == STORE_DIRECTORY;
}

/* Put the operation and the object's full name in front of what went wrong. */
static int wrap(const struct store *store, const char *doing, const char *key, int r,
                struct err *err)
{
    if (r == E_ABSENT)
        return err_set(err, r, 0, "%s/%s: no such object", store->name, key);
    return r < 0 ? err_wrap(err, r, "%s %s/%s", doing, store->name, key) : r;
}

static int list(struct store *store, const char *prefix, bool one_level, struct store_listing *out,
                struct err *err)
{
    struct store_listing listing = {0};
    int r = prefix_check(store, prefix, err);
    if (r < 0)
        return r;
    r = store->backend->list(store->self, prefix, one_level, &listing, err);
    if (r < 0) {
        store_listing_deinit(&listing);
        return err_wrap(err, r, "list %s/%s", store->name, prefix);
    }
    listing_sort(&listing);
    // The level's own directory object lies at it, not below.
    if (one_level && listing.n > 0 && strcmp(listing.objects[0].key, prefix) == 0)
        memmove(listing.objects, listing.objects + 1, --listing.n * sizeof *listing.objects);
    *out = listing;
    return 0;
}

int store_list(struct store *store, const char *prefix, struct store_listing *out, struct err *err)
{
    return list(store, prefix, false, out, err);
}

int store_list_level(struct store *store, const char *prefix, struct store_listing *out,
                     struct err *err)
{
    const size_t len = strlen(prefix);
    if (len > 0 && prefix[len - 1] != '/')
        return err_set(err, E_ARG, 0, "%s: the prefix \"%s\" is no level", store->name, prefix);
    return list(store, prefix, true, out, err);
}

int store_stat(struct store *store, const char *key, struct store_object *out, struct err *err)
{
    struct store_object object = {0};
    int r = key_check(store, key, false, err);
    if (r < 0)
        return r;
    r = store->backend->stat(store->self, key, &object, err);
    if (r < 0)
        return wrap(store, "look at", key, r, err);
    object.key = (char *)(uintptr_t)key; // borrowed, as the header says
    *out = object;
    return 0;
}

int store_get(struct store_reader **out, struct store *store, const char *key, uint64_t offset,
              uint64_t len, struct err *err)
{
    struct store_reader *reader = NULL;
    int r = key_check(store, key, false, err);
    if (r < 0)
        return r;
    r = store->backend->get(&reader, store->self, key, offset, len, err);
    if (!reader)
        return wrap(store, "read", key, r, err);
    reader->store = store;
    reader->key = reader->object.key = strdup(key);
    if (!reader->key) {
        store_reader_close(reader);
        return err_set(err, E_NOMEM, 0, "no memory for a reader");
    }
    *out = reader;
    return 0;
}

static ssize_t read_source(void *arg, void *dst, size_t cap, struct err *err)
{
    struct store_reader *reader = arg;
    const ssize_t n = reader->ops->read(reader, dst, cap, err);
    return n < 0 ? err_wrap(err, (int)n, "read %s/%s", reader->store->name, reader->key) : n;
}

struct source store_reader_source(struct store_reader *reader)
{
    return (struct source){.read = read_source, .arg = reader};
}

const struct store_object *store_reader_object(const struct store_reader *reader)
{
    return &reader->object;
}

void store_reader_close(struct store_reader *reader)
{
    if (!reader)
        return;
    char *key = reader->key;
    reader->ops->close(reader);
    free(key);
}

/* Fill bytes to the last, or fail. */
static int read_exactly(struct store_reader *reader, uint8_t *bytes, size_t len, struct err *err)
{
    const struct source source = store_reader_source(reader);
    for (size_t at = 0; at < len;) {
        const ssize_t n = source.read(source.arg, bytes + at, len - at, err);
        if (n < 0)
            return (int)n;
        if (n == 0)
            return err_set(err, E_IO, 0, "read %s/%s: it ended early", reader->store->name,
                           reader->key);
        at += (size_t)n;
    }
    return 0;
}

int store_get_all(struct store *store, const char *key, struct buf *out,
                  struct store_object *object, struct err *err)
{
    CLEANUP(store_reader_closep) struct store_reader *reader = NULL;
    int r = store_get(&reader, store, key, 0, STORE_TO_END, err);
    if (!reader)
        return r;
    const uint64_t size = reader->object.size;
    if (size > out->max - out->len)
        return err_set(err, E_NOMEM, 0, "%s/%s has %llu bytes, more than the %zu allowed here",
                       store->name, key, (unsigned long long)size, out->max - out->len);
    r = buf_reserve(out, (size_t)size, err);
    if (r == 0 && size > 0)
        r = read_exactly(reader, out->data + out->len, (size_t)size, err);
    if (r < 0)
        return r;
    out->len += (size_t)size;
    if (object) {
        *object = reader->object;
        object->key = (char *)(uintptr_t)key; // borrowed, as by store_stat
    }
    return 0;
}

int store_delete(struct store *store, const char *const *keys, size_t n, struct err *err)
{
    for (size_t i = 0; i < n; i++) {
        const int r = key_check(store, keys[i], false, err);
        if (r < 0)
            return r;
    }
    if (n == 0)
        return 0;
    const int r = store->backend->delete_many(store->self, keys, n, err);
    return r < 0 ? err_wrap(err, r, "delete in %s", store->name) : 0;
}

int store_delete_one(struct store *store, const char *key, struct err *err)
{
    return store_delete(store, &key, 1, err);
}

int store_delete_version(struct store *store, const struct store_object *object, struct err *err)
{
    int r = key_check(store, object->key, false, err);
    if (r < 0)
        return r;
    r = store->backend->delete_version(store->self, object, err);
    return wrap(store, "delete", object->key, r == E_ABSENT ? 0 : r, err);
}

int store_check(struct store *store, struct err *err)
{
    const int r = store->backend->check(store->self, err);
    if (r == E_ABSENT)
        return err_set(err, r, 0, "%s: no such %s", store->name,
                       store_is_local(store) ? "directory" : "bucket");
    return r < 0 ? err_wrap(err, r, "%s", store->name) : 0;
}
