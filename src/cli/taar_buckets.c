/* SPDX-License-Identifier: MPL-2.0 */
/* From options to buckets. */
#include "cli/taar.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_s3(const char *url)
{
    return url && (strncmp(url, "s3://", 5) == 0 || strncmp(url, "s3a://", 6) == 0);
}

static bool is_bare(const char *bucket)
{
    return bucket[0] != '/' && !strstr(bucket, "://");
}

static void free_text(char **text)
{
    free(*text);
}

int taar_open_bucket(const struct taar_setup *s, struct store **out, const char *what,
                     const char *bucket, struct err *err)
{
    static const struct bucket_side elsewhere = {0};
    const bool below_s3 = is_bare(bucket) && is_s3(s->common.store_root);
    if (!is_s3(bucket) && !below_s3) // an S3 server that is named somewhere selects nothing (Y1)
        return bucket_open(out, &s->common, &elsewhere, what, bucket, err);
    CLEANUP(free_text) char *url = NULL;
    const char *root = below_s3 ? s->common.store_root : "";
    const bool slash = below_s3 && root[strlen(root) - 1] != '/';
    if (asprintf(&url, "%s%s%s", root, slash ? "/" : "", bucket) < 0) {
        url = NULL; // asprintf leaves it undefined
        return err_set(err, E_NOMEM, 0, "no memory for a place");
    }
    return bucket_open(out, &s->common, &s->args->s3, what, url, err);
}

int taar_open_location(const struct taar_setup *s, struct store **out, char **key,
                       const char *location, struct err *err)
{
    static const struct bucket_side elsewhere = {0};
    return location_open(out, key, &s->common, is_s3(location) ? &s->args->s3 : &elsewhere,
                         location, err);
}

static int open_at(const struct taar_setup *s, struct objects *out, const char *bucket,
                   const char *prefix, struct err *err)
{
    *out = (struct objects){.prefix = prefix, .generation = s->generation};
    return taar_open_bucket(s, &out->store, "--bucket", bucket, err);
}

int taar_open_objects(const struct taar_setup *s, enum taar_job job, struct objects *out,
                      struct err *err)
{
    const struct location l = location_of(job, s->generation);
    const struct taar_args *a = s->args;
    return open_at(s, out, a->bucket ? a->bucket : l.bucket, a->prefix ? a->prefix : l.prefix, err);
}

int taar_open_whitelists(const struct taar_setup *s, struct objects *out, struct err *err)
{
    const struct location l = location_of(JOB_AMO, s->generation);
    const struct taar_args *a = s->args;
    const char *own = a->bucket ? a->bucket : l.bucket;
    return open_at(s, out, a->whitelist_bucket ? a->whitelist_bucket : own,
                   a->whitelist_prefix ? a->whitelist_prefix : l.prefix, err);
}

void taar_objects_close(struct objects *o)
{
    store_close(o->store);
    o->store = NULL;
}

struct store_config taar_store_access(const struct taar_setup *s, const char *url)
{
    const struct store_config access = {
        .google_credentials = s->google_credentials,
        .metadata_host = s->common.metadata_host,
        .endpoint = s->common.storage_emulator,
    };
    if (!is_s3(url))
        return access;
    const struct bucket_side *s3 = &s->args->s3;
    return (struct store_config){
        .endpoint = s3->endpoint,
        .region = s3->region,
        .access_key = &s3->access_key,
        .secret_key = &s3->secret_key,
        .session_token = &s3->session_token,
        .ca_file = s3->ca_file,
    };
}
