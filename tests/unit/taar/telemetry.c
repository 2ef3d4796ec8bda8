/* SPDX-License-Identifier: MPL-2.0 */
#include "taar/telemetry.h"

#include "../base/base_test.h"
#include "base/outfile.h"
#include "base/utc.h"

#include <dirent.h>
#include <stdio.h>
#include <unistd.h>

static const char clients_file[] = WEIR_VECTORS "/taar/clients/clients_daily.ndjson";
static const char addon[] = "{\"addon_id\":\"a@b\",\"is_system\":null,\"scope\":4}";
enum { SQL_MAX = 1 << 20 };

struct place {
    char dir[TEST_PATH_BYTES];
    char path[2 * TEST_PATH_BYTES]; // of what `at` was asked for last
};

static int make_place(void **state)
{
    struct place *p = calloc(1, sizeof *p);
    assert_non_null(p);
    *state = p;
    make_temp_dir(p->dir);
    return 0;
}

static int remove_place(void **state)
{
    struct place *p = *state;
    char command[TEST_PATH_BYTES + 16];
    (void)snprintf(command, sizeof command, "rm -rf '%s'", p->dir);
    free(p);
    return system(command); // NOLINT(cert-env33-c): a path of our own making
}
#define PLACED(test) cmocka_unit_test_setup_teardown(test, make_place, remove_place)

static const char *at(struct place *p, const char *name)
{
    (void)snprintf(p->path, sizeof p->path, "%s/%s", p->dir, name);
    return p->path;
}

static int64_t day(const char *text)
{
    int64_t days;
    assert_true(utc_parse_date(&days, span_str(text)));
    return days;
}

static void write_file(struct place *p, const char *name, const char *text)
{
    char dir[sizeof p->path];
    (void)snprintf(dir, sizeof dir, "%s", at(p, name));
    *strrchr(dir, '/') = '\0';
    assert_int_equal(make_directories(dir, NULL), 0);
    FILE *f = fopen(p->path, "w");
    assert_non_null(f);
    assert_int_equal(fputs(text, f) >= 0, 1);
    assert_int_equal(fclose(f), 0);
}

/* A line of a client; extra: more members. */
static void write_client(struct place *p, const char *name, const char *client, const char *extra)
{
    char text[1024];
    (void)snprintf(text, sizeof text, "{\"client_id\":\"%s\",\"active_addons\":[%s]%s%s}\n", client,
                   addon, *extra ? "," : "", extra);
    write_file(p, name, text);
}

static struct telemetry_config config_of(struct place *p, const char *source, const char *first,
                                         const char *last)
{
    return (struct telemetry_config){.source = source,
                                     .kind = TELEMETRY_CLIENTS,
                                     .first = day(first),
                                     .last = day(last),
                                     .temp_dir = p->dir};
}

struct answer {
    struct telemetry *t;
    const char *select;
    char text[4096];
    size_t n_pieces;
};

static int take_text(void *arg, const struct cell *cells, struct err *err)
{
    struct answer *a = arg;
    const size_t n = strlen(a->text);
    (void)err;
    (void)snprintf(a->text + n, sizeof a->text - n, "%.*s;",
                   cells[0].is_null ? 1 : (int)cells[0].text.len,
                   cells[0].is_null ? "-" : (const char *)cells[0].text.ptr);
    return 0;
}

static int ask_piece(void *arg, const char *relation, struct err *err)
{
    static const struct column text[] = {{.name = "t", .type = COLUMN_STRING}, {.name = NULL}};
    struct answer *a = arg;
    CLEANUP(buf_deinit) struct buf sql = BUF_INIT(SQL_MAX);
    a->n_pieces++;
    assert_int_equal(buf_printf(&sql, err, "SELECT CAST(%s AS VARCHAR) FROM ", a->select), 0);
    assert_int_equal(buf_append(&sql, relation, strlen(relation), err), 0);
    assert_int_equal(buf_append(&sql, " ORDER BY 1", sizeof " ORDER BY 1", err), 0);
    return warehouse_query(telemetry_warehouse(a->t), (const char *)sql.data, text, take_text, a,
                           err);
}

static int ask_all(struct answer *a, const struct telemetry_config *config, bool whole,
                   struct err *err)
{
    int r = telemetry_open(&a->t, config, err);
    if (r == 0)
        r = telemetry_each(a->t, whole, ask_piece, a, err);
    telemetry_close(a->t);
    return r;
}

/* What select gives over all rows, sorted, each followed by ";". */
static void gives(const struct telemetry_config *config, const char *select, const char *expected)
{
    struct err err = {0};
    struct answer a = {.select = select};
    const int r = ask_all(&a, config, true, &err);
    assert_string_equal(err.text, "");
    assert_int_equal(r, 0);
    assert_string_equal(a.text, expected);
}

