/* SPDX-License-Identifier: MPL-2.0 */
#include "base/base_test.h"
#include "store/store.h"

#include <sys/stat.h>

static const struct bucket_common home = {.home = "/weir-home"};
static const struct bucket_side nobody = {0};

static void assert_bucket(const struct bucket_common *common, const struct bucket_side *side,
                          const char *value, const char *name)
{
    CLEANUP(store_closep) struct store *store = NULL;
    struct err err = {0};
    if (bucket_open(&store, common, side, "BUCKET_INTERNAL_INGEST", value, &err) != 0)
        fail_msg("%s", err.text);
    assert_string_equal(store_name(store), name);
}

static void assert_refused(const struct bucket_common *common, const struct bucket_side *side,
                           const char *value, const char *complaint)
{
    struct store *store = NULL;
    struct err err = {0};
    assert_int_equal(bucket_open(&store, common, side, "BUCKET_INTERNAL_INGEST", value, &err),
                     E_ARG);
    assert_contains(err.text, "BUCKET_INTERNAL_INGEST");
    assert_contains(err.text, complaint);
    assert_null(store);
}

static void a_bare_name_lies_below_the_store_root(void **state)
{
    const struct bucket_common root = {.home = "/weir-home", .store_root = "/data/buckets/"};
    const struct bucket_common bucket = {.store_root = "s3://root"};
    const struct bucket_common prefix = {.store_root = "s3://root/some/prefix/"};
    const struct bucket_common scheme = {.store_root = "s3://"};
    const struct bucket_common file = {.store_root = "file:///data"};
    assert_bucket(&home, &nobody, "a-ingest", "/weir-home/buckets/a-ingest");
    assert_bucket(&root, &nobody, "a-ingest", "/data/buckets/a-ingest");
    assert_bucket(&root, &nobody, "a/ingest", "/data/buckets/a/ingest");
    assert_bucket(&bucket, &nobody, "a-ingest", "s3://root/a-ingest");
    assert_bucket(&prefix, &nobody, "a-ingest", "s3://root/some/prefix/a-ingest");
    assert_bucket(&scheme, &nobody, "a-ingest", "s3://a-ingest");
    assert_bucket(&file, &nobody, "a-ingest", "/data/a-ingest");
    (void)state;
}

static void a_relative_root_is_below_the_working_directory(void **state)
{
    const struct bucket_common root = {.store_root = "buckets"};
    char here[512], expected[600];
    assert_non_null(getcwd(here, sizeof here));
    (void)snprintf(expected, sizeof expected, "%s/buckets/a", here);
    assert_bucket(&root, &nobody, "a", expected);
    (void)state;
}

static void urls_are_taken_as_written(void **state)
{
    assert_bucket(&home, &nobody, "/data/a-ingest", "/data/a-ingest");
    assert_bucket(&home, &nobody, "file:///data/a-ingest", "/data/a-ingest");
    assert_bucket(&home, &nobody, "s3://a-ingest/x", "s3://a-ingest/x");
    assert_bucket(&home, &nobody, "s3a://a-ingest", "s3://a-ingest");
    (void)state;
}

static void an_endpoint_makes_it_s3_whatever_the_scheme(void **state)
{
    const struct bucket_side side = {.endpoint = "http://minio:9000"};
    const struct bucket_common root = {.store_root = "/data"};
    assert_bucket(&root, &side, "a-ingest", "s3://a-ingest");
    assert_bucket(&root, &side, "s3://a-ingest", "s3://a-ingest");
    assert_bucket(&root, &side, "s3a://a-ingest", "s3://a-ingest");
    assert_bucket(&root, &side, "gs://a-ingest/x", "s3://a-ingest/x");
    assert_refused(&root, &side, "/data/a-ingest", "endpoint");
    assert_refused(&root, &side, "file:///data/a-ingest", "endpoint");
    (void)state;
}

static void empty_texts_are_unset(void **state)
{
    const struct bucket_side side = {.endpoint = "", .region = "", .ca_file = ""};
    const struct bucket_common common = {
        .home = "", .store_root = "", .xdg_data_home = "", .user_home = "/home/user"};
    assert_bucket(&common, &side, "a", "/home/user/.local/share/weir/buckets/a");
    (void)state;
}

