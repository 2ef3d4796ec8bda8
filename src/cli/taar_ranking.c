/* SPDX-License-Identifier: MPL-2.0 */
/* taar-etl guid-ranking: how often each add-on is installed. Source: taar-etl.md 7.2, Y2, Y13. */
#include "base/log.h"
#include "cli/taar.h"
#include "taar/ranking.h"

#define ARGS struct ranking_args

struct ranking_args {
    struct taar_args common;
    const char *addons, *clients_daily;
    bool distinct_clients, without_null;
};
static const struct ranking_args defaults = {.common = TAAR_DEFAULTS};

static const struct opt options[] = {
    OPT_TEXT("addons", ARGS, addons, NULL, "SRC",
             "Pings with an add-on a row: a file, directory, glob, s3:// or gs:// name with "
             "{dateformat}, or a table of the warehouse; the default is telemetry.addons."),
    OPT_TEXT("clients-daily", ARGS, clients_daily, NULL, "SRC",
             "Count the rows of clients_daily, as the older job did, and not pings; in g1 of all "
             "days there are, and the default."),
    OPT_FLAG("distinct-clients", 0, ARGS, distinct_clients, NULL,
             "Count clients, each once for an add-on."),
    OPT_FLAG("without-null", 0, ARGS, without_null, NULL,
             "Leave out the key \"null\", which stands for a missing add-on id."),
    OPT_END,
};

static bool is_of_clients(const struct taar_setup *s, const struct ranking_args *a)
{
    return a->clients_daily || (s->generation == GENERATION_1 && !a->addons);
}

static int rank(const struct taar_setup *s, const struct ranking_args *a, struct buf *json,
                struct err *err)
{
    CLEANUP(telemetry_closep) struct telemetry *t = NULL;
    const struct ranking_config config = {.of_clients = is_of_clients(s, a),
                                          .distinct_clients = a->distinct_clients,
                                          .without_null = a->without_null};
    const bool all = config.of_clients && s->generation == GENERATION_1;
    const struct taar_source source = {
        .folder = config.of_clients ? "clients_daily/v6" : NULL,
        .table = config.of_clients ? NULL : "telemetry.addons",
        .once_on_s3 = true,
        .kind = config.of_clients ? TELEMETRY_CLIENTS : TELEMETRY_ADDONS,
        .given = config.of_clients ? a->clients_daily : a->addons,
        .first = all ? TELEMETRY_ANY_FIRST : s->date,
        .last = all ? TELEMETRY_ANY_LAST : s->date,
        .needed = config.of_clients ? ranking_clients_needed : NULL,
    };
    size_t n = 0;
    int r = taar_open_telemetry(s, &t, &source, err);
    if (r == 0)
        r = ranking_json(json, &n, t, &config, err);
    if (r == 0)
        log_event(LOG_LEVEL_INFO, "guid-ranking done", LOG_U("addons", n));
    return r;
}

static int run(void *args, struct err *err)
{
    const struct ranking_args *a = args;
    CLEANUP(taar_end) struct taar_setup setup = {0};
    CLEANUP(taar_objects_close) struct objects objects = {0};
    CLEANUP(buf_deinit) struct buf json = BUF_INIT(OBJECT_MAX_BYTES);
    int r = taar_start(&setup, &a->common, err);
    if (r == 0 && a->addons && a->clients_daily)
        r = err_set(err, E_ARG, 0, "--addons and --clients-daily exclude each other.");
    if (r == 0)
        r = taar_open_objects(&setup, JOB_LITE, &objects, err);
    if (r == 0)
        r = rank(&setup, a, &json, err);
    if (r == 0 && !a->common.dry_run)
        r = objects_write(&objects, "guid_install_ranking", a->common.date, buf_span(&json), err);
    return taar_exit(r);
}

const struct opt_command taar_ranking_command = {
    .name = "guid-ranking",
    .summary = "Count how often each add-on is installed",
    .groups = TAAR_GROUPS(options, taar_place_options, taar_date_options, taar_dry_run_options),
    .defaults = &defaults,
    .args_size = sizeof defaults,
    .run = run,
};
