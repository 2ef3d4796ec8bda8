/* SPDX-License-Identifier: MPL-2.0 */
/* taar-etl locale: which add-ons are used in each locale. Source: taar-etl.md 6, Y4, Y11, Y13. */
#include "base/log.h"
#include "cli/taar.h"
#include "taar/locale.h"

#define ARGS struct locale_args

enum { MAX_ADDONS = 1000000, MAX_DAYS = 36525, MAX_EPSILON = 1000000 };
enum { NOISE_ON, NOISE_OFF };
enum { SELECT_RANDOM, SELECT_FIRST };
static const char *const noises[] = {"on", "off", NULL};
static const char *const selections[] = {"random", "first", NULL};

struct locale_args {
    struct taar_args common;
    const char *clients_daily, *limit, *start_date, *end_date, *counts_out;
    double epsilon;
    uint64_t n_addons, n_days;
    int noise, selection;
    bool single_partition, not_private;
};
static const struct locale_args defaults = {
    .common = TAAR_DEFAULTS, .limit = "1", .epsilon = 0.4, .n_addons = 10, .n_days = 28};

static const struct opt options[] = {
    OPT_TEXT("clients-daily", ARGS, clients_daily, NULL, "SRC",
             "File, directory, glob, s3:// or gs:// name with {dateformat}, or a table of the "
             "warehouse; the default is clients_daily/v6 in the bucket of exports."),
    OPT_UINT("num-addons", ARGS, n_addons, NULL, 1, MAX_ADDONS, "Add-ons to list of each locale."),
    OPT_UINT("client-data-num-days", ARGS, n_days, NULL, 0, MAX_DAYS,
             "The first day is one more than this before --date."),
    OPT_TEXT("start-date", ARGS, start_date, NULL, "DATE", "The first day instead."),
    OPT_TEXT("end-date", ARGS, end_date, NULL, "DATE", "The last day; the default is --date."),
    OPT_FLAG("single-partition", 0, ARGS, single_partition, NULL,
             "Read the first day only, as the original did by accident since 2020."),
    OPT_TEXT("limit", ARGS, limit, NULL, "M",
             "How many add-ons of a client count, as a number or as LOCALE=M,..: then other "
             "locales are left out. 0 is no limit, for which there is no noise."),
    OPT_CHOICE("select", ARGS, selection, NULL, selections,
               "Which ones of a client count where there are more: random ones, by --seed, or the "
               "first."),
    OPT_REAL("epsilon", ARGS, epsilon, NULL, 0, MAX_EPSILON,
             "Privacy of a run: noise has the scale limit / epsilon. Every run spends it anew."),
    OPT_CHOICE("noise", ARGS, noise, NULL, noises,
               "off writes true counts of clients, and is for tests only."),
    OPT_FLAG("i-know-this-is-not-private", 0, ARGS, not_private, NULL,
             "What --noise off asks for beside it."),
    OPT_TEXT("counts-out", ARGS, counts_out, NULL, "FILE",
             "Write the counts behind the weights, too, with their noise; - is standard output."),
    OPT_END,
};

struct job {
    struct taar_setup setup;
    struct objects objects, whitelists;
    struct locale_limits limits;
    struct whitelist whitelist;
    struct locale_counts counts;
};

static void job_deinit(struct job *j)
{
    locale_counts_deinit(&j->counts);
    whitelist_deinit(&j->whitelist);
    locale_limits_deinit(&j->limits);
    taar_objects_close(&j->whitelists);
    taar_objects_close(&j->objects);
    taar_end(&j->setup);
}

static int check_options(const struct locale_args *a, const struct locale_limits *limits,
                         struct err *err)
{
    if (a->end_date && a->single_partition)
        return err_set(err, E_ARG, 0, "--single-partition has no --end-date.");
    if (a->noise == NOISE_OFF)
        return a->not_private ? 0
                              : err_set(err, E_ARG, 0,
                                        "--noise off writes true counts of clients; say "
                                        "--i-know-this-is-not-private, too.");
    if (!(a->epsilon > 0))
        return err_set(err, E_ARG, 0, "--epsilon is not above 0.");
    return locale_limits_are_open(limits)
               ? err_set(err, E_ARG, 0, "--limit 0 cannot be made private by noise.")
               : 0;
}

static int read_days(const struct job *j, const struct locale_args *a, struct taar_source *source,
                     struct err *err)
{
    int r = 0;
    source->first = j->setup.date - (int64_t)a->n_days - 1;
    source->last = j->setup.date;
    if (a->start_date)
        r = taar_read_date(&source->first, a->start_date, "--start-date", err);
    if (r == 0 && a->end_date)
        r = taar_read_date(&source->last, a->end_date, "--end-date", err);
    if (a->single_partition)
        source->last = source->first;
    return r == 0 && source->first > source->last
               ? err_set(err, E_ARG, 0, "The first day is after the last one.")
               : r;
}