static void unusable_values_name_their_variable(void **state)
{
    static const char *const odd[] = {"..", ".", "../a", "a/../b", "a//b", "a/.."};
    const struct bucket_common nowhere = {0};
    assert_refused(&home, &nobody, NULL, "names no bucket");
    assert_refused(&home, &nobody, "", "names no bucket");
    assert_refused(&home, &nobody, "http://a/b", "http://a/b");
    assert_refused(&home, &nobody, "s3://", "bucket");
    assert_refused(&nowhere, &nobody, "a", "WEIR_HOME");
    for (size_t i = 0; i < ARRAY_LEN(odd); i++)
        assert_refused(&home, &nobody, odd[i], odd[i]);
    (void)state;
}

static void assert_home(const struct bucket_common *common, const char *expected)
{
    char *text = NULL;
    assert_int_equal(bucket_home(&text, common, NULL), 0);
    assert_string_equal(text, expected);
    free(text);
}

static void home_has_an_order(void **state)
{
    struct bucket_common common = {
        .home = "/h", .xdg_data_home = "/xdg", .user_home = "/home/user"};
    assert_home(&common, "/h");
    common.home = NULL;
    assert_home(&common, "/xdg/weir");
    common.xdg_data_home = "relative";
    assert_home(&common, "/home/user/.local/share/weir");
    common.user_home = NULL;
    char *text = NULL;
    struct err err = {0};
    assert_int_equal(bucket_home(&text, &common, &err), E_ARG);
    assert_contains(err.text, "WEIR_HOME");
    (void)state;
}

static void assert_location(const char *location, const char *name, const char *expected)
{
    CLEANUP(store_closep) struct store *store = NULL;
    char *key = NULL;
    struct err err = {0};
    if (location_open(&store, &key, &home, &nobody, location, &err) != 0)
        fail_msg("%s", err.text);
    assert_string_equal(store_name(store), name);
    assert_string_equal(key, expected);
    free(key);
}

static void a_location_is_a_store_and_a_key(void **state)
{
    char dir[TEST_PATH_BYTES], path[2 * TEST_PATH_BYTES], here[512];
    make_temp_dir(dir);
    assert_location(dir, dir, "");
    (void)snprintf(path, sizeof path, "%s//", dir);
    assert_location(path, dir, "");
    (void)snprintf(path, sizeof path, "file://%s/absent", dir);
    assert_location(path, dir, "absent");
    (void)snprintf(path, sizeof path, "%s/absent/", dir);
    assert_location(path, dir, "absent");
    assert_int_equal(rmdir(dir), 0);
    assert_non_null(getcwd(here, sizeof here));
    assert_location(".", here, "");
    assert_location("no-such-name", here, "no-such-name");
    assert_location("/", "/", "");
    assert_location("/no-such-name", "/", "no-such-name");
    assert_location("/no-such-name/a*/b?c/d", "/no-such-name", "a*/b?c/d");
    assert_location("no-such*/a", here, "no-such*/a");
    assert_location("/*", "/", "*");
    assert_location("s3://bucket/a*/b.json", "s3://bucket", "a*/b.json");
    assert_location("s3://bucket/a/b.json", "s3://bucket", "a/b.json");
    assert_location("s3://bucket/a/b/", "s3://bucket", "a/b");
    assert_location("s3://bucket", "s3://bucket", "");
    assert_location("s3://bucket/", "s3://bucket", "");
    (void)state;
}

static void unusable_locations_are_refused(void **state)
{
    static const char *const locations[] = {"", "http://a/b", "s3://", "file://x", NULL};
    for (size_t i = 0; i < ARRAY_LEN(locations); i++) {
        struct store *store = NULL;
        char *key = NULL;
        assert_int_equal(location_open(&store, &key, &home, &nobody, locations[i], NULL), E_ARG);
        assert_null(store);
        assert_null(key);
    }
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_bare_name_lies_below_the_store_root),
        cmocka_unit_test(a_relative_root_is_below_the_working_directory),
        cmocka_unit_test(urls_are_taken_as_written),
        cmocka_unit_test(an_endpoint_makes_it_s3_whatever_the_scheme),
        cmocka_unit_test(empty_texts_are_unset),
        cmocka_unit_test(unusable_values_name_their_variable),
        cmocka_unit_test(home_has_an_order),
        cmocka_unit_test(a_location_is_a_store_and_a_key),
        cmocka_unit_test(unusable_locations_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
