/* SPDX-License-Identifier: MPL-2.0 */
/* From pings to the servers' ingest buckets: staging and transfer. */
#include "base/log.h"
#include "cli/processor.h"
#include "processor/staging.h"
#include "processor/transfer.h"

#include <inttypes.h>
#include <stdio.h>

enum { MB = 1000000 };

struct staging {
    struct processor_setup setup;
    struct processor_places places;
    struct warehouse *warehouse;
    struct staging_options options;
};

static void staging_deinit(struct staging *s)
{
    warehouse_close(s->warehouse);
    processor_places_close(&s->places);
}

/* "project.dataset.table" lives in that project, whatever --warehouse says. */
static int open_table(struct staging *s, const struct processor_args *a, struct err *err)
{
    const size_t project_len = strcspn(a->input, ".:");
    char url[256];
    if (a->warehouse)
        (void)snprintf(url, sizeof url, "%s", a->warehouse);
    else
        (void)snprintf(url, sizeof url, "bigquery://%.*s", (int)project_len, a->input);
    int r = processor_open_warehouse(&s->warehouse, &s->setup, a, url, true, err);
    if (r == 0 && a->export_to)
        r = processor_place(&s->places, &s->options.export_to, &s->setup, a, "--export-to",
                            a->export_to, err);
    s->options.warehouse = s->warehouse;
    s->options.table = a->input;
    s->options.export_url = a->export_to;
    return r;
}

static int prepare(struct staging *s, const struct processor_args *a, struct err *err)
{
    int r = processor_start(&s->setup, a, err);
    if (r == 0)
        r = processor_check_date(a->date, err);
    if (r == 0 && a->staged_mb * MB < 1)
        r = err_set(err, E_ARG, 0,
                    "Invalid value for '--partition-size-mb': it is below one byte.");
    if (r < 0)
        return r;
    s->options = (struct staging_options){
        .date = a->date,
        .source = (enum staging_source)a->source,
        .export_above_bytes = (uint64_t)(a->export_above_gb * 1e9),
        .partition_bytes = (uint64_t)(a->staged_mb * MB),
        .n_partitions = (unsigned)a->partitions,
        .memory_bytes = a->memory_mb * MB,
        .tmp_dir = a->tmp_dir,
        .n_workers = s->setup.n_workers,
        .cpu = s->setup.cpu,
        .progress = s->setup.progress,
    };
    r = s->options.source == STAGING_BIGQUERY
            ? open_table(s, a, err)
            : processor_place(&s->places, &s->options.input, &s->setup, a, "--input", a->input,
                              err);
    if (r == 0)
        r = processor_place(&s->places, &s->options.output, &s->setup, a, "--output", a->output,
                            err);
    return r;
}

static void report(const struct staging_result *n)
{
    for (int i = 0; i < STAGING_REASONS; i++)
        if (n->dropped[i] > 0)
            log_event(LOG_LEVEL_INFO, "dropped",
                      LOG_S("reason", staging_reason_name((enum staging_reason)i)),
                      LOG_U("count", n->dropped[i]));
    log_event(LOG_LEVEL_INFO, "staged", LOG_U("objects", n->n_objects), LOG_U("lines", n->n_lines),
              LOG_U("other_days", n->n_other_days), LOG_U("pings", n->n_pings),
              LOG_U("records", n->n_records), LOG_U("batches", n->n_batches),
              LOG_U("partitions", n->n_partitions), LOG_U("files", n->n_files),
              LOG_U("a_bytes", n->a_bytes), LOG_U("runs", n->n_runs));
}

int cmd_staging(void *args, struct err *err)
{
    const struct processor_args *a = args;
    CLEANUP(staging_deinit) struct staging s = {0};
    struct staging_result result = {0};
    int r = prepare(&s, a, err);
    if (r < 0)
        return processor_exit(r);
    if (a->dry_run) {
        char what[32];
        (void)snprintf(what, sizeof what, "submission_date=%s", a->date);
        processor_would_replace(&s.options.output, what);
        return EXIT_DONE;
    }
    r = staging_run(&s.options, &result, err);
    if (r == 0)
        report(&result);
    return processor_exit(r);
}

static void tell(void *arg, enum transfer_action action, const char *bucket, const char *key)
{
    char line[3 * STORE_MAX_KEY];
    const bool *dry_run = arg;
    (void)snprintf(line, sizeof line, "%s%s %s/%s", *dry_run ? "would " : "",
                   transfer_action_name(action), bucket, key);
    processor_say(NULL, line);
}

int cmd_transfer(void *args, struct err *err)
{
    const struct processor_args *a = args;
    CLEANUP(processor_places_close) struct processor_places places = {0};
    CLEANUP(processor_ingest_close) struct ingest ingest = {0};
    struct processor_setup setup;
    struct transfer_result result = {0};
    bool dry_run = a->dry_run;
    struct transfer_options o = {.dry_run = dry_run};
    int r = processor_start(&setup, a, err);
    if (r == 0)
        r = processor_check_date(a->date, err);
    if (r == 0)
        r = processor_place(&places, &o.input, &setup, a, "--input", a->input, err);
    if (r == 0)
        r = processor_ingest_open(&ingest, &setup, a, err);
    if (r < 0)
        return processor_exit(r);
    o.ingest = ingest;
    o.ingest.date = a->date;
    o.progress = setup.progress;
    if (dry_run || a->verbose)
        o.report = tell;
    o.report_arg = &dry_run;
    r = transfer_run(&o, &result, err);
    if (r == 0)
        log_event(LOG_LEVEL_INFO, dry_run ? "would transfer" : "transferred",
                  LOG_U("copied", result.n_copied), LOG_U("kept", result.n_kept),
                  LOG_U("deleted", result.n_deleted), LOG_U("bytes", result.n_bytes));
    return processor_exit(r);
}
