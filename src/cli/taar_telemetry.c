/* SPDX-License-Identifier: MPL-2.0 */
/* Where the telemetry jobs read, and files that they write on this machine. */
#include "cli/taar.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void free_text(char **text)
{
    free(*text);
}

static int set_text(char **out, int n, struct err *err)
{
    if (n >= 0)
        return 0;
    *out = NULL; // asprintf leaves it undefined
    return err_set(err, E_NOMEM, 0, "no memory for a place");
}

/* A bare name lies below --store. */
static int name_export(const struct taar_setup *s, char **out, const struct taar_source *source,
                       struct err *err)
{
    const bool on_gcs = s->generation == GENERATION_3 || !source->once_on_s3;
    const char *folder = source->folder;
    const char *bucket = getenv(on_gcs ? "GCS_BUCKET" : "S3_PARQUET_BUCKET");
    if (!bucket || !*bucket)
        bucket = on_gcs ? "moz-fx-data-derived-datasets-parquet" : "telemetry-parquet";
    if (bucket[0] == '/' || strstr(bucket, "://"))
        return set_text(out, asprintf(out, "%s/%s", bucket, folder), err);
    const char *root = s->common.store_root;
    if (root) {
        const char *slash = *root && root[strlen(root) - 1] == '/' ? "" : "/";
        return set_text(out, asprintf(out, "%s%s%s/%s", root, slash, bucket, folder), err);
    }
    CLEANUP(free_text) char *home = NULL;
    const int r = bucket_home(&home, &s->common, err);
    return r < 0 ? r : set_text(out, asprintf(out, "%s/buckets/%s/%s", home, bucket, folder), err);
}

/* The originals read BigQuery's tables of the shared project. */
static int name_source(const struct taar_setup *s, char **out, const struct taar_source *source,
                       struct err *err)
{
    static const char bigquery[] = "bigquery://", shared[] = "moz-fx-data-shared-prod.";
    const bool is_bigquery = strncmp(s->warehouse_url, bigquery, sizeof bigquery - 1) == 0;
    if (source->given)
        return set_text(out, asprintf(out, "%s", source->given), err);
    if (source->folder && !(is_bigquery && source->table))
        return name_export(s, out, source, err);
    return set_text(out, asprintf(out, "%s%s", is_bigquery ? shared : "", source->table), err);
}

struct opening {
    char *place;
    struct store_config access;
    struct warehouse_config warehouse;
    struct telemetry_config config;
};

/* o must stay where it is. */
static int prepare(const struct taar_setup *s, const struct taar_source *source, struct opening *o,
                   struct err *err)
{
    const int r = name_source(s, &o->place, source, err);
    if (r < 0)
        return r;
    o->access = taar_store_access(s, o->place);
    o->warehouse = taar_warehouse_config(s, true);
    o->config = (struct telemetry_config){
        .source = o->place,
        .kind = source->kind,
        .first = source->first,
        .last = source->last,
        .needed = source->needed,
        .temp_dir = s->args->temp_dir,
        .n_threads = (unsigned)s->args->workers,
        .access = &o->access,
        .warehouse = &o->warehouse,
        .opened = source->opened,
    };
    return 0;
}

int taar_open_telemetry(const struct taar_setup *s, struct telemetry **out,
                        const struct taar_source *source, struct err *err)
{
    struct opening o = {0};
    int r = prepare(s, source, &o, err);
    if (r == 0)
        r = telemetry_open(out, &o.config, err);
    free(o.place);
    return r;
}

int taar_telemetry_ready(const struct taar_setup *s, const struct taar_source *source, bool *ready,
                         struct err *err)
{
    struct opening o = {0};
    int r = prepare(s, source, &o, err);
    if (r == 0)
        r = telemetry_ready(&o.config, ready, err);
    free(o.place);
    return r;
}

int taar_open_file(struct outfile *out, const char *path, struct err *err)
{
    const char *slash = strrchr(path, '/');
    if (!slash)
        return outfile_open(out, strcmp(path, "-") == 0 ? path : ".", path, err);
    CLEANUP(free_text) char *dir = span_to_text(span_of(path, (size_t)(slash - path)));
    if (!dir)
        return err_set(err, E_NOMEM, 0, "no memory for a path");
    return outfile_open(out, slash == path ? "/" : dir, slash + 1, err);
}
