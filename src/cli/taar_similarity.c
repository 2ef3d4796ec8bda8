/* SPDX-License-Identifier: MPL-2.0 */
/* taar-etl similarity. Source: taar-etl.md section 5, Y3, Y11, embedded.md. */
#include "base/log.h"
#include "cli/taar.h"
#include "taar/similarity/eligible.h"
#include "taar/similarity/similarity.h"

enum { CLUSTERS_MAX = 100000, DONORS_MAX = 10000000, POINTS_MAX = 1000000, BANDWIDTH_MAX = 1000 };
enum { WINDOW_DAYS = 90, LINE_BYTES_MAX = 1 << 24, FLUSH_BYTES = 1 << 16 };

struct similarity_args {
    struct taar_args common;
    const char *last_seen, *daily, *main_summary; // sources
    const char *date_from;
    uint64_t n_clusters, n_donors, n_points;
    double bandwidth;
    bool service_keys;
    const char *eligible_out, *assignments_out;
};
static const struct similarity_args defaults = {.common = TAAR_DEFAULTS,
                                                .n_clusters = 20,
                                                .n_donors = 1000,
                                                .n_points = 1000,
                                                .bandwidth = 0.35};

#define ARGS struct similarity_args
static const struct opt options[] = {
    OPT_TEXT("clients-last-seen", ARGS, last_seen, NULL, "SRC",
             "Clients as of --date: a file, directory, glob, s3://, s3a:// or gs://, with "
             "{dateformat} for the day, or a table. The default is "
             "moz-fx-data-derived-datasets-parquet/clients_last_seen/v1 below --store."),
    OPT_TEXT("clients-daily", ARGS, daily, NULL, "SRC",
             "Instead of it, rows of many days, of which each client's latest counts."),
    OPT_TEXT("main-summary", ARGS, main_summary, NULL, "SRC",
             "The same by another name; of g1 the default is "
             "moz-fx-data-derived-datasets-parquet/main_summary/v4 below --store."),
    OPT_TEXT("clients-sample-date-from", ARGS, date_from, NULL, "DATE",
             "The first of many days; --date is the last. The default is 90 days before it."),
    OPT_UINT("num-clusters", ARGS, n_clusters, NULL, 1, CLUSTERS_MAX,
             "Clusters to divide clients into, at most."),
    OPT_UINT("num-donors", ARGS, n_donors, NULL, 0, DONORS_MAX,
             "Donors to choose, about; 100 at least."),
    OPT_REAL("kernel-bandwidth", ARGS, bandwidth, NULL, 0, BANDWIDTH_MAX,
             "Standard deviation of the kernel of both densities, above 0."),
    OPT_UINT("num-pdf-points", ARGS, n_points, NULL, 1, POINTS_MAX,
             "Points at which densities are taken; rounding may give one more."),
    OPT_FLAG("service-keys", 0, ARGS, service_keys, NULL,
             "Add geo_city and subsession_length (seconds) to donors: what the recommender asks "
             "for."),
    OPT_TEXT("eligible-out", ARGS, eligible_out, NULL, "FILE",
             "Write the clients that reach clustering, an object a line; - is standard output. "
             "They are private data."),
    OPT_TEXT("assignments-out", ARGS, assignments_out, NULL, "FILE",
             "Write an object of client ids and cluster numbers; - is standard output."),
    OPT_END,
};

struct job {
    struct taar_setup setup;
    struct objects objects, whitelists;
    struct whitelist whitelist;
    struct clients clients;
    struct similarity_result result;
};

static void job_deinit(struct job *j)
{
    similarity_result_deinit(&j->result);
    clients_deinit(&j->clients);
    whitelist_deinit(&j->whitelist);
    taar_objects_close(&j->whitelists);
    taar_objects_close(&j->objects);
    taar_end(&j->setup);
}

