/* SPDX-License-Identifier: MPL-2.0 */
#include "fxci/load_row.h"

#include "base/cpu.h"
#include "rows.h"

#define TAGS                                                                                       \
    "{\"created_for_user\":\"a\\u00e9\\\"b\",\"kind\":null,\"label\":null,\"os\":\"\","            \
    "\"owned_by\":null,\"project\":null,\"trust_domain\":null,\"worker_implementation\":null,"     \
    "\"test_suite\":null,\"test_platform\":null,\"test_variant\":null}"

static struct fxci_tables tables;

static int make_tables(void **state)
{
    (void)state;
    return fxci_tables_init(&tables, &(const struct fxci_table_names){0}, false, NULL);
}

/* @return what load_row_read says; out: the row as it would be written again. */
static int map(enum fxci_table table, bool tabular, const char *json, struct buf *out,
               struct err *err)
{
    const struct table_schema *schema = &tables.schemas[table];
    struct load_row row;
    load_row_init(&row, cpu_detect(), schema, tabular);
    const int r = load_row_read(&row, padded(span_str(json)), err);
    if (r == 0)
        assert_int_equal(warehouse_row_json(out, schema->columns, row.cells, NULL), 0);
    load_row_deinit(&row);
    return r;
}

static void round_trip(enum fxci_table table, const char *json)
{
    struct err err = {0};
    CLEANUP(buf_deinit) struct buf out = BUF_INIT(TEXT_MAX);
    if (map(table, false, json, &out, &err) != 0)
        fail_msg("%s", err.text);
    assert_int_equal(out.len, strlen(json));
    assert_memory_equal(out.data, json, out.len);
}

static void rows_come_back(void **state)
{
    (void)state;
    round_trip(FXCI_TASKS, "{\"submission_date\":\"2026-08-20\",\"scheduler_id\":\"s\\u0001\","
                           "\"task_group_id\":\"g\",\"task_id\":\"t\",\"task_queue_id\":null,"
                           "\"tags\":" TAGS "}");
    round_trip(
        FXCI_RUNS,
        "{\"submission_date\":\"1969-12-31\",\"reason_created\":null,\"reason_resolved\":"
        "\"x\",\"resolved\":\"2026-08-20T02:35:18.286000Z\",\"run_id\":-3,\"scheduled\":null,"
        "\"started\":null,\"state\":\"s\",\"task_id\":\"t\",\"worker_group\":null,"
        "\"worker_id\":\"\"}");
    round_trip(
        FXCI_DEFINITIONS,
        "{\"submission_date\":\"2026-08-20\",\"taskId\":\"t\",\"created\":"
        "\"2026-08-20T01:00:00.000000Z\",\"deadline\":\"2026-08-20T01:00:00.000001Z\","
        "\"dependencies\":[\"a\\nb\",\"c\"],\"expires\":null,\"extra\":{\"n\":1.50,\"n\":"
        "123456789012345678901},\"metadata\":[1,[2]],\"payload\":\"text\",\"priority\":"
        "\"low\",\"projectId\":\"p\",\"provisionerId\":\"v\",\"requires\":\"all\",\"retries\":"
        "5,\"routes\":[],\"schedulerId\":\"s\",\"scopes\":[\"d\"],\"tags\":false,"
        "\"taskGroupId\":\"g\",\"taskQueueId\":\"q\",\"workerType\":\"w\"}");
}

static void absent_members_are_null_or_empty(void **state)
{
    (void)state;
    CLEANUP(buf_deinit) struct buf out = BUF_INIT(TEXT_MAX);
    assert_int_equal(map(FXCI_TASKS, false, " {\"other\": 5} ", &out, NULL), 0);
    assert_int_equal(map(FXCI_DEFINITIONS, false, "{}", &out, NULL), 0);
    assert_int_equal(buf_append_byte(&out, '\0', NULL), 0);
    assert_non_null(strstr((const char *)out.data, "\"task_id\":null"));
    assert_non_null(strstr((const char *)out.data, "\"test_variant\":null}"));
    assert_non_null(strstr((const char *)out.data, "\"dependencies\":[]"));
}

