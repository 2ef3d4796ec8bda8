/* SPDX-License-Identifier: MPL-2.0 */
/* From options to the places, files and tables that they name. */
#include "base/outfile.h"
#include "cli/processor.h"
#include "cli/version.h"
#include "processor/layout.h"
#include "warehouse/warehouse.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int processor_open_buckets(struct processor_buckets *b, const struct processor_setup *s,
                           const struct processor_args *a, struct err *err)
{
    // Before there was a bucket for ingestion, shares came into the private one.
    const char *ingest = a->internal_ingest ? a->internal_ingest : a->internal_private;
    const char *ingest_name =
        a->internal_ingest ? "BUCKET_INTERNAL_INGEST" : "BUCKET_INTERNAL_PRIVATE";
    int r = bucket_open(&b->ingest, &s->common, &a->internal, ingest_name, ingest, err);
    if (r == 0)
        r = bucket_open(&b->private, &s->common, &a->internal, "BUCKET_INTERNAL_PRIVATE",
                        a->internal_private, err);
    if (r == 0)
        r = bucket_open(&b->shared, &s->common, &a->internal, "BUCKET_INTERNAL_SHARED",
                        a->internal_shared, err);
    if (r == 0 && a->external_shared)
        r = bucket_open(&b->external_shared, &s->common, &a->external, "BUCKET_EXTERNAL_SHARED",
                        a->external_shared, err);
    return r;
}

void processor_close_buckets(struct processor_buckets *b)
{
    store_close(b->ingest);
    store_close(b->private);
    store_close(b->shared);
    store_close(b->external_shared);
    *b = (struct processor_buckets){0};
}

int processor_place(struct processor_places *places, struct place *out,
                    const struct processor_setup *s, const struct processor_args *a,
                    const char *option, const char *location, struct err *err)
{
    const size_t i = places->n;
    if (i == PROCESSOR_MAX_PLACES)
        return err_set(err, E_ARG, 0, "too many places");
    const int r = location_open(&places->stores[i], &places->dirs[i], &s->common, &a->internal,
                                location, err);
    if (r < 0)
        return err_wrap(err, r, "%s", option);
    places->n++;
    *out = (struct place){.store = places->stores[i], .dir = places->dirs[i]};
    return 0;
}

void processor_places_close(struct processor_places *places)
{
    for (size_t i = 0; i < places->n; i++) {
        store_close(places->stores[i]);
        free(places->dirs[i]);
    }
    places->n = 0;
}

void processor_would_replace(const struct place *place, const char *what)
{
    char line[3 * STORE_MAX_KEY];
    const char *dir = place->dir ? place->dir : "";
    (void)snprintf(line, sizeof line, "would replace %s%s%s%s%s", store_name(place->store),
                   dir[0] ? "/" : "", dir, what[0] ? "/" : "", what);
    processor_say(NULL, line);
}

int processor_apart(const struct place *a, const char *option_a, const struct place *b,
                    const char *option_b, struct err *err)
{
    if (!store_same(a->store, b->store) || strcmp(a->dir, b->dir) != 0)
        return 0;
    return err_set(err, E_ARG, 0, "%s and %s must be different places.", option_a, option_b);
}

static void name_place(char *out, size_t size, const struct place *p, const char *end)
{
    (void)snprintf(out, size, "%s%s%s%s", store_name(p->store), p->dir[0] ? "/" : "", p->dir, end);
}

int processor_outside(const struct place *input, const struct place *output, struct err *err)
{
    char in[2 * STORE_MAX_KEY], out[2 * STORE_MAX_KEY];
    name_place(in, sizeof in, input, "/");
    name_place(out, sizeof out, output, "/");
    if (strncmp(in, out, strlen(out)) == 0)
        return err_set(err, E_ARG, 0, "--output is replaced, and --input lies in it.");
    name_place(in, sizeof in, input, "/batch_id=");
    if (strncmp(in, out, strlen(in)) == 0)
        return err_set(err, E_ARG, 0, "--output lies in a batch of --input.");
    return 0;
}

int processor_shares(struct share_options *out, const struct processor_setup *s,
                     const struct processor_args *a, struct err *err)
{
    *out = (struct share_options){.prg = (enum prio_prg)a->prg,
                                  .n_workers = s->n_workers,
                                  .cpu = s->cpu,
                                  .cpu_level = a->cpu,
                                  .progress = s->progress};
    const struct {
        const char *option, *hex;
    } keys[] = {{"--public-key-hex-internal", a->key_internal},
                {"--public-key-hex-external", a->key_external}};
    for (size_t i = 0; i < ARRAY_LEN(keys); i++)
        if (prio_key_from_hex(out->public_key[i], keys[i].hex, strlen(keys[i].hex)) != PRIO_OK)
            return err_set(err, E_FORMAT, 0, "%s: a key is exactly 64 hex digits", keys[i].option);
    return 0;
}

