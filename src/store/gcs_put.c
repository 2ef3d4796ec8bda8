/* SPDX-License-Identifier: MPL-2.0 */
#include "store/gcs_internal.h"

#include <openssl/rand.h>
#include <stdio.h>
#include <string.h>

enum { MARK_BYTES = 33, ENVELOPE_BYTES = 16 << 10 };

/*
 * A random text. It parts the pieces of a body, which must not hold it, and stays with an object
 * that was put under a condition: when an answer is lost and the next try meets a conflict, it
 * tells whether the object that is there is our own.
 */
static int make_mark(char mark[MARK_BYTES], struct err *err)
{
    static const char digits[] = "0123456789abcdef";
    unsigned char random[(MARK_BYTES - 1) / 2];
    if (RAND_bytes(random, sizeof random) != 1)
        return err_set(err, E_CRYPTO, 0, "libcrypto has no random numbers");
    for (size_t i = 0; i < sizeof random; i++) {
        mark[2 * i] = digits[random[i] >> 4];
        mark[2 * i + 1] = digits[random[i] & 15];
    }
    mark[MARK_BYTES - 1] = '\0';
    return 0;
}

static bool has_condition(const struct store_put_options *options)
{
    return options && (options->if_absent || options->if_version);
}

static int append_metadata(struct buf *body, const char *mark, struct err *err)
{
    return buf_printf(body, err,
                      "{\"contentType\":\"application/octet-stream\",\"metadata\":"
                      "{\"weir-put\":\"%s\"}}",
                      mark);
}

/* multipart/related (RFC 2387): what is known about the object, then the object. */
static int write_body(struct buf *body, struct span bytes, const char *mark, struct err *err)
{
    int r = buf_reserve(body, bytes.len + ENVELOPE_BYTES, err);
    if (r == 0)
        r = buf_printf(body, err, "--%s\r\nContent-Type: application/json; charset=UTF-8\r\n\r\n",
                       mark);
    if (r == 0)
        r = append_metadata(body, mark, err);
    if (r == 0)
        r = buf_printf(body, err, "\r\n--%s\r\nContent-Type: application/octet-stream\r\n\r\n",
                       mark);
    if (r == 0)
        r = buf_append(body, bytes.ptr, bytes.len, err);
    return r < 0 ? r : buf_printf(body, err, "\r\n--%s--\r\n", mark);
}

/* Is the object in the way our own? @return 0 with it, or STORE_CONFLICT or E_*. */
static int look_at_conflict(struct gcs *gcs, const char *key, const char *mark, uint64_t size,
                            struct store_object *object, struct err *err)
{
    struct gcs_call call;
    gcs_call_begin(&call, gcs, "GET", GCS_OBJECTS, key);
    gcs_call_query(&call, "fields", GCS_FIELDS ",metadata");
    int r = gcs_call_send(&call, err);
    CLEANUP(gcs_json_drop) json_t *resource = r == 0 ? gcs_json(&call.answer, err) : NULL;
    const char *found =
        json_string_value(json_object_get(json_object_get(resource, "metadata"), "weir-put"));
    if (r == E_ABSENT || (r == 0 && (!found || strcmp(found, mark) != 0)))
        r = STORE_CONFLICT;
    else if (r == 0)
        r = gcs_object_read_written(object, &call.answer, size, err);
    gcs_call_end(&call);
    return r;
}

int gcs_put(void *self, const char *key, struct span bytes, const struct store_put_options *options,
            struct store_object *object, struct err *err)
{
    struct gcs *gcs = self;
    char mark[MARK_BYTES], type[64];
    CLEANUP(buf_deinit) struct buf body = BUF_INIT(bytes.len + ENVELOPE_BYTES);
    int r = make_mark(mark, err);
    if (r == 0)
        r = write_body(&body, bytes, mark, err);
    if (r < 0)
        return r;
    (void)snprintf(type, sizeof type, "multipart/related; boundary=%s", mark);
    struct gcs_call call;
    gcs_call_begin(&call, gcs, "POST", GCS_UPLOADS, NULL);
    gcs_call_query(&call, "uploadType", "multipart");
    gcs_call_query_name(&call, "name", key);
    gcs_call_query(&call, "fields", GCS_FIELDS);
    gcs_call_condition(&call, options);
    gcs_call_header(&call, "Content-Type", type);
    call.request.body = buf_span(&body);
    r = gcs_call_send(&call, err);
    if (r == 0)
        r = gcs_object_read_written(object, &call.answer, bytes.len, err);
    gcs_call_end(&call);
    if (r == STORE_CONFLICT && has_condition(options))
        r = look_at_conflict(gcs, key, mark, bytes.len, object, err);
    return r;
}
