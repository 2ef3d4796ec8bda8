/* SPDX-License-Identifier: MPL-2.0 */
/*
 * batch_steps - what batches, views and computed dates of a warehouse are asked for in tests
 * against real servers, a step at a time.
 *
 *   batch_steps STEP URL ENDPOINT [CREDENTIALS]
 *
 * Prints "ok", or the error as "<code>: <text>" with exit status 1. With credentials, the endpoint
 * gets a token.
 */
#include "base/compiler.h"
#include "warehouse/warehouse.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define TRY(call)                                                                                  \
    do {                                                                                           \
        const int r_ = (call);                                                                     \
        if (r_ < 0)                                                                                \
            return r_;                                                                             \
    } while (0)

static const int64_t today = 20000, window = 14;

static const char *const tags[] = {"kind", "os", "label", NULL};
enum { N_TASK = 5, N_RUN = 5, N_COST = 3 };
static const struct column task_columns[] = {
    {.name = "submission_date", .type = COLUMN_DATE, .required = true},
    {.name = "task_id", .type = COLUMN_STRING, .required = true},
    {.name = "tags", .type = COLUMN_RECORD, .required = true, .fields = tags},
    {.name = "routes", .type = COLUMN_STRINGS},
    {.name = "extra", .type = COLUMN_JSON, .required = true},
    {.name = NULL},
};
static const struct column run_columns[] = {
    {.name = "submission_date", .type = COLUMN_DATE, .required = true},
    {.name = "task_id", .type = COLUMN_STRING, .required = true},
    {.name = "run_id", .type = COLUMN_INT64, .required = true},
    {.name = "started", .type = COLUMN_TIMESTAMP},
    {.name = "worker", .type = COLUMN_STRING},
    {.name = NULL},
};
static const struct column cost_columns[] = {
    {.name = "day", .type = COLUMN_DATE},
    {.name = "zone", .type = COLUMN_STRING},
    {.name = "cost", .type = COLUMN_DOUBLE},
    {.name = NULL},
};
static const char *const task_key[] = {"task_id", NULL};
static const char *const run_key[] = {"task_id", "run_id", NULL};
static const char *const cost_key[] = {"day", "zone", NULL};
#define DAILY .partition_column = "submission_date", .require_partition_filter = true, .lax = true
static const struct table_schema tasks = {
    .name = "steps.tasks", .columns = task_columns, .key = task_key, .cluster = task_key, DAILY};
static const struct table_schema runs = {
    .name = "steps.runs", .columns = run_columns, .key = run_key, .cluster = run_key, DAILY};
static const struct table_schema costs = {
    .name = "steps.costs", .columns = cost_columns, .key = cost_key, .partition_column = "day"};
static const struct table_schema *const both[] = {&tasks, &runs};

static void name_task(struct cell *cell, char text[32], int64_t i)
{
    cell->text = span_of(text, (size_t)snprintf(text, 32, "task-%" PRId64, i));
}

/* The same number is the same key; version is in what is not. */
static int put_task(struct warehouse_batch *batch, int64_t i, const char *version, struct err *err)
{
    char id[32];
    const struct span tag_texts[] = {span_str(version), {0}, span_str("\"\\\n\xc3\xa9")};
    const struct span routes[] = {span_str("a"), span_str("")};
    struct cell cells[N_TASK] = {
        {.integer = today},
        {0},
        {.items = tag_texts, .n_items = ARRAY_LEN(tag_texts)},
        {.items = routes, .n_items = (size_t)i % 3},
        {.text = span_str("{\"a\": [1,\n null, \"x\\\"y\"]}")},
    };
    name_task(&cells[1], id, i);
    return warehouse_batch_row(batch, 0, cells, err);
}

static int put_run(struct warehouse_batch *batch, int64_t i, const char *version, struct err *err)
{
    char id[32];
    struct cell cells[N_RUN] = {
        {.integer = today},
        {0},
        {.integer = i % 2},
        {.integer = INT64_C(1596485206920411) + i, .is_null = i % 3 == 1},
        {.text = span_str(version), .is_null = !*version},
    };
    name_task(&cells[1], id, i / 2);
    return warehouse_batch_row(batch, 1, cells, err);
}

struct counts {
    uint64_t n_written, n_duplicate, n_refused;
};

static int expect(const char *what, const struct batch_outcome *got, struct counts want,
                  struct err *err)
{
    if (got->n_written == want.n_written && got->n_duplicate == want.n_duplicate &&
        got->n_refused == want.n_refused)
        return 0;
    return err_set(err, E_FORMAT, 0,
                   "%s: %" PRIu64 " written, %" PRIu64 " duplicate, %" PRIu64 " refused", what,
                   got->n_written, got->n_duplicate, got->n_refused);
}

