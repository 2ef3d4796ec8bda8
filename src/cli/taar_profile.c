/* SPDX-License-Identifier: MPL-2.0 */
/* taar-etl profile: rows for the recommender, stage by stage. Source: taar-etl.md 4, Y1, Y6, Y10.
 */
#include "base/log.h"
#include "cli/taar.h"
#include "taar/profile.h"

#include <stdio.h>
#include <string.h>

#define ARGS struct profile_args

enum stage { FILL, EXPORT, LOAD, WIPE_TABLE, OPT_OUT, WIPE_AVRO, ALL };
static const char *const stage_names[] = {"fill-bq",
                                          "bq-to-gcs",
                                          "gcs-to-bigtable",
                                          "wipe-bigquery-tmp-table",
                                          "bigtable-delete-opt-out",
                                          "wipe-avro",
                                          "all"};
enum { MAX_DAYS = 36525, MAX_WORKERS = 1000 };
static const double original_rate = 0.0001;

struct profile_args {
    struct taar_args common;
    const char *iso_date, *project, *dataset, *table, *bucket, *instance, *rows_table;
    const char *account, *subnetwork, *last_seen, *deletions;
    double rate;
    uint64_t n_dataflow_workers, n_days, shard_bytes;
    int stage;
    bool fetcher_keys;
};
static const struct profile_args defaults = {.common = TAAR_DEFAULTS,
                                             .dataset = "taar_tmp",
                                             .table = "taar_tmp_profile",
                                             .rows_table = "taar_profile",
                                             .rate = 0.0001,
                                             .n_dataflow_workers = 20,
                                             .n_days = 28,
                                             .shard_bytes = 256 << 20,
                                             .stage = FILL};

static const struct opt options[] = {
    OPT_PICK("fill-bq", ARGS, stage, FILL,
             "Stage 1, the default: clients of the day with add-ons into the temporary table."),
    OPT_PICK("bq-to-gcs", ARGS, stage, EXPORT, "Stage 2: the table into Avro files."),
    OPT_PICK("gcs-to-bigtable", ARGS, stage, LOAD, "Stage 3: Avro files into profile rows."),
    OPT_PICK("wipe-bigquery-tmp-table", ARGS, stage, WIPE_TABLE, "Delete the temporary table."),
    OPT_PICK("bigtable-delete-opt-out", ARGS, stage, OPT_OUT,
             "Delete the rows of clients that asked for deletion."),
    OPT_PICK("wipe-avro", ARGS, stage, WIPE_AVRO,
             "Delete taar-profile.*.avro* in the bucket, of all days, and nothing else."),
    OPT_PICK("all", ARGS, stage, ALL,
             "Fill, export, load, delete; then wipe files and table, after a failure, too. Of "
             "several stages the last one given counts."),
    OPT_TEXT_REQUIRED("iso-date", ARGS, iso_date, NULL, "DATE",
                      "The day, as 20200601 or 2020-06-01."),
    OPT_TEXT_REQUIRED("gcp-project", ARGS, project, NULL, "NAME",
                      "Accepted and shown: --warehouse and --profiles say where things are."),
    OPT_TEXT("bigquery-dataset-id", ARGS, dataset, NULL, "NAME", "Of the temporary table."),
    OPT_TEXT("bigquery-table-id", ARGS, table, NULL, "NAME", "The temporary table."),
    OPT_TEXT_REQUIRED("avro-gcs-bucket", ARGS, bucket, NULL, "BUCKET",
                      "Where the Avro files lie: a name below --store, s3://, gs:// or a path."),
    OPT_TEXT_REQUIRED("bigtable-instance-id", ARGS, instance, NULL, "NAME",
                      "Instance of the profile table."),
    OPT_TEXT("bigtable-table-id", ARGS, rows_table, NULL, "NAME", "The profile table."),
    OPT_TEXT("clients-last-seen", ARGS, last_seen, NULL, "SRC",
             "File, directory, glob, s3:// or gs:// name with {dateformat}, or a table of the "
             "warehouse; the default is clients_last_seen/v1 in the bucket of exports."),
    OPT_TEXT("deletion-requests", ARGS, deletions, NULL, "SRC",
             "The same; the default is the table telemetry.deletion_request."),
    OPT_REAL("sample-rate", ARGS, rate, NULL, 0, 1,
             "Share of the rows that are filled: by chance, or with --seed the same clients."),
    OPT_UINT("delete-opt-out-days", ARGS, n_days, NULL, 0, MAX_DAYS,
             "The first day of requests is so many days before --iso-date, the last is that day."),
    OPT_FLAG("fetcher-keys", 0, ARGS, fetcher_keys, NULL,
             "Add the keys that the service's fetcher reads: city, places_bookmarks_count and "
             "scalar_parent_browser_engagement_*_count."),
    OPT_UINT("avro-shard-bytes", ARGS, shard_bytes, NULL, 1, UINT64_C(1) << 40,
             "About how large an Avro file becomes; BigQuery decides by itself."),
    OPT_UINT("dataflow-workers", ARGS, n_dataflow_workers, NULL, 0, MAX_WORKERS,
             "Accepted and shown, as there is no Dataflow."),
    OPT_TEXT("dataflow-service-account", ARGS, account, NULL, "NAME", "Accepted and shown, too."),
    OPT_TEXT("subnetwork", ARGS, subnetwork, NULL, "NAME", "Accepted and shown, too."),
    OPT_END,
};

