/* SPDX-License-Identifier: MPL-2.0 */
/* Questions that people ask, and repairs of what they find. */
#include "base/log.h"
#include "cli/fxci.h"
#include "fxci/report.h"

enum { COST_DECIMALS = 4 };

struct report {
    struct fxci_setup setup;
    struct fxci_days days;
    struct warehouse *w;
};

static void report_deinit(struct report *report)
{
    warehouse_close(report->w);
    fxci_end(&report->setup);
}

static int scan_costs(void *scan_arg, warehouse_row_fn *fn, void *arg, struct err *err)
{
    const struct report *r = scan_arg;
    return report_costs(r->w, &r->setup.tables, (enum report_by)r->setup.args->by, r->days.first,
                        r->days.last, fn, arg, err);
}

int cmd_report_costs(void *args, struct err *err)
{
    static const enum rows_format formats[] = {ROWS_TABLE, ROWS_CSV, ROWS_NDJSON};
    CLEANUP(report_deinit) struct report report = {0};
    int r = fxci_start(&report.setup, args, &(const struct config_use){.bigquery = true}, err);
    if (r == 0)
        r = fxci_read_days(&report.days, &report.setup, err);
    if (r == 0)
        r = fxci_open_tables(&report.setup, &report.w, err);
    if (r < 0)
        return fxci_exit(r);
    const struct rows_text text = {
        .columns = report_columns,
        .format = formats[report.setup.args->format],
        .decimals = COST_DECIMALS,
        .write = fxci_print,
    };
    return fxci_exit(rows_text_write(&text, scan_costs, &report, err));
}

int cmd_backfill_tasks(void *args, struct err *err)
{
    CLEANUP(report_deinit) struct report report = {0};
    struct backfill_counts counts = {0};
    const struct fxci_setup *setup = &report.setup;
    int r = fxci_start(&report.setup, args, &(const struct config_use){.bigquery = true}, err);
    if (r == 0)
        r = fxci_read_any_days(&report.days, setup, err);
    if (r == 0)
        r = fxci_open_tables(&report.setup, &report.w, err);
    if (r == 0)
        r = backfill_tasks(report.w, &setup->tables, report.days.first, report.days.last,
                           setup->today, setup->cpu, &counts, err);
    if (r < 0)
        return fxci_exit(r);
    if (counts.n_bad_tags > 0)
        log_event(LOG_LEVEL_WARNING, "tasks were left out, a tag of theirs is not text",
                  LOG_U("tasks", counts.n_bad_tags));
    log_event(LOG_LEVEL_INFO, "backfilled", LOG_S("table", setup->tables.names[FXCI_TASKS]),
              LOG_U("rows", counts.n_written));
    return EXIT_DONE;
}
