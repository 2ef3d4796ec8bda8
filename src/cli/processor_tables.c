/* SPDX-License-Identifier: MPL-2.0 */
/* From published sums to tables: index, insert, dump, and the origins that they need. */
#include "base/log.h"
#include "cli/processor.h"
#include "processor/dump.h"
#include "processor/fetch_origins.h"
#include "processor/index.h"
#include "processor/insert.h"
#include "processor/layout.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static int write_stdout(void *arg, const void *bytes, size_t len, struct err *err)
{
    (void)arg;
    return fwrite(bytes, 1, len, stdout) == len
               ? 0
               : err_set(err, E_IO, errno, "write to standard output");
}

static const struct stage_sink standard_output = {.write = write_stdout};

struct tables {
    struct processor_setup setup;
    struct processor_places places;
    struct data_config config;
    struct origins origins;
    struct store *private;
    struct warehouse *warehouse;
    char *prefix;
};

static void tables_deinit(struct tables *t)
{
    free(t->prefix);
    warehouse_close(t->warehouse);
    store_close(t->private);
    origins_deinit(&t->origins);
    data_config_deinit(&t->config);
    processor_places_close(&t->places);
}

static int read_configs(struct tables *t, const char *config, const char *origins, struct err *err)
{
    const int r = data_config_read(&t->config, config, err);
    return r < 0 ? r : origins_read(&t->origins, origins, err);
}

int cmd_index(void *args, struct err *err)
{
    const struct processor_args *a = args;
    CLEANUP(tables_deinit) struct tables t = {0};
    struct index_options o = {.published = {.config = &t.config, .origins = &t.origins}};
    struct index_result result = {0};
    int r = processor_start(&t.setup, a, err);
    if (r == 0)
        r = read_configs(&t, a->config, a->origins, err);
    if (r == 0)
        r = processor_place(&t.places, &o.published.input, &t.setup, a, "--input", a->input, err);
    if (r == 0)
        r = processor_place(&t.places, &o.output, &t.setup, a, "--output", a->output, err);
    if (r == 0)
        r = processor_outside(&o.published.input, &o.output, err);
    if (r < 0)
        return processor_exit(r);
    o.dry_run = a->dry_run;
    r = index_run(&o, &result, err);
    if (r == 0 && o.dry_run) {
        processor_would_replace(&o.output, "");
        return EXIT_DONE;
    }
    if (r == 0)
        r = write_stdout(NULL, result.shown.data, result.shown.len, err);
    if (r == 0)
        log_event(LOG_LEVEL_INFO, "indexed", LOG_U("rows", result.n_rows));
    buf_deinit(&result.shown);
    return processor_exit(r);
}

/* The table's warehouse: --warehouse, else the file below --home. */
static int open_tables(struct tables *t, const struct processor_args *a, bool read_only,
                       struct err *err)
{
    char url[4096];
    char *home = NULL;
    if (a->warehouse) {
        (void)snprintf(url, sizeof url, "%s", a->warehouse);
    } else {
        const int r = bucket_home(&home, &t->setup.common, err);
        if (r < 0)
            return r;
        (void)snprintf(url, sizeof url, "duckdb://%s/warehouse.duckdb", home);
        free(home);
    }
    return processor_open_warehouse(&t->warehouse, &t->setup, a, url, read_only, err);
}

static int read_replace(bool *out, const char *text, struct err *err)
{
    *out = text && strcasecmp(text, "true") == 0;
    if (!text || *out || strcasecmp(text, "false") == 0)
        return 0;
    return err_set(err, E_ARG, 0, "Invalid value for '--bq-replace': it is true or false.");
}

