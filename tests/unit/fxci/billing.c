/* SPDX-License-Identifier: MPL-2.0 */
#include "costs_test.h"
#include "fxci/derive.h"

#define GCP   WEIR_VECTORS "/fxci/billing-gcp.ndjson"
#define AZURE WEIR_VECTORS "/fxci/billing-azure.ndjson"

#define GCP_ROW(TIME, COST)                                                                        \
    "{\"project\":{\"id\":\"p\"},\"usage_start_time\":\"" TIME "\",\"cost\":" COST "}\n"
#define LOOKUP(EXPORT, ID)                                                                         \
    "{\"table\":\"" EXPORT "_daily_actual_lookup\",\"row\":{\"sourceDataId\":\"" ID "\"}}\n"
#define LOAD(EXPORT, ID, DATE, COST)                                                               \
    "{\"table\":\"" EXPORT "_daily_actual_load\",\"row\":{\"sourceDataId\":\"" ID                  \
    "\",\"date\":\"" DATE "\",\"costInBillingCurrency\":" COST "}}\n"

static double gcp_sum(struct costs_place *p)
{
    return ask(p, "SELECT sum(cost) FROM fxci_derived.gcp_billing");
}

static double azure_sum(struct costs_place *p)
{
    return ask(p, "SELECT sum(cost) FROM fxci_derived.azure_billing");
}

static double lookups(struct costs_place *p, const char *export)
{
    char sql[256];
    (void)snprintf(sql, sizeof sql,
                   "SELECT count(*) FROM fxci_derived.azure_billing WHERE is_lookup AND export = "
                   "'%s'",
                   export);
    return ask(p, sql);
}

static void the_vectors_twice_are_the_vectors_once(void **state)
{
    struct costs_place *p = *state;
    load_bills(p, GCP, AZURE);
    run_sql(p, "CREATE TABLE gcp AS FROM fxci_derived.gcp_billing");
    run_sql(p, "CREATE TABLE azure AS FROM fxci_derived.azure_billing");
    load_bills(p, GCP, AZURE);
    load_bills(p, NULL, AZURE);
    load_bills(p, GCP, NULL);
    assert_true(
        ask(p, "SELECT count(*) FROM (FROM gcp EXCEPT ALL FROM fxci_derived.gcp_billing)") == 0);
    assert_true(
        ask(p, "SELECT count(*) FROM (FROM fxci_derived.gcp_billing EXCEPT ALL FROM gcp)") == 0);
    assert_true(
        ask(p, "SELECT count(*) FROM (FROM azure EXCEPT ALL FROM fxci_derived.azure_billing)") ==
        0);
    assert_true(
        ask(p, "SELECT count(*) FROM (FROM fxci_derived.azure_billing EXCEPT ALL FROM azure)") ==
        0);
    assert_true(ask(p, "SELECT count(*) FROM gcp") > 20);
    assert_true(ask(p, "SELECT count(*) FROM duckdb_tables() WHERE table_name LIKE '%staged'") ==
                0);
}

static void a_later_export_of_a_day_takes_its_place(void **state)
{
    struct costs_place *p = *state;
    load_bills(p,
               write_text(p, "1",
                          GCP_ROW("2026-01-14T23:59:59.999999Z", "1")
                              GCP_ROW("2026-01-15T00:00:00Z", "2")
                                  GCP_ROW("2026-01-16T00:30:00+01:00", "4")),
               NULL);
    assert_true(gcp_sum(p) == 7);
    assert_true(ask(p, "SELECT sum(cost) FROM fxci_derived.gcp_billing WHERE usage_date = "
                       "'2026-01-15'") == 6);
    load_bills(p,
               write_text(p, "2",
                          GCP_ROW("2026-01-15 12:00:00 UTC",
                                  "8") "\n  \r\n" GCP_ROW("2026-01-15 23:59:59.5 UTC", "16")),
               NULL);
    assert_true(gcp_sum(p) == 25);
    load_bills(p, write_text(p, "3", ""), write_text(p, "4", "\n"));
    assert_true(gcp_sum(p) == 25);
}

