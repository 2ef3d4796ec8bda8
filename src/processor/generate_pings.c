/* SPDX-License-Identifier: MPL-2.0 */
#include "processor/generate_pings.h"

#include "codec/record.h"
#include "processor/layout.h"
#include "processor/ordered.h"
#include "processor/ping_maker.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { DEFAULT_HOURS = 4, DEFAULT_FILES = 2, MAX_LINE = 128 << 20, HOURS = 24 };
static const size_t max_truth = (size_t)1 << 30;

__extension__ typedef unsigned __int128 wide;

struct run {
    const struct generate_pings_options *options;
    struct generate_pings_result *result;
    struct ping_plan plan;
    unsigned n_hours, n_files; // n_files: of all hours
    struct ping_sums *sums;    // of all workers
    struct store_writer *writer;
    unsigned file; // that is open
    struct progress progress;
};

struct worker {
    struct run *run;
    struct ping_maker *maker;
    struct buf line;
};

/* The ping on a line, and whether it has been sent before. Duplicates are spread over all lines,
 * and far from their originals. */
static uint64_t ping_of(const struct run *run, uint64_t line, bool *again)
{
    const uint64_t n = run->options->n_pings, d = run->options->n_duplicates;
    const uint64_t before = (uint64_t)((wide)line * d / (n + d));
    *again = (uint64_t)((wide)(line + 1) * d / (n + d)) > before;
    return *again ? ((uint64_t)((wide)before * n / d) + n / 2) % n : line - before;
}

static int start(void **out, void *arg, struct err *err)
{
    struct run *run = arg;
    struct worker *w = calloc(1, sizeof *w);
    if (!w)
        return err_set(err, E_NOMEM, 0, "no memory for a worker");
    *w = (struct worker){.run = run, .line = BUF_INIT(MAX_LINE)};
    const int r = ping_maker_new(&w->maker, &run->plan, err);
    if (r < 0)
        free(w);
    else
        *out = w;
    return r;
}

static void stop(void *arg, void *unused)
{
    struct worker *w = arg;
    const struct data_config *config = w->run->options->config;
    (void)unused;
    for (size_t i = 0; i < config->n; i++) {
        const struct ping_sums *mine = ping_maker_sums(w->maker, i);
        for (size_t j = 0; j < config->entries[i].n_data; j++)
            w->run->sums[i].sums[j] += mine->sums[j];
        w->run->sums[i].n_records += mine->n_records;
    }
    ping_maker_free(w->maker);
    buf_deinit(&w->line);
    free(w);
}

static int make(void *arg, uint64_t line, struct err *err)
{
    struct worker *w = arg;
    bool again;
    const uint64_t ping = ping_of(w->run, line, &again);
    buf_clear(&w->line);
    return ping_maker_line(w->maker, &w->line, ping, !again, err);
}

static int close_file(struct run *run, struct err *err)
{
    struct store_writer *writer = run->writer;
    run->writer = NULL; // commit frees it in any case
    const int r = writer ? store_writer_commit(writer, NULL, err) : 0;
    return r < 0 ? r : 0;
}

static int open_file(struct run *run, unsigned file, struct err *err)
{
    CLEANUP(buf_deinit) struct buf key = PLACE_KEY_INIT;
    const unsigned an_hour = run->n_files / run->n_hours;
    char rest[80];
    snprintf(rest, sizeof rest, "%.10s/%02u/telemetry/prio/4/part-%05u.ndjson", run->options->date,
             file / an_hour, file % an_hour);
    const char *text = place_key(&key, &run->options->output, rest, err);
    run->file = file;
    run->result->n_files++;
    return text ? store_put_begin(&run->writer, run->options->output.store, text, NULL, err)
                : E_NOMEM;
}

static int take(void *arg, uint64_t line, struct err *err)
{
    struct worker *w = arg;
    struct run *run = w->run;
    const unsigned file = (unsigned)((wide)line * run->n_files / run->result->n_lines);
    int r = 0;
    if (!run->writer || run->file != file) {
        r = close_file(run, err);
        if (r == 0)
            r = open_file(run, file, err);
    }
    progress_add(&run->progress, 1, w->line.len);
    return r < 0 ? r : store_writer_write(run->writer, w->line.data, w->line.len, err);
}

