/* SPDX-License-Identifier: MPL-2.0 */
#include "codec/ping.h"

#include "codec/json.h"

static struct json_members members_of(const struct record_ops *ops, struct span object)
{
    return (struct json_members){
        .text = {ops, span_end(object)}, .p = object.ptr, .max_depth = RECORD_MAX_DEPTH};
}

static bool is_string(const struct json_member *m)
{
    return m->value.ptr[0] == '"';
}

static struct span inside(const struct json_member *m)
{
    return span_of(m->value.ptr + 1, m->value.len - 2);
}

/* Does nothing but white space follow the object? */
static bool ends_here(const struct json_members *it)
{
    return json_skip_space(it->p, it->text.end) == it->text.end;
}

/* The bytes of a string: in place, or unescaped into scratch, which holds no other. */
static int take_payload(struct ping_message *m, const struct json_member *member,
                        struct buf *scratch, struct err *err)
{
    m->has_payload = is_string(member);
    if (!m->has_payload)
        return 0;
    m->payload = inside(member);
    if (!member->value_escaped)
        return 0;
    buf_clear(scratch);
    const int r = buf_reserve(scratch, m->payload.len, err);
    if (r < 0)
        return r;
    scratch->len = json_unescape(scratch->data, m->payload);
    m->payload = buf_span(scratch);
    return 0;
}

int ping_read_message(struct ping_message *m, const struct record_ops *ops, struct span line,
                      struct buf *scratch, struct err *err)
{
    struct json_members it = members_of(ops, line);
    struct json_member member;
    int more, r = 0;
    *m = (struct ping_message){0};
    while (r == 0 && (more = json_next_member(&it, &member)) == 1) {
        if (json_inside_equals(member.key, "payload")) {
            r = take_payload(m, &member, scratch, err);
        } else if (json_inside_equals(member.key, "submission_timestamp")) {
            m->has_time = is_string(&member);
            m->time = m->has_time ? inside(&member) : (struct span){0};
        }
    }
    return r < 0 ? r : more == 0 && ends_here(&it);
}

/* A string's bytes, in place or unescaped into room. @return false: too long for it. */
static bool short_text(struct span *text, const struct json_member *m,
                       uint8_t room[PING_TEXT_BYTES])
{
    *text = inside(m);
    if (!m->value_escaped)
        return true;
    if (text->len > PING_TEXT_BYTES)
        return false;
    *text = span_of(room, json_unescape(room, *text));
    return true;
}

static void take_id(struct ping *p, const struct json_member *m)
{
    const uint8_t first = m->value.ptr[0];
    p->id_kind = RECORD_ID_NONE;
    p->id = m->value;
    if (first == '"') {
        if (short_text(&p->id, m, p->id_text) && p->id.len > 0)
            p->id_kind = RECORD_ID_STRING;
    } else if (first == '-' || (first >= '0' && first <= '9')) {
        p->id_kind = RECORD_ID_NUMBER;
    }
    if (p->id.len > RECORD_MAX_ID_BYTES)
        p->id_kind = RECORD_ID_NONE;
}

/* payload.prioData, of a checked value. */
static void take_payload_object(struct ping *p, struct span value)
{
    struct json_members it = members_of(p->ops, value);
    struct json_member m;
    p->has_data = false;
    if (value.ptr[0] != '{')
        return;
    while (json_next_member(&it, &m) == 1)
        if (json_inside_equals(m.key, "prioData")) {
            p->has_data = m.value.ptr[0] == '[';
            p->data = m.value;
        }
}

bool ping_read(struct ping *p, const struct record_ops *ops, struct span text)
{
    struct json_members it = members_of(ops, text);
    struct json_member m;
    int more;
    p->ops = ops;
    p->has_data = false;
    p->id_kind = RECORD_ID_NONE;
    p->id = (struct span){0};
    while ((more = json_next_member(&it, &m)) == 1) {
        if (json_inside_equals(m.key, "id"))
            take_id(p, &m);
        else if (json_inside_equals(m.key, "payload"))
            take_payload_object(p, m.value);
    }
    p->next = p->has_data ? p->data.ptr + 1 : NULL;
    return more == 0 && ends_here(&it);
}

/* The two payloads of a checked `prio`. @return false: one is missing or no string. */
static bool take_pair(const struct ping *p, struct ping_share *share, struct span value)
{
    struct json_members it = members_of(p->ops, value);
    struct json_member m;
    bool has_a = false, has_b = false;
    if (value.ptr[0] != '{')
        return false;
    while (json_next_member(&it, &m) == 1) {
        if (json_inside_equals(m.key, "a")) {
            has_a = is_string(&m);
            share->a = inside(&m);
        } else if (json_inside_equals(m.key, "b")) {
            has_b = is_string(&m);
            share->b = inside(&m);
        }
    }
    return has_a && has_b;
}

static void take_share(struct ping *p, struct ping_share *share, struct span value)
{
    struct json_members it = members_of(p->ops, value);
    struct json_member m;
    bool has_encoding = false, has_pair = false;
    share->usable = false;
    if (value.ptr[0] != '{')
        return;
    while (json_next_member(&it, &m) == 1) {
        if (json_inside_equals(m.key, "encoding"))
            has_encoding = is_string(&m) && short_text(&share->encoding, &m, p->encoding_text);
        else if (json_inside_equals(m.key, "prio"))
            has_pair = take_pair(p, share, m.value);
    }
    share->usable = has_encoding && has_pair;
}

bool ping_next(struct ping *p, struct ping_share *share)
{
    if (!p->next)
        return false;
    const struct json_text text = {p->ops, span_end(p->data)};
    const uint8_t *const value = json_skip_space(p->next, text.end);
    bool escaped = false;
    if (*value == ']') {
        p->next = NULL;
        return false;
    }
    const uint8_t *const behind = json_skip_value(&text, value, RECORD_MAX_DEPTH, &escaped);
    take_share(p, share, span_of(value, (size_t)(behind - value)));
    const uint8_t *const comma = json_skip_space(behind, text.end);
    p->next = *comma == ',' ? comma + 1 : NULL;
    return true;
}