const char *processor_config_file(char out[PROCESSOR_PATH_BYTES], const char *given,
                                  const char *name)
{
    // Below the working directory, as in the original; beside the programs that were built; where
    // they are installed, also when that was moved as a whole.
    char program[PROCESSOR_PATH_BYTES / 2];
    if (given)
        return given;
    const ssize_t len = readlink("/proc/self/exe", program, sizeof program - 1);
    program[len > 0 ? len : 0] = '\0';
    char *slash = strrchr(program, '/');
    if (slash)
        *slash = '\0';
    const struct {
        const char *root, *folder;
    } places[] = {{"", "config"}, {program, "/config"}, {program, "/" WEIR_DATA_BESIDE "/config"}};
    for (size_t i = 0; i < ARRAY_LEN(places); i++) {
        (void)snprintf(out, PROCESSOR_PATH_BYTES, "%s%s/%s", places[i].root, places[i].folder,
                       name);
        if (access(out, R_OK) == 0)
            return out;
    }
    (void)snprintf(out, PROCESSOR_PATH_BYTES, "%s/config/%s", WEIR_DATA_DIR, name);
    return out;
}

int processor_read_config(struct data_config *out, const struct processor_args *a, struct err *err)
{
    char path[PROCESSOR_PATH_BYTES];
    const int r =
        data_config_read(out, processor_config_file(path, a->data_config, "test-small.json"), err);
    return r < 0 ? err_wrap(err, r, "--data-config") : 0;
}

int processor_write_file(const char *path, const struct buf *text, struct err *err)
{
    CLEANUP(outfile_abandon) struct outfile out = OUTFILE_INIT;
    char dir[4096] = ".";
    const char *slash = strrchr(path, '/');
    if (strcmp(path, "-") == 0)
        return fwrite(text->data, 1, text->len, stdout) == text->len
                   ? 0
                   : err_set(err, E_IO, errno, "write to standard output");
    if (slash)
        (void)snprintf(dir, sizeof dir, "%.*s", slash == path ? 1 : (int)(slash - path), path);
    int r = make_directories(dir, err);
    if (r == 0)
        r = outfile_open(&out, dir, slash ? slash + 1 : path, err);
    if (r == 0)
        r = outfile_write(&out, text->data, text->len, err);
    return r < 0 ? r : outfile_commit(&out, err);
}

int processor_check_date(const char *date, struct err *err)
{
    if (layout_is_date(date))
        return 0;
    return err_set(err, E_ARG, 0, "Invalid value for '--date': '%.100s' is no day like 2026-03-14.",
                   date);
}

int processor_ingest_open(struct ingest *ingest, const struct processor_setup *s,
                          const struct processor_args *a, struct err *err)
{
    *ingest = (struct ingest){.public_key = {a->key_internal, a->key_external},
                              .bucket_prefix = a->bucket_prefix,
                              .app_name = a->app_name,
                              .date = s->date};
    // Before there were buckets for ingestion, shares went into the private ones.
    const struct {
        const char *name, *ingest, *private;
        const struct bucket_side *side;
    } servers[N_SERVERS] = {
        {"BUCKET_INTERNAL_INGEST", a->internal_ingest, a->internal_private, &a->internal},
        {"BUCKET_EXTERNAL_INGEST", a->external_ingest, a->external_private, &a->external},
    };
    int r = 0;
    for (int i = 0; i < N_SERVERS && r == 0; i++) {
        const char *bucket = servers[i].ingest ? servers[i].ingest : servers[i].private;
        if (a->only != 0 && a->only != i + 1)
            continue;
        r = bucket
                ? bucket_open(&ingest->bucket[i], &s->common, servers[i].side, servers[i].name,
                              bucket, err)
                : err_set(err, E_ARG, 0, "Missing option '--bucket-%s-ingest'. Give it or set %s.",
                          i == 0 ? "internal" : "external", servers[i].name);
    }
    if (r < 0)
        processor_ingest_close(ingest);
    return r;
}

void processor_ingest_close(struct ingest *ingest)
{
    for (int i = 0; i < N_SERVERS; i++) {
        store_close(ingest->bucket[i]);
        ingest->bucket[i] = NULL;
    }
}

int processor_open_warehouse(struct warehouse **out, const struct processor_setup *s,
                             const struct processor_args *a, const char *url, bool read_only,
                             struct err *err)
{
    char with_project[512];
    if (strcmp(url, "bigquery://") == 0 && a->project) {
        (void)snprintf(with_project, sizeof with_project, "%s%s", url, a->project);
        url = with_project;
    }
    const struct warehouse_config config = {.url = url,
                                            .read_only = read_only,
                                            .google_credentials = s->common.google_credentials,
                                            .metadata_host = getenv("GCE_METADATA_HOST"),
                                            .endpoint = a->bigquery_endpoint,
                                            .location = a->bigquery_location};
    const int r = warehouse_open(out, &config, err);
    return r < 0 ? err_wrap(err, r, "--warehouse") : 0;
}