struct refusals {
    size_t n, table;
    char json[400], reason[400];
};

static int note(void *arg, size_t table, struct span json, const char *reason, struct err *err)
{
    struct refusals *refusals = arg;
    (void)err;
    refusals->n++;
    refusals->table = table;
    (void)snprintf(refusals->json, sizeof refusals->json, "%.*s",
                   (int)(json.len < 300 ? json.len : 300), (const char *)json.ptr);
    (void)snprintf(refusals->reason, sizeof refusals->reason, "%s", reason);
    return 0;
}

/* Tasks and runs of [first, end), in one batch. */
static int put_rows(struct warehouse_batch *batch, int64_t first, int64_t end, const char *version,
                    struct err *err)
{
    for (int64_t i = first; i < end; i++) {
        TRY(put_task(batch, i, version, err));
        TRY(put_run(batch, i, version, err));
    }
    return 0;
}

static int begin(struct warehouse_batch **batch, struct warehouse *w, struct err *err)
{
    TRY(warehouse_ensure_table(w, &tasks, err));
    TRY(warehouse_ensure_table(w, &runs, err));
    return warehouse_batch_begin(batch, w, both, 2, today - window, err);
}

static int commit(struct warehouse_batch **batch, struct batch_outcome outcomes[2],
                  struct refusals *refusals, struct err *err)
{
    struct warehouse_batch *b = *batch;
    *batch = NULL;
    return warehouse_batch_commit(b, outcomes, refusals ? note : NULL, refusals, err);
}

static int store(struct warehouse *w, int64_t first, int64_t end, const char *version,
                 struct counts want_tasks, struct counts want_runs, struct err *err)
{
    CLEANUP(warehouse_batch_abandonp) struct warehouse_batch *batch = NULL;
    struct batch_outcome outcomes[2];
    TRY(begin(&batch, w, err));
    TRY(put_rows(batch, first, end, version, err));
    TRY(commit(&batch, outcomes, NULL, err));
    TRY(expect("tasks", &outcomes[0], want_tasks, err));
    return expect("runs", &outcomes[1], want_runs, err);
}

struct walk {
    uint64_t n;
    const char *version;
};

static bool has_text(const struct span *item, const char *text)
{
    return item->ptr && span_equal(*item, span_str(text));
}

static int check_task(void *arg, const struct cell *cells, struct err *err)
{
    struct walk *walk = arg;
    const struct span *tag_texts = cells[2].items;
    char id[32];
    struct cell want;
    name_task(&want, id, (int64_t)walk->n);
    const size_t n_routes = walk->n++ % 3;
    if (!span_equal(cells[1].text, want.text) || cells[2].n_items != 3 ||
        !has_text(&tag_texts[0], walk->version) || tag_texts[1].ptr ||
        !has_text(&tag_texts[2], "\"\\\n\xc3\xa9") || cells[3].n_items != n_routes ||
        (n_routes == 2 && !has_text(&cells[3].items[1], "")) || cells[4].text.len < 20)
        return err_set(err, E_FORMAT, 0, "row %s is another: %zu routes, extra %.*s", id,
                       cells[3].n_items, (int)cells[4].text.len, (const char *)cells[4].text.ptr);
    return 0;
}

static int check_run(void *arg, const struct cell *cells, struct err *err)
{
    struct walk *walk = arg;
    const int64_t i = (int64_t)walk->n++;
    if (cells[2].integer != i % 2 || cells[3].is_null != (i % 3 == 1) ||
        (!cells[3].is_null && cells[3].integer != INT64_C(1596485206920411) + i) ||
        !has_text(&cells[4].text, walk->version))
        return err_set(err, E_FORMAT, 0, "run %" PRId64 " is another", i);
    return 0;
}

/* n rows each, of below ten in all, so that their ids sort as numbers do. */
static int look(struct warehouse *w, uint64_t n, const char *version, struct err *err)
{
    struct walk task_walk = {.version = version}, run_walk = {.version = version};
    TRY(warehouse_scan(w, &tasks, today, "task_id", check_task, &task_walk, err));
    TRY(warehouse_scan(w, &runs, today, "task_id,run_id", check_run, &run_walk, err));
    if (task_walk.n != n || run_walk.n != n)
        return err_set(err, E_FORMAT, 0, "%" PRIu64 " tasks, %" PRIu64 " runs", task_walk.n,
                       run_walk.n);
    run_walk.n = 0;
    TRY(warehouse_scan(w, &runs, INT64_MIN, "task_id,run_id", check_run, &run_walk, err));
    return run_walk.n == n ? 0 : err_set(err, E_FORMAT, 0, "%" PRIu64 " of all days", run_walk.n);
}

