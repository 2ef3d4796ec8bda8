/* SPDX-License-Identifier: MPL-2.0 */
/* taar-etl wait: until a day's telemetry is complete. Source: taar-etl.md 1.2, Y8. */
#include "base/log.h"
#include "base/retry.h"
#include "cli/taar.h"

#include <inttypes.h>
#include <string.h>

#define ARGS struct wait_args
enum { A_DAY_S = 86400, MS_OF_S = 1000 };

struct wait_args {
    struct taar_args common;
    const char *name, *source;
    uint64_t poll_s, timeout_s;
};
static const struct wait_args defaults = {.common = TAAR_DEFAULTS, .poll_s = 60, .timeout_s = 3600};

static const struct opt options[] = {
    OPT_TEXT("source", ARGS, source, NULL, "SRC",
             "What to look at: a directory, s3:// or gs:// name, or a table of the warehouse; the "
             "default is where the export of this name lies."),
    OPT_UINT("poll", ARGS, poll_s, NULL, 1, A_DAY_S, "Seconds between looks."),
    OPT_UINT("timeout", ARGS, timeout_s, NULL, 0, 30 * A_DAY_S,
             "Seconds until it is given up; 0: look once."),
    OPT_END,
};

static int find_source(struct taar_source *source, const char *name, struct err *err)
{
    static const struct {
        const char *name, *folder, *table;
    } known[] = {{"clients_daily_export", "clients_daily/v6", NULL},
                 {"main_summary_export", "main_summary/v4", NULL},
                 {"clients_last_seen", "clients_last_seen/v1", "telemetry.clients_last_seen"}};
    static const char prefix[] = "wait_for_";
    if (strncmp(name, prefix, sizeof prefix - 1) == 0)
        name += sizeof prefix - 1;
    for (size_t i = 0; i < ARRAY_LEN(known); i++) {
        source->folder = known[i].folder;
        source->table = known[i].table;
        if (strcmp(known[i].name, name) == 0)
            return 0;
    }
    return err_set(err, E_ARG, 0,
                   "Invalid value for 'NAME': '%.100s' is none of clients_daily_export, "
                   "main_summary_export, clients_last_seen.",
                   name);
}

/* @return 0: it is ready; EXIT_NOT_READY; or E_*. */
static int wait_until_ready(const struct taar_setup *s, const struct wait_args *a,
                            const struct taar_source *source, struct err *err)
{
    const uint64_t started_ms = retry_now_ms(), limit_ms = a->timeout_s * MS_OF_S;
    for (;;) {
        bool ready = false;
        const int r = taar_telemetry_ready(s, source, &ready, err);
        const uint64_t waited_ms = retry_now_ms() - started_ms;
        if (r < 0 && r != E_AGAIN)
            return r;
        if (ready) {
            log_info("%s of %s is ready", a->name, a->common.date);
            return 0;
        }
        if (waited_ms >= limit_ms) {
            (void)err_set(err, E_AGAIN, 0, "%s of %s is not there after %" PRIu64 " s", a->name,
                          a->common.date, waited_ms / MS_OF_S);
            return EXIT_NOT_READY;
        }
        log_info("%s of %s is not there yet", a->name, a->common.date);
        const uint64_t poll_ms = a->poll_s * MS_OF_S, left_ms = limit_ms - waited_ms;
        retry_sleep_ms(poll_ms < left_ms ? poll_ms : left_ms);
    }
}

static int wait_for(const struct wait_args *a, struct err *err)
{
    static const char *const nothing[] = {NULL};
    CLEANUP(taar_end) struct taar_setup setup = {0};
    int r = taar_start(&setup, &a->common, err);
    struct taar_source source = {.given = a->source,
                                 .kind = TELEMETRY_CLIENTS,
                                 .first = setup.date,
                                 .last = setup.date,
                                 .needed = nothing};
    if (r == 0)
        r = find_source(&source, a->name, err);
    if (r < 0)
        return taar_exit(r);
    r = wait_until_ready(&setup, a, &source, err);
    return r > 0 ? r : taar_exit(r);
}

static int run(void *args, struct err *err)
{
    return wait_for(args, err);
}

static int run_named(void *args, const char *name, struct err *err)
{
    struct wait_args *a = args;
    a->name = name;
    return wait_for(a, err);
}

static int run_daily(void *args, struct err *err)
{
    return run_named(args, "clients_daily_export", err);
}

static int run_summary(void *args, struct err *err)
{
    return run_named(args, "main_summary_export", err);
}

static int run_last_seen(void *args, struct err *err)
{
    return run_named(args, "clients_last_seen", err);
}

const struct opt_command taar_wait_command = {
    .name = "wait",
    .summary = "Wait until a day's telemetry is complete",
    .details = "NAME is clients_daily_export, main_summary_export or clients_last_seen. Complete "
               "is a folder with a data file and _SUCCESS, or a table with rows of the day.",
    .groups = TAAR_GROUPS(options, taar_date_options),
    .positionals =
        (const struct opt_positional[]){
            {.metavar = "NAME", .offset = offsetof(struct wait_args, name)}, {0}},
    .defaults = &defaults,
    .args_size = sizeof defaults,
    .run = run,
};

/* The sensors' names in the DAGs. */
#define SENSOR(NAME, WHAT, RUN)                                                                    \
    {                                                                                              \
        .name = (NAME), .summary = ("Same as wait " WHAT), .details = NULL,                        \
        .groups = TAAR_GROUPS(options, taar_date_options), .defaults = &defaults,                  \
        .args_size = sizeof defaults, .run = (RUN)                                                 \
    }
const struct opt_command taar_wait_daily_command =
    SENSOR("wait_for_clients_daily_export", "clients_daily_export", run_daily);
const struct opt_command taar_wait_summary_command =
    SENSOR("wait_for_main_summary_export", "main_summary_export", run_summary);
const struct opt_command taar_wait_last_seen_command =
    SENSOR("wait_for_clients_last_seen", "clients_last_seen", run_last_seen);
