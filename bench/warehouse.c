/* SPDX-License-Identifier: MPL-2.0 */
/*
 * warehouse.c - batches into DuckDB as `pulse drain` stores them: 5,000 messages are 3,000 tasks
 * and 5,000 runs, in one transaction, the file opened and closed for each; and batches of one
 * message.
 *
 * Usage: bench-warehouse DIR [ROWS_BEFORE [BATCHES [THREADS]]]: rows of each table that are there
 * before, by default 1,000,000. Prints milliseconds, as medians, and rows a second of CPU time.
 */
#include "warehouse/warehouse.h"

#include "base/compiler.h"
#include "timing.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static const char *const tag_names[] = {
    "created_for_user", "kind",          "label",        "os",
    "owned_by",         "project",       "trust_domain", "worker_implementation",
    "test_suite",       "test_platform", "test_variant", NULL,
};
static const struct column task_columns[] = {
    {.name = "submission_date", .type = COLUMN_DATE},
    {.name = "scheduler_id", .type = COLUMN_STRING},
    {.name = "task_group_id", .type = COLUMN_STRING},
    {.name = "task_id", .type = COLUMN_STRING, .required = true},
    {.name = "task_queue_id", .type = COLUMN_STRING},
    {.name = "tags", .type = COLUMN_RECORD, .fields = tag_names},
    {.name = NULL},
};
static const struct column run_columns[] = {
    {.name = "submission_date", .type = COLUMN_DATE},
    {.name = "reason_created", .type = COLUMN_STRING},
    {.name = "reason_resolved", .type = COLUMN_STRING},
    {.name = "resolved", .type = COLUMN_TIMESTAMP},
    {.name = "run_id", .type = COLUMN_INT64, .required = true},
    {.name = "scheduled", .type = COLUMN_TIMESTAMP},
    {.name = "started", .type = COLUMN_TIMESTAMP},
    {.name = "state", .type = COLUMN_STRING},
    {.name = "task_id", .type = COLUMN_STRING, .required = true},
    {.name = "worker_group", .type = COLUMN_STRING},
    {.name = "worker_id", .type = COLUMN_STRING},
    {.name = NULL},
};
static const char *const task_key[] = {"task_id", NULL};
static const char *const run_key[] = {"task_id", "run_id", NULL};
static const struct table_schema tasks = {.name = "tasks",
                                          .columns = task_columns,
                                          .partition_column = "submission_date",
                                          .key = task_key};
static const struct table_schema runs = {
    .name = "runs", .columns = run_columns, .partition_column = "submission_date", .key = run_key};

enum { TASK_ID_CHARS = 22, TEXT_BYTES = 48, BATCH_MESSAGES = 5000, BATCH_TASKS = 3000 };

/* Task ids are random: of number i, always the same. */
static void make_id(char out[TASK_ID_CHARS + 1], uint64_t i)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    for (int k = 0; k < TASK_ID_CHARS; k++) {
        i = (i ^ (i >> 29)) * UINT64_C(0x9e3779b97f4a7c15) + 1;
        out[k] = letters[i >> 58];
    }
    out[TASK_ID_CHARS] = '\0';
}

static void must(int r, const struct err *err)
{
    if (r == 0)
        return;
    (void)fprintf(stderr, "%s\n", err->text);
    exit(1);
}

static void put_task(struct warehouse_batch *batch, uint64_t i)
{
    char id[TASK_ID_CHARS + 1], group[TASK_ID_CHARS + 1], label[TEXT_BYTES];
    struct err err = {0};
    make_id(id, i);
    make_id(group, (i / 50) << 32);
    (void)snprintf(label, sizeof label, "test-linux/opt-mochitest-%" PRIu64, i % 400);
    const struct span tags[] = {
        span_str("dev@example.org"),
        span_str("test"),
        span_str(label),
        span_str("linux"),
        span_str("dev@example.org"),
        span_str("autoland"),
        span_str("gecko"),
        span_str("docker-worker"),
        span_of(NULL, 0),
        span_of(NULL, 0),
        span_of(NULL, 0),
    };
    const struct cell cells[] = {
        {.integer = 20000 + (int64_t)(i / 300000)},
        {.text = span_str("gecko-level-1")},
        {.text = span_str(group)},
        {.text = span_str(id)},
        {.text = span_str("gecko-t/t-linux-docker-noscratch-amd")},
        {.items = tags, .n_items = ARRAY_LEN(tags)},
    };
    must(warehouse_batch_row(batch, 0, cells, &err), &err);
}

