/* SPDX-License-Identifier: MPL-2.0 */
/* Rows in and out: load, dump. */
#include "base/log.h"
#include "cli/fxci.h"
#include "fxci/dump.h"
#include "fxci/load.h"
#include "fxci/metrics.h"

#include <stdlib.h>

static const struct config_use uses_tables = {.bigquery = true};

static int open_for_batch(void *arg, struct warehouse **w, struct err *err)
{
    return fxci_open_tables(arg, w, err);
}

static int find_table(enum fxci_table *table, const struct fxci_setup *setup, struct err *err)
{
    *table = fxci_tables_find(&setup->tables, setup->args->table_word);
    return *table < FXCI_N_TABLES
               ? 0
               : err_set(err, E_ARG, 0, "there is no table %.100s; rows go to %s, %s and the like",
                         setup->args->table_word, fxci_table_name(FXCI_TASKS),
                         fxci_table_name(FXCI_RUNS));
}

int cmd_load(void *args, struct err *err)
{
    const struct fxci_args *a = args;
    CLEANUP(fxci_end) struct fxci_setup setup = {0};
    struct load_counts counts = {0};
    struct load_options o = {.path = a->file,
                             .open_warehouse = open_for_batch,
                             .open_arg = &setup,
                             .temp_dir = getenv("TMPDIR")};
    int r = fxci_start(&setup, a, &uses_tables, err);
    if (r == 0)
        r = find_table(&o.table, &setup, err);
    o.tables = &setup.tables;
    o.cpu = setup.cpu;
    o.today = setup.today;
    o.window_days = setup.config.bigquery.window_days;
    if (r == 0)
        r = load_rows(&o, &counts, err);
    if (r == 0)
        log_event(LOG_LEVEL_INFO, "loaded", LOG_S("table", setup.tables.names[o.table]),
                  LOG_U("rows", counts.n_rows), LOG_U("written", counts.n_written),
                  LOG_U("duplicate", counts.n_duplicate));
    return fxci_exit(r);
}

/* A table or view of ours, or the table of a metric that the configuration adds. */
static int find_source(struct dump_source *source, struct metric_table *metric,
                       const struct fxci_setup *setup, struct err *err)
{
    const char *name = setup->args->table_word;
    if (!metric_table_find(metric, &setup->tables, &setup->config, name))
        return dump_find(source, &setup->tables, name, err);
    source->schema = metric->schema;
    return 0;
}

int cmd_dump(void *args, struct err *err)
{
    const struct fxci_args *a = args;
    CLEANUP(fxci_end) struct fxci_setup setup = {0};
    CLEANUP(warehouse_closep) struct warehouse *w = NULL;
    struct dump_source source;
    struct metric_table metric;
    int64_t date = INT64_MIN;
    int r = fxci_start(&setup, a, &uses_tables, err);
    if (r == 0)
        r = find_source(&source, &metric, &setup, err);
    if (r == 0 && a->date)
        r = fxci_read_date(&date, a->date, err);
    if (r == 0)
        r = fxci_open_warehouse(&setup, &w, true, err);
    if (r == 0)
        r = dump_write(&source, w, date, (enum rows_format)a->format, fxci_print, NULL, err);
    if (r == E_ABSENT)
        return err_set(err, E_ABSENT, 0,
                       "%s: it is made by the first pulse drain, metric export, derive or load",
                       err->text),
               EXIT_FAILED;
    return fxci_exit(r);
}
