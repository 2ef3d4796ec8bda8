/* SPDX-License-Identifier: MPL-2.0 */
/* One person plays admin, server A and server B below a directory: keys, data, both runs, a table.
 */
#include "base/outfile.h"
#include "base/retry.h"
#include "base/secret.h"
#include "cli/children.h"
#include "cli/processor.h"
#include "codec/base64.h"
#include "processor/layout.h"
#include "stage/stage.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_BYTES = 4096, TEXT_BYTES = 24 + BASE64_SLACK };

struct play {
    const struct processor_args *args;
    struct processor_setup setup;
    char home[PATH_BYTES / 2];
    char public_key[N_SERVERS][PRIO_KEY_HEX_BYTES]; // of A and B
};

static const char *const names[N_SERVERS] = {"A", "B"};

static void path_in(char out[PATH_BYTES], const struct play *p, const char *folder,
                    const char *name, const char *ending)
{
    (void)snprintf(out, PATH_BYTES, "%s/%s/%s%s", p->home, folder, name, ending);
}

static int write_text(const char *path, const char *text, size_t len, struct err *err)
{
    CLEANUP(buf_deinit) struct buf line = BUF_INIT_SECRET(PATH_BYTES);
    int r = buf_append(&line, text, len, err);
    if (r == 0)
        r = buf_append_byte(&line, '\n', err);
    return r < 0 ? r : processor_write_file(path, &line, err);
}

static int make_pair(const struct play *p, const char *name, struct err *err)
{
    uint8_t private_key[PRIO_KEY_BYTES], public_key[PRIO_KEY_BYTES];
    char hex[PRIO_KEY_HEX_BYTES], path[PATH_BYTES];
    int r = prio_keygen(private_key, public_key);
    if (r != PRIO_OK)
        return stage_prio_err(err, r, "keygen");
    prio_key_to_hex(hex, private_key);
    path_in(path, p, "keys", name, ".private");
    r = write_text(path, hex, strlen(hex), err);
    prio_key_to_hex(hex, public_key);
    path_in(path, p, "keys", name, ".public");
    if (r == 0) // last: it says that the pair is whole
        r = write_text(path, hex, strlen(hex), err);
    secret_wipe(private_key, sizeof private_key);
    return r;
}

static int make_secret(const char *path, struct err *err)
{
    uint8_t secret[PRIO_SECRET_BYTES], text[TEXT_BYTES];
    struct base64_ops base64;
    base64_ops_init(&base64, 0);
    int r = prio_shared_secret(secret);
    if (r != PRIO_OK)
        return stage_prio_err(err, r, "shared secret");
    const size_t len = base64.encode(text, secret, sizeof secret);
    r = write_text(path, (const char *)text, len, err);
    secret_wipe(secret, sizeof secret);
    secret_wipe(text, sizeof text);
    return r;
}

static int read_public(struct play *p, int server, struct err *err)
{
    char path[PATH_BYTES];
    path_in(path, p, "keys", names[server], ".public");
    FILE *f = fopen(path, "re");
    if (!f)
        return err_set(err, E_IO, errno, "%s", path);
    const size_t n = fread(p->public_key[server], 1, PRIO_KEY_HEX_BYTES - 1, f);
    (void)fclose(f);
    p->public_key[server][n] = '\0';
    return n == PRIO_KEY_HEX_BYTES - 1 ? 0 : err_set(err, E_FORMAT, 0, "%s holds no key", path);
}

/* Keys that are there are kept: tomorrow's data goes to the same servers. */
static int make_keys(struct play *p, struct err *err)
{
    char path[PATH_BYTES];
    path_in(path, p, "keys", "", "");
    int r = make_directories(path, err);
    if (r == 0 && chmod(path, 0700) != 0)
        r = err_set(err, E_IO, errno, "%s", path);
    for (int i = 0; i < N_SERVERS && r == 0; i++) {
        path_in(path, p, "keys", names[i], ".public");
        if (access(path, F_OK) != 0)
            r = make_pair(p, names[i], err);
        if (r == 0)
            r = read_public(p, i, err);
    }
    path_in(path, p, "keys", "shared-secret", "");
    return r == 0 && access(path, F_OK) != 0 ? make_secret(path, err) : r;
}

