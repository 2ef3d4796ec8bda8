/* SPDX-License-Identifier: MPL-2.0 */
/* The journal's lines: written by one thread for all that wait, read back in their order. */
#include "base/log.h"
#include "codec/ndjson.h"
#include "taar/amo_journal_internal.h"
#include "taar/amo_json.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static int write_line(struct buf *out, const struct amo_line *line, struct err *err)
{
    static const char *const names[] = {[AMO_DATED] = "first_create_date",
                                        [AMO_DROPPED] = "dropped",
                                        [AMO_HALF_WAY] = "page_count"};
    int r = buf_append_str(out, "{\"guid\":", err);
    if (r == 0)
        r = json_write_string(out, line->guid, err);
    if (r == 0)
        r = buf_printf(out, err, ",\"%s\":", names[line->ending]);
    if (r == 0 && line->ending == AMO_HALF_WAY)
        r = buf_printf(out, err, "%" PRIu64, line->page_count);
    else if (r == 0)
        r = json_write_string(out, line->text, err);
    return r == 0 ? buf_append_str(out, "}\n", err) : r;
}

/* What one put stores. */
struct batch {
    struct buf lines;
    unsigned object, version;
    uint64_t n_added;
    bool full; // nothing more goes into this object
};

static void batch_deinit(struct batch *b)
{
    buf_deinit(&b->lines);
}

static int take_batch(struct amo_journal *j, struct batch *b, struct err *err)
{
    const int r = buf_append(&b->lines, j->lines.data, j->lines.len, err);
    if (r < 0)
        return r;
    b->object = j->object;
    b->version = j->version++;
    b->n_added = j->n_added;
    b->full = j->lines.len >= AMO_SEGMENT_BYTES;
    if (b->full) {
        buf_clear(&j->lines);
        j->object++;
        j->version = 0;
    }
    return 0;
}

static int name_segment(char **key, const struct amo_journal *j, unsigned object, unsigned version,
                        struct err *err)
{
    if (asprintf(key, "%saddons-%06u-%06u", j->base, object, version) >= 0)
        return 0;
    *key = NULL;
    return err_set(err, E_NOMEM, 0, "no memory for the journal of the crawl");
}

static int delete_older(struct amo_journal *j, const struct batch *b, struct err *err)
{
    if (b->version == 0)
        return 0;
    char **keys = calloc(b->version, sizeof *keys);
    if (!keys)
        return err_set(err, E_NOMEM, 0, "no memory for the journal");
    int r = 0;
    for (unsigned i = 0; r == 0 && i < b->version; i++)
        r = name_segment(&keys[i], j, b->object, i, err);
    if (r == 0)
        r = store_delete(j->store, (const char *const *)keys, b->version, err);
    for (unsigned i = 0; i < b->version; i++)
        free(keys[i]);
    free(keys);
    return r;
}

static int put_batch(struct amo_journal *j, const struct batch *b, struct err *err)
{
    char *key = NULL;
    int r = name_segment(&key, j, b->object, b->version, err);
    if (r == 0)
        r = store_put(j->store, key, buf_span(&b->lines), NULL, NULL, err);
    free(key);
    return r == 0 && b->full ? delete_older(j, b, err) : r;
}

/* Under the lock, which is let go while the store works. */
static int store_lines(struct amo_journal *j, struct err *err)
{
    CLEANUP(batch_deinit) struct batch b = {.lines = BUF_INIT(AMO_MAX_SEGMENT)};
    int r = take_batch(j, &b, err);
    j->writing = true;
    (void)pthread_mutex_unlock(&j->lock);
    if (r == 0)
        r = put_batch(j, &b, err);
    (void)pthread_mutex_lock(&j->lock);
    j->writing = false;
    if (r < 0)
        j->failure = r;
    else
        j->n_stored = b.n_added;
    (void)pthread_cond_broadcast(&j->written);
    return r;
}

int amo_journal_add(struct amo_journal *j, const struct amo_line *line, struct err *err)
{
    (void)pthread_mutex_lock(&j->lock);
    int r = write_line(&j->lines, line, err);
    const uint64_t mine = r == 0 ? ++j->n_added : 0;
    while (r == 0 && j->n_stored < mine) {
        if (j->failure)
            r = err_set(err, j->failure, 0, "the journal of the crawl could not be written");
        else if (j->writing)
            (void)pthread_cond_wait(&j->written, &j->lock);
        else
            r = store_lines(j, err);
    }
    (void)pthread_mutex_unlock(&j->lock);
    return r;
}

/* @return 1, 0: no line of ours, or E_NOMEM. out borrows from text. */
static int read_line(const struct record_ops *ops, struct span json, struct buf *text,
                     struct amo_line *out, struct err *err)
{
    struct span guid, value;
    buf_clear(text);
    int r = buf_reserve(text, json.len, err); // so that nothing moves
    if (r < 0 || !amo_is_json(ops, json) || !amo_member(ops, json, "guid", &guid))
        return r;
    r = amo_text(text, guid, err);
    *out = (struct amo_line){.guid = buf_span(text)};
    if (r != 1)
        return r;
    if (amo_member(ops, json, "page_count", &value)) {
        out->ending = AMO_HALF_WAY;
        return amo_integer(value, &out->page_count);
    }
    if (amo_member(ops, json, "first_create_date", &value))
        out->ending = AMO_DATED;
    else if (amo_member(ops, json, "dropped", &value))
        out->ending = AMO_DROPPED;
    else
        return 0;
    r = amo_text(text, value, err);
    out->text = span_of(text->data + out->guid.len, text->len - out->guid.len);
    return r;
}

static int read_segment(struct amo_journal *j, const char *key, amo_journal_fn *fn, void *arg,
                        struct err *err)
{
    CLEANUP(buf_deinit) struct buf lines = BUF_INIT(AMO_MAX_SEGMENT + NDJSON_SLACK);
    CLEANUP(buf_deinit) struct buf text = BUF_INIT(AMO_MAX_SEGMENT);
    int r = store_get_all(j->store, key, &lines, NULL, err);
    if (r == 0)
        r = buf_reserve(&lines, NDJSON_SLACK, err);
    if (r == 0)
        memset(lines.data + lines.len, 0, NDJSON_SLACK);
    struct span rest = buf_span(&lines);
    while (r == 0 && rest.len > 0) {
        const uint8_t *end = memchr(rest.ptr, '\n', rest.len);
        const size_t len = end ? (size_t)(end - rest.ptr) : rest.len;
        struct amo_line line;
        const int is_line = read_line(j->ops, span_of(rest.ptr, len), &text, &line, err);
        r = is_line < 0 ? is_line : is_line == 1 ? fn(arg, &line, err) : 0;
        rest = span_of(rest.ptr + len + (end != NULL), rest.len - len - (end != NULL));
    }
    return r;
}

int amo_journal_lines(struct amo_journal *j, amo_journal_fn *fn, void *arg, struct err *err)
{
    int r = 0;
    for (size_t i = 0; r == 0 && i < j->were.n; i++) {
        const char *key = j->were.objects[i].key;
        unsigned object, version, next_object, next_version;
        if (!amo_journal_is_segment(j, key, &object, &version))
            continue;
        // The next key is the next version, or another object.
        const bool older =
            i + 1 < j->were.n &&
            amo_journal_is_segment(j, j->were.objects[i + 1].key, &next_object, &next_version) &&
            next_object == object;
        if (!older)
            r = read_segment(j, key, fn, arg, err);
    }
    return r;
}
