/* SPDX-License-Identifier: MPL-2.0 */
#include "profiles/bigtable_impl.h"

#include <stdio.h>

enum { STREAMS = 4, MAX_STREAMS = 64, DEADLINE_MS = 10 * 60 * 1000, READ_TIMEOUT_S = 60 };
static const char data_scope[] = "https://www.googleapis.com/auth/bigtable.data",
                  admin_scope[] = "https://www.googleapis.com/auth/bigtable.admin.table";

static int no_memory(struct err *err)
{
    return err_set(err, E_NOMEM, 0, "no memory for profiles");
}

/* Letters, digits, "-", "_", ".", and ":" of domain-scoped projects. */
static bool is_name(struct span name)
{
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.:";
    for (size_t i = 0; i < name.len; i++) {
        if (!memchr(allowed, name.ptr[i], sizeof allowed - 1))
            return false;
    }
    return name.len > 0 && name.len <= 128;
}

static int name_all(struct bigtable *b, const struct profiles_config *config, const char *rest,
                    struct err *err)
{
    const size_t n = strcspn(rest, "/");
    const char *instance = rest[n] == '/' ? rest + n + 1 : "";
    if (!is_name(span_of(rest, n)) || !is_name(span_str(instance)))
        return err_set(err, E_ARG, 0, "a Bigtable is bigtable://project/instance, not \"%s\"",
                       config->url);
    if (!config->table || !is_name(span_str(config->table)))
        return err_set(err, E_ARG, 0, "%s: name the table", config->url);
    if (asprintf(&b->instance, "projects/%.*s/instances/%s", (int)n, rest, instance) < 0)
        b->instance = NULL; // asprintf leaves it undefined
    b->table_id = strdup(config->table);
    if (!b->instance || !b->table_id ||
        asprintf(&b->table, "%s/tables/%s", b->instance, b->table_id) < 0) {
        b->table = NULL;
        return no_memory(err);
    }
    return 0;
}

static int set_urls(struct bigtable *b, const struct profiles_config *config, struct err *err)
{
    const bool emulated = config->emulator && config->emulator[0];
    if (emulated) {
        if (asprintf(&b->data_url, "http://%s", config->emulator) < 0)
            b->data_url = NULL;
    } else if (config->endpoint) {
        if (strncmp(config->endpoint, "https://", 8) != 0)
            return err_set(err, E_ARG, 0, "Bigtable's endpoint begins with https://, not \"%s\"",
                           config->endpoint);
        b->data_url = strdup(config->endpoint);
    } else {
        b->data_url = strdup("https://bigtable.googleapis.com");
    }
    const bool real = !emulated && !config->endpoint;
    b->admin_url = real          ? strdup("https://bigtableadmin.googleapis.com")
                   : b->data_url ? strdup(b->data_url)
                                 : NULL;
    return b->data_url && b->admin_url ? 0 : no_memory(err);
}

static int set_auth(struct bigtable *b, const struct profiles_config *config, struct err *err)
{
    struct google_options options = {.credentials_file = config->google_credentials,
                                     .metadata_host = config->metadata_host,
                                     .ca_file = config->ca_file,
                                     .scope = data_scope};
    int r = google_auth_new(&b->data_auth, &options, err);
    options.scope = admin_scope;
    return r < 0 ? r : google_auth_new(&b->admin_auth, &options, err);
}

static int set_up(struct bigtable *b, const struct profiles_config *config, const char *rest,
                  struct err *err)
{
    const bool emulated = config->emulator && config->emulator[0];
    b->n_streams = config->n_streams == 0            ? STREAMS
                   : config->n_streams > MAX_STREAMS ? MAX_STREAMS
                                                     : config->n_streams;
    b->deadline_ms = config->deadline_ms ? config->deadline_ms : DEADLINE_MS;
    int r = name_all(b, config, rest, err);
    if (r == 0)
        r = set_urls(b, config, err);
    if (r == 0 && !emulated)
        r = set_auth(b, config, err);
    const struct http_options options = {
        .ca_file = config->ca_file, .read_timeout_s = READ_TIMEOUT_S, .direct = emulated};
    return r < 0 ? r : http_new(&b->http, &options, err);
}

static void close_bigtable(void *impl)
{
    struct bigtable *b = impl;
    bigtable_stop_writers(b);
    http_free(b->http);
    google_auth_free(b->data_auth);
    google_auth_free(b->admin_auth);
    free(b->instance);
    free(b->table_id);
    free(b->table);
    free(b->data_url);
    free(b->admin_url);
    free(b);
}

int bigtable_backend_open(void **impl, const struct profiles_config *config, const char *rest,
                          struct err *err)
{
    struct bigtable *b = calloc(1, sizeof *b);
    if (!b)
        return no_memory(err);
    const int r = set_up(b, config, rest, err);
    if (r < 0) {
        close_bigtable(b);
        return r;
    }
    *impl = b;
    return 0;
}

/* Bigtable collects by itself. */
static int collect(void *impl, int64_t before_us, uint64_t *n, struct err *err)
{
    (void)impl;
    (void)before_us;
    (void)n;
    (void)err;
    return 0;
}

const struct profiles_ops bigtable_ops = {
    .unordered = true,
    .close = close_bigtable,
    .ensure_table = bigtable_ensure_table,
    .send = bigtable_send,
    .settle = bigtable_settle,
    .collect = collect,
    .get = bigtable_get,
    .each = bigtable_each,
};
