/* SPDX-License-Identifier: MPL-2.0 */
/* What the headers and the errors of S3 mean. */
#include "base/utc.h"
#include "codec/hex.h"
#include "store/s3_internal.h"
#include "store/s3_xml.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* As much as fits, in one line. */
static void keep(char *out, size_t cap, struct span text)
{
    const size_t n = text.len < cap - 1 ? text.len : cap - 1;
    for (size_t i = 0; i < n; i++)
        out[i] = text.ptr[i] < ' ' ? ' ' : (char)text.ptr[i];
    out[n] = '\0';
}

static int error_element(void *arg, const char *path, struct span text, struct err *err)
{
    struct s3_error *e = arg;
    (void)err;
    if (strcmp(path, "Error/Code") == 0)
        keep(e->code, sizeof e->code, text);
    else if (strcmp(path, "Error/Message") == 0)
        keep(e->message, sizeof e->message, text);
    else if (strcmp(path, "Error/Region") == 0)
        keep(e->region, sizeof e->region, text);
    return 0;
}

void s3_error_read(struct s3_error *error, const struct http_response *response)
{
    *error = (struct s3_error){0};
    // A page of some proxy is no error of S3, and the status must do.
    if (s3_xml_walk(buf_span(&response->body), error_element, error, NULL) < 0)
        *error = (struct s3_error){0};
    if (!error->region[0])
        keep(error->region, sizeof error->region,
             http_response_header(response, "x-amz-bucket-region"));
    const size_t len = strlen(error->message);
    if (len > 0 && error->message[len - 1] == '.')
        error->message[len - 1] = '\0'; // more may follow
}

static const struct advice {
    const char *code, *text;
} advices[] = {
    {"SignatureDoesNotMatch", "the secret key is wrong, or something on the way changes requests"},
    {"InvalidAccessKeyId", "the server does not know the access key"},
    {"XAdminUserNotFound", "the server does not know the access key"}, // versitygw's
    {"ExpiredToken", "get new credentials: the session token has expired"},
    {"InvalidToken", "get new credentials: the session token does not hold"},
    {"NotImplemented", "the server lacks what Weir needs here; conditional writes and multipart "
                       "uploads must be there"},
    {"AccessDenied", "the credentials do not allow it"},
};

static bool is_wrong_region(const struct s3_error *e, int status)
{
    return status == 301 || status == 307 || strcmp(e->code, "AuthorizationHeaderMalformed") == 0 ||
           strcmp(e->code, "PermanentRedirect") == 0 || strcmp(e->code, "TemporaryRedirect") == 0;
}

static void advise(char *out, size_t cap, const struct s3 *s3, const struct s3_error *e,
                   const struct http_response *response)
{
    const int64_t server_us = s3_http_date_us(http_response_header(response, "Date"));
    const bool skewed = strcmp(e->code, "RequestTimeTooSkewed") == 0;
    out[0] = '\0';
    if (skewed && server_us > 0)
        (void)snprintf(out, cap,
                       "; this machine's clock differs from the server's by %lld s: set it",
                       (long long)(utc_now_us() - server_us) / 1000000);
    else if (skewed)
        (void)snprintf(out, cap, "; set this machine's clock");
    else if (is_wrong_region(e, response->status) && e->region[0])
        (void)snprintf(out, cap,
                       "; the bucket is in region \"%s\", not \"%s\": set region and endpoint",
                       e->region, s3->region);
    else if (is_wrong_region(e, response->status))
        (void)snprintf(out, cap, "; region \"%s\" or the endpoint is not the bucket's", s3->region);
    else if (response->status == 403 && !s3->signer)
        (void)snprintf(out, cap, "; no access key is set, so that the request was not signed");
    for (size_t i = 0; !out[0] && i < ARRAY_LEN(advices); i++)
        if (strcmp(e->code, advices[i].code) == 0)
            (void)snprintf(out, cap, "; %s", advices[i].text);
}

