/* SPDX-License-Identifier: MPL-2.0 */
#include "processor/encode_shares.h"

#include "share_sum.h"

static struct servers servers;
static struct share_sum sum;

static struct encode_shares_options options_of(const struct folder *f, const char *input)
{
    return (struct encode_shares_options){.shares = servers.options,
                                          .batch_id = "b",
                                          .n_data = 3,
                                          .input = folder_place(f, input),
                                          .output = {folder_place(f, "a"), folder_place(f, "b")}};
}

static void put_rows(const struct folder *f)
{
    folder_put(f, "in/part-0", "{\"payload\":[1,0,1]}\n\n[1,1,0]");
    folder_put(f, "in/part-1", "{\"payload\":[1,0]}\n{\"payload\":[0,1,1]}\nnot json\n");
    folder_put(f, "in/_SUCCESS", "");
    folder_put(f, "in/.part-0.crc", "junk");
}

static void bad_rows_become_records_without_payload(void **state)
{
    const struct folder *f = *state;
    put_rows(f);
    folder_put(f, "a/old", "");
    const struct encode_shares_options options = options_of(f, "in");
    struct encode_shares_result result;
    struct err err = {0};
    assert_ok(encode_shares_run(&options, &result, &err));
    assert_int_equal(result.n_rows, 5);
    assert_int_equal(result.n_bad, 2);
    assert_int_equal(result.n_partitions, 1);
    share_sum(&sum, f, &servers, "a/", "b/", "b", 3);
    assert_int_equal(sum.n_lines, 5);
    assert_int_equal(sum.n_without_payload, 2);
    assert_int_equal(sum.n_rejected, 0);
    static const uint64_t want[] = {2, 2, 2};
    assert_memory_equal(sum.totals, want, sizeof want);
    TEXT(tree);
    folder_tree(f, "a/", false, &tree);
    folder_tree(f, "b/", false, &tree);
    assert_string_equal(text_of(&tree), "a/_SUCCESS\na/part-00000-U-c000.json\n"
                                        "b/_SUCCESS\nb/part-00000-U-c000.json\n");
}

static void input_may_be_a_file_or_a_glob(void **state)
{
    const struct folder *f = *state;
    put_rows(f);
    static const struct {
        const char *input;
        uint64_t n_rows;
    } cases[] = {{"in/part-1", 3}, {"in/part-*", 5}, {"i?/*[0]", 2}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct encode_shares_options options = options_of(f, cases[i].input);
        struct encode_shares_result result;
        struct err err = {0};
        assert_ok(encode_shares_run(&options, &result, &err));
        assert_int_equal(result.n_rows, cases[i].n_rows);
    }
}

static void rows_are_cut_into_partitions_by_their_number(void **state)
{
    const struct folder *f = *state;
    TEXT(rows);
    for (int i = 0; i < 9000; i++)
        add(&rows, "[1,0,%d]\n", i & 1);
    folder_put(f, "in/rows", text_of(&rows));
    struct encode_shares_options options = options_of(f, "in/rows");
    struct encode_shares_result result;
    struct err err = {0};
    options.partition_mb = 1;
    assert_ok(encode_shares_run(&options, &result, &err));
    assert_true(result.n_partitions > 2);
    assert_int_equal(folder_count(f, "a/part-"), result.n_partitions);
    assert_int_equal(folder_count(f, "b/part-"), result.n_partitions);
}

static void missing_input_and_bad_parameters_touch_nothing(void **state)
{
    const struct folder *f = *state;
    struct encode_shares_result result;
    struct err err = {0};
    folder_put(f, "a/old", "");
    struct encode_shares_options options = options_of(f, "nothing");
    assert_int_equal(encode_shares_run(&options, &result, &err), E_ABSENT);
    assert_contains(err.text, "nothing");
    put_rows(f);
    options = options_of(f, "in");
    options.n_data = 0;
    assert_int_equal(encode_shares_run(&options, &result, &err), E_ARG);
    assert_true(folder_has(f, "a/old"));
}

#define FOLDER_TEST(name) cmocka_unit_test_setup_teardown(name, folder_setup, folder_teardown)

int main(void)
{
    servers_init(&servers);
    const struct CMUnitTest tests[] = {
        FOLDER_TEST(bad_rows_become_records_without_payload),
        FOLDER_TEST(input_may_be_a_file_or_a_glob),
        FOLDER_TEST(rows_are_cut_into_partitions_by_their_number),
        FOLDER_TEST(missing_input_and_bad_parameters_touch_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
