/* SPDX-License-Identifier: MPL-2.0 */
#include "stage/totals.h"

#include "stage_test.h"

static int parse(struct aggregate *a, const char *text, struct err *err)
{
    aggregate_init(a);
    return aggregate_parse(a, span_str(text), 0, err);
}

static void an_aggregate_is_read_back_as_written(void **state)
{
    (void)state;
    static const char text[] = "{\"payload\": \"AJKhAaEC\", \"error\": 3, \"total\": 10}";
    CLEANUP(aggregate_deinit) struct aggregate a;
    TEXT(again);
    assert_int_equal(parse(&a, text, NULL), 0);
    assert_int_equal(a.error, 3);
    assert_int_equal(a.total, 10);
    assert_int_equal(a.total_share.len, 6);
    assert_int_equal(aggregate_format(&again, &a, false, 0, NULL), 0);
    assert_int_equal(again.len, strlen(text));
    assert_memory_equal(again.data, text, again.len);
}

static void spacing_and_order_of_members_are_free(void **state)
{
    (void)state;
    CLEANUP(aggregate_deinit) struct aggregate a;
    assert_int_equal(
        parse(&a, " {\"total\":1,\"more\":[],\"payload\":\"AA==\",\n\"error\":0} \n", NULL), 0);
    assert_int_equal(a.total, 1);
}

static void what_is_no_aggregate_is_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {"",
                                        "[]",
                                        "{",
                                        "{}",
                                        "{\"payload\": \"AA==\", \"error\": 0}",
                                        "{\"payload\": \"AA==\", \"error\": 2, \"total\": 1}",
                                        "{\"payload\": \"AA==\", \"error\": -1, \"total\": 1}",
                                        "{\"payload\": \"AA==\", \"error\": 0.0, \"total\": 1}",
                                        "{\"payload\": \"AA=\", \"error\": 0, \"total\": 1}",
                                        "{\"payload\": null, \"error\": 0, \"total\": 1}",
                                        "{\"payload\": \"AA==\", \"error\": 0, \"total\": 1} {}"};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        CLEANUP(aggregate_deinit) struct aggregate a;
        struct err err = {0};
        assert_int_equal(parse(&a, texts[i], &err), E_FORMAT);
        assert_true(err.text[0] != '\0');
    }
}

/* server id, array of two elements: A 1,2; B 3,4 */
static const char a_share[] = "{\"payload\": \"AJKhAaEC\", \"error\": 1, \"total\": 10}";
static const char b_share[] = "{\"payload\": \"AZKhA6EE\", \"error\": 0, \"total\": 9}";

static int combine(uint64_t *totals, const char *own, const char *peer, bool own_is_a,
                   unsigned precision, struct err *err)
{
    CLEANUP(aggregate_deinit) struct aggregate x;
    CLEANUP(aggregate_deinit) struct aggregate y;
    assert_int_equal(parse(&x, own, NULL), 0);
    assert_int_equal(parse(&y, peer, NULL), 0);
    const struct totals_input in = {
        .own = &x, .peer = &y, .own_is_a = own_is_a, .n_data = 2, .precision = precision};
    return totals_combine(totals, &in, err);
}

static void either_server_finds_the_totals(void **state)
{
    (void)state;
    uint64_t totals[2] = {0};
    assert_int_equal(combine(totals, a_share, b_share, true, 0, NULL), 0);
    assert_int_equal(totals[0], 4);
    assert_int_equal(totals[1], 6);
    totals[0] = totals[1] = 0;
    assert_int_equal(combine(totals, b_share, a_share, false, 0, NULL), 0);
    assert_int_equal(totals[0], 4);
    assert_int_equal(totals[1], 6);
}

static void a_precision_combines_bits_to_integers(void **state)
{
    (void)state;
    uint64_t total = 0;
    assert_int_equal(combine(&total, a_share, b_share, true, 2, NULL), 0);
    assert_int_equal(total, 2 * 4 + 6);
}

static void sums_of_different_records_are_refused(void **state)
{
    (void)state;
    uint64_t totals[2];
    struct err err = {0};
    static const char ten[] = "{\"payload\": \"AZKhA6EE\", \"error\": 0, \"total\": 10}";
    assert_int_equal(combine(totals, a_share, ten, true, 0, &err), E_FORMAT);
    assert_contains(err.text, "9 records");
    assert_contains(err.text, "10");
    // Different totals that agree on what came through are fine.
    static const char other[] = "{\"payload\": \"AZKhA6EE\", \"error\": 91, \"total\": 100}";
    assert_int_equal(combine(totals, a_share, other, true, 0, NULL), 0);
}

