/* SPDX-License-Identifier: MPL-2.0 */
#include "fxci/metrics.h"

#include "base/base_test.h"
#include "base/utc.h"
#include "net/loopback.h"

#define LEVEL1 "fxci-production-level1-workers"
#define LEVEL3 "fxci-production-level3-workers"
#define UPTIME "compute.googleapis.com/instance/uptime"
#define SERIES_OF(TYPE, PROJECT, ID, VALUE)                                                        \
    "{\"metric\":{\"type\":\"" TYPE "\"},\"resource\":{\"labels\":{\"project_id\":\"" PROJECT      \
    "\",\"zone\":\"z\",\"instance_id\":\"" ID                                                      \
    "\"}},\"points\":[{\"interval\":{\"startTime\":\"2026-08-19T00:00:00Z\",\"endTime\":"          \
    "\"2026-08-19T23:59:59Z\"},\"value\":{\"doubleValue\":" VALUE "}}]}"
#define SERIES(PROJECT, ID, VALUE) SERIES_OF(UPTIME, PROJECT, ID, VALUE)

enum { DAY = 20684, ANSWERS = 8, ANSWER_BYTES = 2048 };

struct fixture {
    char dir[TEST_PATH_BYTES], path[TEST_PATH_BYTES + 16], url[TEST_PATH_BYTES + 32];
    struct fxci_config config;
    struct fxci_tables tables;
    struct metrics_run run;
    struct metrics_counts counts;
    struct loopback server;
    struct answer answers[ANSWERS];
    char texts[ANSWERS][ANSWER_BYTES];
    size_t n_answers;
    char said[4096], rows[4096];
    unsigned n_opened;
    struct err err;
};

static void say(void *arg, const char *line)
{
    struct fixture *f = arg;
    const size_t len = strlen(f->said);
    (void)snprintf(f->said + len, sizeof f->said - len, "%s\n", line);
}

static int open_warehouse(void *arg, struct warehouse **w, struct err *err)
{
    struct fixture *f = arg;
    f->n_opened++;
    return warehouse_open(w, &(const struct warehouse_config){.url = f->url}, err);
}

static const struct metric_config uptime = {
    .name = "uptime",
    .type = UPTIME,
    .aligner = "ALIGN_SUM",
    .reducer = "REDUCE_SUM",
    .group_fields = {"metric.labels.instance_name", "resource.labels.instance_id",
                     "resource.labels.zone"},
    .column = "uptime",
};

static int set_up(void **state)
{
    static struct fixture f;
    f = (struct fixture){0};
    make_temp_dir(f.dir);
    (void)snprintf(f.path, sizeof f.path, "%s/answers", f.dir);
    (void)snprintf(f.url, sizeof f.url, "duckdb://%s/w.duckdb", f.dir);
    assert_int_equal(fxci_tables_init(&f.tables, &(const struct fxci_table_names){0}, false, NULL),
                     0);
    f.config.monitoring.projects[0] = LEVEL1;
    f.config.monitoring.projects[1] = LEVEL3;
    f.config.monitoring.metrics[0] = uptime;
    f.config.monitoring.n_metrics = 1;
    f.run = (struct metrics_run){.config = &f.config,
                                 .date = DAY,
                                 .timeseries = f.path,
                                 .say = say,
                                 .say_arg = &f,
                                 .open_warehouse = open_warehouse,
                                 .open_arg = &f,
                                 .tables = &f.tables};
    assert_int_equal(utc_parse(&f.run.now_us, "2026-08-20T04:30:00Z", NULL), 0);
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    if (f->server.thread)
        loopback_stop(&f->server);
    char command[TEST_PATH_BYTES + 16];
    (void)snprintf(command, sizeof command, "rm -r '%s'", f->dir);
    assert_int_equal(system(command), 0); // the warehouse leaves files of its own
    return 0;
}

static void put_file(const struct fixture *f, const char *text)
{
    FILE *file = fopen(f->path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, strlen(text), file), strlen(text));
    assert_int_equal(fclose(file), 0);
}

