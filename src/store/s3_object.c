/* SPDX-License-Identifier: MPL-2.0 */
/* One object at a time: look at it, read it, write it, delete it. */
#include "codec/hex.h"
#include "store/s3_internal.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

enum { RANGE_BYTES = 64, MD5_BYTES = 16 };

static bool is_good(int status)
{
    return status >= 200 && status < 300;
}

/* The answer to a HEAD has no body and so no reason; a GET of a byte has. */
static int ask_why(struct s3 *s3, const char *key, struct http_response *response, struct err *err)
{
    struct s3_call call = {.method = "GET", .key = key};
    s3_call_header(&call, "Range", "bytes=0-0");
    const int status = response->status;
    int r = s3_send(s3, &call, response, err);
    if (r < 0)
        return r;
    if (!is_good(response->status) && response->status != 416) {
        r = s3_refused(s3, response, err);
        if (r == E_ABSENT)
            atomic_store(&s3->known, true);
        return r;
    }
    return err_set(err, E_IO, 0, "the server answers %d to a HEAD, but not to a GET", status);
}

int s3_stat(void *self, const char *key, struct store_object *out, struct err *err)
{
    CLEANUP(http_response_deinit) struct http_response response;
    struct s3 *s3 = self;
    struct s3_call call = {.method = "HEAD", .key = key};
    http_response_init(&response);
    const int r = s3_send(s3, &call, &response, err);
    if (r < 0)
        return r;
    // Some answer 404 to unknown users, and absence is too much to conclude from that.
    if (response.status == 404 && atomic_load(&s3->known))
        return E_ABSENT;
    if (!is_good(response.status))
        return ask_why(s3, key, &response, err);
    return s3_object_of_headers(out, &response, err);
}

/* "bytes 5-9/10": the size of the whole object. */
static int set_whole_size(struct store_object *object, const struct http_response *response,
                          uint64_t offset, struct err *err)
{
    const struct span range = http_response_header(response, "Content-Range");
    const uint8_t *slash = range.len > 0 ? memchr(range.ptr, '/', range.len) : NULL;
    char want[RANGE_BYTES];
    const int n = snprintf(want, sizeof want, "bytes %llu-", (unsigned long long)offset);
    if (!slash || range.len < (size_t)n || memcmp(range.ptr, want, (size_t)n) != 0 ||
        !s3_number(&object->size, span_of(slash + 1, range.len - (size_t)(slash + 1 - range.ptr))))
        return err_set(err, E_FORMAT, 0, "the server answers with a range that was not asked for");
    return 0;
}

/* What the head of a GET says. @return 0, STORE_CONFLICT or E_*. */
static int judge(struct s3 *s3, const struct http_response *response, uint64_t offset,
                 struct store_object *object, struct err *err)
{
    int r;
    switch (response->status) {
    case 200:
        r = s3_object_of_headers(object, response, err);
        return r == 0 && offset > 0 ? err_set(err, E_FORMAT, 0, "the server does not know ranges")
                                    : r;
    case 206:
        r = s3_object_of_headers(object, response, err);
        return r == 0 ? set_whole_size(object, response, offset, err) : r;
    case 412:
        return STORE_CONFLICT;
    default:
        return s3_refused(s3, response, err);
    }
}

int s3_open_stream(struct http_stream **stream, void *self, const char *key, uint64_t offset,
                   uint64_t len, const char *version, struct store_object *object, struct err *err)
{
    CLEANUP(http_response_deinit) struct http_response response;
    struct s3_call call = {.method = "GET", .key = key};
    char range[RANGE_BYTES], quoted[STORE_VERSION_BYTES + 2];
    http_response_init(&response);
    *stream = NULL;
    if (len != STORE_TO_END && offset <= UINT64_MAX - len)
        (void)snprintf(range, sizeof range, "bytes=%llu-%llu", (unsigned long long)offset,
                       (unsigned long long)(offset + len - 1));
    else
        (void)snprintf(range, sizeof range, "bytes=%llu-", (unsigned long long)offset);
    if (offset > 0 || len != STORE_TO_END)
        s3_call_header(&call, "Range", range);
    if (version)
        s3_call_condition(&call, &(struct store_put_options){.if_version = version}, quoted);
    int r = s3_send_stream(stream, self, &call, &response, err);
    if (r < 0)
        return r;
    const bool behind_end = response.status == 416;
    if (!behind_end)
        r = judge(self, &response, offset, object, err);
    if (behind_end || r != 0) {
        http_stream_close(*stream);
        *stream = NULL;
    }
    return behind_end ? s3_stat(self, key, object, err) : r;
}

