/* SPDX-License-Identifier: MPL-2.0 */
#include "fxci/event.h"

#include "base/cpu.h"
#include "fxci/member.h"
#include "rows.h"

static struct event_mapper mapper;
static struct event event;

static const char *outcome_name(enum event_outcome outcome)
{
    static const char *const names[] = {
        [EVENT_IGNORED] = "ignored", [EVENT_FAILED] = "failed",         [EVENT_TASK_ID] = "task_id",
        [EVENT_RUN] = "run",         [EVENT_RUN_AND_TASK] = "run+task",
    };
    return names[outcome];
}

static enum event_outcome map(const char *body)
{
    assert_int_equal(event_map(&mapper, &event, padded(span_str(body)), NULL), 0);
    assert_int_equal(event.outcome == EVENT_FAILED, event.reason[0] != '\0');
    return event.outcome;
}

static void assert_outcome(const char *body, enum event_outcome want)
{
    if (map(body) != want)
        fail_msg("%s: %s (%s), not %s", body, outcome_name(event.outcome), event.reason,
                 outcome_name(want));
}

/* Vectors. */

static struct span payload_of(struct span line)
{
    static const struct span name = {(const uint8_t *)"payload", 7};
    struct member payload;
    assert_true(members_of_text(&mapper.ops, padded(line), RECORD_MAX_DEPTH, &name, 1, &payload));
    return payload.text;
}

/* The expected row of a key; NULL when it was handed out before. */
static const json_t *take_expected(json_t *rows, const char *task_id, json_int_t run_id)
{
    for (size_t i = 0; i < json_array_size(rows); i++) {
        json_t *row = json_array_get(rows, i);
        const json_t *run = json_object_get(row, "run_id");
        if (strcmp(json_string_value(json_object_get(row, "task_id")), task_id) != 0 ||
            (run && json_integer_value(run) != run_id))
            continue;
        return row;
    }
    fail_msg("no row is expected for task %s", task_id);
    return NULL;
}

struct expected {
    json_t *rows, *seen;
};

static void check_row(struct expected *x, enum fxci_table table, const struct cell *cells,
                      json_int_t run_id)
{
    char id[64], key[96];
    (void)snprintf(id, sizeof id, "%.*s", (int)event.task_id.len, (const char *)event.task_id.ptr);
    (void)snprintf(key, sizeof key, "%s/%d", id, (int)run_id);
    if (json_object_get(x->seen, key))
        return; // first one wins, which the warehouse sees to
    assert_int_equal(json_object_set_new(x->seen, key, json_true()), 0);
    assert_row(table, cells, take_expected(x->rows, id, run_id));
}

static void vectors_give_their_rows(void **state)
{
    (void)state;
    json_t *want = read_vector("expected-small.json");
    const json_t *lines = json_object_get(want, "lines");
    struct expected tasks = {json_object_get(want, "tasks_v2"), json_object()};
    struct expected runs = {json_object_get(want, "task_runs_v1"), json_object()};
    json_t *ids = json_object();
    static char line[TEXT_MAX];
    FILE *file = open_vector("messages-small.ndjson");
    size_t n = 0;
    for (; fgets(line, sizeof line, file); n++) {
        const json_t *expected = json_array_get(lines, n);
        const struct span payload = payload_of(span_of(line, strcspn(line, "\n")));
        assert_int_equal(event_map(&mapper, &event, payload, NULL), 0);
        const char *outcome = json_string_value(json_object_get(expected, "outcome"));
        if (strcmp(outcome_name(event.outcome), outcome) != 0)
            fail_msg("line %zu: %s (%s), not %s", n + 1, outcome_name(event.outcome), event.reason,
                     outcome);
        assert_false(event.undecodable);
        if (event.outcome == EVENT_TASK_ID)
            assert_int_equal(json_object_setn_new(ids, (const char *)event.task_id.ptr,
                                                  event.task_id.len, json_true()),
                             0);
        if (event.outcome == EVENT_RUN || event.outcome == EVENT_RUN_AND_TASK)
            check_row(&runs, FXCI_RUNS, event.run, event.run[RUN_RUN_ID].integer);
        if (event.outcome == EVENT_RUN_AND_TASK)
            check_row(&tasks, FXCI_TASKS, event.task, 0);
    }
    assert_int_equal(n, json_array_size(lines));
    assert_int_equal(json_object_size(tasks.seen), json_array_size(tasks.rows));
    assert_int_equal(json_object_size(runs.seen), json_array_size(runs.rows));
    const json_t *want_ids = json_object_get(want, "task_ids");
    assert_int_equal(json_object_size(ids), json_array_size(want_ids));
    for (size_t i = 0; i < json_array_size(want_ids); i++)
        assert_non_null(json_object_get(ids, json_string_value(json_array_get(want_ids, i))));
    (void)fclose(file);
    json_decref(ids);
    json_decref(tasks.seen);
    json_decref(runs.seen);
    json_decref(want);
}

