/* SPDX-License-Identifier: MPL-2.0 */
#include "processor/data_config.h"

#include "base/base_test.h"

static char path[TEST_PATH_BYTES];

static int set_up(void **state)
{
    make_temp_dir(path);
    const size_t len = strlen(path);
    (void)snprintf(path + len, sizeof path - len, "/config.json");
    (void)state;
    return 0;
}

static int tear_down(void **state)
{
    (void)unlink(path);
    *strrchr(path, '/') = '\0';
    (void)state;
    return rmdir(path);
}

static int read_text(struct data_config *config, const char *text, struct err *err)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
    return data_config_read(config, path, err);
}

static void assert_refused(const char *text, const char *complaint)
{
    struct data_config config = {0};
    struct err err = {0};
    assert_int_equal(read_text(&config, text, &err), E_FORMAT);
    assert_contains(err.text, path);
    assert_contains(err.text, complaint);
    assert_null(config.entries);
}

static void assert_two(const char *text)
{
    struct data_config config = {0};
    assert_int_equal(read_text(&config, text, NULL), 0);
    assert_int_equal(config.n, 2);
    assert_string_equal(config.entries[0].batch_id, "test-1");
    assert_int_equal(config.entries[0].n_data, 20);
    assert_string_equal(config.entries[1].batch_id, "test-0");
    assert_int_equal(config.entries[1].n_data, 262143);
    data_config_deinit(&config);
    assert_null(config.entries);
}

static void a_list_keeps_its_order(void **state)
{
    assert_two("[{\"batch_id\": \"test-1\", \"n_data\": 20, \"more\": null},"
               " {\"n_data\": 262143, \"batch_id\": \"test-0\"}]\n");
    (void)state;
}

static void the_first_form_keeps_its_order(void **state)
{
    assert_two("{\"test-1\": 20, \"test-0\": 262143}");
    (void)state;
}

static void what_is_not_json_is_refused_with_its_line(void **state)
{
    assert_refused("", "line 1");
    assert_refused("[\n{\"batch_id\": \"a\" \"n_data\": 1}]", "line 2");
    assert_refused("[{\"batch_id\": \"a\", \"n_data\": 1}] x", "line 1");
    assert_refused("[{\"batch_id\": \"a\\u0000b\", \"n_data\": 1}]", "line 1");
    assert_refused("[{\"batch_id\": \"a\xff\", \"n_data\": 1}]", "line 1");
    (void)state;
}

static void what_is_no_list_is_refused(void **state)
{
    static const char *const texts[] = {"[]", "{}"};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        assert_refused(texts[i], "not a list");
    (void)state;
}

static void entries_are_complete(void **state)
{
    assert_refused("[1]", "entry 1: not an object");
    assert_refused("[{\"batch_id\": \"a\", \"n_data\": 1}, {}]", "entry 2: batch_id is missing");
    assert_refused("[{\"batch_id\": 7, \"n_data\": 1}]", "entry 1: batch_id is not a string");
    assert_refused("[{\"batch_id\": \"\", \"n_data\": 1}]", "entry 1: the batch id is empty");
    assert_refused("{\"\": 1}", "entry 1: the batch id is empty");
    assert_refused("[{\"batch_id\": \"a\"}]", "batch \"a\" has no n_data");
    (void)state;
}

static void n_data_is_a_length(void **state)
{
    static const char *const values[] = {"0", "-1", "262144", "1.0", "\"7\"", "null", "true"};
    for (size_t i = 0; i < ARRAY_LEN(values); i++) {
        char text[100];
        (void)snprintf(text, sizeof text, "[{\"batch_id\": \"a\", \"n_data\": %s}]", values[i]);
        assert_refused(text, "entry 1: n_data of batch \"a\" is not an integer from 1 to 262143");
        (void)snprintf(text, sizeof text, "{\"a\": %s}", values[i]);
        assert_refused(text, "entry 1: n_data of batch \"a\"");
    }
    (void)state;
}

static void repeated_batches_are_refused(void **state)
{
    assert_refused("[{\"batch_id\": \"a\", \"n_data\": 1}, {\"batch_id\": \"b\", \"n_data\": 1},"
                   " {\"batch_id\": \"a\", \"n_data\": 1}]",
                   "batch \"a\" is there more than once");
    assert_refused("{\"a\": 1, \"a\": 1}", "duplicate");
    assert_refused("[{\"batch_id\": \"a\", \"n_data\": 1, \"n_data\": 2}]", "duplicate");
    (void)state;
}

static void an_absent_file_is_absent(void **state)
{
    struct data_config config = {0};
    struct err err = {0};
    assert_int_equal(data_config_read(&config, path, &err), E_ABSENT);
    assert_contains(err.text, path);
    (void)state;
}

int main(void)
{
#define WITH_FILE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        WITH_FILE(a_list_keeps_its_order),
        WITH_FILE(the_first_form_keeps_its_order),
        WITH_FILE(what_is_not_json_is_refused_with_its_line),
        WITH_FILE(what_is_no_list_is_refused),
        WITH_FILE(entries_are_complete),
        WITH_FILE(n_data_is_a_length),
        WITH_FILE(repeated_batches_are_refused),
        WITH_FILE(an_absent_file_is_absent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
