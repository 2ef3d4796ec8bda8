/* SPDX-License-Identifier: MPL-2.0 */
#include "processor/validate.h"

#include "codec/uuid.h"
#include "processor/layout.h"

#include <openssl/rand.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct checks {
    const struct validate_options *options;
    char *own, *partner;         // prefixes, NULL where they cannot be made
    char probe[UUID_TEXT_BYTES]; // in the names of probe objects
    unsigned n_failed;
};

static void tell(struct checks *c, int r, const struct err *err, const char *fmt, ...)
    PRINTF_LIKE(4, 5);

/* The line of one check: what it was, and what is wrong. */
static void tell(struct checks *c, int r, const struct err *err, const char *fmt, ...)
{
    char what[1024], line[2048];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(what, sizeof what, fmt, args);
    va_end(args);
    (void)snprintf(line, sizeof line, "%-6s %s%s%s", r < 0 ? "FAILED" : "ok", what,
                   r < 0 ? ": " : "", r < 0 ? err->text : "");
    for (char *at = line; *at; at++) // error texts may quote the bytes of strangers
        if ((unsigned char)*at < 0x20 || *at == 0x7f)
            *at = '?';
    c->n_failed += r < 0;
    c->options->say(c->options->say_arg, line);
}

static void check_config(struct checks *c)
{
    struct err err = {0};
    struct data_config config = {0};
    const int r = data_config_read(&config, c->options->config_path, &err);
    tell(c, r, &err, "data config %s: %zu batch%s", c->options->config_path, config.n,
         config.n == 1 ? "" : "es");
    if (r == 0)
        data_config_deinit(&config);
}

static void check_keys(struct checks *c)
{
    struct err err = {0};
    CLEANUP(server_keys_wipe) struct server_keys keys = {0};
    const int r = server_keys_read(&keys, c->options->keys, &err);
    tell(c, r, &err, "keys: halves belong together, the shared secret has 16 bytes");
}

static void check_paths(struct checks *c)
{
    const struct process_options *o = c->options->process;
    struct err err = {0};
    int r = layout_prefix(&c->own, o->bucket_prefix, o->key_external, o->app_name, o->date, &err);
    tell(c, r, &err, "own path %s", c->own ? c->own : "");
    err = (struct err){0};
    r = layout_prefix(&c->partner, o->bucket_prefix, o->key_internal, o->app_name, o->date, &err);
    tell(c, r, &err, "the partner's path %s", c->partner ? c->partner : "");
}

/* Everything that process itself checks before it begins; it names what it finds. */
static void check_process(struct checks *c)
{
    struct err err = {0};
    if (c->n_failed > 0)
        return; // a cause is named already
    tell(c, process_check(c->options->process, &err), &err, "parameters of process");
}

/* Once all else is right: does it go together with what an earlier run left? */
static void check_earlier(struct checks *c)
{
    struct err err = {0};
    if (c->n_failed == 0)
        tell(c, process_check_earlier(c->options->process, &err), &err,
             "BUCKET_INTERNAL_PRIVATE: no unfinished run of other parameters");
}

/* A file that will be written: is there a folder to put it in? */
static void check_file(struct checks *c, const char *what, const char *path)
{
    struct err err = {0};
    if (!path)
        return;
    const char *slash = strrchr(path, '/');
    char dir[4096] = ".";
    if (slash)
        (void)snprintf(dir, sizeof dir, "%.*s", slash == path ? 1 : (int)(slash - path), path);
    struct stat st;
    int r = 0;
    if (access(dir, W_OK | X_OK) != 0)
        r = err_set(&err, E_IO, 0, "the folder is missing or may not be written");
    else if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
        r = err_set(&err, E_IO, 0, "it is a directory");
    tell(c, r, &err, "%s %s", what, path);
}

static int read_some(struct store *store, const char *key, struct err *err)
{
    struct store_reader *reader = NULL;
    char byte;
    const int r = store_get(&reader, store, key, 0, 1, err);
    if (r < 0)
        return r;
    const struct source from = store_reader_source(reader);
    const ssize_t n = from.read(from.arg, &byte, 1, err);
    store_reader_close(reader);
    return n < 0 ? (int)n : 0;
}

/* May the prefix be listed, and what lies there be read? */
static void check_read(struct checks *c, const char *name, struct store *store, const char *prefix)
{
    struct err err = {0};
    struct store_listing listing = {0};
    int r = store_list(store, prefix, &listing, &err);
    for (size_t i = 0; i < listing.n && r == 0; i++) {
        if (listing.objects[i].size == 0)
            continue;
        r = read_some(store, listing.objects[i].key, &err);
        break;
    }
    tell(c, r, &err, "%s: %s/%s can be read, %zu object%s", name, store_name(store), prefix,
         listing.n, listing.n == 1 ? "" : "s");
    store_listing_deinit(&listing);
}

