/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The signatures that AWS publishes: its general Signature Version 4 test suite, as far as it makes
 * sense for S3 (which neither normalises paths nor encodes them twice), and the examples in the S3
 * API reference, "Signature Calculations for the Authorization Header".
 */
#include "store/s3_sign.h"

// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
// clang-format on

#include <string.h>

#define TOKEN                                                                                      \
    "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSP" \
    "fIeoIYRqTflfKD8YUuwthAx7mSEI/qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT" \
    "7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVXAkiY9q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+scqKmlz" \
    "m8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA=="
#define UNRESERVED "-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

struct account {
    struct s3_signer_options options;
    const char *host, *time;
    bool s3; // x-amz-content-sha256 is sent
};

static const struct account general = {
    {"us-east-1", "service", "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", NULL},
    "example.amazonaws.com",
    "20150830T123600Z",
    false,
};
static const struct account s3 = {
    {"us-east-1", "s3", "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", NULL},
    "examplebucket.s3.amazonaws.com",
    "20130524T000000Z",
    true,
};

struct vector {
    const char *name;
    const struct account *account;
    const char *method, *path; // not encoded
    struct s3_param query[3];
    struct http_header headers[3];
    const char *body, *signed_headers, *signature;
};

static const struct vector vectors[] = {
    {"get-vanilla",
     &general,
     "GET",
     "/",
     {{0}},
     {{0}},
     "",
     "host;x-amz-date",
     "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
    {"get-unreserved",
     &general,
     "GET",
     "/" UNRESERVED,
     {{0}},
     {{0}},
     "",
     "host;x-amz-date",
     "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f"},
    {"get-utf8",
     &general,
     "GET",
     "/\xe1\x88\xb4",
     {{0}},
     {{0}},
     "",
     "host;x-amz-date",
     "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85"},
    {"get-header-value-trim",
     &general,
     "GET",
     "/",
     {{0}},
     {{"My-Header1", " value1"}, {"My-Header2", " \"a   b   c\""}},
     "",
     "host;my-header1;my-header2;x-amz-date",
     "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736"},
    {"get-vanilla-empty-query-key",
     &general,
     "GET",
     "/",
     {{"Param1", "value1"}},
     {{0}},
     "",
     "host;x-amz-date",
     "a67d582fa61cc504c4bae71f336f98b97f1ea3c7a6bfe1b6e45aec72011b9aeb"},
    {"get-vanilla-query-order-key-case",
     &general,
     "GET",
     "/",
     {{"Param2", "value2"}, {"Param1", "value1"}},
     {{0}},
     "",
     "host;x-amz-date",
     "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"},
    {"get-vanilla-query-unreserved",
     &general,
     "GET",
     "/",
     {{UNRESERVED, UNRESERVED}},
     {{0}},
     "",
     "host;x-amz-date",
     "9c3e54bfcdf0b19771a7f523ee5669cdf59bc7cc0884027167c21bb143a40197"},
    {"get-vanilla-utf8-query",
     &general,
     "GET",
     "/",
     {{"\xe1\x88\xb4", "bar"}},
     {{0}},
     "",
     "host;x-amz-date",
     "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04"},
    {"post-vanilla",
     &general,
     "POST",
     "/",
     {{0}},
     {{0}},
     "",
     "host;x-amz-date",
     "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"},
    {"post-header-key-sort",
     &general,
     "POST",
     "/",
     {{0}},
     {{"My-Header1", "value1"}},
     "",
     "host;my-header1;x-amz-date",
     "c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c"},
    {"post-header-value-case",
     &general,
     "POST",
     "/",
     {{0}},
     {{"My-Header1", "VALUE1"}},
     "",
     "host;my-header1;x-amz-date",
     "cdbc9802e29d2942e5e10b5bccfdd67c5f22c7c4e8ae67b53629efa58b974b7d"},
    {"post-vanilla-query",
     &general,
     "POST",
     "/",
     {{"Param1", "value1"}},
     {{0}},
     "",
     "host;x-amz-date",
     "28038455d6de14eafc1f9222cf5aa6f1a96197d7deb8263271d420d138af7f11"},
    {"post-vanilla-query-nonunreserved",
     &general,
     "POST",
     "/",
     {{"@#$%^", ""}, {"+", "/,?><`\";:\\|][{}"}},
     {{0}},
     "",
     "host;x-amz-date",
     "66c82657c86e26fb25238d0e69f011edc4c6df5ae71119d7cb98ed9b87393c1e"},
    {"post-vanilla-query-space",
     &general,
     "POST",
     "/",
     {{"p", ""}},
     {{0}},
     "",
     "host;x-amz-date",
     "e71688addb58a26418614085fb730ba3faa623b461c17f48f2fbdb9361b94a9b"},
    {"post-sts-header-before",
     &general,
     "POST",
     "/",
     {{0}},
     {{"X-Amz-Security-Token", TOKEN}},
     "",
     "host;x-amz-date;x-amz-security-token",
     "85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead"},
    {"post-x-www-form-urlencoded",
     &general,
     "POST",
     "/",
     {{0}},
     {{"Content-Type", "application/x-www-form-urlencoded"}},
     "Param1=value1",
     "content-type;host;x-amz-date",
     "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a"},
    {"post-x-www-form-urlencoded-parameters",
     &general,
     "POST",
     "/",
     {{0}},
     {{"Content-Type", "application/x-www-form-urlencoded; charset=utf8"}},
     "Param1=value1",
     "content-type;host;x-amz-date",
     "1a72ec8f64bd914b0e42e42607c7fbce7fb2c7465f63e3092b3b0d39fa77a6fe"},
    {"S3: GET Object with Range",
     &s3,
     "GET",
     "/test.txt",
     {{0}},
     {{"Range", "bytes=0-9"}},
     "",
     "host;range;x-amz-content-sha256;x-amz-date",
     "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"},
    {"S3: PUT Object",
     &s3,
     "PUT",
     "/test$file.text",
     {{0}},
     {{"Date", "Fri, 24 May 2013 00:00:00 GMT"}, {"x-amz-storage-class", "REDUCED_REDUNDANCY"}},
     "Welcome to Amazon S3.",
     "date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class",
     "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"},
    {"S3: GET Bucket lifecycle",
     &s3,
     "GET",
     "/",
     {{"lifecycle", ""}},
     {{0}},
     "",
     "host;x-amz-content-sha256;x-amz-date",
     "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"},
    {"S3: GET Bucket (List Objects)",
     &s3,
     "GET",
     "/",
     {{"prefix", "J"}, {"max-keys", "2"}},
     {{0}},
     "",
     "host;x-amz-content-sha256;x-amz-date",
     "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"},
};

static void authorize(struct buf *out, struct s3_signer *signer, const struct vector *v)
{
    CLEANUP(buf_deinit) struct buf path = BUF_INIT(4096), query = BUF_INIT(4096);
    char hash[S3_HASH_BYTES];
    struct http_header headers[8] = {{"X-Amz-Date", v->account->time}, {"Host", v->account->host}};
    size_t n_headers = 2, n_params = 0;
    assert_int_equal(s3_hash(hash, span_str(v->body), NULL), 0);
    if (v->account->s3)
        headers[n_headers++] = (struct http_header){"x-amz-content-sha256", hash};
    for (size_t i = 0; i < ARRAY_LEN(v->headers) && v->headers[i].name; i++)
        headers[n_headers++] = v->headers[i];
    while (n_params < ARRAY_LEN(v->query) && v->query[n_params].name)
        n_params++;
    assert_int_equal(http_escape(&path, span_str(v->path), true, NULL), 0);
    assert_int_equal(buf_append_byte(&path, 0, NULL), 0);
    assert_int_equal(s3_query(&query, v->query, n_params, NULL), 0);
    const struct s3_signed request = {
        .method = v->method,
        .path = (const char *)path.data,
        .query = (const char *)query.data,
        .headers = headers,
        .n_headers = n_headers,
        .payload_hash = hash,
        .time = v->account->time,
    };
    assert_int_equal(s3_sign(signer, &request, out, NULL), 0);
}

static void signs_as_published(void **state)
{
    const struct vector *v = *state;
    CLEANUP(buf_deinit) struct buf got = BUF_INIT(4096), want = BUF_INIT(4096);
    struct s3_signer *signer = NULL;
    assert_int_equal(s3_signer_new(&signer, &v->account->options, NULL), 0);
    authorize(&got, signer, v);
    assert_int_equal(buf_printf(&want, NULL,
                                "AWS4-HMAC-SHA256 Credential=%s/%.8s/%s/%s/aws4_request, "
                                "SignedHeaders=%s, Signature=%s",
                                v->account->options.access_key, v->account->time,
                                v->account->options.region, v->account->options.service,
                                v->signed_headers, v->signature),
                     0);
    assert_int_equal(buf_append_byte(&want, 0, NULL), 0);
    assert_string_equal((const char *)got.data, (const char *)want.data);
    s3_signer_free(signer);
}

/* The key of the day is kept, and is another on another day. */
static void follows_the_day(void **state)
{
    (void)state;
    const struct vector *v = &vectors[0];
    struct account tomorrow = *v->account;
    tomorrow.time = "20150831T123600Z";
    struct vector then = *v;
    then.account = &tomorrow;
    CLEANUP(buf_deinit)
    struct buf first = BUF_INIT(4096), other = BUF_INIT(4096), again = BUF_INIT(4096);
    struct s3_signer *signer = NULL;
    assert_int_equal(s3_signer_new(&signer, &v->account->options, NULL), 0);
    authorize(&first, signer, v);
    authorize(&other, signer, &then);
    authorize(&again, signer, v);
    s3_signer_free(signer);
    assert_false(span_equal(buf_span(&first), buf_span(&other)));
    assert_true(span_equal(buf_span(&first), buf_span(&again)));
}

static void sorts_names_before_values(void **state)
{
    (void)state;
    CLEANUP(buf_deinit) struct buf query = BUF_INIT(4096);
    const struct s3_param params[] = {{"uploads", ""}, {"a-b", "1"}, {"a", "2"}, {"a", "1/="}};
    assert_int_equal(s3_query(&query, params, ARRAY_LEN(params), NULL), 0);
    assert_string_equal((const char *)query.data, "a=1%2F%3D&a=2&a-b=1&uploads=");
}

static void refuses_keys_that_break_a_header(void **state)
{
    (void)state;
    static const struct s3_signer_options bad[] = {
        {"us-east-1", "s3", "", "secret", NULL},
        {"us-east-1", "s3", "key\r\nX-Evil: 1", "secret", NULL},
        {"us-east-1", "s3", "a/b", "secret", NULL},
        {"", "s3", "key", "secret", NULL},
        {"us east", "s3", "key", "secret", NULL},
        {"us-east-1", "s3", "key", "secret", "two words"},
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct s3_signer *signer = NULL;
        struct err err = {0};
        assert_int_equal(s3_signer_new(&signer, &bad[i], &err), E_ARG);
        assert_null(strstr(err.text, "secret"));
    }
}

static void writes_the_time(void **state)
{
    (void)state;
    char text[S3_TIME_BYTES];
    s3_time(text, 1369353600000000 + 999999);
    assert_string_equal(text, "20130524T000000Z");
}

int main(void)
{
    struct CMUnitTest tests[ARRAY_LEN(vectors) + 4] = {
        cmocka_unit_test(follows_the_day),
        cmocka_unit_test(sorts_names_before_values),
        cmocka_unit_test(refuses_keys_that_break_a_header),
        cmocka_unit_test(writes_the_time),
    };
    for (size_t i = 0; i < ARRAY_LEN(vectors); i++)
        tests[4 + i] = (struct CMUnitTest){
            .name = vectors[i].name,
            .test_func = signs_as_published,
            .initial_state = (void *)(uintptr_t)&vectors[i],
        };
    return _cmocka_run_group_tests("s3_sign", tests, ARRAY_LEN(tests), NULL, NULL);
}
