/* SPDX-License-Identifier: MPL-2.0 */
#include "base/cpu.h"
#include "base/log.h"
#include "base/pool.h"
#include "base/utc.h"
#include "cli/fxci.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MS_OF_S = 1000 };
static const int64_t day_us = INT64_C(86400) * 1000000;
static const char default_bucket[] = "fxci-etl";

int fxci_exit(int code)
{
    return code == 0 ? EXIT_DONE : EXIT_FAILED;
}

int fxci_print(void *arg, const void *bytes, size_t len, struct err *err)
{
    (void)arg;
    return fwrite(bytes, 1, len, stdout) == len
               ? 0
               : err_set(err, E_IO, errno, "write to standard output");
}

void fxci_say(void *arg, const char *line)
{
    (void)arg;
    log_wipe_live_line();
    (void)puts(line);
    (void)fflush(stdout); // a failure shows in opts_main
}

int fxci_read_date(int64_t *days, const char *text, struct err *err)
{
    unsigned year, month, day;
    int end = 0;
    char time[UTC_TEXT_BYTES + 16];
    const bool is_date = sscanf(text, "%4u-%2u-%2u%n", &year, &month, &day, &end) == 3 &&
                         text[end] == '\0' && strspn(text, "0123456789-") == strlen(text);
    (void)snprintf(time, sizeof time, "%04u-%02u-%02uT00:00:00Z", is_date ? year : 0,
                   is_date ? month : 0, is_date ? day : 0);
    int64_t us;
    if (!is_date || utc_parse(&us, time, NULL) < 0)
        return err_set(err, E_ARG, 0,
                       "Invalid value for '--date': '%.100s' is no day like "
                       "2026-03-14.",
                       text);
    *days = us / day_us;
    return 0;
}

static int read_clock(struct fxci_setup *s, struct err *err)
{
    s->now_us = utc_now_us();
    const int r = s->args->now ? utc_parse(&s->now_us, s->args->now, err) : 0;
    s->today = s->now_us / day_us - (s->now_us % day_us < 0);
    return r < 0 ? err_wrap(err, r, "--now") : 0;
}

static int read_machine(struct fxci_setup *s, struct err *err)
{
    unsigned mask = 0;
    const int r = cpu_parse_level(&mask, s->args->cpu, err);
    if (r < 0)
        return err_wrap(err, r, "--cpu");
    s->cpu = cpu_detect() & mask;
    s->n_workers = s->args->workers > 0 ? (unsigned)s->args->workers : pool_default_workers();
    return 0;
}

const char *fxci_metadata_host(const struct fxci_setup *s)
{
    const char *host = s->config.google.metadata_host;
    return host ? host : getenv("GCE_METADATA_HOST");
}

/* A batch, which waits for its acknowledgement, and what is read ahead meanwhile: with less,
 * batches would never be as large as they may be. */
static unsigned broker_window(const struct fxci_config *c)
{
    const uint64_t n = c->pulse.prefetch + c->pulse.batch_messages;
    return n < UINT16_MAX ? (unsigned)n : UINT16_MAX;
}

struct broker_config fxci_broker_config(const struct fxci_setup *s)
{
    const struct fxci_config *c = &s->config;
    return (struct broker_config){
        .source = s->args->source,
        .temp_dir = getenv("TMPDIR"),
        .host = c->pulse.host,
        .port = (unsigned)c->pulse.port,
        .user = c->pulse.user,
        .password = &c->pulse.password,
        .vhost = c->pulse.vhost,
        .tls = c->pulse.tls,
        .ca_file = c->pulse.ca_file,
        .prefetch = broker_window(c),
        .heartbeat_s = (unsigned)c->pulse.heartbeat_seconds,
    };
}

static int set_text(char **out, int n, struct err *err)
{
    if (n >= 0)
        return 0;
    *out = NULL; // asprintf leaves it undefined
    return err_set(err, E_NOMEM, 0, "no memory for a place");
}

/* As Google's own libraries do where no key is named. Source: 6.5. */
static int find_credentials(struct fxci_setup *s, struct err *err)
{
    s->google_credentials = s->args->google_credentials;
    const char *home = getenv("HOME");
    if (s->google_credentials || !home)
        return 0;
    const int r = set_text(&s->own_credentials,
                           asprintf(&s->own_credentials,
                                    "%s/.config/gcloud/application_default_credentials.json", home),
                           err);
    if (r == 0 && access(s->own_credentials, F_OK) == 0)
        s->google_credentials = s->own_credentials;
    return r;
}

static void read_common(struct fxci_setup *s)
{
    const char *emulator = s->config.storage.endpoint;
    s->common = (struct bucket_common){
        .home = s->args->home,
        .store_root = s->args->store,
        .google_credentials = s->google_credentials,
        .google_key = &s->config.storage.credentials,
        .metadata_host = fxci_metadata_host(s),
        .storage_emulator = emulator ? emulator : getenv("STORAGE_EMULATOR_HOST"),
        .xdg_data_home = getenv("XDG_DATA_HOME"),
        .user_home = getenv("HOME"),
    };
}

/* --warehouse, else the configuration's, else the file below --home. */
static int name_warehouse(struct fxci_setup *s, struct err *err)
{
    if (s->args->warehouse)
        return set_text(&s->warehouse_url, asprintf(&s->warehouse_url, "%s", s->args->warehouse),
                        err);
    if (s->config.bigquery.project && s->config.bigquery.dataset)
        return set_text(&s->warehouse_url,
                        asprintf(&s->warehouse_url, "bigquery://%s/%s", s->config.bigquery.project,
                                 s->config.bigquery.dataset),
                        err);
    char *home = NULL;
    int r = bucket_home(&home, &s->common, err);
    if (r == 0)
        r = set_text(&s->warehouse_url,
                     asprintf(&s->warehouse_url, "duckdb://%s/warehouse.duckdb", home), err);
    free(home);
    return r;
}