static int check_options(const struct similarity_args *a, struct err *err)
{
    if (!(a->bandwidth > 0))
        return err_set(err, E_ARG, 0, "Invalid value for '--kernel-bandwidth': it is not above 0.");
    if ((a->last_seen != NULL) + (a->daily != NULL) + (a->main_summary != NULL) > 1)
        return err_set(err, E_ARG, 0,
                       "Give one of --clients-last-seen, --clients-daily and --main-summary.");
    if (a->date_from && a->last_seen)
        return err_set(err, E_ARG, 0,
                       "--clients-sample-date-from goes with --clients-daily or --main-summary.");
    return 0;
}

/* Many days, else one. */
static bool is_window(const struct similarity_args *a)
{
    return !a->last_seen &&
           (a->daily || a->main_summary || a->date_from || a->common.generation == GENERATION_1);
}

static int read_source(const struct similarity_args *a, const struct taar_setup *s,
                       struct taar_source *source, struct err *err)
{
    const bool window = is_window(a);
    *source = (struct taar_source){.given = a->last_seen ? a->last_seen
                                            : a->daily   ? a->daily
                                                         : a->main_summary,
                                   .folder = window ? "main_summary/v4" : "clients_last_seen/v1",
                                   .table = window ? NULL : "telemetry.clients_last_seen",
                                   .kind = TELEMETRY_CLIENTS,
                                   .first = window ? s->date - WINDOW_DAYS : s->date,
                                   .last = s->date};
    const int r = a->date_from ? taar_read_date(&source->first, a->date_from,
                                                "--clients-sample-date-from", err)
                               : 0;
    if (r == 0 && source->first > source->last)
        return err_set(err, E_ARG, 0, "--clients-sample-date-from is after --date.");
    return r;
}

static int start(struct job *j, const struct similarity_args *a, struct err *err)
{
    int r = taar_start(&j->setup, &a->common, err);
    clients_init(&j->clients);
    if (r == 0)
        r = check_options(a, err);
    if (r == 0)
        r = taar_open_objects(&j->setup, JOB_SIMILARITY, &j->objects, err);
    if (r == 0)
        r = taar_open_whitelists(&j->setup, &j->whitelists, err);
    return r;
}

struct reading {
    struct clients *clients;
    struct warehouse *w;
    struct eligible_config config;
};

static int read_piece(void *arg, const char *relation, struct err *err)
{
    const struct reading *reading = arg;
    return eligible_read(reading->clients, reading->w, relation, &reading->config, err);
}

static int read_clients(struct job *j, const struct similarity_args *a, struct err *err)
{
    CLEANUP(telemetry_closep) struct telemetry *t = NULL;
    struct taar_source source;
    int r = read_source(a, &j->setup, &source, err);
    if (r == 0)
        r = whitelist_curated(&j->whitelist, &j->whitelists, err);
    if (r == 0)
        r = taar_open_telemetry(&j->setup, &t, &source, err);
    if (r < 0)
        return r;
    struct reading reading = {&j->clients, telemetry_warehouse(t), {&j->whitelist, is_window(a)}};
    r = telemetry_each(t, reading.config.latest, read_piece, &reading, err);
    if (r < 0)
        return r;
    clients_sort(&j->clients);
    log_event(LOG_LEVEL_INFO, "eligible", LOG_U("clients", clients_count(&j->clients)),
              LOG_U("whitelist", j->whitelist.guids.n));
    if (j->clients.n_refused > 0)
        log_event(LOG_LEVEL_WARNING, "clients left out whose numbers are none",
                  LOG_U("clients", j->clients.n_refused));
    return 0;
}

static int write_lines(struct outfile *out, const struct clients *c, struct err *err)
{
    CLEANUP(buf_deinit) struct buf lines = BUF_INIT(LINE_BYTES_MAX);
    int r = 0;
    for (size_t i = 0; i < clients_count(c) && r == 0; i++) {
        r = similarity_client_json(&lines, c, i, true, false, err);
        if (r == 0)
            r = buf_append_byte(&lines, '\n', err);
        if (r < 0 || (lines.len < FLUSH_BYTES && i + 1 < clients_count(c)))
            continue;
        r = outfile_write(out, lines.data, lines.len, err);
        buf_clear(&lines);
    }
    return r;
}

