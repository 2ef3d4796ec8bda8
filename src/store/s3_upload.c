/* SPDX-License-Identifier: MPL-2.0 */
/* Multipart uploads: nothing is visible before CompleteMultipartUpload. */
#include "codec/hex.h"
#include "store/s3_internal.h"
#include "store/s3_xml.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    MAX_PARTS = 10000, // S3's own limit
    MAX_UPLOAD_ID = 1024,
    MAX_COMPLETE = 4 << 20, // 10,000 parts with ETags of 128 bytes
    MAX_COMPLETE_TRIES = 5,
    MD5_BYTES = 16,
    NUMBER_BYTES = 12,
};

struct upload {
    struct s3 *s3;
    const char *key;
    const struct store_put_options *options;
    struct buf id;       // with a NUL
    struct buf complete; // the body of the last request
    unsigned n_parts;
    uint64_t size;
    EVP_MD_CTX *digests; // MD5 over the MD5s of the parts, which is what the ETag will be made of
};

static void free_upload(struct upload *u)
{
    buf_deinit(&u->id);
    buf_deinit(&u->complete);
    EVP_MD_CTX_free(u->digests);
    free(u);
}

static int on_begin(void *arg, const char *path, struct span text, struct err *err)
{
    struct upload *u = arg;
    if (strcmp(path, "InitiateMultipartUploadResult/UploadId") != 0)
        return 0;
    buf_clear(&u->id);
    const int r = buf_append(&u->id, text.ptr, text.len, err);
    return r == 0 ? buf_append_byte(&u->id, 0, err) : r;
}

static int begin(struct upload *u, struct err *err)
{
    CLEANUP(http_response_deinit) struct http_response response;
    struct s3_call call = {.method = "POST", .key = u->key};
    http_response_init(&response);
    s3_call_param(&call, "uploads", "");
    int r = s3_send(u->s3, &call, &response, err);
    if (r < 0)
        return r;
    if (response.status != 200)
        return s3_refused(u->s3, &response, err);
    r = s3_xml_walk(buf_span(&response.body), on_begin, u, err);
    if (r == 0 && u->id.len < 2)
        r = err_set(err, E_FORMAT, 0, "the server gave an upload no id");
    return r == 0 ? buf_append_str(&u->complete, "<CompleteMultipartUpload>", err) : r;
}

int s3_upload_begin(void **upload, void *self, const char *key,
                    const struct store_put_options *options, struct err *err)
{
    struct upload *u = calloc(1, sizeof *u);
    if (!u)
        return err_set(err, E_NOMEM, 0, "no memory for an upload");
    u->s3 = self;
    u->key = key;
    u->options = options;
    u->id = BUF_INIT(MAX_UPLOAD_ID);
    u->complete = BUF_INIT(MAX_COMPLETE);
    u->digests = EVP_MD_CTX_new();
    int r = u->digests && EVP_DigestInit_ex(u->digests, EVP_md5(), NULL) == 1
                ? 0
                : err_set(err, E_CRYPTO, 0, "libcrypto's MD5, which S3 wants, failed");
    if (r == 0)
        r = begin(u, err);
    if (r < 0)
        free_upload(u);
    else
        *upload = u;
    return r;
}

/* An ETag has no character that XML would mind: s3_object_tag looked. "&" and "<" may be in one. */
static int note_part(struct upload *u, struct span bytes, const struct store_object *part,
                     struct err *err)
{
    uint8_t md5[MD5_BYTES];
    if (strpbrk(part->version, "&<>"))
        return err_set(err, E_FORMAT, 0, "the server gave a part an odd ETag");
    int r = s3_md5(md5, bytes, err);
    if (r == 0 && EVP_DigestUpdate(u->digests, md5, sizeof md5) != 1)
        r = err_set(err, E_CRYPTO, 0, "libcrypto's MD5, which S3 wants, failed");
    u->size += bytes.len;
    if (r < 0)
        return r;
    return buf_printf(&u->complete, err,
                      "<Part><PartNumber>%u</PartNumber><ETag>\"%s\"</ETag></Part>", u->n_parts,
                      part->version);
}

int s3_upload_part(void *upload, struct span bytes, struct err *err)
{
    CLEANUP(http_response_deinit) struct http_response response;
    struct upload *u = upload;
    struct s3_call call = {.method = "PUT", .key = u->key, .body = bytes};
    struct store_object part = {0};
    char number[NUMBER_BYTES];
    http_response_init(&response);
    if (u->n_parts == MAX_PARTS)
        return err_set(err, E_ARG, 0, "an object of S3 has at most %d parts of %d MiB here",
                       MAX_PARTS, S3_PART_BYTES >> 20);
    (void)snprintf(number, sizeof number, "%u", ++u->n_parts);
    s3_call_param(&call, "partNumber", number);
    s3_call_param(&call, "uploadId", (const char *)u->id.data);
    int r = s3_send(u->s3, &call, &response, err);
    if (r == 0 && response.status != 200)
        r = s3_refused(u->s3, &response, err);
    if (r == 0)
        r = s3_object_of_headers(&part, &response, err);
    return r == 0 ? note_part(u, bytes, &part, err) : r;
}

