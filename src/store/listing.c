/* SPDX-License-Identifier: MPL-2.0 */
#include "store/backend.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_OBJECTS = 10 * 1000 * 1000, FIRST_OBJECTS = 64, BLOCK_BYTES = 64 * 1024 };

/* Keys stay where they are while the array of objects moves. */
struct listing_block {
    struct listing_block *next;
    size_t used, cap;
    char bytes[];
};

static char *keep_text(struct store_impl_listing *impl, struct span text)
{
    struct listing_block *block = impl->keys;
    if (!block || block->cap - block->used <= text.len) {
        const size_t cap = text.len >= BLOCK_BYTES ? text.len + 1 : BLOCK_BYTES;
        block = malloc(sizeof *block + cap);
        if (!block)
            return NULL;
        *block = (struct listing_block){.next = impl->keys, .cap = cap};
        impl->keys = block;
    }
    char *copy = block->bytes + block->used;
    if (text.len > 0)
        memcpy(copy, text.ptr, text.len);
    copy[text.len] = '\0';
    block->used += text.len + 1;
    return copy;
}

static int grow(struct store_listing *listing, struct err *err)
{
    if (listing->n >= MAX_OBJECTS)
        return err_set(err, E_NOMEM, 0, "more than %d objects", MAX_OBJECTS);
    if (!listing->impl && !(listing->impl = calloc(1, sizeof *listing->impl)))
        return err_set(err, E_NOMEM, 0, "no memory for a listing");
    if (listing->n < listing->impl->cap)
        return 0;
    const size_t cap = listing->n > 0 ? listing->n + listing->n / 2 : FIRST_OBJECTS;
    struct store_object *objects = realloc(listing->objects, cap * sizeof *objects);
    if (!objects)
        return err_set(err, E_NOMEM, 0, "no memory for a listing of %zu objects", listing->n);
    listing->objects = objects;
    listing->impl->cap = cap;
    return 0;
}

int listing_add(struct store_listing *listing, struct span key, const struct store_object *object,
                struct err *err)
{
    const int r = grow(listing, err);
    if (r < 0)
        return r;
    char *copy = keep_text(listing->impl, key);
    if (!copy)
        return err_set(err, E_NOMEM, 0, "no memory for a listing of %zu objects", listing->n);
    listing->objects[listing->n] = *object;
    listing->objects[listing->n++].key = copy;
    return 0;
}

static int by_key(const void *a, const void *b)
{
    return strcmp(((const struct store_object *)a)->key, ((const struct store_object *)b)->key);
}

static bool is_sorted(const struct store_listing *listing)
{
    for (size_t i = 1; i < listing->n; i++)
        if (by_key(&listing->objects[i - 1], &listing->objects[i]) > 0)
            return false;
    return true;
}

/* What is replaced while it is listed may turn up twice. */
static void drop_repeats(struct store_listing *listing)
{
    size_t n = 0;
    for (size_t i = 0; i < listing->n; i++)
        if (n == 0 || by_key(&listing->objects[n - 1], &listing->objects[i]) != 0)
            listing->objects[n++] = listing->objects[i];
    listing->n = n;
}

void listing_sort(struct store_listing *listing)
{
    // Servers list in order; their pages are not to be sorted again.
    if (!is_sorted(listing))
        qsort(listing->objects, listing->n, sizeof *listing->objects, by_key);
    drop_repeats(listing);
}

void store_listing_deinit(struct store_listing *listing)
{
    for (struct listing_block *block = listing->impl ? listing->impl->keys : NULL; block;) {
        struct listing_block *next = block->next;
        free(block);
        block = next;
    }
    free(listing->impl);
    free(listing->objects);
    *listing = (struct store_listing){0};
}
