/* SPDX-License-Identifier: MPL-2.0 */
/*
 * admin_steps - the admin's work against real servers, a step at a time. Stores are named
 * "URL[,ENDPOINT]"; the environment has STORE_ACCESS_KEY and STORE_SECRET_KEY.
 *
 *   admin_steps pings STORE             pings of 2026-03-14 into in/
 *   admin_steps stage STORE OUT         from in/ of STORE to out/ of OUT
 *   admin_steps transfer STORE          out/ to both ingest folders
 *   admin_steps table WAREHOUSE ENDPOINT OUT [EXPORT EXPORT_URL]
 *                                       a table with two pings of that date, to out/ of OUT
 *   admin_steps origins URL             fetch a list
 *
 * Prints what was done, or the error with exit status 1.
 */
#include "base/cpu.h"
#include "base/log.h"
#include "processor/fetch_origins.h"
#include "processor/generate_pings.h"
#include "processor/staging.h"
#include "processor/transfer.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TRY(call)                                                                                  \
    do {                                                                                           \
        const int r_ = (call);                                                                     \
        if (r_ < 0)                                                                                \
            return r_;                                                                             \
    } while (0)

static const char date[] = "2026-03-14";

static void secret(struct opt_secret *out, const char *variable)
{
    const char *value = getenv(variable);
    out->len = value ? strlen(value) : 0;
    if (out->len > 0 && out->len < sizeof out->text)
        memcpy(out->text, value, out->len + 1);
}

static int open_store(struct store **out, char *name, struct err *err)
{
    struct opt_secret access = {0}, key = {0};
    char *comma = strchr(name, ',');
    if (comma)
        *comma = '\0';
    secret(&access, "STORE_ACCESS_KEY");
    secret(&key, "STORE_SECRET_KEY");
    return store_open(out,
                      &(struct store_config){.url = name,
                                             .endpoint = comma ? comma + 1 : NULL,
                                             .access_key = &access,
                                             .secret_key = &key},
                      err);
}

static int make_pings(char **arg, int n, struct err *err)
{
    static struct data_entry entries[] = {{"m-0", 200}, {"m-1", 50}};
    static const struct data_config config = {entries, 2};
    CLEANUP(store_closep) struct store *store = NULL;
    struct generate_pings_options options = {.config = &config,
                                             .date = date,
                                             .n_pings = 200,
                                             .n_duplicates = 10,
                                             .shares = {.n_workers = 2, .cpu = cpu_detect()}};
    struct generate_pings_result result;
    uint8_t unused[PRIO_KEY_BYTES];
    (void)n;
    for (int i = 0; i < N_SERVERS; i++)
        if (prio_keygen(unused, options.shares.public_key[i]) != PRIO_OK)
            return err_set(err, E_CRYPTO, 0, "no keys");
    TRY(open_store(&store, arg[0], err));
    options.output = (struct place){store, "in"};
    TRY(generate_pings_run(&options, &result, err));
    printf("lines=%" PRIu64 " files=%u\n", result.n_lines, result.n_files);
    buf_deinit(&result.truth);
    return 0;
}

static int run_staging(const struct staging_options *options, struct err *err)
{
    struct staging_result r;
    TRY(staging_run(options, &r, err));
    printf("objects=%" PRIu64 " pings=%" PRIu64 " duplicates=%" PRIu64 " files=%" PRIu64 "\n",
           r.n_objects, r.n_pings, r.dropped[STAGING_DUPLICATE], r.n_files);
    return 0;
}

static int stage(char **arg, int n, struct err *err)
{
    CLEANUP(store_closep) struct store *in = NULL;
    CLEANUP(store_closep) struct store *out = NULL;
    if (n < 2)
        return err_set(err, E_ARG, 0, "which stores?");
    TRY(open_store(&in, arg[0], err));
    TRY(open_store(&out, arg[1], err));
    return run_staging(&(struct staging_options){.date = date,
                                                 .input = {in, "in"},
                                                 .output = {out, "out"},
                                                 .partition_bytes = 200000,
                                                 .memory_bytes = 1 << 20,
                                                 .n_workers = 2,
                                                 .cpu = cpu_detect()},
                       err);
}

