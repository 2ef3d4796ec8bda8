/* SPDX-License-Identifier: MPL-2.0 */
#include "vectors.h"

#include "codec/base64.h"
#include "codec/hex.h"

static char *read_file(const char *path, size_t *len)
{
    FILE *in = fopen(path, "rb");
    if (in == NULL)
        fail_msg("%s cannot be read", path);
    assert_int_equal(fseek(in, 0, SEEK_END), 0);
    *len = (size_t)ftell(in);
    rewind(in);
    char *text = malloc(*len + 1);
    assert_non_null(text);
    assert_int_equal(fread(text, 1, *len, in), *len);
    assert_int_equal(fclose(in), 0);
    text[*len] = '\0';
    return text;
}

/* jansson's integers have a sign. 2^64 - 1, which is in the vectors, is read as -1, which becomes
 * 2^64 - 1 again where it is cast. */
static void sign_largest_integers(char *text)
{
    static const char largest[] = "18446744073709551615", signed_form[] = "-1                  ";
    _Static_assert(sizeof largest == sizeof signed_form, "replaced in place");
    for (char *at = text; (at = strstr(at, largest)) != NULL;)
        memcpy(at, signed_form, sizeof signed_form - 1);
}

json_t *vectors_load(const char *name)
{
    char path[512];
    size_t len;
    json_error_t error;
    (void)snprintf(path, sizeof path, "%s/prio-v1/%s", WEIR_VECTORS, name);
    char *text = read_file(path, &len);
    sign_largest_integers(text);
    json_t *json = json_loadb(text, len, JSON_ALLOW_NUL, &error);
    free(text);
    if (json == NULL)
        fail_msg("%s: %s", path, error.text);
    return json;
}

const json_t *get(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    if (value == NULL)
        fail_msg("no member \"%s\"", key);
    return value;
}

const char *get_text(const json_t *object, const char *key)
{
    const char *text = json_string_value(get(object, key));
    if (text == NULL)
        fail_msg("\"%s\" is no text", key);
    return text;
}

size_t get_size(const json_t *object, const char *key)
{
    const json_t *value = get(object, key);
    assert_true(json_is_integer(value));
    return (size_t)json_integer_value(value);
}

bool get_bool(const json_t *object, const char *key)
{
    const json_t *value = get(object, key);
    assert_true(json_is_boolean(value));
    return json_is_true(value);
}

bool has(const json_t *object, const char *key)
{
    return json_object_get(object, key) != NULL;
}

const char *role_key(const char *prefix, int role)
{
    static _Thread_local char key[64];
    (void)snprintf(key, sizeof key, "%s%c", prefix, role == PRIO_SERVER_A ? 'a' : 'b');
    return key;
}

struct bytes bytes_copy(const void *ptr, size_t len)
{
    struct bytes b = {malloc(len > 0 ? len : 1), len};
    assert_non_null(b.ptr);
    if (len > 0)
        memcpy(b.ptr, ptr, len);
    return b;
}

struct bytes from_hex(const char *hex)
{
    const size_t len = strlen(hex) / 2;
    struct bytes b = {malloc(len > 0 ? len : 1), len};
    assert_non_null(b.ptr);
    assert_true(hex_decode(b.ptr, len, hex, strlen(hex)));
    return b;
}

struct bytes from_base64(const char *text)
{
    struct base64_ops ops;
    const size_t len = strlen(text);
    base64_ops_init(&ops, 0);
    uint8_t *roomy = malloc(base64_decode_room(len));
    assert_non_null(roomy);
    const ptrdiff_t n = ops.decode(roomy, (const uint8_t *)text, len);
    assert_true(n >= 0);
    const struct bytes b = bytes_copy(roomy, (size_t)n);
    free(roomy);
    return b;
}

void get_hex_into(uint8_t *out, size_t n, const json_t *object, const char *key)
{
    const char *hex = get_text(object, key);
    assert_true(hex_decode(out, n, hex, strlen(hex)));
}

struct fe to_fe(const char *hex)
{
    char digits[2 * FIELD_BYTES + 1];
    uint8_t be[FIELD_BYTES];
    struct fe x;
    const size_t len = strlen(hex);
    assert_in_range(len, 1, 2 * FIELD_BYTES);
    memset(digits, '0', sizeof digits);
    memcpy(digits + 2 * FIELD_BYTES - len, hex, len);
    assert_true(hex_decode(be, sizeof be, digits, sizeof digits - 1));
    assert_true(fe_from_bytes(&x, be));
    return x;
}

struct fe noise_fe(uint64_t *state)
{
    uint8_t be[FIELD_BYTES];
    struct fe x;
    do
        fill_noise(state, be, sizeof be);
    while (!fe_from_bytes(&x, be));
    return x;
}

void assert_fe_equal(struct fe got, struct fe want)
{
    uint8_t a[FIELD_BYTES], b[FIELD_BYTES];
    fe_to_bytes(a, got);
    fe_to_bytes(b, want);
    assert_memory_equal(a, b, sizeof a);
    assert_true(fe_equal(got, want)); // the limbs are canonical as well
}

void assert_hex_equal(const void *got, size_t len, const char *hex)
{
    BYTES want = from_hex(hex);
    assert_int_equal(len, want.len);
    assert_memory_equal(got, want.ptr, len);
}

void assert_totals_equal(const uint64_t *got, size_t n, const json_t *array)
{
    assert_int_equal(json_array_size(array), n);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(got[i], (uint64_t)json_integer_value(json_array_get(array, i)));
}