static void fails(const struct telemetry_config *config, int code, const char *saying)
{
    struct err err = {0};
    struct answer a = {.select = "client_id"};
    assert_int_not_equal(ask_all(&a, config, true, &err), 0);
    if (!strstr(err.text, saying))
        assert_string_equal(err.text, saying);
    assert_int_equal(err.code, code);
}

/* Run SQL in a DuckDB of the place: to write Parquet and tables. */
static void PRINTF_LIKE(2, 3) run_sql(struct place *p, const char *fmt, ...)
{
    char sql[8192], url[sizeof p->path + 16];
    CLEANUP(warehouse_closep) struct warehouse *w = NULL;
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(sql, sizeof sql, fmt, args);
    va_end(args);
    (void)snprintf(url, sizeof url, "duckdb://%s", at(p, "w.duckdb"));
    const struct warehouse_config config = {.url = url, .n_threads = 1};
    struct err err = {0};
    int r = warehouse_open(&w, &config, &err);
    if (r == 0)
        r = warehouse_query(w, sql, NULL, NULL, NULL, &err);
    assert_string_equal(err.text, "");
    assert_int_equal(r, 0);
}

static void a_file_gives_the_rows_of_the_wanted_days(void **state)
{
    const struct telemetry_config one = config_of(*state, clients_file, "2021-03-14", "2021-03-14");
    gives(&one, "count(*)", "582;");
    struct telemetry_config all = one;
    all.first = TELEMETRY_ANY_FIRST;
    all.last = TELEMETRY_ANY_LAST;
    gives(&all, "count(*)", "768;");
}

static void folders_of_other_days_are_never_read(void **state)
{
    struct place *p = *state;
    write_client(p, "in/submission_date_s3=20210313/a", "13", "");
    write_client(p, "in/submission_date_s3=20210314/a", "14", "");
    write_client(p, "in/submission_date=2021-03-15/more/a.ndjson", "15", "");
    write_file(p, "in/submission_date_s3=20210316/a", "no JSON\n");
    write_file(p, "in/submission_date_s3=20210314/_SUCCESS", "");
    write_file(p, "in/submission_date_s3=20210314/.a.crc", "crc");
    const struct telemetry_config config = config_of(p, at(p, "in"), "2021-03-14", "2021-03-15");
    gives(&config, "client_id || ' ' || submission_date", "14 2021-03-14;15 2021-03-15;");
}

static void globs_and_dates_in_names_choose_files(void **state)
{
    struct place *p = *state;
    write_client(p, "in/submission_date_s3=20210314/a.json", "14", "");
    write_client(p, "in/submission_date_s3=20210314/b.txt", "no", "");
    write_client(p, "in/submission_date_s3=20210315/x/a.json", "15", "");
    struct telemetry_config config = config_of(p, at(p, "in/*/a.json"), "2021-03-01", "2021-03-31");
    gives(&config, "client_id", "14;");
    config.source = at(p, "in/**/a.json");
    gives(&config, "client_id", "14;15;");
    config.source = at(p, "in/submission_date_s3=2021031[5]");
    gives(&config, "client_id", "15;");
    config.source = at(p, "in/submission_date_s3={dateformat}/");
    config.first = config.last = day("2021-03-15");
    gives(&config, "client_id || ' ' || submission_date", "15 2021-03-15;");
}

static void a_date_column_is_text_number_or_date_by_either_name(void **state)
{
    struct place *p = *state;
    write_client(p, "in/a", "a", "\"submission_date_s3\":\"20210314\"");
    write_client(p, "in/b", "b", "\"submission_date\":\"2021-03-14\"");
    write_client(p, "in/c", "c", "\"submission_date_s3\":20210315");
    write_client(p, "in/d", "d", "\"submission_date\":\"2020-03-14\"");
    run_sql(p,
            "COPY (SELECT 'e' AS client_id, DATE '2021-03-15' AS submission_date, "
            "[{'addon_id': 'a'}] AS active_addons) TO '%s/in/e' (FORMAT parquet); "
            "COPY (SELECT 'f' AS client_id, 20210315 AS submission_date_s3, "
            "[{'addon_id': 'a'}] AS active_addons) TO '%s/in/f' (FORMAT parquet)",
            p->dir, p->dir);
    const struct telemetry_config config = config_of(p, at(p, "in"), "2021-03-14", "2021-03-15");
    gives(&config, "client_id || ' ' || submission_date",
          "a 2021-03-14;b 2021-03-14;c 2021-03-15;e 2021-03-15;f 2021-03-15;");
}