/* Bodies made here: a run, and what surrounds it. */

#define RUN                                                                                        \
    "{\"runId\":0,\"state\":\"completed\",\"reasonCreated\":\"scheduled\","                        \
    "\"reasonResolved\":\"completed\",\"workerGroup\":\"us-central1-a\",\"workerId\":\"418274\","  \
    "\"takenUntil\":\"2026-08-20T02:52:18.286Z\",\"scheduled\":\"2026-08-20T02:00:29.989Z\","      \
    "\"started\":\"2026-08-20T02:03:30.104Z\",\"resolved\":\"2026-08-20T02:35:18.286Z\"}"
#define STATUS_WITH(STATE, RUNS)                                                                   \
    "{\"taskId\":\"xuEb\",\"taskQueueId\":\"gecko-t/linux\",\"schedulerId\":\"gecko-level-1\","    \
    "\"taskGroupId\":\"SGJl\",\"expires\":\"2027-08-20T04:30:00.000Z\",\"state\":\"" STATE         \
    "\",\"runs\":" RUNS "}"
#define STATUS STATUS_WITH("completed", "[" RUN "]")
#define BODY(RUN_ID, STATUS, REST)                                                                 \
    "{\"version\":1,\"runId\":" RUN_ID ",\"workerGroup\":\"x\",\"status\":" STATUS REST "}"
#define WITH_RUN(RUN)   BODY("0", STATUS_WITH("completed", "[" RUN "]"), "")
#define WITH_TASK(TASK) BODY("0", STATUS, ",\"task\":" TASK)
#define WITH_TAGS(TAGS) WITH_TASK("{\"tags\":" TAGS "}")

static size_t count_tags(void)
{
    size_t n = 0;
    for (size_t i = 0; i < N_TAGS; i++)
        n += event.tags[i].ptr != NULL;
    return n;
}

static void assert_tag(const char *column, const char *value)
{
    size_t i = 0;
    while (strcmp(fxci_tag_names[i], column) != 0)
        i++;
    assert_text(event.tags[i], value);
}

static void cases_of_the_original(void **state)
{
    (void)state;
    assert_outcome("{}", EVENT_IGNORED);
    assert_outcome(WITH_TAGS("{\"createdForUser\":\"dev@example.org\",\"owned by\":\"o\","
                             "\"trust_domain\":\"gecko\",\"worker-implementation\":\"d\"}"),
                   EVENT_RUN_AND_TASK);
    assert_int_equal(count_tags(), 4);
    assert_tag("created_for_user", "dev@example.org");
    assert_tag("worker_implementation", "d");
    assert_outcome(BODY("1", STATUS_WITH("completed", "[" RUN "," RUN "]"), ""), EVENT_RUN);
    assert_int_equal(event.run[RUN_RUN_ID].integer, 1);
    assert_outcome("{\"status\":{\"state\":\"unscheduled\",\"taskId\":\"abc\",\"runs\":[]}}",
                   EVENT_TASK_ID);
    assert_text(event.task_id, "abc");
    assert_true(event.expires_us == INT64_MIN);
}

