/* SPDX-License-Identifier: MPL-2.0 */
#include "taar/amo_records.h"

#include "amo_test.h"

static void note_drop(void *arg, const char *why)
{
    struct buf *all = arg;
    assert_int_equal(buf_append_str(all, why, NULL), 0);
    assert_int_equal(buf_append_byte(all, ' ', NULL), 0);
}

static int add(struct amo_records *r, const char *answer, uint64_t page, struct buf *drops)
{
    const struct record_ops ops = plain_ops();
    struct amo_page_counts counts = {.dropped = note_drop, .arg = drops};
    return amo_records_add(r, &ops, padded(answer), page, &counts, NULL);
}

static void date(struct amo_records *r, const char *guid, const char *text)
{
    struct amo_record *record = amo_records_find(r, span_str(guid));
    assert_non_null(record);
    record->date = strdup(text);
}

/* Pages come in any order; the later page's record stays, in the order of pages. */
static void later_pages_win(void **state)
{
    (void)state;
    static const char *const pages[] = {
        "{\"results\": [{\"guid\": \"a\", \"v\": 1}, {\"guid\": \"b\", \"v\": 1}]}",
        "{\"results\": [{\"guid\": \"c\", \"v\": 2}, {\"guid\": \"\\u0061\", \"v\": 2}]}",
        "{\"results\": [{\"guid\": \"b\", \"v\": 3}, {\"guid\": \"d\", \"v\": 3}]}"};
    static const unsigned orders[][3] = {{0, 1, 2}, {2, 1, 0}, {1, 2, 0}};
    for (size_t i = 0; i < ARRAY_LEN(orders); i++) {
        struct amo_records r;
        CLEANUP(buf_deinit) struct buf json = BUF_INIT(TEXT_MAX), drops = BUF_INIT(TEXT_MAX);
        assert_int_equal(amo_records_init(&r, "/tmp", NULL), 0);
        for (size_t k = 0; k < 3; k++)
            assert_int_equal(add(&r, pages[orders[i][k]], orders[i][k], &drops), 1);
        amo_records_merge(&r);
        assert_int_equal(r.n, 4);
        assert_null(amo_records_find(&r, span_str("aa")));
        date(&r, "a", "2001");
        date(&r, "b", "20\"02");
        date(&r, "c", "2003");
        amo_records_sort_by_page(&r);
        assert_int_equal(amo_records_write(&r, &json, NULL), 0);
        assert_text(&json, "{\"c\":{\"guid\":\"c\",\"v\":2,\"first_create_date\":\"2003\"},"
                           "\"a\":{\"guid\":\"a\",\"v\":2,\"first_create_date\":\"2001\"},"
                           "\"b\":{\"guid\":\"b\",\"v\":3,\"first_create_date\":\"20\\\"02\"}}");
        amo_records_deinit(&r);
    }
}

static void what_is_no_record_is_counted(void **state)
{
    (void)state;
    struct amo_records r;
    CLEANUP(buf_deinit) struct buf json = BUF_INIT(TEXT_MAX), drops = BUF_INIT(TEXT_MAX);
    assert_int_equal(amo_records_init(&r, "/tmp", NULL), 0);
    assert_int_equal(add(&r,
                         "{\"results\": [{}, {\"guid\": null}, {\"guid\": 5}, [\"guid\"], "
                         "{\"guid\": \"x\"}]}",
                         0, &drops),
                     1);
    assert_text(&drops, "record_without_guid guid_null guid_no_text record_no_object ");
    assert_int_equal(r.n, 1);
    assert_int_equal(add(&r, "{\"detail\": \"x\"}", 1, &drops), 0);
    assert_int_equal(add(&r, "{\"results\": {}}", 1, &drops), 0);
    amo_records_merge(&r);
    assert_int_equal(amo_records_write(&r, &json, NULL), 0);
    assert_text(&json, "{}");
    amo_records_deinit(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(later_pages_win),
        cmocka_unit_test(what_is_no_record_is_counted),
    };
    return cmocka_run_group_tests_name("taar/amo_records", tests, NULL, NULL);
}