static void snapshots_of_azure_are_replaced(void **state)
{
    struct costs_place *p = *state;
    load_bills(p, NULL,
               write_text(p, "1",
                          LOOKUP("fxci", "A") LOOKUP("fxci", "A") LOOKUP("fxci", "Z")
                              LOOKUP("taskcluster", "A") LOAD("fxci", "A", "2026-01-15", "1")
                                  LOAD("fxci", "A", "2026-01-16", "2")
                                      LOAD("fxci", "B", "2026-01-15", "4")
                                          LOAD("taskcluster", "A", "2026-01-15", "8")));
    assert_true(azure_sum(p) == 15);
    assert_true(lookups(p, "fxci") == 2);
    assert_true(lookups(p, "taskcluster") == 1);
    // C is new on a day that A and B had; A loses 16th, too, for it comes again; its look-up goes.
    load_bills(p, NULL,
               write_text(p, "2",
                          LOOKUP("fxci", "C") LOAD("fxci", "C", "2026-01-15", "16")
                              LOAD("fxci", "A", "2026-01-17", "32")));
    assert_true(azure_sum(p) == 56);
    assert_true(lookups(p, "fxci") == 2); // C, Z
    assert_true(ask(p, "SELECT count(*) FROM fxci_derived.azure_billing WHERE is_lookup AND "
                       "export = 'fxci' AND source_data_id IN ('C', 'Z')") == 2);
    assert_true(lookups(p, "taskcluster") == 1);
    // Look-up rows alone: a set that grows.
    load_bills(p, NULL, write_text(p, "3", LOOKUP("fxci", "A") LOOKUP("fxci", "C")));
    assert_true(azure_sum(p) == 56);
    assert_true(lookups(p, "fxci") == 3);
}

static void refuse(struct costs_place *p, const struct billing_files *files, int code,
                   const char *text)
{
    struct err err = {0};
    struct billing_counts counts;
    const int r = billing_load(p->w, &p->tables, files, &counts, &err);
    if (r != code)
        fail_msg("%d, not %d: %s", r, code, err.text);
    assert_contains(err.text, text);
    assert_true(gcp_sum(p) == 1);
    assert_true(azure_sum(p) == 2);
    assert_true(ask(p, "SELECT count(*) FROM duckdb_tables() WHERE table_name LIKE '%staged'") ==
                0);
}

