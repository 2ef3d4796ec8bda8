/* SPDX-License-Identifier: MPL-2.0 */
#include "profiles/lmdb_impl.h"

#include <stdio.h>

enum { MAX_NAME = 128, MAX_LISTED_BYTES = 1024 };

/* What tables a store may be asked for, and which of them it has. */
struct choice {
    const char *instance, *table; // NULL: any
    struct buf names;             // of the tables that fit, separated by ", "
    char *found;                  // the last of them
    size_t n;
};

static int check_name(const char *what, const char *name, struct err *err)
{
    const size_t len = name ? strlen(name) : 1;
    if (len > 0 && len <= MAX_NAME && !(name && strchr(name, '/')))
        return 0;
    return err_set(err, E_ARG, 0, "%s has 1 to %d characters and no \"/\", not \"%s\"", what,
                   MAX_NAME, name);
}

static bool fits(const struct choice *c, struct span name)
{
    const uint8_t *slash = memchr(name.ptr, '/', name.len);
    if (!slash)
        return false; // not one of ours
    const size_t before = (size_t)(slash - name.ptr);
    return (!c->instance || span_equal(span_str(c->instance), span_of(name.ptr, before))) &&
           (!c->table || span_equal(span_str(c->table), span_of(slash + 1, name.len - before - 1)));
}

static int note(struct choice *c, struct span name, struct err *err)
{
    if (!fits(c, name))
        return 0;
    free(c->found);
    c->found = span_to_text(name);
    if (!c->found)
        return err_set(err, E_NOMEM, 0, "no memory for a name");
    c->n++;
    const char *separator = c->n == 1 ? "" : ", ";
    if (c->names.len + strlen(separator) + name.len > c->names.max)
        return 0; // the message is long enough
    return buf_printf(&c->names, err, "%s%s", separator, c->found);
}

/* Names of databases are the keys of the nameless one. */
static int walk_names(struct choice *c, const struct lmdb *l, MDB_txn *txn, struct err *err)
{
    MDB_dbi dbi;
    MDB_cursor *cursor = NULL;
    MDB_val key, value;
    int rc = mdb_dbi_open(txn, NULL, 0, &dbi);
    if (rc == 0)
        rc = mdb_cursor_open(txn, dbi, &cursor);
    int r = 0;
    while (rc == 0 && r == 0) {
        rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
        if (rc == 0)
            r = note(c, span_of(key.mv_data, key.mv_size), err);
    }
    if (cursor)
        mdb_cursor_close(cursor);
    return r < 0 || rc == MDB_NOTFOUND ? r : lmdb_fail(l, rc, "list the tables", err);
}

static int look_around(struct choice *c, const struct lmdb *l, struct err *err)
{
    MDB_txn *txn;
    int r = lmdb_begin(&txn, l, MDB_RDONLY, err);
    if (r < 0)
        return r;
    r = walk_names(c, l, txn, err);
    mdb_txn_abort(txn);
    return r;
}

static int choose(struct choice *c, struct lmdb *l, struct err *err)
{
    const int r = look_around(c, l, err);
    if (r < 0)
        return r;
    if (c->n == 0)
        return err_set(err, E_ABSENT, 0, "%s holds no %s", l->dir,
                       c->instance || c->table ? "such table" : "table");
    if (c->n > 1)
        return err_set(err, E_ABSENT, 0,
                       "%s holds several tables; name instance and table of one: %.*s", l->dir,
                       (int)c->names.len, (const char *)c->names.data);
    l->table = c->found;
    c->found = NULL;
    return 0;
}

int lmdb_choose_table(struct lmdb *l, const char *instance, const char *table, struct err *err)
{
    int r = check_name("a Bigtable instance", instance, err);
    if (r == 0)
        r = check_name("a Bigtable table", table, err);
    if (r < 0)
        return r;
    if (instance && table) {
        if (asprintf(&l->table, "%s/%s", instance, table) >= 0)
            return 0;
        l->table = NULL; // asprintf leaves it undefined
        return err_set(err, E_NOMEM, 0, "no memory for a name");
    }
    if (!l->read_only)
        return err_set(err, E_ARG, 0, "name the instance and the table to be written in %s",
                       l->dir);
    struct choice c = {.instance = instance, .table = table, .names = BUF_INIT(MAX_LISTED_BYTES)};
    r = choose(&c, l, err);
    free(c.found);
    buf_deinit(&c.names);
    return r;
}
