/* SPDX-License-Identifier: MPL-2.0 */
#include "store/s3_sign.h"

#include "base/secret.h"
#include "base/utc.h"
#include "codec/hex.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    KEY_BYTES = 32,
    DAY_BYTES = 8,
    MAX_CANONICAL = 64 * 1024,
    MAX_PREFIXED_SECRET = 4 * 1024,
};

struct s3_signer {
    char *region, *service, *access_key, *secret_key, *session_token;
    pthread_mutex_t mutex; // of all below
    char day[DAY_BYTES + 1];
    uint8_t key[KEY_BYTES];
};

static void to_lower(char *text)
{
    for (; *text; text++)
        if (*text >= 'A' && *text <= 'Z')
            *text = (char)(*text - 'A' + 'a');
}

static bool is_printable(const char *text, bool slash)
{
    for (; *text; text++)
        if (*text <= ' ' || *text >= 0x7f || (!slash && (*text == '/' || *text == ',')))
            return false;
    return true;
}

static int check_options(const struct s3_signer_options *o, struct err *err)
{
    // Both become parts of a scope "key/day/region/service/..." in a header.
    if (!o->access_key[0] || !is_printable(o->access_key, false))
        return err_set(err, E_ARG, 0, "the access key is empty or holds spaces, \"/\" or \",\"");
    if (!o->region[0] || !is_printable(o->region, false))
        return err_set(err, E_ARG, 0, "\"%s\" cannot be a region", o->region);
    if (strlen(o->secret_key) > MAX_PREFIXED_SECRET - sizeof "AWS4")
        return err_set(err, E_ARG, 0, "the secret key is too long");
    if (o->session_token && !is_printable(o->session_token, true))
        return err_set(err, E_ARG, 0, "the session token holds spaces");
    return 0;
}

int s3_signer_new(struct s3_signer **out, const struct s3_signer_options *o, struct err *err)
{
    const int r = check_options(o, err);
    if (r < 0)
        return r;
    struct s3_signer *s = calloc(1, sizeof *s);
    if (!s)
        return err_set(err, E_NOMEM, 0, "no memory for credentials");
    (void)pthread_mutex_init(&s->mutex, NULL); // never fails on Linux
    s->region = strdup(o->region);
    s->service = strdup(o->service);
    s->access_key = strdup(o->access_key);
    s->secret_key = strdup(o->secret_key);
    s->session_token = o->session_token ? strdup(o->session_token) : NULL;
    if (!s->region || !s->service || !s->access_key || !s->secret_key ||
        (o->session_token && !s->session_token)) {
        s3_signer_free(s);
        return err_set(err, E_NOMEM, 0, "no memory for credentials");
    }
    *out = s;
    return 0;
}

static void free_secret(char *text)
{
    if (text)
        secret_wipe(text, strlen(text));
    free(text);
}

void s3_signer_free(struct s3_signer *s)
{
    if (!s)
        return;
    free(s->region);
    free(s->service);
    free_secret(s->access_key);
    free_secret(s->secret_key);
    free_secret(s->session_token);
    (void)pthread_mutex_destroy(&s->mutex);
    secret_wipe(s, sizeof *s);
    free(s);
}

const char *s3_signer_token(const struct s3_signer *signer)
{
    return signer->session_token;
}

void s3_time(char out[S3_TIME_BYTES], int64_t us)
{
    // "2013-05-24T00:00:00.000000Z"
    char text[UTC_TEXT_BYTES];
    utc_format(text, us);
    (void)snprintf(out, S3_TIME_BYTES, "%.4s%.2s%.5s%.2s%.2sZ", text, text + 5, text + 8, text + 14,
                   text + 17);
}

int s3_hash(char out[S3_HASH_BYTES], struct span bytes, struct err *err)
{
    uint8_t digest[KEY_BYTES];
    const void *from = bytes.len > 0 ? (const void *)bytes.ptr : "";
    if (EVP_Digest(from, bytes.len, digest, NULL, EVP_sha256(), NULL) != 1)
        return err_set(err, E_CRYPTO, 0, "libcrypto's SHA-256 failed");
    hex_encode(out, digest, sizeof digest);
    to_lower(out);
    return 0;
}

