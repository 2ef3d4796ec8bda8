/* SPDX-License-Identifier: MPL-2.0 */
/* Source: fxci-etl.md 2.1, section 4. */
#include "base/log.h"
#include "cli/fxci.h"
#include "fxci/metrics.h"

static const int64_t yesterday = -1;

static int open_warehouse(void *arg, struct warehouse **w, struct err *err)
{
    return fxci_open_tables(arg, w, err);
}

int cmd_metric_export(void *args, struct err *err)
{
    const struct fxci_args *a = args;
    CLEANUP(fxci_end) struct fxci_setup setup = {0};
    const struct config_use use = {.bigquery = !a->dry_run};
    int r = fxci_start(&setup, a, &use, err);
    int64_t date = setup.today + yesterday;
    if (r == 0 && a->date)
        r = fxci_read_date(&date, a->date, err);
    if (r < 0)
        return fxci_exit(r);
    const struct metrics_run run = {
        .config = &setup.config,
        .now_us = setup.now_us,
        .date = date,
        .timeseries = a->timeseries,
        .dry_run = a->dry_run,
        .metadata_host = fxci_metadata_host(&setup),
        .google_credentials = setup.google_credentials,
        .say = fxci_say,
        .open_warehouse = open_warehouse,
        .open_arg = &setup,
        .tables = &setup.tables,
    };
    struct metrics_counts counts;
    r = metrics_export(&run, &counts, err);
    if (r == 0)
        log_event(LOG_LEVEL_INFO, a->dry_run ? "metrics shown" : "metrics exported",
                  LOG_U("series", counts.n_series), LOG_U("rows", counts.n_rows),
                  LOG_U("duplicates", counts.n_duplicate), LOG_U("skipped", counts.n_skipped));
    return fxci_exit(r);
}