static void sample_messages(void **state)
{
    (void)state;
    assert_outcome(
        "{\"version\":1,\"runId\":0,\"status\":{\"taskId\":\"PdQ2mVtkSIKvO3c8nJx0sA\","
        "\"provisionerId\":\"gecko-1\",\"workerType\":\"b-linux-amd\",\"taskQueueId\":"
        "\"gecko-1/b-linux-amd\",\"schedulerId\":\"gecko-level-1\",\"projectId\":\"none\","
        "\"taskGroupId\":\"SGJlGoi3RaWlTDllb0PxoA\",\"deadline\":\"2026-08-21T01:00:00.000Z\","
        "\"expires\":\"2026-09-17T01:00:00.000Z\",\"retriesLeft\":5,\"state\":\"exception\","
        "\"runs\":[{\"runId\":0,\"state\":\"exception\",\"reasonCreated\":\"scheduled\","
        "\"reasonResolved\":\"canceled\",\"scheduled\":\"2026-08-20T01:01:02.003Z\","
        "\"resolved\":\"2026-08-20T01:05:00.000Z\"}]},\"task\":{\"tags\":{}}}",
        EVENT_RUN_AND_TASK);
    assert_int_equal(count_tags(), 0);
    assert_true(event.run[RUN_STARTED].is_null);
    assert_true(event.run[RUN_WORKER_GROUP].is_null);
    assert_true(event.run[RUN_WORKER_ID].is_null);
    assert_text(event.task[TASK_QUEUE_ID].text, "gecko-1/b-linux-amd");
    assert_outcome("{\"version\":1,\"status\":{\"taskId\":\"X_wcXXQ8SRCLZaWMtV620A\","
                   "\"expires\":\"2026-09-17T04:30:00.000Z\",\"state\":\"unscheduled\","
                   "\"runs\":[]},\"task\":{\"tags\":{\"kind\":\"decision\"}}}",
                   EVENT_TASK_ID);
    assert_true(event.expires_us == INT64_C(1789619400000000));
}

static void the_table_is_evaluated_in_order(void **state)
{
    (void)state;
    static const struct {
        const char *body;
        enum event_outcome outcome;
    } cases[] = {
        {"[]", EVENT_FAILED},
        {" \"text\" ", EVENT_FAILED},
        {"null", EVENT_FAILED},
        {"{\"runId\":0}", EVENT_IGNORED},
        {"{\"status\":null,\"runId\":0}", EVENT_IGNORED},
        {"{\"status\":[]}", EVENT_FAILED},
        {"{\"status\":0}", EVENT_FAILED},
        {"{\"status\":\"\"}", EVENT_FAILED},
        {"{\"status\":false}", EVENT_FAILED},
        {"{\"status\":{}}", EVENT_IGNORED},
        {"{\"status\":{},\"runId\":0}", EVENT_FAILED},
        {"{\"status\":{\"state\":\"unscheduled\"}}", EVENT_FAILED},
        {"{\"status\":{\"state\":\"unscheduled\",\"taskId\":null}}", EVENT_FAILED},
        {"{\"status\":{\"state\":\"unscheduled\",\"taskId\":5}}", EVENT_FAILED},
        {"{\"status\":{\"state\":\"\\u0075nscheduled\",\"taskId\":\"a\"}}", EVENT_TASK_ID},
        {"{\"status\":{\"state\":[\"unscheduled\"],\"taskId\":\"a\"}}", EVENT_IGNORED},
        {"{\"status\":{\"state\":\"Unscheduled\",\"taskId\":\"a\"}}", EVENT_IGNORED},
        {BODY("0", STATUS_WITH("unscheduled", "[" RUN "]"), ",\"task\":5"), EVENT_TASK_ID},
        {BODY("true", STATUS_WITH("unscheduled", "0"), ""), EVENT_TASK_ID},
        {BODY("null", STATUS, ""), EVENT_IGNORED},
        {BODY("null", "{\"runs\":5}", ",\"task\":null"), EVENT_IGNORED},
        {BODY("0", STATUS, ""), EVENT_RUN_AND_TASK},
        {BODY("-0", STATUS, ""), EVENT_RUN_AND_TASK},
        {BODY("-1", STATUS, ""), EVENT_FAILED},
        {BODY("1", STATUS, ""), EVENT_FAILED},
        {BODY("0.0", STATUS, ""), EVENT_FAILED},
        {BODY("0e0", STATUS, ""), EVENT_FAILED},
        {BODY("true", STATUS, ""), EVENT_FAILED},
        {BODY("false", STATUS, ""), EVENT_FAILED},
        {BODY("\"0\"", STATUS, ""), EVENT_FAILED},
        {BODY("[0]", STATUS, ""), EVENT_FAILED},
        {BODY("9223372036854775807", STATUS, ""), EVENT_FAILED},
        {BODY("-9223372036854775808", STATUS, ""), EVENT_FAILED},
        {BODY("18446744073709551616", STATUS, ""), EVENT_FAILED},
        {BODY("0", STATUS_WITH("completed", "[]"), ""), EVENT_FAILED},
        {BODY("0", STATUS_WITH("completed", "null"), ""), EVENT_FAILED},
        {BODY("0", STATUS_WITH("completed", "{\"0\":" RUN "}"), ""), EVENT_FAILED},
        {BODY("0", STATUS_WITH("completed", "[null]"), ""), EVENT_FAILED},
        {BODY("0", STATUS_WITH("completed", "[[]]"), ""), EVENT_FAILED},
        {BODY("0", STATUS_WITH("completed", "[5," RUN "]"), ""), EVENT_FAILED},
        {BODY("1", STATUS_WITH("completed", "[5," RUN "]"), ""), EVENT_RUN},
        {BODY("1", STATUS_WITH("completed", "[{}," RUN "]"), ",\"task\":null"), EVENT_RUN},
        {BODY("1", STATUS_WITH("completed", "[{}," RUN "]"), ",\"task\":{\"tags\":5}"), EVENT_RUN},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_outcome(cases[i].body, cases[i].outcome);
        assert_false(event.undecodable);
    }
}

