/* SPDX-License-Identifier: MPL-2.0 */
/* A file of recorded pages, kept in memory with a look-up by task id. Source: fxci-etl.md X3. */
#include "base/log.h"
#include "codec/gzip.h"
#include "codec/json.h"
#include "codec/ndjson.h"
#include "fxci/taskcluster_internal.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum {
    MAX_FILE_BYTES = 1 << 30,
    MAX_ID_BYTES_ALL = 256 << 20,
    MAX_TOKEN_BYTES = 64 << 10,
    MAX_DEPTH = 64,
};

struct entry {
    size_t id_at; // in ids, which moves while it grows
    size_t id_len;
    struct span task; // in text
};

struct pages {
    const struct record_ops *ops;
    struct buf text, ids;
    struct entry *entries; // in the file's order, then sorted by id, each id once
    size_t n, room;
};

static struct span entry_id(const struct pages *r, const struct entry *e)
{
    return span_of(r->ids.data + e->id_at, e->id_len);
}

static int grow(struct pages *r, struct err *err)
{
    if (r->n < r->room)
        return 0;
    const size_t room = r->room ? r->room * 2 : 1024;
    struct entry *more = realloc(r->entries, room * sizeof *more);
    if (!more)
        return err_set(err, E_NOMEM, 0, "no memory for recorded definitions");
    r->entries = more;
    r->room = room;
    return 0;
}

static int remember(void *arg, struct span task_id, struct span task, struct err *err)
{
    struct pages *r = arg;
    int code = grow(r, err);
    const size_t at = r->ids.len;
    if (code == 0)
        code = buf_append(&r->ids, task_id.ptr, task_id.len, err);
    if (code == 0)
        r->entries[r->n++] = (struct entry){at, task_id.len, task};
    return code;
}

static int read_page(struct pages *r, struct span page, struct err *err)
{
    CLEANUP(buf_deinit) struct buf token = BUF_INIT(MAX_TOKEN_BYTES);
    uint64_t n_skipped = 0;
    const int code = definitions_page(page, r->ops, remember, r, &token, &n_skipped, err);
    if (n_skipped > 0)
        log_event(LOG_LEVEL_WARNING, "definitions without a task id were skipped",
                  LOG_U("skipped", n_skipped));
    return code;
}

/* array: checked text. */
static int read_pages(struct pages *r, struct span array, struct err *err)
{
    struct json_elements it = {
        .text = {.ops = r->ops, .end = span_end(array)}, .p = array.ptr, .max_depth = MAX_DEPTH};
    struct span page;
    bool escaped;
    int code = 0;
    while (code == 0 && json_next_element(&it, &page, &escaped) > 0)
        code = read_page(r, page, err);
    return code;
}

/* {"request", "pages": [..]}, or a page, at *p, which goes behind it. */
static int read_object(struct pages *r, const uint8_t **p, struct err *err)
{
    struct json_members it = {.text = {.ops = r->ops, .end = span_end(buf_span(&r->text))},
                              .p = *p,
                              .max_depth = MAX_DEPTH};
    struct json_member m;
    struct span pages = {0};
    int more;
    while ((more = json_next_member(&it, &m)) > 0)
        if (json_inside_equals(m.key, "pages") && m.value.ptr[0] == '[')
            pages = m.value;
    if (more < 0)
        return err_set(err, E_FORMAT, 0, "no JSON object");
    const struct span whole = span_of(*p, (size_t)(it.p - *p));
    *p = it.p;
    return pages.len > 0 ? read_pages(r, pages, err) : read_page(r, whole, err);
}

static size_t line_of(const struct pages *r, const uint8_t *p)
{
    size_t line = 1;
    for (const uint8_t *q = r->text.data; q < p; q++)
        line += *q == '\n';
    return line;
}

static int read_objects(struct pages *r, const char *path, struct err *err)
{
    const uint8_t *end = span_end(buf_span(&r->text));
    const uint8_t *p = json_skip_space(r->text.data, end);
    while (p < end) {
        const uint8_t *begin = p;
        const int code = read_object(r, &p, err);
        if (code != 0)
            return err_wrap(err, code, "%s: the page at line %zu", path, line_of(r, begin));
        p = json_skip_space(p, end);
    }
    return 0;
}

static int read_file(struct pages *r, const char *path, struct err *err)
{
    CLEANUP(file_source_close) struct file_source file = {.fd = -1};
    int code = file_source_open(&file, path, err);
    if (code < 0)
        return code;
    CLEANUP(gunzip_freep) struct gunzip *gunzip = NULL;
    code = gunzip_new(&gunzip, file_source(&file), err);
    if (code == 0)
        code = source_read_all(gunzip_source(gunzip), &r->text, err);
    r->text.max += NDJSON_SLACK;
    if (code == 0)
        code = buf_reserve(&r->text, NDJSON_SLACK, err);
    if (code < 0)
        return err_wrap(err, code, "%s", path);
    memset(r->text.data + r->text.len, 0, NDJSON_SLACK);
    return 0;
}

static int compare_entries(const void *a, const void *b, void *arg)
{
    const struct entry *x = a, *y = b;
    const int by_id = id_compare(entry_id(arg, x), entry_id(arg, y));
    return by_id != 0 ? by_id : (x->id_at > y->id_at) - (x->id_at < y->id_at);
}

/* Ids were appended in the file's order, so that of equal ones the first is the first. */
static void sort_entries(struct pages *r)
{
    size_t n = 0;
    if (r->n > 0)
        qsort_r(r->entries, r->n, sizeof *r->entries, compare_entries, r);
    for (size_t i = 0; i < r->n; i++)
        if (n == 0 || id_compare(entry_id(r, &r->entries[i]), entry_id(r, &r->entries[n - 1])) != 0)
            r->entries[n++] = r->entries[i];
    r->n = n;
}

int pages_open(struct pages **out, const char *path, const struct record_ops *ops, struct err *err)
{
    struct pages *r = calloc(1, sizeof *r);
    if (!r)
        return err_set(err, E_NOMEM, 0, "no memory for recorded definitions");
    r->ops = ops;
    r->text = BUF_INIT(MAX_FILE_BYTES);
    r->ids = BUF_INIT(MAX_ID_BYTES_ALL);
    int code = read_file(r, path, err);
    if (code == 0)
        code = read_objects(r, path, err);
    if (code < 0) {
        pages_free(r);
        return code;
    }
    sort_entries(r);
    *out = r;
    return 0;
}

void pages_free(struct pages *r)
{
    if (!r)
        return;
    buf_deinit(&r->text);
    buf_deinit(&r->ids);
    free(r->entries);
    free(r);
}

static const struct entry *find(const struct pages *r, struct span id)
{
    size_t low = 0, high = r->n;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        const int c = id_compare(id, entry_id(r, &r->entries[middle]));
        if (c == 0)
            return &r->entries[middle];
        if (c < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

int pages_fetch(const struct pages *r, struct wanted *w, struct err *err)
{
    for (size_t i = 0; i < w->n; i++) {
        const struct entry *e = find(r, w->ids[i]);
        const int code = e ? wanted_hand_out(w, w->ids[i], e->task, err) : 0;
        if (code != 0)
            return code;
    }
    return 0;
}
