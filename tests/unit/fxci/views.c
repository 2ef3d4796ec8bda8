/* SPDX-License-Identifier: MPL-2.0 */
#include "costs_test.h"
#include "fxci/derive.h"

static void each_view_has_the_columns_of_its_table(void **state)
{
    struct costs_place *p = *state;
    assert_true(ask(p, "SELECT count(*) FROM duckdb_views() WHERE schema_name = 'fxci'") == 7);
    assert_true(
        ask(p, "SELECT count(DISTINCT table_name) FROM duckdb_columns() AS c WHERE schema_name = "
               "'fxci_derived' AND table_name NOT LIKE '%billing' AND EXISTS (SELECT 1 FROM "
               "duckdb_columns() AS v WHERE v.schema_name = 'fxci' AND v.table_name = "
               "regexp_replace(c.table_name, '_v[0-9]+$', '') AND (v.column_name, v.column_index, "
               "v.data_type) = (c.column_name, c.column_index, c.data_type))") == 7);
    assert_true(
        ask(p, "SELECT count(*) FROM duckdb_columns() AS c WHERE schema_name = 'fxci_derived' AND "
               "table_name NOT LIKE '%billing'") ==
        ask(p, "SELECT count(*) FROM duckdb_columns() AS c WHERE schema_name = 'fxci'"));
}

static void a_machine_has_one_row_of_costs_and_use(void **state)
{
    struct costs_place *p = *state;
    run_sql(p, "INSERT INTO fxci_derived.worker_costs_v1 VALUES "
               "('2026-01-15', 'gcp', 'p', 'b', 'z', 'i', 1), "
               "('2026-01-15', 'gcp', 'p', 'a', 'z', 'i', 2), "
               "('2026-01-15', 'gcp', 'p', NULL, 'z', 'i', NULL), "
               "('2026-01-15', NULL, 'p', NULL, NULL, 'i', 4), "
               "('2026-01-15', NULL, 'p', NULL, NULL, 'i', 8), "
               "('2026-01-16', 'gcp', 'p', 'b', 'z', 'i', 16)");
    assert_true(ask(p, "SELECT count(*) FROM fxci.worker_costs") == 3);
    assert_true(ask(p, "SELECT total_cost FROM fxci.worker_costs WHERE usage_start_date = "
                       "'2026-01-15' AND name = 'a'") == 3);
    assert_true(ask(p, "SELECT total_cost FROM fxci.worker_costs WHERE cloud_provider IS NULL") ==
                12);
    run_sql(p, "INSERT INTO fxci_derived.worker_usage_v1 VALUES "
               "('2026-01-15', 'gcp', 'p', 'z', 'i', 1, 'n'), "
               "('2026-01-15', 'gcp', 'p', 'z', 'i', 2, 'm')");
    assert_true(ask(p, "SELECT uptime FROM fxci.worker_usage WHERE attribution_method = 'm,n'") ==
                3);
    run_sql(p, "INSERT INTO fxci_derived.worker_metrics_v1 VALUES "
               "('2026-01-15', 'i', 'p', 'z', 1, '2026-01-15 01:00', '2026-01-16'), "
               "('2026-01-15', 'i', 'p', 'z', 2, '2026-01-15 00:00', '2026-01-16'), "
               "('2026-01-16', 'i', 'p', 'z', 4, '2026-01-16 00:00', '2026-01-17')");
    assert_true(ask(p, "SELECT sum(uptime) FROM fxci.worker_metrics") == 6);
}

static void a_run_is_on_the_machine_that_was_up_for_longest(void **state)
{
    struct costs_place *p = *state;
    run_sql(p,
            "INSERT INTO fxci_derived.task_run_costs_v1 SELECT '2026-01-15', t, 0, c, p, 'j', z, "
            "i, 1, u, 1, 'm' FROM (VALUES ('A', 1, 'gcp', 'z', 'i', 10), "
            "('A', 2, 'gcp', 'z', 'I', 20), ('A', 4, 'gcp', 'z', 'j', NULL), "
            "('B', 8, 'gcp', 'z', 'i', 10), ('B', 16, 'azure', 'z', 'j', 10), "
            "('B', 32, 'azure', 'z', 'i', 10), ('B', 64, 'azure', 'y', 'k', 10)) "
            "AS t(t, c, p, z, i, u)");
    assert_true(ask(p, "SELECT count(*) FROM fxci.task_run_costs") == 2);
    assert_true(ask(p, "SELECT run_cost FROM fxci.task_run_costs WHERE task_id = 'A'") == 2);
    assert_true(ask(p, "SELECT run_cost FROM fxci.task_run_costs WHERE task_id = 'B'") == 64);
}

static void views_may_be_left_out(void **state)
{
    struct costs_place *p = *state;
    struct fxci_tables tables;
    struct err err = {0};
    const struct fxci_table_names names = {.dataset = "other_derived", .views = ""};
    assert_done(fxci_tables_init(&tables, &names, false, &err), &err);
    assert_done(fxci_tables_ensure(&tables, p->w, &err), &err);
    assert_done(fxci_tables_ensure(&tables, p->w, &err), &err);
    assert_true(ask(p, "SELECT count(*) FROM duckdb_views() WHERE schema_name = 'other'") == 0);
    assert_true(
        ask(p, "SELECT count(*) FROM duckdb_tables() WHERE schema_name = 'other_derived'") == 9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_COSTS(each_view_has_the_columns_of_its_table),
        WITH_COSTS(a_machine_has_one_row_of_costs_and_use),
        WITH_COSTS(a_run_is_on_the_machine_that_was_up_for_longest),
        WITH_COSTS(views_may_be_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