/* A body whose first occurrence of a text is replaced. */
static const char *edited(const char *body, const char *text, const char *other)
{
    static char out[TEXT_MAX];
    const char *at = strstr(body, text);
    assert_non_null(at);
    (void)snprintf(out, sizeof out, "%.*s%s%s", (int)(at - body), body, other, at + strlen(text));
    return out;
}

static void required_members_are_text(void **state)
{
    (void)state;
    static const char *const members[] = {
        "\"reasonCreated\":\"scheduled\"",           "\"reasonResolved\":\"completed\"",
        "\"state\":\"completed\",\"reasonC",         "\"scheduled\":\"2026-08-20T02:00:29.989Z\"",
        "\"resolved\":\"2026-08-20T02:35:18.286Z\"", "\"taskId\":\"xuEb\"",
        "\"schedulerId\":\"gecko-level-1\"",         "\"taskGroupId\":\"SGJl\"",
        "\"taskQueueId\":\"gecko-t/linux\"",
    };
    static const char *const others[] = {"null", "5", "true", "[\"a\"]", "{}"};
    const char *body = BODY("0", STATUS, "");
    for (size_t i = 0; i < ARRAY_LEN(members); i++) {
        const char *colon = strchr(members[i], ':');
        const int key_len = (int)(colon - members[i]);
        char other[128];
        for (size_t k = 0; k < ARRAY_LEN(others); k++) {
            const char *rest = strstr(colon, ",");
            (void)snprintf(other, sizeof other, "%.*s:%s%s", key_len, members[i], others[k],
                           rest ? rest : "");
            assert_outcome(edited(body, members[i], other), EVENT_FAILED);
            (void)snprintf(other, sizeof other, "%.*s", key_len - 2, members[i] + 1);
            assert_non_null(strstr(event.reason, other));
        }
        (void)snprintf(other, sizeof other, "\"x\"%s", colon);
        assert_outcome(edited(body, members[i], other), EVENT_FAILED);
        assert_non_null(strstr(event.reason, "missing"));
    }
}

static void tasks_of_later_runs_need_no_task_members(void **state)
{
    (void)state;
    const char *body = BODY("1", STATUS_WITH("completed", "[" RUN "," RUN "]"), "");
    assert_outcome(edited(body, "\"schedulerId\":\"gecko-level-1\"", "\"x\":1"), EVENT_RUN);
}

