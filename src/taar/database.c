/* SPDX-License-Identifier: MPL-2.0 */
#include "taar/database.h"

#include <stdlib.h>

static struct record_ops plain_ops(void)
{
    struct record_ops ops;
    record_ops_init(&ops, 0);
    return ops;
}

static int keep(struct database *d, size_t *cap, struct json_member *m, struct err *err)
{
    struct span key = m->key;
    size_t place = 0;
    // In its own place, which nobody reads again: what is unescaped is never longer.
    if (m->key_escaped)
        key.len = json_unescape((uint8_t *)(uintptr_t)key.ptr, key);
    const int r = guids_add(&d->guids, key, &place, err);
    if (r < 0)
        return r;
    if (place == *cap) {
        *cap = *cap > 0 ? 2 * *cap : 1024;
        struct span *more = realloc(d->records, *cap * sizeof *more);
        if (!more)
            return err_set(err, E_NOMEM, 0, "no memory for a list of add-ons");
        d->records = more;
    }
    d->records[place] = m->value;
    return 0;
}

static int parse(struct database *d, struct err *err)
{
    const struct record_ops ops = plain_ops();
    const uint8_t *end = d->text.data + d->text.len;
    struct json_members it = {
        .text = {&ops, end}, .p = d->text.data, .max_depth = RECORD_MAX_DEPTH};
    struct json_member m;
    size_t cap = 0;
    int more = 1, r = 0;
    while (r == 0 && (more = json_next_member(&it, &m)) == 1)
        r = keep(d, &cap, &m, err);
    if (r == 0 && (more < 0 || json_skip_space(it.p, end) != end))
        r = err_set(err, E_FORMAT, 0, "is no JSON object of add-ons");
    return r;
}

int database_read(struct database *d, const struct objects *o, const char *base, struct err *err)
{
    *d = (struct database){.text = BUF_INIT((size_t)OBJECT_MAX_BYTES)};
    int r = objects_read(o, base, &d->text, err);
    if (r == 0) {
        r = parse(d, err);
        if (r < 0)
            (void)err_wrap(err, r, "%s in %s", base, store_name(o->store));
    }
    return r;
}

void database_deinit(struct database *d)
{
    buf_deinit(&d->text);
    guids_deinit(&d->guids);
    free(d->records);
    d->records = NULL;
}

struct span database_member(struct span object, const char *name)
{
    const struct record_ops ops = plain_ops();
    struct json_members it = {
        .text = {&ops, span_end(object)}, .p = object.ptr, .max_depth = RECORD_MAX_DEPTH};
    struct json_member m;
    struct span value = {0};
    if (object.len == 0 || object.ptr[0] != '{')
        return value;
    while (json_next_member(&it, &m) == 1)
        if (json_inside_equals(m.key, name))
            value = m.value;
    return value;
}

struct span database_first(struct span array)
{
    const struct record_ops ops = plain_ops();
    struct json_elements it = {
        .text = {&ops, span_end(array)}, .p = array.ptr, .max_depth = RECORD_MAX_DEPTH};
    struct span value;
    bool escaped;
    if (array.len == 0 || array.ptr[0] != '[' || json_next_element(&it, &value, &escaped) != 1)
        return (struct span){0};
    return value;
}
