/* SPDX-License-Identifier: MPL-2.0 */
#include "taar/amo_records.h"

#include "taar/amo_fetch.h"
#include "taar/amo_json.h"

#include <stdlib.h>

enum {
    ORDER_BITS = 24, // of a place on its page: more records than an answer can hold
    ESCAPED = 6,     // bytes of JSON that a byte may become
    FIXED = 64,      // what stands around a record, at most
};

static int no_memory(struct err *err)
{
    return err_set(err, E_NOMEM, 0, "no memory for the records of the catalogue");
}

int amo_records_init(struct amo_records *r, const char *dir, struct err *err)
{
    *r = (struct amo_records){.texts = TEMPFILE_INIT};
    (void)pthread_mutex_init(&r->lock, NULL); // never fails on Linux
    return tempfile_open(&r->texts, dir, err);
}

static void record_free(struct amo_record *record)
{
    free(record->guid);
    free(record->date);
}

void amo_records_deinit(struct amo_records *r)
{
    for (size_t i = 0; i < r->n; i++)
        record_free(&r->items[i]);
    free(r->items);
    tempfile_close(&r->texts);
    (void)pthread_mutex_destroy(&r->lock);
}

/* A page on its way in. */
struct page {
    struct amo_records own; // items only; offsets are those in texts below
    struct buf texts, guid;
    const struct record_ops *ops;
};

static void page_deinit(struct page *p)
{
    for (size_t i = 0; i < p->own.n; i++)
        record_free(&p->own.items[i]);
    free(p->own.items);
    buf_deinit(&p->texts);
    buf_deinit(&p->guid);
}

static int make_room(struct amo_records *r, size_t extra, struct err *err)
{
    if (r->n + extra <= r->room)
        return 0;
    const size_t room = (r->n + extra) * 2;
    struct amo_record *items = reallocarray(r->items, room, sizeof *items);
    if (!items)
        return no_memory(err);
    r->items = items;
    r->room = room;
    return 0;
}

/* The bytes of a record's guid into p->guid. *why: NULL, or why there are none. */
static int read_guid(struct page *p, struct span element, const char **why, struct err *err)
{
    struct span value;
    buf_clear(&p->guid);
    *why = element.ptr[0] != '{' ? "record_no_object" : NULL;
    if (!*why && !amo_member(p->ops, element, "guid", &value))
        *why = "record_without_guid";
    if (*why)
        return 0;
    const int is_text = amo_text(&p->guid, value, err);
    if (is_text == 0)
        *why = value.ptr[0] == 'n' ? "guid_null" : "guid_no_text";
    else if (p->guid.len > AMO_MAX_GUID)
        *why = "guid_too_long";
    return is_text < 0 ? is_text : 0;
}

static int take_record(struct page *p, struct span element, uint64_t order, struct err *err)
{
    const size_t begin = p->texts.len;
    int r = make_room(&p->own, 1, err);
    if (r == 0)
        r = amo_record_write(&p->texts, p->ops, element, err);
    char *guid = r == 0 ? span_to_text(buf_span(&p->guid)) : NULL;
    if (r == 0 && !guid)
        r = no_memory(err);
    if (r == 0)
        p->own.items[p->own.n++] = (struct amo_record){.order = order,
                                                       .offset = begin,
                                                       .len = (uint32_t)(p->texts.len - begin),
                                                       .guid = guid,
                                                       .guid_len = (uint32_t)p->guid.len};
    return r;
}

static int add_page(struct amo_records *r, struct page *p, struct err *err)
{
    int failed = make_room(r, p->own.n, err);
    const uint64_t begin = r->texts.end;
    if (!failed)
        failed = tempfile_append(&r->texts, p->texts.data, p->texts.len, err);
    for (size_t i = 0; !failed && i < p->own.n; i++) {
        r->items[r->n] = p->own.items[i];
        r->items[r->n++].offset += begin;
    }
    if (!failed)
        p->own.n = 0; // they have another owner
    return failed;
}

