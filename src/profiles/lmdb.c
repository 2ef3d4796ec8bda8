/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The environment: a folder with data.mdb and lock.mdb, which any number of processes may use, one
 * of them writing at a time. It is one database a table (Y7). Within a process a folder may be open
 * once only: LMDB's locks go with the first descriptor that is closed.
 */
#include "base/outfile.h"
#include "profiles/lmdb_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_OPEN_TABLES = 2 };
/* A map costs address space only; the file grows with what is written. */
static const size_t first_map = (size_t)16 << 20, longest_step = (size_t)64 << 30;

int lmdb_fail(const struct lmdb *l, int rc, const char *doing, struct err *err)
{
    if (rc == ENOMEM)
        return err_set(err, E_NOMEM, 0, "%s in %s: no memory", doing, l->dir);
    if (rc > 0)
        return err_set(err, E_IO, rc, "%s in %s", doing, l->dir);
    const bool broken = rc == MDB_CORRUPTED || rc == MDB_INVALID || rc == MDB_PAGE_NOTFOUND ||
                        rc == MDB_VERSION_MISMATCH || rc == MDB_INCOMPATIBLE;
    return err_set(err, broken ? E_FORMAT : E_IO, 0, "%s in %s: %s", doing, l->dir,
                   mdb_strerror(rc));
}

int lmdb_begin(MDB_txn **txn, const struct lmdb *l, unsigned flags, struct err *err)
{
    int rc = mdb_txn_begin(l->env, NULL, flags, txn);
    if (rc == MDB_READERS_FULL) { // killed ones keep their places
        int n_dead;
        (void)mdb_reader_check(l->env, &n_dead);
        rc = mdb_txn_begin(l->env, NULL, flags, txn);
    }
    while (rc == MDB_MAP_RESIZED) { // by another process, perhaps once more in between
        rc = mdb_env_set_mapsize(l->env, 0);
        if (rc == 0)
            rc = mdb_txn_begin(l->env, NULL, flags, txn);
    }
    return rc == 0 ? 0 : lmdb_fail(l, rc, "start a transaction", err);
}

int lmdb_grow(const struct lmdb *l, struct err *err)
{
    MDB_envinfo info;
    int rc = mdb_env_info(l->env, &info);
    if (rc != 0)
        return lmdb_fail(l, rc, "look at the map", err);
    const size_t step = info.me_mapsize < longest_step ? info.me_mapsize : longest_step;
    const size_t larger = info.me_mapsize + step < first_map ? first_map : info.me_mapsize + step;
    rc = mdb_env_set_mapsize(l->env, larger);
    return rc == 0 ? 0 : lmdb_fail(l, rc, "make the map larger", err);
}

int lmdb_find_table(struct lmdb *l, struct err *err)
{
    if (l->has_dbi)
        return 0;
    MDB_txn *txn;
    const int r = lmdb_begin(&txn, l, MDB_RDONLY, err);
    if (r < 0)
        return r;
    int rc = mdb_dbi_open(txn, l->table, 0, &l->dbi);
    if (rc == 0)
        rc = mdb_txn_commit(txn); // what keeps the handle
    else
        mdb_txn_abort(txn);
    l->has_dbi = rc == 0;
    if (rc == MDB_NOTFOUND)
        return err_set(err, E_ABSENT, 0, "there is no table %s in %s", l->table, l->dir);
    return rc == 0 ? 0 : lmdb_fail(l, rc, "open the table", err);
}

/* @return 0, MDB_MAP_FULL, or another of LMDB's codes. */
static int make_table(struct lmdb *l, MDB_txn *txn)
{
    const int rc = mdb_dbi_open(txn, l->table, MDB_CREATE, &l->dbi);
    if (rc == 0)
        return mdb_txn_commit(txn);
    mdb_txn_abort(txn);
    return rc;
}

