/* SPDX-License-Identifier: MPL-2.0 */
#include "net/google.h"

#include "base/base_test.h"
#include "base/utc.h"
#include "codec/base64.h"
#include "net/google_internal.h"
#include "net/loopback.h"

#include <jansson.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <sys/stat.h>

#define SCOPE      "https://www.googleapis.com/auth/devstorage.read_write"
#define ANSWER_200 "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
#define ANSWER_401 "HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n"

enum { TOKENS = 8, TEXT_BYTES = 8192 };

struct fixture {
    char dir[TEST_PATH_BYTES], path[TEST_PATH_BYTES + 16];
    struct loopback tokens, api; // the token server, and the service that tokens are for
    struct answer token_answers[TOKENS], api_answers[TOKENS];
    char texts[TOKENS][512];
    struct google_auth *auth;
    struct http *http;
    struct http_request request;
    struct http_response response;
    struct err err;
};

static EVP_PKEY *the_key; // generating one takes long
static char the_pem[4096];

static int make_key(void **state)
{
    the_key = EVP_RSA_gen(2048);
    assert_non_null(the_key);
    BIO *bio = BIO_new(BIO_s_mem());
    assert_int_equal(PEM_write_bio_PrivateKey(bio, the_key, NULL, NULL, 0, NULL, NULL), 1);
    const int n = BIO_read(bio, the_pem, sizeof the_pem - 1);
    the_pem[n] = '\0';
    BIO_free(bio);
    (void)state;
    return 0;
}

static int drop_key(void **state)
{
    EVP_PKEY_free(the_key);
    (void)state;
    return 0;
}

static int set_up(void **state)
{
    static struct fixture f;
    f = (struct fixture){.request.method = "GET"};
    make_temp_dir(f.dir);
    (void)snprintf(f.path, sizeof f.path, "%s/key.json", f.dir);
    http_response_init(&f.response);
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    google_auth_free(f->auth);
    http_free(f->http);
    http_response_deinit(&f->response);
    if (f->tokens.thread)
        loopback_stop(&f->tokens);
    if (f->api.thread)
        loopback_stop(&f->api);
    (void)unlink(f->path);
    assert_int_equal(rmdir(f->dir), 0);
    return 0;
}

/* Tokens "token-0", "token-1", ..., each good for as long as given. */
static void serve_tokens(struct fixture *f, const int *lifetimes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        char body[256];
        (void)snprintf(
            body, sizeof body,
            "{\"access_token\":\"token-%zu\",\"expires_in\":%d,\"token_type\":\"Bearer\"}", i,
            lifetimes[i]);
        (void)snprintf(
            f->texts[i], sizeof f->texts[i],
            "HTTP/1.1 200 OK\r\nMetadata-Flavor: Google\r\nContent-Length: %zu\r\n\r\n%s",
            strlen(body), body);
        f->token_answers[i].text = f->texts[i];
    }
    loopback_start(&f->tokens, f->token_answers, n);
}

static void serve_text(struct fixture *f, const char *text)
{
    f->token_answers[0].text = text;
    loopback_start(&f->tokens, f->token_answers, 1);
}

static void serve_api(struct fixture *f, const char *const *answers, size_t n)
{
    for (size_t i = 0; i < n; i++)
        f->api_answers[i].text = answers[i];
    loopback_start(&f->api, f->api_answers, n);
    f->request.url = f->api.url;
    static const struct http_options usual;
    assert_int_equal(http_new(&f->http, &usual, NULL), 0);
}

static void put_file(const struct fixture *f, const char *text)
{
    FILE *file = fopen(f->path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, strlen(text), file), strlen(text));
    assert_int_equal(fclose(file), 0);
}

static void put_json(const struct fixture *f, json_t *object)
{
    char *text = json_dumps(object, 0);
    assert_non_null(text);
    put_file(f, text);
    free(text);
    json_decref(object);
}

static void put_service_account(const struct fixture *f)
{
    put_json(f, json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "type", "service_account",
                          "client_email", "robot@p.iam", "private_key_id", "kid-1", "private_key",
                          the_pem, "token_uri", f->tokens.url, "project_id", "the-project"));
}

static int open_auth(struct fixture *f, const char *file, const char *metadata_host)
{
    f->err = (struct err){0};
    const struct google_options options = {
        .credentials_file = file, .scope = SCOPE, .metadata_host = metadata_host};
    const int r = google_auth_new(&f->auth, &options, &f->err);
    if (r == 0)
        f->request.signer = google_auth_signer(f->auth);
    return r;
}

