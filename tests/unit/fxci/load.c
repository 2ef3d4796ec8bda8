/* SPDX-License-Identifier: MPL-2.0 */
#include "fxci/load.h"

#include "fxci/derive.h"
#include "fxci/dump.h"
#include "rows.h"

#include <unistd.h>

enum { PATH_BYTES = 256 };

static struct fxci_tables tables;
static char dir[PATH_BYTES], url[PATH_BYTES + 32];
static unsigned n_opened;

static int open_warehouse(void *arg, struct warehouse **w, struct err *err)
{
    (void)arg;
    n_opened++;
    int r = warehouse_open(w, &(const struct warehouse_config){.url = url}, err);
    if (r == 0)
        r = fxci_tables_ensure(&tables, *w, err);
    return r;
}

static char *path_of(const char *name)
{
    static char path[PATH_BYTES + 64];
    (void)snprintf(path, sizeof path, "%s/%s", dir, name);
    return path;
}

static void write_file(const char *name, const char *text)
{
    FILE *file = fopen(path_of(name), "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static int load(enum fxci_table table, const char *name, uint64_t batch_rows,
                struct load_counts *counts, struct err *err)
{
    const struct load_options o = {.path = path_of(name),
                                   .tables = &tables,
                                   .table = table,
                                   .today = TODAY,
                                   .temp_dir = dir,
                                   .batch_rows = batch_rows,
                                   .open_warehouse = open_warehouse};
    n_opened = 0;
    return load_rows(&o, counts, err);
}

static int keep(void *arg, const void *bytes, size_t len, struct err *err)
{
    return buf_append(arg, bytes, len, err);
}

static void assert_dumped(const char *name, const char *want)
{
    struct warehouse *w = NULL;
    struct dump_source source;
    struct err err = {0};
    CLEANUP(buf_deinit) struct buf out = BUF_INIT(TEXT_MAX);
    assert_int_equal(open_warehouse(NULL, &w, &err), 0);
    assert_int_equal(dump_find(&source, &tables, name, &err), 0);
    if (dump_write(&source, w, INT64_MIN, ROWS_NDJSON, keep, &out, &err) != 0)
        fail_msg("%s", err.text);
    warehouse_close(w);
    assert_int_equal(buf_append_byte(&out, '\0', NULL), 0);
    assert_string_equal((const char *)out.data, want);
}

static void write_parquet(const char *name, const char *select)
{
    struct warehouse *w = NULL;
    struct err err = {0};
    char sql[2048], other[PATH_BYTES + 64];
    (void)snprintf(other, sizeof other, "duckdb://%s/parquet.duckdb", dir);
    (void)snprintf(sql, sizeof sql, "COPY (%s) TO '%s' (FORMAT parquet)", select, path_of(name));
    assert_int_equal(warehouse_open(&w, &(const struct warehouse_config){.url = other}, &err), 0);
    if (warehouse_query(w, sql, NULL, NULL, NULL, &err) != 0)
        fail_msg("%s", err.text);
    warehouse_close(w);
}

static void parquet_keeps_its_types(void **state)
{
    (void)state;
    struct err err = {0};
    struct load_counts counts;
    write_parquet("definitions", "SELECT 'T' AS \"taskId\", DATE '2026-08-20' AS submission_date, "
                                 "TIMESTAMPTZ '2026-08-20 01:02:03.4567+00' AS created, "
                                 "TIMESTAMP '2026-08-20 01:02:03' AS expires, "
                                 "['a', 'b'] AS routes, 5::UTINYINT AS retries, "
                                 "'{\"a\":1}'::JSON AS extra, '{\"a\":1}' AS payload, 1 AS more");
    if (load(FXCI_DEFINITIONS, "definitions", 0, &counts, &err) != 0)
        fail_msg("%s", err.text);
    assert_int_equal(counts.n_written, 1);
    assert_dumped("task_definitions",
                  "{\"submission_date\":\"2026-08-20\",\"taskId\":\"T\","
                  "\"created\":\"2026-08-20T01:02:03.456Z\",\"deadline\":null,\"dependencies\":[],"
                  "\"expires\":\"2026-08-20T01:02:03.000Z\",\"extra\":{\"a\":1},\"metadata\":null,"
                  "\"payload\":\"{\\\"a\\\":1}\",\"priority\":null,\"projectId\":null,"
                  "\"provisionerId\":null,\"requires\":null,\"retries\":5,\"routes\":[\"a\",\"b\"],"
                  "\"schedulerId\":null,\"scopes\":[],\"tags\":null,\"taskGroupId\":null,"
                  "\"taskQueueId\":null,\"workerType\":null}\n");
    write_parquet("tasks.parquet", "SELECT 'T' AS task_id, {'os': 'linux', 'x': NULL} AS tags "
                                   "UNION ALL SELECT 'U', NULL");
    if (load(FXCI_TASKS, "tasks.parquet", 0, &counts, &err) != 0)
        fail_msg("%s", err.text);
    assert_int_equal(counts.n_written, 2);
    write_parquet("keys", "SELECT 'T' AS task_id, 1 AS run_id UNION ALL SELECT 'U', NULL "
                          "UNION ALL SELECT 'U', NULL");
    if (load(FXCI_RUNS, "keys", 0, &counts, &err) != 0)
        fail_msg("%s", err.text);
    assert_int_equal(counts.n_written, 2);
}

static void batches_are_transactions_of_their_own(void **state)
{
    (void)state;
    struct err err = {0};
    struct load_counts counts;
    char text[4096];
    size_t len = 0;
    for (int i = 0; i < 25; i++)
        len += (size_t)snprintf(text + len, sizeof text - len,
                                "{\"task_id\":\"B\",\"run_id\":%d,\"state\":\"%d\"}\n", i % 20, i);
    write_file("runs", text);
    assert_int_equal(load(FXCI_RUNS, "runs", 10, &counts, &err), 0);
    assert_int_equal(n_opened, 3);
    assert_int_equal(counts.n_rows, 25);
    assert_int_equal(counts.n_written, 20);
    assert_int_equal(counts.n_duplicate, 5);
    write_file("empty", "\n\n");
    assert_int_equal(load(FXCI_RUNS, "empty", 10, &counts, &err), 0);
    assert_int_equal(n_opened, 0);
}

static void a_fault_at_the_end_stores_nothing(void **state)
{
    (void)state;
    struct err err = {0};
    struct load_counts counts;
    write_file("faulty", "{\"usage_start_date\":\"2026-08-19\",\"total_cost\":1}\n"
                         "{\"usage_start_date\":\"2026-08-19\",\"total_cost\":\"much\"}\n");
    assert_int_equal(load(FXCI_WORKER_COSTS, "faulty", 1, &counts, &err), E_FORMAT);
    assert_non_null(strstr(err.text, "faulty, line 2: total_cost is not a number"));
    assert_int_equal(n_opened, 0);
    assert_dumped("worker_costs_v1", "");
}

static void keys_sort_with_null_first(void **state)
{
    (void)state;
    struct err err = {0};
    struct load_counts counts;
    write_file("usage", "{\"cloud_provider\":\"gcp\",\"zone\":\"b\"}\n"
                        "{\"cloud_provider\":\"gcp\",\"zone\":\"B\"}\n"
                        "{\"cloud_provider\":\"gcp\",\"zone\":\"\xc3\xa9\"}\n"
                        "{\"cloud_provider\":\"gcp\"}\n"
                        "{}\n{}\n"
                        "{\"usage_start_date\":\"2026-08-19\"}\n");
    assert_int_equal(load(FXCI_WORKER_USAGE, "usage", 0, &counts, &err), 0);
    assert_int_equal(counts.n_duplicate, 1);
#define ROW(DATE, PROVIDER, ZONE)                                                                  \
    "{\"usage_start_date\":" DATE ",\"cloud_provider\":" PROVIDER ",\"project\":null,"             \
    "\"zone\":" ZONE ",\"instance_id\":null,\"uptime\":null,\"attribution_method\":null}\n"
    assert_dumped("worker_usage_v1",
                  ROW("null", "null", "null") ROW("null", "\"gcp\"", "null")
                      ROW("null", "\"gcp\"", "\"B\"") ROW("null", "\"gcp\"", "\"b\"")
                          ROW("null", "\"gcp\"", "\"\\u00e9\"")
                              ROW("\"2026-08-19\"", "null", "null"));
#undef ROW
}

static int make_dir(void **state)
{
    (void)state;
    (void)snprintf(dir, sizeof dir, "%s/weir-test-XXXXXX", "/tmp");
    if (!mkdtemp(dir))
        return -1;
    (void)snprintf(url, sizeof url, "duckdb://%s/warehouse.duckdb", dir);
    return fxci_tables_init(&tables, &(const struct fxci_table_names){0}, false, NULL);
}

/* Fails where anything else was left there. */
static int remove_dir(void **state)
{
    (void)state;
    static const char *const names[] = {"definitions",
                                        "tasks.parquet",
                                        "bad",
                                        "runs",
                                        "empty",
                                        "faulty",
                                        "usage",
                                        "keys",
                                        "warehouse.duckdb",
                                        "warehouse.duckdb.lock",
                                        "parquet.duckdb",
                                        "parquet.duckdb.lock"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        (void)unlink(path_of(names[i]));
    return rmdir(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parquet_keeps_its_types),
        cmocka_unit_test(batches_are_transactions_of_their_own),
        cmocka_unit_test(a_fault_at_the_end_stores_nothing),
        cmocka_unit_test(keys_sort_with_null_first),
    };
    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
