/* SPDX-License-Identifier: MPL-2.0 */
/* What is written, when it is seen, and under which conditions. */
#include "base/utc.h"
#include "real/conformance.h"

#include <openssl/evp.h>

enum { MIB = 1024 * 1024, BIG = 40 * MIB + 12345 };

void empty_objects_are_objects(void **state)
{
    struct err err = {0};
    struct store_object object = {0};
    struct store_writer *w = NULL;
    assert_result(
        store_put(conformance.store, "empty/_SUCCESS", span_of(NULL, 0), NULL, &object, &err), 0,
        &err);
    assert_int_equal(object.size, 0);
    assert_result(store_put_begin(&w, conformance.store, "empty/2", NULL, &err), 0, &err);
    assert_result(store_writer_write(w, "", 0, &err), 0, &err);
    assert_result(store_writer_commit(w, NULL, &err), 0, &err);
    assert_text("empty/_SUCCESS", "");
    assert_text("empty/2", "");
    assert_keys("empty/", "empty/2 empty/_SUCCESS");
    (void)state;
}

void an_overwrite_is_seen_at_once(void **state)
{
    struct store_object first = {0}, second = {0}, seen = {0};
    struct err err = {0};
    const int64_t before = utc_now_us();
    assert_result(store_put(conformance.store, "over/x", span_str("one"), NULL, &first, &err), 0,
                  &err);
    assert_null(first.key);
    assert_result(store_stat(conformance.store, "over/x", &seen, &err), 0, &err);
    assert_string_equal(first.version, seen.version);
    assert_int_equal(first.size, 3);
    // Clocks of servers may differ from ours, but not by a day.
    assert_true(llabs((long long)(seen.modified_us - before)) < INT64_C(86400) * 1000000);
    assert_result(store_stat(conformance.store, "over/x", &seen, &err), 0, &err);
    assert_string_equal(first.version, seen.version);
    assert_result(store_put(conformance.store, "over/x", span_str("longer"), NULL, &second, &err),
                  0, &err);
    assert_string_not_equal(first.version, second.version);
    assert_text("over/x", "longer");
    assert_keys("over/", "over/x");
    assert_result(store_delete_one(conformance.store, "over/x", &err), 0, &err);
    assert_text("over/x", NULL);
    put_text("over/x", "again");
    assert_text("over/x", "again");
    (void)state;
}

static void begin_and_abandon(const char *key, size_t len)
{
    struct store_writer *w = NULL;
    struct err err = {0};
    uint8_t *bytes = calloc(1, len);
    assert_non_null(bytes);
    assert_result(store_put_begin(&w, conformance.store, key, NULL, &err), 0, &err);
    assert_result(store_writer_write(w, bytes, len, &err), 0, &err);
    free(bytes);
    struct store_object seen = {0};
    assert_result(store_stat(conformance.store, key, &seen, &err), E_ABSENT, &err);
    store_writer_abandon(w);
    assert_text(key, NULL);
}

void an_abandoned_object_never_appears(void **state)
{
    begin_and_abandon("abandon/small", 10);
    begin_and_abandon("abandon/large", 34 * MIB);
    assert_keys("abandon/", "");
    put_text("abandon/there", "text");
    struct store_writer *w = NULL;
    struct err err = {0};
    assert_result(store_put_begin(&w, conformance.store, "abandon/there", NULL, &err), 0, &err);
    assert_result(store_writer_write(w, "x", 1, &err), 0, &err);
    assert_text("abandon/there", "text");
    store_writer_abandon(w);
    assert_text("abandon/there", "text");
    (void)state;
}

void a_large_object_comes_back(void **state)
{
    put_pattern("large/x y=z", BIG, 1, NULL, 0);
    assert_pattern("large/x y=z", 0, STORE_TO_END, BIG, 1);
    struct store_listing listing = {0};
    struct err err = {0};
    assert_result(store_list(conformance.store, "large/", &listing, &err), 0, &err);
    assert_int_equal(listing.n, 1);
    assert_int_equal(listing.objects[0].size, BIG);
    store_listing_deinit(&listing);
    put_pattern("large/x y=z", BIG - 1, 2, NULL, 0);
    assert_pattern("large/x y=z", 0, STORE_TO_END, BIG - 1, 2);
    assert_keys("large/", "large/x y=z");
    (void)state;
}