/* The first of a key stays, in a batch and from batch to batch. */
static int first_wins(struct warehouse *w, struct err *err)
{
    TRY(store(w, 0, 4, "one", (struct counts){4, 0, 0}, (struct counts){4, 0, 0}, err));
    TRY(store(w, 2, 6, "two", (struct counts){2, 2, 0}, (struct counts){2, 2, 0}, err));
    TRY(store(w, 0, 4, "one", (struct counts){0, 4, 0}, (struct counts){0, 4, 0}, err));
    TRY(store(w, 0, 4, "one", (struct counts){0, 4, 0}, (struct counts){0, 4, 0}, err));
    return store(w, 0, 0, "one", (struct counts){0}, (struct counts){0}, err);
}

static int content(struct warehouse *w, struct err *err)
{
    TRY(store(w, 0, 5, "one", (struct counts){5, 0, 0}, (struct counts){5, 0, 0}, err));
    TRY(store(w, 0, 9, "one", (struct counts){4, 5, 0}, (struct counts){4, 5, 0}, err));
    return look(w, 9, "one", err);
}

/* Counts aside: what a batch that was killed and is done again leaves behind. */
static int once(struct warehouse *w, struct err *err)
{
    CLEANUP(warehouse_batch_abandonp) struct warehouse_batch *batch = NULL;
    struct batch_outcome outcomes[2];
    TRY(begin(&batch, w, err));
    TRY(put_rows(batch, 0, 7, "one", err));
    TRY(commit(&batch, outcomes, NULL, err));
    return look(w, 7, "one", err);
}

static int put_cost(struct warehouse_batch *batch, bool no_day, const char *zone, struct err *err)
{
    const struct cell cells[N_COST] = {{.integer = today, .is_null = no_day},
                                       {.text = span_str(zone ? zone : ""), .is_null = !zone},
                                       {.real = 0.5}};
    return warehouse_batch_row(batch, 0, cells, err);
}

static int put_costs(struct warehouse *w, const char *fresh, struct err *err)
{
    const struct table_schema *one[] = {&costs};
    CLEANUP(warehouse_batch_abandonp) struct warehouse_batch *batch = NULL;
    struct batch_outcome outcome[2];
    TRY(warehouse_ensure_table(w, &costs, err));
    TRY(warehouse_batch_begin(&batch, w, one, 1, today - window, err));
    TRY(put_cost(batch, true, NULL, err));
    TRY(put_cost(batch, false, NULL, err));
    TRY(put_cost(batch, false, "null", err));
    TRY(put_cost(batch, true, "", err));
    TRY(put_cost(batch, true, NULL, err));
    TRY(put_cost(batch, false, fresh, err));
    return commit(&batch, outcome, NULL, err);
}

static int null_equals_null(struct warehouse *w, struct err *err)
{
    uint64_t n = 0;
    TRY(put_costs(w, "a", err));
    TRY(put_costs(w, "b", err));
    TRY(warehouse_count(w, costs.name, &n, err));
    return n == 6 ? 0 : err_set(err, E_FORMAT, 0, "%" PRIu64 " rows, not 6", n);
}

static int expect_refusal(const struct refusals *refusals, size_t n, const char *json,
                          const char *reason, struct err *err)
{
    if (refusals->n == n && refusals->table == 1 && strstr(refusals->json, json) &&
        strstr(refusals->reason, reason))
        return 0;
    return err_set(err, E_FORMAT, 0, "%zu refused of table %zu, %s: %s", refusals->n,
                   refusals->table, refusals->json, refusals->reason);
}

/* Rows that the service does not like; the others are stored. */
static int refused(struct warehouse *w, struct err *err)
{
    CLEANUP(warehouse_batch_abandonp) struct warehouse_batch *batch = NULL;
    struct batch_outcome outcomes[2];
    struct refusals refusals = {0};
    TRY(begin(&batch, w, err));
    for (int64_t i = 0; i < 40; i++) {
        TRY(put_task(batch, i, "one", err));
        TRY(put_run(batch, i, i == 7 || i == 21 || i == 22 ? "refuse me" : "one", err));
    }
    TRY(commit(&batch, outcomes, &refusals, err));
    TRY(expect("tasks", &outcomes[0], (struct counts){40, 0, 0}, err));
    TRY(expect("runs", &outcomes[1], (struct counts){37, 0, 3}, err));
    return expect_refusal(&refusals, 3, "\"worker\":\"refuse me\"}", "refuse me", err);
}

