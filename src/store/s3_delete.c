/* SPDX-License-Identifier: MPL-2.0 */
/* DeleteObjects, up to a thousand keys a request. */
#include "base/buf.h"
#include "codec/base64.h"
#include "store/s3_internal.h"
#include "store/s3_xml.h"

#include <stdio.h>
#include <string.h>

enum {
    BATCH = 1000, // S3's own limit
    MAX_REQUEST = 8 << 20,
    MD5_BYTES = 16,
    MAX_TRIES = 5,
};

/* What an answer says of the keys that are still there. */
struct failures {
    bool answered;       // it is a DeleteResult at all
    size_t n, n_passing; // passing: another try may succeed
    char key[128], code[S3_CODE_BYTES], message[S3_MESSAGE_BYTES]; // of the element being read
    char first[512];
};

static void keep(char *out, size_t cap, struct span text)
{
    (void)snprintf(out, cap, "%.*s", (int)(text.len < cap ? text.len : cap),
                   text.len > 0 ? (const char *)text.ptr : "");
}

static void note(struct failures *f)
{
    if (strcmp(f->code, "NoSuchKey") != 0) {
        f->n_passing += strcmp(f->code, "InternalError") == 0 || strcmp(f->code, "SlowDown") == 0 ||
                        strcmp(f->code, "ServiceUnavailable") == 0;
        if (f->n++ == 0)
            (void)snprintf(f->first, sizeof f->first, "\"%s\" stays: %s: %s", f->key, f->code,
                           f->message);
    }
    f->key[0] = f->code[0] = f->message[0] = '\0';
}

static int on_result(void *arg, const char *path, struct span text, struct err *err)
{
    struct failures *f = arg;
    (void)err;
    if (strcmp(path, "DeleteResult/Error/Key") == 0)
        keep(f->key, sizeof f->key, text);
    else if (strcmp(path, "DeleteResult/Error/Code") == 0)
        keep(f->code, sizeof f->code, text);
    else if (strcmp(path, "DeleteResult/Error/Message") == 0)
        keep(f->message, sizeof f->message, text);
    else if (strcmp(path, "DeleteResult/Error") == 0)
        note(f);
    else if (strcmp(path, "DeleteResult") == 0)
        f->answered = true;
    else if (strcmp(path, "Error/Code") == 0)
        return err_set(err, E_IO, 0, "the server answers 200 and then %.*s", (int)text.len,
                       (const char *)text.ptr);
    return 0;
}

static int append_escaped(struct buf *out, const char *text, struct err *err)
{
    int r = 0;
    for (; *text && r == 0; text++)
        r = *text == '&'   ? buf_append_str(out, "&amp;", err)
            : *text == '<' ? buf_append_str(out, "&lt;", err)
            : *text == '>' ? buf_append_str(out, "&gt;", err)
                           : buf_append_byte(out, (uint8_t)*text, err);
    return r;
}

/* Can XML 1.0 carry the key, and does it come out as it went in? */
static bool fits_xml(const char *key)
{
    for (const char *c = key; *c; c++)
        if ((unsigned char)*c < ' ')
            return false;
    return key_is_utf8(span_str(key)) && !strstr(key, "\xef\xbf\xbe") &&
           !strstr(key, "\xef\xbf\xbf");
}

static int delete_alone(struct s3 *s3, const char *key, struct err *err)
{
    CLEANUP(http_response_deinit) struct http_response response;
    struct s3_call call = {.method = "DELETE", .key = key};
    http_response_init(&response);
    struct s3_error error;
    const int r = s3_send(s3, &call, &response, err);
    if (r < 0)
        return r;
    s3_error_read(&error, &response);
    const bool absent = response.status == 404 && strcmp(error.code, "NoSuchBucket") != 0;
    return response.status / 100 == 2 || absent ? 0 : s3_refused(s3, &response, err);
}