void sizes_around_a_part_come_back(void **state)
{
    static const uint64_t sizes[] = {16 * MIB - 1, 16 * MIB, 16 * MIB + 1, 32 * MIB};
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        put_pattern("sizes/x", sizes[i], i, NULL, 0);
        assert_pattern("sizes/x", 0, STORE_TO_END, sizes[i], i);
    }
    (void)state;
}

static int put_if(const char *key, const char *text, bool if_absent, const char *if_version,
                  struct store_object *object)
{
    struct err err = {0};
    const struct store_put_options options = {.if_absent = if_absent, .if_version = if_version};
    const int r = store_put(conformance.store, key, span_str(text), &options, object, &err);
    if (r < 0)
        fail_msg("%s", err.text);
    return r;
}

void conditions_hold(void **state)
{
    struct store_object first = {0}, second = {0};
    struct err err = {0};
    assert_int_equal(put_if("if/x", "one", true, NULL, &first), 0);
    assert_int_equal(put_if("if/x", "two", true, NULL, NULL), STORE_CONFLICT);
    assert_text("if/x", "one");
    assert_int_equal(put_if("if/x", "three", false, first.version, &second), 0);
    assert_text("if/x", "three");
    assert_int_equal(put_if("if/x", "four", false, first.version, NULL), STORE_CONFLICT);
    assert_text("if/x", "three");
    assert_result(store_delete_one(conformance.store, "if/x", &err), 0, &err);
    assert_int_equal(put_if("if/x", "five", false, second.version, NULL), STORE_CONFLICT);
    assert_text("if/x", NULL);
    assert_int_equal(put_if("if/x", "six", true, NULL, NULL), 0);
    assert_text("if/x", "six");
    const struct store_put_options both = {.if_absent = true, .if_version = "v"};
    assert_result(store_put(conformance.store, "if/x", span_str("x"), &both, NULL, &err), E_ARG,
                  &err);
    assert_keys("if/", "if/x");
    (void)state;
}

void conditions_hold_for_large_objects(void **state)
{
    struct store_object object = {0};
    struct err err = {0};
    const uint64_t len = 20 * MIB;
    const struct store_put_options absent = {.if_absent = true};
    put_pattern("if-large/x", len, 1, &absent, 0);
    put_pattern("if-large/x", len, 2, &absent, STORE_CONFLICT);
    assert_pattern("if-large/x", 0, STORE_TO_END, len, 1);
    assert_result(store_stat(conformance.store, "if-large/x", &object, &err), 0, &err);
    const struct store_put_options version = {.if_version = object.version};
    put_pattern("if-large/x", len, 3, &version, 0);
    put_pattern("if-large/x", len, 4, &version, STORE_CONFLICT);
    assert_pattern("if-large/x", 0, STORE_TO_END, len, 3);
    assert_keys("if-large/", "if-large/x");
    (void)state;
}

void a_version_is_deleted_only_as_itself(void **state)
{
    struct store_object first = {0}, second = {0};
    struct err err = {0};
    assert_int_equal(put_if("version/x", "one", true, NULL, &first), 0);
    assert_int_equal(put_if("version/x", "two", false, NULL, &second), 0);
    char key[] = "version/x";
    first.key = second.key = key;
    assert_result(store_delete_version(conformance.store, &first, &err), STORE_CONFLICT, &err);
    assert_text("version/x", "two");
    assert_result(store_delete_version(conformance.store, &second, &err), 0, &err);
    assert_text("version/x", NULL);
    assert_result(store_delete_version(conformance.store, &second, &err), 0, &err);
    (void)state;
}

void known_contents_are_true(void **state)
{
    static const char text[] = "some bytes";
    unsigned char digest[EVP_MAX_MD_SIZE];
    char expected[64] = "md5:";
    struct store_object object = {0};
    struct err err = {0};
    put_text("content/x", text);
    assert_result(store_stat(conformance.store, "content/x", &object, &err), 0, &err);
    assert_int_equal(EVP_Digest(text, strlen(text), digest, NULL, EVP_md5(), NULL), 1);
    for (size_t i = 0; i < 16; i++)
        (void)snprintf(expected + 4 + 2 * i, 3, "%02x", digest[i]);
    if (object.content[0] != '\0')
        assert_string_equal(object.content, expected);
    (void)state;
}