static void optional_members_may_be_null(void **state)
{
    (void)state;
    static const struct {
        const char *text, *null, *other;
        int column;
    } members[] = {
        {"\"started\":\"2026-08-20T02:03:30.104Z\"", "\"started\":null", "\"started\":5",
         RUN_STARTED},
        {"\"workerGroup\":\"us-central1-a\"", "\"workerGroup\":null", "\"workerGroup\":[]",
         RUN_WORKER_GROUP},
        {"\"workerId\":\"418274\"", "\"workerId\":null", "\"workerId\":418274", RUN_WORKER_ID},
    };
    const char *body = BODY("0", STATUS, "");
    for (size_t i = 0; i < ARRAY_LEN(members); i++) {
        assert_outcome(body, EVENT_RUN_AND_TASK);
        assert_false(event.run[members[i].column].is_null);
        assert_outcome(edited(body, members[i].text, members[i].null), EVENT_RUN_AND_TASK);
        assert_true(event.run[members[i].column].is_null);
        assert_outcome(edited(body, members[i].text, "\"x\":1"), EVENT_RUN_AND_TASK);
        assert_true(event.run[members[i].column].is_null);
        assert_outcome(edited(body, members[i].text, members[i].other), EVENT_FAILED);
    }
}

static void times_that_are_none_fail(void **state)
{
    (void)state;
    static const char *const texts[] = {"2026-08-20T02:00:29.989Z", "2026-08-20T02:35:18.286Z",
                                        "2026-08-20T02:03:30.104Z"};
    static const char *const bad[] = {"",
                                      "2026-08-20",
                                      "2026-08-20 02:00:29Z",
                                      "2026-08-20T02:00:29",
                                      "2026-08-20t02:00:29Z",
                                      "2026-08-20T02:00:29z",
                                      "2026-02-30T02:00:29Z",
                                      "2026-08-20T24:00:00Z",
                                      "2026-06-30T23:59:60Z",
                                      "2026-08-20 02:00:29 UTC"};
    const char *body = BODY("0", STATUS, "");
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        for (size_t k = 0; k < ARRAY_LEN(bad); k++)
            assert_outcome(edited(body, texts[i], bad[k]), EVENT_FAILED);
        assert_outcome(edited(body, texts[i], "2026-08-20T04:00:29.9899999+02:00"),
                       EVENT_RUN_AND_TASK);
    }
    assert_outcome(edited(body, texts[1], "2026-08-20T04:00:29.9899999+02:00"), EVENT_RUN_AND_TASK);
    assert_true(event.run[RUN_RESOLVED].integer == INT64_C(1787191229989999));
    assert_outcome(edited(body, texts[1], "2026-08-20T02\\u003a00:29.5Z"), EVENT_RUN_AND_TASK);
    assert_true(event.run[RUN_RESOLVED].integer == INT64_C(1787191229500000));
}