static void what_is_wrong_is_named_and_nothing_changes(void **state)
{
    static const struct {
        bool azure;
        const char *text, *says;
    } cases[] = {
        {false, GCP_ROW("2026-01-15T00:00:00Z", "5") "\n{", "bad, line 3: it is no JSON object"},
        {false, "[1]\n", "bad, line 1: it is no JSON object"},
        {false, "{\"cost\":1}\n", "line 1: usage_start_time is no time"},
        {false, GCP_ROW("2026-02-30T00:00:00Z", "5"), "usage_start_time is no time"},
        {false, GCP_ROW("2026-01-15 00:00:00", "5"), "usage_start_time is no time"},
        {false, GCP_ROW("2026-01-15T00:00:00Z", "\"x\""), "cost is no number"},
        {false, GCP_ROW("2026-01-15T00:00:00Z", "true"), "cost is no number"},
        {false, GCP_ROW("2026-01-15T00:00:00Z", "1,\"credits\":{}"), "credits is no list"},
        {false, GCP_ROW("2026-01-15T00:00:00Z", "1,\"credits\":[1]"), "credits[0] is no object"},
        {false, GCP_ROW("2026-01-15T00:00:00Z", "1,\"resource\":\"x\""), "resource is no object"},
        {false, "{\"usage_start_time\":\"2026-01-15T00:00:00Z\",\"Cost\":1}\n", "no row has cost"},
        {true, LOOKUP("fxci", "A") LOOKUP("other", "A"),
         "line 2: there is no Azure table \"other_daily_actual_lookup\""},
        {true, "{\"row\":{}}\n", "line 1: there is no member table"},
        {true, "{\"table\":\"fxci_daily_actual_lookup\"}\n", "row is no object"},
        {true, "{\"table\":\"fxci_daily_actual_lookup\",\"row\":{}}\n", "sourceDataId is missing"},
        {true, LOAD("fxci", "A", "15.1.2026", "1"), "date is no day"},
        {true, LOAD("fxci", "A", "2026-01-15", "[]"), "costInBillingCurrency is no number"},
    };
    struct costs_place *p = *state;
    const char *gcp = write_text(p, "g", GCP_ROW("2026-01-15T00:00:00Z", "1"));
    const char *azure = write_text(p, "a", LOAD("fxci", "A", "2026-01-15", "2"));
    load_bills(p, gcp, azure);
    char other[TEST_PATH_BYTES + 128], again[TEST_PATH_BYTES + 128];
    (void)snprintf(other, sizeof other, "%s",
                   write_text(p, "o", GCP_ROW("2026-01-15T00:00:00Z", "7")));
    (void)snprintf(again, sizeof again, "%s", azure);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const char *bad = write_text(p, "bad", cases[i].text);
        refuse(p,
               &(struct billing_files){.gcp = cases[i].azure ? other : bad,
                                       .azure = cases[i].azure ? bad : NULL},
               E_FORMAT, cases[i].says);
    }
    refuse(p, &(struct billing_files){.gcp = "/nowhere"}, E_ABSENT, "/nowhere");
    refuse(p, &(struct billing_files){.azure = again, .azure_table = "load"}, E_ARG,
           "there is no Azure table \"load\"");
}

/* All of the vectors again, as other kinds of file; both CSV and Parquet are written by DuckDB. */
static void csv_and_parquet_and_gzip_say_the_same(void **state)
{
    struct costs_place *p = *state;
    load_bills(p, GCP, AZURE);
    run_sql(p, "CREATE TABLE gcp AS FROM fxci_derived.gcp_billing");
    run_sql(p, "CREATE TABLE azure AS FROM fxci_derived.azure_billing");
    char sql[4096], path[8][TEST_PATH_BYTES + 64];
    static const char *const names[] = {"g.parquet", "g-naive", "g[1]*.csv",   "g.csv.gz",
                                        "a.parquet", "a.csv",   "g.ndjson.gz", "a-gz"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        (void)snprintf(path[i], sizeof path[i], "%s/%s", p->dir, names[i]);
    (void)snprintf(
        sql, sizeof sql,
        "SET TimeZone = 'UTC'; CREATE TEMP TABLE g AS SELECT * REPLACE "
        "(usage_start_time::TIMESTAMPTZ AS "
        "usage_start_time) FROM read_json('" GCP "'); COPY g TO '%s' (FORMAT parquet); "
        "COPY (SELECT * REPLACE (usage_start_time::TIMESTAMP AS usage_start_time) FROM g) TO '%s' "
        "(FORMAT parquet); COPY (SELECT project.id AS \"project.id\", resource.name AS "
        "resource_name, resource.global_name AS resource_global_name, usage_start_time, cost, "
        "to_json(credits) AS credits FROM g) TO '%s' (FORMAT csv); COPY (SELECT project.id AS "
        "project_id, "
        "resource.name AS \"resource.name\", resource.global_name AS \"resource.global_name\", "
        "strftime(usage_start_time, '%%Y-%%m-%%d %%H:%%M:%%S UTC') AS usage_start_time, cost, "
        "to_json(credits) AS credits FROM g) TO '%s' (FORMAT csv, COMPRESSION gzip)",
        path[0], path[1], path[2], path[3]);
    run_sql(p, sql);
    (void)snprintf(sql, sizeof sql,
                   "CREATE TEMP TABLE a AS SELECT \"table\", unnest(\"row\") FROM read_json('" AZURE
                   "'); COPY a TO '%s' (FORMAT parquet); COPY a TO '%s' (FORMAT csv)",
                   path[4], path[5]);
    run_sql(p, sql);
    (void)snprintf(sql, sizeof sql, "gzip -c '" GCP "' >'%s' && gzip -c '" AZURE "' >'%s'", path[6],
                   path[7]);
    assert_int_equal(system(sql), 0); // NOLINT(cert-env33-c): paths of our own making
    static const int pairs[][2] = {{0, 4}, {1, 5}, {2, 7}, {3, 5}, {6, 7}};
    for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
        run_sql(p, "DELETE FROM fxci_derived.gcp_billing");
        run_sql(p, "DELETE FROM fxci_derived.azure_billing");
        load_bills(p, path[pairs[i][0]], path[pairs[i][1]]);
        assert_true(ask(p, "SELECT count(*) FROM (FROM gcp EXCEPT ALL FROM "
                           "fxci_derived.gcp_billing)") == 0);
        assert_true(ask(p, "SELECT count(*) FROM (FROM fxci_derived.gcp_billing EXCEPT ALL FROM "
                           "gcp)") == 0);
        assert_true(ask(p, "SELECT count(*) FROM (FROM azure EXCEPT ALL FROM "
                           "fxci_derived.azure_billing)") == 0);
        assert_true(ask(p, "SELECT count(*) FROM (FROM fxci_derived.azure_billing EXCEPT ALL FROM "
                           "azure)") == 0);
    }
}