/* Write and delete an object whose name readers skip. */
static int probe(const struct checks *c, struct store *store, const char *prefix, struct err *err)
{
    char key[STORE_MAX_KEY + 64];
    (void)snprintf(key, sizeof key, "%s_probe-%s", prefix, c->probe);
    int r = store_put(store, key, span_of(NULL, 0), NULL, NULL, err);
    if (r < 0)
        return err_wrap(err, r, "write");
    r = store_delete_one(store, key, err);
    return r < 0 ? err_wrap(err, r, "delete") : 0;
}

static void check_write(struct checks *c, const char *name, struct store *store, const char *prefix,
                        const char *below)
{
    struct err err = {0};
    char place[STORE_MAX_KEY + 1];
    if (c->options->no_probe)
        return;
    (void)snprintf(place, sizeof place, "%s%s", prefix, below);
    tell(c, probe(c, store, place, &err), &err, "%s: %s/%s can be written", name, store_name(store),
         place);
}

/* In a directory the right shows where the first object lies. An object store tells it of an object
 * that is not there, too, and the right to write may be missing. */
static int try_delete(const struct checks *c, struct store *store, const char *prefix,
                      const struct store_listing *listing, struct err *err)
{
    char folder[STORE_MAX_KEY + 1], key[STORE_MAX_KEY + 64];
    if (!store_is_local(store)) {
        (void)snprintf(key, sizeof key, "%s_probe-%s", prefix, c->probe);
        return store_delete_one(store, key, err);
    }
    const char *first = listing->objects[0].key, *slash = strrchr(first, '/');
    (void)snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash + 1 - first) : 0, first);
    return probe(c, store, folder, err);
}

/* What the clean-up at the end of a run deletes. */
static void check_delete(struct checks *c, const char *name, struct store *store,
                         const char *prefix, const char *below)
{
    struct err err = {0};
    struct store_listing listing = {0};
    char place[STORE_MAX_KEY + 1];
    if (c->options->no_probe || c->options->process->keep_state)
        return;
    (void)snprintf(place, sizeof place, "%s%s", prefix, below);
    int r = store_list(store, place, &listing, &err);
    const bool nothing_to_see = r == 0 && listing.n == 0 && store_is_local(store);
    if (r == 0 && !nothing_to_see)
        r = try_delete(c, store, place, &listing, &err);
    if (!nothing_to_see)
        tell(c, r, &err, "%s: %s/%s can be cleaned up", name, store_name(store), place);
    store_listing_deinit(&listing);
}

static bool check_bucket(struct checks *c, const char *name, struct store *store)
{
    struct err err = {0};
    int r = store_check(store, &err);
    if (r == E_ABSENT && err.text[0] == '\0')
        r = err_set(&err, E_ABSENT, 0, "there is no such bucket");
    tell(c, r, &err, "%s: %s is there", name, store_name(store));
    return r == 0;
}

static void check_buckets(struct checks *c)
{
    const struct process_options *o = c->options->process;
    static const char ingest[] = "BUCKET_INTERNAL_INGEST", private[] = "BUCKET_INTERNAL_PRIVATE",
                      shared[] = "BUCKET_INTERNAL_SHARED", external[] = "BUCKET_EXTERNAL_SHARED";
    if (check_bucket(c, ingest, o->ingest) && c->own) {
        check_read(c, ingest, o->ingest, c->own);
        check_delete(c, ingest, o->ingest, c->own, "raw/");
    }
    if (check_bucket(c, private, o->private) && c->own) {
        check_read(c, private, o->private, c->own);
        check_write(c, private, o->private, c->own, "state/");
        check_write(c, private, o->private, c->own, "intermediate/internal/");
        check_write(c, private, o->private, c->own, "processed/");
    }
    if (check_bucket(c, shared, o->shared) && c->own) {
        check_read(c, shared, o->shared, c->own);
        check_delete(c, shared, o->shared, c->own, "intermediate/external/");
    }
    // Its rights may leave out reading, but not listing: mirrors are compared.
    if (check_bucket(c, external, o->external_shared) && c->partner)
        check_write(c, external, o->external_shared, c->partner, "intermediate/external/");
}

unsigned validate_run(const struct validate_options *options)
{
    struct checks c = {.options = options};
    uint8_t random[16] = {0};
    if (RAND_bytes(random, sizeof random) != 1)
        random[0] = (uint8_t)getpid(); // a probe's name needs no secrecy
    uuid4_format(c.probe, random);
    check_config(&c);
    check_keys(&c);
    check_paths(&c);
    check_process(&c);
    check_file(&c, "metrics file", options->process->metrics_file);
    check_file(&c, "report", options->process->report_file);
    check_buckets(&c);
    check_earlier(&c);
    free(c.own);
    free(c.partner);
    return c.n_failed;
}