static int start(struct job *j, const struct locale_args *a, struct taar_source *source,
                 struct err *err)
{
    int r = taar_start(&j->setup, &a->common, err);
    if (r == 0 && (r = locale_limits_read(&j->limits, a->limit, err)) < 0)
        r = err_wrap(err, r, "--limit");
    if (r == 0)
        r = check_options(a, &j->limits, err);
    if (r == 0)
        r = read_days(j, a, source, err);
    if (r == 0)
        r = taar_open_objects(&j->setup, JOB_LOCALE, &j->objects, err);
    if (r == 0)
        r = taar_open_whitelists(&j->setup, &j->whitelists, err);
    return r;
}

static int count(struct job *j, const struct locale_args *a, const struct taar_source *source,
                 struct err *err)
{
    CLEANUP(telemetry_closep) struct telemetry *t = NULL;
    const struct locale_config config = {
        .limits = &j->limits, .first = a->selection == SELECT_FIRST, .seed = j->setup.seed};
    j->counts.whitelist = &j->whitelist;
    int r = whitelist_curated(&j->whitelist, &j->whitelists, err);
    if (r == 0 && j->whitelist.guids.n == 0)
        r = err_set(err, E_FORMAT, 0, "the whitelist only_guids_top_200 is empty");
    if (r == 0)
        r = taar_open_telemetry(&j->setup, &t, source, err);
    if (r == 0)
        r = locale_count(&j->counts, t, &config, err);
    return r;
}

static int add_noise(struct job *j, const struct locale_args *a, struct err *err)
{
    CLEANUP(noise_closep) struct noise *noise = NULL;
    const bool seeded = j->setup.seed_given;
    if (a->noise == NOISE_OFF) {
        log_warning("noise is off: what is written is not private");
        return 0;
    }
    if (seeded)
        log_warning("noise comes from --seed: what is written is not private");
    const int r = noise_open(&noise, seeded ? &j->setup.seed : NULL, err);
    return r < 0 ? r : locale_counts_add_noise(&j->counts, &j->limits, a->epsilon, noise, err);
}

static int write_counts(const struct job *j, const char *path, struct err *err)
{
    CLEANUP(outfile_abandon) struct outfile out = OUTFILE_INIT;
    CLEANUP(buf_deinit) struct buf text = BUF_INIT(OBJECT_MAX_BYTES);
    int r = locale_counts_json(&text, &j->counts, err);
    if (r == 0)
        r = buf_append_byte(&text, '\n', err);
    if (r == 0)
        r = taar_open_file(&out, path, err);
    if (r == 0)
        r = outfile_write(&out, text.data, text.len, err);
    return r < 0 ? err_wrap(err, r, "--counts-out") : outfile_commit(&out, err);
}

static int run(void *args, struct err *err)
{
    const struct locale_args *a = args;
    CLEANUP(job_deinit) struct job j = {.setup = {0}};
    CLEANUP(buf_deinit) struct buf json = BUF_INIT(OBJECT_MAX_BYTES);
    struct taar_source source = {.given = a->clients_daily,
                                 .folder = "clients_daily/v6",
                                 .kind = TELEMETRY_CLIENTS,
                                 .needed = locale_needed};
    int r = start(&j, a, &source, err);
    if (r == 0)
        r = count(&j, a, &source, err);
    if (r == 0)
        r = add_noise(&j, a, err);
    if (r == 0)
        r = locale_top_json(&json, &j.counts, a->n_addons, err);
    if (r == 0)
        log_event(LOG_LEVEL_INFO, "locale done", LOG_U("whitelist", j.whitelist.guids.n),
                  LOG_U("locales", j.counts.n));
    if (r == 0 && a->counts_out && !a->common.dry_run)
        r = write_counts(&j, a->counts_out, err);
    if (r == 0 && !a->common.dry_run)
        r = objects_write(&j.objects, "top10_dict", a->common.date, buf_span(&json), err);
    return taar_exit(r);
}

const struct opt_command taar_locale_command = {
    .name = "locale",
    .summary = "List the add-ons that each locale's clients use most, with noise",
    .details = "Counts are made private by noise before anything is derived from them. Which "
               "locales there are is not, unless --limit names them.",
    .groups = TAAR_GROUPS(options, taar_place_options, taar_whitelist_options, taar_date_options,
                          taar_seed_options, taar_dry_run_options),
    .defaults = &defaults,
    .args_size = sizeof defaults,
    .run = run,
};
