/* SPDX-License-Identifier: MPL-2.0 */
#include "taar/whitelist.h"

#include "taar/database.h"
#include "taar_test.h"

static void assert_curated(void **state, const char *text, int code)
{
    const struct objects o = objects_of(state, "p", GENERATION_3);
    CLEANUP(whitelist_deinit) struct whitelist w = {0};
    bucket_put(state, "p/only_guids_top_200.json.bz2", text);
    assert_int_equal(whitelist_curated(&w, &o, NULL), code);
}

static void the_curated_one_is_an_array(void **state)
{
    const struct objects o = objects_of(state, "p", GENERATION_3);
    CLEANUP(whitelist_deinit) struct whitelist w = {0};
    assert_int_equal(whitelist_curated(&w, &o, NULL), E_ABSENT);
    bucket_put(state, "p/only_guids_top_200.json.bz2", " [\"b\\u00e9\", \"a\", \"b\xc3\xa9\"] ");
    assert_int_equal(whitelist_curated(&w, &o, NULL), 0);
    assert_int_equal(w.guids.n, 2);
    assert_int_equal(whitelist_find(&w, span_str("b\xc3\xa9")), 0);
    assert_int_equal(whitelist_find(&w, span_str("a")), 1);
    assert_true(whitelist_find(&w, span_str("A")) == SIZE_MAX);
    assert_true(whitelist_find(&w, span_str("")) == SIZE_MAX);
    assert_curated(state, "[]", 0);
    assert_curated(state, "{}", E_FORMAT);
    assert_curated(state, "[1]", E_FORMAT);
    assert_curated(state, "[\"a\"", E_FORMAT);
    assert_curated(state, "[\"a\"] x", E_FORMAT);
    assert_curated(state, "", E_FORMAT);
}

/* The case of the original's tests. Source: 8. */
static void the_external_one_has_web_extensions(void **state)
{
    const struct objects o = objects_of(state, "p", GENERATION_2);
    CLEANUP(whitelist_deinit) struct whitelist w = {0};
    bucket_put(state, "p/db.json",
               "{\"key\": {\"guid\": \"test-guid-0001\", \"current_version\": {\"files\": "
               "[{\"is_webextension\": false}, {\"is_webextension\": true}]}}, \"test-guid-0002\": "
               "{\"guid\": \"test-guid-0002\", \"current_version\": {\"files\": "
               "[{\"is_webextension\": false}]}}, \"x\": null, \"y\": {\"current_version\": "
               "{\"files\": [{\"is_webextension\": true}]}}}");
    assert_int_equal(whitelist_external(&w, &o, "db.json", NULL), 0);
    assert_int_equal(w.guids.n, 1);
    assert_int_equal(whitelist_find(&w, span_str("test-guid-0001")), 0);
}

static void assert_empty(const struct objects *o, const char *base, int code)
{
    CLEANUP(whitelist_deinit) struct whitelist w = {0};
    struct err err = {0};
    assert_int_equal(whitelist_external(&w, o, base, &err), code);
    assert_true(code == E_ABSENT || strstr(err.text, "Empty AMO whitelist detected"));
}

static void an_empty_external_one_is_refused(void **state)
{
    bucket_put(state, "p/empty.json", "{}");
    const struct objects first = objects_of(state, "p/", GENERATION_1);
    const struct objects second = objects_of(state, "p/", GENERATION_2);
    assert_empty(&first, "empty", E_FORMAT);
    assert_empty(&second, "empty", E_FORMAT);
    assert_empty(&first, "missing", E_FORMAT);
    assert_empty(&second, "missing", E_ABSENT);
}

static void the_vectors_give_theirs(void **state)
{
    JSON *database = read_vector("amo/expected/whitelist_addons_database.json");
    JSON *summary = read_vector("amo/expected/summary.json");
    const json_t *want = json_object_get(summary, "external_whitelist_guids");
    const struct objects o = objects_of(state, "p", GENERATION_3);
    CLEANUP(whitelist_deinit) struct whitelist w = {0};
    TEXT(text);
    assert_int_equal(objects_write(&o, "db", "20210315", spell(&text, database), NULL), 0);
    assert_int_equal(whitelist_external(&w, &o, "db", NULL), 0);
    assert_int_equal(w.guids.n, json_array_size(want));
    for (size_t i = 0; i < w.guids.n; i++)
        assert_true(whitelist_find(&w, span_str(json_string_value(json_array_get(want, i)))) <
                    w.guids.n);
}

static void a_key_given_twice_has_its_last_record(void **state)
{
    const struct objects o = objects_of(state, "p", GENERATION_2);
    CLEANUP(database_deinit) struct database d = {0};
    bucket_put(state, "p/db.json", "{\"\\u0061\": 1, \"b\": [ 2 ], \"a\": {\"x\":  3}}");
    assert_int_equal(database_read(&d, &o, "db", NULL), 0);
    assert_int_equal(d.guids.n, 2);
    assert_true(span_equal(d.guids.list[0], span_str("a")));
    assert_true(database_is(d.records[0], "{\"x\":  3}"));
    assert_true(database_is(d.records[1], "[ 2 ]"));
}

static void many_guids_are_found_again(void **state)
{
    enum { N = 20000, BYTES = 16 };
    static char names[N][BYTES];
    CLEANUP(guids_deinit) struct guids g = {0};
    size_t place;
    (void)state;
    for (size_t i = 0; i < N; i++) {
        (void)snprintf(names[i], BYTES, "guid-%zu", i);
        assert_int_equal(guids_add(&g, span_str(names[i]), &place, NULL), 1);
        assert_int_equal(place, i);
    }
    for (size_t i = 0; i < N; i++) {
        assert_int_equal(guids_find(&g, span_str(names[i])), i);
        assert_int_equal(guids_add(&g, span_str(names[i]), &place, NULL), 0);
    }
    assert_int_equal(g.n, N);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, bucket_setup, bucket_teardown)
    const struct CMUnitTest tests[] = {
        TEST(the_curated_one_is_an_array),           TEST(the_external_one_has_web_extensions),
        TEST(an_empty_external_one_is_refused),      TEST(the_vectors_give_theirs),
        TEST(a_key_given_twice_has_its_last_record), cmocka_unit_test(many_guids_are_found_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
