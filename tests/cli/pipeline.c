/* SPDX-License-Identifier: MPL-2.0 */
/*
 * pipeline.c - the scenarios of pipeline.json through the program, every file compared as text.
 *
 * With sequential points the files are those of the original's file commands; with first points the
 * rows, totals and payloads are those of its Spark functions, and the counts those of the file
 * commands' rule: every line of the share file is in the total. Two scenarios repeat a submission:
 * the original counts it again, here only the first five lines of their six count.
 */
#include "servers.h"

static const char *program;

struct scenario {
    const json_t *json;
    bool sequential, repeats;
    size_t n_lines[SERVERS]; // of the share files
};

static const json_t *expect(const struct scenario *c, const char *step, int server)
{
    char key[32];
    (void)snprintf(key, sizeof key, "%s_%c", step, server == A ? 'a' : 'b');
    const json_t *all =
        json_object_get(json_object_get(c->json, "expect"), c->sequential ? "cli" : "spark");
    const json_t *value = json_object_get(all, key);
    assert_non_null(value);
    return value;
}

static const json_t *raw(const struct scenario *c, int server)
{
    return json_object_get(c->json, server == A ? "raw_a" : "raw_b");
}

static const char *id_of(const json_t *record)
{
    return json_string_value(json_object_get(record, "id"));
}

static void append(char **text, const json_t *record)
{
    char *line = json_dumps(record, 0), *longer = NULL;
    assert_true(asprintf(&longer, "%s%s\n", *text ? *text : "", line) >= 0);
    free(line);
    free(*text);
    *text = longer;
}

/* Lines in the order of `order`, of which the first n count, with the payload that `rows` has for
 * each id; an id without a row is left out. */
static char *lines_of(const json_t *order, size_t n, const json_t *rows)
{
    char *text = strdup("");
    for (size_t i = 0; i < n; i++) {
        const json_t *wanted = json_array_get(order, i);
        for (size_t k = 0; k < json_array_size(rows); k++) {
            const json_t *row = json_array_get(rows, k);
            if (strcmp(id_of(row), id_of(wanted)) == 0) {
                append(&text, row);
                break;
            }
        }
    }
    return text;
}

static size_t count_lines(const char *text)
{
    size_t n = 0;
    for (; (text = strchr(text, '\n')) != NULL; text++)
        n++;
    return n;
}

/*
 * Rows of a step as they must stand in the file. Where a submission is repeated, the original
 * answers its first line with the second's messages; the first point, which is the first line's in
 * both modes, has the right ones.
 */
static char *expected_rows(const struct scenario *c, const char *step, int server)
{
    const json_t *rows = expect(c, step, server);
    const size_t n = c->repeats ? 5 : c->n_lines[server];
    if (!c->sequential)
        return lines_of(raw(c, server), n, rows);
    const json_t *records = json_object_get(rows, "records");
    if (!c->repeats)
        return lines_of(raw(c, server), n, records);
    const struct scenario first = {.json = c->json, .repeats = true};
    JSON *right = json_deep_copy(records);
    json_array_set(right, 0, json_array_get(expect(&first, step, server), 0));
    return lines_of(raw(c, server), n, right);
}

static void verify(const struct scenario *c, const struct servers *s, const char *step)
{
    char *want[SERVERS];
    size_t errors[SERVERS];
    for (int x = 0; x < SERVERS; x++) {
        want[x] = expected_rows(c, step, x);
        errors[x] = c->n_lines[x] - count_lines(want[x]);
        if (c->sequential && !c->repeats)
            assert_int_equal(errors[x],
                             json_integer_value(json_object_get(expect(c, step, x), "error")));
    }
    servers_counted_step(s, step, errors, c->n_lines);
    for (int x = 0; x < SERVERS; x++) {
        char path[PATH_BYTES];
        servers_path(s, path, x, step);
        assert_file_equal(path, want[x]);
        free(want[x]);
    }
}

static void write_raw(const struct scenario *c, const struct servers *s, size_t at_most)
{
    for (int x = 0; x < SERVERS; x++) {
        char path[PATH_BYTES];
        TEXT *text = lines_of(raw(c, x), 0, NULL);
        for (size_t i = 0; i < json_array_size(raw(c, x)) && i < at_most; i++)
            append(&text, json_array_get(raw(c, x), i));
        servers_path(s, path, x, "raw");
        file_write(path, text);
    }
}

static char *aggregate_payload(const struct servers *s, int server)
{
    char path[PATH_BYTES];
    servers_path(s, path, server, "aggregate");
    TEXT *text = file_read(path);
    assert_non_null(text);
    JSON *json = json_loads(text, 0, NULL);
    assert_non_null(json);
    return strdup(json_string_value(json_object_get(json, "payload")));
}