static int format_batch(struct buf *out, const struct data_entry *e, const struct ping_sums *s,
                        struct err *err)
{
    int r = buf_append_str(out, "{\"batch_id\": ", err);
    if (r == 0)
        r = json_write_string(out, span_str(e->batch_id), err);
    if (r == 0)
        r = buf_printf(out, err, ", \"n_data\": %zu, \"records\": %" PRIu64 ", \"payload\": [",
                       e->n_data, s->n_records);
    for (size_t j = 0; j < e->n_data && r == 0; j++)
        r = buf_printf(out, err, "%s%" PRIu64, j > 0 ? ", " : "", s->sums[j]);
    return r < 0 ? r : buf_append_str(out, "]}", err);
}

static int format_truth(struct run *run, struct err *err)
{
    const struct generate_pings_options *o = run->options;
    struct buf *out = &run->result->truth;
    int r = buf_printf(out, err,
                       "{\"date\": \"%.10s\", \"n_pings\": %" PRIu64 ", \"n_duplicates\": %" PRIu64
                       ", \"batches\": [",
                       o->date, o->n_pings, o->n_duplicates);
    for (size_t i = 0; i < o->config->n && r == 0; i++) {
        run->result->n_records += run->sums[i].n_records;
        r = buf_append_str(out, i > 0 ? ",\n" : "\n", err);
        if (r == 0)
            r = format_batch(out, &o->config->entries[i], &run->sums[i], err);
    }
    return r < 0 ? r : buf_append_str(out, "\n]}\n", err);
}

static int check(const struct generate_pings_options *o, struct err *err)
{
    if (!layout_is_date(o->date))
        return err_set(err, E_ARG, 0, "\"%s\" is not a date like 2026-03-14", o->date);
    if (o->n_pings == 0 || o->n_hours > HOURS)
        return err_set(err, E_ARG, 0, "there must be a ping, and at most %d hours", HOURS);
    return 0;
}

static int run_init(struct run *run, struct err *err)
{
    const struct generate_pings_options *o = run->options;
    run->n_hours = o->n_hours > 0 ? o->n_hours : DEFAULT_HOURS;
    run->n_files = run->n_hours * (o->n_files > 0 ? o->n_files : DEFAULT_FILES);
    run->result->n_lines = o->n_pings + o->n_duplicates;
    run->sums = calloc(o->config->n, sizeof *run->sums);
    bool ok = run->sums != NULL;
    for (size_t i = 0; i < o->config->n && ok; i++) {
        run->sums[i].sums = calloc(o->config->entries[i].n_data, sizeof *run->sums[i].sums);
        ok = run->sums[i].sums != NULL;
    }
    return ok ? ping_plan_init(&run->plan, o, err)
              : err_set(err, E_NOMEM, 0, "no memory for the sums");
}

static void run_deinit(struct run *run)
{
    store_writer_abandon(run->writer);
    for (size_t i = 0; run->sums && i < run->options->config->n; i++)
        free(run->sums[i].sums);
    free(run->sums);
    ping_plan_deinit(&run->plan);
}

static int write_all(struct run *run, struct err *err)
{
    const struct ordered job = {.n_pieces = run->result->n_lines,
                                .n_workers = run->options->shares.n_workers,
                                .start = start,
                                .stop = stop,
                                .make = make,
                                .take = take,
                                .arg = run};
    char folder[16];
    snprintf(folder, sizeof folder, "%.10s/", run->options->date);
    int r = place_clear(&run->options->output, folder, err);
    if (r < 0)
        return r;
    progress_start(&run->progress, "generate-pings", 0, run->options->shares.progress);
    r = ordered_run(&job, err);
    progress_end(&run->progress);
    if (r == 0)
        r = close_file(run, err);
    return r < 0 ? r : format_truth(run, err);
}

int generate_pings_run(const struct generate_pings_options *options,
                       struct generate_pings_result *result, struct err *err)
{
    struct run run = {.options = options, .result = result};
    *result = (struct generate_pings_result){.truth = BUF_INIT(max_truth)};
    int r = check(options, err);
    if (r == 0)
        r = run_init(&run, err);
    if (r == 0)
        r = write_all(&run, err);
    run_deinit(&run);
    if (r < 0)
        buf_deinit(&result->truth);
    return r;
}