static int ask(struct fixture *f)
{
    f->err = (struct err){0};
    return http_send(f->http, &f->request, &f->response, &f->err);
}

static void assert_bearer(const struct fixture *f, unsigned i, const char *token)
{
    char want[128];
    (void)snprintf(want, sizeof want, "\r\nAuthorization: Bearer %s\r\n", token);
    assert_contains(f->api.requests[i], want);
}

static size_t decode_base64url(uint8_t out[TEXT_BYTES], const char *text, size_t len)
{
    char plain[TEXT_BYTES];
    assert_true(len < sizeof plain - 4);
    for (size_t i = 0; i < len; i++)
        plain[i] = (char)(text[i] == '-' ? '+' : text[i] == '_' ? '/' : text[i]);
    for (; len % 4 != 0; len++)
        plain[len] = '=';
    struct base64_ops ops;
    base64_ops_init(&ops, 0);
    const ptrdiff_t n = ops.decode(out, (const uint8_t *)plain, len);
    assert_true(n > 0);
    return (size_t)n;
}

static json_t *decode_json(const char *text, size_t len)
{
    uint8_t bytes[TEXT_BYTES];
    const size_t n = decode_base64url(bytes, text, len);
    json_t *object = json_loadb((const char *)bytes, n, JSON_REJECT_DUPLICATES, NULL);
    assert_true(json_is_object(object));
    return object;
}

static void assert_text(const json_t *object, const char *name, const char *want)
{
    assert_string_equal(json_string_value(json_object_get(object, name)), want);
}

static void assert_claims(const struct fixture *f, const char *text, size_t len)
{
    json_t *claims = decode_json(text, len);
    assert_int_equal(json_object_size(claims), 5);
    assert_text(claims, "iss", "robot@p.iam");
    assert_text(claims, "aud", f->tokens.url);
    assert_text(claims, "scope", SCOPE);
    const json_int_t issued = json_integer_value(json_object_get(claims, "iat"));
    const json_int_t now = utc_now_us() / 1000000;
    assert_in_range(issued, now - 60, now);
    assert_int_equal(json_integer_value(json_object_get(claims, "exp")), issued + 3600);
    json_decref(claims);
}

static void assert_signed(const char *message, size_t len, const char *text, size_t text_len)
{
    uint8_t signature[TEXT_BYTES];
    const size_t n = decode_base64url(signature, text, text_len);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    assert_int_equal(EVP_DigestVerifyInit(context, NULL, EVP_sha256(), NULL, the_key), 1);
    assert_int_equal(EVP_DigestVerify(context, signature, n, (const uint8_t *)message, len), 1);
    EVP_MD_CTX_free(context);
}

/* What Google checks (RFC 7523): the grant, header, claims and signature of the assertion. */
static void assert_assertion(const struct fixture *f, const char *request)
{
    static const char before[] =
        "\r\n\r\ngrant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=";
    assert_memory_equal(request, "POST / HTTP/1.1\r\n", 17);
    assert_contains(request, "\r\nContent-Type: application/x-www-form-urlencoded\r\n");
    const char *jwt = strstr(request, before);
    assert_non_null(jwt);
    jwt += strlen(before);
    const size_t head = strcspn(jwt, "."), claims = strcspn(jwt + head + 1, ".");
    json_t *header = decode_json(jwt, head);
    assert_text(header, "alg", "RS256");
    assert_text(header, "typ", "JWT");
    assert_text(header, "kid", "kid-1");
    json_decref(header);
    assert_claims(f, jwt + head + 1, claims);
    const char *signature = jwt + head + 1 + claims + 1;
    assert_int_equal(strspn(signature, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                       "0123456789-_"),
                     strlen(signature));
    assert_signed(jwt, head + 1 + claims, signature, strlen(signature));
}

static void a_service_account_signs_for_a_token(void **state)
{
    struct fixture *f = *state;
    serve_tokens(f, (const int[]){3600}, 1);
    serve_api(f, (const char *const[]){ANSWER_200, ANSWER_200}, 2);
    put_service_account(f);
    assert_int_equal(open_auth(f, f->path, NULL), 0);
    assert_string_equal(google_auth_project(f->auth), "the-project");
    assert_int_equal(f->tokens.n_requests, 0);
    assert_int_equal(ask(f), 0);
    assert_int_equal(ask(f), 0);
    assert_bearer(f, 0, "token-0");
    assert_bearer(f, 1, "token-0");
    assert_int_equal(f->tokens.n_requests, 1);
    assert_assertion(f, f->tokens.requests[0]);
}