void s3_call_condition(struct s3_call *call, const struct store_put_options *options,
                       char quoted[STORE_VERSION_BYTES + 2])
{
    if (options && options->if_absent)
        s3_call_header(call, "If-None-Match", "*");
    if (options && options->if_version) {
        (void)snprintf(quoted, STORE_VERSION_BYTES + 2, "\"%s\"", options->if_version);
        s3_call_header(call, "If-Match", quoted);
    }
}

bool s3_is_conflict(const struct store_put_options *options, const struct http_response *response)
{
    struct s3_error error;
    if (!options || (!options->if_absent && !options->if_version))
        return false;
    if (response->status == 412 || response->status == 409)
        return true;
    // An object that is gone is not that version any more.
    s3_error_read(&error, response);
    return response->status == 404 && options->if_version && strcmp(error.code, "NoSuchKey") == 0;
}

int s3_was_it_us(struct s3 *s3, const struct s3_call *call, const char *version,
                 struct store_object *object, struct err *err)
{
    if (call->n_tries < 2)
        return STORE_CONFLICT;
    const int r = s3_stat(s3, call->key, object, err);
    if (r == E_ABSENT)
        return STORE_CONFLICT;
    return r < 0 ? r : strcasecmp(object->version, version) == 0 ? 0 : STORE_CONFLICT;
}

int s3_md5(uint8_t out[MD5_BYTES], struct span bytes, struct err *err)
{
    const void *from = bytes.len > 0 ? (const void *)bytes.ptr : "";
    if (EVP_Digest(from, bytes.len, out, NULL, EVP_md5(), NULL) != 1)
        return err_set(err, E_CRYPTO, 0, "libcrypto's MD5, which S3 wants, failed");
    return 0;
}

/* The ETag of a plain object is its MD5. */
static int was_it_us(struct s3 *s3, const struct s3_call *call, struct store_object *object,
                     struct err *err)
{
    uint8_t md5[MD5_BYTES];
    char version[2 * MD5_BYTES + 1];
    const int r = s3_md5(md5, call->body, err);
    hex_encode(version, md5, sizeof md5);
    return r < 0 ? r : s3_was_it_us(s3, call, version, object, err);
}

int s3_put(void *self, const char *key, struct span bytes, const struct store_put_options *options,
           struct store_object *object, struct err *err)
{
    CLEANUP(http_response_deinit) struct http_response response;
    struct s3_call call = {.method = "PUT", .key = key, .body = bytes};
    char quoted[STORE_VERSION_BYTES + 2];
    http_response_init(&response);
    s3_call_condition(&call, options, quoted);
    call.counted = call.n_headers > 0;
    int r = s3_send(self, &call, &response, err);
    if (r < 0)
        return r;
    if (s3_is_conflict(options, &response))
        return was_it_us(self, &call, object, err);
    if (!is_good(response.status))
        return s3_refused(self, &response, err);
    r = s3_object_of_headers(object, &response, err);
    object->size = bytes.len;
    return r;
}

/* Not every server knows conditions of a DELETE: the object is looked at in any case. */
int s3_delete_version(void *self, const struct store_object *object, struct err *err)
{
    CLEANUP(http_response_deinit) struct http_response response;
    struct s3_call call = {.method = "DELETE", .key = object->key};
    struct store_object there = {0};
    char quoted[STORE_VERSION_BYTES + 2];
    http_response_init(&response);
    int r = s3_stat(self, object->key, &there, err);
    if (r != 0)
        return r == E_ABSENT ? 0 : r;
    if (strcmp(there.version, object->version) != 0)
        return STORE_CONFLICT;
    s3_call_condition(&call, &(struct store_put_options){.if_version = object->version}, quoted);
    r = s3_send(self, &call, &response, err);
    if (r == 0 && response.status == 501) {
        call.n_headers = 0;
        r = s3_send(self, &call, &response, err);
    }
    if (r < 0)
        return r;
    if (response.status == 412 || response.status == 409) {
        // Of a second try, whose first one did it?
        r = s3_stat(self, object->key, &there, err);
        return r == E_ABSENT ? 0 : r < 0 ? r : STORE_CONFLICT;
    }
    return is_good(response.status) || response.status == 404 ? 0
                                                              : s3_refused(self, &response, err);
}