static void a_file_of_one_azure_table_alone(void **state)
{
    struct costs_place *p = *state;
    struct err err = {0};
    struct billing_counts counts;
    const struct billing_files load = {
        .azure = write_text(p, "load.csv",
                            "date,sourceDataId,costInBillingCurrency,more\n2026-01-15,A,1.5,x\n"),
        .azure_table = "fxci_daily_actual_load"};
    const struct billing_files lookup = {
        .azure = write_text(p, "lookup", "{\"sourceDataId\":\"A\"}\n{\"sourceDataId\":null}\n"),
        .azure_table = "fxci_daily_actual_lookup"};
    assert_done(billing_load(p->w, &p->tables, &load, &counts, &err), &err);
    assert_int_equal(counts.n_azure_load, 1);
    assert_done(billing_load(p->w, &p->tables, &lookup, &counts, &err), &err);
    assert_int_equal(counts.n_azure_lookup, 1);
    assert_true(azure_sum(p) == 1.5);
    assert_true(lookups(p, "fxci") == 1);
}

static void credits_and_costs_may_be_text_null_or_absent(void **state)
{
    static const struct {
        const char *members;
        double cost, credits; // -1: NULL
    } cases[] = {
        {"\"cost\":1.5", 1.5, -1},
        {"\"cost\":\"1.5\",\"credits\":null", 1.5, -1},
        {"\"cost\":null,\"credits\":[]", -1, -1},
        {"\"cost\":0,\"credits\":[{\"amount\":null},{}]", 0, -1},
        {"\"cost\":1e2,\"credits\":[{\"amount\":\"0.25\"},{\"amount\":null},{\"amount\":0.5}]", 100,
         0.75},
    };
    struct costs_place *p = *state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char text[512];
        (void)snprintf(text, sizeof text, "{\"usage_start_time\":\"2026-01-15T00:00:00Z\",%s}\n",
                       cases[i].members);
        load_bills(p, write_text(p, "g", text), NULL);
        assert_true(gcp_sum(p) == cases[i].cost);
        assert_true(ask(p, "SELECT credits FROM fxci_derived.gcp_billing") == cases[i].credits);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_COSTS(the_vectors_twice_are_the_vectors_once),
        WITH_COSTS(a_later_export_of_a_day_takes_its_place),
        WITH_COSTS(snapshots_of_azure_are_replaced),
        WITH_COSTS(what_is_wrong_is_named_and_nothing_changes),
        WITH_COSTS(csv_and_parquet_and_gzip_say_the_same),
        WITH_COSTS(a_file_of_one_azure_table_alone),
        WITH_COSTS(credits_and_costs_may_be_text_null_or_absent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
