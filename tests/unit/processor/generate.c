/* SPDX-License-Identifier: MPL-2.0 */
#include "processor/generate.h"

#include "share_sum.h"

static struct data_entry small[] = {{"test-0", 10}, {"test-1", 20}, {"test-2", 3}};
static const struct data_config config = {small, 3};
static struct servers servers;
static struct share_sum sum;

static struct integration_options options_of(uint64_t n_rows)
{
    return (struct integration_options){
        .shares = servers.options, .config = &config, .n_rows = n_rows, .n_partitions = 2};
}

static struct generate_result integrate(const struct folder *f,
                                        const struct integration_options *options)
{
    struct generate_result result;
    struct err err = {0};
    const struct place output = folder_place(f, "out");
    assert_ok(generate_integration_run(options, &output, &result, &err));
    return result;
}

static void sum_batch(const struct folder *f, const char *batch_id, size_t n_data)
{
    TEXT(a);
    TEXT(b);
    add(&a, "out/server_id=a/batch_id=%s/", batch_id);
    add(&b, "out/server_id=b/batch_id=%s/", batch_id);
    share_sum(&sum, f, &servers, text_of(&a), text_of(&b), batch_id, n_data);
}

static void each_batch_has_known_sums_and_one_bad_row(void **state)
{
    const struct folder *f = *state;
    const struct integration_options options = options_of(100);
    const struct generate_result r = integrate(f, &options);
    assert_int_equal(r.n_batches, 4);
    assert_int_equal(r.n_records, 400);
    for (size_t i = 0; i < config.n; i++) {
        sum_batch(f, small[i].batch_id, small[i].n_data);
        assert_int_equal(sum.n_lines, 100);
        assert_int_equal(sum.n_rejected, 1);
        for (size_t j = 0; j < small[i].n_data; j++)
            assert_int_equal(sum.totals[j], j % 3 == 0 || j % 5 == 0 ? 99 : 0);
    }
    sum_batch(f, "bad-id", 10);
    assert_int_equal(sum.n_lines, 100);
    assert_int_equal(sum.n_rejected, 0);
}

static void files_have_the_same_names_on_both_sides(void **state)
{
    const struct folder *f = *state;
    const struct integration_options options = options_of(100);
    (void)integrate(f, &options);
    TEXT(tree);
    TEXT(want);
    folder_tree(f, "out/", false, &tree);
    add(&want, "out/_SUCCESS\n");
    static const char *const files[] = {"bad-id/part-00000", "test-0/part-00000",
                                        "test-1/part-00001", "test-2/part-00001"};
    for (int side = 'a'; side <= 'b'; side++)
        for (int i = 0; i < 4; i++)
            add(&want, "out/server_id=%c/batch_id=%s-U.c000.json\n", side, files[i]);
    assert_string_equal(text_of(&tree), text_of(&want));
}

static void batches_are_dropped_from_the_highest_id_down(void **state)
{
    const struct folder *f = *state;
    struct integration_options options = options_of(3);
    options.n_drop_batch = 1;
    assert_int_equal(integrate(f, &options).n_batches, 3);
    assert_int_equal(folder_count(f, "batch_id=test-2"), 0);
    assert_true(folder_count(f, "batch_id=test-1") > 0);
    options.n_drop_batch = 7;
    assert_int_equal(integrate(f, &options).n_batches, 1);
    assert_int_equal(folder_count(f, "batch_id=test"), 0);
    assert_true(folder_count(f, "batch_id=bad-id") > 0);
}

static void ids_are_unique_and_ascend(void **state)
{
    const struct folder *f = *state;
    struct integration_options options = options_of(200);
    options.n_partitions = 1;
    (void)integrate(f, &options);
    CLEANUP(store_listing_deinit) struct store_listing l = {0};
    TEXT(text);
    assert_int_equal(store_list(f->store, "out/server_id=b/batch_id=test-0/", &l, NULL), 0);
    assert_int_equal(l.n, 1);
    folder_get(f, l.objects[0].key, &text);
    static const char head[] = "{\"id\":\"";
    const char *last = NULL;
    for (const char *p = text_of(&text); *p; p = strchr(p, '\n') + 1) {
        assert_memory_equal(p, head, sizeof head - 1);
        assert_true(!last || strncmp(last, p, sizeof head + 36) < 0);
        last = p;
    }
}