static int run(struct fixture *f)
{
    f->err = (struct err){0};
    f->said[0] = '\0';
    return metrics_export(&f->run, &f->counts, &f->err);
}

static int take_row(void *arg, const struct cell *cells, struct err *err)
{
    struct fixture *f = arg;
    const size_t len = strlen(f->rows);
    (void)snprintf(f->rows + len, sizeof f->rows - len, "%.*s;", (int)cells[0].text.len,
                   (const char *)cells[0].text.ptr);
    (void)err;
    return 0;
}

/* What `select` gives, one text a row. */
static void assert_rows(struct fixture *f, const char *select, const char *want)
{
    static const struct column columns[] = {{.name = "t", .type = COLUMN_STRING}, {.name = NULL}};
    struct warehouse *w = NULL;
    f->rows[0] = '\0';
    assert_int_equal(warehouse_open(&w, &(const struct warehouse_config){.url = f->url}, &f->err),
                     0);
    assert_int_equal(warehouse_query(w, select, columns, take_row, f, &f->err), 0);
    warehouse_close(w);
    assert_string_equal(f->rows, want);
}
#define ROWS                                                                                       \
    "SELECT project || ' ' || instance_id || ' ' || uptime AS t FROM "                             \
    "fxci_derived.worker_metrics_v1 ORDER BY ALL"

static void a_day_is_taken_ten_minutes_after_its_end(void **state)
{
    struct fixture *f = *state;
    put_file(f, "{\"requests\":[]}");
    f->run.dry_run = true;
    assert_int_equal(utc_parse(&f->run.now_us, "2026-08-20T00:10:00Z", NULL), 0);
    assert_int_equal(run(f), 0);
    f->run.now_us -= 1000; // 00:09:59.999
    assert_int_equal(unlink(f->path), 0);
    assert_int_equal(run(f), E_AGAIN); // before anything else
    assert_contains(f->err.text, "2026-08-19T23:59:59Z");
    assert_contains(f->err.text, "10 minutes");
    f->run.date += 100;
    assert_int_equal(run(f), E_AGAIN);
}

static void series_take_the_place_of_the_days_rows(void **state)
{
    struct fixture *f = *state;
    put_file(f, "{\"project\":\"" LEVEL3 "\",\"pages\":[{\"timeSeries\":[" SERIES(
                    LEVEL3, "3", "30.125") "]},{}]}\n{\"project\":\"" LEVEL1
                                           "\",\"pages\":[{\"timeSeries\":[" SERIES(
                                               LEVEL1, "1", "10") "," SERIES(LEVEL1, "1",
                                                                             "11") "]}]}\n");
    for (int i = 0; i < 2; i++) {
        assert_int_equal(run(f), 0);
        assert_int_equal(f->counts.n_series, 3);
        assert_int_equal(f->counts.n_rows, 2);
        assert_int_equal(f->counts.n_duplicate, 1);
        assert_rows(f, ROWS, LEVEL1 " 1 10.0;" LEVEL3 " 3 30.12;");
    }
    put_file(f, "{\"requests\":[{\"project\":\"" LEVEL1
                "\",\"pages\":[{\"timeSeries\":[" SERIES(LEVEL1, "2", "5") ",{}]}]}]}");
    assert_int_equal(run(f), 0);
    assert_int_equal(f->counts.n_skipped, 1);
    assert_rows(f, ROWS, LEVEL1 " 2 5.0;");
}

