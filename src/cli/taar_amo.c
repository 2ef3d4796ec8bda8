/* SPDX-License-Identifier: MPL-2.0 */
/* amodump: the catalogue of addons.mozilla.org. */
#include "base/log.h"
#include "cli/taar.h"
#include "taar/amo.h"

struct amodump_args {
    struct taar_amo_args amo;
    double max_failed;
};

static const struct amodump_args defaults = {.amo = TAAR_AMO_DEFAULTS, .max_failed = 0.05};

static const struct opt options[] = {
    OPT_REAL("max-failed", struct amodump_args, max_failed, NULL, 0, 1,
             "Share of the pages, and of the add-ons, that may fail for passing reasons; with more "
             "the last good catalogue stays. The default is 0.05."),
    OPT_END,
};

static void log_counts(const struct amo_counts *n)
{
    for (size_t i = 0; i < n->n_drops; i++)
        log_event(LOG_LEVEL_INFO, "left out", LOG_S("why", n->drops[i].why),
                  LOG_U("n", n->drops[i].n));
    log_event(LOG_LEVEL_INFO, "total", LOG_U("requests", n->n_requests), LOG_U("parts", n->n_parts),
              LOG_U("search_pages", n->n_pages), LOG_U("search_pages_failed", n->n_pages_failed),
              LOG_U("counted", n->n_listed), LOG_U("records_on_pages", n->n_records),
              LOG_U("distinct_guids", n->n_guids), LOG_U("failed", n->n_failed),
              LOG_U("written", n->n_written));
}

static int dump(const struct taar_setup *setup, const struct amodump_args *a,
                const struct objects *objects, struct err *err)
{
    char agent[TAAR_AGENT_BYTES];
    const struct taar_args *common = &a->amo.common;
    const struct amo_options o = {
        .objects = objects,
        .date = common->date,
        .amo_url = a->amo.amo_url,
        .temp_dir = common->temp_dir ? common->temp_dir : "/tmp",
        .n_workers = common->workers > 0 ? (unsigned)common->workers : AMO_DEFAULT_WORKERS,
        .max_failed = a->max_failed,
        .cpu = setup->cpu,
        .progress = common->quiet       ? PROGRESS_OFF
                    : progress_wanted() ? PROGRESS_LINE
                                        : PROGRESS_LOG,
        .client = taar_amo_client(&a->amo, agent, a->amo.amo_url),
    };
    struct amo_counts counts;
    const int r = amo_dump(&o, &counts, err);
    log_counts(&counts);
    return r;
}

static int run(void *args, struct err *err)
{
    const struct amodump_args *a = args;
    CLEANUP(taar_end) struct taar_setup setup = {0};
    CLEANUP(taar_objects_close) struct objects objects = {0};
    int r = taar_start(&setup, &a->amo.common, err);
    if (r == 0)
        r = taar_open_objects(&setup, JOB_AMO, &objects, err);
    return taar_exit(r == 0 ? dump(&setup, a, &objects, err) : r);
}

const struct opt_command taar_amodump_command = {
    .name = "amodump",
    .summary = "Crawl the catalogue of addons.mozilla.org",
    .details =
        "Takes one to two hours at the default rate. A crawl that was killed goes on where it was "
        "when it is started again with the same date; until then its journal lies in .journal/ "
        "below the prefix. Add-ons that are left out are counted by reason, and named with -v.",
    .groups =
        TAAR_GROUPS(options, taar_amo_client_options, taar_amo_place_options, taar_date_options),
    .defaults = &defaults,
    .args_size = sizeof defaults,
    .run = run,
};
