/* SPDX-License-Identifier: MPL-2.0 */
#include "fxci/derive.h"

#include "costs_test.h"

#define GCP        WEIR_VECTORS "/fxci/billing-gcp.ndjson"
#define AZURE      WEIR_VECTORS "/fxci/billing-azure.ndjson"
#define NAMES(...) ((const char *const[]){__VA_ARGS__, NULL})

#define COST_COLUMNS                                                                               \
    NAMES("usage_start_date", "cloud_provider", "project", "name", "zone", "instance_id")
#define USAGE_COLUMNS                                                                              \
    NAMES("usage_start_date", "cloud_provider", "project", "zone", "instance_id",                  \
          "attribution_method")
#define RUN_COLUMNS                                                                                \
    NAMES("submission_date", "task_id", "run_id", "cloud_provider", "worker_project",              \
          "worker_zone", "worker_instance_id", "run_duration", "attribution_method")
#define RUN_FLOATS NAMES("run_cost", "attribution_worker_cost", "attribution_worker_uptime")

static double costs_against(struct costs_place *p, const char *expected)
{
    return count_differences(p, "fxci_derived.worker_costs_v1", expected, COST_COLUMNS,
                             NAMES("total_cost"));
}

static double usage_against(struct costs_place *p, const char *expected)
{
    return count_differences(p, "fxci_derived.worker_usage_v1", expected, USAGE_COLUMNS,
                             NAMES("uptime"));
}

static double run_costs_against(struct costs_place *p, const char *expected)
{
    return count_differences(p, "fxci_derived.task_run_costs_v1", expected, RUN_COLUMNS,
                             RUN_FLOATS);
}

static void read_vectors(struct costs_place *p)
{
    run_sql(p, "CREATE TABLE want_costs AS SELECT unnest(worker_costs_v1, recursive := true) "
               "FROM read_json('{vectors}/expected-worker-costs.json')");
    run_sql(p, "CREATE TABLE want_usage AS SELECT unnest(worker_usage_v1, recursive := true) "
               "FROM read_json('{vectors}/expected-worker-usage.json')");
    run_sql(p, "CREATE TABLE want_runs AS SELECT unnest(task_run_costs_v1, recursive := true) "
               "FROM read_json('{vectors}/expected-task-run-costs.json')");
    run_sql(p, "CREATE TABLE some_metrics AS SELECT unnest(worker_metrics_v1, recursive := true) "
               "FROM read_json('{vectors}/expected-metrics.json')");
    run_sql(p, "CREATE TABLE some_runs AS SELECT unnest(task_runs_v1, recursive := true) "
               "FROM read_json('{vectors}/expected-small.json', maximum_object_size=100000000)");
    run_sql(p, "INSERT INTO fxci_derived.worker_metrics_v1 BY NAME FROM some_metrics");
    run_sql(p, "INSERT INTO fxci_derived.task_runs_v1 BY NAME FROM some_runs");
}

static void the_vectors_come_out_and_again(void **state)
{
    struct costs_place *p = *state;
    read_vectors(p);
    load_bills(p, GCP, AZURE);
    for (int i = 0; i < 2; i++) {
        assert_true((double)derive(p, FXCI_WORKER_COSTS, "2026-08-19") ==
                    ask(p, "SELECT count(*) FROM want_costs"));
        assert_true((double)derive(p, FXCI_WORKER_USAGE, "2026-08-19") ==
                    ask(p, "SELECT count(*) FROM want_usage"));
        assert_true(costs_against(p, "want_costs") == 0);
        assert_true(usage_against(p, "want_usage") == 0);
    }
    run_sql(p, "INSERT INTO fxci_derived.worker_costs_v1 BY NAME FROM "
               "read_json('{vectors}/history-worker-costs.ndjson')");
    run_sql(p, "INSERT INTO fxci_derived.worker_usage_v1 BY NAME FROM "
               "read_json('{vectors}/history-worker-usage.ndjson')");
    for (int i = 0; i < 2; i++) {
        assert_true((double)derive(p, FXCI_RUN_COSTS, "2026-08-20") ==
                    ask(p, "SELECT count(*) FROM want_runs"));
        assert_true(run_costs_against(p, "want_runs") == 0);
    }
}

#define P1      "fxci-production-level1-workers"
#define P3      "fxci-production-level3-workers"
#define MACHINE "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/"

