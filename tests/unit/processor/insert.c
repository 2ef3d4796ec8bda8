/* SPDX-License-Identifier: MPL-2.0 */
#include "processor/insert.h"

#include "../warehouse/warehouse_test.h"
#include "base/utc.h"
#include "processor/dump.h"

#include <inttypes.h>

#define WITH_PLACE(test) cmocka_unit_test_setup_teardown(test, make_place, remove_place)

static int keep(void *arg, const void *bytes, size_t len, struct err *err)
{
    return buf_append(arg, bytes, len, err);
}

struct rows {
    const char *batch;
    uint64_t n, first; // rows, and the aggregate of the first
    const char *origin, *timestamp;
};

static int each(void *arg, index_row_fn *fn, void *fn_arg, struct err *err)
{
    const struct rows *t = arg;
    int r = 0;
    for (uint64_t i = 0; i < t->n && r == 0; i++) {
        const struct index_row row = {
            .id = span_str("4f0e"),
            .timestamp = span_str(t->timestamp ? t->timestamp : "2020-08-03T20:06:46.920410"),
            .batch_id = span_str(t->batch),
            .origin = span_str(t->origin ? t->origin : "o"),
            .hash = span_str("h"),
            .index = t->n - i,
            .aggregate = t->first + i,
        };
        r = fn(fn_arg, &row, err);
    }
    return r;
}

static int insert(struct warehouse *w, const char *date, bool replace, struct rows t,
                  struct insert_counts *counts, struct err *err)
{
    CLEANUP(buf_deinit) struct buf said = BUF_INIT(1000);
    const struct insert_options options = {
        .place = {.warehouse = w}, .date = date, .replace_table = replace};
    const struct index_rows rows = {.each = each, .arg = &t};
    const struct stage_sink out = {.write = keep, .arg = &said};
    const int r = insert_rows(&options, &rows, &out, counts, err);
    if (r == 0) {
        char want[128];
        (void)snprintf(want, sizeof want,
                       "select count(*) from telemetry.content_blocking_dev\n%" PRIu64 "\n",
                       counts->n_table);
        assert_int_equal(buf_append_byte(&said, '\0', NULL), 0);
        assert_string_equal((const char *)said.data, want);
    }
    return r;
}

static void a_date_is_replaced_and_others_stay(void **state)
{
    CLEANUP(warehouse_closep) struct warehouse *w = open_place(*state);
    struct insert_counts counts;
    struct err err = {0};
    assert_ok(insert(w, "2026-03-14", false, (struct rows){.batch = "a", .n = 5}, &counts, &err),
              &err);
    assert_ok(insert(w, "2026-03-15", false, (struct rows){.batch = "a", .n = 7}, &counts, &err),
              &err);
    assert_int_equal(counts.n_table, 12);
    assert_ok(insert(w, "2026-03-14", false, (struct rows){.batch = "a", .n = 3}, &counts, &err),
              &err);
    assert_int_equal(counts.n_rows, 3);
    assert_int_equal(counts.n_table, 10);
    assert_ok(insert(w, "2026-03-16", true, (struct rows){.batch = "b", .n = 2}, &counts, &err),
              &err);
    assert_int_equal(counts.n_table, 2);
}

static void what_cannot_be_stored_is_named_and_changes_nothing(void **state)
{
    CLEANUP(warehouse_closep) struct warehouse *w = open_place(*state);
    struct insert_counts counts;
    struct err err = {0};
    static const struct {
        struct rows table;
        const char *date;
        int code;
        const char *says;
    } bad[] = {
        {{"b", 2, INT64_MAX, NULL, NULL},
         "2026-03-14",
         E_FORMAT,
         "record 4f0e of batch b, index 1: the aggregate exceeds 2^63-1"},
        {{"b", 1, 0, NULL, "yesterday"},
         "2026-03-14",
         E_FORMAT,
         "index 1: its timestamp is no time"},
        {{"b", 1, 0, "\xff", NULL}, "2026-03-14", E_FORMAT, "column origin is not UTF-8"},
        {{"b", 0, 0, NULL, NULL}, "2026-03-14", E_ABSENT, "nothing to insert for 2026-03-14"},
        {{"b", 1, 0, NULL, NULL}, "2026-02-30", E_ARG, "2026-02-30"},
    };
    assert_ok(insert(w, "2026-03-14", false, (struct rows){.batch = "a", .n = 5}, &counts, &err),
              &err);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        uint64_t n = 0;
        assert_int_equal(insert(w, bad[i].date, i % 2 == 0, bad[i].table, &counts, &err),
                         bad[i].code);
        assert_contains(err.text, bad[i].says);
        assert_ok(warehouse_count(w, "telemetry.content_blocking_dev", &n, &err), &err);
        assert_int_equal(n, 5);
    }
    assert_ok(insert(w, "2026-03-14", false,
                     (struct rows){.batch = "a", .n = 1, .first = INT64_MAX}, &counts, &err),
              &err);
}