struct job {
    const struct profile_args *a;
    struct taar_setup setup;
    int64_t date;
    char iso[sizeof "20200601"];
    struct profile_files files;
    struct profile_table table;
};

static void job_deinit(struct job *j)
{
    store_close(j->files.bucket);
    taar_end(&j->setup);
}

/* "2020-06-01" and "20200601" name the same files. */
static int read_iso(struct job *j, struct err *err)
{
    const int r = taar_read_date(&j->date, j->a->iso_date, "--iso-date", err);
    size_t n = 0;
    for (const char *p = j->a->iso_date; r == 0 && *p && n + 1 < sizeof j->iso; p++) {
        if (*p != '-')
            j->iso[n++] = *p;
    }
    return r;
}

static void show_settings(const struct job *j)
{
    const struct profile_args *a = j->a;
    log_event(LOG_LEVEL_INFO, "settings", LOG_S("stage", stage_names[a->stage]),
              LOG_S("iso-date", j->iso), LOG_S("gcp-project", a->project),
              LOG_S("bigquery-dataset-id", a->dataset), LOG_S("bigquery-table-id", a->table),
              LOG_S("avro-gcs-bucket", store_name(j->files.bucket)),
              LOG_S("bigtable-instance-id", a->instance), LOG_S("bigtable-table-id", a->rows_table),
              LOG_U("dataflow-workers", a->n_dataflow_workers),
              LOG_S("dataflow-service-account", a->account ? a->account : ""),
              LOG_S("subnetwork", a->subnetwork ? a->subnetwork : ""),
              LOG_R("sample-rate", a->rate), LOG_U("delete-opt-out-days", a->n_days),
              LOG_S("warehouse", j->setup.warehouse_url), LOG_S("profiles", j->setup.profiles_url));
}

static int open_profiles(const struct job *j, struct profiles **out, struct err *err)
{
    struct profiles_config config = taar_profiles_config(&j->setup);
    config.instance = j->a->instance;
    config.table = j->a->rows_table;
    return profiles_open(out, &config, err);
}

static int fill(const struct job *j, struct err *err)
{
    CLEANUP(warehouse_closep) struct warehouse *w = NULL;
    CLEANUP(telemetry_closep) struct telemetry *t = NULL;
    const struct profile_fill_config config = {
        .table = j->table, .rate = j->a->rate, .seed = j->setup.seed_given ? &j->setup.seed : NULL};
    struct taar_source source = {.given = j->a->last_seen,
                                 .folder = "clients_last_seen/v1",
                                 .table = "telemetry.clients_last_seen",
                                 .kind = TELEMETRY_CLIENTS,
                                 .first = j->date,
                                 .last = j->date};
    uint64_t n_rows = 0;
    if (j->a->rate == original_rate)
        log_warning("--sample-rate is the original's default of 0.0001, which loads next to "
                    "nothing: 1 takes all clients");
    int r = taar_open_warehouse(&j->setup, &w, false, err);
    if (r == 0 && warehouse_is_bigquery(w) && source.given && strchr(source.given, '/'))
        r = err_set(err, E_ARG, 0,
                    "--clients-last-seen: BigQuery reads tables only; files need duckdb://");
    source.opened = w;
    if (r == 0)
        r = taar_open_telemetry(&j->setup, &t, &source, err);
    if (r == 0)
        r = profile_fill(w, t, &config, &n_rows, err);
    if (r == 0)
        log_event(LOG_LEVEL_INFO, "fill-bq done", LOG_U("rows", n_rows));
    return r;
}

static int export(const struct job *j, struct err *err)
{
    CLEANUP(warehouse_closep) struct warehouse *w = NULL;
    uint64_t n_rows = 0;
    int r = taar_open_warehouse(&j->setup, &w, true, err);
    if (r == 0)
        r = profile_export(w, &j->table, &j->files, j->a->shard_bytes, &n_rows, err);
    if (r == 0)
        log_event(LOG_LEVEL_INFO, "bq-to-gcs done", LOG_U("rows", n_rows));
    return r;
}