/* fxci-etl.md 5.1 to 5.3. */
static void the_worked_examples_come_out(void **state)
{
    struct costs_place *p = *state;
#define GCP_ROW(PROJECT, NAME, GLOBAL, TIME, REST)                                                 \
    "{\"project\":{\"id\":\"" PROJECT "\"},\"resource\":{\"name\":\"" NAME                         \
    "\",\"global_name\":\"" GLOBAL "\"},\"usage_start_time\":\"" TIME "\"," REST "}\n"
#define W_A     "//compute.googleapis.com/projects/9/zones/us-a/instances/111"
#define CREDITS "\"cost\":0.50,\"credits\":[{\"amount\":-0.10},{\"amount\":-0.05}]"
#define LOAD(ID, RESOURCE, COST, QUANTITY, TYPE, CATEGORY, UNIT)                                   \
    "{\"table\":\"fxci_daily_actual_load\",\"row\":{\"sourceDataId\":\"" ID                        \
    "\",\"subscriptionName\":\"Sub\",\"date\":\"2026-01-15\",\"ResourceId\":\"" MACHINE RESOURCE   \
    "\",\"resourceLocation\":\"eastus2\",\"costInBillingCurrency\":" COST                          \
    ",\"quantity\":" QUANTITY ",\"chargeType\":\"" TYPE "\",\"meterCategory\":\"" CATEGORY         \
    "\",\"unitOfMeasure\":\"" UNIT "\"}}\n"
    const char *gcp = write_text(
        p, "gcp",
        GCP_ROW(P1, "w-a", W_A, "2026-01-15T03:00:00Z", CREDITS)
            GCP_ROW(P1, "projects/9/zones/us-a/instances/w-a", W_A, "2026-01-15T04:00:00Z",
                    "\"cost\":0.20") GCP_ROW(P1, "w-a", W_A, "2026-01-16T00:00:00Z", CREDITS)
                GCP_ROW(P1, "d", "//c/zones/us-a/disks/7", "2026-01-15T04:00:00Z", CREDITS)
                    GCP_ROW("other", "w-a", W_A, "2026-01-15T04:00:00Z", CREDITS));
    const char *azure = write_text(
        p, "azure",
        "{\"table\":\"fxci_daily_actual_lookup\",\"row\":{\"sourceDataId\":\"S1\"}}\n" LOAD(
            "S1", "vm-1", "1.20", "6", "Usage", "Virtual Machines", "1 Hour")
            LOAD("S1", "vm-1", "0.05", "1", "Usage", "Storage", "1 Hour")
                LOAD("S0", "vm-1", "9.99", "6", "Usage", "Virtual Machines", "1 Hour")
                    LOAD("S1", "vm-1", "5.00", "6", "Purchase", "Virtual Machines", "1 Hour")
                        LOAD("S1", "build-1", "6.00", "6", "Usage", "Virtual Machines", "1 Hour"));
    load_bills(p, gcp, azure);
    run_sql(p, "INSERT INTO fxci_derived.worker_metrics_v1 VALUES "
               "('2026-01-15', '111', '" P1 "', 'us-a', 7200.25, '2026-01-15', '2026-01-16'), "
               "('2026-01-15', '111', '" P1 "', 'us-a', 99.75, '2026-01-15 01:00', '2026-01-16')");
    run_sql(p,
            "INSERT INTO fxci_derived.task_runs_v1 BY NAME SELECT * EXCLUDE (a, b) FROM (VALUES "
            "('T1', 'us-a', '111', '10:00:00.900', '10:20:00.100'), "
            "('T2', 'EASTUS2', 'vm-1', '10:00', '11:00'), "
            "('T3', 'us-a', '111', NULL, '11:00'), ('T4', 'us-a', '111', '10:00', '12:13:20')) "
            "AS t(task_id, worker_group, worker_id, a, b), LATERAL (SELECT 0 AS run_id, "
            "DATE '2026-01-15' AS submission_date, 'completed' AS state, "
            "('2026-01-15 ' || a)::TIMESTAMPTZ AS started, "
            "('2026-01-15 ' || b)::TIMESTAMPTZ AS resolved, TIMESTAMPTZ '2026-01-15' AS scheduled)"
            " AS u(run_id, submission_date, state, started, resolved, scheduled)");
    assert_int_equal(derive(p, FXCI_WORKER_COSTS, "2026-01-15"), 2);
    assert_int_equal(derive(p, FXCI_WORKER_USAGE, "2026-01-15"), 2);
    assert_int_equal(derive(p, FXCI_RUN_COSTS, "2026-01-15"), 2);
    run_sql(p, "CREATE TABLE costs AS SELECT DATE '2026-01-15' AS usage_start_date, * FROM (VALUES "
               "('gcp', '" P1 "', 'w-a', 'us-a', '111', 0.55::DOUBLE), "
               "('azure', 'Sub', 'vm-1', 'eastus2', 'vm-1', 1.25)) "
               "AS t(cloud_provider, project, name, zone, instance_id, total_cost)");
    run_sql(p, "CREATE TABLE runs AS SELECT DATE '2026-01-15' AS submission_date, 0 AS run_id, * "
               "FROM (VALUES ('T1', 1199 / 7300 * 0.55::DOUBLE, 'gcp', '" P1 "', 'us-a', '111', "
               "0.55::DOUBLE, 7300.0::DOUBLE, 1199, 'gcp_monitoring_instance_uptime'), "
               "('T2', 3600 / 21600 * 1.25, 'azure', 'Sub', 'eastus2', 'vm-1', 1.25, 21600, 3600, "
               "'azure_billing_vm_quantity')) AS t(task_id, run_cost, cloud_provider, "
               "worker_project, worker_zone, worker_instance_id, attribution_worker_cost, "
               "attribution_worker_uptime, run_duration, attribution_method)");
    assert_true(costs_against(p, "costs") == 0);
    assert_true(run_costs_against(p, "runs") == 0);
}

