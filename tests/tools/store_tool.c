/* SPDX-License-Identifier: MPL-2.0 */
/*
 * store-tool URL COMMAND [ARGUMENT...] - store.h for shell tests.
 *
 *   check                          ls [PREFIX]            level [PREFIX]
 *   stat KEY                       get KEY [OFFSET LEN]   put KEY [absent | VERSION]
 *   rm KEY...                      rm-version KEY VERSION
 *   fill [absent]: objects for the keys on standard input, a line each, that hold their keys
 *
 * Objects come from standard input and go to standard output; listings are lines "SIZE VERSION
 * CONTENT KEY". The environment has STORE_ENDPOINT, STORE_REGION, STORE_ACCESS_KEY,
 * STORE_SECRET_KEY, STORE_SESSION_TOKEN, STORE_CA_FILE, STORE_VIRTUAL_HOST=1, STORE_READ_TIMEOUT_S
 * and STORE_DEADLINE_MS. Exit 0, 1 (the error on standard error), 2 (usage), 3 (a condition did not
 * hold), 4 (absent).
 */
#include "base/buf.h"
#include "store/store.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { EXIT_CONFLICT = 3, EXIT_ABSENT = 4, CHUNK = 1 << 16 };

struct tool {
    struct store *store;
    struct store_config config;
    struct opt_secret access_key, secret_key, session_token;
    struct err err;
    int argc;
    char **argv; // of the command
};

static uint64_t number(const char *text)
{
    return text ? strtoull(text, NULL, 10) : 0;
}

static const struct opt_secret *secret(struct opt_secret *out, const char *name)
{
    const char *text = getenv(name);
    if (text)
        out->len = (size_t)snprintf(out->text, sizeof out->text, "%s", text);
    return out;
}

static int open_store(struct tool *t, const char *url)
{
    const char *virtual_host = getenv("STORE_VIRTUAL_HOST");
    t->config = (struct store_config){
        .url = url,
        .endpoint = getenv("STORE_ENDPOINT"),
        .region = getenv("STORE_REGION"),
        .access_key = secret(&t->access_key, "STORE_ACCESS_KEY"),
        .secret_key = secret(&t->secret_key, "STORE_SECRET_KEY"),
        .session_token = secret(&t->session_token, "STORE_SESSION_TOKEN"),
        .ca_file = getenv("STORE_CA_FILE"),
        .virtual_host = virtual_host && strcmp(virtual_host, "1") == 0,
        .read_timeout_s = (unsigned)number(getenv("STORE_READ_TIMEOUT_S")),
        .deadline_ms = number(getenv("STORE_DEADLINE_MS")),
    };
    return store_open(&t->store, &t->config, &t->err);
}

static void show(const struct store_object *o)
{
    printf("%" PRIu64 " %s %s %s\n", o->size, o->version[0] ? o->version : "-",
           o->content[0] ? o->content : "-", o->key);
}

static int list(struct tool *t, bool one_level)
{
    struct store_listing listing = {0};
    const char *prefix = t->argc > 1 ? t->argv[1] : "";
    const int r = one_level ? store_list_level(t->store, prefix, &listing, &t->err)
                            : store_list(t->store, prefix, &listing, &t->err);
    for (size_t i = 0; r == 0 && i < listing.n; i++)
        show(&listing.objects[i]);
    store_listing_deinit(&listing);
    return r;
}

static int look(struct tool *t)
{
    struct store_object object = {0};
    const int r = store_stat(t->store, t->argv[1], &object, &t->err);
    if (r == 0)
        show(&object);
    return r;
}

static int get(struct tool *t)
{
    CLEANUP(store_reader_closep) struct store_reader *reader = NULL;
    static char chunk[CHUNK];
    ssize_t n = store_get(&reader, t->store, t->argv[1], t->argc > 2 ? number(t->argv[2]) : 0,
                          t->argc > 3 ? number(t->argv[3]) : STORE_TO_END, &t->err);
    if (n < 0)
        return (int)n;
    const struct source source = store_reader_source(reader);
    while ((n = source.read(source.arg, chunk, sizeof chunk, &t->err)) > 0)
        if (fwrite(chunk, 1, (size_t)n, stdout) != (size_t)n)
            return err_set(&t->err, E_IO, 0, "standard output is closed");
    return (int)n;
}

static int put(struct tool *t)
{
    CLEANUP(store_writer_abandonp) struct store_writer *writer = NULL;
    static char chunk[CHUNK];
    const char *condition = t->argc > 2 ? t->argv[2] : NULL;
    const bool absent = condition && strcmp(condition, "absent") == 0;
    const struct store_put_options options = {.if_absent = absent,
                                              .if_version = absent ? NULL : condition};
    struct store_object object = {0};
    int r = store_put_begin(&writer, t->store, t->argv[1], &options, &t->err);
    size_t n;
    while (r == 0 && (n = fread(chunk, 1, sizeof chunk, stdin)) > 0)
        r = store_writer_write(writer, chunk, n, &t->err);
    if (r < 0)
        return r;
    struct store_writer *whole = writer;
    writer = NULL;
    r = store_writer_commit(whole, &object, &t->err);
    object.key = t->argv[1];
    if (r == 0)
        show(&object);
    return r;
}

static int fill(struct tool *t)
{
    char key[STORE_MAX_KEY + 2];
    const struct store_put_options options = {.if_absent = t->argc > 1};
    int r = 0;
    while (r == 0 && fgets(key, sizeof key, stdin)) {
        key[strcspn(key, "\n")] = '\0';
        r = store_put(t->store, key, span_str(key), &options, NULL, &t->err);
    }
    return r;
}

static int delete_version(struct tool *t)
{
    struct store_object object = {.key = t->argv[1]};
    (void)snprintf(object.version, sizeof object.version, "%s", t->argv[2]);
    return store_delete_version(t->store, &object, &t->err);
}

static int run(struct tool *t)
{
    const char *command = t->argv[0];
    const int n = t->argc;
    if (strcmp(command, "check") == 0)
        return store_check(t->store, &t->err);
    if (strcmp(command, "ls") == 0 || strcmp(command, "level") == 0)
        return list(t, command[1] == 'e');
    if (strcmp(command, "fill") == 0)
        return fill(t);
    if (n >= 2 && strcmp(command, "stat") == 0)
        return look(t);
    if (n >= 2 && strcmp(command, "get") == 0)
        return get(t);
    if (n >= 2 && strcmp(command, "put") == 0)
        return put(t);
    if (n >= 2 && strcmp(command, "rm") == 0)
        return store_delete(t->store, (const char *const *)t->argv + 1, (size_t)n - 1, &t->err);
    if (n == 3 && strcmp(command, "rm-version") == 0)
        return delete_version(t);
    return err_set(&t->err, E_ARG, 0, "no command \"%s\" with %d arguments", command, n - 1);
}

int main(int argc, char **argv)
{
    static struct tool t;
    if (argc < 3) {
        fprintf(stderr, "usage: store-tool URL COMMAND [ARGUMENT...]\n");
        return 2;
    }
    int r = open_store(&t, argv[1]);
    t.argc = argc - 2;
    t.argv = argv + 2;
    if (r == 0)
        r = run(&t);
    store_close(t.store);
    if (r < 0)
        fprintf(stderr, "store-tool: %s: %s\n", err_name(r), t.err.text);
    return r == 0                ? 0
           : r == STORE_CONFLICT ? EXIT_CONFLICT
           : r == E_ABSENT       ? EXIT_ABSENT
                                 : EXIT_FAILURE;
}
