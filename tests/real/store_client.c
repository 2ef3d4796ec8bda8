/* SPDX-License-Identifier: MPL-2.0 */
/*
 * store_client COMMAND ARGUMENT... - one operation on the store that the environment names
 * (STORE_URL, STORE_ENDPOINT, STORE_CREDENTIALS, STORE_CA_FILE), for shell tests that arrange what
 * the server does. Contents are a pattern that get checks. Prints what it found; exit status 0, 1
 * with a reason on standard error, or 3 for a conflict, 4 for an absent object.
 */
#include "base/buf.h"
#include "store/store.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CONFLICT = 3, ABSENT = 4, CHUNK = 100000 };

static const char *const usage = "usage: store_client put KEY SIZE [absent|VERSION] | get KEY "
                                 "[OFFSET LEN] | stat KEY | list PREFIX | level PREFIX | delete "
                                 "KEY... | delete-version KEY VERSION | check";

static uint8_t pattern(uint64_t i)
{
    return (uint8_t)((i * UINT64_C(0x9e3779b97f4a7c15)) >> 56);
}

static void print_object(const struct store_object *o)
{
    printf("%s %" PRIu64 " %s %s %" PRId64 "\n", o->key, o->size, o->version,
           o->content[0] ? o->content : "-", o->modified_us);
}

static int write_pattern(struct store_writer *w, uint64_t size, struct err *err)
{
    static uint8_t chunk[CHUNK];
    int r = 0;
    for (uint64_t i = 0; i < size && r == 0;) {
        size_t n = 0;
        for (; n < sizeof chunk && i < size; n++)
            chunk[n] = pattern(i++);
        r = store_writer_write(w, chunk, n, err);
    }
    return r;
}

static int put(struct store *store, char **arg, int n, struct err *err)
{
    struct store_put_options options = {0};
    if (n > 2 && strcmp(arg[2], "absent") == 0)
        options.if_absent = true;
    else if (n > 2)
        options.if_version = arg[2];
    struct store_writer *w;
    int r = store_put_begin(&w, store, arg[0], &options, err);
    if (r < 0)
        return r;
    r = write_pattern(w, strtoull(arg[1], NULL, 10), err);
    if (r != 0) {
        store_writer_abandon(w);
        return r;
    }
    struct store_object object = {0};
    r = store_writer_commit(w, &object, err);
    object.key = arg[0];
    if (r == 0)
        print_object(&object);
    return r;
}

static int get(struct store *store, char **arg, int n, struct err *err)
{
    const uint64_t offset = n > 1 ? strtoull(arg[1], NULL, 10) : 0;
    const uint64_t len = n > 2 ? strtoull(arg[2], NULL, 10) : STORE_TO_END;
    CLEANUP(store_reader_closep) struct store_reader *reader = NULL;
    const int r = store_get(&reader, store, arg[0], offset, len, err);
    if (r != 0)
        return r;
    static uint8_t chunk[CHUNK];
    uint64_t at = offset;
    const struct source source = store_reader_source(reader);
    ssize_t got;
    while ((got = source.read(source.arg, chunk, sizeof chunk, err)) > 0) {
        for (ssize_t i = 0; i < got; i++) {
            if (chunk[i] != pattern(at++))
                return err_set(err, E_FORMAT, 0, "byte %" PRIu64 " differs", at - 1);
        }
    }
    if (got == 0)
        printf("%" PRIu64 " bytes of ", at - offset);
    if (got == 0)
        print_object(store_reader_object(reader));
    return (int)got;
}

static int list(struct store *store, const char *prefix, bool one_level, struct err *err)
{
    struct store_listing listing = {0};
    const int r = one_level ? store_list_level(store, prefix, &listing, err)
                            : store_list(store, prefix, &listing, err);
    for (size_t i = 0; i < listing.n && r == 0; i++)
        print_object(&listing.objects[i]);
    store_listing_deinit(&listing);
    return r;
}

static int stat_one(struct store *store, const char *key, struct err *err)
{
    struct store_object object;
    const int r = store_stat(store, key, &object, err);
    if (r == 0)
        print_object(&object);
    return r;
}

static int delete_version(struct store *store, char **arg, struct err *err)
{
    struct store_object object = {.key = arg[0]};
    (void)snprintf(object.version, sizeof object.version, "%s", arg[1]);
    return store_delete_version(store, &object, err);
}

static int run(struct store *store, const char *command, char **arg, int n, struct err *err)
{
    if (strcmp(command, "check") == 0)
        return store_check(store, err);
    if (strcmp(command, "put") == 0 && n >= 2)
        return put(store, arg, n, err);
    if (strcmp(command, "get") == 0 && n >= 1)
        return get(store, arg, n, err);
    if (strcmp(command, "stat") == 0 && n == 1)
        return stat_one(store, arg[0], err);
    if (strcmp(command, "list") == 0 && n == 1)
        return list(store, arg[0], false, err);
    if (strcmp(command, "level") == 0 && n == 1)
        return list(store, arg[0], true, err);
    if (strcmp(command, "delete") == 0)
        return store_delete(store, (const char *const *)arg, (size_t)n, err);
    if (strcmp(command, "delete-version") == 0 && n == 2)
        return delete_version(store, arg, err);
    return err_set(err, E_ARG, 0, "%s", usage);
}

/* A credentials file's text, given as such; NULL: none, or too long. */
static const struct opt_secret *key_of(const char *text)
{
    static struct opt_secret key;
    key.len = text ? strlen(text) : 0;
    if (key.len == 0 || key.len > sizeof key.text)
        return NULL;
    memcpy(key.text, text, key.len);
    return &key;
}

int main(int argc, char **argv)
{
    const struct store_config config = {
        .url = getenv("STORE_URL"),
        .endpoint = getenv("STORE_ENDPOINT"),
        .google_credentials = getenv("STORE_CREDENTIALS"),
        .google_key = key_of(getenv("STORE_KEY")),
        .ca_file = getenv("STORE_CA_FILE"),
        .read_timeout_s = 2,
        .deadline_ms = 30000,
    };
    struct err err = {0};
    CLEANUP(store_closep) struct store *store = NULL;
    int r = argc < 2 ? err_set(&err, E_ARG, 0, "%s", usage) : store_open(&store, &config, &err);
    if (r == 0)
        r = run(store, argv[1], argv + 2, argc - 2, &err);
    if (r < 0)
        (void)fprintf(stderr, "%s: %s\n", err_name(r), err.text);
    return r == 0 ? 0 : r == STORE_CONFLICT ? CONFLICT : r == E_ABSENT ? ABSENT : 1;
}
