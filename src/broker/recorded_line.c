/* SPDX-License-Identifier: MPL-2.0 */
#include "broker/recorded_line.h"

#include "base/cpu.h"
#include "codec/json.h"

struct member {
    struct span value; // its text; of a string what stands between the quotes
    bool is_there, is_text, is_escaped;
};

struct members {
    struct member exchange, routing_key, content_type, payload, payload_base64;
};

void recorded_parser_init(struct recorded_parser *p, size_t max_line)
{
    record_ops_init(&p->text, cpu_detect());
    base64_ops_init(&p->base64, cpu_detect());
    // Unescaped, the texts of a line are no longer than it; base64 is decoded behind them.
    p->scratch = BUF_INIT(max_line + base64_decode_room(max_line));
}

void recorded_parser_deinit(struct recorded_parser *p)
{
    buf_deinit(&p->scratch);
}

static void keep(struct members *all, const struct json_member *m)
{
    const struct {
        const char *name;
        struct member *member;
    } wanted[] = {
        {"payload", &all->payload},           {"exchange", &all->exchange},
        {"routingKey", &all->routing_key},    {"payload_base64", &all->payload_base64},
        {"content_type", &all->content_type},
    };
    for (size_t i = 0; i < ARRAY_LEN(wanted); i++) {
        if (!json_inside_equals(m->key, wanted[i].name))
            continue;
        const bool is_text = m->value.ptr[0] == '"';
        *wanted[i].member = (struct member){
            .value = is_text ? span_of(m->value.ptr + 1, m->value.len - 2) : m->value,
            .is_there = true,
            .is_text = is_text,
            .is_escaped = m->value_escaped};
        return;
    }
}

/* @return is it one JSON object, and nothing else? */
static bool find_members(struct members *all, const struct recorded_parser *p, struct span line)
{
    struct json_members it = {
        .text = {&p->text, span_end(line)}, .p = line.ptr, .max_depth = RECORD_MAX_DEPTH};
    struct json_member m;
    int r;
    while ((r = json_next_member(&it, &m)) == 1)
        keep(all, &m);
    return r == 0 && json_skip_space(it.p, it.text.end) == it.text.end;
}

/* Make room once, so that no span into scratch moves. */
static int reserve_scratch(struct recorded_parser *p, const struct members *all, struct span line,
                           struct err *err)
{
    const bool is_used = all->exchange.is_escaped || all->routing_key.is_escaped ||
                         all->content_type.is_escaped || all->payload_base64.is_there;
    buf_clear(&p->scratch);
    if (!is_used)
        return 0;
    return buf_reserve(&p->scratch, line.len + base64_decode_room(line.len), err);
}

/* A text, or nothing where there is none. */
static struct span text_of(struct recorded_parser *p, const struct member *m)
{
    if (!m->is_text)
        return (struct span){0};
    if (!m->is_escaped)
        return m->value;
    uint8_t *out = p->scratch.data + p->scratch.len;
    const size_t len = json_unescape(out, m->value);
    p->scratch.len += len;
    return span_of(out, len);
}

static const char *read_payload(struct recorded_line *out, struct recorded_parser *p,
                                const struct members *all)
{
    if (all->payload.is_there) {
        const struct member *m = &all->payload;
        // With its quotes: a body is the text of a JSON value.
        out->body = m->is_text ? span_of(m->value.ptr - 1, m->value.len + 2) : m->value;
        return NULL;
    }
    if (!all->payload_base64.is_there)
        return "neither payload nor payload_base64";
    const struct span code = text_of(p, &all->payload_base64);
    uint8_t *bytes = p->scratch.data + p->scratch.len;
    const ptrdiff_t n =
        all->payload_base64.is_text ? p->base64.decode(bytes, code.ptr, code.len) : -1;
    if (n < 0)
        return "payload_base64 is not base64";
    out->body = span_of(bytes, (size_t)n);
    return NULL;
}

int recorded_line_read(struct recorded_line *out, struct recorded_parser *p, struct span line,
                       struct err *err)
{
    if (line.len == 0 || json_skip_space(line.ptr, span_end(line)) == span_end(line))
        return 0;
    struct members all = {0};
    *out = (struct recorded_line){.body = line};
    if (!find_members(&all, p, line)) {
        out->reason = "not one JSON object";
        return 1;
    }
    const int r = reserve_scratch(p, &all, line, err);
    if (r < 0)
        return r;
    out->has_exchange = all.exchange.is_text;
    out->exchange = text_of(p, &all.exchange);
    out->routing_key = text_of(p, &all.routing_key);
    out->content_type = text_of(p, &all.content_type);
    out->reason = read_payload(out, p, &all);
    return 1;
}