static void empty_parts_and_names_of_resources(void **state)
{
    static const struct {
        const char *name, *global, *want;
    } cases[] = {
        {"'n'", "'/zones/z/instances/1'", "name = 'n' AND zone = 'z' AND instance_id = '1'"},
        {"'n'", "'/zones//instances/1'", "zone IS NULL AND instance_id = '1'"},
        {"'n'", "'/zones//zones/z/instances/1/x'", "zone IS NULL AND instance_id = '1'"},
        {"'n'", "'/instances/1/zones/z'", "zone = 'z' AND instance_id = '1'"},
        {"'n'", "'/zones/z/instances/'", "zone = 'z' AND instance_id IS NULL"},
        {"'n'", "'/zones/z/instances//instances/2'", "instance_id IS NULL"},
        {"'n'", "'zones/z/instances/1'", "zone IS NULL AND instance_id = '1'"},
        {"'/instances/a/instances/b/'", "'/instances/1'", "name = 'a/instances/b/'"},
        {"'x/instances/'", "'/instances/1'", "name IS NULL"},
        {"'/instances/a' || chr(10) || 'b'", "'/instances/1'", "name = 'a' || chr(10) || 'b'"},
        {"NULL", "'/instances/1'", "name IS NULL"},
    };
    struct costs_place *p = *state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char sql[1024];
        run_sql(p, "DELETE FROM fxci_derived.gcp_billing");
        (void)snprintf(sql, sizeof sql,
                       "INSERT INTO fxci_derived.gcp_billing VALUES ('2026-01-15', now(), '" P1
                       "', %s, %s, 1, NULL)",
                       cases[i].name, cases[i].global);
        run_sql(p, sql);
        assert_int_equal(derive(p, FXCI_WORKER_COSTS, "2026-01-15"), 1);
        (void)snprintf(sql, sizeof sql,
                       "SELECT count(*) FROM fxci_derived.worker_costs_v1 WHERE %s", cases[i].want);
        if (ask(p, sql) != 1)
            fail_msg("%s, %s", cases[i].name, cases[i].global);
    }
}

