/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Rows: the value of a key is its cell, the time in front. A batch is a transaction: all of it is
 * there after a crash, or nothing.
 */
#include "profiles/lmdb_impl.h"

#include <endian.h>

static MDB_val val_of(struct span bytes)
{
    return (MDB_val){.mv_size = bytes.len, .mv_data = (void *)(uintptr_t)bytes.ptr};
}

/* @return false: too short for a cell. */
static bool read_cell(const MDB_val *val, int64_t *timestamp_us, struct span *value)
{
    if (val->mv_size < LMDB_STAMP_BYTES)
        return false;
    uint64_t stamp;
    memcpy(&stamp, val->mv_data, sizeof stamp);
    *timestamp_us = (int64_t)le64toh(stamp);
    *value =
        span_of((const uint8_t *)val->mv_data + LMDB_STAMP_BYTES, val->mv_size - LMDB_STAMP_BYTES);
    return true;
}

/* The functions that change rows return LMDB's codes. */
static int put_row(const struct lmdb *l, MDB_txn *txn, const struct batch *batch,
                   const struct batch_row *row)
{
    const struct span value = batch_value(batch, row);
    MDB_val key = val_of(batch_key(batch, row));
    MDB_val cell = {.mv_size = LMDB_STAMP_BYTES + value.len};
    int rc = mdb_put(txn, l->dbi, &key, &cell, MDB_NOOVERWRITE | MDB_RESERVE);
    int64_t there_us;
    struct span there;
    if (rc == MDB_KEYEXIST) {
        if (read_cell(&cell, &there_us, &there) && there_us > row->timestamp_us)
            return 0; // the newest cell counts, whatever the order of writing
        cell.mv_size = LMDB_STAMP_BYTES + value.len;
        rc = mdb_put(txn, l->dbi, &key, &cell, MDB_RESERVE);
    }
    if (rc != 0)
        return rc;
    const uint64_t stamp = htole64((uint64_t)row->timestamp_us);
    memcpy(cell.mv_data, &stamp, sizeof stamp);
    if (value.len > 0)
        memcpy((uint8_t *)cell.mv_data + LMDB_STAMP_BYTES, value.ptr, value.len);
    return 0;
}

static int delete_row(const struct lmdb *l, MDB_txn *txn, const struct batch *batch,
                      const struct batch_row *row)
{
    MDB_val key = val_of(batch_key(batch, row)), cell;
    int64_t there_us;
    struct span there;
    int rc = 0;
    if (row->op == ROW_EXPIRE) { // it may have been put again since it was looked at
        rc = mdb_get(txn, l->dbi, &key, &cell);
        if (rc == 0 && read_cell(&cell, &there_us, &there) && there_us >= row->timestamp_us)
            return 0;
    }
    if (rc == 0)
        rc = mdb_del(txn, l->dbi, &key, NULL);
    return rc == MDB_NOTFOUND ? 0 : rc;
}

static int apply_rows(const struct lmdb *l, MDB_txn *txn, const struct batch *batch)
{
    int rc = 0;
    for (size_t i = 0; i < batch->n && rc == 0; i++) {
        const struct batch_row *row = &batch->rows[i];
        rc = row->op == ROW_PUT ? put_row(l, txn, batch, row) : delete_row(l, txn, batch, row);
    }
    if (rc == 0)
        return mdb_txn_commit(txn); // with fsync
    mdb_txn_abort(txn);
    return rc;
}

static int apply(struct lmdb *l, const struct batch *batch, struct err *err)
{
    int r = lmdb_find_table(l, err);
    while (r == 0) {
        MDB_txn *txn;
        r = lmdb_begin(&txn, l, 0, err);
        if (r < 0)
            break;
        const int rc = apply_rows(l, txn, batch);
        if (rc == 0)
            return 0;
        r = rc == MDB_MAP_FULL ? lmdb_grow(l, err) : lmdb_fail(l, rc, "write rows", err);
    }
    return r;
}

int lmdb_send(void *impl, struct batch **batch, struct err *err)
{
    return apply(impl, *batch, err);
}