static int write_batch(struct buf *out, const struct s3 *s3, const char *const *keys, size_t n,
                       struct err *err)
{
    int r = buf_append_str(out, "<Delete><Quiet>true</Quiet>", err);
    for (size_t i = 0; i < n && r == 0; i++) {
        if (!fits_xml(keys[i]))
            continue;
        r = buf_append_str(out, "<Object><Key>", err);
        if (r == 0)
            r = append_escaped(out, s3->prefix, err);
        if (r == 0)
            r = append_escaped(out, keys[i], err);
        if (r == 0)
            r = buf_append_str(out, "</Key></Object>", err);
    }
    return r == 0 ? buf_append_str(out, "</Delete>", err) : r;
}

/* @return 0, E_AGAIN (err says why; another try may succeed), or E_*. */
static int send_batch(struct s3 *s3, struct s3_call *call, struct err *err)
{
    CLEANUP(http_response_deinit) struct http_response response;
    struct failures f = {0};
    http_response_init(&response);
    int r = s3_send(s3, call, &response, err);
    if (r < 0)
        return r;
    if (response.status != 200)
        return s3_refused(s3, &response, err);
    r = s3_xml_walk(buf_span(&response.body), on_result, &f, err);
    if (r == 0 && !f.answered)
        return err_set(err, E_FORMAT, 0, "the server does not say what it deleted");
    if (r < 0 || f.n == 0)
        return r;
    r = err_set(err, E_IO, 0, "%s (%zu objects)", f.first, f.n);
    return f.n == f.n_passing ? E_AGAIN : r;
}

enum { MD5_TEXT_BYTES = 24 + BASE64_SLACK + 1 };

static int write_md5(char out[MD5_TEXT_BYTES], struct span body, struct err *err)
{
    struct base64_ops base64;
    uint8_t md5[MD5_BYTES];
    const int r = s3_md5(md5, body, err);
    base64_ops_init(&base64, 0);
    if (r == 0)
        out[base64.encode((uint8_t *)out, md5, sizeof md5)] = '\0';
    return r;
}

/* Deleting is the same when it is done twice, and so the whole batch is sent again. */
static int delete_batch(struct s3 *s3, struct span body, struct err *err)
{
    static const struct retry_policy policy = {.max_retries = MAX_TRIES - 1,
                                               .first_wait_ms = 200,
                                               .multiplier = 2,
                                               .max_wait_ms = 10000,
                                               .jitter = 0.5};
    struct s3_call call = {.method = "POST", .body = body};
    struct retry retry;
    char md5[MD5_TEXT_BYTES];
    uint64_t wait_ms;
    int r = write_md5(md5, body, err);
    if (r < 0)
        return r;
    s3_call_param(&call, "delete", "");
    s3_call_header(&call, "Content-Type", "application/xml");
    s3_call_header(&call, "Content-MD5", md5); // S3 insists
    retry_init(&retry, &policy, retry_now_ms(), retry_now_ms() ^ (uintptr_t)body.ptr);
    while ((r = send_batch(s3, &call, err)) == E_AGAIN) {
        if (!retry_next(&retry, retry_now_ms(), 0, &wait_ms))
            return E_IO;
        retry_sleep_ms(wait_ms);
    }
    return r;
}

static int delete_some(struct s3 *s3, const char *const *keys, size_t n, struct err *err)
{
    CLEANUP(buf_deinit) struct buf body = BUF_INIT(MAX_REQUEST);
    size_t n_fitting = 0;
    int r = 0;
    for (size_t i = 0; i < n; i++)
        n_fitting += fits_xml(keys[i]);
    const bool batch = n_fitting > 1;
    if (batch)
        r = write_batch(&body, s3, keys, n, err);
    if (r == 0 && batch)
        r = delete_batch(s3, buf_span(&body), err);
    for (size_t i = 0; i < n && r == 0; i++)
        if (!batch || !fits_xml(keys[i]))
            r = delete_alone(s3, keys[i], err);
    return r;
}

int s3_delete_many(void *self, const char *const *keys, size_t n, struct err *err)
{
    int r = 0;
    for (size_t i = 0; i < n && r == 0; i += BATCH)
        r = delete_some(self, keys + i, n - i < BATCH ? n - i : BATCH, err);
    return r;
}