static void machines_of_azure_in_any_letter_case(void **state)
{
    struct costs_place *p = *state;
    run_sql(p, "INSERT INTO fxci_derived.azure_billing (export, is_lookup, source_data_id) VALUES "
               "('fxci', true, 'S'), ('fxci', true, NULL), ('taskcluster', true, 'T')");
    run_sql(p, "INSERT INTO fxci_derived.azure_billing SELECT e, false, s, '2026-01-15', 'Sub', r, "
               "'L', c, 2, t, 'Virtual Machines', '1 Hour' FROM (VALUES "
               "('fxci', 'S', '/VIRTUALMACHINES/VM-a', 1, 'Usage'), "
               "('taskcluster', 'T', '/virtualMachines/VM-a', 2, 'Usage'), "
               "('fxci', 'T', '/virtualMachines/vm-other-export', 4, 'Usage'), "
               "('fxci', NULL, '/virtualMachines/vm-no-id', 8, 'Usage'), "
               "('fxci', 'S', '/virtualMachines/vm-a/', 16, 'Usage'), "
               "('fxci', 'S', '/virtualMachines/vm-a/extensions/x', 32, 'Usage'), "
               "('fxci', 'S', '/virtualMachines/vm-a', 64, 'usage'), "
               "('fxci', 'S', '/virtualMachines/build', 128, 'Usage'), "
               "('fxci', 'S', '/virtualMachines/vm-a', NULL, 'Usage')) AS t(e, s, r, c, t)");
    assert_int_equal(derive(p, FXCI_WORKER_COSTS, "2026-01-15"), 3);
    assert_int_equal(derive(p, FXCI_WORKER_USAGE, "2026-01-15"), 3);
    assert_true(ask(p, "SELECT total_cost FROM fxci_derived.worker_costs_v1 WHERE instance_id = "
                       "'VM-a' AND name = 'VM-a' AND project = 'Sub' AND zone = 'L'") == 3);
    assert_true(ask(p, "SELECT total_cost FROM fxci_derived.worker_costs_v1 WHERE instance_id IS "
                       "NULL AND name IS NULL") == 48);
    assert_true(ask(p, "SELECT count(*) FROM fxci_derived.worker_costs_v1 WHERE instance_id = "
                       "'vm-a' AND total_cost IS NULL") == 1);
    assert_true(ask(p, "SELECT uptime FROM fxci_derived.worker_usage_v1 WHERE instance_id = "
                       "'VM-a'") == 14400);
}

/* A run of one hour on machine 1 in zone z, of 2026-01-31. */
static void make_run(struct costs_place *p, const char *started, const char *resolved)
{
    char sql[512];
    run_sql(p, "DELETE FROM fxci_derived.task_runs_v1");
    (void)snprintf(sql, sizeof sql,
                   "INSERT INTO fxci_derived.task_runs_v1 (submission_date, resolved, run_id, "
                   "scheduled, started, state, task_id, worker_group, worker_id) VALUES "
                   "('2026-01-31', '%s', 0, now(), '%s', 'completed', 'T', 'z', 'i')",
                   resolved, started);
    run_sql(p, sql);
}

static void workers(struct costs_place *p, const char *costs, const char *usage)
{
    char sql[2048];
    run_sql(p, "DELETE FROM fxci_derived.worker_costs_v1");
    run_sql(p, "DELETE FROM fxci_derived.worker_usage_v1");
    (void)snprintf(sql, sizeof sql,
                   "INSERT INTO fxci_derived.worker_costs_v1 SELECT d, p, j, 'n', 'z', 'i', c FROM "
                   "(VALUES %s) AS t(d, p, j, c)",
                   costs);
    run_sql(p, sql);
    (void)snprintf(sql, sizeof sql,
                   "INSERT INTO fxci_derived.worker_usage_v1 SELECT d, p, j, 'z', 'i', u, m FROM "
                   "(VALUES %s) AS t(d, p, j, u, m)",
                   usage);
    run_sql(p, sql);
}

static void costs_and_use_of_31_days_count(void **state)
{
    struct costs_place *p = *state;
    make_run(p, "2026-01-30 23:00", "2026-01-31 00:00");
    workers(p,
            "('2025-12-31', 'gcp', 'x', 100), ('2026-01-01', 'gcp', 'b', 1), "
            "('2026-01-01', NULL, '" P1 "', 2), ('2026-01-31', NULL, '" P3 "', 4), "
            "('2026-01-31', 'gcp', NULL, 8), ('2026-01-15', NULL, 'foreign', 200), "
            "('2026-01-15', 'aws', '" P1 "', 400), ('2026-02-01', 'gcp', 'x', 800)",
            "('2025-12-31', 'gcp', 'x', 1e6, 'x'), ('2026-01-01', 'gcp', 'x', 3000, 'm2'), "
            "('2026-01-31', 'gcp', 'y', 1000, 'm1'), ('2026-01-31', 'gcp', 'y', 0, NULL), "
            "('2026-01-15', NULL, '" P1 "', 1e5, 'null'), ('2026-02-01', 'gcp', 'x', 1e6, 'x')");
    assert_int_equal(derive(p, FXCI_RUN_COSTS, "2026-01-31"), 1);
    assert_true(ask(p, "SELECT count(*) FROM fxci_derived.task_run_costs_v1 WHERE "
                       "attribution_worker_cost = 15 AND attribution_worker_uptime = 4000 AND "
                       "run_duration = 3600 AND run_cost = 13.5 AND attribution_method = 'm1,m2' "
                       "AND worker_project = 'b," P1 "," P3 "'") == 1);
}

