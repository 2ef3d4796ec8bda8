/* SPDX-License-Identifier: MPL-2.0 */
#include "codec/record.h"

#include "base/cpu.h"
#include "codec/json.h"
#include "codec/record_kernels.h"

static inline bool stops(uint8_t c)
{
    return (c == '"') | (c == '\\') | (c < 0x20) | (c > 0x7f);
}

const uint8_t *record_string_end_c(const uint8_t *p, const uint8_t *end)
{
    enum { BLOCK = 32 }; // of constant size, so that the compiler compares vectors
    for (; end - p >= BLOCK; p += BLOCK) {
        uint8_t any = 0;
        for (size_t i = 0; i < BLOCK; i++)
            any |= stops(p[i]);
        if (any)
            break;
    }
    while (p < end && !stops(*p))
        p++;
    return p;
}

void record_ops_init(struct record_ops *ops, unsigned cpu)
{
    *ops = (struct record_ops){.string_end = record_string_end_c};
#if defined(__x86_64__)
    if (cpu & CPU_AVX2)
        ops->string_end = record_string_end_avx2;
#else
    (void)cpu;
#endif
}

/* The bytes that a string's text stands for: in place, or unescaped behind what scratch holds. */
static int string_bytes(struct span *bytes, const struct record *r, const struct json_member *m,
                        struct buf *scratch, struct err *err)
{
    const struct span inside = span_of(m->value.ptr + 1, m->value.len - 2);
    if (!m->value_escaped) {
        *bytes = inside;
        return 0;
    }
    // Unescaping shortens. Room for the whole line from the first string on means that scratch
    // never moves under the spans that point into it.
    const int failed = buf_reserve(scratch, r->line.len - scratch->len, err);
    if (failed)
        return failed;
    uint8_t *const out = scratch->data + scratch->len;
    *bytes = span_of(out, json_unescape(out, inside));
    scratch->len += bytes->len;
    return 0;
}

static int take_id(struct record *r, const struct json_member *m, struct buf *scratch,
                   struct err *err)
{
    const uint8_t first = m->value.ptr[0];
    r->id_raw = m->value;
    r->id_kind = RECORD_ID_NONE;
    r->id = (struct span){0};
    if (first == '"') {
        const int failed = string_bytes(&r->id, r, m, scratch, err);
        if (failed)
            return failed;
        r->id_kind = RECORD_ID_STRING;
    } else if (first == '-' || (first >= '0' && first <= '9')) {
        r->id = m->value;
        r->id_kind = RECORD_ID_NUMBER;
    }
    if (r->id.len > RECORD_MAX_ID_BYTES) {
        r->id_kind = RECORD_ID_NONE;
        r->id = (struct span){0};
    }
    return 0;
}

static int take_payload(struct record *r, const struct json_member *m, struct buf *scratch,
                        struct err *err)
{
    r->payload_raw = m->value;
    r->payload_is_array = m->value.ptr[0] == '[';
    r->has_payload = m->value.ptr[0] == '"';
    r->payload = (struct span){0};
    return r->has_payload ? string_bytes(&r->payload, r, m, scratch, err) : 0;
}

static int take_member(struct record *r, const struct json_member *m, struct buf *scratch,
                       struct err *err)
{
    if (json_inside_equals(m->key, "payload"))
        return take_payload(r, m, scratch, err);
    if (json_inside_equals(m->key, "id"))
        return take_id(r, m, scratch, err);
    return 0;
}

/* @return 1 and *m, 0 behind the last member, or -1: the line is not one object. */
static int next_member(struct json_members *it, struct json_member *m)
{
    const int more = json_next_member(it, m);
    if (more != 0)
        return more;
    return json_skip_space(it->p, it->text.end) == it->text.end ? 0 : -1;
}

static struct json_members members_of(const struct record *r)
{
    return (struct json_members){
        .text = {r->ops, span_end(r->line)}, .p = r->line.ptr, .max_depth = RECORD_MAX_DEPTH};
}

static bool stands_at(const uint8_t *p, const uint8_t *end, const char *text)
{
    const size_t len = strlen(text);
    return (size_t)(end - p) >= len && memcmp(p, text, len) == 0;
}

