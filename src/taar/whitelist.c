/* SPDX-License-Identifier: MPL-2.0 */
#include "taar/whitelist.h"

#include "taar/database.h"

static const char curated[] = "only_guids_top_200";

/* Unescape a checked JSON text in its own place. @return false: it is none. */
static bool take_text(struct span *value, bool escaped)
{
    if (value->len < 2 || value->ptr[0] != '"')
        return false;
    *value = span_of(value->ptr + 1, value->len - 2);
    if (escaped)
        value->len = json_unescape((uint8_t *)(uintptr_t)value->ptr, *value);
    return true;
}

static int parse_curated(struct whitelist *w, struct err *err)
{
    struct record_ops ops;
    record_ops_init(&ops, 0);
    const uint8_t *end = w->text.data + w->text.len;
    struct json_elements it = {
        .text = {&ops, end}, .p = w->text.data, .max_depth = RECORD_MAX_DEPTH};
    struct span value;
    bool escaped;
    size_t place;
    int more = 1, r = 0;
    while (r >= 0 && (more = json_next_element(&it, &value, &escaped)) == 1)
        r = take_text(&value, escaped)
                ? guids_add(&w->guids, value, &place, err)
                : err_set(err, E_FORMAT, 0, "holds something that is no guid");
    if (r >= 0 && (more < 0 || json_skip_space(it.p, end) != end))
        r = err_set(err, E_FORMAT, 0, "is no JSON array of guids");
    return r < 0 ? r : 0;
}

int whitelist_curated(struct whitelist *w, const struct objects *o, struct err *err)
{
    *w = (struct whitelist){.text = BUF_INIT((size_t)OBJECT_MAX_BYTES)};
    int r = objects_read(o, curated, &w->text, err);
    if (r < 0)
        return r;
    r = parse_curated(w, err);
    return r < 0 ? err_wrap(err, r, "%s in %s", curated, store_name(o->store)) : 0;
}

static bool has_webextension(struct span record)
{
    struct record_ops ops;
    record_ops_init(&ops, 0);
    const struct span files = database_member(database_member(record, "current_version"), "files");
    struct json_elements it = {
        .text = {&ops, span_end(files)}, .p = files.ptr, .max_depth = RECORD_MAX_DEPTH};
    struct span file;
    bool escaped, found = false;
    while (!found && files.len > 0 && json_next_element(&it, &file, &escaped) == 1)
        found = database_is(database_member(file, "is_webextension"), "true");
    return found;
}

static int choose(struct whitelist *w, const struct database *d, struct err *err)
{
    int r = 0;
    size_t place;
    for (size_t i = 0; r >= 0 && i < d->guids.n; i++) {
        struct span guid = database_member(d->records[i], "guid");
        if (has_webextension(d->records[i]) && take_text(&guid, true))
            r = guids_add(&w->guids, guid, &place, err);
    }
    return r < 0 ? r : 0;
}

int whitelist_external(struct whitelist *w, const struct objects *o, const char *base,
                       struct err *err)
{
    CLEANUP(database_deinit) struct database d = {0};
    *w = (struct whitelist){0};
    int r = database_read(&d, o, base, err);
    if (r == E_ABSENT && o->generation == GENERATION_1)
        r = 0;
    if (r == 0)
        r = choose(w, &d, err);
    w->text = d.text;
    d.text = (struct buf){0};
    if (r == 0 && w->guids.n == 0)
        r = err_set(err, E_FORMAT, 0, "%s in %s: Empty AMO whitelist detected", base,
                    store_name(o->store));
    return r;
}

void whitelist_deinit(struct whitelist *w)
{
    guids_deinit(&w->guids);
    buf_deinit(&w->text);
}
