/* SPDX-License-Identifier: MPL-2.0 */
/* Keys and listings. */
#include "real/conformance.h"

void keys_of_every_kind_come_back(void **state)
{
    // Sorted bytewise, as the listing must be.
    static const char *const names[] = {
        " space",
        "!x",
        "#hash",
        "$",
        "%",
        "%2F",
        "%41",
        "&amp;",
        "'quote'",
        "(x)",
        "*",
        "+plus+",
        ",comma",
        "-",
        "..two",
        ".dot",
        ".x.tmp",
        ":colon",
        ";",
        "<tag>",
        "=a=b",
        "?q=1&r=2",
        "@",
        "A",
        "UPPER",
        "[x]",
        "^",
        "_SUCCESS",
        "`",
        "a b  c",
        "a.",
        "a...b",
        "batch_id=a%3Ab",
        "deep/er/still/x",
        "deep/er/x=y/z",
        "lower",
        "part-00000-x.c000.json",
        "trailing ",
        "{x}",
        "|",
        "~tilde",
        "\xc3\xa9t\xc3\xa9",
        "\xe2\x82\xac",
        "\xf0\x9f\x98\x80",
    };
    struct store_listing listing = {0};
    struct err err = {0};
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        put_text(key_of("keys", names[i]), names[i]);
    assert_result(store_list(conformance.store, "keys/", &listing, &err), 0, &err);
    assert_int_equal(listing.n, ARRAY_LEN(names));
    for (size_t i = 0; i < listing.n; i++) {
        struct store_object seen = {0};
        assert_string_equal(listing.objects[i].key, key_of("keys", names[i]));
        assert_int_equal(listing.objects[i].size, strlen(names[i]));
        assert_text(listing.objects[i].key, names[i]);
        assert_result(store_stat(conformance.store, listing.objects[i].key, &seen, &err), 0, &err);
        assert_string_equal(listing.objects[i].version, seen.version);
        assert_null(strpbrk(seen.version, " \"'"));
    }
    store_listing_deinit(&listing);
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        assert_result(store_delete_one(conformance.store, key_of("keys", names[i]), &err), 0, &err);
        assert_text(key_of("keys", names[i]), NULL);
    }
    assert_keys("keys/", "");
    (void)state;
}

void unusable_keys_are_refused(void **state)
{
    static const char *const keys[] = {"",      "/a",    "a//b",      "a/./b",       "a/../b",
                                       ".",     "..",    "../a",      "a/..",        "a\n",
                                       "a\x7f", "a\xff", "a\xc0\x80", "\xed\xa0\x80"};
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        struct err err = {0};
        assert_result(store_put(conformance.store, keys[i], span_str("x"), NULL, NULL, &err), E_ARG,
                      &err);
        assert_true(err.text[0] != '\0');
    }
    (void)state;
}

void a_long_key_comes_back(void **state)
{
    // The prefix counts, but for directories. A name in one has at most 255 bytes, and its
    // temporary name five more.
    const char *prefix = strstr(conformance.url, "://");
    prefix = prefix ? strchr(prefix + 3, '/') : NULL;
    const size_t room = STORE_MAX_KEY - (prefix ? strlen(prefix) : 0);
    char key[STORE_MAX_KEY + 2];
    struct err err = {0};
    for (size_t i = 0; i < sizeof key; i++)
        key[i] = i % 200 == 199 && i < room - 1 ? '/' : 'k';
    key[room] = '\0';
    put_text(key, "text");
    assert_text(key, "text");
    assert_keys("kkk", key);
    assert_result(store_delete_one(conformance.store, key, &err), 0, &err);
    memset(key, 'k', sizeof key - 1);
    key[sizeof key - 1] = '\0';
    assert_result(store_put(conformance.store, key, span_str("x"), NULL, NULL, &err), E_ARG, &err);
    (void)state;
}

enum { MANY = 1101 };

static void name_many(char out[32], int i)
{
    (void)snprintf(out, 32, "many/%d/%04d", i % 3, i);
}

void a_thousand_objects_are_listed(void **state)
{
    static char keys[MANY + 1][32];
    static const char *pointers[MANY + 1];
    struct store_listing listing = {0};
    struct err err = {0};
    for (int i = 0; i < MANY; i++) {
        name_many(keys[i], i);
        pointers[i] = keys[i];
        put_text(keys[i], "x");
    }
    put_text("many/3", "stays");
    assert_result(store_list(conformance.store, "many/", &listing, &err), 0, &err);
    assert_int_equal(listing.n, MANY + 1);
    for (size_t i = 1; i < listing.n; i++)
        assert_true(strcmp(listing.objects[i - 1].key, listing.objects[i].key) < 0);
    store_listing_deinit(&listing);
    (void)snprintf(keys[MANY], sizeof keys[0], "many/absent");
    pointers[MANY] = keys[MANY];
    assert_result(store_delete(conformance.store, pointers, MANY + 1, &err), 0, &err);
    assert_keys("many/", "many/3");
    (void)state;
}

