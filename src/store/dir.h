/*
 * dir.h - a directory as a store: what the files dir*.c share.
 *
 * Keys are paths below the root. Directories that are symbolic links are not part of the store, so
 * that no object, and no deletion, leads out of it. Other processes may create and delete at the
 * same time: a directory that becomes empty may vanish between any two calls.
 */
#pragma once

#include "store/backend.h"

struct directory {
    char *root; // absolute
};

/* Where an object lies. */
struct dir_spot {
    int fd;           // of its directory (O_PATH), -1: none
    const char *name; // in it; points into the key
};
#define DIR_SPOT_NONE ((struct dir_spot){.fd = -1})

/** @return 0, E_ABSENT: there is no such directory, or E_IO. */
MUST_CHECK int dir_find(struct dir_spot *spot, const struct directory *d, const char *key,
                        struct err *err);
/** The same, making root and directories where missing. E_ABSENT: one vanished again at once. */
MUST_CHECK int dir_make(struct dir_spot *spot, const struct directory *d, const char *key,
                        struct err *err);
void dir_leave(struct dir_spot *spot); // for CLEANUP
/** Remove the directories above key that are empty, up to the root, and flush what changed. */
MUST_CHECK int dir_prune(const struct directory *d, const char *key, struct err *err);

/** Open an object for reading. @return 0 with *fd, E_ABSENT or E_IO. */
struct stat;
MUST_CHECK int dir_open_object(int *fd, struct stat *st, const struct dir_spot *spot,
                               struct err *err);
/** All but the key. */
void dir_describe(struct store_object *out, const struct stat *st);
/**
 * Open the object and hold off others that change it by version, until *fd is closed.
 * @return 0, STORE_CONFLICT: it is not this version (*fd is -1), E_ABSENT, E_AGAIN: somebody
 * holds it for longer than 5 s, or E_IO.
 */
MUST_CHECK int dir_hold_version(int *fd, const struct dir_spot *spot, const char *version,
                                struct err *err);
/** May errno mean that the object is simply not there? */
bool dir_is_absence(int cause);
void dir_close_fd(int *fd); // for CLEANUP; -1 is fine

/* The functions of the table that stand in files of their own. */
MUST_CHECK int dir_list(void *self, const char *prefix, bool one_level, struct store_listing *out,
                        struct err *err);
MUST_CHECK int dir_lock(struct store_lock **out, struct store *store, const char *key,
                        struct err *err);
MUST_CHECK int dir_delete_many(void *self, const char *const *keys, size_t n, struct err *err);
MUST_CHECK int dir_delete_version(void *self, const struct store_object *object, struct err *err);