static int load(const struct job *j, struct err *err)
{
    CLEANUP(profiles_closep) struct profiles *p = NULL;
    struct profile_load_counts counts = {0};
    uint64_t n_old = 0;
    int r = open_profiles(j, &p, err);
    if (r == 0)
        r = profile_load(p, &j->files, j->setup.now_us, j->a->fetcher_keys, &counts, err);
    if (r == 0)
        r = profiles_collect(p, j->setup.now_us, &n_old, err);
    if (r == 0)
        log_event(LOG_LEVEL_INFO, "gcs-to-bigtable done", LOG_U("files", counts.n_files),
                  LOG_U("rows", counts.n_rows), LOG_U("null client_id", counts.n_null_ids),
                  LOG_U("not finite", counts.n_not_finite), LOG_U("older than 90 days", n_old));
    return r;
}

/* A window without requests is fine, a source without any is not. */
static int open_deletions(const struct job *j, struct telemetry **t, struct err *err)
{
    struct taar_source source = {.given = j->a->deletions,
                                 .table = "telemetry.deletion_request",
                                 .kind = TELEMETRY_DELETIONS,
                                 .first = j->date - (int64_t)j->a->n_days,
                                 .last = j->date};
    CLEANUP(telemetry_closep) struct telemetry *any = NULL;
    struct err other = {0};
    const int r = taar_open_telemetry(&j->setup, t, &source, err);
    if (r != E_ABSENT)
        return r;
    source.first = TELEMETRY_ANY_FIRST;
    source.last = TELEMETRY_ANY_LAST;
    return taar_open_telemetry(&j->setup, &any, &source, &other) == 0 ? 0 : r;
}

static int opt_out(const struct job *j, struct err *err)
{
    CLEANUP(profiles_closep) struct profiles *p = NULL;
    CLEANUP(telemetry_closep) struct telemetry *t = NULL;
    struct profile_delete_counts counts = {0};
    int r = open_deletions(j, &t, err);
    if (r == 0 && !t)
        log_warning("there are no deletion requests of these days");
    if (r == 0 && t)
        r = open_profiles(j, &p, err);
    if (r == 0 && t)
        r = profile_delete_opt_out(p, t, &counts, err);
    if (r == 0)
        log_event(LOG_LEVEL_INFO, "bigtable-delete-opt-out done",
                  LOG_U("clients", counts.n_clients), LOG_U("null client_id", counts.n_null_ids));
    return r;
}

static int wipe_table(const struct job *j, struct err *err)
{
    CLEANUP(warehouse_closep) struct warehouse *w = NULL;
    int r = taar_open_warehouse(&j->setup, &w, false, err);
    if (r == 0)
        r = profile_wipe_table(w, &j->table, err);
    if (r == 0)
        log_info("wipe-bigquery-tmp-table done");
    return r;
}

static int wipe_avro(const struct job *j, struct err *err)
{
    uint64_t n_files = 0;
    const int r = profile_wipe_avro(j->files.bucket, &n_files, err);
    if (r == 0)
        log_event(LOG_LEVEL_INFO, "wipe-avro done", LOG_U("files", n_files));
    return r;
}

/* Nothing but rows is left behind, whatever happens; and no row of a load that broke off is left of
 * who asked for deletion. */
static int run_all(const struct job *j, struct err *err)
{
    static int (*const wipes[])(const struct job *, struct err *) = {wipe_avro, wipe_table};
    int r = fill(j, err);
    if (r == 0)
        r = export(j, err);
    if (r == 0) {
        struct err other = {0};
        r = load(j, err);
        const int deleted = opt_out(j, r == 0 ? err : &other);
        r = r == 0 ? deleted : r;
    }
    for (size_t i = 0; i < sizeof wipes / sizeof *wipes; i++) {
        struct err other = {0};
        const int wiped = wipes[i](j, &other);
        if (wiped < 0)
            log_error("wiping failed: %s", other.text);
        if (wiped < 0 && r == 0) {
            r = wiped;
            *err = other;
        }
    }
    return r;
}

static int run(void *args, struct err *err)
{
    static int (*const stages[])(const struct job *, struct err *) = {
        [FILL] = fill,       [EXPORT] = export,       [LOAD] = load,  [WIPE_TABLE] = wipe_table,
        [OPT_OUT] = opt_out, [WIPE_AVRO] = wipe_avro, [ALL] = run_all};
    const struct profile_args *a = args;
    CLEANUP(job_deinit) struct job j = {.a = a};
    int r = taar_start(&j.setup, &a->common, err);
    if (r == 0)
        r = read_iso(&j, err);
    if (r == 0)
        r = taar_open_bucket(&j.setup, &j.files.bucket, "--avro-gcs-bucket", a->bucket, err);
    j.files.iso = j.iso;
    j.table = (struct profile_table){a->dataset, a->table};
    if (r == 0)
        show_settings(&j);
    return taar_exit(r < 0 ? r : stages[a->stage](&j, err));
}

const struct opt_command taar_profile_command = {
    .name = "profile",
    .summary = "Make a row of each client for the recommender, in stages",
    .groups = TAAR_GROUPS(options, taar_seed_options),
    .defaults = &defaults,
    .args_size = sizeof defaults,
    .run = run,
};