static int ensure_table(void *impl, struct err *err)
{
    struct lmdb *l = impl;
    int r = lmdb_find_table(l, err);
    if (r != E_ABSENT)
        return r;
    for (;;) {
        MDB_txn *txn;
        r = lmdb_begin(&txn, l, 0, err);
        if (r < 0)
            return r;
        const int rc = make_table(l, txn);
        l->has_dbi = rc == 0;
        if (rc != MDB_MAP_FULL)
            return rc == 0 ? 0 : lmdb_fail(l, rc, "make the table", err);
        r = lmdb_grow(l, err);
        if (r < 0)
            return r;
    }
}

/* Is there a file of this name in the folder? */
static bool has_file(const struct lmdb *l, const char *name)
{
    char *path = NULL;
    struct stat st;
    const bool found = asprintf(&path, "%s/%s", l->dir, name) >= 0 && stat(path, &st) == 0;
    free(path);
    return found;
}

/* The files outlive a power cut. */
static int sync_folder(const struct lmdb *l, struct err *err)
{
    const int fd = open(l->dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return err_set(err, E_IO, errno, "open %s", l->dir);
    const int r = directory_sync(fd, l->dir, err);
    (void)close(fd);
    return r;
}

static unsigned open_flags(const struct lmdb *l)
{
    unsigned flags = MDB_NOTLS; // a reader may be one of several in a thread
    if (l->read_only)
        flags |= MDB_RDONLY;
    // A store that was copied without its locks has no other users, and a reader makes nothing.
    if (l->read_only && !has_file(l, "lock.mdb"))
        flags |= MDB_NOLOCK;
    return flags;
}

static int open_env(struct lmdb *l, struct err *err)
{
    if (l->read_only && !has_file(l, "data.mdb"))
        return err_set(err, E_ABSENT, 0, "there is no profile store in %s", l->dir);
    int r = l->read_only ? 0 : make_directories(l->dir, err);
    if (r < 0)
        return r;
    int rc = mdb_env_create(&l->env);
    if (rc == 0)
        rc = mdb_env_set_maxdbs(l->env, MAX_OPEN_TABLES);
    if (rc == 0)
        rc = mdb_env_open(l->env, l->dir, open_flags(l), 0666);
    if (rc != 0)
        return lmdb_fail(l, rc, "open the profile store", err);
    if (l->read_only)
        return 0;
    int n_dead; // killed readers would keep old pages from being used again
    (void)mdb_reader_check(l->env, &n_dead);
    return sync_folder(l, err);
}

static void close_lmdb(void *impl)
{
    struct lmdb *l = impl;
    if (l->env)
        mdb_env_close(l->env);
    free(l->table);
    free(l->dir);
    free(l);
}

static int set_up(struct lmdb *l, const struct profiles_config *config, struct err *err)
{
    int r = open_env(l, err);
    if (r == 0)
        r = lmdb_choose_table(l, config->instance, config->table, err);
    if (r == 0)
        r = lmdb_find_table(l, err);
    return r == E_ABSENT && !l->read_only ? 0 : r; // it is to be made
}

int lmdb_backend_open(void **impl, const struct profiles_config *config, const char *rest,
                      struct err *err)
{
    if (rest[0] != '/')
        return err_set(err, E_ARG, 0, "a local profile store is lmdb:///path, not \"%s\"",
                       config->url);
    struct lmdb *l = calloc(1, sizeof *l);
    if (!l || !(l->dir = strdup(rest))) {
        free(l);
        return err_set(err, E_NOMEM, 0, "no memory for profiles");
    }
    l->read_only = config->read_only;
    const int r = set_up(l, config, err);
    if (r < 0) {
        close_lmdb(l);
        return r;
    }
    *impl = l;
    return 0;
}

/* Every batch was durable when it was sent. */
static void settle(void *impl, struct failures *failures)
{
    (void)impl;
    (void)failures;
}

const struct profiles_ops lmdb_ops = {
    .close = close_lmdb,
    .ensure_table = ensure_table,
    .send = lmdb_send,
    .settle = settle,
    .collect = lmdb_collect,
    .get = lmdb_get,
    .each = lmdb_each,
};