int lmdb_get(void *impl, struct span key, struct buf *value, struct err *err)
{
    struct lmdb *l = impl;
    MDB_txn *txn = NULL;
    int r = lmdb_find_table(l, err);
    if (r == 0)
        r = lmdb_begin(&txn, l, MDB_RDONLY, err);
    if (r < 0)
        return r;
    MDB_val wanted = val_of(key), cell;
    int64_t timestamp_us;
    struct span bytes;
    const int rc = mdb_get(txn, l->dbi, &wanted, &cell);
    if (rc == MDB_NOTFOUND)
        r = err_set(err, E_ABSENT, 0, "there is no such row in table %s", l->table);
    else if (rc != 0)
        r = lmdb_fail(l, rc, "read a row", err);
    else if (!read_cell(&cell, &timestamp_us, &bytes))
        r = err_set(err, E_FORMAT, 0, "a row of table %s holds no cell", l->table);
    else
        r = buf_append(value, bytes.ptr, bytes.len, err);
    mdb_txn_abort(txn);
    return r;
}

/* Rows from a key on, or all: fn may stop it with a positive number. */
struct walk {
    const struct lmdb *l;
    profiles_fn *fn;
    void *arg;
};

static int walk_cursor(const struct walk *w, MDB_cursor *cursor, struct span from, struct err *err)
{
    MDB_val key = val_of(from), cell;
    int r = 0;
    int rc = mdb_cursor_get(cursor, &key, &cell, from.len > 0 ? MDB_SET_RANGE : MDB_FIRST);
    while (rc == 0 && r == 0) {
        int64_t timestamp_us;
        struct span value;
        if (!read_cell(&cell, &timestamp_us, &value))
            return err_set(err, E_FORMAT, 0, "a row of table %s holds no cell", w->l->table);
        r = w->fn(w->arg, span_of(key.mv_data, key.mv_size), value, timestamp_us, err);
        if (r == 0)
            rc = mdb_cursor_get(cursor, &key, &cell, MDB_NEXT);
    }
    return r != 0 || rc == MDB_NOTFOUND ? r : lmdb_fail(w->l, rc, "read rows", err);
}

/* One snapshot: what others write meanwhile is not seen. */
static int walk_from(const struct walk *w, struct span from, struct err *err)
{
    MDB_txn *txn;
    MDB_cursor *cursor;
    int r = lmdb_begin(&txn, w->l, MDB_RDONLY, err);
    if (r < 0)
        return r;
    const int rc = mdb_cursor_open(txn, w->l->dbi, &cursor);
    if (rc == 0) {
        r = walk_cursor(w, cursor, from, err);
        mdb_cursor_close(cursor);
    } else {
        r = lmdb_fail(w->l, rc, "read rows", err);
    }
    mdb_txn_abort(txn);
    return r;
}

int lmdb_each(void *impl, profiles_fn *fn, void *arg, struct err *err)
{
    struct lmdb *l = impl;
    const int r = lmdb_find_table(l, err);
    return r < 0 ? r
                 : walk_from(&(struct walk){.l = l, .fn = fn, .arg = arg}, (struct span){0}, err);
}

/* Rows are looked at without keeping writers out, and a batch of old ones is deleted at a time. */
struct collection {
    struct batch *old;
    int64_t before_us;
    struct buf next; // key of the row that found no room
};

static int collect_row(void *arg, struct span key, struct span value, int64_t timestamp_us,
                       struct err *err)
{
    struct collection *c = arg;
    (void)value;
    if (timestamp_us >= c->before_us)
        return 0;
    if (!batch_has_room(c->old, key.len, 0)) {
        buf_clear(&c->next);
        const int r = buf_append(&c->next, key.ptr, key.len, err);
        return r < 0 ? r : 1;
    }
    return batch_add(c->old, ROW_EXPIRE, key, (struct span){0}, c->before_us, err);
}

static int collect_all(struct collection *c, struct lmdb *l, uint64_t *n, struct err *err)
{
    const struct walk w = {.l = l, .fn = collect_row, .arg = c};
    for (;;) {
        batch_clear(c->old);
        const int more = walk_from(&w, buf_span(&c->next), err);
        if (more < 0)
            return more;
        const int r = c->old->n > 0 ? apply(l, c->old, err) : 0;
        if (r < 0)
            return r;
        *n += c->old->n;
        if (more == 0)
            return 0;
    }
}

int lmdb_collect(void *impl, int64_t before_us, uint64_t *n, struct err *err)
{
    struct lmdb *l = impl;
    int r = lmdb_find_table(l, err);
    if (r < 0)
        return r;
    CLEANUP(batch_freep) struct batch *old = batch_new();
    if (!old)
        return err_set(err, E_NOMEM, 0, "no memory for rows");
    struct collection c = {.old = old, .before_us = before_us, .next = BUF_INIT(PROFILES_MAX_KEY)};
    r = collect_all(&c, l, n, err);
    buf_deinit(&c.next);
    return r;
}