static void a_user_hands_in_the_refresh_token(void **state)
{
    struct fixture *f = *state;
    serve_tokens(f, (const int[]){3600}, 1);
    serve_api(f, (const char *const[]){ANSWER_200}, 1);
    put_json(f, json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "type", "authorized_user", "client_id",
                          "id/1", "client_secret", "se cret", "refresh_token", "re+fresh",
                          "quota_project_id", "quota", "token_uri", f->tokens.url));
    assert_int_equal(open_auth(f, f->path, NULL), 0);
    assert_string_equal(google_auth_project(f->auth), "quota");
    assert_int_equal(ask(f), 0);
    assert_bearer(f, 0, "token-0");
    assert_contains(f->tokens.requests[0], "\r\n\r\ngrant_type=refresh_token&client_id=id%2F1&"
                                           "client_secret=se%20cret&refresh_token=re%2Bfresh");
}

static void without_a_file_the_metadata_server_is_asked(void **state)
{
    struct fixture *f = *state;
    serve_tokens(f, (const int[]){3600}, 1);
    serve_api(f, (const char *const[]){ANSWER_200}, 1);
    assert_int_equal(open_auth(f, "", f->tokens.url + strlen("http://")), 0);
    assert_null(google_auth_project(f->auth));
    assert_int_equal(ask(f), 0);
    assert_bearer(f, 0, "token-0");
    static const char want[] =
        "GET /computeMetadata/v1/instance/service-accounts/default/token?scopes=https%3A%2F%2F"
        "www.googleapis.com%2Fauth%2Fdevstorage.read_write HTTP/1.1\r\n";
    assert_memory_equal(f->tokens.requests[0], want, sizeof want - 1);
    assert_contains(f->tokens.requests[0], "\r\nMetadata-Flavor: Google\r\n");
}

static void who_does_not_say_google_is_no_metadata_server(void **state)
{
    struct fixture *f = *state;
    serve_text(f, "HTTP/1.1 200 OK\r\nContent-Length: 37\r\n\r\n"
                  "{\"access_token\":\"x\",\"expires_in\":3600}");
    serve_api(f, (const char *const[]){ANSWER_200}, 1);
    assert_int_equal(open_auth(f, NULL, f->tokens.url + strlen("http://")), 0);
    assert_int_equal(ask(f), E_FORMAT);
    assert_contains(f->err.text, "no metadata server");
    assert_int_equal(f->api.n_requests, 0);
}

static void a_refused_token_is_renewed_once(void **state)
{
    struct fixture *f = *state;
    serve_tokens(f, (const int[]){3600, 3600, 3600}, 3);
    serve_api(f, (const char *const[]){ANSWER_401, ANSWER_200, ANSWER_401, ANSWER_401}, 4);
    put_service_account(f);
    assert_int_equal(open_auth(f, f->path, NULL), 0);
    assert_int_equal(ask(f), 0);
    assert_int_equal(f->response.status, 200);
    assert_bearer(f, 0, "token-0");
    assert_bearer(f, 1, "token-1");
    assert_int_equal(ask(f), 0);
    assert_int_equal(f->response.status, 401);
    assert_int_equal(f->tokens.n_requests, 3);
}

static void a_late_refusal_does_not_drop_the_next_token(void **state)
{
    struct fixture *f = *state;
    serve_tokens(f, (const int[]){3600, 3600}, 2);
    put_service_account(f);
    assert_int_equal(open_auth(f, f->path, NULL), 0);
    const struct http_signer s = f->request.signer;
    struct http_header headers[HTTP_MAX_HEADERS];
    size_t n = 0;
    const int first = s.sign(s.arg, headers, &n, NULL);
    s.done(s.arg);
    assert_true(s.refused(s.arg, first));
    const int second = s.sign(s.arg, headers, &n, NULL);
    s.done(s.arg);
    assert_int_not_equal(first, second);
    assert_true(s.refused(s.arg, first)); // of another thread, which sent the first
    assert_int_equal(s.sign(s.arg, headers, &n, NULL), second);
    assert_string_equal(headers[n - 1].value, "Bearer token-1");
    s.done(s.arg);
    assert_int_equal(f->tokens.n_requests, 2);
}