static int write_eligible(const struct job *j, const char *path, struct err *err)
{
    CLEANUP(outfile_abandon) struct outfile out = OUTFILE_INIT;
    int r = taar_open_file(&out, path, err);
    if (r == 0)
        r = write_lines(&out, &j->clients, err);
    return r < 0 ? err_wrap(err, r, "--eligible-out") : outfile_commit(&out, err);
}

static int write_assignments(const struct job *j, const char *path, struct err *err)
{
    CLEANUP(outfile_abandon) struct outfile out = OUTFILE_INIT;
    CLEANUP(buf_deinit) struct buf text = BUF_INIT(SIMILARITY_JSON_BYTES_MAX);
    int r = similarity_assignments_json(&text, &j->clients, j->result.cluster_of, err);
    if (r == 0)
        r = buf_append_byte(&text, '\n', err);
    if (r == 0)
        r = taar_open_file(&out, path, err);
    if (r == 0)
        r = outfile_write(&out, text.data, text.len, err);
    return r < 0 ? err_wrap(err, r, "--assignments-out") : outfile_commit(&out, err);
}

static int compute(struct job *j, const struct similarity_args *a, struct err *err)
{
    const struct similarity_config config = {
        .n_clusters = (uint32_t)a->n_clusters,
        .n_donors = a->n_donors,
        .bandwidth = a->bandwidth,
        .n_points = (uint32_t)a->n_points,
        .seed = j->setup.seed,
        .n_workers = j->setup.n_workers,
        .service_keys = a->service_keys,
    };
    log_event(LOG_LEVEL_INFO, j->setup.seed_given ? "seed" : "random seed",
              LOG_U("seed", config.seed));
    int r = similarity_run(&j->result, &j->clients, &config, err);
    struct err late = {0};
    if (j->result.cluster_of && a->assignments_out && !a->common.dry_run &&
        write_assignments(j, a->assignments_out, &late) < 0 && r == 0) {
        *err = late;
        r = late.code;
    }
    if (r == 0)
        log_event(LOG_LEVEL_INFO, "similarity", LOG_U("clusters", j->result.n_clusters),
                  LOG_U("donors", j->result.n_donors), LOG_U("same", j->result.n_same),
                  LOG_U("different", j->result.n_different));
    return r;
}

/* FILEs are written as soon as they are known, also where the job fails later; the recommender's
 * only when everything has succeeded. */
static int run(void *args, struct err *err)
{
    const struct similarity_args *a = args;
    CLEANUP(job_deinit) struct job j = {.setup = {0}};
    int r = start(&j, a, err);
    if (r == 0)
        r = read_clients(&j, a, err);
    if (r == 0 && a->eligible_out && !a->common.dry_run)
        r = write_eligible(&j, a->eligible_out, err);
    if (r == 0)
        r = compute(&j, a, err);
    if (r == 0 && !a->common.dry_run)
        r = objects_write(&j.objects, "donors", a->common.date, buf_span(&j.result.donors), err);
    if (r == 0 && !a->common.dry_run)
        r = objects_write(&j.objects, "lr_curves", a->common.date, buf_span(&j.result.curve), err);
    return taar_exit(r);
}

const struct opt_command taar_similarity_command = {
    .name = "similarity",
    .summary = "Choose clients that stand for all, and how alike clients of one kind are",
    .groups = TAAR_GROUPS(options, taar_date_options, taar_place_options, taar_whitelist_options,
                          taar_seed_options, taar_dry_run_options),
    .defaults = &defaults,
    .args_size = sizeof defaults,
    .run = run,
};
