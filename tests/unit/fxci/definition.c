/* SPDX-License-Identifier: MPL-2.0 */
#include "fxci/definition.h"

#include "base/cpu.h"
#include "rows.h"

static struct definition_mapper mapper;
static struct definition definition;

/* Pages of the vectors, as the service writes them. */
struct walk {
    const json_t *rows;
    size_t n;
};

static int check_definition(void *arg, struct span task_id, struct span task, struct err *err)
{
    struct walk *walk = arg;
    assert_int_equal(definition_map(&mapper, &definition, task_id, task, err), 0);
    assert_string_equal(definition.reason, "");
    for (size_t i = 0; i < json_array_size(walk->rows); i++) {
        const json_t *row = json_array_get(walk->rows, i);
        const char *id = json_string_value(json_object_get(row, "taskId"));
        if (!span_equal(task_id, span_str(id)))
            continue;
        assert_row(FXCI_DEFINITIONS, definition.row, row);
        assert_true(definition.expires_us == definition.row[DEF_EXPIRES].integer);
        walk->n++;
        return 0;
    }
    fail_msg("no row is expected for task %.*s", (int)task_id.len, (const char *)task_id.ptr);
    return 0;
}

static void vectors_give_their_rows(void **state)
{
    (void)state;
    json_t *vector = read_vector("taskdefs-pages.json");
    json_t *expected = read_vector("expected-taskdefs.json");
    const json_t *pages = json_object_get(vector, "pages");
    struct walk walk = {.rows = json_object_get(expected, "task_definitions_v1")};
    for (size_t i = 0; i < json_array_size(pages); i++) {
        const json_t *page = json_array_get(pages, i);
        struct buf token = BUF_INIT(1024);
        uint64_t n_skipped = 0;
        char *text = json_dumps(page, JSON_COMPACT);
        assert_int_equal(definitions_page(padded(span_str(text)), &mapper.ops, check_definition,
                                          &walk, &token, &n_skipped, NULL),
                         0);
        const char *want = json_string_value(json_object_get(page, "continuationToken"));
        assert_text(buf_span(&token), want ? want : "");
        assert_int_equal(n_skipped, 0);
        buf_deinit(&token);
        free(text);
    }
    assert_int_equal(walk.n, json_array_size(walk.rows));
    json_decref(expected);
    json_decref(vector);
}

#define EXTRA                                                                                      \
    "{ \"big\": 123456789012345678901234567890, \"tiny\": 1.50E-400,\"t\":\"\\u0000\\/\" }"
#define TASK                                                                                       \
    "{\"provisionerId\":\"gecko-1\",\"workerType\":\"linux\",\"taskQueueId\":\"gecko-1/linux\","   \
    "\"schedulerId\":\"gecko-level-1\",\"projectId\":\"none\",\"taskGroupId\":\"G\","              \
    "\"dependencies\":[ \"D\\u0031\" ,\"D2\"],\"requires\":\"all-completed\",\"routes\":[],"       \
    "\"priority\":\"l\\u006fw\",\"retries\":5,\"created\":\"2026-08-20T03:04:59.372Z\","           \
    "\"deadline\":\"2026-08-20T17:30:00.000Z\",\"expires\":\"2027-08-20T04:30:00.000Z\","          \
    "\"scopes\":[\"s\"],\"payload\":\"text\",\"metadata\":[1],\"tags\":{},\"extra\":" EXTRA        \
    ",\"more\":1}"

static void map(const char *task)
{
    assert_int_equal(
        definition_map(&mapper, &definition, span_str("T"), padded(span_str(task)), NULL), 0);
}

/* The task with the first occurrence of a text replaced. */
static const char *edited(const char *text, const char *other)
{
    static char out[8192];
    const char *body = TASK, *at = strstr(body, text);
    assert_non_null(at);
    (void)snprintf(out, sizeof out, "%.*s%s%s", (int)(at - body), body, other, at + strlen(text));
    return out;
}

static void json_columns_keep_their_text(void **state)
{
    (void)state;
    map(TASK);
    assert_string_equal(definition.reason, "");
    assert_text(definition.row[DEF_EXTRA].text, EXTRA);
    assert_text(definition.row[DEF_PAYLOAD].text, "\"text\"");
    assert_text(definition.row[DEF_METADATA].text, "[1]");
    assert_text(definition.row[DEF_PRIORITY].text, "low");
    assert_int_equal(definition.row[DEF_DEPENDENCIES].n_items, 2);
    assert_text(definition.row[DEF_DEPENDENCIES].items[0], "D1");
    assert_text(definition.row[DEF_DEPENDENCIES].items[1], "D2");
    assert_int_equal(definition.row[DEF_ROUTES].n_items, 0);
    assert_int_equal(definition.row[DEF_SCOPES].n_items, 1);
    assert_text(definition.row[DEF_SCOPES].items[0], "s");
    assert_int_equal(definition.row[DEF_RETRIES].integer, 5);
    assert_int_equal(definition.row[DEF_SUBMISSION_DATE].integer, TODAY);
    assert_text(definition.row[DEF_TASK_ID].text, "T");
}

static void every_member_is_needed(void **state)
{
    (void)state;
    static const char *const names[] = {
        "provisionerId", "workerType",   "taskQueueId", "schedulerId", "projectId",
        "taskGroupId",   "dependencies", "requires",    "routes",      "priority",
        "retries",       "created",      "deadline",    "expires",     "scopes",
        "payload",       "metadata",     "tags",        "extra",
    };
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        char key[64], other[64], want[64];
        (void)snprintf(key, sizeof key, "\"%s\":", names[i]);
        (void)snprintf(want, sizeof want, "%s is missing", names[i]);
        map(edited(key, "\"x\":"));
        assert_string_equal(definition.reason, want);
        (void)snprintf(other, sizeof other, "\"%s\":null,\"x\":", names[i]);
        map(edited(key, other));
        assert_string_equal(definition.reason, want);
    }
}

