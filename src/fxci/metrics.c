/* SPDX-License-Identifier: MPL-2.0 */
/* Source: fxci-etl.md section 4. */
#include "fxci/metrics.h"

#include "base/log.h"
#include "base/utc.h"
#include "fxci/metrics_internal.h"

#include <string.h>

static const int64_t second_us = 1000000;
static const int64_t day_us = INT64_C(86400) * 1000000;
static const int64_t settle_us = INT64_C(600) * 1000000; // values may still change for so long

struct sources {
    struct monitoring *monitoring; // one of both
    struct recorded_answers *recorded;
};

static void sources_close(struct sources *s)
{
    monitoring_free(s->monitoring);
    recorded_answers_free(s->recorded);
}

static int check_day(const struct metrics_run *run, struct err *err)
{
    const int64_t over_us = (run->date + 1) * day_us;
    if (run->now_us >= over_us + settle_us)
        return 0;
    char end[UTC_TEXT_BYTES], ready[UTC_TEXT_BYTES], now[UTC_TEXT_BYTES];
    utc_format(end, over_us - second_us);
    utc_format(ready, over_us + settle_us);
    utc_format(now, run->now_us);
    return err_set(err, E_AGAIN, 0,
                   "the day ends at %.19sZ, and its values are final 10 minutes later: run it from "
                   "%.19sZ on (it is %.19sZ)",
                   end, ready, now);
}

/* A partition is replaced as a whole, so that the second would take away the first one's rows. */
static int check_tables(const struct metrics_run *run, struct err *err)
{
    const char *usual = strchr(run->tables->names[FXCI_METRICS], '.') + 1;
    const struct metric_config *metrics = run->config->monitoring.metrics;
    if (run->config->monitoring.n_metrics == 0)
        return err_set(err, E_ARG, 0, "no metric is configured");
    for (size_t i = 0; i < run->config->monitoring.n_metrics; i++)
        for (size_t j = 0; j < i; j++)
            if (strcmp(metrics[i].table ? metrics[i].table : usual,
                       metrics[j].table ? metrics[j].table : usual) == 0)
                return err_set(err, E_ARG, 0, "metrics %s and %s have one table: give each its own",
                               metrics[j].name, metrics[i].name);
    return 0;
}

static int read_projects(struct metric_intake *in, const struct sources *from, struct err *err)
{
    for (const char *const *p = in->run->config->monitoring.projects; *p; p++) {
        in->project = *p;
        const uint64_t before = in->n_series;
        const int r = from->recorded ? recorded_answers_read(from->recorded, in, err)
                                     : monitoring_read(from->monitoring, in, err);
        if (r < 0)
            return err_wrap(err, r, "project %s", *p);
        if (in->n_series == before)
            log_event(LOG_LEVEL_WARNING, "a project has no series", LOG_S("project", *p),
                      LOG_S("metric", in->metric->name));
    }
    return 0;
}

static int check_intake(const struct metric_intake *in, struct err *err)
{
    if (in->n_series == 0)
        return err_set(err, E_ABSENT, 0, "no records came back; the table is left as it is");
    if (in->rows.n == 0)
        return err_set(err, E_FORMAT, 0,
                       "none of %llu series can be read; the table is left as it is",
                       (unsigned long long)in->n_series);
    return 0;
}

static int export(const struct metrics_run *run, struct metric_intake *in,
                  const struct sources *from, struct metrics_counts *counts, struct err *err)
{
    int r = read_projects(in, from, err);
    counts->n_series += in->n_series;
    counts->n_skipped += in->n_broken;
    if (r < 0 || run->dry_run)
        return r;
    uint64_t n_rows = 0, n_duplicate = 0;
    r = check_intake(in, err);
    if (r == 0)
        r = metric_rows_mark_duplicates(&in->rows, &n_duplicate, err);
    if (r == 0)
        r = metric_store(run, in, &n_rows, err);
    counts->n_duplicate += n_duplicate;
    counts->n_rows += n_rows;
    return r;
}

static int export_metric(const struct metrics_run *run, const struct metric_config *metric,
                         const struct sources *from, struct metrics_counts *counts, struct err *err)
{
    struct metric_intake in = {
        .run = run,
        .metric = metric,
        .interval = {run->date * day_us, (run->date + 1) * day_us - second_us},
    };
    metric_rows_init(&in.rows);
    const int r = export(run, &in, from, counts, err);
    metric_rows_deinit(&in.rows);
    return r < 0 ? err_wrap(err, r, "metric %s", metric->name) : 0;
}

static int open_sources(struct sources *s, const struct metrics_run *run, struct err *err)
{
    return run->timeseries ? recorded_answers_open(&s->recorded, run, err)
                           : monitoring_open(&s->monitoring, run, err);
}

int metrics_export(const struct metrics_run *run, struct metrics_counts *counts, struct err *err)
{
    *counts = (struct metrics_counts){0};
    CLEANUP(sources_close) struct sources from = {0};
    int r = check_day(run, err);
    if (r == 0)
        r = check_tables(run, err);
    if (r == 0)
        r = open_sources(&from, run, err);
    if (r < 0)
        return r;
    for (size_t i = 0; i < run->config->monitoring.n_metrics; i++) {
        struct err why = {0};
        const int one =
            export_metric(run, &run->config->monitoring.metrics[i], &from, counts, &why);
        if (one < 0 && r < 0)
            log_error("%s", why.text);
        if (one < 0 && r == 0) {
            r = one;
            if (err)
                *err = why;
        }
    }
    return r;
}
