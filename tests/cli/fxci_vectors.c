/* SPDX-License-Identifier: MPL-2.0 */
/*
 * fxci_vectors.c - a day of Firefox-CI through the commands: messages, metrics, bills and what is
 * derived from them, compared row by row with what the original's rules give.
 */
#include "program.h"

#include <math.h>

#define VECTORS WEIR_VECTORS "/fxci/"

static const char billing_azure[] = VECTORS "billing-azure.ndjson";
static const char billing_gcp[] = VECTORS "billing-gcp.ndjson";
static const char history_worker_costs[] = VECTORS "history-worker-costs.ndjson";
static const char history_worker_usage[] = VECTORS "history-worker-usage.ndjson";
static const char messages_small[] = VECTORS "messages-small.ndjson";
static const char taskdefs_pages[] = VECTORS "taskdefs-pages.json";
static const char timeseries_response[] = VECTORS "timeseries-response.json";

static const char *program;

struct day {
    char dir[SCRATCH_BYTES];
};

static int setup_day(void **state)
{
    struct day *day = calloc(1, sizeof *day);
    assert_non_null(day);
    scratch_make(day->dir);
    *state = day;
    return 0;
}

static int remove_day(void **state)
{
    struct day *day = *state;
    scratch_remove(day->dir);
    free(day);
    return 0;
}

/* Run a command with the day's clock and places. Owner of the text: the caller. */
static char *run_for(const struct day *day, int status, const char *const *words)
{
    struct run run = {.program = program, .dir = day->dir};
    size_t n = 0;
    for (; words[n]; n++)
        run.argv[n] = words[n];
    run.argv[n++] = "--home";
    run.argv[n++] = day->dir;
    run.argv[n++] = "--now";
    run.argv[n++] = "2026-08-20T04:30:00Z";
    char *out = NULL;
    TEXT *said = NULL;
    const int got = run_program(&run, &out, &said);
    if (got != status)
        fail_msg("%s %s: status %d, not %d: %s", words[0], words[1], got, status, said);
    return out;
}
#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

static void done(const struct day *day, const char *const *words)
{
    TEXT *out = run_for(day, 0, words);
    assert_string_equal(out, "");
}

/* Lines of JSON as an array. */
static json_t *read_lines(const char *text)
{
    json_t *rows = json_array();
    for (const char *line = text; *line;) {
        const size_t len = strcspn(line, "\n");
        json_error_t error;
        json_t *row = json_loadb(line, len, JSON_DECODE_ANY, &error);
        if (!row)
            fail_msg("no JSON: %s: %.*s", error.text, (int)len, line);
        assert_int_equal(json_array_append_new(rows, row), 0);
        line += len + (line[len] == '\n');
    }
    return rows;
}

static json_t *dump(const struct day *day, const char *table)
{
    TEXT *out = run_for(day, 0, WORDS("dump", table, "--format", "ndjson"));
    return read_lines(out);
}

static bool same(const json_t *got, const json_t *want);

static bool same_object(const json_t *got, const json_t *want)
{
    if (json_object_size(got) != json_object_size(want))
        return false;
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)want, key,
                        value) if (!same(json_object_get(got, key), value)) return false;
    return true;
}

static bool same_array(const json_t *got, const json_t *want)
{
    if (json_array_size(got) != json_array_size(want))
        return false;
    for (size_t i = 0; i < json_array_size(want); i++)
        if (!same(json_array_get(got, i), json_array_get(want, i)))
            return false;
    return true;
}

/* Times are the same instant with and without a fraction of zeros. */
static bool same_text(const char *got, const char *want)
{
    static const char zeros[] = ".000Z";
    const size_t n = strlen(got), m = strlen(want);
    if (strcmp(got, want) == 0)
        return true;
    return n >= sizeof zeros && m + sizeof zeros - 2 == n &&
           strcmp(got + n - (sizeof zeros - 1), zeros) == 0 && want[m - 1] == 'Z' &&
           memcmp(got, want, m - 1) == 0;
}