static void wrong_types_are_malformed(void **state)
{
    (void)state;
    static const struct {
        const char *text, *other, *reason;
    } cases[] = {
        {"\"gecko-1\"", "1", "provisionerId is not text"},
        {"\"retries\":5", "\"retries\":5.0", "retries is no integer"},
        {"\"retries\":5", "\"retries\":true", "retries is no integer"},
        {"\"retries\":5", "\"retries\":\"5\"", "retries is no integer"},
        {"\"retries\":5", "\"retries\":9223372036854775808", "retries is no integer"},
        {"\"D2\"", "null", "dependencies is no list of texts"},
        {"\"D2\"", "[\"D2\"]", "dependencies is no list of texts"},
        {"\"routes\":[]", "\"routes\":{}", "routes is no list of texts"},
        {"\"routes\":[]", "\"routes\":\"r\"", "routes is no list of texts"},
        {"\"scopes\":[\"s\"]", "\"scopes\":[1]", "scopes is no list of texts"},
        {"\"2026-08-20T03:04:59.372Z\"", "1787191229", "created is no time"},
        {"2026-08-20T17:30:00.000Z", "2026-08-20", "deadline is no time"},
        {"2027-08-20T04:30:00.000Z", "2027-02-29T04:30:00.000Z", "expires is no time"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        map(edited(cases[i].text, cases[i].other));
        assert_string_equal(definition.reason, cases[i].reason);
    }
    map(edited("\"requires\":\"all-completed\"", "\"requires\":1"));
    assert_true(definition.expires_us == INT64_C(1818736200000000));
    map(edited("2027-08-20T04:30:00.000Z", "never"));
    assert_true(definition.expires_us == INT64_MIN);
}

static void tasks_that_are_no_objects_are_malformed(void **state)
{
    (void)state;
    map("");
    assert_string_equal(definition.reason, "task is missing");
    static const char *const bad[] = {"null", "[]", "5", "\"a\"", "{", "{} x"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        map(bad[i]);
        assert_string_equal(definition.reason, "task is no object");
    }
}

/* What a page hands out, one line each. */
static int list(void *arg, struct span task_id, struct span task, struct err *err)
{
    struct buf *out = arg;
    return buf_printf(out, err, "%.*s=%.*s\n", (int)task_id.len, (const char *)task_id.ptr,
                      (int)task.len, task.len ? (const char *)task.ptr : "");
}

static int stop(void *arg, struct span task_id, struct span task, struct err *err)
{
    (void)arg;
    (void)task_id;
    (void)task;
    return err_set(err, E_IO, 0, "stopped");
}

static void pages_hand_out_their_items(void **state)
{
    (void)state;
    struct buf out = BUF_INIT(4096), token = BUF_INIT(64);
    uint64_t n_skipped = 3;
    assert_int_equal(buf_append_str(&token, "old", NULL), 0);
    const char *page =
        " {\"continuationToken\":\"a\\/b\",\"tasks\":[{\"taskId\":\"A\",\"task\":{}},"
        "5,{\"task\":{}},{\"taskId\":null,\"task\":{}},{\"taskId\":\"\\u0042\"},"
        "{\"taskId\":\"C\",\"task\": null }, null]} ";
    assert_int_equal(
        definitions_page(padded(span_str(page)), &mapper.ops, list, &out, &token, &n_skipped, NULL),
        0);
    assert_text(buf_span(&out), "A={}\nB=\nC=null\n");
    assert_text(buf_span(&token), "a/b");
    assert_int_equal(n_skipped, 7);
    page = "{\"tasks\":[1],\"tasks\":[],\"continuationToken\":null}";
    assert_int_equal(
        definitions_page(padded(span_str(page)), &mapper.ops, list, &out, &token, &n_skipped, NULL),
        0);
    assert_int_equal(token.len, 0);
    page = "{\"tasks\":[{\"taskId\":\"A\"},{\"taskId\":\"B\"}]}";
    assert_int_equal(
        definitions_page(padded(span_str(page)), &mapper.ops, stop, NULL, &token, &n_skipped, NULL),
        E_IO);
    static const char *const bad[] = {"",
                                      "[]",
                                      "{}",
                                      "{\"tasks\":null}",
                                      "{\"tasks\":{}}",
                                      "{\"tasks\":[}",
                                      "{\"tasks\":[]} x",
                                      "{\"tasks\":[],\"continuationToken\":5}",
                                      "<html>"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(definitions_page(padded(span_str(bad[i])), &mapper.ops, list, &out, &token,
                                          &n_skipped, NULL),
                         E_FORMAT);
    buf_deinit(&out);
    buf_deinit(&token);
}

static int open_mapper(void **state)
{
    (void)state;
    definition_mapper_init(&mapper, cpu_detect(), TODAY);
    return 0;
}

static int close_mapper(void **state)
{
    (void)state;
    definition_mapper_deinit(&mapper);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vectors_give_their_rows),
        cmocka_unit_test(json_columns_keep_their_text),
        cmocka_unit_test(every_member_is_needed),
        cmocka_unit_test(wrong_types_are_malformed),
        cmocka_unit_test(tasks_that_are_no_objects_are_malformed),
        cmocka_unit_test(pages_hand_out_their_items),
    };
    return cmocka_run_group_tests(tests, open_mapper, close_mapper);
}