static void shares_of_the_wrong_server_or_length_are_refused(void **state)
{
    (void)state;
    uint64_t totals[2];
    static const char short_b[] = "{\"payload\": \"AZGhAw==\", \"error\": 0, \"total\": 9}";
    assert_int_equal(combine(totals, a_share, b_share, false, 0, NULL), E_FORMAT);
    assert_int_equal(combine(totals, a_share, a_share, true, 0, NULL), E_FORMAT);
    assert_int_equal(combine(totals, a_share, short_b, true, 0, NULL), E_FORMAT);
    assert_int_equal(combine(totals, a_share, short_b, true, 2, NULL), E_FORMAT);
}

static void a_total_beyond_64_bits_is_refused(void **state)
{
    (void)state;
    uint64_t totals[2];
    struct err err = {0};
    // A: 2^64 and 0
    static const char big[] = "{\"payload\": \"AJKpAQAAAAAAAAAAoQA=\", \"error\": 0, \"total\": 9}";
    assert_int_equal(combine(totals, big, b_share, true, 0, &err), E_FORMAT);
    assert_contains(err.text, "64 bits");
}

static void the_published_object_looks_like_the_originals(void **state)
{
    (void)state;
    TEXT(out);
    static const uint64_t totals[] = {0, UINT64_MAX, 7};
    assert_int_equal(totals_format(&out, "u", "2020-08-03T20:06:46.920410", totals, 3, NULL), 0);
    static const char want[] = "{\"id\": \"u\", \"timestamp\": \"2020-08-03T20:06:46.920410\", "
                               "\"payload\": [0, 18446744073709551615, 7]}";
    assert_int_equal(out.len, strlen(want));
    assert_memory_equal(out.data, want, out.len);
}

static void the_directory_form_has_no_spaces(void **state)
{
    (void)state;
    static const uint64_t totals[] = {99, 0};
    static const char want[] = "{\"payload\":\"AJKhAaEC\",\"error\":1,\"total\":10}"
                               "{\"id\":\"u\",\"timestamp\":\"t\",\"payload\":[99,0],"
                               "\"error\":1,\"total\":10}";
    CLEANUP(aggregate_deinit) struct aggregate a;
    TEXT(out);
    assert_int_equal(parse(&a, a_share, NULL), 0);
    assert_int_equal(aggregate_format(&out, &a, true, 0, NULL), 0);
    assert_int_equal(totals_format_compact(&out, "u", "t", totals, 2, &a, NULL), 0);
    assert_int_equal(out.len, strlen(want));
    assert_memory_equal(out.data, want, out.len);
}

static void what_was_lost_before_aggregate_is_in_neither_count(void **state)
{
    (void)state;
    struct stage_counts n = {.total = 30, .error = 11};
    n.by_reason[REASON_DECRYPT] = 5;
    n.by_reason[REASON_DUPLICATE_ID] = 2;
    n.by_reason[REASON_MISSING_EXTERNAL] = 1;
    n.by_reason[REASON_BAD_PACKET] = 1;
    n.by_reason[REASON_INVALID] = 2;
    uint64_t error, total;
    stage_joined_counts(&n, &error, &total);
    assert_int_equal(error, 3);
    assert_int_equal(total, 22);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_aggregate_is_read_back_as_written),
        cmocka_unit_test(spacing_and_order_of_members_are_free),
        cmocka_unit_test(what_is_no_aggregate_is_refused),
        cmocka_unit_test(either_server_finds_the_totals),
        cmocka_unit_test(a_precision_combines_bits_to_integers),
        cmocka_unit_test(sums_of_different_records_are_refused),
        cmocka_unit_test(shares_of_the_wrong_server_or_length_are_refused),
        cmocka_unit_test(a_total_beyond_64_bits_is_refused),
        cmocka_unit_test(the_published_object_looks_like_the_originals),
        cmocka_unit_test(the_directory_form_has_no_spaces),
        cmocka_unit_test(what_was_lost_before_aggregate_is_in_neither_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