static void unusable_options_are_refused_before_anything_is_deleted(void **state)
{
    const struct folder *f = *state;
    static struct data_entry entries[] = {{"bad-id", 1}};
    const struct data_config taken = {entries, 1};
    struct generate_result result;
    struct err err = {0};
    const struct place output = folder_place(f, "out");
    folder_put(f, "out/old", "");
    struct integration_options options = options_of(0);
    assert_int_equal(generate_integration_run(&options, &output, &result, &err), E_ARG);
    options = options_of(1);
    options.config = &taken;
    assert_int_equal(generate_integration_run(&options, &output, &result, &err), E_ARG);
    assert_contains(err.text, "bad-id");
    entries[0] = (struct data_entry){"x", PRIO_MAX_DATA};
    assert_int_equal(generate_integration_run(&options, &output, &result, &err), E_ARG);
    assert_true(folder_has(f, "out/old"));
}

static void ingest_buckets_get_their_halves_and_markers(void **state)
{
    const struct folder *f = *state;
    static const char a_raw[] = "test-data/v1/BBBB/app/2026-03-14/raw/shares";
    static const char b_raw[] = "test-data/v1/AAAA/app/2026-03-14/raw/shares";
    const struct ingest ingest = {.bucket = {f->store, f->store}, // one bucket for all
                                  .public_key = {"AAAA", "BBBB"},
                                  .bucket_prefix = "test-data/v1",
                                  .app_name = "app",
                                  .date = "2026-03-14"};
    struct integration_options options = options_of(20);
    struct generate_result result;
    struct err err = {0};
    TEXT(stale);
    add(&stale, "%s/batch_id=test-2/part-0", a_raw);
    folder_put(f, text_of(&stale), "x");
    options.n_drop_batch = 1;
    assert_ok(generate_ingest_run(&options, &ingest, &result, &err));
    assert_int_equal(folder_count(f, "batch_id=test-2"), 0);
    assert_int_equal(folder_count(f, "_SUCCESS"), 2);
    TEXT(a);
    TEXT(b);
    add(&a, "%s/batch_id=test-1/", a_raw);
    add(&b, "%s/batch_id=test-1/", b_raw);
    share_sum(&sum, f, &servers, text_of(&a), text_of(&b), "test-1", 20);
    assert_int_equal(sum.n_lines, 20);
    assert_int_equal(sum.totals[3], 19);
}

static void random_rows_are_about_half_ones_and_repeat_by_scale(void **state)
{
    const struct folder *f = *state;
    const struct generate_options options = {.shares = servers.options,
                                             .batch_id = "b",
                                             .n_data = 64,
                                             .n_rows = 100,
                                             .scale = 3,
                                             .partition_mb = 250,
                                             .output = folder_place(f, "out")};
    struct generate_result result;
    struct err err = {0};
    assert_ok(generate_run(&options, &result, &err));
    assert_int_equal(result.n_partitions, 1);
    assert_int_equal(result.n_records, 300);
    share_sum(&sum, f, &servers, "out/server_id=a/", "out/server_id=b/", "b", 64);
    assert_int_equal(sum.n_lines, 300);
    assert_int_equal(sum.n_rejected, 0);
    uint64_t ones = 0;
    for (int j = 0; j < 64; j++) {
        assert_int_equal(sum.totals[j] % 3, 0);
        ones += sum.totals[j] / 3;
    }
    assert_true(ones > 2800 && ones < 3600); // 3200 expected, 40 a standard deviation
    TEXT(tree);
    folder_tree(f, "out/", false, &tree);
    assert_string_equal(text_of(&tree), "out/_SUCCESS\n"
                                        "out/server_id=a/part-00000-U.c000.json\n"
                                        "out/server_id=b/part-00000-U.c000.json\n");
}

static void partitions_are_estimated_from_one_share(void **state)
{
    (void)state;
    assert_int_equal(share_partitions(65700, 1000000, 250), 263); // 65,736 MB
    assert_int_equal(share_partitions(64, 10000, 1), 1);          // exactly 1 MB
    assert_int_equal(share_partitions(64, 10001, 1), 2);
    assert_int_equal(share_partitions(1, 0, 1), 1);
}

#define FOLDER_TEST(name) cmocka_unit_test_setup_teardown(name, folder_setup, folder_teardown)

int main(void)
{
    servers_init(&servers);
    const struct CMUnitTest tests[] = {
        FOLDER_TEST(each_batch_has_known_sums_and_one_bad_row),
        FOLDER_TEST(files_have_the_same_names_on_both_sides),
        FOLDER_TEST(batches_are_dropped_from_the_highest_id_down),
        FOLDER_TEST(ids_are_unique_and_ascend),
        FOLDER_TEST(unusable_options_are_refused_before_anything_is_deleted),
        FOLDER_TEST(ingest_buckets_get_their_halves_and_markers),
        FOLDER_TEST(random_rows_are_about_half_ones_and_repeat_by_scale),
        FOLDER_TEST(partitions_are_estimated_from_one_share),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
