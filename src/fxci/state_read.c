/* SPDX-License-Identifier: MPL-2.0 */
#include "base/utc.h"
#include "codec/json.h"
#include "fxci/state_internal.h"

/* The members of a stored entry; empty where absent. */
struct fields {
    struct span exchange, routing_key, content_type, first_seen, reason, attempts, data, base64,
        task_id, expires, foreign;
};

static struct span *field_of(struct fields *f, struct span key)
{
    const struct {
        const char *name;
        struct span *value;
    } known[] = {
        {"exchange", &f->exchange},
        {"routing_key", &f->routing_key},
        {"content_type", &f->content_type},
        {"first_seen", &f->first_seen},
        {"reason", &f->reason},
        {"attempts", &f->attempts},
        {"data", &f->data},
        {"base64", &f->base64},
        {"taskId", &f->task_id},
        {"expires", &f->expires},
        {"foreign", &f->foreign},
    };
    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        if (json_inside_equals(key, known[i].name))
            return known[i].value;
    return NULL;
}

/* @return false: no object of ours or anybody's. */
static bool read_fields(const struct state *s, struct span element, struct fields *f)
{
    struct json_members it = {
        .text = {&s->ops, span_end(element)}, .p = element.ptr, .max_depth = 64};
    struct json_member m;
    int more;
    *f = (struct fields){0};
    while ((more = json_next_member(&it, &m)) == 1) {
        struct span *const value = field_of(f, m.key);
        if (value)
            *value = m.value;
    }
    return more == 0 && it.p == span_end(element);
}

static bool is_text(struct span value)
{
    return value.len > 0 && value.ptr[0] == '"';
}

/* A string's bytes, unescaped behind what scratch holds; it has room already. Anything else: none.
 */
static struct span take_text(struct span value, struct buf *scratch)
{
    if (!is_text(value))
        return (struct span){0};
    uint8_t *const to = scratch->data + scratch->len;
    const size_t n = json_unescape(to, span_of(value.ptr + 1, value.len - 2));
    scratch->len += n;
    return span_of(to, n);
}

static int64_t take_time(struct span value, int64_t otherwise)
{
    char text[64];
    int64_t us;
    if (!is_text(value) || value.len - 2 >= sizeof text)
        return otherwise;
    memcpy(text, value.ptr + 1, value.len - 2);
    text[value.len - 2] = '\0';
    return utc_parse(&us, text, NULL) == 0 ? us : otherwise;
}

static uint64_t take_count(struct span value, uint64_t otherwise)
{
    uint64_t n = 0;
    if (value.len == 0 || value.len > 15)
        return otherwise;
    for (size_t i = 0; i < value.len; i++) {
        if (value.ptr[i] < '0' || value.ptr[i] > '9')
            return otherwise;
        n = n * 10 + (uint64_t)(value.ptr[i] - '0');
    }
    return n;
}

/* Bytes that are no JSON. @return false: not base64 either. */
static bool take_bytes(const struct state *s, struct span value, struct buf *scratch,
                       struct state_entry *e)
{
    if (!is_text(value))
        return false;
    const struct span text = take_text(value, scratch);
    uint8_t *const to = scratch->data + scratch->len;
    const ptrdiff_t n = s->base64.decode(to, text.ptr, text.len);
    if (n < 0)
        return false;
    scratch->len += (size_t)n;
    e->undecodable = true;
    e->body = span_of(to, (size_t)n);
    return true;
}

static bool take_body(const struct state *s, const struct fields *f, struct buf *scratch,
                      struct state_entry *e)
{
    e->undecodable = false;
    e->body = f->data;
    return f->data.len > 0 || take_bytes(s, f->base64, scratch, e);
}

int state_body_task(const struct state *s, struct span body, struct span *task_id,
                    struct buf *scratch, struct err *err)
{
    struct fields f;
    if (!read_fields(s, body, &f) || !is_text(f.task_id))
        return 0;
    buf_clear(scratch);
    const int r = buf_reserve(scratch, f.task_id.len, err);
    if (r < 0)
        return r;
    *task_id = take_text(f.task_id, scratch);
    return task_id->len > 0 ? 1 : 0;
}

static bool is_object(struct span value)
{
    return value.len > 0 && value.ptr[0] == '{';
}

/* Is the body what its kind promises? */
static bool body_fits(const struct state *s, const struct state_entry *e)
{
    if (e->kind == STATE_EVENT || e->undecodable)
        return true;
    struct fields f;
    return is_object(e->body) &&
           (e->kind == STATE_RECORD || (read_fields(s, e->body, &f) && is_text(f.task_id)));
}

static const char *foreign_reason(enum state_kind kind)
{
    switch (kind) {
    case STATE_RECORD:
        return "an error description of an earlier tool, not a row: it cannot be retried, only "
               "dropped";
    case STATE_PENDING_ID:
        return "not a task id: it cannot be asked for, only dropped";
    default:
        return "not in the form in which entries are stored here: it cannot be retried, only "
               "dropped";
    }
}

/* Somebody else's, or damaged: the element itself is the body. */
static void keep_as_found(const struct state *s, struct span element, struct state_entry *e)
{
    e->foreign = true;
    e->undecodable = !state_is_json(s, element);
    e->body = element;
    e->exchange = e->routing_key = e->content_type = (struct span){0};
    e->expires_us = INT64_MIN;
    e->reason = span_str(foreign_reason(e->kind));
    e->attempts = 1;
}

/* A pending id, in its old form a bare text. */
static bool take_pending(const struct fields *f, bool is_entry, struct span element,
                         struct buf *scratch, struct state_entry *e)
{
    e->body = take_text(is_entry ? f->task_id : element, scratch);
    e->attempts = take_count(f->attempts, 0);
    e->expires_us = take_time(f->expires, INT64_MIN);
    return e->body.len > 0;
}

static void take_failed(const struct fields *f, struct buf *scratch, struct state_entry *e)
{
    static const char unknown[] = "failed in an earlier tool, which kept no reason";
    e->exchange = take_text(f->exchange, scratch);
    e->routing_key = take_text(f->routing_key, scratch);
    e->content_type = take_text(f->content_type, scratch);
    e->reason = is_text(f->reason) ? take_text(f->reason, scratch) : span_str(unknown);
    e->attempts = take_count(f->attempts, 1);
    e->foreign = span_equal(f->foreign, span_str("true"));
}

int state_read_entry(const struct state *s, enum state_place place, struct span element,
                     struct state_entry *e, struct buf *scratch, struct err *err)
{
    struct fields f;
    *e = (struct state_entry){.kind = state_places[place].kind,
                              .table = state_place_table(place),
                              .first_seen_us = s->now_us,
                              .expires_us = INT64_MIN};
    // Nothing becomes longer than it is in the element, and base64 is read twice.
    buf_clear(scratch);
    const int r = buf_reserve(scratch, 2 * element.len + BASE64_SLACK, err);
    if (r < 0)
        return r;
    const bool is_entry = read_fields(s, element, &f);
    e->first_seen_us = take_time(f.first_seen, s->now_us);
    const bool stray = is_entry && span_equal(f.foreign, span_str("true"));
    if (e->kind == STATE_PENDING_ID && !stray) {
        if (!take_pending(&f, is_entry, element, scratch, e))
            keep_as_found(s, element, e);
        return 0;
    }
    const bool known = is_entry && take_body(s, &f, scratch, e) && (stray || body_fits(s, e));
    if (known)
        take_failed(&f, scratch, e);
    else
        keep_as_found(s, element, e);
    return 0;
}