/* One link of the chain from the secret to the signature; out may be key. */
static int mac(uint8_t out[KEY_BYTES], const void *key, size_t key_len, struct span text,
               struct err *err)
{
    uint8_t digest[KEY_BYTES];
    if (!HMAC(EVP_sha256(), key, (int)key_len, text.ptr, text.len, digest, NULL))
        return err_set(err, E_CRYPTO, 0, "libcrypto's HMAC failed");
    memcpy(out, digest, sizeof digest);
    secret_wipe(digest, sizeof digest);
    return 0;
}

static int derive(struct s3_signer *s, const char *day, struct err *err)
{
    char start[MAX_PREFIXED_SECRET];
    const int len = snprintf(start, sizeof start, "AWS4%s", s->secret_key);
    int r = mac(s->key, start, (size_t)len, span_of(day, DAY_BYTES), err);
    secret_wipe(start, sizeof start);
    const char *const links[] = {s->region, s->service, "aws4_request"};
    for (size_t i = 0; r == 0 && i < ARRAY_LEN(links); i++)
        r = mac(s->key, s->key, KEY_BYTES, span_str(links[i]), err);
    (void)snprintf(s->day, sizeof s->day, "%.*s", DAY_BYTES, r == 0 ? day : "");
    return r;
}

/* The signature of text with the key of the day. */
static int sign_text(char out[S3_HASH_BYTES], struct s3_signer *s, const char *day,
                     struct span text, struct err *err)
{
    uint8_t digest[KEY_BYTES];
    int r = 0;
    (void)pthread_mutex_lock(&s->mutex);
    if (strncmp(s->day, day, DAY_BYTES) != 0)
        r = derive(s, day, err);
    if (r == 0)
        r = mac(digest, s->key, KEY_BYTES, text, err);
    (void)pthread_mutex_unlock(&s->mutex);
    if (r < 0)
        return r;
    hex_encode(out, digest, sizeof digest);
    to_lower(out);
    return 0;
}

static int by_name(const void *a, const void *b)
{
    const struct http_header *x = a, *y = b;
    return strcasecmp(x->name, y->name);
}

static int append_lower(struct buf *out, const char *text, struct err *err)
{
    int r = 0;
    for (; *text && r == 0; text++) {
        const char c = *text >= 'A' && *text <= 'Z' ? (char)(*text - 'A' + 'a') : *text;
        r = buf_append_byte(out, (uint8_t)c, err);
    }
    return r;
}

/* Without spaces at both ends, and one where there were several. */
static int append_trimmed(struct buf *out, const char *value, struct err *err)
{
    const size_t start = out->len;
    int r = 0;
    for (; *value && r == 0; value++) {
        const bool gap = *value == ' ' || *value == '\t';
        if (gap && (out->len == start || out->data[out->len - 1] == ' '))
            continue;
        r = buf_append_byte(out, gap ? ' ' : (uint8_t)*value, err);
    }
    if (out->len > start && out->data[out->len - 1] == ' ')
        out->len--;
    return r;
}

/* "host;range;x-amz-date" */
static int append_names(struct buf *out, const struct http_header *headers, size_t n,
                        struct err *err)
{
    int r = 0;
    for (size_t i = 0; r == 0 && i < n; i++) {
        if (i > 0)
            r = buf_append_byte(out, ';', err);
        if (r == 0)
            r = append_lower(out, headers[i].name, err);
    }
    return r;
}

static int append_canonical(struct buf *out, const struct s3_signed *q,
                            const struct http_header *headers, struct err *err)
{
    int r = buf_printf(out, err, "%s\n%s\n%s\n", q->method, q->path, q->query);
    for (size_t i = 0; r == 0 && i < q->n_headers; i++) {
        r = append_lower(out, headers[i].name, err);
        if (r == 0)
            r = buf_append_byte(out, ':', err);
        if (r == 0)
            r = append_trimmed(out, headers[i].value, err);
        if (r == 0)
            r = buf_append_byte(out, '\n', err);
    }
    if (r == 0)
        r = buf_append_byte(out, '\n', err);
    if (r == 0)
        r = append_names(out, headers, q->n_headers, err);
    return r == 0 ? buf_printf(out, err, "\n%s", q->payload_hash) : r;
}

