/* SPDX-License-Identifier: MPL-2.0 */
#include "store/gcs_internal.h"

#include <inttypes.h>

int gcs_stat(void *self, const char *key, struct store_object *out, struct err *err)
{
    struct gcs_call call;
    gcs_call_begin(&call, self, "GET", GCS_OBJECTS, key);
    gcs_call_query(&call, "fields", GCS_FIELDS);
    int r = gcs_call_send(&call, err);
    CLEANUP(gcs_json_drop) json_t *resource = r == 0 ? gcs_json(&call.answer, err) : NULL;
    gcs_call_end(&call);
    if (r == 0)
        r = resource ? gcs_object_read(out, resource, err) : E_FORMAT;
    return r;
}

static void ask_for_range(struct gcs_call *call, uint64_t offset, uint64_t len)
{
    if (call->failure < 0 || (offset == 0 && len == STORE_TO_END))
        return; // a range of an empty object is refused
    int r;
    if (len == STORE_TO_END || len > UINT64_MAX - offset)
        r = buf_printf(&call->range, NULL, "bytes=%" PRIu64 "-", offset);
    else
        r = buf_printf(&call->range, NULL, "bytes=%" PRIu64 "-%" PRIu64, offset, offset + len - 1);
    if (r == 0)
        r = buf_append_byte(&call->range, 0, NULL);
    call->failure = r;
    if (r == 0)
        gcs_call_header(call, "Range", (const char *)call->range.data);
}

/* What the head of the answer means. @return as remote_open_fn. */
static int look_at_head(struct http_stream **stream, struct gcs_call *call, const char *key,
                        uint64_t offset, struct store_object *object, struct err *err)
{
    const int status = call->answer.status;
    if (status == 200 && offset > 0)
        return err_set(err, E_FORMAT, 0, "the service ignores the range that was asked for");
    if (status == 200 || status == 206)
        return gcs_object_read_head(object, &call->answer, err);
    http_stream_closep(stream);
    return status == 416 ? gcs_stat(call->gcs, key, object, err) : gcs_status(&call->answer, err);
}

/* A remote_open_fn. */
static int open_stream(struct http_stream **stream, void *self, const char *key, uint64_t offset,
                       uint64_t len, const char *version, struct store_object *object,
                       struct err *err)
{
    if (offset > INT64_MAX) // where no object reaches, and servers do not count
        return gcs_stat(self, key, object, err);
    struct gcs_call call;
    gcs_call_begin(&call, self, "GET", GCS_OBJECTS, key);
    gcs_call_query(&call, "alt", "media");
    if (version)
        gcs_call_query(&call, "ifGenerationMatch", version);
    // Objects stored with Content-Encoding: gzip come as they are, and not decompressed.
    gcs_call_header(&call, "Accept-Encoding", "gzip");
    ask_for_range(&call, offset, len);
    struct http_stream *opened = NULL;
    int r = gcs_call_ready(&call, err);
    if (r == 0)
        r = http_stream_open(&opened, call.gcs->http, &call.request, &call.answer, err);
    if (r == 0)
        r = look_at_head(&opened, &call, key, offset, object, err);
    gcs_call_end(&call);
    if (r != 0)
        http_stream_close(opened);
    else
        *stream = opened;
    return r;
}

int gcs_get(struct store_reader **out, void *self, const char *key, uint64_t offset, uint64_t len,
            struct err *err)
{
    return remote_get(out, &store_gcs, self, open_stream, key, offset, len, err);
}
