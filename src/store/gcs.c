/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Google Cloud Storage over its JSON API.
 * Source: https://cloud.google.com/storage/docs/json_api/v1.
 */
#include "store/gcs_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    PART_BYTES = 16 << 20, // a multiple of 256 KiB, as the service demands
    DEADLINE_MS = 15 * 60 * 1000,
};

static const char scope[] = "https://www.googleapis.com/auth/devstorage.read_write";

static void gcs_close(void *self)
{
    struct gcs *gcs = self;
    if (!gcs)
        return;
    http_free(gcs->http);
    google_auth_free(gcs->auth);
    free(gcs->base);
    free(gcs->bucket);
    free(gcs->prefix);
    free(gcs);
}

/* STORAGE_EMULATOR_HOST comes with or without a scheme, and with or without a slash behind it. */
static int set_base(struct gcs *gcs, const char *endpoint, struct err *err)
{
    const char *at = endpoint && endpoint[0] ? endpoint : "https://storage.googleapis.com";
    size_t len = strlen(at);
    while (len > 0 && at[len - 1] == '/')
        len--;
    if (asprintf(&gcs->base, "%s%.*s", strstr(at, "://") ? "" : "http://", (int)len, at) < 0)
        gcs->base = NULL; // asprintf leaves it undefined
    if (!gcs->base)
        return err_set(err, E_NOMEM, 0, "no memory for a store");
    if (strncmp(gcs->base, "https://", 8) != 0 && strncmp(gcs->base, "http://", 7) != 0)
        return err_set(err, E_ARG, 0, "the endpoint %s is no http:// or https:// address",
                       endpoint);
    return 0;
}

/*
 * Who names an endpoint means an emulator, and emulators ask for no token. One over TLS with a
 * credentials file beside it is a private door to the service, though.
 */
static bool wants_token(const struct gcs *gcs, const struct store_config *config)
{
    const bool usual = !config->endpoint || !config->endpoint[0];
    const bool has_file = config->google_credentials && config->google_credentials[0];
    const bool has_key = config->google_key && config->google_key->len > 0;
    return usual || ((has_file || has_key) && strncmp(gcs->base, "https://", 8) == 0);
}

static int set_up(struct gcs *gcs, const struct store_place *place,
                  const struct store_config *config, struct err *err)
{
    int r = set_base(gcs, config->endpoint, err);
    if (r < 0)
        return r;
    gcs->bucket = strdup(place->bucket);
    gcs->prefix = strdup(place->prefix);
    if (!gcs->bucket || !gcs->prefix)
        return err_set(err, E_NOMEM, 0, "no memory for a store");
    gcs->retry = (struct retry_policy){.max_retries = 5,
                                       .first_wait_ms = 200,
                                       .multiplier = 2,
                                       .max_wait_ms = 10000,
                                       .jitter = 0.5};
    gcs->retry.deadline_ms = config->deadline_ms ? config->deadline_ms : DEADLINE_MS;
    const struct google_options google = {.key = config->google_key,
                                          .credentials_file = config->google_credentials,
                                          .scope = scope,
                                          .metadata_host = config->metadata_host,
                                          .ca_file = config->ca_file};
    if (wants_token(gcs, config))
        r = google_auth_new(&gcs->auth, &google, err);
    const struct http_options http = {
        .connect_timeout_s = config->connect_timeout_s,
        .read_timeout_s = config->read_timeout_s,
        .ca_file = config->ca_file,
        .retry = &gcs->retry,
    };
    return r < 0 ? r : http_new(&gcs->http, &http, err);
}

static int gcs_open(void **self, const struct store_place *place, const struct store_config *config,
                    struct err *err)
{
    struct gcs *gcs = calloc(1, sizeof *gcs);
    if (!gcs)
        return err_set(err, E_NOMEM, 0, "no memory for a store");
    const int r = set_up(gcs, place, config, err);
    if (r < 0) {
        gcs_close(gcs);
        return r;
    }
    *self = gcs;
    return 0;
}

/* By a listing, for the right to see the bucket itself is a rarer one. */
static int gcs_check(void *self, struct err *err)
{
    struct gcs_call call;
    gcs_call_begin(&call, self, "GET", GCS_OBJECTS, NULL);
    gcs_call_query(&call, "maxResults", "1");
    gcs_call_query(&call, "fields", "items(name)");
    const int r = gcs_call_send(&call, err);
    gcs_call_end(&call);
    return r;
}

const struct store_backend store_gcs = {
    .part_bytes = PART_BYTES,
    .open = gcs_open,
    .close = gcs_close,
    .check = gcs_check,
    .list = gcs_list,
    .stat = gcs_stat,
    .get = gcs_get,
    .put = gcs_put,
    .upload_begin = gcs_upload_begin,
    .upload_part = gcs_upload_part,
    .upload_finish = gcs_upload_finish,
    .upload_abort = gcs_upload_abort,
    .delete_many = gcs_delete_many,
    .delete_version = gcs_delete_version,
};