static void a_token_is_renewed_before_its_end(void **state)
{
    struct fixture *f = *state;
    serve_tokens(f, (const int[]){2, 3600}, 2); // renewed after its half: 1 s
    serve_api(f, (const char *const[]){ANSWER_200, ANSWER_200, ANSWER_200}, 3);
    put_service_account(f);
    assert_int_equal(open_auth(f, f->path, NULL), 0);
    assert_int_equal(ask(f), 0);
    assert_int_equal(ask(f), 0);
    retry_sleep_ms(1100);
    assert_int_equal(ask(f), 0);
    assert_bearer(f, 1, "token-0");
    assert_bearer(f, 2, "token-1");
}

static void a_token_outlives_a_renewal_that_fails(void **state)
{
    struct fixture *f = *state;
    serve_tokens(f, (const int[]){4, 0}, 2); // renewed after 2 s, good for 4
    f->token_answers[1].text = "HTTP/1.1 400 X\r\nContent-Length: 0\r\n\r\n";
    serve_api(f, (const char *const[]){ANSWER_200, ANSWER_200}, 2);
    put_service_account(f);
    assert_int_equal(open_auth(f, f->path, NULL), 0);
    assert_int_equal(ask(f), 0);
    retry_sleep_ms(2200);
    assert_int_equal(ask(f), 0);
    assert_bearer(f, 1, "token-0");
    assert_int_equal(f->tokens.n_requests, 2);
}

static void a_refusal_is_told_in_the_servers_words(void **state)
{
    struct fixture *f = *state;
    serve_text(f, "HTTP/1.1 400 X\r\nContent-Length: 65\r\n\r\n"
                  "{\"error\":\"invalid_grant\",\"error_description\":\"Invalid signature\"}");
    serve_api(f, (const char *const[]){ANSWER_200}, 1);
    put_service_account(f);
    assert_int_equal(open_auth(f, f->path, NULL), 0);
    assert_int_equal(ask(f), E_IO);
    assert_contains(f->err.text, "service account: status 400, invalid_grant: Invalid signature");
    assert_int_equal(f->api.n_requests, 0);
}

static void tokens_that_would_break_a_header_are_refused(void **state)
{
    struct fixture *f = *state;
    serve_text(f, "HTTP/1.1 200 X\r\nContent-Length: 27\r\n\r\n"
                  "{\"access_token\":\"a\\r\\nX: b\"}");
    serve_api(f, (const char *const[]){ANSWER_200}, 1);
    put_service_account(f);
    assert_int_equal(open_auth(f, f->path, NULL), 0);
    assert_int_equal(ask(f), E_FORMAT);
    assert_int_equal(f->api.n_requests, 0);
}

static void broken_files_are_named_without_their_secrets(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *text, *complaint;
    } bad[] = {
        {"", "no JSON object"},
        {"[]", "no JSON object"},
        {"{\"private_key\": SECRET", "no JSON object"},
        {"{\"type\":\"external_account\"}", "neither"},
        {"{}", "neither"},
        {"{\"type\":\"service_account\"}", "\"client_email\""},
        {"{\"type\":\"service_account\",\"client_email\":5}", "\"client_email\""},
        {"{\"type\":\"service_account\",\"client_email\":\"a\"}", "\"private_key\""},
        {"{\"type\":\"service_account\",\"client_email\":\"a\",\"private_key\":\"SECRET\"}",
         "no RSA key"},
        {"{\"type\":\"authorized_user\",\"client_id\":\"a\",\"client_secret\":\"SECRET\"}",
         "\"refresh_token\""},
        {"{\"type\":\"authorized_user\",\"token_uri\":\"http://example.org/\"}", "https://"},
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        put_file(f, bad[i].text);
        assert_int_equal(open_auth(f, f->path, NULL), E_FORMAT);
        assert_contains(f->err.text, f->path);
        assert_contains(f->err.text, bad[i].complaint);
        assert_lacks(f->err.text, "SECRET");
    }
    assert_int_equal(open_auth(f, "/no/such/file", NULL), E_ARG);
    assert_contains(f->err.text, "/no/such/file");
}

