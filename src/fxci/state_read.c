/* SPDX-License-Identifier: MPL-2.0 */
#include "base/utc.h"
#include "fxci/member.h"
#include "fxci/state_internal.h"

/* The members of a stored entry. */
enum {
    F_EXCHANGE,
    F_ROUTING_KEY,
    F_CONTENT_TYPE,
    F_FIRST_SEEN,
    F_REASON,
    F_ATTEMPTS,
    F_DATA,
    F_BASE64,
    F_TASK_ID,
    F_EXPIRES,
    F_FOREIGN,
    N_FIELDS
};
static const int64_t max_count = INT64_C(1000000000000);
#define NAME(text)                                                                                 \
    {                                                                                              \
        (const uint8_t *)(text), sizeof(text) - 1                                                  \
    }
static const struct span names[N_FIELDS] = {
    [F_EXCHANGE] = NAME("exchange"),
    [F_ROUTING_KEY] = NAME("routing_key"),
    [F_CONTENT_TYPE] = NAME("content_type"),
    [F_FIRST_SEEN] = NAME("first_seen"),
    [F_REASON] = NAME("reason"),
    [F_ATTEMPTS] = NAME("attempts"),
    [F_DATA] = NAME("data"),
    [F_BASE64] = NAME("base64"),
    [F_TASK_ID] = NAME("taskId"),
    [F_EXPIRES] = NAME("expires"),
    [F_FOREIGN] = NAME("foreign"),
};

/* @return false: no object of ours or anybody's. */
static bool read_fields(const struct state *s, struct span element, struct member *fields)
{
    const bool good = members_of_text(&s->ops, element, RECORD_MAX_DEPTH, names, N_FIELDS, fields);
    if (!good) // what came before the damage does not count
        memset(fields, 0, N_FIELDS * sizeof *fields);
    return good;
}

/* A string's bytes, unescaped behind what scratch holds; it has room already. Anything else: none.
 */
static struct span take_text(const struct member *m, struct buf *scratch)
{
    if (!member_is_text(m))
        return (struct span){0};
    uint8_t *const to = scratch->data + scratch->len;
    const size_t n = json_unescape(to, span_of(m->text.ptr + 1, m->text.len - 2));
    scratch->len += n;
    return span_of(to, n);
}

static int64_t take_time(const struct member *m, int64_t otherwise)
{
    int64_t us;
    return member_is_text(m) && utc_parse_rfc3339(&us, span_of(m->text.ptr + 1, m->text.len - 2))
               ? us
               : otherwise;
}

static uint64_t take_count(const struct member *m, uint64_t otherwise)
{
    int64_t n;
    return member_integer(&n, m) && n >= 0 && n <= max_count ? (uint64_t)n : otherwise;
}

/* Bytes that are no JSON. @return false: not base64 either. */
static bool take_bytes(const struct state *s, const struct member *value, struct buf *scratch,
                       struct state_entry *e)
{
    if (!member_is_text(value))
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

static bool take_body(const struct state *s, const struct member *f, struct buf *scratch,
                      struct state_entry *e)
{
    e->undecodable = false;
    e->body = f[F_DATA].text;
    return e->body.len > 0 || take_bytes(s, &f[F_BASE64], scratch, e);
}

int state_body_task(const struct state *s, struct span body, struct span *task_id,
                    struct buf *scratch, struct err *err)
{
    struct member f[N_FIELDS];
    if (!read_fields(s, body, f) || !member_is_text(&f[F_TASK_ID]))
        return 0;
    buf_clear(scratch);
    const int r = buf_reserve(scratch, f[F_TASK_ID].text.len, err);
    if (r < 0)
        return r;
    *task_id = take_text(&f[F_TASK_ID], scratch);
    return 1;
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
    struct member f[N_FIELDS];
    return is_object(e->body) && (e->kind == STATE_RECORD ||
                                  (read_fields(s, e->body, f) && member_is_text(&f[F_TASK_ID])));
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
static bool take_pending(const struct state *s, const struct member *f, bool is_entry,
                         struct span element, struct buf *scratch, struct state_entry *e)
{
    const struct member bare = {.text = element};
    const struct member *id = is_entry ? &f[F_TASK_ID] : &bare;
    if (!member_is_text(id) || (!is_entry && !state_is_json(s, element)))
        return false;
    e->body = take_text(id, scratch);
    e->attempts = take_count(&f[F_ATTEMPTS], 0);
    e->expires_us = take_time(&f[F_EXPIRES], INT64_MIN);
    return is_entry || e->body.len > 0;
}

static void take_failed(const struct member *f, struct buf *scratch, struct state_entry *e)
{
    static const char unknown[] = "failed in an earlier tool, which kept no reason";
    e->exchange = take_text(&f[F_EXCHANGE], scratch);
    e->routing_key = take_text(&f[F_ROUTING_KEY], scratch);
    e->content_type = take_text(&f[F_CONTENT_TYPE], scratch);
    e->reason = member_is_text(&f[F_REASON]) ? take_text(&f[F_REASON], scratch) : span_str(unknown);
    e->attempts = take_count(&f[F_ATTEMPTS], 1);
    e->foreign = member_is(&f[F_FOREIGN], 't');
}

int state_read_entry(const struct state *s, enum state_place place, struct span element,
                     struct state_entry *e, struct buf *scratch, struct err *err)
{
    struct member f[N_FIELDS];
    *e = (struct state_entry){.kind = state_places[place].kind,
                              .table = state_place_table(place),
                              .first_seen_us = s->now_us,
                              .expires_us = INT64_MIN};
    // Nothing becomes longer than it is in the element, and base64 is read twice.
    buf_clear(scratch);
    const int r = buf_reserve(scratch, 2 * element.len + BASE64_SLACK, err);
    if (r < 0)
        return r;
    const bool is_entry = read_fields(s, element, f);
    e->first_seen_us = take_time(&f[F_FIRST_SEEN], s->now_us);
    const bool stray = is_entry && member_is(&f[F_FOREIGN], 't');
    if (e->kind == STATE_PENDING_ID && !stray) {
        if (!take_pending(s, f, is_entry, element, scratch, e))
            keep_as_found(s, element, e);
        return 0;
    }
    const bool known = is_entry && take_body(s, f, scratch, e) && (stray || body_fits(s, e));
    if (known)
        take_failed(f, scratch, e);
    else
        keep_as_found(s, element, e);
    return 0;
}