static int refused_without_a_taker(struct warehouse *w, struct err *err)
{
    CLEANUP(warehouse_batch_abandonp) struct warehouse_batch *batch = NULL;
    struct batch_outcome outcomes[2];
    TRY(begin(&batch, w, err));
    TRY(put_task(batch, 0, "one", err));
    TRY(put_run(batch, 0, "refuse me", err));
    const int r = commit(&batch, outcomes, NULL, err);
    TRY(expect("tasks", &outcomes[0], (struct counts){1, 0, 0}, err));
    return r;
}

/* A table that is stricter than we are. */
static int stricter(struct warehouse *w, struct err *err)
{
    struct column columns[N_RUN + 1];
    struct refusals refusals = {0};
    memcpy(columns, run_columns, sizeof columns);
    columns[4].required = true;
    struct table_schema strict = runs;
    strict.columns = columns;
    TRY(warehouse_ensure_table(w, &strict, err));
    CLEANUP(warehouse_batch_abandonp) struct warehouse_batch *batch = NULL;
    struct batch_outcome outcomes[2];
    TRY(begin(&batch, w, err));
    TRY(put_run(batch, 0, "one", err));
    TRY(put_run(batch, 1, "", err));
    TRY(put_run(batch, 2, "one", err));
    TRY(commit(&batch, outcomes, &refusals, err));
    TRY(expect("runs", &outcomes[1], (struct counts){2, 0, 1}, err));
    return expect_refusal(&refusals, 1, "\"worker\":null}", "column worker is null", err);
}

/* More than a load takes in one row. */
static int large(struct warehouse *w, struct err *err)
{
    CLEANUP(warehouse_batch_abandonp) struct warehouse_batch *batch = NULL;
    struct batch_outcome outcomes[2];
    struct refusals refusals = {0};
    const size_t n = 101 * 1000 * 1000;
    char *text = calloc(n, 1);
    if (!text)
        return err_set(err, E_NOMEM, 0, "no memory for a large row");
    memset(text, 'x', n - 1);
    TRY(begin(&batch, w, err));
    TRY(put_run(batch, 0, "one", err));
    const int r = put_run(batch, 1, text, err);
    free(text);
    TRY(r);
    TRY(put_run(batch, 2, "one", err));
    TRY(commit(&batch, outcomes, &refusals, err));
    TRY(expect("runs", &outcomes[1], (struct counts){2, 0, 1}, err));
    return expect_refusal(&refusals, 1, "\"worker\":\"xxx", "more than 100000000", err);
}

/* One table is gone; the other one's rows are stored all the same. */
static int one_fails(struct warehouse *w, struct err *err)
{
    CLEANUP(warehouse_batch_abandonp) struct warehouse_batch *batch = NULL;
    struct batch_outcome outcomes[2];
    TRY(begin(&batch, w, err));
    TRY(put_rows(batch, 0, 3, "one", err));
    TRY(warehouse_query(w, "DROP TABLE steps.tasks", NULL, NULL, NULL, err));
    const int r = commit(&batch, outcomes, NULL, err);
    if (outcomes[0].code != E_ABSENT || outcomes[1].code != 0)
        return err_set(err, E_FORMAT, 0, "codes %d and %d", outcomes[0].code, outcomes[1].code);
    TRY(expect("runs", &outcomes[1], (struct counts){3, 0, 0}, err));
    return r;
}

static int count_rows(void *arg, const struct cell *cells, struct err *err)
{
    (void)cells;
    (void)err;
    ++*(uint64_t *)arg;
    return 0;
}

static int expect_costs(struct warehouse *w, uint64_t want, struct err *err)
{
    uint64_t n = 0;
    TRY(warehouse_scan(w, &costs, today, "zone", count_rows, &n, err));
    return n == want ? 0 : err_set(err, E_FORMAT, 0, "%" PRIu64 " rows of costs", n);
}

static const char two_rows[] = "SELECT DATE '2024-10-04' AS day, zone, 1.5 AS cost "
                               "FROM UNNEST(['a', 'b']) AS zone";