/* A server may say 404 of other things, such as the user, and so may a proxy. */
static bool is_absence(const struct s3_error *e, int status)
{
    static const char *const codes[] = {"NoSuchKey", "NoSuchBucket", "NoSuchUpload"};
    for (size_t i = 0; status == 404 && i < ARRAY_LEN(codes); i++)
        if (strcmp(e->code, codes[i]) == 0)
            return true;
    return false;
}

int s3_refused(const struct s3 *s3, const struct http_response *response, struct err *err)
{
    struct s3_error e;
    char advice[256];
    s3_error_read(&e, response);
    advise(advice, sizeof advice, s3, &e, response);
    return err_set(err, is_absence(&e, response->status) ? E_ABSENT : E_IO, 0, "%d %s%s%s%s",
                   response->status, e.code[0] ? e.code : "from the server",
                   e.message[0] ? ": " : "", e.message, advice);
}

bool s3_number(uint64_t *out, struct span text)
{
    uint64_t n = 0;
    for (size_t i = 0; i < text.len; i++) {
        const unsigned digit = text.ptr[i] - (unsigned)'0';
        if (digit > 9 || n > (UINT64_MAX - digit) / 10)
            return false;
        n = n * 10 + digit;
    }
    *out = n;
    return text.len > 0;
}

int64_t s3_http_date_us(struct span text)
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    char copy[64], month[4], zone[4];
    struct tm tm = {0};
    if (text.len >= sizeof copy)
        return 0;
    keep(copy, sizeof copy, text);
    if (sscanf(copy, "%*3s, %2d %3s %4d %2d:%2d:%2d %3s", &tm.tm_mday, month, &tm.tm_year,
               &tm.tm_hour, &tm.tm_min, &tm.tm_sec, zone) != 7)
        return 0;
    const char *found = strlen(month) == 3 ? strstr(months, month) : NULL;
    if (!found || (found - months) % 3 != 0 || strcmp(zone, "GMT") != 0)
        return 0;
    tm.tm_mon = (int)(found - months) / 3;
    tm.tm_year -= 1900;
    return (int64_t)timegm(&tm) * 1000000;
}

int s3_object_tag(struct store_object *out, struct span etag, struct err *err)
{
    uint8_t md5[16];
    if (etag.len > 2 && memcmp(etag.ptr, "W/", 2) == 0)
        etag = span_of(etag.ptr + 2, etag.len - 2);
    if (etag.len >= 2 && etag.ptr[0] == '"' && etag.ptr[etag.len - 1] == '"')
        etag = span_of(etag.ptr + 1, etag.len - 2);
    if (etag.len == 0 || etag.len >= sizeof out->version)
        return err_set(err, E_FORMAT, 0, "the server gave an object no usable ETag");
    for (size_t i = 0; i < etag.len; i++)
        if (etag.ptr[i] <= ' ' || etag.ptr[i] >= 0x7f || etag.ptr[i] == '"')
            return err_set(err, E_FORMAT, 0, "the server gave an object an odd ETag");
    keep(out->version, sizeof out->version, etag);
    out->content[0] = '\0';
    // Those of multipart uploads end in "-N", and so are no digits.
    if (hex_decode(md5, sizeof md5, out->version, etag.len))
        (void)snprintf(out->content, sizeof out->content, "md5:%.32s", out->version);
    return 0;
}

int s3_object_of_headers(struct store_object *out, const struct http_response *response,
                         struct err *err)
{
    const struct span length = http_response_header(response, "Content-Length");
    const struct span modified = http_response_header(response, "Last-Modified");
    const int r = s3_object_tag(out, http_response_header(response, "ETag"), err);
    if (r < 0)
        return r;
    if (!s3_number(&out->size, length))
        out->size = 0;
    out->modified_us =
        s3_http_date_us(modified.len > 0 ? modified : http_response_header(response, "Date"));
    return 0;
}
