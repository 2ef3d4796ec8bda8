/*
 * object_list.h - what a run has read or written, so that it can be recognised and deleted later:
 * keys with size and version, and a digest where the contents were seen.
 */
#pragma once

#include "processor/hash.h"
#include "store/store.h"

struct noted_object {
    char *key; // relative to what the list is about
    uint64_t size;
    char version[STORE_VERSION_BYTES];
    bool has_hash;
    struct hash hash; // of the contents, or of a share file's identity
};

struct object_list {
    struct noted_object *objects; // sorted by key once object_list_sort was called
    size_t n, cap;
};

void object_list_deinit(struct object_list *list); // zeroed is fine
/** hash NULL: none. @return 0 or E_NOMEM. */
MUST_CHECK int object_list_add(struct object_list *list, const char *key, uint64_t size,
                               const char *version, const struct hash *hash, struct err *err);
/** Take out what lies below a folder ("dir", without a slash); keeps the order of the rest. */
void object_list_drop_below(struct object_list *list, const char *dir);
void object_list_sort(struct object_list *list);
/** In a sorted list. @return NULL when absent. */
struct noted_object *object_list_find(const struct object_list *list, const char *key);
/** The objects of a listing, each key without its first strlen(prefix) bytes. */
MUST_CHECK int object_list_take(struct object_list *list, const struct store_listing *listing,
                                size_t prefix_len, struct err *err);

/** Same key, size and version? */
bool noted_equal(const struct noted_object *a, const struct noted_object *b);
/** The same objects, each in the same version? Both sorted. */
bool object_list_equal(const struct object_list *a, const struct object_list *b);
/** Is every object of `part` in `whole`, in the same version? Both sorted. */
bool object_list_within(const struct object_list *part, const struct object_list *whole);

/** One digest for all objects that have a hash: keys and hashes in order. */
MUST_CHECK int object_list_digest(const struct object_list *list, struct hash *out,
                                  struct err *err);

/** The hash of an object's bytes, by reading them. @return 0, E_ABSENT or E_*. */
MUST_CHECK int object_hash(struct store *store, const char *key, struct hash *out, struct err *err);

/** Write as JSON. @return 0 or E_*. */
MUST_CHECK int object_list_write(const struct object_list *list, struct store *store,
                                 const char *key, struct err *err);
/** @return 0 and a sorted list, E_ABSENT, E_FORMAT, or E_*. */
MUST_CHECK int object_list_read(struct object_list *list, struct store *store, const char *key,
                                struct err *err);