int amo_records_add(struct amo_records *r, const struct record_ops *ops, struct span answer,
                    uint64_t page, struct amo_page_counts *counts, struct err *err)
{
    // Escapes may make a text longer; of an answer at the limit all of them would.
    CLEANUP(page_deinit)
    struct page p = {.texts = BUF_INIT((size_t)AMO_MAX_ANSWER * ESCAPED),
                     .guid = BUF_INIT(AMO_MAX_ANSWER),
                     .ops = ops};
    struct span results, element;
    if (!amo_member(ops, answer, "results", &results) || results.ptr[0] != '[')
        return 0;
    struct json_elements it = {
        .text = {ops, span_end(results)}, .p = results.ptr, .max_depth = AMO_MAX_DEPTH};
    bool escaped;
    int failed = 0;
    for (uint64_t i = 0; !failed && json_next_element(&it, &element, &escaped) == 1; i++) {
        const char *why;
        counts->n_records++;
        failed = read_guid(&p, element, &why, err);
        if (!failed && why)
            counts->dropped(counts->arg, why);
        else if (!failed)
            failed = take_record(&p, element, page << ORDER_BITS | i, err);
    }
    if (failed)
        return failed;
    (void)pthread_mutex_lock(&r->lock);
    failed = add_page(r, &p, err);
    (void)pthread_mutex_unlock(&r->lock);
    return failed ? failed : 1;
}

static int compare_guids(struct span a, struct span b)
{
    const int c = memcmp(a.ptr, b.ptr, a.len < b.len ? a.len : b.len);
    return c != 0 ? c : (a.len > b.len) - (a.len < b.len);
}

static int by_order(const void *a, const void *b)
{
    const struct amo_record *x = a, *y = b;
    return (x->order > y->order) - (x->order < y->order);
}

static int by_guid(const void *a, const void *b)
{
    const int c = compare_guids(amo_record_guid(a), amo_record_guid(b));
    return c != 0 ? c : by_order(a, b);
}

void amo_records_merge(struct amo_records *r)
{
    size_t n = 0;
    if (r->n > 0)
        qsort(r->items, r->n, sizeof *r->items, by_guid);
    for (size_t i = 0; i < r->n; i++) {
        const bool is_last = i + 1 == r->n || !span_equal(amo_record_guid(&r->items[i]),
                                                          amo_record_guid(&r->items[i + 1]));
        if (is_last)
            r->items[n++] = r->items[i];
        else
            record_free(&r->items[i]);
    }
    r->n = n;
}

struct amo_record *amo_records_find(struct amo_records *r, struct span guid)
{
    size_t low = 0, high = r->n;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        const int c = compare_guids(amo_record_guid(&r->items[middle]), guid);
        if (c == 0)
            return &r->items[middle];
        if (c < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

void amo_records_sort_by_page(struct amo_records *r)
{
    if (r->n > 0)
        qsort(r->items, r->n, sizeof *r->items, by_order);
}

/* So that the text never moves while it grows to hundreds of megabytes. */
static int reserve_all(const struct amo_records *r, struct buf *json, struct err *err)
{
    size_t room = FIXED;
    for (size_t i = 0; i < r->n; i++)
        if (r->items[i].date)
            room += r->items[i].len + FIXED +
                    ESCAPED * (r->items[i].guid_len + strlen(r->items[i].date));
    return buf_reserve(json, room, err);
}

static int write_record(const struct amo_records *all, const struct amo_record *record,
                        struct buf *json, struct err *err)
{
    int r = json_write_string(json, amo_record_guid(record), err);
    if (r == 0)
        r = buf_append_byte(json, ':', err);
    if (r == 0)
        r = buf_reserve(json, record->len, err);
    if (r == 0)
        r = tempfile_read(&all->texts, record->offset, json->data + json->len, record->len, err);
    if (r < 0)
        return r;
    json->len += record->len;
    r = buf_append_str(json, ",\"first_create_date\":", err);
    if (r == 0)
        r = json_write_string(json, span_str(record->date), err);
    return r == 0 ? buf_append_byte(json, '}', err) : r;
}

int amo_records_write(const struct amo_records *all, struct buf *json, struct err *err)
{
    bool is_first = true;
    int r = reserve_all(all, json, err);
    if (r == 0)
        r = buf_append_byte(json, '{', err);
    for (size_t i = 0; r == 0 && i < all->n; i++) {
        if (!all->items[i].date)
            continue;
        if (!is_first)
            r = buf_append_byte(json, ',', err);
        is_first = false;
        if (r == 0)
            r = write_record(all, &all->items[i], json, err);
    }
    return r == 0 ? buf_append_byte(json, '}', err) : r;
}