static void nothing_leaves_the_table_as_it_is(void **state)
{
    struct fixture *f = *state;
    put_file(f, "{\"timeSeries\":[" SERIES(LEVEL1, "1", "10") "]}");
    assert_int_equal(run(f), 0);
    static const struct {
        const char *text;
        int code;
        const char *why;
    } bad[] = {
        {"", E_ABSENT, "no records"},
        {"{\"requests\":[]}", E_ABSENT, "no records"},
        {"{\"requests\":[{\"project\":\"other\",\"pages\":[{\"timeSeries\":[" SERIES("other", "9",
                                                                                     "9") "]}]}]}",
         E_ABSENT, "no records"},
        {"{\"timeSeries\":[{\"resource\":{\"labels\":{\"project_id\":\"" LEVEL1 "\"}}}]}", E_FORMAT,
         "none of 1 series can be read"},
        {"{\"project\":\"" LEVEL1 "\",\"pages\":[{\"timeSeries\":[" SERIES(
             LEVEL1, "2", "10") "],\"executionErrors\":[{\"code\":4,\"message\":\"too slow\"}]}]}",
         E_IO, "too slow"},
        {"{\"project\":\"" LEVEL1 "\",\"pages\":[[]]}", E_FORMAT, "no JSON object"},
        {"{\"project\":\"" LEVEL1 "\",\"pages\":[{\"timeSeries\":7}]}", E_FORMAT, "no list"},
        {"\n\n{\"requests\":[}", E_FORMAT, "/answers: line 3: no JSON"},
        {"{}", E_FORMAT, "neither"},
        {"{\"pages\":[]}", E_FORMAT, "no request"},
    };
    const unsigned n_opened = f->n_opened;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        put_file(f, bad[i].text);
        assert_int_equal(run(f), bad[i].code);
        assert_contains(f->err.text, bad[i].why);
    }
    assert_int_equal(f->n_opened, n_opened);
    assert_rows(f, ROWS, LEVEL1 " 1 10.0;");
}

static void a_dry_run_says_series_and_opens_no_warehouse(void **state)
{
    struct fixture *f = *state;
    put_file(f, "{\"timeSeries\":[" SERIES(LEVEL1, "1", "10.0") ",{\"odd\":1}]}");
    f->run.dry_run = true;
    f->run.open_warehouse = NULL;
    assert_int_equal(run(f), 0);
    assert_string_equal(f->said, SERIES(LEVEL1, "1", "10.0") "\n{\"odd\":1}\n");
    put_file(f, "");
    assert_int_equal(run(f), 0);
    assert_string_equal(f->said, "");
}

static void a_second_metric_has_its_own_table(void **state)
{
    struct fixture *f = *state;
    f->config.monitoring.metrics[1] = uptime;
    f->config.monitoring.metrics[1].name = "cpu";
    f->config.monitoring.metrics[1].type = "cpu/usage";
    f->config.monitoring.n_metrics = 2;
    assert_int_equal(run(f), E_ARG);
    assert_contains(f->err.text, "metrics uptime and cpu have one table");
    f->config.monitoring.metrics[1].table = "worker_cpu_v1";
    f->config.monitoring.metrics[1].column = "cpu";
    put_file(f, "{\"timeSeries\":[" SERIES_OF("cpu/usage", LEVEL1, "1", "2.5") "]}");
    assert_int_equal(run(f), E_ABSENT); // of uptime; cpu is stored all the same
    assert_contains(f->err.text, "metric uptime: no records");
    assert_rows(f, "SELECT instance_id || ' ' || cpu AS t FROM fxci_derived.worker_cpu_v1",
                "1 2.5;");
    put_file(f, "{\"timeSeries\":[" SERIES_OF("cpu/usage", LEVEL1, "1",
                                              "3.5") "," SERIES(LEVEL1, "1", "7") "]}");
    assert_int_equal(run(f), 0);
    assert_rows(f, ROWS, LEVEL1 " 1 7.0;");
    assert_rows(f, "SELECT instance_id || ' ' || cpu AS t FROM fxci_derived.worker_cpu_v1",
                "1 3.5;");
}

/* --- the service --- */

static void answer(struct fixture *f, const char *status, const char *body)
{
    char *text = f->texts[f->n_answers];
    (void)snprintf(text, ANSWER_BYTES, "HTTP/1.1 %s\r\nContent-Length: %zu\r\n\r\n%s", status,
                   strlen(body), body);
    f->answers[f->n_answers++].text = text;
}

static void serve(struct fixture *f)
{
    loopback_start(&f->server, f->answers, f->n_answers);
    f->config.monitoring.endpoint = f->server.url;
    f->run.timeseries = NULL;
}

