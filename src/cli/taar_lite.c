/* SPDX-License-Identifier: MPL-2.0 */
/* taar-etl lite: which add-ons are installed together. Source: taar-etl.md 7.1. */
#include "base/log.h"
#include "cli/taar.h"
#include "taar/lite.h"

#include <inttypes.h>
#include <stdio.h>

#define ARGS struct lite_args
static const double usual_rate = 0.05;

struct lite_args {
    struct taar_args common;
    const char *clients_daily, *whitelist;
    double sample_rate; // < 0: not given
};
static const struct lite_args defaults = {
    .common = TAAR_DEFAULTS, .whitelist = "whitelist_addons_database", .sample_rate = -1};

static const struct opt options[] = {
    OPT_TEXT("clients-daily", ARGS, clients_daily, NULL, "SRC",
             "File, directory, glob, s3:// or gs:// name with {dateformat}, or a table of the "
             "warehouse; the default is clients_daily/v6 in the bucket of exports."),
    OPT_TEXT("whitelist", ARGS, whitelist, NULL, "OBJECT",
             "The database of add-ons that count, beside those of amowhitelist."),
    OPT_REAL("sample-rate", ARGS, sample_rate, NULL, 0, 1,
             "Share of the clients that count, chosen by --seed; the default is 1 in g1, and 0.05 "
             "since."),
    OPT_END,
};

/* The first generation reads all there is. */
static int open_source(const struct taar_setup *s, const struct lite_args *a,
                       struct telemetry **out, struct err *err)
{
    const bool all = s->generation == GENERATION_1;
    const struct taar_source source = {.folder = "clients_daily/v6",
                                       .once_on_s3 = true,
                                       .kind = TELEMETRY_CLIENTS,
                                       .given = a->clients_daily,
                                       .first = all ? TELEMETRY_ANY_FIRST : s->date,
                                       .last = all ? TELEMETRY_ANY_LAST : s->date,
                                       .needed = lite_needed};
    return taar_open_telemetry(s, out, &source, err);
}

static int read_whitelist(const struct taar_setup *s, const struct lite_args *a,
                          struct whitelist *whitelist, struct err *err)
{
    CLEANUP(taar_objects_close) struct objects objects = {0};
    const int r = taar_open_whitelists(s, &objects, err);
    return r < 0 ? r : whitelist_external(whitelist, &objects, a->whitelist, err);
}

/* Dated copies carry 20200601 where --date is 2020-06-01 (7.1). */
static void write_day(char out[16], const char *date)
{
    size_t n = 0;
    for (; *date && n < 15; date++)
        if (*date != '-')
            out[n++] = *date;
    out[n] = '\0';
}

static int count(const struct taar_setup *s, const struct lite_args *a, struct buf *json,
                 struct err *err)
{
    CLEANUP(whitelist_deinit) struct whitelist whitelist = {0};
    CLEANUP(coinstallation_deinit) struct coinstallation c = {.whitelist = &whitelist};
    CLEANUP(telemetry_closep) struct telemetry *t = NULL;
    const double generations = s->generation == GENERATION_1 ? 1 : usual_rate;
    const struct lite_config config = {.rate = a->sample_rate < 0 ? generations : a->sample_rate,
                                       .seed = s->seed};
    int r = read_whitelist(s, a, &whitelist, err);
    if (r == 0)
        r = open_source(s, a, &t, err);
    if (r == 0 && config.rate < 1)
        log_info("sample rate %g, seed %" PRIu64, config.rate, config.seed);
    if (r == 0)
        r = lite_count(&c, t, &config, err);
    if (r == 0)
        r = coinstallation_json(json, &c, err);
    if (r == 0)
        log_event(LOG_LEVEL_INFO, "lite done", LOG_U("whitelist", whitelist.guids.n),
                  LOG_U("clients", c.n_lists), LOG_U("pairs", c.n_pairs),
                  LOG_U("counted", c.n_counted));
    return r;
}

static int run(void *args, struct err *err)
{
    const struct lite_args *a = args;
    CLEANUP(taar_end) struct taar_setup setup = {0};
    CLEANUP(taar_objects_close) struct objects objects = {0};
    CLEANUP(buf_deinit) struct buf json = BUF_INIT(OBJECT_MAX_BYTES);
    char day[16];
    int r = taar_start(&setup, &a->common, err);
    if (r == 0)
        r = taar_open_objects(&setup, JOB_LITE, &objects, err);
    if (r == 0)
        r = count(&setup, a, &json, err);
    write_day(day, a->common.date);
    if (r == 0 && !a->common.dry_run)
        r = objects_write(&objects, "guid_coinstallation",
                          setup.generation == GENERATION_1 ? a->common.date : day, buf_span(&json),
                          err);
    return taar_exit(r);
}

const struct opt_command taar_lite_command = {
    .name = "lite",
    .summary = "Count which add-ons are installed together",
    .groups = TAAR_GROUPS(options, taar_place_options, taar_whitelist_options, taar_date_options,
                          taar_seed_options, taar_dry_run_options),
    .defaults = &defaults,
    .args_size = sizeof defaults,
    .run = run,
};