static int make_folders(const struct play *p, struct err *err)
{
    static const char *const folders[] = {"logs",
                                          "buckets/a-ingest",
                                          "buckets/a-private",
                                          "buckets/a-shared",
                                          "buckets/b-ingest",
                                          "buckets/b-private",
                                          "buckets/b-shared"};
    char path[PATH_BYTES];
    int r = 0;
    for (size_t i = 0; i < ARRAY_LEN(folders) && r == 0; i++) {
        path_in(path, p, folders[i], "", "");
        r = make_directories(path, err);
    }
    return r;
}

/* What all three know. */
static int common_env(struct child_env *env, const struct play *p, struct err *err)
{
    static const char *const kept[] = {"PATH", "HOME", "TMPDIR", "TERM", "LANG", NULL};
    static const char *const prgs[] = {"hashed", "legacy"}, *const points[] = {"first",
                                                                               "sequential"};
    const struct processor_args *a = p->args;
    char config[PATH_BYTES], origins[PATH_BYTES];
    int r = child_env_inherit(env, kept, err);
    const struct {
        const char *name, *value;
    } variables[] = {
        {"WEIR_HOME", p->home},
        {"APP_NAME", "integration"},
        {"SUBMISSION_DATE", p->setup.date},
        {"DATA_CONFIG", processor_config_file(config, a->data_config, "test-small.json")},
        {"ORIGIN_CONFIG", processor_config_file(origins, a->origin_config, "origins.json")},
        {"PRIO_PRG", prgs[a->prg]},
        {"PRIO_POINTS", points[a->points]},
        {"WEIR_CPU", a->cpu ? a->cpu : ""},
        {"WEIR_LOG_FORMAT", a->log_format == 0 ? "text" : "json"},
        {"WEIR_NOW", a->now ? a->now : ""},
        // Both are here: waits are short, and many.
        {"RETRY_LIMIT", "20"},
        {"RETRY_DELAY", "0.1"},
        {"RETRY_BACKOFF_EXPONENT", "1.4"},
    };
    for (size_t i = 0; i < ARRAY_LEN(variables) && r == 0; i++)
        r = child_env_set(env, err, variables[i].name, "%s", variables[i].value);
    if (r == 0)
        r = child_env_set(env, err, "WEIR_WORKERS", "%u", p->setup.n_workers);
    return r;
}

/* What one server knows besides; admin sees the buckets as A does, and has no secrets. */
static int server_env(struct child_env *env, const struct play *p, int me, bool is_admin,
                      struct err *err)
{
    const char own = me == 0 ? 'a' : 'b', other = me == 0 ? 'b' : 'a';
    char path[PATH_BYTES];
    int r = common_env(env, p, err);
    if (r == 0)
        r = child_env_set(env, err, "PUBLIC_KEY_HEX_INTERNAL", "%s", p->public_key[me]);
    if (r == 0)
        r = child_env_set(env, err, "PUBLIC_KEY_HEX_EXTERNAL", "%s", p->public_key[1 - me]);
    if (r == 0)
        r = child_env_set(env, err, "BUCKET_INTERNAL_INGEST", "%c-ingest", own);
    if (r == 0)
        r = child_env_set(env, err, "BUCKET_INTERNAL_PRIVATE", "%c-private", own);
    if (r == 0 && is_admin)
        r = child_env_set(env, err, "BUCKET_EXTERNAL_INGEST", "%c-ingest", other);
    if (r < 0 || is_admin)
        return r;
    r = child_env_set(env, err, "BUCKET_INTERNAL_SHARED", "%c-shared", own);
    if (r == 0)
        r = child_env_set(env, err, "BUCKET_EXTERNAL_SHARED", "%c-shared", other);
    if (r == 0)
        r = child_env_set(env, err, "SERVER_ID", "%s", names[me]);
    path_in(path, p, "keys", names[me], ".private");
    if (r == 0)
        r = child_env_set(env, err, "PRIVATE_KEY_HEX_FILE", "%s", path);
    path_in(path, p, "keys", "shared-secret", "");
    return r < 0 ? r : child_env_set(env, err, "SHARED_SECRET_FILE", "%s", path);
}