#define QUERY                                                                                      \
    "/timeSeries?view=FULL&filter=metric.type%3D%22compute.googleapis.com%2Finstance%2Fuptime%22"  \
    "&interval.startTime=2026-08-19T00%3A00%3A00Z&interval.endTime=2026-08-19T23%3A59%3A59Z"       \
    "&aggregation.alignmentPeriod=86399s&aggregation.perSeriesAligner=ALIGN_SUM"                   \
    "&aggregation.crossSeriesReducer=REDUCE_SUM"                                                   \
    "&aggregation.groupByFields=metric.labels.instance_name"                                       \
    "&aggregation.groupByFields=resource.labels.instance_id"                                       \
    "&aggregation.groupByFields=resource.labels.zone"

static void assert_asked(const struct fixture *f, size_t i, const char *target)
{
    char line[1024];
    (void)snprintf(line, sizeof line, "GET /v3/projects/%s HTTP/1.1\r\n", target);
    assert_memory_equal(f->server.requests[i], line, strlen(line));
}

static void each_project_is_asked_for_all_pages(void **state)
{
    struct fixture *f = *state;
    answer(f, "200 OK", "{\"nextPageToken\":\"a/b\"}");
    answer(f, "200 OK", "{\"timeSeries\":[" SERIES(LEVEL1, "1", "10") "],\"nextPageToken\":\"\"}");
    answer(f, "200 OK", "{\"timeSeries\":[" SERIES(LEVEL3, "3", "30") "]}");
    serve(f);
    assert_int_equal(run(f), 0);
    assert_int_equal(f->server.n_requests, 3);
    assert_asked(f, 0, LEVEL1 QUERY);
    assert_asked(f, 1, LEVEL1 QUERY "&pageToken=a%2Fb");
    assert_asked(f, 2, LEVEL3 QUERY);
    assert_rows(f, ROWS, LEVEL1 " 1 10.0;" LEVEL3 " 3 30.0;");
}

static void a_project_that_fails_fails_the_whole(void **state)
{
    struct fixture *f = *state;
    answer(f, "200 OK", "{\"timeSeries\":[" SERIES(LEVEL1, "1", "10") "]}");
    answer(f, "403 X",
           "{\"error\":{\"code\":403,\"message\":\"Permission "
           "denied.\",\"status\":\"PERMISSION_DENIED\"}}");
    answer(f, "200 OK", "<html>");
    answer(f, "200 OK", "{\"nextPageToken\":\"x\"}");
    answer(f, "200 OK", "{\"nextPageToken\":\"x\"}");
    serve(f);
    assert_int_equal(run(f), E_IO);
    assert_contains(f->err.text, "metric uptime: project " LEVEL3
                                 ": Cloud Monitoring answers with status 403 PERMISSION_DENIED: "
                                 "Permission denied.");
    assert_int_equal(run(f), E_FORMAT);
    assert_contains(f->err.text, "no JSON");
    assert_int_equal(run(f), E_FORMAT);
    assert_contains(f->err.text, "do not come to an end");
    assert_int_equal(f->n_opened, 0);
}

static void what_passes_is_waited_for(void **state)
{
    struct fixture *f = *state;
    answer(f, "503 X", "{}");
    answer(f, "403 X", "{\"error\":{\"errors\":[{\"reason\":\"rateLimitExceeded\"}]}}");
    answer(f, "200 OK", "{\"timeSeries\":[" SERIES(LEVEL1, "1", "10") "]}");
    answer(f, "200 OK", "{}");
    serve(f);
    assert_int_equal(run(f), 0);
    assert_int_equal(f->counts.n_rows, 1);
}

#define PROMISE(FN) cmocka_unit_test_setup_teardown(FN, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        PROMISE(a_day_is_taken_ten_minutes_after_its_end),
        PROMISE(series_take_the_place_of_the_days_rows),
        PROMISE(nothing_leaves_the_table_as_it_is),
        PROMISE(a_dry_run_says_series_and_opens_no_warehouse),
        PROMISE(a_second_metric_has_its_own_table),
        PROMISE(each_project_is_asked_for_all_pages),
        PROMISE(a_project_that_fails_fails_the_whole),
        PROMISE(what_passes_is_waited_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