/* "MD5-N": what the whole will be called. */
static int expected_version(struct upload *u, char out[STORE_VERSION_BYTES], struct err *err)
{
    uint8_t md5[MD5_BYTES];
    char text[2 * MD5_BYTES + 1];
    if (EVP_DigestFinal_ex(u->digests, md5, NULL) != 1)
        return err_set(err, E_CRYPTO, 0, "libcrypto's MD5, which S3 wants, failed");
    hex_encode(text, md5, sizeof md5);
    (void)snprintf(out, STORE_VERSION_BYTES, "%s-%u", text, u->n_parts);
    return 0;
}

static int on_complete(void *arg, const char *path, struct span text, struct err *err)
{
    return strcmp(path, "CompleteMultipartUploadResult/ETag") == 0 ? s3_object_tag(arg, text, err)
                                                                   : 0;
}

/* 200 was sent before the work was done, and an error may stand behind it. @return 0, E_AGAIN for
 * one that another try may not meet, or E_*. */
static int judge_complete(struct upload *u, const struct http_response *response,
                          struct store_object *object, struct err *err)
{
    struct s3_error error;
    s3_error_read(&error, response);
    if (error.code[0]) {
        const int r = s3_refused(u->s3, response, err);
        const bool passes =
            strcmp(error.code, "InternalError") == 0 || strcmp(error.code, "SlowDown") == 0;
        return passes ? E_AGAIN : r;
    }
    const int r = s3_xml_walk(buf_span(&response->body), on_complete, object, err);
    if (r == 0 && !object->version[0])
        return err_set(err, E_FORMAT, 0, "the server does not say that it put the parts together");
    return r;
}

static int complete_once(struct upload *u, struct s3_call *call, struct store_object *object,
                         struct err *err)
{
    CLEANUP(http_response_deinit) struct http_response response;
    struct s3_error error;
    char version[STORE_VERSION_BYTES];
    http_response_init(&response);
    int r = s3_send(u->s3, call, &response, err);
    if (r < 0)
        return r;
    if (response.status == 200)
        return judge_complete(u, &response, object, err);
    s3_error_read(&error, &response);
    const bool gone = strcmp(error.code, "NoSuchUpload") == 0;
    if (!gone && !s3_is_conflict(u->options, &response))
        return s3_refused(u->s3, &response, err);
    r = expected_version(u, version, err);
    if (r == 0)
        r = s3_was_it_us(u->s3, call, version, object, err);
    return r == STORE_CONFLICT && gone ? s3_refused(u->s3, &response, err) : r;
}

static int complete(struct upload *u, struct store_object *object, struct err *err)
{
    static const struct retry_policy policy = {.max_retries = MAX_COMPLETE_TRIES - 1,
                                               .first_wait_ms = 200,
                                               .multiplier = 2,
                                               .max_wait_ms = 10000,
                                               .jitter = 0.5};
    struct s3_call call = {
        .method = "POST", .key = u->key, .body = buf_span(&u->complete), .counted = true};
    char quoted[STORE_VERSION_BYTES + 2];
    struct retry retry;
    uint64_t wait_ms;
    s3_call_param(&call, "uploadId", (const char *)u->id.data);
    s3_call_header(&call, "Content-Type", "application/xml");
    s3_call_condition(&call, u->options, quoted);
    retry_init(&retry, &policy, retry_now_ms(), retry_now_ms() ^ (uintptr_t)u);
    for (;;) {
        const int r = complete_once(u, &call, object, err);
        if (r != E_AGAIN)
            return r;
        if (!retry_next(&retry, retry_now_ms(), 0, &wait_ms))
            return E_IO;
        retry_sleep_ms(wait_ms);
    }
}

int s3_upload_finish(void *upload, struct span rest, struct store_object *object, struct err *err)
{
    struct upload *u = upload;
    int r = s3_upload_part(u, rest, err);
    if (r == 0)
        r = buf_append_str(&u->complete, "</CompleteMultipartUpload>", err);
    if (r == 0)
        r = complete(u, object, err);
    if (r != 0) {
        s3_upload_abort(u);
        return r;
    }
    object->size = u->size;
    free_upload(u);
    return 0;
}

/* Best effort: what a failed abort leaves behind is invisible, and the bucket's rules remove it. */
void s3_upload_abort(void *upload)
{
    CLEANUP(http_response_deinit) struct http_response response;
    struct upload *u = upload;
    struct s3_call call = {.method = "DELETE", .key = u->key};
    http_response_init(&response);
    s3_call_param(&call, "uploadId", (const char *)u->id.data);
    (void)!s3_send(u->s3, &call, &response, NULL);
    free_upload(u);
}