static bool same(const json_t *got, const json_t *want)
{
    if (!got)
        return false;
    if (json_is_number(got) && json_is_number(want)) {
        if (json_is_integer(got) && json_is_integer(want))
            return json_integer_value(got) == json_integer_value(want);
        const double a = json_number_value(got), b = json_number_value(want);
        return a == b || fabs(a - b) <= 1e-9 * (fabs(a) + fabs(b)) / 2;
    }
    if (json_typeof(got) != json_typeof(want))
        return false;
    if (json_is_object(want))
        return same_object(got, want);
    if (json_is_array(want))
        return same_array(got, want);
    return json_is_string(want) ? same_text(json_string_value(got), json_string_value(want)) : true;
}

/* The same rows, in any order. */
static void assert_rows(const json_t *got, const json_t *want, const char *what)
{
    if (json_array_size(got) != json_array_size(want))
        fail_msg("%s: %zu rows, not %zu", what, json_array_size(got), json_array_size(want));
    for (size_t i = 0; i < json_array_size(want); i++) {
        size_t j = 0;
        while (j < json_array_size(got) && !same(json_array_get(got, j), json_array_get(want, i)))
            j++;
        if (j == json_array_size(got)) {
            TEXT *text = json_dumps(json_array_get(want, i), 0);
            fail_msg("%s: there is no row %s", what, text);
        }
    }
}

static json_t *expected(const char *file)
{
    char path[PATH_BYTES];
    (void)snprintf(path, sizeof path, VECTORS "%s", file);
    json_t *json = json_load_file(path, 0, NULL);
    if (!json)
        fail_msg("%s cannot be read", path);
    return json;
}

static void assert_table(const struct day *day, const char *table, const char *file)
{
    JSON *want = expected(file);
    JSON *got = dump(day, table);
    assert_rows(got, json_object_get(want, table), table);
}

static void drain(const struct day *day)
{
    done(day, WORDS("pulse", "drain", "-vv", "--source", messages_small, "--taskdefs-from",
                    taskdefs_pages));
}

static json_t *failed(const struct day *day, const char *kind)
{
    TEXT *out = run_for(day, 0, WORDS("failed", "list"));
    JSON *all = read_lines(out);
    json_t *some = json_array();
    size_t i;
    json_t *entry;
    json_array_foreach(all, i, entry) if (strcmp(json_string_value(json_object_get(entry, "kind")),
                                                 kind) == 0) json_array_append(some, entry);
    return some;
}

static void assert_tables(const struct day *day)
{
    assert_table(day, "tasks_v2", "expected-small.json");
    assert_table(day, "task_runs_v1", "expected-small.json");
    assert_table(day, "task_definitions_v1", "expected-taskdefs.json");
}

static void messages_become_rows(void **state)
{
    const struct day *day = *state;
    drain(day);
    assert_tables(day);
}

/* The body of each line that fails is kept as it came. */
static void what_fails_is_kept(void **state)
{
    const struct day *day = *state;
    drain(day);
    JSON *want = expected("expected-small.json");
    JSON *events = failed(day, "event");
    const json_t *lines = json_object_get(want, "failed_lines");
    assert_int_equal(json_array_size(events), json_array_size(lines));
    TEXT *text = file_read(messages_small);
    JSON *messages = read_lines(text);
    for (size_t i = 0; i < json_array_size(lines); i++) {
        const json_t *message =
            json_array_get(messages, (size_t)json_integer_value(json_array_get(lines, i)) - 1);
        size_t j = 0;
        while (j < json_array_size(events) &&
               !json_equal(json_object_get(json_array_get(events, j), "body"),
                           json_object_get(message, "payload")))
            j++;
        assert_true(j < json_array_size(events));
        const json_t *event = json_array_get(events, j);
        assert_true(
            json_equal(json_object_get(event, "exchange"), json_object_get(message, "exchange")));
        assert_true(json_equal(json_object_get(event, "routing_key"),
                               json_object_get(message, "routingKey")));
        assert_int_equal(json_integer_value(json_object_get(event, "attempts")), 1);
    }
}