static void put_run(struct warehouse_batch *batch, uint64_t i)
{
    char id[TASK_ID_CHARS + 1], worker[TEXT_BYTES];
    struct err err = {0};
    const int64_t at = INT64_C(1755000000000000) + (int64_t)i * 123457;
    make_id(id, i);
    (void)snprintf(worker, sizeof worker, "418274095520%07" PRIu64, i * 7919 % 10000000);
    const struct cell cells[] = {
        {.integer = 20000 + (int64_t)(i / 300000)},
        {.text = span_str("scheduled")},
        {.text = span_str("completed")},
        {.integer = at + 1800000000},
        {.integer = 0},
        {.integer = at},
        {.integer = at + 60000000},
        {.text = span_str("completed")},
        {.text = span_str(id)},
        {.text = span_str("us-central1-a")},
        {.text = span_str(worker)},
    };
    must(warehouse_batch_row(batch, 1, cells, &err), &err);
}

static double wall_ms(void)
{
    struct timespec t;
    if (clock_gettime(CLOCK_MONOTONIC, &t) != 0)
        abort();
    return 1e3 * (double)t.tv_sec + 1e-6 * (double)t.tv_nsec;
}

struct figures {
    struct series open, rows, commit, close, all, cpu;
};

static void run_batch(const struct warehouse_config *config, uint64_t first, uint64_t n_tasks,
                      uint64_t n_runs, struct figures *f)
{
    static const struct table_schema *const both[] = {&tasks, &runs};
    struct batch_outcome outcomes[2];
    struct warehouse *w = NULL;
    struct warehouse_batch *batch = NULL;
    struct err err = {0};
    const double cpu = cpu_us(), t0 = wall_ms();
    must(warehouse_open(&w, config, &err), &err);
    const double t1 = wall_ms();
    must(warehouse_batch_begin(&batch, w, both, 2, 0, &err), &err);
    for (uint64_t i = first; i < first + n_runs; i++)
        put_run(batch, i);
    for (uint64_t i = first; i < first + n_tasks; i++)
        put_task(batch, i);
    const double t2 = wall_ms();
    must(warehouse_batch_commit(batch, outcomes, NULL, NULL, &err), &err);
    if (outcomes[0].n_written + outcomes[1].n_written != n_tasks + n_runs)
        abort();
    const double t3 = wall_ms();
    warehouse_close(w);
    const double t4 = wall_ms();
    series_add(&f->open, t1 - t0);
    series_add(&f->rows, t2 - t1);
    series_add(&f->commit, t3 - t2);
    series_add(&f->close, t4 - t3);
    series_add(&f->all, t4 - t0);
    series_add(&f->cpu, (cpu_us() - cpu) / 1e3);
}

static void print(const char *what, const struct figures *f, uint64_t n_rows)
{
    const double all = series_median(&f->all), cpu = series_median(&f->cpu);
    printf("%-16s open %5.1f  rows %5.1f  commit %6.1f  close %6.1f  all %6.1f ms;  cpu %6.1f ms;  "
           "%.0f rows/s, %.0f a second of CPU time\n",
           what, series_median(&f->open), series_median(&f->rows), series_median(&f->commit),
           series_median(&f->close), all, cpu, 1e3 * (double)n_rows / all,
           1e3 * (double)n_rows / cpu);
}

int main(int argc, char **argv)
{
    if (argc < 2 || argc > 5) {
        (void)fprintf(stderr, "usage: bench-warehouse DIR [ROWS_BEFORE [BATCHES [THREADS]]]\n");
        return 2;
    }
    const uint64_t before = argc > 2 ? strtoull(argv[2], NULL, 10) : 1000000;
    const uint64_t n_batches = argc > 3 ? strtoull(argv[3], NULL, 10) : 20;
    char url[4096];
    (void)snprintf(url, sizeof url, "duckdb://%s/bench.duckdb", argv[1]);
    const struct warehouse_config config = {
        .url = url, .n_threads = argc > 4 ? (unsigned)strtoul(argv[4], NULL, 10) : 1};
    struct figures setup = {.all.n = 0}, large = {.all.n = 0}, small = {.all.n = 0};
    struct warehouse *w = NULL;
    struct err err = {0};
    must(warehouse_open(&w, &config, &err), &err);
    must(warehouse_ensure_table(w, &tasks, &err), &err);
    must(warehouse_ensure_table(w, &runs, &err), &err);
    warehouse_close(w);
    if (before > 0)
        run_batch(&config, 0, before, before, &setup);
    for (uint64_t i = 0; i < n_batches; i++) {
        const uint64_t first = before + i * (BATCH_MESSAGES + 1);
        run_batch(&config, first, BATCH_TASKS, BATCH_MESSAGES, &large);
        run_batch(&config, first + BATCH_MESSAGES, 1, 1, &small);
    }
    print("5,000 messages", &large, BATCH_TASKS + BATCH_MESSAGES);
    print("one message", &small, 2);
    return 0;
}