static int computed(struct warehouse *w, struct err *err)
{
    static const char one[] = "SELECT DATE '2024-10-04', 'c', 0.5";
    uint64_t n = 0;
    TRY(warehouse_replace_by_query(w, &costs, today, two_rows, &n, err));
    TRY(expect_costs(w, 2, err));
    TRY(warehouse_replace_by_query(w, &costs, today, one, &n, err));
    return n == 1 ? expect_costs(w, 1, err) : err_set(err, E_FORMAT, 0, "%" PRIu64 " rows", n);
}

/* What fails on its way changes nothing. */
static int computed_in_vain(struct warehouse *w, struct err *err)
{
    static const char broken[] = "SELECT DATE '2024-10-04', 'c', 1 / 0";
    TRY(warehouse_replace_by_query(w, &costs, today, two_rows, NULL, err));
    if (warehouse_replace_by_query(w, &costs, today, broken, NULL, NULL) == 0)
        return err_set(err, E_FORMAT, 0, "1 / 0 is a number");
    return expect_costs(w, 2, err);
}

static int view(struct warehouse *w, struct err *err)
{
    static const struct column columns[] = {{.name = "n", .type = COLUMN_INT64}, {.name = NULL}};
    uint64_t n = 0;
    TRY(warehouse_ensure_table(w, &costs, err));
    TRY(warehouse_ensure_view(w, "views.seen", "SELECT 1 AS n", err));
    TRY(warehouse_ensure_view(w, "views.seen", "SELECT 1 AS n UNION ALL SELECT 2 AS n", err));
    TRY(warehouse_query(w, "SELECT n FROM views.seen", columns, count_rows, &n, err));
    return n == 2 ? 0 : err_set(err, E_FORMAT, 0, "%" PRIu64 " rows", n);
}

/* A partition of a clustered table is replaced, by load jobs alone. */
static int replace(struct warehouse *w, struct err *err)
{
    for (uint64_t i = 0; i < 3; i++) {
        struct warehouse_load *load = NULL;
        uint64_t n = 0;
        TRY(warehouse_load_begin(&load, w, &runs, LOAD_REPLACE_PARTITION, today, err));
        for (uint64_t k = 0; k < 3 - i; k++) {
            const struct cell cells[N_RUN] = {{.integer = today},
                                              {.text = span_str("task")},
                                              {.integer = (int64_t)k},
                                              {.is_null = true},
                                              {.is_null = true}};
            const int r = warehouse_load_row(load, cells, err);
            if (r < 0) {
                warehouse_load_abandon(load);
                return r;
            }
        }
        TRY(warehouse_load_commit(load, &n, err));
        uint64_t there = 0;
        TRY(warehouse_scan(w, &runs, today, "run_id", count_rows, &there, err));
        if (n != 3 - i || there != n)
            return err_set(err, E_FORMAT, 0, "%" PRIu64 " rows, %" PRIu64 " are there", n, there);
    }
    return 0;
}

static const struct {
    const char *name;
    int (*run)(struct warehouse *w, struct err *err);
} steps[] = {
    {"first-wins", first_wins},
    {"content", content},
    {"once", once},
    {"null-equals-null", null_equals_null},
    {"refused", refused},
    {"refused-without-a-taker", refused_without_a_taker},
    {"stricter", stricter},
    {"large", large},
    {"one-fails", one_fails},
    {"computed", computed},
    {"computed-in-vain", computed_in_vain},
    {"view", view},
    {"replace", replace},
};

static int run(char **argv, int argc, struct err *err)
{
    CLEANUP(warehouse_closep) struct warehouse *w = NULL;
    const struct warehouse_config config = {
        .url = argv[2],
        .endpoint = argv[3],
        .endpoint_is_google = argc > 4,
        .google_credentials = argc > 4 ? argv[4] : NULL,
        .location = strstr(argv[3], "-eu") ? "EU" : NULL,
        .temp_dir = getenv("TMPDIR"),
        .retry_ms = 8000,
    };
    TRY(warehouse_open(&w, &config, err));
    for (size_t i = 0; i < ARRAY_LEN(steps); i++)
        if (strcmp(steps[i].name, argv[1]) == 0)
            return steps[i].run(w, err);
    return err_set(err, E_ARG, 0, "no step %s", argv[1]);
}

int main(int argc, char **argv)
{
    struct err err = {0};
    if (argc < 4) {
        (void)fprintf(stderr, "usage: batch_steps STEP URL ENDPOINT [CREDENTIALS]\n");
        return 2;
    }
    const int r = run(argv, argc, &err);
    if (r < 0)
        (void)printf("%s: %s\n", err_name(r), err.text);
    else
        (void)puts("ok");
    return r < 0;
}
