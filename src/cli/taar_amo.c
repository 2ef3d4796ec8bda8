/* SPDX-License-Identifier: MPL-2.0 */
/* amodump: the catalogue of addons.mozilla.org. */
#include "base/log.h"
#include "cli/taar.h"
#include "cli/version.h"
#include "taar/amo.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum {
    MS_OF_S = 1000,
    MAX_RATE = 1000,
    MAX_TRIES = 20,
    MAX_BASE_S = 60,
    MAX_QUIET_S = 86400,
    MAX_AGENT_BYTES = 512,
};

struct amodump_args {
    struct taar_args common;
    const char *amo_url, *ca_file, *contact;
    double rate, retry_base_s, max_failed;
    uint64_t tries, max_retry_after_s;
};

static const struct amodump_args defaults = {
    .common = TAAR_DEFAULTS,
    .contact = "https://github.com/mozilla/telemetry-airflow",
    .rate = 10,
    .retry_base_s = 1,
    .max_failed = 0.05,
    .tries = 5,
    .max_retry_after_s = 300,
};

#define ARGS struct amodump_args
static const struct opt options[] = {
    OPT_TEXT("amo-url", ARGS, amo_url, "AMO_URL", "URL",
             "Where AMO's interface is; without a path that of the generation is added. The "
             "default is https://addons.mozilla.org/api/v4/ (g1: v3)."),
    OPT_PLACE(OPT_PATH_FILE, "amo-ca-file", ARGS, ca_file, NULL, "FILE",
              "Certificates (PEM) to trust there, instead of the system's."),
    OPT_TEXT("contact", ARGS, contact, "TAAR_CONTACT", "TEXT",
             "Whom AMO may ask about these requests: a URL or mail address for the User-Agent."),
    OPT_REAL("rate", ARGS, rate, NULL, 0, MAX_RATE,
             "Requests a second, of all workers together; 0 for no limit. The default is 10."),
    OPT_UINT("tries", ARGS, tries, NULL, 1, MAX_TRIES,
             "How often a request is sent that may succeed later. The default is 5."),
    OPT_REAL("retry-base", ARGS, retry_base_s, NULL, 0, MAX_BASE_S,
             "Seconds before the second try; they double with each further one. The default is 1."),
    OPT_UINT("max-retry-after", ARGS, max_retry_after_s, NULL, 0, MAX_QUIET_S,
             "Seconds that AMO may ask for quiet at most (Retry-After). The default is 300."),
    OPT_REAL("max-failed", ARGS, max_failed, NULL, 0, 1,
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

/* Of a host of this machine, which no proxy reaches. */
static bool is_loopback(const char *url)
{
    static const char *const hosts[] = {"127.", "localhost", "[::1]"};
    const char *host = url ? strstr(url, "://") : NULL;
    for (size_t i = 0; host && i < ARRAY_LEN(hosts); i++)
        if (strncmp(host + 3, hosts[i], strlen(hosts[i])) == 0)
            return true;
    return false;
}

static int dump(const struct taar_setup *setup, const struct amodump_args *a,
                const struct objects *objects, struct err *err)
{
    char agent[MAX_AGENT_BYTES];
    (void)snprintf(agent, sizeof agent, "weir-taar-etl/%s (+%s)", WEIR_VERSION, a->contact);
    const struct amo_options o = {
        .objects = objects,
        .date = a->common.date,
        .amo_url = a->amo_url,
        .temp_dir = a->common.temp_dir ? a->common.temp_dir : "/tmp",
        .n_workers = a->common.workers > 0 ? (unsigned)a->common.workers : AMO_DEFAULT_WORKERS,
        .max_failed = a->max_failed,
        .cpu = setup->cpu,
        .progress = a->common.quiet     ? PROGRESS_OFF
                    : progress_wanted() ? PROGRESS_LINE
                                        : PROGRESS_LOG,
        .client = {.user_agent = agent,
                   .ca_file = a->ca_file,
                   .rate = a->rate,
                   .tries = (unsigned)a->tries,
                   .retry_base_ms = (uint32_t)(a->retry_base_s * MS_OF_S),
                   .max_retry_after_ms = a->max_retry_after_s * MS_OF_S,
                   .direct = is_loopback(a->amo_url)},
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
    int r = taar_start(&setup, &a->common, err);
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
    .groups = TAAR_GROUPS(options, taar_amo_place_options, taar_date_options),
    .defaults = &defaults,
    .args_size = sizeof defaults,
    .run = run,
};
