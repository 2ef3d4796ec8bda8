/* SPDX-License-Identifier: MPL-2.0 */
#include "base/secret.h"
#include "base/utc.h"
#include "codec/base64.h"
#include "net/google_internal.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

enum {
    MAX_FORM_BYTES = 32 << 10,
    MAX_ANSWER_BYTES = 64 << 10,
    MAX_SIGNATURE_BYTES = 2048, // RSA with 16384 bits
    LIFETIME_S = 3600,          // the longest that Google grants
};

/* RFC 4648, section 5, without padding. */
static int append_base64url(struct buf *out, struct span bytes, struct err *err)
{
    struct base64_ops ops;
    base64_ops_init(&ops, 0);
    const int r = buf_reserve(out, base64_encoded_len(bytes.len) + BASE64_SLACK, err);
    if (r < 0)
        return r;
    uint8_t *text = out->data + out->len;
    size_t n = ops.encode(text, bytes.ptr, bytes.len);
    while (n > 0 && text[n - 1] == '=')
        n--;
    for (size_t i = 0; i < n; i++)
        text[i] = text[i] == '+' ? '-' : text[i] == '/' ? '_' : text[i];
    out->len += n;
    return 0;
}

/* Takes over the reference. */
static int append_json(struct buf *out, json_t *value, struct err *err)
{
    char *text = value ? json_dumps(value, JSON_COMPACT) : NULL;
    json_decref(value);
    if (!text)
        return err_set(err, E_NOMEM, 0, "no memory for an assertion");
    const int r = append_base64url(out, span_str(text), err);
    free(text);
    return r;
}

static int append_signature(struct buf *out, EVP_PKEY *key, struct span message, struct err *err)
{
    uint8_t signature[MAX_SIGNATURE_BYTES];
    size_t len = sizeof signature;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    const bool ok = context && EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, key) == 1 &&
                    EVP_DigestSign(context, signature, &len, message.ptr, message.len) == 1;
    EVP_MD_CTX_free(context);
    if (!ok)
        return err_set(err, E_CRYPTO, 0, "libcrypto cannot sign with the service account's key");
    return append_base64url(out, span_of(signature, len), err);
}

int google_assertion(struct buf *out, const struct google_credentials *c, const char *scope,
                     int64_t now_s, struct err *err)
{
    const size_t begin = out->len;
    json_t *head = json_pack("{s:s, s:s, s:s*}", "alg", "RS256", "typ", "JWT", "kid", c->key_id);
    int r = append_json(out, head, err);
    if (r == 0)
        r = buf_append_byte(out, '.', err);
    json_t *claims =
        json_pack("{s:s, s:s, s:s, s:I, s:I}", "iss", c->email, "scope", scope, "aud", c->token_uri,
                  "iat", (json_int_t)now_s, "exp", (json_int_t)now_s + LIFETIME_S);
    if (r == 0)
        r = append_json(out, claims, err);
    else
        json_decref(claims);
    const size_t end = out->len;
    if (r == 0)
        r = buf_append_byte(out, '.', err);
    return r < 0 ? r : append_signature(out, c->key, span_of(out->data + begin, end - begin), err);
}

static int append_field(struct buf *form, const char *name, const char *value, struct err *err)
{
    int r = buf_printf(form, err, "%s%s=", form->len > 0 ? "&" : "", name);
    return r < 0 ? r : http_escape(form, span_str(value), false, err);
}

static int write_form(struct buf *form, const struct google_credentials *c, const char *scope,
                      struct err *err)
{
    if (c->source == GOOGLE_SERVICE_ACCOUNT) {
        int r =
            append_field(form, "grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer", err);
        if (r == 0)
            r = buf_append_str(form, "&assertion=", err);
        return r < 0 ? r : google_assertion(form, c, scope, utc_now_us() / 1000000, err);
    }
    int r = append_field(form, "grant_type", "refresh_token", err);
    if (r == 0)
        r = append_field(form, "client_id", c->client_id, err);
    if (r == 0)
        r = append_field(form, "client_secret", c->client_secret, err);
    return r < 0 ? r : append_field(form, "refresh_token", c->refresh_token, err);
}