static int prepare_insert(struct tables *t, const struct processor_args *a, struct err *err)
{
    int r = processor_start(&t->setup, a, err);
    if (r == 0)
        r = read_configs(t, a->data_config, a->origin_config, err);
    if (r == 0)
        r = bucket_open(&t->private, &t->setup.common, &a->internal, "BUCKET_INTERNAL_PRIVATE",
                        a->internal_private, err);
    char *own = NULL;
    if (r == 0)
        r = layout_prefix(&own, a->bucket_prefix, a->key_external, a->app_name, t->setup.date, err);
    if (r == 0 && asprintf(&t->prefix, "%sprocessed/publish", own) < 0) {
        t->prefix = NULL; // asprintf leaves it undefined
        r = err_set(err, E_NOMEM, 0, "no memory for a path");
    }
    free(own);
    return r;
}

static int count_row(void *arg, const struct index_row *row, struct err *err)
{
    (void)row;
    (void)err;
    ++*(uint64_t *)arg;
    return 0;
}

static int would_insert(const struct tables *t, const struct index_rows *rows, struct err *err)
{
    char line[128];
    uint64_t n = 0;
    const int r = rows->each(rows->arg, count_row, &n, err);
    if (r == 0 && n == 0)
        return err_set(err, E_ABSENT, 0,
                       "nothing to insert for %s: there is no published row of a known batch",
                       t->setup.date);
    (void)snprintf(line, sizeof line, "would insert %" PRIu64 " rows of %s", n, t->setup.date);
    if (r == 0)
        processor_say(NULL, line);
    return r;
}

int cmd_insert(void *args, struct err *err)
{
    const struct processor_args *a = args;
    CLEANUP(tables_deinit) struct tables t = {0};
    struct insert_options o = {.date = t.setup.date};
    struct insert_counts counts = {0};
    int r = read_replace(&o.replace_table, a->replace_table, err);
    if (r == 0)
        r = prepare_insert(&t, a, err);
    if (r < 0)
        return processor_exit(r);
    struct index_published published = {
        .input = {.store = t.private, .dir = t.prefix}, .config = &t.config, .origins = &t.origins};
    const struct index_rows rows = index_published_rows(&published);
    if (a->dry_run)
        return processor_exit(would_insert(&t, &rows, err));
    r = open_tables(&t, a, false, err);
    o.place = (struct content_place){t.warehouse, a->dataset, a->table};
    if (r == 0)
        r = insert_rows(&o, &rows, &standard_output, &counts, err);
    if (r == 0)
        log_event(LOG_LEVEL_INFO, "inserted", LOG_S("warehouse", warehouse_name(t.warehouse)),
                  LOG_U("rows", counts.n_rows), LOG_U("rows_of_table", counts.n_table));
    return processor_exit(r);
}

int cmd_dump(void *args, struct err *err)
{
    const struct processor_args *a = args;
    CLEANUP(tables_deinit) struct tables t = {0};
    int r = processor_start(&t.setup, a, err);
    if (r == 0 && a->date)
        r = processor_check_date(a->date, err);
    if (r == 0)
        r = open_tables(&t, a, true, err);
    if (r < 0)
        return processor_exit(r);
    const struct dump_options o = {.place = {t.warehouse, a->dataset, a->table},
                                   .date = a->date,
                                   .format = (enum rows_format)a->format};
    return processor_exit(dump_rows(&o, &standard_output, err));
}

int cmd_fetch_origins(void *args, struct err *err)
{
    const struct processor_args *a = args;
    struct processor_setup setup;
    struct fetch_origins_result result = {0};
    int r = processor_start(&setup, a, err);
    if (r < 0)
        return processor_exit(r);
    const struct fetch_origins_options o = {.url = a->url, .ca_file = a->internal.ca_file};
    r = fetch_origins_run(&o, &result, err);
    if (r == 0 && a->dry_run)
        (void)printf("would write %s\n", a->output);
    else if (r == 0)
        r = processor_write_file(a->output, &result.json, err);
    if (r == 0)
        log_event(LOG_LEVEL_INFO, "fetched", LOG_U("origins", result.n_origins));
    buf_deinit(&result.json);
    return processor_exit(r);
}