static void dumped(struct warehouse *w, enum rows_format format, const char *date, const char *want)
{
    CLEANUP(buf_deinit) struct buf got = BUF_INIT(10000);
    struct err err = {0};
    const struct dump_options options = {.place = {.warehouse = w}, .date = date, .format = format};
    assert_ok(dump_rows(&options, &(struct stage_sink){.write = keep, .arg = &got}, &err), &err);
    assert_int_equal(buf_append_byte(&got, '\0', NULL), 0);
    assert_string_equal((const char *)got.data, want);
}

static void rows_are_dumped_in_order_in_every_format(void **state)
{
    CLEANUP(warehouse_closep) struct warehouse *w = open_place(*state);
    struct insert_counts counts;
    struct err err = {0};
    assert_ok(insert(w, "2026-03-15", false,
                     (struct rows){"z", 1, 9, "\xc3\xa9,\"\n", "2020-08-03T20:06:46"}, &counts,
                     &err),
              &err);
    assert_ok(insert(w, "2026-03-14", false, (struct rows){.batch = "a", .n = 2, .first = 100},
                     &counts, &err),
              &err);
    dumped(w, ROWS_NDJSON, NULL,
           "{\"id\":\"4f0e\",\"timestamp\":\"2020-08-03T20:06:46.920410\",\"batch_id\":\"a\","
           "\"origin\":\"o\",\"hash\":\"h\",\"index\":1,\"aggregate\":101,"
           "\"submission_date\":\"2026-03-14\"}\n"
           "{\"id\":\"4f0e\",\"timestamp\":\"2020-08-03T20:06:46.920410\",\"batch_id\":\"a\","
           "\"origin\":\"o\",\"hash\":\"h\",\"index\":2,\"aggregate\":100,"
           "\"submission_date\":\"2026-03-14\"}\n"
           "{\"id\":\"4f0e\",\"timestamp\":\"2020-08-03T20:06:46.000000\",\"batch_id\":\"z\","
           "\"origin\":\"\\u00e9,\\\"\\n\",\"hash\":\"h\",\"index\":1,\"aggregate\":9,"
           "\"submission_date\":\"2026-03-15\"}\n");
    dumped(w, ROWS_CSV, "2026-03-15",
           "id,timestamp,batch_id,origin,hash,index,aggregate,submission_date\r\n"
           "4f0e,2020-08-03T20:06:46.000000,z,\"\xc3\xa9,\"\"\n\",h,1,9,2026-03-15\r\n");
    dumped(w, ROWS_TABLE, "2026-03-15",
           "id    timestamp                   batch_id  origin  hash  index  aggregate  "
           "submission_date\n"
           "4f0e  2020-08-03T20:06:46.000000  z         \xc3\xa9,\"?    h         1          9  "
           "2026-03-15\n");
    dumped(w, ROWS_CSV, "2026-03-16",
           "id,timestamp,batch_id,origin,hash,index,aggregate,submission_date\r\n");
    assert_int_equal(
        warehouse_query(w,
                        "INSERT INTO telemetry.content_blocking_dev (id, submission_date) VALUES "
                        "('', '2026-03-17')",
                        NULL, NULL, NULL, &err),
        0);
    dumped(w, ROWS_CSV, "2026-03-17",
           "id,timestamp,batch_id,origin,hash,index,aggregate,submission_date\r\n"
           "\"\",,,,,,,2026-03-17\r\n");
    dumped(w, ROWS_NDJSON, "2026-03-17",
           "{\"id\":\"\",\"timestamp\":null,\"batch_id\":null,\"origin\":null,\"hash\":null,"
           "\"index\":null,\"aggregate\":null,\"submission_date\":\"2026-03-17\"}\n");
}

static void a_table_that_is_not_there_is_absent(void **state)
{
    CLEANUP(warehouse_closep) struct warehouse *w = open_place(*state);
    struct err err = {0};
    const struct dump_options options = {.place = {w, "d", "t"}, .format = ROWS_CSV};
    CLEANUP(buf_deinit) struct buf got = BUF_INIT(10000);
    const struct stage_sink out = {.write = keep, .arg = &got};
    assert_int_equal(dump_rows(&options, &out, &err), E_ABSENT);
    assert_contains(err.text, "d.t");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_PLACE(a_date_is_replaced_and_others_stay),
        WITH_PLACE(what_cannot_be_stored_is_named_and_changes_nothing),
        WITH_PLACE(rows_are_dumped_in_order_in_every_format),
        WITH_PLACE(a_table_that_is_not_there_is_absent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
