/* SPDX-License-Identifier: MPL-2.0 */
#include "fxci/report.h"

#include "base/utc.h"
#include "costs_test.h"

/* Runs of two days: A/0 twice on machines, A/1 without costs, B/0, and C/0 whose task has no row.
 */
static void fill(struct costs_place *p)
{
    run_sql(p, "INSERT INTO fxci_derived.tasks_v2 BY NAME SELECT DATE '2026-01-01' AS "
               "submission_date, 's' AS scheduler_id, g AS task_group_id, t AS task_id, q AS "
               "task_queue_id, {'created_for_user': NULL, 'kind': NULL, 'label': NULL, 'os': NULL, "
               "'owned_by': NULL, 'project': p, 'trust_domain': NULL, 'worker_implementation': "
               "NULL, 'test_suite': NULL, 'test_platform': NULL, 'test_variant': NULL} AS tags "
               "FROM (VALUES ('A', 'g1', 'q1', 'try'), ('B', 'g1', 'q2', NULL)) AS v(t, g, q, p)");
    run_sql(p, "INSERT INTO fxci_derived.task_runs_v1 BY NAME SELECT d::DATE AS submission_date, t "
               "AS task_id, n AS run_id, 'completed' AS state, s::TIMESTAMPTZ AS started, "
               "TIMESTAMPTZ '2026-01-15 00:00:10.5' AS resolved, now() AS scheduled FROM (VALUES "
               "('2026-01-15', 'A', 0, '2026-01-15 00:00:00.9'), ('2026-01-15', 'A', 1, NULL), "
               "('2026-01-16', 'B', 0, '2026-01-15 00:00:00'), "
               "('2026-01-16', 'C', 0, '2026-01-15 00:00:00'), "
               "('2026-01-17', 'D', 0, '2026-01-15 00:00:00')) AS v(d, t, n, s)");
    run_sql(p, "INSERT INTO fxci_derived.task_run_costs_v1 SELECT d, t, 0, c, p, 'j', 'z', 'i', 1, "
               "u, 1, 'm' FROM (VALUES ('2026-01-15', 'A', 1, 'gcp', 10), "
               "('2026-01-15', 'A', 2, 'azure', 20), ('2026-01-16', 'B', NULL, 'gcp', 10), "
               "('2026-01-16', 'C', 4, 'gcp', 10)) AS v(d, t, c, p, u)");
}

struct text {
    char text[1024];
    size_t len;
};

static int take_row(void *arg, const struct cell *cells, struct err *err)
{
    struct text *t = arg;
    (void)err;
    const struct span key = cells[REPORT_KEY].is_null ? span_str("-") : cells[REPORT_KEY].text;
    t->len += (size_t)snprintf(t->text + t->len, sizeof t->text - t->len, "%.*s %d %d %g %d\n",
                               (int)key.len, (const char *)key.ptr, (int)cells[REPORT_RUNS].integer,
                               (int)cells[REPORT_RUN_SECONDS].integer, cells[REPORT_COST].real,
                               (int)cells[REPORT_RUNS_WITHOUT_COST].integer);
    return 0;
}

static int64_t day(const char *text)
{
    int64_t days = 0;
    assert_true(utc_parse_date(&days, span_str(text)));
    return days;
}

static void each_run_counts_once_by_what_was_asked_for(void **state)
{
    static const struct {
        enum report_by by;
        const char *want;
    } cases[] = {
        {REPORT_TASK_GROUP, "- 1 10 4 0\ng1 3 19 2 1\ntotal 4 29 6 1\n"},
        {REPORT_WORKER_TYPE, "- 1 10 4 0\nq1 2 9 2 1\nq2 1 10 0 0\ntotal 4 29 6 1\n"},
        {REPORT_PROJECT, "- 2 20 4 0\ntry 2 9 2 1\ntotal 4 29 6 1\n"},
        {REPORT_PROVIDER, "gcp 2 20 4 0\nazure 1 9 2 0\n- 1 0 0 1\ntotal 4 29 6 1\n"},
    };
    struct costs_place *p = *state;
    fill(p);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct text text = {.len = 0};
        struct err err = {0};
        assert_done(report_costs(p->w, &p->tables, cases[i].by, day("2026-01-15"),
                                 day("2026-01-16"), take_row, &text, &err),
                    &err);
        assert_string_equal(text.text, cases[i].want);
    }
}

static void runs_without_a_task_are_counted(void **state)
{
    struct costs_place *p = *state;
    struct err err = {0};
    uint64_t n = 0;
    fill(p);
    assert_done(report_orphan_runs(p->w, &p->tables, day("2026-01-16"), &n, &err), &err);
    assert_int_equal(n, 2);
    assert_done(report_orphan_runs(p->w, &p->tables, day("2026-01-17"), &n, &err), &err);
    assert_int_equal(n, 1);
}

static void tasks_that_are_missing_come_from_definitions(void **state)
{
    struct costs_place *p = *state;
    struct err err = {0};
    struct backfill_counts counts;
    fill(p);
    run_sql(p,
            "INSERT INTO fxci_derived.task_definitions_v1 (submission_date, taskId, "
            "schedulerId, taskGroupId, taskQueueId, tags) VALUES "
            "('2026-01-10', 'A', 's', 'g', 'q', '{}'), "
            "('2026-01-10', 'C', 's', 'g3', 'q3', '{\"os\": \"l\\u0069nux\", \"createdForUser\": "
            "\"u\", \"worker-implementation\": \"w\", \"KIND\": \"x\"}'), "
            "('2026-01-10', 'D', 's', 'g', 'q', '{\"os\": 1}'), "
            "('2026-01-10', 'E', 's', 'g', 'q', '{}')");
    for (uint64_t i = 0; i < 2; i++) {
        assert_done(backfill_tasks(p->w, &p->tables, 0, day("2026-01-20"), day("2026-01-20"), 0,
                                   &counts, &err),
                    &err);
        assert_int_equal(counts.n_written, 1 - i);
        assert_int_equal(counts.n_bad_tags, 1);
    }
    assert_true(ask(p, "SELECT count(*) FROM fxci_derived.tasks_v2") == 3);
    assert_true(ask(p,
                    "SELECT count(*) FROM fxci_derived.tasks_v2 WHERE task_id = 'C' AND "
                    "submission_date = '2026-01-20' AND task_group_id = 'g3' AND task_queue_id = "
                    "'q3' AND scheduler_id = 's' AND tags.os = 'linux' AND tags.created_for_user "
                    "= 'u' AND tags.worker_implementation = 'w' AND tags.kind IS NULL") == 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_COSTS(each_run_counts_once_by_what_was_asked_for),
        WITH_COSTS(runs_without_a_task_are_counted),
        WITH_COSTS(tasks_that_are_missing_come_from_definitions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