/* Nothing but an id and a payload, both where json.dumps puts them, and an id that it would not
 * respell. */
static bool is_plain(const struct record *r)
{
    static const char head[] = "{\"id\": ", between[] = ", \"payload\": ";
    const uint8_t *const end = span_end(r->line);
    if (r->id_kind == RECORD_ID_NONE || r->payload_raw.len == 0 ||
        r->id_raw.ptr != r->line.ptr + sizeof head - 1 || !stands_at(r->line.ptr, end, head))
        return false;
    const uint8_t *const behind_id = r->id_raw.ptr + r->id_raw.len;
    return stands_at(behind_id, end, between) &&
           r->payload_raw.ptr == behind_id + sizeof between - 1 &&
           r->payload_raw.ptr + r->payload_raw.len + 1 == end &&
           (r->id_kind == RECORD_ID_NUMBER ||
            json_is_plain(span_of(r->id_raw.ptr + 1, r->id_raw.len - 2)));
}

int record_parse(struct record *r, const struct record_ops *ops, struct span line,
                 struct buf *scratch, struct err *err)
{
    *r = (struct record){.ops = ops, .line = line};
    buf_clear(scratch);
    struct json_members it = members_of(r);
    struct json_member m;
    int more;
    while ((more = next_member(&it, &m)) == 1) {
        const int failed = take_member(r, &m, scratch, err);
        if (failed)
            return failed;
    }
    r->plain = more == 0 && is_plain(r);
    return more == 0;
}

static int append_quoted(struct buf *out, struct span payload, struct err *err)
{
    int failed = buf_append_byte(out, '"', err);
    if (!failed)
        failed = buf_append(out, payload.ptr, payload.len, err);
    return failed ? failed : buf_append_byte(out, '"', err);
}

/* A member and what separates it from the one before; value: its text if it is not the payload. */
static int append_member(struct buf *out, bool first, struct span key_with_quotes,
                         const struct span *value, struct span payload, struct err *err)
{
    int failed = buf_append_str(out, first ? "{" : ", ", err);
    if (!failed)
        failed = json_respell(out, key_with_quotes, err);
    if (!failed)
        failed = buf_append_str(out, ": ", err);
    if (failed)
        return failed;
    return value ? json_respell(out, *value, err) : append_quoted(out, payload, err);
}

static int respell_line(struct buf *out, const struct record *r, struct span payload,
                        struct err *err)
{
    struct json_members it = members_of(r);
    struct json_member m;
    bool id_done = false, payload_done = false, first = true;
    while (next_member(&it, &m) == 1) {
        const bool is_id = json_inside_equals(m.key, "id");
        const bool is_payload = !is_id && json_inside_equals(m.key, "payload");
        if ((is_id && id_done) || (is_payload && payload_done))
            continue;
        const int failed = append_member(out, first, span_of(m.key.ptr - 1, m.key.len + 2),
                                         is_payload ? NULL
                                         : is_id    ? &r->id_raw
                                                    : &m.value,
                                         payload, err);
        if (failed)
            return failed;
        id_done |= is_id;
        payload_done |= is_payload;
        first = false;
    }
    const int failed =
        payload_done ? 0 : append_member(out, first, span_str("\"payload\""), NULL, payload, err);
    return failed ? failed : buf_append_str(out, "}\n", err);
}

int record_rewrite(struct buf *out, const struct record *r, struct span payload, struct err *err)
{
    if (!r->plain)
        return respell_line(out, r, payload, err);
    int failed = buf_append(out, r->line.ptr, (size_t)(r->payload_raw.ptr - r->line.ptr), err);
    if (!failed)
        failed = append_quoted(out, payload, err);
    return failed ? failed : buf_append_str(out, "}\n", err);
}

int record_write_compact(struct buf *out, const struct record *r, struct span payload,
                         struct err *err)
{
    int failed = buf_append_str(out, "{\"id\":", err);
    if (!failed)
        failed = json_respell(out, r->id_raw, err);
    if (!failed)
        failed = buf_append_str(out, ",\"payload\":", err);
    if (!failed)
        failed = append_quoted(out, payload, err);
    return failed ? failed : buf_append_str(out, "}\n", err);
}