static char program[] = "prio-processor";

/* Admin's part: one command, to its end. */
static int admin(const struct play *p, char *const *argv, bool shows, struct err *err)
{
    CLEANUP(child_env_deinit) struct child_env env = {0};
    struct child child = {.label = argv[1]};
    struct child *const all[] = {&child};
    if (!shows)
        path_in(child.log, p, "logs", argv[1], ".log");
    int r = server_env(&env, p, 0, true, err);
    if (r == 0)
        r = child_start(&child, argv, &env, err);
    return r < 0 ? r : children_wait(all, 1, err);
}

static int generate(const struct play *p, struct err *err)
{
    char n_rows[32];
    (void)snprintf(n_rows, sizeof n_rows, "--n-rows=%" PRIu64, p->args->n_rows);
    char *const argv[] = {program, (char[]){"generate"}, n_rows, NULL};
    return admin(p, argv, false, err);
}

static int insert(const struct play *p, struct err *err)
{
    char *const argv[] = {program, (char[]){"insert"}, NULL};
    return admin(p, argv, true, err);
}

static int start_server(struct child *child, const struct play *p, int me, struct err *err)
{
    CLEANUP(child_env_deinit) struct child_env env = {0};
    path_in(child->log, p, "logs", names[me], ".log");
    char *const argv[] = {program, (char[]){"process"}, NULL};
    const int r = server_env(&env, p, me, false, err);
    return r < 0 ? r : child_start(child, argv, &env, err);
}

/* A first, B a moment later: neither may need the other to be there. */
static int servers(const struct play *p, struct err *err)
{
    struct child a = {.label = "server A"}, b = {.label = "server B"};
    struct child *const all[] = {&a, &b};
    int r = start_server(&a, p, PRIO_SERVER_A, err);
    if (r < 0)
        return r;
    retry_sleep_ms((uint64_t)(p->args->pause * 1000));
    r = start_server(&b, p, PRIO_SERVER_B, err);
    if (r == 0)
        return children_wait(all, 2, err);
    child_stop(&a); // it would wait for B in vain
    return r;
}

static int integrate(struct play *p, struct err *err)
{
    int r = make_folders(p, err);
    if (r == 0)
        r = make_keys(p, err);
    if (r < 0)
        return r;
    processor_say(NULL, "admin: generate");
    r = generate(p, err);
    if (r < 0)
        return r;
    processor_say(NULL, "A and B: process");
    r = servers(p, err);
    if (r < 0)
        return r;
    processor_say(NULL, "admin: insert");
    return insert(p, err);
}

int cmd_integrate(void *args, struct err *err)
{
    struct play p = {.args = args};
    char *home = NULL;
    int r = processor_start(&p.setup, p.args, err);
    if (r == 0)
        r = bucket_home(&home, &p.setup.common, err);
    if (r < 0)
        return processor_exit(r);
    const bool fits = strlen(home) < sizeof p.home;
    (void)snprintf(p.home, sizeof p.home, "%s", home);
    free(home);
    if (!fits)
        r = err_set(err, E_ARG, 0, "--home is too long");
    if (r < 0 || !p.args->dry_run)
        return processor_exit(r < 0 ? r : integrate(&p, err));
    char line[PATH_BYTES];
    (void)snprintf(line, sizeof line, "would make keys, buckets and a table below %s", p.home);
    processor_say(NULL, line);
    return EXIT_DONE;
}
