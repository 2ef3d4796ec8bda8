/* SPDX-License-Identifier: MPL-2.0 */
#include "base/utc.h"
#include "codec/base64.h"
#include "store/gcs_internal.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

enum { MD5_BYTES = 16, MD5_TEXT = 24 }; // as base64

/* JSON and headers write numbers as texts. @return false when it is none. */
static bool read_number(uint64_t *out, struct span text)
{
    uint64_t n = 0;
    for (size_t i = 0; i < text.len; i++) {
        const uint8_t digit = (uint8_t)(text.ptr[i] - '0');
        if (digit > 9 || n > (UINT64_MAX - digit) / 10)
            return false;
        n = n * 10 + digit;
    }
    *out = n;
    return text.len > 0;
}

static struct span member(const json_t *resource, const char *name)
{
    const json_t *value = json_object_get(resource, name);
    return json_is_string(value) ? span_of(json_string_value(value), json_string_length(value))
                                 : (struct span){0};
}

static bool read_version(struct store_object *out, struct span text)
{
    uint64_t generation;
    if (!read_number(&generation, text) || text.len >= sizeof out->version)
        return false;
    memcpy(out->version, text.ptr, text.len);
    out->version[text.len] = '\0';
    return true;
}

/* Composed objects have none; then the contents stay unknown. */
static void read_md5(struct store_object *out, struct span text)
{
    uint8_t digest[MD5_TEXT / 4 * 3 + BASE64_SLACK];
    struct base64_ops ops;
    base64_ops_init(&ops, 0);
    if (text.len != MD5_TEXT || ops.decode(digest, text.ptr, text.len) != MD5_BYTES)
        return;
    int n = snprintf(out->content, sizeof out->content, "md5:");
    for (size_t i = 0; i < MD5_BYTES; i++)
        n += snprintf(out->content + n, sizeof out->content - (size_t)n, "%02x", digest[i]);
}

int gcs_object_read(struct store_object *out, const json_t *resource, struct err *err)
{
    const char *updated = json_string_value(json_object_get(resource, "updated"));
    struct store_object object = {0};
    if (!read_number(&object.size, member(resource, "size")) ||
        !read_version(&object, member(resource, "generation")) || !updated)
        return err_set(err, E_FORMAT, 0,
                       "the service's answer lacks an object's size, generation or time");
    if (utc_parse(&object.modified_us, updated, err) < 0)
        return err_wrap(err, E_FORMAT, "the service's answer");
    read_md5(&object, member(resource, "md5Hash"));
    *out = object;
    return 0;
}

/* "crc32c=n03x6A==,md5=Ojk9c3dhfxgoKVVHYwFbHQ==" */
static void read_hashes(struct store_object *out, struct span text)
{
    static const char mark[] = "md5=";
    const uint8_t *at = text.len > 0 ? memmem(text.ptr, text.len, mark, strlen(mark)) : NULL;
    if (!at)
        return;
    const size_t rest = text.len - (size_t)(at - text.ptr) - strlen(mark);
    read_md5(out, span_of(at + strlen(mark), rest < MD5_TEXT ? rest : MD5_TEXT));
}

/* Of a whole body its length, of a range what stands behind the slash: "bytes 0-9/1234". */
static bool read_size(struct store_object *out, const struct http_response *answer)
{
    const struct span range = http_response_header(answer, "Content-Range");
    if (answer->status == 200)
        return read_number(&out->size, http_response_header(answer, "Content-Length"));
    const uint8_t *slash = range.len > 0 ? memchr(range.ptr, '/', range.len) : NULL;
    return slash &&
           read_number(&out->size, span_of(slash + 1, range.len - 1 - (size_t)(slash - range.ptr)));
}

/* "Fri, 13 Nov 2026 10:20:30 GMT" (RFC 9110, 5.6.7). */
static void read_date(struct store_object *out, struct span text)
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    char date[40], month[4], rfc3339[UTC_TEXT_BYTES];
    unsigned day, year, hour, minute, second;
    if (text.len == 0 || text.len >= sizeof date)
        return;
    memcpy(date, text.ptr, text.len);
    date[text.len] = '\0';
    if (sscanf(date, "%*3c, %2u %3s %4u %2u:%2u:%2u GMT", &day, month, &year, &hour, &minute,
               &second) != 6)
        return;
    const char *at = strstr(months, month);
    (void)snprintf(rfc3339, sizeof rfc3339, "%04u-%02u-%02uT%02u:%02u:%02uZ", year,
                   at ? (unsigned)(at - months) / 3 + 1 : 0, day, hour, minute, second);
    if (utc_parse(&out->modified_us, rfc3339, NULL) < 0)
        out->modified_us = 0;
}

int gcs_object_read_head(struct store_object *out, const struct http_response *answer,
                         struct err *err)
{
    struct store_object object = {0};
    if (!read_size(&object, answer) ||
        !read_version(&object, http_response_header(answer, "X-Goog-Generation")))
        return err_set(err, E_FORMAT, 0,
                       "the service's answer lacks the object's size or generation");
    read_hashes(&object, http_response_header(answer, "X-Goog-Hash"));
    read_date(&object, http_response_header(answer, "Last-Modified"));
    *out = object;
    return 0;
}

int gcs_object_read_written(struct store_object *object, const struct http_response *answer,
                            uint64_t size, struct err *err)
{
    CLEANUP(gcs_json_drop) json_t *resource = gcs_json(answer, err);
    const int r = resource ? gcs_object_read(object, resource, err) : E_FORMAT;
    if (r == 0 && object->size != size)
        return err_set(err, E_IO, 0, "%llu bytes were sent, but %llu are stored",
                       (unsigned long long)size, (unsigned long long)object->size);
    return r;
}
