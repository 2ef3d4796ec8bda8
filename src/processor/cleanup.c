/* SPDX-License-Identifier: MPL-2.0 */
#include "processor/cleanup.h"

#include "base/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { N_BUCKETS = 3, KEY_DIGITS = 64 };

struct bucket {
    struct store *store; // NULL: the same as an earlier one
    struct store_listing listing;
};

struct cleanup {
    const struct cleanup_options *options;
    struct bucket buckets[N_BUCKETS];
};

static void cleanup_deinit(struct cleanup *c)
{
    for (size_t i = 0; i < N_BUCKETS; i++)
        store_listing_deinit(&c->buckets[i].listing);
}

/* The first name in path that looks like a public key, or an empty span. */
static struct span key_in(const char *path)
{
    for (const char *name = path; *name;) {
        const size_t len = strcspn(name, "/");
        if (len == KEY_DIGITS && strspn(name, "0123456789abcdefABCDEF") >= KEY_DIGITS)
            return span_of(name, len);
        name += len + (name[len] == '/');
    }
    return (struct span){0};
}

static bool same_key(struct span a, struct span b)
{
    return a.len == b.len && strncasecmp((const char *)a.ptr, (const char *)b.ptr, a.len) == 0;
}

static int refuse(const struct bucket *b, const struct store_object *object, struct err *err)
{
    return err_set(err, E_FORMAT, 0,
                   "%s holds another party's objects too, such as %s. --force deletes them as "
                   "well; nothing was deleted",
                   store_name(b->store), object->key);
}

/* In the own buckets paths name the partner's key: the own key there means the partner's data. */
static int check_owner(const struct cleanup_options *o, const struct bucket *b, struct err *err)
{
    struct span seen = {0};
    for (size_t i = 0; i < b->listing.n; i++) {
        const struct span key = key_in(b->listing.objects[i].key);
        if (key.len == 0)
            continue;
        if (o->key_internal ? same_key(key, span_str(o->key_internal))
                            : seen.len > 0 && !same_key(key, seen))
            return refuse(b, &b->listing.objects[i], err);
        seen = key;
    }
    return 0;
}

static int look(struct cleanup *c, struct bucket *b, struct err *err)
{
    if (!b->store)
        return 0;
    int r = store_check(b->store, err);
    if (r == E_ABSENT)
        return err_set(err, E_ABSENT, 0, "there is no bucket %s", store_name(b->store));
    if (r == 0)
        r = store_list(b->store, "", &b->listing, err);
    return r < 0 || c->options->force ? r : check_owner(c->options, b, err);
}

static bool is_marker(const char *key)
{
    const char *slash = strrchr(key, '/');
    return strcmp(slash ? slash + 1 : key, "_SUCCESS") == 0;
}

static void name_what_would_go(const struct cleanup_options *o, const struct bucket *b)
{
    char line[2 * STORE_MAX_KEY];
    for (size_t i = 0; i < b->listing.n; i++) {
        (void)snprintf(line, sizeof line, "would delete %s/%s", store_name(b->store),
                       b->listing.objects[i].key);
        o->say(o->say_arg, line);
    }
}

/* Markers first: nobody shall take half of it for all. */
static int delete_all(const struct bucket *b, struct err *err)
{
    const char **keys = calloc(b->listing.n, sizeof *keys);
    if (!keys)
        return err_set(err, E_NOMEM, 0, "no memory for a list of objects");
    int r = 0;
    for (int markers = 1; markers >= 0 && r == 0; markers--) {
        size_t n = 0;
        for (size_t i = 0; i < b->listing.n; i++)
            if (is_marker(b->listing.objects[i].key) == (markers == 1))
                keys[n++] = b->listing.objects[i].key;
        r = n > 0 ? store_delete(b->store, keys, n, err) : 0;
    }
    free(keys);
    return r;
}

static int empty(const struct cleanup_options *o, const struct bucket *b, struct err *err)
{
    if (!b->store)
        return 0;
    if (b->listing.n == 0) {
        o->say(o->say_arg, "nothing to delete");
        return 0;
    }
    if (o->dry_run) {
        name_what_would_go(o, b);
        return 0;
    }
    const int r = delete_all(b, err);
    if (r == 0)
        log_event(LOG_LEVEL_INFO, "deleted", LOG_S("bucket", store_name(b->store)),
                  LOG_U("objects", b->listing.n));
    return r;
}

int cleanup_run(const struct cleanup_options *options, struct err *err)
{
    struct store *const stores[N_BUCKETS] = {options->ingest, options->private, options->shared};
    CLEANUP(cleanup_deinit) struct cleanup c = {.options = options};
    options->say(options->say_arg, "Running cleanup...");
    int r = 0;
    for (size_t i = 0; i < N_BUCKETS && r == 0; i++) {
        c.buckets[i].store = stores[i];
        for (size_t j = 0; j < i; j++)
            if (store_same(stores[i], stores[j]))
                c.buckets[i].store = NULL;
        r = look(&c, &c.buckets[i], err);
    }
    for (size_t i = 0; i < N_BUCKETS && r == 0; i++)
        r = empty(options, &c.buckets[i], err);
    return r;
}
