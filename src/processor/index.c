/* SPDX-License-Identifier: MPL-2.0 */
#include "processor/index.h"

#include "base/cpu.h"
#include "codec/gzip.h"
#include "codec/ndjson.h"
#include "codec/record.h"
#include "processor/layout.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>

enum {
    ENTRY_CHARS = 24, // of a 64-bit number, with what separates it
    LINE_EXTRAS = 4096,
    MAX_OBJECT = 64 << 20,
};

/* A published batch that is in the config. */
struct part {
    const struct data_entry *entry;
    struct span name; // NAME of NAME-PART
    size_t offset;    // of its first element in the origins
};

static const struct data_entry *find_entry(const struct data_config *config, struct span batch_id)
{
    for (size_t i = 0; i < config->n; i++)
        if (span_equal(span_str(config->entries[i].batch_id), batch_id))
            return &config->entries[i];
    return NULL;
}

/* A number without leading zeros, so that no two texts are the same part. */
static bool read_part_number(size_t *number, const char *text)
{
    const size_t len = strlen(text);
    if (len == 0 || len > 9 || text[strspn(text, "0123456789")] != '\0' ||
        (len > 1 && text[0] == '0'))
        return false;
    *number = (size_t)strtoul(text, NULL, 10);
    return true;
}

/* Sum of the lengths of parts 0..number-1 of a name. */
static int sum_lower_parts(struct part *part, const struct data_config *config, size_t number,
                           struct err *err)
{
    CLEANUP(buf_deinit) struct buf id = BUF_INIT(MAX_OBJECT);
    part->offset = 0;
    for (size_t k = 0; k < number; k++) {
        buf_clear(&id);
        const int r =
            buf_printf(&id, err, "%.*s-%zu", (int)part->name.len, (const char *)part->name.ptr, k);
        if (r < 0)
            return r;
        const struct data_entry *lower = find_entry(config, buf_span(&id));
        if (!lower)
            return err_set(err, E_FORMAT, 0,
                           "batch %s: part %zu of it is missing in the data config",
                           part->entry->batch_id, k);
        part->offset += lower->n_data;
    }
    return 0;
}

static int locate(struct part *part, const struct index_published *published, struct err *err)
{
    const char *id = part->entry->batch_id, *hyphen = strrchr(id, '-');
    size_t number;
    if (!hyphen || !read_part_number(&number, hyphen + 1))
        return err_set(err, E_FORMAT, 0, "batch %s: its id does not end in \"-<part number>\"", id);
    part->name = span_of(id, (size_t)(hyphen - id));
    const int r = sum_lower_parts(part, published->config, number, err);
    if (r < 0)
        return r;
    if (part->offset + part->entry->n_data > published->origins->n)
        return err_set(err, E_FORMAT, 0,
                       "batch %s: its elements %zu to %zu reach beyond the %zu origins", id,
                       part->offset, part->offset + part->entry->n_data, published->origins->n);
    return 0;
}

/* Where rows go. */
struct walk {
    const struct index_published *published;
    index_row_fn *fn;
    void *arg;
};

static int give_rows(const struct walk *w, const struct part *part, const uint64_t *values,
                     const json_t *record, struct err *err)
{
    const json_t *id = json_object_get(record, "id"), *time = json_object_get(record, "timestamp");
    if (!json_is_string(id) || !json_is_string(time))
        return err_set(err, E_FORMAT, 0, "batch %s: the published record has no %s",
                       part->entry->batch_id, json_is_string(id) ? "timestamp" : "id");
    struct index_row row = {
        .id = span_of(json_string_value(id), json_string_length(id)),
        .timestamp = span_of(json_string_value(time), json_string_length(time)),
        .batch_id = part->name,
    };
    int r = 0;
    for (size_t j = 0; j < part->entry->n_data && r == 0; j++) {
        const struct origin *o = &w->published->origins->entries[part->offset + j];
        row.origin = span_str(o->name);
        row.hash = span_str(o->hash);
        row.index = o->index;
        row.aggregate = values[j];
        r = w->fn(w->arg, &row, err);
    }
    return r;
}

/* The sums of a record. line: NDJSON_SLACK bytes stand behind it. */
static int read_values(uint64_t *values, const struct part *part, struct span line, struct err *err)
{
    CLEANUP(buf_deinit) struct buf scratch = BUF_INIT(line.len);
    struct record_ops ops;
    struct record record;
    size_t bad = SIZE_MAX;
    record_ops_init(&ops, cpu_detect());
    const int r = record_parse(&record, &ops, line, &scratch, err);
    if (r < 0)
        return r;
    if (r == 1 && record.payload_is_array &&
        uint_array_parse(values, part->entry->n_data, UINT64_MAX, record.payload_raw, &bad) == 1)
        return 0;
    return err_set(err, E_FORMAT, 0,
                   "batch %s: the published record's payload is not made of %zu sums",
                   part->entry->batch_id, part->entry->n_data);
}

static int take_record(const struct walk *w, const struct part *part, struct span line,
                       struct err *err)
{
    json_error_t why;
    uint64_t *values = calloc(part->entry->n_data, sizeof *values);
    if (!values)
        return err_set(err, E_NOMEM, 0, "no memory for %zu sums", part->entry->n_data);
    int r = read_values(values, part, line, err);
    if (r == 0) {
        // jansson's integers have a sign; the sums have been read already.
        json_t *record =
            json_loadb((const char *)line.ptr, line.len, JSON_DECODE_INT_AS_REAL, &why);
        r = record ? give_rows(w, part, values, record, err)
                   : err_set(err, E_FORMAT, 0, "batch %s: the published record: %s",
                             part->entry->batch_id, why.text);
        json_decref(record);
    }
    free(values);
    return r;
}