static void an_id_that_is_not_returned_stays(void **state)
{
    const struct day *day = *state;
    drain(day);
    JSON *want = expected("expected-taskdefs.json");
    JSON *ids = failed(day, "pending-id");
    const json_t *missing = json_object_get(want, "missing_task_ids");
    assert_int_equal(json_array_size(ids), json_array_size(missing));
    for (size_t i = 0; i < json_array_size(ids); i++) {
        const json_t *id = json_array_get(ids, i);
        assert_true(json_equal(json_object_get(id, "body"), json_array_get(missing, i)));
        assert_int_equal(json_integer_value(json_object_get(id, "attempts")), 1);
    }
}

static void done_again_changes_nothing_but_attempts(void **state)
{
    const struct day *day = *state;
    drain(day);
    drain(day);
    assert_tables(day);
    JSON *want = expected("expected-small.json");
    JSON *events = failed(day, "event");
    assert_int_equal(json_array_size(events),
                     json_array_size(json_object_get(want, "failed_lines")));
    for (size_t i = 0; i < json_array_size(events); i++)
        assert_int_equal(json_integer_value(json_object_get(json_array_get(events, i), "attempts")),
                         2);
}

/* Without recorded answers nobody is asked: every id is kept, and none was tried. */
static void without_definitions_ids_wait(void **state)
{
    const struct day *day = *state;
    done(day, WORDS("pulse", "drain", "--source", messages_small));
    JSON *want = expected("expected-small.json");
    JSON *ids = failed(day, "pending-id");
    assert_int_equal(json_array_size(ids), json_array_size(json_object_get(want, "task_ids")));
    for (size_t i = 0; i < json_array_size(ids); i++)
        assert_int_equal(json_integer_value(json_object_get(json_array_get(ids, i), "attempts")),
                         0);
    JSON *none = dump(day, "task_definitions_v1");
    assert_int_equal(json_array_size(none), 0);
    drain(day);
    assert_tables(day);
}

static void costs_follow_from_bills_and_metrics(void **state)
{
    const struct day *day = *state;
    drain(day);
    done(day, WORDS("metric", "export", "--date", "2026-08-19", "--timeseries-from",
                    timeseries_response));
    assert_table(day, "worker_metrics_v1", "expected-metrics.json");
    done(day, WORDS("load-billing", "--gcp", billing_gcp, "--azure", billing_azure));
    for (int i = 0; i < 2; i++)
        done(day, WORDS("derive", "--date", "2026-08-19"));
    assert_table(day, "worker_costs_v1", "expected-worker-costs.json");
    assert_table(day, "worker_usage_v1", "expected-worker-usage.json");
    for (int i = 0; i < 2; i++) {
        done(day, WORDS("load", "worker_costs_v1", history_worker_costs));
        done(day, WORDS("load", "worker_usage_v1", history_worker_usage));
        done(day, WORDS("derive", "--date", "2026-08-20", "--table", "task_run_costs_v1"));
    }
    assert_table(day, "task_run_costs_v1", "expected-task-run-costs.json");
}

int main(int argc, char **argv)
{
    assert_int_equal(argc, 2);
    program = argv[1];
#define DAY(test) cmocka_unit_test_setup_teardown(test, setup_day, remove_day)
    const struct CMUnitTest tests[] = {
        DAY(messages_become_rows),
        DAY(what_fails_is_kept),
        DAY(an_id_that_is_not_returned_stays),
        DAY(done_again_changes_nothing_but_attempts),
        DAY(without_definitions_ids_wait),
        DAY(costs_follow_from_bills_and_metrics),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