static void tags_come_from_a_task_that_is_an_object(void **state)
{
    (void)state;
    static const char *const nulls[] = {BODY("0", STATUS, ""),  WITH_TASK("{}"),
                                        WITH_TASK("{\"x\":5}"), WITH_TAGS("null"),
                                        WITH_TAGS("{}"),        WITH_TAGS("{\"x\":\"y\"}")};
    for (size_t i = 0; i < ARRAY_LEN(nulls); i++) {
        assert_outcome(nulls[i], EVENT_RUN_AND_TASK);
        assert_false(event.task[TASK_TAGS].is_null);
        assert_int_equal(event.task[TASK_TAGS].n_items, N_TAGS);
        assert_int_equal(count_tags(), 0);
    }
    static const char *const bad[] = {
        WITH_TASK("null"),
        WITH_TASK("[]"),
        WITH_TASK("\"\""),
        WITH_TASK("0"),
        WITH_TAGS("[\"kind\"]"),
        WITH_TAGS("\"kind\""),
        WITH_TAGS("0"),
        WITH_TAGS("false"),
        WITH_TAGS("true"),
        WITH_TAGS("{\"os\":null}"),
        WITH_TAGS("{\"os\":5}"),
        WITH_TAGS("{\"x\":{}}"),
        WITH_TAGS("{\"retrigger\":true}"),
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_outcome(bad[i], EVENT_FAILED);
}

static void names_of_tags_are_folded(void **state)
{
    (void)state;
    static const struct {
        const char *name, *column;
    } names[] = {
        {"createdForUser", "created_for_user"},
        {"created-forUser", "created_for_user"},
        {"Created for-User", NULL},
        {"CreatedForUser", "created_for_user"},
        {"created-For-User", NULL},
        {"createdforuser", NULL},
        {"owned by", "owned_by"},
        {"ownedBy", "owned_by"},
        {"OwnedBy", "owned_by"},
        {"Owned By", NULL},
        {"trust_domain", "trust_domain"},
        {"trust-domain", "trust_domain"},
        {"trustDomain", "trust_domain"},
        {"TrustDomain", "trust_domain"},
        {"Trust-Domain", NULL},
        {"worker-implementation", "worker_implementation"},
        {"workerImplementation", "worker_implementation"},
        {"worker implementation", "worker_implementation"},
        {"worker--implementation", NULL},
        {"test-suite", "test_suite"},
        {"testSuite", "test_suite"},
        {"test suite", "test_suite"},
        {"testsuite", NULL},
        {"test_Suite", NULL},
        {"TEST-SUITE", NULL},
        {"testPlatform", "test_platform"},
        {"test variant", "test_variant"},
        {"Os", "os"},
        {"os", "os"},
        {"OS", NULL},
        {"label", "label"},
        {"label ", NULL},
        {" os", NULL},
        {"KIND", NULL},
        {"kin", NULL},
        {"kinds", NULL},
        {"project", "project"},
        {"retrigger", NULL},
        {"action", NULL},
        {"", NULL},
        {"_", NULL},
        {"worker_implementation_", NULL},
        {"owned_", NULL},
        {"owned", NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        const int column = event_tag_column(span_str(names[i].name));
        assert_int_equal(column >= 0, names[i].column != NULL);
        if (column >= 0)
            assert_string_equal(fxci_tag_names[column], names[i].column);
    }
}

static void the_spelling_that_began_last_counts(void **state)
{
    (void)state;
    assert_outcome(WITH_TAGS("{\"testSuite\":\"a\",\"test-suite\":\"b\"}"), EVENT_RUN_AND_TASK);
    assert_tag("test_suite", "b");
    assert_outcome(WITH_TAGS("{\"testSuite\":\"a\",\"test-suite\":\"b\",\"testSuite\":\"c\"}"),
                   EVENT_RUN_AND_TASK);
    assert_tag("test_suite", "b"); // as a dictionary, which keeps the place of a key
    assert_outcome(
        WITH_TAGS("{\"testSuite\":\"a\",\"test-suite\":\"b\",\"test\\u002dsuite\":\"\\u00e9\"}"),
        EVENT_RUN_AND_TASK);
    assert_tag("test_suite", "\xc3\xa9");
    assert_int_equal(count_tags(), 1);
}

static void the_last_value_of_a_name_counts(void **state)
{
    (void)state;
    assert_outcome(WITH_TAGS("{\"os\":5,\"x\":null,\"\\u006fs\":\"a\",\"x\":\"\"}"),
                   EVENT_RUN_AND_TASK);
    assert_tag("os", "a");
    assert_outcome(WITH_TAGS("{\"os\":\"a\",\"os\":5}"), EVENT_FAILED);
    assert_outcome(WITH_TASK("{\"tags\":{\"os\":\"a\"},\"tags\":5}"), EVENT_FAILED);
    assert_outcome(WITH_TASK("{\"tags\":{\"os\":5},\"tags\":{\"os\":\"b\"}}"), EVENT_RUN_AND_TASK);
    assert_tag("os", "b");
    assert_outcome(WITH_TASK("{\"tags\":{\"os\":5}},\"task\":{}"), EVENT_RUN_AND_TASK);
    assert_int_equal(count_tags(), 0);
    assert_outcome(WITH_TASK("{\"tags\":{\"os\":\"a\"}},\"task\":null"), EVENT_FAILED);
    assert_outcome(BODY("0", STATUS, ",\"status\":{}"), EVENT_FAILED);
    assert_outcome(BODY("0", STATUS, ",\"status\":null"), EVENT_IGNORED);
    assert_outcome(BODY("7", STATUS, ",\"run\\u0049d\":0"), EVENT_RUN_AND_TASK);
    assert_outcome(BODY("0", "{\"runs\":5,\"taskId\":\"z\"}", ",\"status\":" STATUS),
                   EVENT_RUN_AND_TASK);
    assert_text(event.run[RUN_TASK_ID].text, "xuEb");
}

/* Looking for a later value costs a walk: a body that asks for too many of them is set aside. */
static void many_values_that_are_taken_back_fail(void **state)
{
    (void)state;
    static char tags[TEXT_MAX / 2], body[TEXT_MAX];
    for (int n = 64; n <= 65; n++) {
        size_t len = 0;
        for (int i = 0; i < 2 * n; i++)
            len += (size_t)snprintf(tags + len, sizeof tags - len, "%c\"t%d\":%s",
                                    i == 0 ? '{' : ',', i % n, i < n ? "1" : "\"x\"");
        (void)snprintf(body, sizeof body, "%s%s}}}",
                       "{\"runId\":0,\"status\":" STATUS ",\"task\":{\"tags\":", tags);
        assert_outcome(body, n == 64 ? EVENT_RUN_AND_TASK : EVENT_FAILED);
        assert_false(event.undecodable);
    }
}

static void bodies_that_are_not_json_are_undecodable(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        " ",
        "{",
        "not JSON",
        "{\"status\":}",
        "{\"status\":",
        "{\"status\":{\"a\"}}",
        "{\"status\":null} {}",
        "{\"status\":null,}",
        "\xef\xbb\xbf{}",
        "{\"task\":{\"tags\":{\"os\":\"\xff\"}}}",
        "{\"task\":{\"tags\":{\"os\":\"\xc3\"}}}",
        "{\"x\":\"\xed\xa0\x80\"}",
        "{\"x\":\"\\ud800\"}",
        "{\"x\":\"\n\"}",
        "{\"x\":NaN}",
        "{\"x\":01}",
        "{'x':1}",
        "[1",
        "nul",
        "\"\xff\"",
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        assert_outcome(bad[i], EVENT_FAILED);
        if (!event.undecodable)
            fail_msg("decoded %s", bad[i]);
    }
    char deep[256] = "{\"x\":";
    memset(deep + 5, '[', 63);
    memset(deep + 5 + 63, ']', 63);
    deep[5 + 126] = '}';
    assert_outcome(deep, EVENT_IGNORED);
    memset(deep + 5, '[', 64);
    memset(deep + 5 + 64, ']', 64);
    deep[5 + 128] = '}';
    assert_outcome(deep, EVENT_FAILED);
    assert_true(event.undecodable);
}

static void escaped_texts_outlive_the_walk(void **state)
{
    (void)state;
    const char *body = WITH_TAGS("{\"os\":\"\\\"a\\\"\",\"kind\":\"\\u20ac\",\"label\":\"c\"}");
    assert_outcome(edited(body, "xuEb", "x\\u0075Eb"), EVENT_RUN_AND_TASK);
    assert_text(event.task_id, "xuEb");
    assert_text(event.run[RUN_TASK_ID].text, "xuEb");
    assert_text(event.task[TASK_ID].text, "xuEb");
    assert_tag("os", "\"a\"");
    assert_tag("kind", "\xe2\x82\xac");
    assert_tag("label", "c");
}

static int open_mapper(void **state)
{
    (void)state;
    event_mapper_init(&mapper, cpu_detect(), TODAY);
    return 0;
}

static int close_mapper(void **state)
{
    (void)state;
    event_mapper_deinit(&mapper);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vectors_give_their_rows),
        cmocka_unit_test(cases_of_the_original),
        cmocka_unit_test(sample_messages),
        cmocka_unit_test(the_table_is_evaluated_in_order),
        cmocka_unit_test(required_members_are_text),
        cmocka_unit_test(tasks_of_later_runs_need_no_task_members),
        cmocka_unit_test(optional_members_may_be_null),
        cmocka_unit_test(times_that_are_none_fail),
        cmocka_unit_test(tags_come_from_a_task_that_is_an_object),
        cmocka_unit_test(names_of_tags_are_folded),
        cmocka_unit_test(the_spelling_that_began_last_counts),
        cmocka_unit_test(the_last_value_of_a_name_counts),
        cmocka_unit_test(many_values_that_are_taken_back_fail),
        cmocka_unit_test(bodies_that_are_not_json_are_undecodable),
        cmocka_unit_test(escaped_texts_outlive_the_walk),
    };
    return cmocka_run_group_tests(tests, open_mapper, close_mapper);
}
