/* lmdb_impl.h - what the parts of the LMDB backend share. */
#pragma once

#include "profiles/backend.h"

#include <lmdb.h>

struct lmdb {
    MDB_env *env;
    char *dir;
    char *table; // "instance/table"
    MDB_dbi dbi;
    bool has_dbi; // dbi is that table's
    bool read_only;
};

enum { LMDB_STAMP_BYTES = 8 }; // of a cell: its time in microseconds, little-endian, in front

/** What LMDB says, for people, with the store's folder. @return E_*. */
int lmdb_fail(const struct lmdb *l, int rc, const char *doing, struct err *err);
/** flags: 0 or MDB_RDONLY. Other processes may have made the map larger, or died while reading. */
MUST_CHECK int lmdb_begin(MDB_txn **txn, const struct lmdb *l, unsigned flags, struct err *err);
/** Make room: a larger map. No transaction may be open in this process. */
MUST_CHECK int lmdb_grow(const struct lmdb *l, struct err *err);
/** Have dbi. @return 0, or E_ABSENT: there is no such table. */
MUST_CHECK int lmdb_find_table(struct lmdb *l, struct err *err);

/**
 * Set l->table from what was asked for; either part may be NULL in a store that is only read.
 * @return 0, E_ARG, E_ABSENT (none, or several, which are listed), or E_*.
 */
MUST_CHECK int lmdb_choose_table(struct lmdb *l, const char *instance, const char *table,
                                 struct err *err);

/* lmdb_rows.c */
int lmdb_send(void *impl, struct batch **batch, struct err *err);
int lmdb_collect(void *impl, int64_t before_us, uint64_t *n, struct err *err);
int lmdb_get(void *impl, struct span key, struct buf *value, struct err *err);
int lmdb_each(void *impl, profiles_fn *fn, void *arg, struct err *err);