static void drop_json(json_t **object)
{
    const json_t *token = json_object_get(*object, "access_token");
    if (json_is_string(token)) // jansson gives memory back as it is
        secret_wipe((char *)(uintptr_t)json_string_value(token), json_string_length(token));
    json_decref(*object);
}

static int read_token(struct buf *header, uint64_t *lifetime_s, const json_t *object,
                      struct err *err)
{
    const json_t *lifetime = json_object_get(object, "expires_in");
    const char *token = json_string_value(json_object_get(object, "access_token"));
    const json_int_t s = lifetime ? json_integer_value(lifetime) : LIFETIME_S;
    // RFC 6750, 2.1: visible characters; anything else would break the header.
    if (!token || !token[0] || s <= 0 || s > 30 * LIFETIME_S * 24)
        return err_set(err, E_FORMAT, 0, "the answer holds no usable token");
    for (const char *p = token; *p; p++) {
        if (*p <= ' ' || *p > '~')
            return err_set(err, E_FORMAT, 0, "the answer holds no usable token");
    }
    *lifetime_s = (uint64_t)s;
    buf_clear(header);
    const int r = buf_printf(header, err, "Bearer %s", token);
    return r < 0 ? r : buf_append_byte(header, 0, err);
}

static int read_answer(struct buf *header, uint64_t *lifetime_s, const struct http_response *answer,
                       struct err *err)
{
    CLEANUP(drop_json)
    json_t *object =
        json_loadb((const char *)answer->body.data, answer->body.len, JSON_REJECT_DUPLICATES, NULL);
    if (answer->status == 200)
        return read_token(header, lifetime_s, object, err);
    const char *error = json_string_value(json_object_get(object, "error"));
    const char *why = json_string_value(json_object_get(object, "error_description"));
    return err_set(err, E_IO, 0, "status %d%s%s%s%s", answer->status, error ? ", " : "",
                   error ? error : "", why ? ": " : "", why ? why : "");
}

static int ask(struct http_response *answer, struct http *http, const struct google_credentials *c,
               const char *scope, struct err *err)
{
    CLEANUP(buf_deinit) struct buf form = BUF_INIT_SECRET(MAX_FORM_BYTES);
    struct http_request request = {
        .method = "GET", .url = c->token_uri, .max_response = MAX_ANSWER_BYTES, .n_headers = 1};
    if (c->source == GOOGLE_METADATA) {
        request.headers[0] = (struct http_header){"Metadata-Flavor", "Google"};
        return http_send(http, &request, answer, err);
    }
    const int r = write_form(&form, c, scope, err);
    if (r < 0)
        return r;
    request.method = "POST";
    request.body = buf_span(&form);
    request.headers[0] = (struct http_header){"Content-Type", "application/x-www-form-urlencoded"};
    return http_send(http, &request, answer, err);
}

int google_token_fetch(struct buf *header, uint64_t *lifetime_s, struct http *http,
                       const struct google_credentials *c, const char *scope, struct err *err)
{
    static const char *const who[] = {
        [GOOGLE_SERVICE_ACCOUNT] = "a token for the service account",
        [GOOGLE_USER] = "a token for the user's credentials",
        [GOOGLE_METADATA] =
            ("a token from the metadata server (elsewhere than on Google's machines "
             "give a credentials file)"),
    };
    CLEANUP(http_response_deinit) struct http_response answer;
    http_response_init(&answer);
    answer.body.secret = true;
    int r = ask(&answer, http, c, scope, err);
    if (r == 0 && c->source == GOOGLE_METADATA &&
        !span_equal(http_response_header(&answer, "Metadata-Flavor"), span_str("Google")))
        r = err_set(err, E_FORMAT, 0, "the answer is no metadata server's");
    if (r == 0)
        r = read_answer(header, lifetime_s, &answer, err);
    return r < 0 ? err_wrap(err, r, "%s", who[c->source]) : 0;
}