/* All of an object, unpacked where it is gzip. */
static int read_all(struct buf *text, struct store *store, const char *key, struct err *err)
{
    CLEANUP(store_reader_closep) struct store_reader *reader = NULL;
    CLEANUP(gunzip_freep) struct gunzip *gunzip = NULL;
    int r = store_get(&reader, store, key, 0, STORE_TO_END, err);
    if (r == 0)
        r = gunzip_new(&gunzip, store_reader_source(reader), err);
    return r < 0 ? r : source_read_all(gunzip_source(gunzip), text, err);
}

/* Read an object of a batch into text: its only line, if it has one. *n_lines: of the batch. */
static int read_object(struct buf *text, struct span *line, size_t *n_lines, struct store *store,
                       const char *key, struct err *err)
{
    buf_clear(text);
    int r = read_all(text, store, key, err);
    if (r < 0)
        return r;
    const size_t len = text->len;
    static const uint8_t slack[NDJSON_SLACK];
    r = buf_append(text, slack, sizeof slack, err);
    if (r < 0)
        return r;
    const uint8_t *p = text->data, *const end = p + len;
    while (p < end) {
        const uint8_t *newline = memchr(p, '\n', (size_t)(end - p));
        const struct span one = span_of(p, (size_t)((newline ? newline : end) - p));
        p = newline ? newline + 1 : end;
        if (one.len == 0 || (one.len == 1 && one.ptr[0] == '\r'))
            continue;
        *line = one;
        if (++*n_lines > 1)
            return err_set(err, E_FORMAT, 0, "more than one published record");
    }
    return 0;
}

/* The objects [from, to) of a listing, all of one folder. */
static int take_folder(const struct walk *w, const struct part *part,
                       const struct store_listing *listing, size_t from, size_t to, struct err *err)
{
    const size_t room = part->entry->n_data * ENTRY_CHARS + LINE_EXTRAS;
    CLEANUP(buf_deinit) struct buf text = BUF_INIT(room + NDJSON_SLACK);
    CLEANUP(buf_deinit) struct buf record = BUF_INIT(room + NDJSON_SLACK);
    struct span line = {0};
    size_t n_lines = 0;
    int r = 0;
    for (size_t i = from; i < to && r == 0; i++) {
        const size_t before = n_lines;
        if (!layout_is_data(listing->objects[i].key))
            continue;
        r = read_object(&text, &line, &n_lines, w->published->input.store, listing->objects[i].key,
                        err);
        if (r == 0 && n_lines > before)
            r = buf_append(&record, line.ptr, line.len + NDJSON_SLACK, err);
    }
    if (r < 0)
        return err_wrap(err, r, "batch %s", part->entry->batch_id);
    return n_lines == 0
               ? 0
               : take_record(w, part, span_of(record.data, record.len - NDJSON_SLACK), err);
}

/* The name of the folder below prefix that a key lies in; empty when it lies in none. */
static struct span folder_of(const char *key, size_t prefix_len)
{
    const char *slash = strchr(key + prefix_len, '/');
    return slash ? span_of(key + prefix_len, (size_t)(slash - key - prefix_len)) : (struct span){0};
}

static int take_batch(const struct walk *w, struct span folder, const struct store_listing *listing,
                      size_t from, size_t to, struct err *err)
{
    CLEANUP(buf_deinit) struct buf id = BUF_INIT(STORE_MAX_KEY);
    struct part part = {0};
    int r = layout_read_partition(&id, "batch_id", folder, err);
    if (r <= 0)
        return r;
    part.entry = find_entry(w->published->config, span_str((const char *)id.data));
    if (!part.entry)
        return 0;
    r = locate(&part, w->published, err);
    return r < 0 ? r : take_folder(w, &part, listing, from, to, err);
}

static int each(void *arg, index_row_fn *fn, void *fn_arg, struct err *err)
{
    const struct walk w = {.published = arg, .fn = fn, .arg = fn_arg};
    const struct place *input = &w.published->input;
    CLEANUP(store_listing_deinit) struct store_listing listing = {0};
    CLEANUP(buf_deinit) struct buf key = PLACE_KEY_INIT;
    const char *prefix = place_key(&key, input, "", err);
    int r = prefix ? store_list(input->store, prefix, &listing, err) : E_NOMEM;
    if (r == 0 && listing.n == 0)
        r = err_set(err, E_ABSENT, 0, "nothing is published in %s below \"%s\"",
                    store_name(input->store), input->dir);
    for (size_t i = 0, next; i < listing.n && r == 0; i = next) {
        const struct span folder = folder_of(listing.objects[i].key, strlen(prefix));
        for (next = i + 1; next < listing.n; next++)
            if (!span_equal(folder, folder_of(listing.objects[next].key, strlen(prefix))))
                break;
        if (folder.len > 0)
            r = take_batch(&w, folder, &listing, i, next, err);
    }
    return r;
}

struct index_rows index_published_rows(const struct index_published *published)
{
    return (struct index_rows){.each = each, .arg = (void *)(uintptr_t)published};
}
