/* SPDX-License-Identifier: MPL-2.0 */
#include "processor/object_list.h"

#include "processor/state_json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void object_list_deinit(struct object_list *list)
{
    for (size_t i = 0; i < list->n; i++)
        free(list->objects[i].key);
    free(list->objects);
    *list = (struct object_list){0};
}

int object_list_add(struct object_list *list, const char *key, uint64_t size, const char *version,
                    const struct hash *hash, struct err *err)
{
    if (list->n == list->cap) {
        const size_t cap = list->cap > 0 ? 2 * list->cap : 16;
        struct noted_object *grown = realloc(list->objects, cap * sizeof *grown);
        if (!grown)
            return err_set(err, E_NOMEM, 0, "no memory for a list of objects");
        list->objects = grown;
        list->cap = cap;
    }
    struct noted_object *o = &list->objects[list->n];
    *o = (struct noted_object){.size = size, .has_hash = hash != NULL};
    if (hash)
        o->hash = *hash;
    (void)snprintf(o->version, sizeof o->version, "%s", version);
    o->key = strdup(key);
    if (!o->key)
        return err_set(err, E_NOMEM, 0, "no memory for a list of objects");
    list->n++;
    return 0;
}

void object_list_drop_below(struct object_list *list, const char *dir)
{
    const size_t len = strlen(dir);
    size_t kept = 0;
    for (size_t i = 0; i < list->n; i++) {
        struct noted_object *o = &list->objects[i];
        if (strncmp(o->key, dir, len) == 0 && o->key[len] == '/')
            free(o->key);
        else
            list->objects[kept++] = *o;
    }
    list->n = kept;
}

static int compare(const void *a, const void *b)
{
    const struct noted_object *x = a, *y = b;
    return strcmp(x->key, y->key);
}

void object_list_sort(struct object_list *list)
{
    if (list->n > 1)
        qsort(list->objects, list->n, sizeof *list->objects, compare);
}

struct noted_object *object_list_find(const struct object_list *list, const char *key)
{
    const struct noted_object wanted = {.key = (char *)key};
    return list->n > 0 ? bsearch(&wanted, list->objects, list->n, sizeof wanted, compare) : NULL;
}

int object_list_take(struct object_list *list, const struct store_listing *listing,
                     size_t prefix_len, struct err *err)
{
    int r = 0;
    for (size_t i = 0; i < listing->n && r == 0; i++) {
        const struct store_object *o = &listing->objects[i];
        r = object_list_add(list, o->key + prefix_len, o->size, o->version, NULL, err);
    }
    object_list_sort(list);
    return r;
}

bool noted_equal(const struct noted_object *a, const struct noted_object *b)
{
    return a->size == b->size && strcmp(a->key, b->key) == 0 && strcmp(a->version, b->version) == 0;
}

bool object_list_within(const struct object_list *part, const struct object_list *whole)
{
    for (size_t i = 0; i < part->n; i++) {
        const struct noted_object *same = object_list_find(whole, part->objects[i].key);
        if (!same || !noted_equal(same, &part->objects[i]))
            return false;
    }
    return true;
}

bool object_list_equal(const struct object_list *a, const struct object_list *b)
{
    return a->n == b->n && object_list_within(a, b);
}

int object_list_digest(const struct object_list *list, struct hash *out, struct err *err)
{
    CLEANUP(hasher_freep) struct hasher *hasher = NULL;
    int r = hasher_new(&hasher, err);
    for (size_t i = 0; i < list->n && r == 0; i++) {
        const struct noted_object *o = &list->objects[i];
        if (!o->has_hash)
            continue;
        r = hasher_add_text(hasher, o->key, err);
        if (r == 0)
            r = hasher_add(hasher, span_of(o->hash.bytes, HASH_BYTES), err);
    }
    return r == 0 ? hasher_finish(hasher, out, err) : r;
}

static json_t *object_json(const struct noted_object *o)
{
    char hex[HASH_HEX_BYTES];
    if (!o->has_hash)
        return json_pack("{s:s, s:I, s:s}", "key", o->key, "size", (json_int_t)o->size, "version",
                         o->version);
    hash_to_hex(hex, &o->hash);
    return json_pack("{s:s, s:I, s:s, s:s}", "key", o->key, "size", (json_int_t)o->size, "version",
                     o->version, "hash", hex);
}

int object_list_write(const struct object_list *list, struct store *store, const char *key,
                      struct err *err)
{
    STATE_JSON *root = json_pack("{s:i, s:[]}", "format", 1, "objects");
    json_t *objects = json_object_get(root, "objects");
    for (size_t i = 0; i < list->n; i++)
        if (json_array_append_new(objects, object_json(&list->objects[i])) != 0)
            return err_set(err, E_NOMEM, 0, "no memory for a list of objects");
    return state_json_write(root, store, key, err);
}

static int read_object(struct object_list *list, const json_t *entry, struct err *err)
{
    const char *key, *version, *hex = NULL;
    json_int_t size;
    struct hash hash;
    if (json_unpack((json_t *)entry, "{s:s, s:I, s:s, s?s}", "key", &key, "size", &size, "version",
                    &version, "hash", &hex) != 0 ||
        size < 0 || (hex && !hash_from_hex(&hash, hex)))
        return err_set(err, E_FORMAT, 0, "entry %zu is damaged", list->n + 1);
    return object_list_add(list, key, (uint64_t)size, version, hex ? &hash : NULL, err);
}

int object_list_read(struct object_list *list, struct store *store, const char *key,
                     struct err *err)
{
    STATE_JSON *root = NULL;
    int r = state_json_read(&root, store, key, err);
    if (r < 0)
        return r;
    const json_t *objects = json_object_get(root, "objects");
    if (!json_is_array(objects))
        r = err_set(err, E_FORMAT, 0, "no list of objects");
    for (size_t i = 0; r == 0 && i < json_array_size(objects); i++)
        r = read_object(list, json_array_get(objects, i), err);
    object_list_sort(list);
    return r < 0 ? err_wrap(err, r, "%s: %s", store_name(store), key) : 0;
}

int object_hash(struct store *store, const char *key, struct hash *out, struct err *err)
{
    uint8_t bytes[16 << 10];
    CLEANUP(store_reader_closep) struct store_reader *object = NULL;
    CLEANUP(hasher_freep) struct hasher *hasher = NULL;
    int r = hasher_new(&hasher, err);
    if (r == 0)
        r = store_get(&object, store, key, 0, STORE_TO_END, err);
    if (r < 0)
        return r;
    const struct source source = store_reader_source(object);
    ssize_t n;
    while ((n = source.read(source.arg, bytes, sizeof bytes, err)) > 0) {
        r = hasher_add(hasher, span_of(bytes, (size_t)n), err);
        if (r < 0)
            return r;
    }
    return n < 0 ? (int)n : hasher_finish(hasher, out, err);
}