/* The text stands before the file, and before the metadata server. */
static void credentials_may_be_given_as_text(void **state)
{
    struct fixture *f = *state;
    static struct opt_secret key;
    serve_tokens(f, (const int[]){3600}, 1);
    serve_api(f, (const char *const[]){ANSWER_200}, 1);
    put_service_account(f);
    FILE *file = fopen(f->path, "r");
    assert_non_null(file);
    key.len = fread(key.text, 1, sizeof key.text, file);
    assert_int_equal(fclose(file), 0);
    const struct google_options options = {
        .key = &key, .credentials_file = "/no/such/file", .scope = SCOPE};
    assert_int_equal(google_auth_new(&f->auth, &options, NULL), 0);
    memset(&key, 0, sizeof key); // it is not borrowed
    f->request.signer = google_auth_signer(f->auth);
    assert_int_equal(ask(f), 0);
    assert_bearer(f, 0, "token-0");
    assert_assertion(f, f->tokens.requests[0]);
}

static void broken_text_is_named_without_its_secrets(void **state)
{
    struct fixture *f = *state;
    static struct opt_secret key = {.text = "{\"private_key\": SECRET", .len = 22};
    const struct google_options options = {.key = &key, .scope = SCOPE};
    assert_int_equal(google_auth_new(&f->auth, &options, &f->err), E_FORMAT);
    assert_contains(f->err.text, "credentials given as text: it is no JSON object");
    assert_lacks(f->err.text, "SECRET");
}

static void small_and_other_keys_are_refused(void **state)
{
    struct fixture *f = *state;
    EVP_PKEY *keys[] = {EVP_RSA_gen(1024), EVP_EC_gen("P-256")};
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        BIO *bio = BIO_new(BIO_s_mem());
        char pem[4096];
        assert_int_equal(PEM_write_bio_PrivateKey(bio, keys[i], NULL, NULL, 0, NULL, NULL), 1);
        pem[BIO_read(bio, pem, sizeof pem - 1)] = '\0';
        BIO_free(bio);
        EVP_PKEY_free(keys[i]);
        put_json(f, json_pack("{s:s, s:s, s:s}", "type", "service_account", "client_email", "a",
                              "private_key", pem));
        assert_int_equal(open_auth(f, f->path, NULL), E_FORMAT);
        assert_contains(f->err.text, "no RSA key");
    }
}

static void *sign_often(void *arg)
{
    const struct http_signer *s = arg;
    uintptr_t failures = 0;
    for (int i = 0; i < 200; i++) {
        struct http_header headers[HTTP_MAX_HEADERS];
        size_t n = 0;
        const int token = s->sign(s->arg, headers, &n, NULL);
        if (token < 0 || n != 1 || strcmp(headers[0].value, "Bearer token-0") != 0)
            failures++;
        if (token >= 0)
            s->done(s->arg);
    }
    return (void *)failures;
}

static void threads_share_one_token(void **state)
{
    struct fixture *f = *state;
    serve_tokens(f, (const int[]){3600}, 1);
    put_service_account(f);
    assert_int_equal(open_auth(f, f->path, NULL), 0);
    pthread_t threads[4];
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, sign_often, &f->request.signer), 0);
    for (size_t i = 0; i < 4; i++) {
        void *failures;
        assert_int_equal(pthread_join(threads[i], &failures), 0);
        assert_null(failures);
    }
    assert_int_equal(f->tokens.n_requests, 1);
}

int main(void)
{
    (void)setenv("no_proxy", "*", 1);
#define WITH_FILE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        WITH_FILE(a_service_account_signs_for_a_token),
        WITH_FILE(a_user_hands_in_the_refresh_token),
        WITH_FILE(without_a_file_the_metadata_server_is_asked),
        WITH_FILE(who_does_not_say_google_is_no_metadata_server),
        WITH_FILE(a_refused_token_is_renewed_once),
        WITH_FILE(a_late_refusal_does_not_drop_the_next_token),
        WITH_FILE(a_token_is_renewed_before_its_end),
        WITH_FILE(a_token_outlives_a_renewal_that_fails),
        WITH_FILE(a_refusal_is_told_in_the_servers_words),
        WITH_FILE(tokens_that_would_break_a_header_are_refused),
        WITH_FILE(broken_files_are_named_without_their_secrets),
        WITH_FILE(credentials_may_be_given_as_text),
        WITH_FILE(broken_text_is_named_without_its_secrets),
        WITH_FILE(small_and_other_keys_are_refused),
        WITH_FILE(threads_share_one_token),
    };
    return cmocka_run_group_tests(tests, make_key, drop_key);
}
