/* SPDX-License-Identifier: MPL-2.0 */
#include "taar/editorial.h"

#include "base/log.h"
#include "taar/guids.h"

#include <stdlib.h>

enum { MAX_URL_BYTES = 16384 };

static int compare(const void *a, const void *b)
{
    const struct span *s = a, *t = b;
    const int order = memcmp(s->ptr, t->ptr, s->len < t->len ? s->len : t->len);
    return order != 0 ? order : (s->len > t->len) - (s->len < t->len);
}

/* The guid of a result, unescaped in its own place: nobody reads it there again. */
static bool take_guid(struct span *guid, const struct record_ops *ops, struct span result)
{
    struct span addon;
    if (!amo_member(ops, result, "addon", &addon) || !amo_member(ops, addon, "guid", guid) ||
        guid->len <= 2 || guid->ptr[0] != '"')
        return false;
    *guid = span_of(guid->ptr + 1, guid->len - 2);
    guid->len = json_unescape((uint8_t *)(uintptr_t)guid->ptr, *guid);
    return !span_equal(*guid, span_str("null"));
}

int editorial_read(struct guids *out, size_t *n_skipped, const struct record_ops *ops,
                   struct span answer, struct err *err)
{
    struct span results = {0}, result, guid;
    size_t place;
    bool escaped;
    int more = -1, r = 0;
    *n_skipped = 0;
    if (amo_member(ops, answer, "results", &results) && results.ptr[0] == '[')
        more = 1;
    struct json_elements it = {
        .text = {ops, span_end(results)}, .p = results.ptr, .max_depth = AMO_MAX_DEPTH};
    while (r >= 0 && more == 1 && (more = json_next_element(&it, &result, &escaped)) == 1) {
        if (take_guid(&guid, ops, result))
            r = guids_add(out, guid, &place, err);
        else
            ++*n_skipped;
    }
    if (r >= 0 && more < 0)
        r = err_set(err, E_FORMAT, 0, "AMO's editorial answer has no array of results");
    if (r >= 0 && out->n > 0)
        qsort(out->list, out->n, sizeof *out->list, compare);
    return r < 0 ? r : 0;
}

/* url is NUL-terminated then, as what the client takes. */
static int finish_url(struct buf *url, struct err *err)
{
    return buf_append_byte(url, 0, err);
}

static int ask(struct amo_client *c, struct amo_answer *a, const struct editorial_options *o,
               struct err *err)
{
    CLEANUP(buf_deinit) struct buf url = BUF_INIT(MAX_URL_BYTES);
    int r = buf_append_str(&url, o->url, err);
    if (r == 0 && o->only_recommended)
        r = buf_printf(&url, err, "%srecommended=true", strchr(o->url, '?') ? "&" : "?");
    if (r == 0)
        r = finish_url(&url, err);
    if (r == 0)
        r = amo_get(c, (const char *)url.data, a, err);
    if (r < 0 || a->outcome == AMO_ANSWERED)
        return r;
    if (a->status != 0 && a->status != 200)
        return err_set(err, E_IO, 0, "HTTP %d status loading JSON from AMO editorial endpoint.",
                       a->status);
    return err_set(err, E_IO, 0, "%s: no usable answer (%s)", (const char *)url.data, a->reason);
}

static int validate(struct amo_client *c, struct amo_answer *a, const struct editorial_options *o,
                    struct span guid, struct err *err)
{
    CLEANUP(buf_deinit) struct buf url = BUF_INIT(MAX_URL_BYTES);
    int r = buf_printf(&url, err,
                       "%saddons/search/?app=firefox&sort=created&type=extension&guid=", o->base);
    if (r == 0)
        r = http_escape(&url, guid, false, err);
    if (r == 0)
        r = finish_url(&url, err);
    if (r == 0)
        r = amo_get(c, (const char *)url.data, a, err);
    if (r == 0 && a->outcome != AMO_ANSWERED)
        r = err_set(err, E_IO, 0, "Can't validate GUID: %.*s",
                    (int)(guid.len < 200 ? guid.len : 200), (const char *)guid.ptr);
    return r;
}

static int check(struct amo_client *c, const struct editorial_options *o, const struct guids *g,
                 struct err *err)
{
    CLEANUP(amo_answer_deinit) struct amo_answer a;
    amo_answer_init(&a);
    int r = 0;
    for (size_t i = 0; r == 0 && o->validate && i < g->n; i++)
        r = validate(c, &a, o, g->list[i], err);
    if (r == 0 && !o->allow_shortlist && g->n < EDITORIAL_SHORTLIST)
        r = err_set(err, E_FORMAT, 0, "Only obtained %zu editorial reviewed addons.", g->n);
    return r;
}

static int spell(struct buf *json, const struct guids *g, struct err *err)
{
    int r = buf_append_byte(json, '[', err);
    for (size_t i = 0; r == 0 && i < g->n; i++) {
        r = i > 0 ? buf_append_str(json, ", ", err) : 0;
        if (r == 0)
            r = json_write_string(json, g->list[i], err);
    }
    return r == 0 ? buf_append_byte(json, ']', err) : r;
}

int editorial_fetch(struct buf *json, size_t *n, struct amo_client *client,
                    const struct editorial_options *options, struct err *err)
{
    CLEANUP(guids_deinit) struct guids g = {0};
    CLEANUP(amo_answer_deinit) struct amo_answer a;
    size_t n_skipped = 0;
    amo_answer_init(&a);
    int r = ask(client, &a, options, err);
    if (r == 0)
        r = editorial_read(&g, &n_skipped, client->ops, buf_span(&a.text), err);
    if (r == 0)
        r = check(client, options, &g, err);
    if (r < 0)
        return r;
    *n = g.n;
    log_event(LOG_LEVEL_INFO, "total", LOG_U("guids", g.n), LOG_U("results_without", n_skipped));
    return spell(json, &g, err);
}