/* What the five first lines alone add up to; the vectors have no total share of theirs. */
static void payloads_of_first_five(const struct scenario *c, const struct servers *like,
                                   char *payload[SERVERS])
{
    static const size_t none[SERVERS] = {0, 0}, five[SERVERS] = {5, 5};
    struct servers s = *like;
    scratch_make(s.dir);
    for (int x = 0; x < SERVERS; x++) {
        make_directory(s.dir, x == A ? "a" : "b");
        make_directory(s.dir, x == A ? "a/raw" : "b/raw");
    }
    write_raw(c, &s, 5);
    servers_counted_step(&s, "verify1", none, five);
    servers_counted_step(&s, "verify2", none, five);
    servers_counted_step(&s, "aggregate", none, five);
    for (int x = 0; x < SERVERS; x++)
        payload[x] = aggregate_payload(&s, x);
    servers_deinit(&s);
}

static size_t number(const json_t *object, const char *key)
{
    return (size_t)json_integer_value(json_object_get(object, key));
}

static void aggregate(const struct scenario *c, const struct servers *s)
{
    size_t errors[SERVERS];
    char *payload[SERVERS];
    if (c->repeats)
        payloads_of_first_five(c, s, payload);
    for (int x = 0; x < SERVERS; x++) {
        const json_t *want = expect(c, "aggregate", x);
        errors[x] =
            c->repeats ? 1 : c->n_lines[x] - (number(want, "total") - number(want, "error"));
        if (!c->repeats)
            payload[x] = strdup(json_string_value(json_object_get(want, "payload")));
    }
    servers_counted_step(s, "aggregate", errors, c->n_lines);
    for (int x = 0; x < SERVERS; x++) {
        char path[PATH_BYTES];
        TEXT *text = NULL;
        assert_true(asprintf(&text, "{\"payload\": \"%s\", \"error\": %zu, \"total\": %zu}",
                             payload[x], errors[x], c->n_lines[x]) > 0);
        servers_path(s, path, x, "aggregate");
        assert_file_equal(path, text);
        free(payload[x]);
    }
}

static void run_scenario(const json_t *json, bool sequential, const char *workers)
{
    const char *name = json_string_value(json_object_get(json, "name"));
    struct scenario c = {.json = json,
                         .sequential = sequential,
                         .repeats =
                             strcmp(name, "duplicate") == 0 || strcmp(name, "replay-new-id") == 0};
    for (int x = 0; x < SERVERS; x++)
        c.n_lines[x] = json_array_size(raw(&c, x));
    struct servers s;
    servers_init(&s, program, json_object_get(json, "keys"),
                 json_string_value(json_object_get(json, "shared_secret_b64")),
                 json_object_get(json, "config"));
    s.points = sequential ? "sequential" : "first";
    s.workers = workers;
    write_raw(&c, &s, SIZE_MAX);
    verify(&c, &s, "verify1");
    verify(&c, &s, "verify2");
    aggregate(&c, &s);
    JSON *five = json_pack("[iiiii]", 5, 4, 3, 2, 1);
    servers_publish(&s, c.repeats ? five : expect(&c, "publish", A));
    servers_deinit(&s);
}

static void run_named(const char *name)
{
    JSON *file = json_load_file(WEIR_VECTORS "/prio-v1/pipeline.json", 0, NULL);
    assert_non_null(file);
    const json_t *scenarios = json_object_get(file, "scenarios");
    for (size_t i = 0; i < json_array_size(scenarios); i++) {
        const json_t *scenario = json_array_get(scenarios, i);
        if (strcmp(json_string_value(json_object_get(scenario, "name")), name) == 0) {
            run_scenario(scenario, true, "1");
            run_scenario(scenario, true, "3");
            run_scenario(scenario, false, "1");
            run_scenario(scenario, false, "3");
            return;
        }
    }
    fail_msg("no scenario %s", name);
}

static void files_agree(void **state)
{
    run_named(*state);
}

static void all_scenarios_are_run(void **state)
{
    (void)state;
    JSON *file = json_load_file(WEIR_VECTORS "/prio-v1/pipeline.json", 0, NULL);
    assert_int_equal(json_array_size(json_object_get(file, "scenarios")), 10);
}

#define SCENARIO(name)                                                                             \
    {                                                                                              \
        name ": files agree in both points modes", files_agree, NULL, NULL,                        \
            (void *)(uintptr_t)name                                                                \
    }

int main(int argc, char **argv)
{
    if (argc != 2)
        return 2;
    program = argv[1];
    const struct CMUnitTest tests[] = {
        SCENARIO("all-good"),
        SCENARIO("b-bad-at-1"),
        SCENARIO("a-bad-at-1"),
        SCENARIO("both-bad-at-1"),
        SCENARIO("b-order"),
        SCENARIO("b-missing-2"),
        SCENARIO("invalid-at-1"),
        SCENARIO("n-data-mismatch-at-1"),
        SCENARIO("duplicate"),
        SCENARIO("replay-new-id"),
        cmocka_unit_test(all_scenarios_are_run),
    };
    return cmocka_run_group_tests_name("cli/pipeline", tests, NULL, NULL);
}
