/* SPDX-License-Identifier: MPL-2.0 */
#include "processor/generate_pings.h"

#include "base/log.h"
#include "processor/staging.h"
#include "share_sum.h"

#include <jansson.h>

static struct data_entry entries[] = {{"m-0", 33}, {"m-1", 7}, {"n_TESTONLY-0", 12}, {"alone", 5}};
static const struct data_config config = {entries, ARRAY_LEN(entries)};
static struct servers servers;
static struct share_sum sum;

static struct generate_pings_result generate(const struct folder *f, const char *dir,
                                             unsigned n_workers, uint64_t seed)
{
    struct generate_pings_options options = {.shares = servers.options,
                                             .config = &config,
                                             .date = "2026-03-14",
                                             .n_pings = 60,
                                             .n_duplicates = 7,
                                             .n_hours = 3,
                                             .n_files = 2,
                                             .seed = seed,
                                             .output = folder_place(f, dir)};
    struct generate_pings_result result;
    struct err err = {0};
    options.shares.n_workers = n_workers;
    assert_ok(generate_pings_run(&options, &result, &err));
    return result;
}

static struct staging_result stage(const struct folder *f, const char *input)
{
    const struct staging_options options = {.date = "2026-03-14",
                                            .input = folder_place(f, input),
                                            .output = folder_place(f, "out"),
                                            .n_workers = 2,
                                            .cpu = servers.options.cpu};
    struct staging_result result;
    struct err err = {0};
    assert_ok(staging_run(&options, &result, &err));
    return result;
}

static void check_batch(const struct folder *f, const json_t *batch)
{
    static const char base[] = "out/submission_date=2026-03-14/server_id=";
    const char *id = json_string_value(json_object_get(batch, "batch_id"));
    const json_t *payload = json_object_get(batch, "payload");
    const size_t n = json_array_size(payload);
    TEXT(a);
    TEXT(b);
    add(&a, "%sa/batch_id=%s/", base, id);
    add(&b, "%sb/batch_id=%s/", base, id);
    share_sum(&sum, f, &servers, text_of(&a), text_of(&b), id, n);
    assert_int_equal(sum.n_rejected, 0);
    assert_int_equal(sum.n_lines, json_integer_value(json_object_get(batch, "records")));
    assert_true(sum.n_lines > 0);
    for (size_t j = 0; j < n; j++)
        assert_int_equal(sum.totals[j], json_integer_value(json_array_get(payload, j)));
}

static void staged_pings_add_up_to_the_truth(void **state)
{
    const struct folder *f = *state;
    struct generate_pings_result made = generate(f, "in", 2, 1);
    assert_int_equal(made.n_lines, 67);
    assert_int_equal(made.n_files, 6);
    const struct staging_result staged = stage(f, "in");
    assert_int_equal(staged.n_objects, 6);
    assert_int_equal(staged.n_pings, 60);
    assert_int_equal(staged.n_records, made.n_records);
    assert_int_equal(staged.dropped[STAGING_DUPLICATE], 7);
    json_t *truth = json_loadb((const char *)made.truth.data, made.truth.len, 0, NULL);
    assert_non_null(truth);
    const json_t *batches = json_object_get(truth, "batches");
    assert_int_equal(json_array_size(batches), 4);
    for (size_t i = 0; i < 4; i++)
        check_batch(f, json_array_get(batches, i));
    json_decref(truth);
    buf_deinit(&made.truth);
}

static void files_lie_by_hour(void **state)
{
    const struct folder *f = *state;
    struct generate_pings_result made = generate(f, "in", 1, 1);
    TEXT(tree);
    TEXT(want);
    folder_tree(f, "in/", false, &tree);
    for (int hour = 0; hour < 3; hour++)
        for (int i = 0; i < 2; i++)
            add(&want, "in/2026-03-14/%02d/telemetry/prio/4/part-%05d.ndjson\n", hour, i);
    assert_string_equal(text_of(&tree), text_of(&want));
    buf_deinit(&made.truth);
}

static void a_seed_decides_the_sums_whatever_the_workers(void **state)
{
    const struct folder *f = *state;
    struct generate_pings_result one = generate(f, "one", 1, 5), three = generate(f, "two", 3, 5);
    struct generate_pings_result other = generate(f, "three", 1, 6);
    assert_string_equal(text_of(&one.truth), text_of(&three.truth));
    assert_string_not_equal(text_of(&one.truth), text_of(&other.truth));
    buf_deinit(&one.truth);
    buf_deinit(&three.truth);
    buf_deinit(&other.truth);
}

static void unusable_options_are_refused(void **state)
{
    const struct folder *f = *state;
    struct generate_pings_result result;
    struct err err = {0};
    struct generate_pings_options options = {.shares = servers.options,
                                             .config = &config,
                                             .date = "2026-13-01",
                                             .n_pings = 1,
                                             .output = folder_place(f, "in")};
    assert_int_equal(generate_pings_run(&options, &result, &err), E_ARG);
    assert_contains(err.text, "2026-13-01");
    options.date = "2026-12-01";
    options.n_pings = 0;
    assert_int_equal(generate_pings_run(&options, &result, &err), E_ARG);
    options.n_pings = 1;
    options.n_hours = 25;
    assert_int_equal(generate_pings_run(&options, &result, &err), E_ARG);
}

#define FOLDER_TEST(name) cmocka_unit_test_setup_teardown(name, folder_setup, folder_teardown)

int main(void)
{
    log_init("test", LOG_FORMAT_TEXT, LOG_LEVEL_ERROR);
    servers_init(&servers);
    const struct CMUnitTest tests[] = {
        FOLDER_TEST(staged_pings_add_up_to_the_truth),
        FOLDER_TEST(files_lie_by_hour),
        FOLDER_TEST(a_seed_decides_the_sums_whatever_the_workers),
        FOLDER_TEST(unusable_options_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
