/* SPDX-License-Identifier: MPL-2.0 */
#include "real/conformance.h"

struct conformance conformance;

static const char *from_environment(const char *name)
{
    const char *value = getenv(name);
    return value && *value ? value : NULL;
}

static void set_secret(struct opt_secret *secret, const char *name)
{
    const char *value = from_environment(name);
    *secret = (struct opt_secret){0};
    if (!value)
        return;
    secret->len = strlen(value);
    assert_true(secret->len < sizeof secret->text);
    memcpy(secret->text, value, secret->len);
}

struct store *open_with_environment(const char *url)
{
    static struct opt_secret access_key, secret_key, session_token;
    set_secret(&access_key, "WEIR_TEST_ACCESS_KEY");
    set_secret(&secret_key, "WEIR_TEST_SECRET_KEY");
    set_secret(&session_token, "WEIR_TEST_SESSION_TOKEN");
    const struct store_config config = {
        .url = url,
        .endpoint = from_environment("WEIR_TEST_ENDPOINT"),
        .region = from_environment("WEIR_TEST_REGION"),
        .access_key = &access_key,
        .secret_key = &secret_key,
        .session_token = &session_token,
        .ca_file = from_environment("WEIR_TEST_CA_FILE"),
        .virtual_host = from_environment("WEIR_TEST_VIRTUAL_HOST") != NULL,
        .google_credentials = from_environment("WEIR_TEST_GOOGLE_CREDENTIALS"),
    };
    struct store *store = NULL;
    struct err err = {0};
    if (store_open(&store, &config, &err) != 0)
        fail_msg("%s", err.text);
    return store;
}

const char *key_of(const char *test, const char *name)
{
    static char keys[16][STORE_MAX_KEY + 1];
    static unsigned turn;
    char *key = keys[turn++ % 16];
    (void)snprintf(key, sizeof keys[0], "%s/%s", test, name);
    return key;
}

void assert_result(int r, int expected, const struct err *err)
{
    if (r != expected)
        fail_msg("%d instead of %d: %s", r, expected, err->text);
}

void put_text(const char *key, const char *text)
{
    struct err err = {0};
    assert_result(store_put(conformance.store, key, span_str(text), NULL, NULL, &err), 0, &err);
}

void assert_text(const char *key, const char *text)
{
    CLEANUP(buf_deinit) struct buf got = BUF_INIT(1 << 20);
    struct store_object read = {0}, seen = {0};
    struct err err = {0};
    const int expected = text ? 0 : E_ABSENT;
    assert_result(store_stat(conformance.store, key, &seen, &err), expected, &err);
    assert_result(store_get_all(conformance.store, key, &got, &read, &err), expected, &err);
    if (!text)
        return;
    assert_int_equal(got.len, strlen(text));
    assert_true(span_equal(buf_span(&got), span_str(text)));
    assert_int_equal(seen.size, strlen(text));
    assert_int_equal(read.size, strlen(text));
    assert_string_equal(seen.version, read.version);
    assert_string_equal(seen.key, key);
}

void assert_keys(const char *prefix, const char *joined)
{
    CLEANUP(buf_deinit) struct buf got = BUF_INIT(1 << 20);
    struct store_listing listing = {0};
    struct err err = {0};
    assert_result(store_list(conformance.store, prefix, &listing, &err), 0, &err);
    for (size_t i = 0; i < listing.n; i++)
        assert_int_equal(buf_printf(&got, NULL, "%s%s", i ? " " : "", listing.objects[i].key), 0);
    assert_int_equal(buf_append_byte(&got, 0, NULL), 0);
    store_listing_deinit(&listing);
    assert_string_equal((char *)got.data, joined);
}

void fill_pattern(uint8_t *out, size_t n, uint64_t seed, uint64_t offset)
{
    for (size_t i = 0; i < n; i++) {
        const uint64_t at = offset + i;
        const uint64_t z = (at / 8 + 1) * UINT64_C(0x9e3779b97f4a7c15) ^ seed;
        out[i] = (uint8_t)((z ^ z >> 29) >> at % 8 * 8);
    }
}

void put_pattern(const char *key, uint64_t len, uint64_t seed,
                 const struct store_put_options *options, int expected)
{
    static _Thread_local uint8_t chunk[300001]; // no multiple of any part
    struct store_writer *w = NULL;
    struct store_object object = {0};
    struct err err = {0};
    assert_result(store_put_begin(&w, conformance.store, key, options, &err), 0, &err);
    for (uint64_t at = 0; at < len;) {
        const size_t n = len - at < sizeof chunk ? (size_t)(len - at) : sizeof chunk;
        fill_pattern(chunk, n, seed, at);
        const int r = store_writer_write(w, chunk, n, &err);
        if (r < 0 && expected != 0) { // a backend may refuse early
            store_writer_abandon(w);
            return;
        }
        assert_result(r, 0, &err);
        at += n;
    }
    assert_result(store_writer_commit(w, &object, &err), expected, &err);
    if (expected == 0)
        assert_int_equal(object.size, len);
}

void assert_pattern(const char *key, uint64_t offset, uint64_t len, uint64_t size, uint64_t seed)
{
    static _Thread_local uint8_t got[100003], expected[sizeof got];
    CLEANUP(store_reader_closep) struct store_reader *reader = NULL;
    struct err err = {0};
    assert_result(store_get(&reader, conformance.store, key, offset, len, &err), 0, &err);
    assert_int_equal(store_reader_object(reader)->size, size);
    const struct source source = store_reader_source(reader);
    const uint64_t start = offset < size ? offset : size;
    const uint64_t end = len < size - start ? start + len : size;
    uint64_t at = start;
    for (ssize_t n; (n = source.read(source.arg, got, sizeof got, &err)) != 0; at += (size_t)n) {
        if (n < 0)
            fail_msg("%s", err.text);
        fill_pattern(expected, (size_t)n, seed, at);
        assert_true(at + (size_t)n <= end);
        assert_memory_equal(got, expected, (size_t)n);
    }
    assert_int_equal(at, end);
}