static void what_is_no_row_is_told(void **state)
{
    (void)state;
    static const struct {
        enum fxci_table table;
        const char *json, *column;
    } cases[] = {
        {FXCI_TASKS, "5", "it is no JSON object"},
        {FXCI_TASKS, "{\"task_id\":\"t\"", "it is no JSON object"},
        {FXCI_TASKS, "{\"task_id\":5}", "task_id"},
        {FXCI_TASKS, "{\"tags\":[]}", "tags"},
        {FXCI_TASKS, "{\"tags\":{\"os\":1}}", "tags"},
        {FXCI_RUNS, "{\"run_id\":\"7x\"}", "run_id"},
        {FXCI_RUNS, "{\"run_id\":true}", "run_id"},
        {FXCI_RUNS, "{\"run_id\":1.5}", "run_id"},
        {FXCI_RUNS, "{\"resolved\":\"yesterday\"}", "resolved"},
        {FXCI_RUNS, "{\"submission_date\":\"2026-02-30\"}", "submission_date"},
        {FXCI_DEFINITIONS, "{\"dependencies\":\"x\"}", "dependencies"},
        {FXCI_DEFINITIONS, "{\"dependencies\":[null]}", "dependencies"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct err err = {0};
        CLEANUP(buf_deinit) struct buf out = BUF_INIT(TEXT_MAX);
        assert_int_equal(map(cases[i].table, false, cases[i].json, &out, &err), E_FORMAT);
        if (strncmp(err.text, cases[i].column, strlen(cases[i].column)) != 0)
            fail_msg("%s: %s", cases[i].json, err.text);
    }
}

/* What is read is written again so; NULL: it is refused. */
static void reads(enum fxci_table table, bool tabular, const char *json, const char *part)
{
    struct err err = {0};
    CLEANUP(buf_deinit) struct buf out = BUF_INIT(TEXT_MAX);
    assert_int_equal(map(table, tabular, json, &out, &err), part ? 0 : E_FORMAT);
    assert_int_equal(buf_append_byte(&out, '\0', NULL), 0);
    if (part && !strstr((const char *)out.data, part))
        fail_msg("%s: no %s in %s", json, part, (const char *)out.data);
}

static void numbers_and_times_have_several_forms(void **state)
{
    (void)state;
    reads(FXCI_RUNS, false, "{\"run_id\":\"7\"}", "\"run_id\":7");
    reads(FXCI_METRICS, false, "{\"uptime\":7}", "\"uptime\":7.0");
    reads(FXCI_METRICS, false, "{\"uptime\":\"1.5e3\"}", "\"uptime\":1500.0");
    reads(FXCI_METRICS, false, "{\"uptime\":\"NaN\"}", "\"uptime\":\"NaN\"");
    reads(FXCI_METRICS, false, "{\"uptime\":1e999}", NULL);
    reads(FXCI_METRICS, false, "{\"uptime\":\"0x10\"}", NULL);
    reads(FXCI_METRICS, false, "{\"uptime\":\"\"}", NULL);
    reads(FXCI_METRICS, false, "{\"uptime\":true}", NULL);
    reads(FXCI_RUNS, false, "{\"started\":\"2026-08-20 01:02:03.5 UTC\"}",
          "\"2026-08-20T01:02:03.500000Z\"");
    reads(FXCI_RUNS, false, "{\"started\":\"2026-08-20 01:02:03.5+00\"}", NULL);
    reads(FXCI_RUNS, false, "{\"started\":1787200200}", NULL);
    reads(FXCI_AZURE_BILLING, false, "{\"is_lookup\":true}", "\"is_lookup\":true");
    reads(FXCI_AZURE_BILLING, false, "{\"is_lookup\":1}", NULL);
}

static void tables_of_text_have_forms_of_their_own(void **state)
{
    (void)state;
    reads(FXCI_RUNS, true, "{\"started\":\"2026-08-20 01:02:03.5+00\"}",
          "\"2026-08-20T01:02:03.500000Z\"");
    reads(FXCI_RUNS, true, "{\"started\":\"2026-08-20 01:02:03\"}",
          "\"2026-08-20T01:02:03.000000Z\"");
    reads(FXCI_RUNS, true, "{\"started\":\"\",\"run_id\":\"\",\"state\":\"\"}",
          "\"started\":null,\"state\":\"\"");
    reads(FXCI_DEFINITIONS, true, "{\"routes\":\"[\\\"a\\\", \\\"\\\\u00e9\\\"]\"}",
          "\"routes\":[\"a\",\"\\u00e9\"]");
    reads(FXCI_DEFINITIONS, true, "{\"routes\":\"\"}", "\"routes\":[]");
    reads(FXCI_DEFINITIONS, true, "{\"routes\":\"[\"}", NULL);
    reads(FXCI_DEFINITIONS, false, "{\"routes\":\"[]\"}", NULL);
    reads(FXCI_DEFINITIONS, true, "{\"extra\":\"{}\"}", "\"extra\":\"{}\"");
    reads(FXCI_TASKS, true, "{\"tags\":\" {\\\"os\\\":\\\"linux\\\"}\"}", "\"os\":\"linux\"");
    reads(FXCI_TASKS, true, "{\"tags\":\"{} x\"}", NULL);
    reads(FXCI_TASKS, true, "{\"tags\":{\"os\":\"linux\"}}", "\"os\":\"linux\"");
}

static void count_unknown(void *arg, const char *name)
{
    assert_string_equal(name, *(int *)arg == 0 ? "more" : "tags.OS");
    ++*(int *)arg;
}

static void unknown_names_are_told_once(void **state)
{
    (void)state;
    int n = 0;
    struct load_row row;
    load_row_init(&row, cpu_detect(), &tables.schemas[FXCI_TASKS], false);
    row.unknown = count_unknown;
    row.unknown_arg = &n;
    for (int i = 0; i < 3; i++)
        assert_int_equal(
            load_row_read(&row, padded(span_str("{\"more\":1,\"tags\":{\"OS\":\"x\"}}")), NULL), 0);
    assert_int_equal(n, 2);
    load_row_deinit(&row);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_come_back),
        cmocka_unit_test(absent_members_are_null_or_empty),
        cmocka_unit_test(what_is_no_row_is_told),
        cmocka_unit_test(numbers_and_times_have_several_forms),
        cmocka_unit_test(tables_of_text_have_forms_of_their_own),
        cmocka_unit_test(unknown_names_are_told_once),
    };
    return cmocka_run_group_tests_name("fxci/load_row", tests, make_tables, NULL);
}