static int transfer(char **arg, int n, struct err *err)
{
    CLEANUP(store_closep) struct store *store = NULL;
    struct transfer_result r;
    (void)n;
    TRY(open_store(&store, arg[0], err));
    const struct transfer_options options = {.input = {store, "out"},
                                             .ingest = {.bucket = {store, store},
                                                        .public_key = {"AAAA", "BBBB"},
                                                        .bucket_prefix = "data/v1",
                                                        .app_name = "app",
                                                        .date = date}};
    TRY(transfer_run(&options, &r, err));
    printf("copied=%" PRIu64 " kept=%" PRIu64 " deleted=%" PRIu64 "\n", r.n_copied, r.n_kept,
           r.n_deleted);
    return 0;
}

/* gzip of {"id":"x","payload":{"prioData":[{"encoding":"m-0","prio":{"a":"QQ==","b":"Qg=="}}]}} */
static const char packed[] = "H4sIAAAAAAACA6tWykxRslKqUNJRKkiszMlPBPKqlQqKMvNdEksSlayiq5VS85LzUzLz0"
                             "oHKcnUNQAqBsiBVQGmlwEBbW6BQEoiZDmTW1sbW1gIAdVPC3lUAAAA=";

static int make_table(struct warehouse *w, struct err *err)
{
    static const struct column columns[] = {{.name = "unused", .type = COLUMN_INT64}, {0}};
    char sql[2048];
    // Makes the dataset, which one of the emulators does not do by SQL.
    TRY(warehouse_ensure_table(
        w, &(struct table_schema){.name = "decoded.beside", .columns = columns}, err));
    snprintf(sql, sizeof sql,
             "CREATE TABLE decoded.pings AS SELECT t AS submission_timestamp, "
             "FROM_BASE64('%s') AS payload FROM UNNEST([TIMESTAMP '2026-03-13 23:59:59+00', "
             "TIMESTAMP '2026-03-14 00:00:00+00', TIMESTAMP '2026-03-14 23:59:59+00', "
             "TIMESTAMP '2026-03-15 00:00:00+00']) AS t",
             packed);
    return warehouse_query(w, sql, NULL, NULL, NULL, err);
}

static int table(char **arg, int n, struct err *err)
{
    CLEANUP(warehouse_closep) struct warehouse *w = NULL;
    CLEANUP(store_closep) struct store *out = NULL;
    CLEANUP(store_closep) struct store *export = NULL;
    struct staging_options options = {.date = date,
                                      .source = STAGING_BIGQUERY,
                                      .table = "a-project.decoded.pings",
                                      .cpu = cpu_detect()};
    if (n < 3)
        return err_set(err, E_ARG, 0, "which warehouse, endpoint and output?");
    TRY(warehouse_open(&w, &(struct warehouse_config){.url = arg[0], .endpoint = arg[1]}, err));
    TRY(make_table(w, err));
    TRY(open_store(&out, arg[2], err));
    options.warehouse = w;
    options.output = (struct place){out, "out"};
    if (n > 4) {
        TRY(open_store(&export, arg[3], err));
        options.export_to = (struct place){export, "export"};
        options.export_url = arg[4];
        options.export_above_bytes = 1;
    }
    return run_staging(&options, err);
}

static int origins(char **arg, int n, struct err *err)
{
    struct fetch_origins_result result;
    (void)n;
    TRY(fetch_origins_run(&(struct fetch_origins_options){.url = arg[0]}, &result, err));
    printf("origins=%zu\n", result.n_origins);
    buf_deinit(&result.json);
    return 0;
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        int (*run)(char **arg, int n, struct err *err);
    } steps[] = {{"pings", make_pings},
                 {"stage", stage},
                 {"transfer", transfer},
                 {"table", table},
                 {"origins", origins}};
    struct err err = {0};
    log_init("admin_steps", LOG_FORMAT_TEXT, LOG_LEVEL_ERROR);
    for (size_t i = 0; argc > 2 && i < ARRAY_LEN(steps); i++)
        if (strcmp(argv[1], steps[i].name) == 0) {
            const int r = steps[i].run(argv + 2, argc - 2, &err);
            if (r < 0)
                fprintf(stderr, "%s: %s\n", err_name(r), err.text);
            return r < 0 ? 1 : 0;
        }
    fprintf(stderr, "usage: admin_steps pings|stage|transfer|table|origins ARGUMENT...\n");
    return 2;
}
