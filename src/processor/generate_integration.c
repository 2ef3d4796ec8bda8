/* SPDX-License-Identifier: MPL-2.0 */
#include "processor/generate.h"
#include "processor/generate_sides.h"
#include "processor/share_rows.h"

#include <inttypes.h>
#include <stdlib.h>

enum { BAD_ID_N_DATA = 10 };
static char bad_id[] = "bad-id";

/* The batches to write, in ascending order of their ids. */
struct plan {
    struct data_entry *entries; // texts borrowed
    size_t n;
};

static int by_id(const void *a, const void *b)
{
    return strcmp(((const struct data_entry *)a)->batch_id,
                  ((const struct data_entry *)b)->batch_id);
}

static int make_plan(struct plan *plan, const struct integration_options *o, struct err *err)
{
    const struct data_config *config = o->config;
    for (size_t i = 0; i < config->n; i++)
        if (strcmp(config->entries[i].batch_id, bad_id) == 0)
            return err_set(err, E_ARG, 0,
                           "the data config has a batch \"%s\", which stands for unknown ones here",
                           bad_id);
    plan->entries = calloc(config->n + 1, sizeof *plan->entries);
    if (!plan->entries)
        return err_set(err, E_NOMEM, 0, "no memory for %zu batches", config->n);
    memcpy(plan->entries, config->entries, config->n * sizeof *plan->entries);
    qsort(plan->entries, config->n, sizeof *plan->entries, by_id);
    // Descending order, the first ones dropped: the last ones here.
    plan->n = config->n - (o->n_drop_batch < config->n ? o->n_drop_batch : config->n);
    plan->entries[plan->n++] = (struct data_entry){bad_id, BAD_ID_N_DATA};
    qsort(plan->entries, plan->n, sizeof *plan->entries, by_id);
    return 0;
}

static int write_batch(struct share_rows *rows, const struct data_entry *entry, struct err *err)
{
    CLEANUP(share_batch_deinit) struct share_batch batch = {0};
    CLEANUP(share_batch_deinit) struct share_batch too_long = {0};
    rows->batch_id = span_str(entry->batch_id);
    int r = share_batch_init(&batch, rows->options, rows->batch_id, entry->n_data, err);
    if (r == 0 && entry->batch_id != bad_id)
        r = share_batch_init(&too_long, rows->options, rows->batch_id, entry->n_data + 1, err);
    if (r < 0)
        return r;
    struct share_rows these = *rows;
    these.batch = &batch;
    these.last = too_long.batch ? &too_long : NULL;
    r = share_rows_run(&these, err);
    rows->first_line += rows->n_rows;
    return r;
}

static int check(const struct integration_options *o, struct err *err)
{
    if (o->n_rows == 0 || o->n_partitions == 0)
        return err_set(err, E_ARG, 0, "the numbers of rows and of partitions must be above 0");
    for (size_t i = 0; i < o->config->n; i++)
        if (o->config->entries[i].n_data >= PRIO_MAX_DATA)
            return err_set(err, E_ARG, 0, "batch %s: n_data must be below %d here",
                           o->config->entries[i].batch_id, PRIO_MAX_DATA);
    return 0;
}

static int write_plan(const struct integration_options *o, const struct plan *plan,
                      struct generate_sides *sides, struct generate_result *result, struct err *err)
{
    struct progress progress;
    struct share_rows rows = {.options = &o->shares,
                              .n_rows = o->n_rows,
                              .scale = 1,
                              .fill = fill_pattern,
                              .n_lines = plan->n * o->n_rows,
                              .n_partitions = o->n_partitions,
                              .out = sides->out,
                              .progress = &progress};
    int r = 0;
    *result = (struct generate_result){
        .n_partitions = o->n_partitions, .n_batches = plan->n, .n_records = plan->n * o->n_rows};
    progress_start(&progress, "generate", 0, o->shares.progress);
    for (size_t i = 0; i < plan->n && r == 0; i++)
        r = write_batch(&rows, &plan->entries[i], err);
    progress_end(&progress);
    if (r == 0)
        r = generate_sides_close(sides, err);
    result->n_files = sides->out[0].n_files;
    return r;
}

int generate_integration_run(const struct integration_options *options, const struct place *output,
                             struct generate_result *result, struct err *err)
{
    CLEANUP(generate_sides_deinit) struct generate_sides sides = {0};
    struct plan plan = {0};
    int r = check(options, err);
    if (r == 0)
        r = make_plan(&plan, options, err);
    if (r == 0)
        r = place_overwrite(output, err);
    if (r == 0)
        r = generate_sides_below(&sides, output, err);
    if (r == 0)
        r = write_plan(options, &plan, &sides, result, err);
    free(plan.entries);
    return r < 0 ? r : place_mark(output, "_SUCCESS", err);
}

/* Make both folders empty, the markers before all else. */
static int clear_both(const struct place places[N_SERVERS], struct err *err)
{
    int r = 0;
    for (int i = 0; i < N_SERVERS && r == 0; i++)
        r = place_unmark(&places[i], "_SUCCESS", err);
    for (int i = 0; i < N_SERVERS && r == 0; i++)
        r = place_clear(&places[i], "", err);
    return r;
}

int generate_ingest_run(const struct integration_options *options, const struct ingest *ingest,
                        struct generate_result *result, struct err *err)
{
    CLEANUP(generate_sides_deinit) struct generate_sides sides = {0};
    struct plan plan = {0};
    struct place places[N_SERVERS];
    int r = check(options, err);
    for (int i = 0; i < N_SERVERS && r == 0; i++) {
        sides.dirs[i] = PLACE_KEY_INIT;
        r = ingest_folder(&sides.dirs[i], ingest, (enum prio_role)i, err);
        places[i] = (struct place){ingest->bucket[i], (const char *)sides.dirs[i].data};
    }
    if (r == 0)
        r = make_plan(&plan, options, err);
    if (r == 0)
        r = clear_both(places, err);
    if (r == 0)
        r = generate_sides_init(&sides, places, LAYOUT_PARTITION, err);
    if (r == 0)
        r = write_plan(options, &plan, &sides, result, err);
    free(plan.entries);
    for (int i = 0; i < N_SERVERS && r == 0; i++)
        r = place_mark(&places[i], "_SUCCESS", err);
    return r;
}
