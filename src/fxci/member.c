/* SPDX-License-Identifier: MPL-2.0 */
#include "fxci/member.h"

static bool is_name(const struct json_member *m, struct span name)
{
    if (!m->key_escaped)
        return span_equal(m->key, name);
    return json_insides_equal(m->key, name); // our names have nothing to escape
}

int member_find(const struct span *names, size_t n, const struct json_member *m)
{
    for (size_t i = 0; i < n; i++)
        if (is_name(m, names[i]))
            return (int)i;
    return -1;
}

bool members_read(struct json_members *it, const struct span *names, size_t n,
                  struct member *members)
{
    struct json_member m;
    int more;
    for (size_t i = 0; i < n; i++)
        members[i] = (struct member){0};
    while ((more = json_next_member(it, &m)) == 1) {
        const int i = member_find(names, n, &m);
        if (i >= 0)
            members[i] = (struct member){m.value, m.value_escaped};
    }
    return more == 0;
}

bool members_of_text(const struct record_ops *ops, struct span text, unsigned max_depth,
                     const struct span *names, size_t n, struct member *members)
{
    struct json_members it = {.text = {ops, span_end(text)}, .p = text.ptr, .max_depth = max_depth};
    return members_read(&it, names, n, members) &&
           json_skip_space(it.p, it.text.end) == it.text.end;
}

int member_text(struct span *bytes, const struct member *m, struct buf *scratch, size_t room,
                struct err *err)
{
    const struct span inside = span_of(m->text.ptr + 1, m->text.len - 2);
    if (!m->escaped) {
        *bytes = inside;
        return 0;
    }
    // Unescaping shortens: with room for everything from the first string on, nothing moves.
    const int failed = buf_reserve(scratch, room - scratch->len, err);
    if (failed)
        return failed;
    uint8_t *const out = scratch->data + scratch->len;
    *bytes = span_of(out, json_unescape(out, inside));
    scratch->len += bytes->len;
    return 0;
}

bool member_integer(int64_t *value, const struct member *m)
{
    const uint8_t *p = m->text.ptr, *const end = span_end(m->text);
    const bool negative = p < end && *p == '-';
    int64_t v = 0;
    if (negative)
        p++;
    if (p == end)
        return false;
    for (; p < end; p++) {
        const int digit = *p - '0'; // towards the negative end, which is one further away
        if (digit < 0 || digit > 9 || __builtin_mul_overflow(v, 10, &v) ||
            __builtin_sub_overflow(v, digit, &v))
            return false;
    }
    if (!negative && v == INT64_MIN)
        return false;
    *value = negative ? v : -v;
    return true;
}

void member_items_free(struct member_items *list)
{
    free(list->items);
    *list = (struct member_items){0};
}

static int push_item(struct member_items *list, struct span item, struct err *err)
{
    if (list->n == list->room) {
        const size_t room = list->room ? list->room * 2 : 64;
        struct span *items = reallocarray(list->items, room, sizeof *items);
        if (!items)
            return err_set(err, E_NOMEM, 0, "no memory for the items of a list");
        list->items = items;
        list->room = room;
    }
    list->items[list->n++] = item;
    return 0;
}

int member_texts(struct member_items *list, size_t *n, const struct record_ops *ops,
                 const struct member *array, struct buf *scratch, size_t room, struct err *err)
{
    struct json_elements it = {
        .text = {ops, span_end(array->text)}, .p = array->text.ptr, .max_depth = RECORD_MAX_DEPTH};
    struct member element;
    int more;
    *n = 0;
    while ((more = json_next_element(&it, &element.text, &element.escaped)) == 1) {
        struct span item;
        if (!member_is_text(&element))
            return 0;
        int r = member_text(&item, &element, scratch, room, err);
        if (r == 0)
            r = push_item(list, item, err);
        if (r < 0)
            return r;
        ++*n;
    }
    return more == 0;
}