static void parquet_gives_what_its_json_gives(void **state)
{
    struct place *p = *state;
    run_sql(p,
            "COPY (SELECT * REPLACE (CAST(subsession_hours_sum AS DECIMAL(37,6)) AS "
            "subsession_hours_sum) FROM read_json('%s', format = 'newline_delimited', "
            "sample_size = -1)) TO '%s/all.parquet' (FORMAT parquet)",
            clients_file, p->dir);
    static const char select[] =
        "sum(subsession_hours_sum) || ' ' || sum(len(active_addons)) || ' ' || count(city) || ' ' "
        "|| typeof(any_value(active_addons)) || ' ' || md5(string_agg(to_json(active_addons), ',' "
        "ORDER BY client_id, submission_date, locale, len(active_addons)))";
    const struct telemetry_config json = config_of(p, clients_file, "2021-03-01", "2021-03-14");
    struct answer a = {.select = select};
    assert_int_equal(ask_all(&a, &json, true, NULL), 0);
    const struct telemetry_config parquet =
        config_of(p, at(p, "all.parquet"), "2021-03-01", "2021-03-14");
    gives(&parquet, select, a.text);
}

static void lists_as_bigquery_exports_them_are_unwrapped(void **state)
{
    struct place *p = *state;
    run_sql(p,
            "COPY (SELECT 'c' AS client_id, {'list': [{'element': {'type': 'extension', "
            "'addon_id': 'x', 'scope': 4::INTEGER}}]} AS active_addons) TO '%s/x.parquet' "
            "(FORMAT parquet)",
            p->dir);
    struct telemetry_config config = config_of(p, at(p, "x.parquet"), "2021-03-14", "2021-03-14");
    config.first = TELEMETRY_ANY_FIRST;
    config.last = TELEMETRY_ANY_LAST;
    gives(&config, "active_addons[1].addon_id || active_addons[1].scope", "x4;");
    gives(&config, "active_addons[1].is_system", "-;");
}

static void hours_stay_exact(void **state)
{
    struct place *p = *state;
    write_client(p, "a", "a", "\"subsession_hours_sum\":\"12345678901234567.123456789\"");
    write_client(p, "b", "b", "\"subsession_hours_sum\":5.562615");
    run_sql(p,
            "COPY (SELECT 'a' AS client_id, [{'addon_id': 'a'}] AS active_addons, "
            "CAST('1234567890123456789012345678.123456' AS DECIMAL(37,6)) AS subsession_hours_sum) "
            "TO '%s/c' (FORMAT parquet)",
            p->dir);
    struct telemetry_config config = config_of(p, at(p, "[abc]"), "2021-03-14", "2021-03-14");
    config.first = TELEMETRY_ANY_FIRST;
    config.last = TELEMETRY_ANY_LAST;
    gives(&config, "subsession_hours_sum",
          "12345678901234567.123456789;1234567890123456789012345678.123456000;5.562615000;");
}

static void packed_json_is_told_by_its_content(void **state)
{
    struct place *p = *state;
    write_client(p, "plain.gz", "a", "\"submission_date\":\"2021-03-14\"");
    run_sql(
        p,
        "COPY (SELECT 'b' AS client_id, '2021-03-14' AS submission_date, [{'addon_id': 'a'}] AS "
        "active_addons) TO '%s/packed' (FORMAT json, COMPRESSION gzip)",
        p->dir);
    const struct telemetry_config config = config_of(p, at(p, "p*"), "2021-03-14", "2021-03-14");
    gives(&config, "client_id", "a;b;");
}

static void what_is_needed_and_missing_is_named(void **state)
{
    static const char *const needed[] = {"client_id", "channel", NULL};
    struct place *p = *state;
    write_client(p, "a", "a", "\"submission_date\":\"2021-03-14\"");
    struct telemetry_config config = config_of(p, at(p, "a"), "2021-03-14", "2021-03-14");
    gives(&config, "channel", "-;");
    config.needed = needed;
    fails(&config, E_FORMAT, "/a has no column channel");
    run_sql(p, "COPY (SELECT 'b' AS client_id, 'x' AS active_addons) TO '%s/b' (FORMAT parquet)",
            p->dir);
    config = config_of(p, at(p, "b"), "2021-03-14", "2021-03-14");
    fails(&config, E_FORMAT, "no column submission_date");
    config.first = TELEMETRY_ANY_FIRST;
    config.last = TELEMETRY_ANY_LAST;
    fails(&config, E_FORMAT, "/b: column active_addons: it is of type VARCHAR");
}

static void a_line_that_is_no_json_is_named(void **state)
{
    struct place *p = *state;
    write_file(p, "a",
               "{\"client_id\":\"a\",\"active_addons\":[],\"submission_date\":\"2021-03-14\"}\n{"
               "\"client_id\":\n{}\n");
    struct telemetry_config config = config_of(p, at(p, "a"), "2021-03-14", "2021-03-14");
    fails(&config, E_FORMAT, "/a:2: ");
    write_file(
        p, "b",
        "{\"client_id\":\"a\",\"active_addons\":[],\"submission_date\":\"2021-03-14\"}\n[1]\n");
    config.source = at(p, "b");
    fails(&config, E_FORMAT, "/b:2: ");
}

