/* SPDX-License-Identifier: MPL-2.0 */
#include "base/utc.h"
#include "codec/json.h"
#include "fxci/state_internal.h"

#include <inttypes.h>

/* "name": "text", with a comma in front where it is not the first. */
static int put_text(struct buf *out, const char *name, struct span text, struct err *err)
{
    const char *const comma = out->len > 0 && out->data[out->len - 1] != '{' ? "," : "";
    const int r = buf_printf(out, err, "%s\"%s\":", comma, name);
    return r < 0 ? r : json_write_string(out, text, err);
}

static int put_text_or_null(struct buf *out, const char *name, struct span text, struct err *err)
{
    return text.len > 0 ? put_text(out, name, text, err)
                        : buf_printf(out, err, ",\"%s\":null", name);
}

static int put_time(struct buf *out, const char *name, int64_t us, struct err *err)
{
    char text[UTC_TEXT_BYTES];
    utc_format(text, us);
    return put_text(out, name, span_str(text), err);
}

static int put_base64(const struct base64_ops *base64, struct buf *out, struct span bytes,
                      struct err *err)
{
    int r = buf_append_str(out, "\"base64\":\"", err);
    if (r == 0)
        r = buf_reserve(out, base64_encoded_len(bytes.len) + BASE64_SLACK, err);
    if (r < 0)
        return r;
    out->len += base64->encode(out->data + out->len, bytes.ptr, bytes.len);
    return buf_append_byte(out, '"', err);
}

static int put_body(const struct state *s, struct buf *out, const struct state_entry *e,
                    struct err *err)
{
    if (!e->undecodable) {
        const int r = buf_append_str(out, ",\"data\":", err);
        return r < 0 ? r : buf_append(out, e->body.ptr, e->body.len, err);
    }
    int r = put_text_or_null(out, "content_type", e->content_type, err);
    if (r == 0)
        r = buf_append_byte(out, ',', err);
    return r == 0 ? put_base64(&s->base64, out, e->body, err) : r;
}

static int put_source(struct buf *out, const struct state_entry *e, struct err *err)
{
    if (e->table)
        return put_text(out, "table", span_str(e->table), err);
    if (e->kind != STATE_EVENT)
        return 0;
    int r = put_text(out, "exchange", e->exchange, err);
    if (r == 0)
        r = put_text(out, "routing_key", e->routing_key, err);
    return r;
}

static int put_pending(struct buf *out, const struct state_entry *e, struct err *err)
{
    int r = put_text(out, "taskId", e->body, err);
    if (r == 0)
        r = put_time(out, "first_seen", e->first_seen_us, err);
    if (r == 0)
        r = buf_printf(out, err, ",\"attempts\":%" PRIu64, e->attempts);
    if (r == 0 && e->expires_us != INT64_MIN)
        r = put_time(out, "expires", e->expires_us, err);
    return r;
}

static int put_failed(const struct state *s, struct buf *out, const struct state_entry *e,
                      struct err *err)
{
    int r = put_source(out, e, err);
    if (r == 0)
        r = put_time(out, "first_seen", e->first_seen_us, err);
    if (r == 0)
        r = put_text(out, "reason", e->reason, err);
    if (r == 0)
        r = buf_printf(out, err, ",\"attempts\":%" PRIu64, e->attempts);
    if (r == 0 && e->foreign)
        r = buf_append_str(out, ",\"foreign\":true", err);
    return r == 0 ? put_body(s, out, e, err) : r;
}

int state_write_entry(const struct state *s, struct buf *out, const struct state_entry *e,
                      struct err *err)
{
    int r = buf_append_byte(out, '{', err);
    if (r == 0)
        r = e->kind == STATE_PENDING_ID && !e->foreign ? put_pending(out, e, err)
                                                       : put_failed(s, out, e, err);
    return r == 0 ? buf_append_byte(out, '}', err) : r;
}

/* Line ends in JSON lie between its tokens only. */
static int put_one_line(struct buf *out, struct span json, struct err *err)
{
    int r = 0;
    for (size_t i = 0; i < json.len && r == 0;) {
        size_t end = i;
        while (end < json.len && json.ptr[end] != '\n' && json.ptr[end] != '\r')
            end++;
        r = buf_append(out, json.ptr + i, end - i, err);
        i = end + 1;
    }
    return r;
}

static int list_body(struct buf *out, const struct state_entry *e, struct err *err)
{
    if (e->undecodable) {
        struct base64_ops base64;
        base64_ops_init(&base64, 0);
        int r = buf_append_byte(out, '{', err);
        if (r == 0)
            r = put_base64(&base64, out, e->body, err);
        if (r == 0)
            r = put_text_or_null(out, "content_type", e->content_type, err);
        return r == 0 ? buf_append_byte(out, '}', err) : r;
    }
    return e->kind == STATE_PENDING_ID && !e->foreign ? json_write_string(out, e->body, err)
                                                      : put_one_line(out, e->body, err);
}

int state_entry_json(struct buf *out, const struct state_entry *e, struct err *err)
{
    int r =
        buf_printf(out, err, "{\"id\":\"%s\",\"kind\":\"%s\"", e->id, state_kind_names[e->kind]);
    if (r == 0)
        r = put_text_or_null(out, "exchange", e->exchange, err);
    if (r == 0)
        r = put_text_or_null(out, "routing_key", e->routing_key, err);
    if (r == 0)
        r = put_text_or_null(out, "table", span_str(e->table ? e->table : ""), err);
    if (r == 0)
        r = put_text(out, "reason", e->reason, err);
    if (r == 0)
        r = buf_printf(out, err, ",\"attempts\":%" PRIu64, e->attempts);
    if (r == 0)
        r = put_time(out, "first_seen", e->first_seen_us, err);
    if (r == 0)
        r = buf_append_str(out, ",\"body\":", err);
    if (r == 0)
        r = list_body(out, e, err);
    return r == 0 ? buf_append_byte(out, '}', err) : r;
}