int s3_sign(struct s3_signer *s, const struct s3_signed *q, struct buf *out, struct err *err)
{
    struct http_header headers[S3_MAX_SIGNED_HEADERS];
    CLEANUP(buf_deinit) struct buf text = BUF_INIT_SECRET(MAX_CANONICAL); // holds the session token
    char hash[S3_HASH_BYTES], signature[S3_HASH_BYTES];
    memcpy(headers, q->headers, q->n_headers * sizeof *headers);
    qsort(headers, q->n_headers, sizeof *headers, by_name);
    int r = append_canonical(&text, q, headers, err);
    if (r == 0)
        r = s3_hash(hash, buf_span(&text), err);
    if (r < 0)
        return r;

    buf_clear(&text);
    r = buf_printf(&text, err, "AWS4-HMAC-SHA256\n%s\n%.*s/%s/%s/aws4_request\n%s", q->time,
                   DAY_BYTES, q->time, s->region, s->service, hash);
    if (r == 0)
        r = sign_text(signature, s, q->time, buf_span(&text), err);
    if (r == 0)
        r = buf_printf(out, err,
                       "AWS4-HMAC-SHA256 Credential=%s/%.*s/%s/%s/aws4_request, SignedHeaders=",
                       s->access_key, DAY_BYTES, q->time, s->region, s->service);
    if (r == 0)
        r = append_names(out, headers, q->n_headers, err);
    if (r == 0)
        r = buf_printf(out, err, ", Signature=%s", signature);
    return r == 0 ? buf_append_byte(out, 0, err) : r;
}

/* "name=value", encoded, somewhere in a buf that may move until all are there. */
struct pair {
    size_t at, name_len, len;
};

static int compare_spans(const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len)
{
    const int c = memcmp(a, b, a_len < b_len ? a_len : b_len);
    return c != 0 ? c : (a_len > b_len) - (a_len < b_len);
}

/* Names first: "=" would sort behind some characters of a longer name. */
static bool is_before(const uint8_t *text, const struct pair *a, const struct pair *b)
{
    const int c = compare_spans(text + a->at, a->name_len, text + b->at, b->name_len);
    return c != 0 ? c < 0 : compare_spans(text + a->at, a->len, text + b->at, b->len) < 0;
}

static int append_pair(struct buf *pairs, struct pair *pair, const struct s3_param *param,
                       struct err *err)
{
    pair->at = pairs->len;
    int r = http_escape(pairs, span_str(param->name), false, err);
    pair->name_len = pairs->len - pair->at;
    if (r == 0)
        r = buf_append_byte(pairs, '=', err);
    if (r == 0)
        r = http_escape(pairs, span_str(param->value), false, err);
    pair->len = pairs->len - pair->at;
    return r;
}

int s3_query(struct buf *out, const struct s3_param *params, size_t n, struct err *err)
{
    CLEANUP(buf_deinit) struct buf texts = BUF_INIT(MAX_CANONICAL);
    struct pair pairs[S3_MAX_PARAMS];
    int r = 0;
    for (size_t i = 0; r == 0 && i < n; i++) {
        struct pair pair;
        r = append_pair(&texts, &pair, &params[i], err);
        size_t at = i;
        for (; r == 0 && at > 0 && is_before(texts.data, &pair, &pairs[at - 1]); at--)
            pairs[at] = pairs[at - 1];
        pairs[at] = pair;
    }
    for (size_t i = 0; r == 0 && i < n; i++) {
        if (i > 0)
            r = buf_append_byte(out, '&', err);
        if (r == 0)
            r = buf_append(out, texts.data + pairs[i].at, pairs[i].len, err);
    }
    return r == 0 ? buf_append_byte(out, 0, err) : r;
}
