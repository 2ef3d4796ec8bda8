/* SPDX-License-Identifier: MPL-2.0 */
/* A refused row comes back as the row that it was. */
#include "fxci/row_read.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
// cmocka.h leans on the standard headers above it.
#include <cmocka.h>

enum { MAX_TEXT = 1 << 20 };
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

/* @return what row_map says; out: the row as it would be written again. */
static int map(enum fxci_table table, const char *json, struct buf *out, char *reason)
{
    const struct table_schema *schema = &tables.schemas[table];
    struct row_mapper m;
    struct cell cells[FXCI_MAX_COLUMNS];
    row_mapper_init(&m, 0);
    const int r = row_map(&m, schema, span_str(json), cells, NULL);
    if (r == 1)
        assert_int_equal(warehouse_row_json(out, schema->columns, cells, NULL), 0);
    memcpy(reason, m.reason, ROW_REASON_BYTES);
    row_mapper_deinit(&m);
    return r;
}

static void round_trip(enum fxci_table table, const char *json)
{
    char reason[ROW_REASON_BYTES];
    CLEANUP(buf_deinit) struct buf out = BUF_INIT(MAX_TEXT);
    if (map(table, json, &out, reason) != 1)
        fail_msg("%s", reason);
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
    char reason[ROW_REASON_BYTES];
    CLEANUP(buf_deinit) struct buf out = BUF_INIT(MAX_TEXT);
    assert_int_equal(map(FXCI_TASKS, " {\"other\": 5} ", &out, reason), 1);
    assert_int_equal(map(FXCI_DEFINITIONS, "{}", &out, reason), 1);
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
        {FXCI_TASKS, "5", "fxci_derived.tasks_v2"},
        {FXCI_TASKS, "{\"task_id\":\"t\"", "fxci_derived.tasks_v2"},
        {FXCI_TASKS, "{\"task_id\":5}", "task_id"},
        {FXCI_TASKS, "{\"tags\":[]}", "tags"},
        {FXCI_TASKS, "{\"tags\":{\"os\":1}}", "tags"},
        {FXCI_RUNS, "{\"run_id\":\"7\"}", "run_id"},
        {FXCI_RUNS, "{\"run_id\":1.5}", "run_id"},
        {FXCI_RUNS, "{\"resolved\":\"yesterday\"}", "resolved"},
        {FXCI_RUNS, "{\"submission_date\":\"2026-02-30\"}", "submission_date"},
        {FXCI_DEFINITIONS, "{\"dependencies\":\"x\"}", "dependencies"},
        {FXCI_DEFINITIONS, "{\"dependencies\":[null]}", "dependencies"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char reason[ROW_REASON_BYTES];
        CLEANUP(buf_deinit) struct buf out = BUF_INIT(MAX_TEXT);
        assert_int_equal(map(cases[i].table, cases[i].json, &out, reason), 0);
        if (strncmp(reason, cases[i].column, strlen(cases[i].column)) != 0)
            fail_msg("%s: %s", cases[i].json, reason);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_come_back),
        cmocka_unit_test(absent_members_are_null_or_empty),
        cmocka_unit_test(what_is_no_row_is_told),
    };
    return cmocka_run_group_tests_name("fxci/row_read", tests, make_tables, NULL);
}
