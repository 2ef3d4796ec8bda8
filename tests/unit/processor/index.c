/* SPDX-License-Identifier: MPL-2.0 */
#include "processor/index.h"

#include "folder_test.h"

#include <inttypes.h>

/* A config of parts, and origins "a", "b", ... with the index of each. */
struct world {
    struct data_config config;
    struct origins origins;
};

static void add_origins(struct world *w, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const char name[] = {(char)('a' + i), '\0'};
        assert_int_equal(origins_add(&w->origins, span_str(name), span_str("h"), i, NULL), 0);
    }
}

static void world_deinit(struct world *w)
{
    origins_deinit(&w->origins);
}

static int run(const struct folder *f, const struct data_config *config,
               const struct origins *origins, struct index_result *result, struct err *err)
{
    const struct index_options options = {
        .published = {.input = folder_place(f, "publish"), .config = config, .origins = origins},
        .output = folder_place(f, "out")};
    return index_run(&options, result, err);
}

#define WORLD(name, ...)                                                                           \
    struct data_entry name##_entries[] = {__VA_ARGS__};                                            \
    CLEANUP(world_deinit)                                                                          \
    struct world name = {.config = {name##_entries, ARRAY_LEN(name##_entries)}}

static void put_batch(const struct folder *f, const char *folder, const char *payload)
{
    TEXT(key);
    TEXT(line);
    add(&key, "publish/batch_id=%s/part-00000-x-c000.json", folder);
    add(&line,
        "{\"id\":\"i-%s\",\"timestamp\":\"2021-04-22T23:34:25.123456\",\"payload\":[%s],"
        "\"error\":0,\"total\":99}\n",
        folder, payload);
    folder_put(f, text_of(&key), text_of(&line));
}

static void parts_follow_each_other_in_the_origins(void **state)
{
    const struct folder *f = *state;
    WORLD(w, {"test-0", 3}, {"test-1", 2}, {"test-2", 1});
    add_origins(&w, 6);
    put_batch(f, "test-0", "0,1,2");
    put_batch(f, "test-1", "3,4");
    put_batch(f, "test-2", "18446744073709551614");
    struct index_result result;
    struct err err = {0};
    assert_ok(run(f, &w.config, &w.origins, &result, &err));
    assert_int_equal(result.n_rows, 6);
    TEXT(tree);
    folder_tree(f, "out/", true, &tree);
    static const char t[] = "\"timestamp\":\"2021-04-22T23:34:25.123456\",\"batch_id\":\"test\"";
    TEXT(want);
    add(&want, "out/_SUCCESS\nout/part-00000-U-c000.json\n");
    static const char *const sums[] = {"0", "1", "2", "3", "4", "18446744073709551614"};
    for (int i = 0; i < 6; i++)
        add(&want,
            "    {\"id\":\"i-test-%d\",%s,\"origin\":\"%c\",\"hash\":\"h\",\"index\":%d,"
            "\"aggregate\":%s}\n",
            i < 3   ? 0
            : i < 5 ? 1
                    : 2,
            t, 'a' + i, i, sums[i]);
    assert_string_equal(text_of(&tree), text_of(&want));
    assert_contains(text_of(&result.shown), "|i-test-1|2021-04-22T23:34:...|    test|     d|   h|");
    buf_deinit(&result.shown);
}

static void both_record_shapes_and_odd_files_are_read(void **state)
{
    const struct folder *f = *state;
    WORLD(w, {"a=b-0", 1});
    add_origins(&w, 1);
    folder_put(f, "publish/batch_id=a%3Db-0/part-1", "");
    folder_put(f, "publish/batch_id=a%3Db-0/_SUCCESS", "");
    folder_put(f, "publish/batch_id=a%3Db-0/.part-2.crc", "junk");
    folder_put(f, "publish/batch_id=a%3Db-0/part-2",
               "{\"payload\": [7], \"timestamp\": \"t\", \"id\": \"i\"}");
    folder_put(f, "publish/batch_id=other/part-2", "junk");
    folder_put(f, "publish/_SUCCESS", "");
    struct index_result result;
    struct err err = {0};
    assert_ok(run(f, &w.config, &w.origins, &result, &err));
    assert_int_equal(result.n_rows, 1);
    assert_contains(text_of(&result.shown), "|  i|        t|     a=b|     a|   h|    0|        7|");
    buf_deinit(&result.shown);
}

static void what_does_not_fit_is_named_and_nothing_is_touched(void **state)
{
    const struct folder *f = *state;
    static const struct {
        const char *folder, *payload, *says;
    } bad[] = {
        {"test-1", "1,2", "batch test-1: its elements 3 to 5 reach beyond the 4 origins"},
        {"gap-1", "1", "batch gap-1: part 0 of it is missing in the data config"},
        {"word-x", "1", "batch word-x: its id does not end in"},
        {"plain", "1", "batch plain: its id does not end in"},
        {"zero-00", "1", "batch zero-00: its id does not end in"},
        {"test-0", "1,2", "batch test-0: the published record's payload is not made of 3 sums"},
        {"test-0", "1,2,-3", "batch test-0: the published record's payload"},
    };
    WORLD(w, {"test-0", 3}, {"test-1", 2}, {"gap-1", 1}, {"word-x", 1}, {"plain", 1},
          {"zero-00", 1});
    add_origins(&w, 4);
    folder_put(f, "out/old", "");
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct index_result result;
        struct err err = {0};
        put_batch(f, bad[i].folder, bad[i].payload);
        assert_int_equal(run(f, &w.config, &w.origins, &result, &err), E_FORMAT);
        assert_contains(err.text, bad[i].says);
        assert_true(folder_has(f, "out/old"));
        assert_int_equal(place_clear(&(struct place){f->store, "publish"}, "", NULL), 0);
    }
}

static void several_records_of_a_batch_are_an_error(void **state)
{
    const struct folder *f = *state;
    WORLD(w, {"t-0", 1});
    add_origins(&w, 1);
    put_batch(f, "t-0", "1");
    folder_put(f, "publish/batch_id=t-0/part-7",
               "{\"id\":\"j\",\"timestamp\":\"t\",\"payload\":[1]}\n");
    struct index_result result;
    struct err err = {0};
    assert_int_equal(run(f, &w.config, &w.origins, &result, &err), E_FORMAT);
    assert_string_equal(err.text, "batch t-0: more than one published record");
}

static void output_is_one_file_whatever_was_there(void **state)
{
    const struct folder *f = *state;
    WORLD(w, {"t-0", 1});
    add_origins(&w, 1);
    put_batch(f, "t-0", "1");
    folder_put(f, "out/part-00007-old-c000.json", "old");
    folder_put(f, "out/sub/part", "old");
    for (int i = 0; i < 2; i++) {
        struct index_result result;
        struct err err = {0};
        assert_ok(run(f, &w.config, &w.origins, &result, &err));
        buf_deinit(&result.shown);
        TEXT(tree);
        folder_tree(f, "out/", false, &tree);
        assert_string_equal(text_of(&tree), "out/_SUCCESS\nout/part-00000-U-c000.json\n");
    }
}

static void nothing_published_is_an_error(void **state)
{
    const struct folder *f = *state;
    WORLD(w, {"t-0", 1});
    add_origins(&w, 1);
    folder_put(f, "out/old", "");
    struct index_result result;
    struct err err = {0};
    assert_int_equal(run(f, &w.config, &w.origins, &result, &err), E_ABSENT);
    assert_contains(err.text, "nothing is published");
    assert_true(folder_has(f, "out/old"));
}

struct seen {
    uint64_t n;
    char last[64];
    uint64_t n_names;
};

static int see_row(void *arg, const struct index_row *row, struct err *err)
{
    struct seen *s = arg;
    (void)err;
    assert_int_equal(row->index, row->aggregate);
    s->n++;
    assert_true(row->batch_id.len < sizeof s->last);
    if (!span_equal(row->batch_id, span_str(s->last))) {
        snprintf(s->last, sizeof s->last, "%.*s", (int)row->batch_id.len,
                 (const char *)row->batch_id.ptr);
        s->n_names++;
    }
    return 0;
}

static void all_sixteen_batches_give_19896_rows(void **state)
{
    const struct folder *f = *state;
    struct data_config config;
    struct origins origins;
    struct err err = {0};
    assert_ok(origins_read(&origins, WEIR_SOURCE_ROOT "/config/origins.json", &err));
    assert_ok(data_config_read(&config, WEIR_SOURCE_ROOT "/config/content.json", &err));
    for (size_t i = 0; i < config.n; i++) {
        TEXT(payload);
        const size_t offset = i % 2 ? 2046 : 0;
        for (size_t j = 0; j < config.entries[i].n_data; j++)
            add(&payload, "%s%zu", j > 0 ? "," : "", offset + j);
        TEXT(key);
        TEXT(line);
        add(&key, "publish/batch_id=%s/part-00000-x-c000.json", config.entries[i].batch_id);
        add(&line, "{\"id\":\"i\",\"timestamp\":\"t\",\"payload\":[");
        assert_int_equal(buf_append(&line, payload.data, payload.len, NULL), 0);
        add(&line, "]}\n");
        folder_put(f, text_of(&key), text_of(&line));
    }
    const struct index_published published = {
        .input = folder_place(f, "publish"), .config = &config, .origins = &origins};
    const struct index_rows rows = index_published_rows(&published);
    struct seen seen = {0};
    assert_ok(rows.each(rows.arg, see_row, &seen, &err));
    assert_int_equal(seen.n, 19896);
    assert_int_equal(seen.n_names, 8);
    struct index_result result;
    assert_ok(run(f, &config, &origins, &result, &err));
    assert_int_equal(result.n_rows, 19896);
    assert_contains(text_of(&result.shown), "only showing top 20 rows\n");
    buf_deinit(&result.shown);
    data_config_deinit(&config);
    origins_deinit(&origins);
}

#define FOLDER_TEST(name) cmocka_unit_test_setup_teardown(name, folder_setup, folder_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FOLDER_TEST(parts_follow_each_other_in_the_origins),
        FOLDER_TEST(both_record_shapes_and_odd_files_are_read),
        FOLDER_TEST(what_does_not_fit_is_named_and_nothing_is_touched),
        FOLDER_TEST(several_records_of_a_batch_are_an_error),
        FOLDER_TEST(output_is_one_file_whatever_was_there),
        FOLDER_TEST(nothing_published_is_an_error),
        FOLDER_TEST(all_sixteen_batches_give_19896_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