/* A bare name lies below --store, else in Cloud Storage where the configuration names it. */
static int name_bucket(struct fxci_setup *s, struct err *err)
{
    const char *bucket = s->config.storage.bucket;
    s->bucket = bucket ? bucket : default_bucket;
    if (s->args->store || !bucket || strstr(s->bucket, "://") || s->bucket[0] == '/')
        return 0;
    const int r = set_text(&s->bucket_url, asprintf(&s->bucket_url, "gs://%s", bucket), err);
    s->bucket = s->bucket_url;
    return r;
}

static int name_tables(struct fxci_setup *s, struct err *err)
{
    static const char scheme[] = "bigquery://";
    const bool bigquery = strncmp(s->warehouse_url, scheme, sizeof scheme - 1) == 0;
    const char *slash = bigquery ? strchr(s->warehouse_url + sizeof scheme - 1, '/') : NULL;
    struct fxci_table_names names = {
        .dataset = slash && slash[1] ? slash + 1 : s->config.bigquery.dataset,
        .views = s->config.bigquery.views,
    };
    memcpy(names.tables, s->config.bigquery.tables, sizeof names.tables);
    return fxci_tables_init(&s->tables, &names, bigquery, err);
}

static int read_config(struct fxci_setup *s, const struct config_use *use, struct err *err)
{
    const struct config_inputs inputs = {
        .path = s->args->config,
        .environment = environ,
        .xdg_config_home = getenv("XDG_CONFIG_HOME"),
        .user_home = getenv("HOME"),
    };
    const int r = fxci_config_read(&s->config, &inputs, err);
    if (r < 0 || !use)
        return r;
    struct config_use all = *use;
    all.warehouse_given = s->args->warehouse != NULL;
    all.store_given = s->args->store != NULL;
    return fxci_config_require(&s->config, &all, err);
}

/* X1: where nothing says otherwise, data stays on this machine, and that is not to be a surprise.
 */
static int say_where(const struct fxci_setup *s, const struct config_use *use, struct err *err)
{
    const bool own_warehouse = use && use->bigquery && !s->args->warehouse;
    const bool own_store = use && use->storage && !s->args->store;
    if (s->config.any_cloud || (!own_warehouse && !own_store))
        return 0;
    CLEANUP(store_closep) struct store *state = NULL;
    const int r = use->storage ? fxci_open_store(s, &state, err) : 0;
    static const char message[] = "no cloud service is configured, so data goes here";
    if (r == 0 && state)
        log_event(LOG_LEVEL_INFO, message, LOG_S("warehouse", s->warehouse_url),
                  LOG_S("state", store_name(state)));
    else if (r == 0)
        log_event(LOG_LEVEL_INFO, message, LOG_S("warehouse", s->warehouse_url));
    return r;
}

int fxci_start(struct fxci_setup *s, const struct fxci_args *a, const struct config_use *use,
               struct err *err)
{
    log_init("fxci-etl", (enum log_format)a->log_format,
             a->quiet         ? LOG_LEVEL_ERROR
             : a->verbose > 0 ? LOG_LEVEL_DEBUG
                              : LOG_LEVEL_INFO);
    // A reader that leaves and a file that may not grow show as failed writes, with a message.
    (void)signal(SIGPIPE, SIG_IGN);
    (void)signal(SIGXFSZ, SIG_IGN);
    *s = (struct fxci_setup){.args = a};
    int r = read_config(s, use, err);
    if (r == 0)
        r = read_machine(s, err);
    if (r == 0)
        r = read_clock(s, err);
    if (r == 0)
        r = find_credentials(s, err);
    read_common(s);
    if (r == 0)
        r = name_warehouse(s, err);
    if (r == 0)
        r = name_bucket(s, err);
    if (r == 0)
        r = name_tables(s, err);
    return r < 0 ? r : say_where(s, use, err);
}

void fxci_end(struct fxci_setup *s)
{
    fxci_config_deinit(&s->config);
    free(s->warehouse_url);
    free(s->bucket_url);
    free(s->own_credentials);
}

int fxci_open_warehouse(const struct fxci_setup *s, struct warehouse **out, bool read_only,
                        struct err *err)
{
    const struct warehouse_config config = {
        .url = s->warehouse_url,
        .read_only = read_only,
        // 0 would mean the warehouse's own default
        .lock_wait_ms = s->args->lock_timeout_s > 0 ? s->args->lock_timeout_s * MS_OF_S : 1,
        .google_credentials = s->google_credentials,
        .google_key = &s->config.bigquery.credentials,
        .metadata_host = fxci_metadata_host(s),
        .endpoint = s->config.bigquery.endpoint,
        .location = s->config.bigquery.location,
    };
    return warehouse_open(out, &config, err);
}

int fxci_open_tables(struct fxci_setup *s, struct warehouse **out, struct err *err)
{
    CLEANUP(warehouse_closep) struct warehouse *w = NULL;
    int r = fxci_open_warehouse(s, &w, false, err);
    if (r == 0 && !s->tables_made)
        r = fxci_tables_ensure(&s->tables, w, err);
    if (r < 0)
        return r;
    s->tables_made = true;
    *out = w;
    w = NULL;
    return 0;
}

int fxci_open_store(const struct fxci_setup *s, struct store **out, struct err *err)
{
    return bucket_open(out, &s->common, &(const struct bucket_side){0}, "state bucket", s->bucket,
                       err);
}