static void nulls_of_providers_and_costs(void **state)
{
    struct costs_place *p = *state;
    make_run(p, "2026-01-30 23:00", "2026-01-31 00:00");
    workers(p, "('2026-01-15', 'gcp', 'x', 1)", "('2026-01-15', NULL, '" P1 "', 1e5, 'm')");
    assert_int_equal(derive(p, FXCI_RUN_COSTS, "2026-01-31"), 0);
    workers(p, "('2026-01-15', 'gcp', 'x', NULL::DOUBLE)", "('2026-01-15', 'gcp', 'x', 1e5, 'm')");
    assert_int_equal(derive(p, FXCI_RUN_COSTS, "2026-01-31"), 1);
    assert_true(ask(p, "SELECT count(*) FROM fxci_derived.task_run_costs_v1 WHERE run_cost IS NULL "
                       "AND attribution_worker_cost IS NULL") == 1);
    workers(p, "('2026-01-15', 'gcp', 'x', NULL), ('2026-01-15', 'gcp', 'x', 2)",
            "('2026-01-15', 'gcp', 'x', 3600, 'm')");
    assert_int_equal(derive(p, FXCI_RUN_COSTS, "2026-01-31"), 1);
    assert_true(ask(p, "SELECT run_cost FROM fxci_derived.task_run_costs_v1") == 2);
    workers(p, "('2026-01-15', 'gcp', 'x', 1)", "('2026-01-15', 'gcp', 'x', NULL::DOUBLE, 'm')");
    assert_int_equal(derive(p, FXCI_RUN_COSTS, "2026-01-31"), 0);
}

static void durations_are_whole_seconds_within_the_uptime(void **state)
{
    static const struct {
        const char *started, *resolved, *uptime;
        int duration; // -1: no row
    } cases[] = {
        {"2026-01-30 10:00:00.900", "2026-01-30 10:20:00.100", "1199", 1199},
        {"2026-01-30 10:00:00.900", "2026-01-30 10:20:00.899999", "1199", 1199},
        {"2026-01-30 10:00:00.900", "2026-01-30 10:20:00.900", "1199.999", -1},
        {"2026-01-30 23:59:59.999999", "2026-01-31 00:00:00", "1", 0},
        {"2026-01-30 10:00:00", "2026-01-30 10:00:00", "0", -1},
        {"2026-01-30 10:00:00", "2026-01-30 10:00:00", "-1", -1},
    };
    struct costs_place *p = *state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char usage[256];
        (void)snprintf(usage, sizeof usage, "('2026-01-15', 'gcp', 'x', %s, 'm')", cases[i].uptime);
        make_run(p, cases[i].started, cases[i].resolved);
        workers(p, "('2026-01-15', 'gcp', 'x', 1)", usage);
        assert_int_equal(derive(p, FXCI_RUN_COSTS, "2026-01-31"), cases[i].duration >= 0);
        assert_true(ask(p, "SELECT max(run_duration) FROM fxci_derived.task_run_costs_v1") ==
                    cases[i].duration);
    }
}

static void other_days_and_tables_stay_as_they_are(void **state)
{
    struct costs_place *p = *state;
    struct err err = {0};
    uint64_t n;
    workers(p, "('2026-01-14', 'gcp', 'x', 1), ('2026-01-15', 'gcp', 'x', 1)",
            "('2026-01-15', 'gcp', 'x', 1, 'm')");
    assert_int_equal(derive(p, FXCI_WORKER_COSTS, "2026-01-15"), 0);
    assert_true(ask(p, "SELECT count(*) FROM fxci_derived.worker_costs_v1") == 1);
    assert_true(ask(p, "SELECT count(*) FROM fxci_derived.worker_usage_v1") == 1);
    assert_int_equal(derive_table(p->w, &p->tables, &p->config, FXCI_RUNS, 0, &n, &err), E_ARG);
    p->config.monitoring.projects[0] = NULL;
    assert_int_equal(derive_table(p->w, &p->tables, &p->config, FXCI_WORKER_COSTS, 0, &n, &err),
                     E_ARG);
    assert_contains(err.text, "monitoring.projects");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_COSTS(the_vectors_come_out_and_again),
        WITH_COSTS(the_worked_examples_come_out),
        WITH_COSTS(empty_parts_and_names_of_resources),
        WITH_COSTS(machines_of_azure_in_any_letter_case),
        WITH_COSTS(costs_and_use_of_31_days_count),
        WITH_COSTS(nulls_of_providers_and_costs),
        WITH_COSTS(durations_are_whole_seconds_within_the_uptime),
        WITH_COSTS(other_days_and_tables_stay_as_they_are),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
