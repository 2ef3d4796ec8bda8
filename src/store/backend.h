/*
 * backend.h - what a backend (dir.c, s3.c, gcs.c) gives to store.c. For the files of store/ only.
 *
 * store.c and its neighbours check arguments, buffer writes, sort listings and name store and key
 * in errors; a backend speaks its protocol, and its err texts say the cause alone ("403
 * AccessDenied"). Every function may be called by several threads at a time, with keys that
 * key_check let pass.
 */
#pragma once

#include "store/store.h"

struct http_stream;

enum store_kind { STORE_DIRECTORY, STORE_S3, STORE_GCS, STORE_KINDS };

/* A URL, taken apart. */
struct store_place {
    enum store_kind kind;
    char *bucket; // directories: the absolute path of the root, without "/" at its end but for "/"
    char *prefix; // "", or "a/b/" in front of every key; directories: always ""
};
/** @return 0, E_ARG or E_NOMEM. place is to be deinited in any case. */
MUST_CHECK int place_parse(struct store_place *place, const struct store_config *config,
                           struct err *err);
void place_deinit(struct store_place *place);

/* The listing under construction: listing.c. Zero-initialise it. */
struct store_impl_listing {
    size_t cap;
    struct listing_block *keys; // the texts of the keys
};
/**
 * Add an object; key is copied, object->key ignored. Any order.
 * @return 0, or E_NOMEM, also beyond the limit of store_list.
 */
MUST_CHECK int listing_add(struct store_listing *listing, struct span key,
                           const struct store_object *object, struct err *err);
/** By key; of a key that was added twice, one stays. store.c calls it. */
void listing_sort(struct store_listing *listing);

/* A backend's reader begins with this. */
struct store_reader {
    const struct store_reader_ops *ops;
    struct store_object object; // filled by get, but for the key
    char *key;                  // this and what follows: store.c's
    struct store *store;
};
struct store_reader_ops {
    /** As source.read. */
    ssize_t (*read)(struct store_reader *reader, void *dst, size_t cap, struct err *err);
    void (*close)(struct store_reader *reader); // frees it
};

/* A backend's lock begins with this. */
struct store_lock {
    const struct store_lock_ops *ops;
    char *key; // this and what follows: store.c's
    struct store *store;
};
struct store_lock_ops {
    int (*check)(struct store_lock *lock, struct err *err);
    void (*unlock)(struct store_lock *lock); // frees it
};

struct store_backend {
    /* Writes are gathered to parts of so many bytes; an object that fits into one goes to put. */
    size_t part_bytes;

    /** *self is what the other functions are given. config's texts are borrowed during the call. */
    int (*open)(void **self, const struct store_place *place, const struct store_config *config,
                struct err *err);
    void (*close)(void *self);
    /** The bucket or the root is there and may be listed. @return 0, E_ABSENT or E_*. */
    int (*check)(void *self, struct err *err);

    /*
     * Keys are relative to place->prefix, here and below. one_level: prefix is "" or ends in "/",
     * and what lies deeper is one entry "prefix" "name/" with nothing else set.
     */
    int (*list)(void *self, const char *prefix, bool one_level, struct store_listing *out,
                struct err *err);
    /** @return 0, E_ABSENT (err need not be set) or E_*. Sets all of out but the key. */
    int (*stat)(void *self, const char *key, struct store_object *out, struct err *err);
    /** A range that begins at or behind the end, or of no bytes, is an empty stream.
     * @return as stat. */
    int (*get)(struct store_reader **out, void *self, const char *key, uint64_t offset,
               uint64_t len, struct err *err);

    /* Conditions: at most one of if_absent, if_version. object may not be NULL; its key is ignored.
     * A conflict is STORE_CONFLICT. After a failure nothing is visible. */
    /** At most part_bytes bytes. @return 0, STORE_CONFLICT or E_*. */
    int (*put)(void *self, const char *key, struct span bytes,
               const struct store_put_options *options, struct store_object *object,
               struct err *err);
    /** A larger object. key and options live until its end. */
    int (*upload_begin)(void **upload, void *self, const char *key,
                        const struct store_put_options *options, struct err *err);
    /** Exactly part_bytes bytes, and more will follow. */
    int (*upload_part)(void *upload, struct span bytes, struct err *err);
    /** The rest, 1 to part_bytes bytes. Frees upload in any case; a failure aborts it. */
    int (*upload_finish)(void *upload, struct span rest, struct store_object *object,
                         struct err *err);
    void (*upload_abort)(void *upload); // frees it

    /** Absent ones are no error. n >= 1, any number. */
    int (*delete_many)(void *self, const char *const *keys, size_t n, struct err *err);
    /** @return 0, STORE_CONFLICT or E_*. */
    int (*delete_version)(void *self, const struct store_object *object, struct err *err);

    /** NULL: a lock object is used (lock_object.c). */
    int (*lock)(struct store_lock **out, struct store *store, const char *key, struct err *err);
};
extern const struct store_backend store_directory, store_s3, store_gcs;

/* Of locks (D6); tests have less time. */
struct lock_times {
    uint64_t wait_ms;   // a newcomer, for a lock on a directory
    uint64_t renew_ms;  // the owner of a lock object, between renewals
    uint64_t expire_ms; // a lock object that was not renewed for so long may be taken over
};

struct store {
    struct lock_times lock_times;
    const struct store_backend *backend;
    void *self;
    struct store_place place;
    char *name;     // for messages
    char *endpoint; // "" where there is none
};

/** May the key be read and deleted, and, with writing, be put? @return 0 or E_ARG. */
MUST_CHECK int key_check(const struct store *store, const char *key, bool writing, struct err *err);
/** May objects with this prefix be listed? @return 0 or E_ARG. */
MUST_CHECK int prefix_check(const struct store *store, const char *prefix, struct err *err);
/** Is text UTF-8 without a NUL (RFC 3629: shortest form, no surrogates)? */
bool key_is_utf8(struct span text);

/*
 * Reading over HTTP: s3.c and gcs.c give the request, remote.c resumes it where it broke.
 */
/**
 * Start a GET of [offset, offset + len), len STORE_TO_END for the rest. version: not NULL when an
 * earlier stream broke; the object must still be this one, else STORE_CONFLICT.
 * *stream: NULL when the range lies behind the end (416): then the object comes from a HEAD.
 * @return 0 with *object (the whole object's size), STORE_CONFLICT, E_ABSENT or E_*.
 */
typedef int remote_open_fn(struct http_stream **stream, void *self, const char *key,
                           uint64_t offset, uint64_t len, const char *version,
                           struct store_object *object, struct err *err);
/** The backend's get. */
MUST_CHECK int remote_get(struct store_reader **out, const struct store_backend *backend,
                          void *self, remote_open_fn *open, const char *key, uint64_t offset,
                          uint64_t len, struct err *err);