void a_prefix_may_end_within_a_name(void **state)
{
    static const char *const names[] = {"batch_id=x-1/a", "batch_id=x-10/a", "batch_id=x-2/a",
                                        "batch_id=y/a",   ".hidden",         "_SUCCESS"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        put_text(key_of("within", names[i]), "x");
    assert_keys("within/batch_id=x-1", "within/batch_id=x-1/a within/batch_id=x-10/a");
    assert_keys("within/batch_id=x-1/", "within/batch_id=x-1/a");
    assert_keys("within/.h", "within/.hidden"); // MinIO refuses a prefix that ends in "/."
    assert_keys("within/_SUCCESS", "within/_SUCCESS");
    assert_keys("within/_SUCCESS/", "");
    assert_keys("withi", "within/.hidden within/_SUCCESS within/batch_id=x-1/a "
                         "within/batch_id=x-10/a within/batch_id=x-2/a within/batch_id=y/a");
    assert_keys("within/none", "");
    assert_keys("none/at/all/", "");
    (void)state;
}

static void assert_level(const char *prefix, const char *const *keys, size_t n)
{
    struct store_listing listing = {0};
    struct err err = {0};
    assert_result(store_list_level(conformance.store, prefix, &listing, &err), 0, &err);
    assert_int_equal(listing.n, n);
    for (size_t i = 0; i < n; i++)
        assert_string_equal(listing.objects[i].key, keys[i]);
    store_listing_deinit(&listing);
}

void a_level_is_listed_by_itself(void **state)
{
    static const char *const names[] = {"a/1", "a/2", "a/b/3", "a.x", "b=c d/e/f/g", "z"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        put_text(key_of("level", names[i]), "x");
    static const char *const all[] = {"level/a.x", "level/a/", "level/b=c d/", "level/z"};
    static const char *const in_a[] = {"level/a/1", "level/a/2", "level/a/b/"};
    static const char *const deep[] = {"level/b=c d/e/"};
    assert_level("level/", all, ARRAY_LEN(all));
    assert_level("level/a/", in_a, ARRAY_LEN(in_a));
    assert_level("level/b=c d/", deep, ARRAY_LEN(deep));
    assert_level("level/none/", NULL, 0);
    struct store_listing listing = {0};
    struct err err = {0};
    assert_result(store_list_level(conformance.store, "level", &listing, &err), E_ARG, &err);
    // A thousand names of one level come in pages, too.
    assert_result(store_list_level(conformance.store, "", &listing, &err), 0, &err);
    assert_true(listing.n >= 1);
    store_listing_deinit(&listing);
    (void)state;
}

void directory_objects_are_objects(void **state)
{
    struct err err = {0};
    if (store_is_local(conformance.store)) {
        assert_result(store_put(conformance.store, "folders/a/", span_str(""), NULL, NULL, &err),
                      E_ARG, &err);
        return;
    }
    put_text("folders/a/", "");
    put_text("folders/a/x", "text");
    assert_keys("folders/", "folders/a/ folders/a/x");
    static const char *const level[] = {"folders/a/"}, *const below[] = {"folders/a/x"};
    assert_level("folders/", level, 1);
    assert_level("folders/a/", below, 1);
    assert_text("folders/a/", "");
    assert_result(store_delete_one(conformance.store, "folders/a/x", &err), 0, &err);
    assert_keys("folders/", "folders/a/");
    assert_result(store_delete_one(conformance.store, "folders/a/", &err), 0, &err);
    assert_keys("folders/", "");
    (void)state;
}

void absent_objects_are_absent(void **state)
{
    static const char *const keys[] = {"absent/x", "absent/x/y", "absent"};
    struct err err = {0};
    put_text("absent/there/x", "x");
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        assert_text(keys[i], NULL);
        assert_result(store_delete_one(conformance.store, keys[i], &err), 0, &err);
    }
    struct store_object object = {0};
    assert_result(store_stat(conformance.store, "absent/x", &object, &err), E_ABSENT, &err);
    assert_contains(err.text, store_name(conformance.store));
    assert_contains(err.text, "absent/x");
    assert_text("absent/there", NULL);
    assert_text("absent/there/x", "x");
    (void)state;
}

void an_absent_bucket_is_absent(void **state)
{
    char url[1024];
    struct store_listing listing = {0};
    struct err err = {0};
    assert_result(store_check(conformance.store, &err), 0, &err);
    if (store_is_local(conformance.store))
        (void)snprintf(url, sizeof url, "%s/no-such-folder", conformance.url);
    else // "s3://" and "gs://" have five characters
        (void)snprintf(url, sizeof url, "%.5sweir-no-such-bucket-7f3a", conformance.bucket_url);
    CLEANUP(store_closep) struct store *store = open_with_environment(url);
    assert_result(store_check(store, &err), E_ABSENT, &err);
    assert_contains(err.text, store_name(store));
    const int expected = store_is_local(store) ? 0 : E_ABSENT;
    assert_result(store_list(store, "", &listing, &err), expected, &err);
    assert_int_equal(listing.n, 0);
    store_listing_deinit(&listing);
    (void)state;
}