static void nothing_of_the_day_is_absent(void **state)
{
    struct place *p = *state;
    struct telemetry_config config = config_of(p, clients_file, "2022-01-01", "2022-01-01");
    fails(&config, E_ABSENT, "holds nothing of 2022-01-01");
    config.source = at(p, "not-there/");
    fails(&config, E_ABSENT, "holds nothing of 2022-01-01");
    config.source = "main.not_there";
    fails(&config, E_ABSENT, "main.not_there");
    write_client(p, "in/submission_date_s3=2021031/a", "a", "");
    config.source = at(p, "in");
    fails(&config, E_FORMAT, "submission_date_s3=2021031");
}

static void a_table_is_a_source(void **state)
{
    struct place *p = *state;
    char url[sizeof p->path + 16];
    run_sql(p,
            "CREATE TABLE t AS SELECT * FROM read_json('%s', format = 'newline_delimited', "
            "sample_size = -1); CREATE TABLE addons AS SELECT 'c' AS client_id, "
            "'a' AS addon_id, DATE '2021-03-14' AS submission_date",
            clients_file);
    (void)snprintf(url, sizeof url, "duckdb://%s", at(p, "w.duckdb"));
    const struct warehouse_config warehouse = {.url = url, .read_only = true};
    struct telemetry_config config = config_of(p, "main.t", "2021-03-14", "2021-03-14");
    config.warehouse = &warehouse;
    gives(&config, "count(*)", "582;");
    config.source = "t";
    gives(&config, "count(*)", "582;");
    config.source = "absent";
    fails(&config, E_ABSENT, "absent is no file or directory, and no table of");
    config.source = "addons";
    config.kind = TELEMETRY_ADDONS;
    gives(&config, "addon_id", "a;");
}

static void deletions_have_the_day_of_their_time(void **state)
{
    struct telemetry_config config = config_of(
        *state, WEIR_VECTORS "/taar/profile/deletion_requests.ndjson", "2021-02-13", "2021-03-14");
    config.kind = TELEMETRY_DELETIONS;
    gives(&config, "count(*) || ' ' || min(submission_timestamp) || ' ' || max(submission_date)",
          "22 2021-02-13 00:00:00+00 2021-03-14;");
}

static void ready_is_a_file_and_success(void **state)
{
    struct place *p = *state;
    bool ready = true;
    struct telemetry_config config = config_of(p, at(p, "in"), "2021-03-14", "2021-03-14");
    assert_int_equal(telemetry_ready(&config, &ready, NULL), 0);
    assert_false(ready);
    write_client(p, "in/submission_date_s3=20210314/a", "14", "");
    write_file(p, "in/submission_date_s3=20210313/_SUCCESS", "");
    config.source = at(p, "in");
    assert_int_equal(telemetry_ready(&config, &ready, NULL), 0);
    assert_false(ready);
    write_file(p, "in/submission_date_s3=20210314/_SUCCESS", "");
    config.source = at(p, "in");
    assert_int_equal(telemetry_ready(&config, &ready, NULL), 0);
    assert_true(ready);
}

static void nothing_is_left_in_the_temporary_folder(void **state)
{
    struct place *p = *state;
    const struct telemetry_config config = config_of(p, clients_file, "2021-03-14", "2021-03-14");
    gives(&config, "count(*)", "582;");
    DIR *d = opendir(p->dir);
    size_t n = 0;
    while (readdir(d))
        n++;
    (void)closedir(d);
    assert_int_equal(n, 2); // "." and ".."
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PLACED(a_file_gives_the_rows_of_the_wanted_days),
        PLACED(folders_of_other_days_are_never_read),
        PLACED(globs_and_dates_in_names_choose_files),
        PLACED(a_date_column_is_text_number_or_date_by_either_name),
        PLACED(parquet_gives_what_its_json_gives),
        PLACED(lists_as_bigquery_exports_them_are_unwrapped),
        PLACED(hours_stay_exact),
        PLACED(packed_json_is_told_by_its_content),
        PLACED(what_is_needed_and_missing_is_named),
        PLACED(a_line_that_is_no_json_is_named),
        PLACED(nothing_of_the_day_is_absent),
        PLACED(a_table_is_a_source),
        PLACED(deletions_have_the_day_of_their_time),
        PLACED(ready_is_a_file_and_success),
        PLACED(nothing_is_left_in_the_temporary_folder),
    };
    return cmocka_run_group_tests_name("taar/telemetry", tests, NULL, NULL);
}
