/* SPDX-License-Identifier: MPL-2.0 */
/* Reading back what index wrote: a line {"id", "timestamp", "batch_id", "origin", "hash", "index",
 * "aggregate"} a row. */
#include "codec/ndjson.h"
#include "processor/insert.h"
#include "processor/layout.h"

#include <inttypes.h>
#include <jansson.h>

enum { MAX_LINE_BYTES = 64 << 10, CHUNK_BYTES = 256 << 10 };

struct walk {
    struct store *store;
    index_row_fn *fn;
    void *arg;
};

static bool take_text(struct span *out, const json_t *json)
{
    *out = span_of(json_string_value(json), json_string_length(json));
    return json_is_string(json);
}

static bool take_number(uint64_t *out, const json_t *json)
{
    *out = (uint64_t)json_integer_value(json);
    return json_is_integer(json) && json_integer_value(json) >= 0;
}

static bool read_row(struct index_row *row, const json_t *json)
{
    return take_text(&row->id, json_object_get(json, "id")) &&
           take_text(&row->timestamp, json_object_get(json, "timestamp")) &&
           take_text(&row->batch_id, json_object_get(json, "batch_id")) &&
           take_text(&row->origin, json_object_get(json, "origin")) &&
           take_text(&row->hash, json_object_get(json, "hash")) &&
           take_number(&row->index, json_object_get(json, "index")) &&
           take_number(&row->aggregate, json_object_get(json, "aggregate"));
}

/* jansson's integers have a sign, as the warehouse's do, so it refuses what insert would. */
static int read_line(const struct walk *w, const char *key, struct span line, uint64_t number,
                     struct err *err)
{
    struct index_row row;
    json_error_t why;
    json_t *json =
        json_loadb((const char *)line.ptr, line.len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &why);
    int r = 0;
    if (!json)
        r = err_set(err, E_FORMAT, 0, "%s/%s: line %" PRIu64 ": %s", store_name(w->store), key,
                    number, why.text);
    else if (!read_row(&row, json))
        r = err_set(err, E_FORMAT, 0, "%s/%s: line %" PRIu64 " is no row of index",
                    store_name(w->store), key, number);
    else
        r = w->fn(w->arg, &row, err);
    json_decref(json);
    return r;
}

static int read_chunk(const struct walk *w, const char *key, struct ndjson_chunk *chunk,
                      struct err *err)
{
    struct span line;
    int r = 0;
    if (chunk->too_long)
        return err_set(err, E_FORMAT, 0, "%s/%s: line %" PRIu64 " is too long",
                       store_name(w->store), key, chunk->first_line);
    while (r == 0 && ndjson_line(chunk, &line))
        if (line.len > 0)
            r = read_line(w, key, line, chunk->line, err);
    return r;
}

static int read_object(const struct walk *w, const char *key, struct err *err)
{
    CLEANUP(store_reader_closep) struct store_reader *reader = NULL;
    struct ndjson_reader lines;
    struct ndjson_chunk chunk;
    int r = store_get(&reader, w->store, key, 0, STORE_TO_END, err);
    if (r < 0)
        return r;
    ndjson_reader_init(&lines, store_reader_source(reader), MAX_LINE_BYTES);
    ndjson_chunk_init(&chunk, MAX_LINE_BYTES);
    while (r == 0) {
        const int filled = ndjson_fill(&lines, &chunk, CHUNK_BYTES, err);
        if (filled <= 0) {
            r = filled;
            break;
        }
        r = read_chunk(w, key, &chunk, err);
    }
    ndjson_chunk_deinit(&chunk);
    ndjson_reader_deinit(&lines);
    return r;
}

static int each(void *arg, index_row_fn *fn, void *fn_arg, struct err *err)
{
    const struct index_files *files = arg;
    const struct walk w = {.store = files->store, .fn = fn, .arg = fn_arg};
    CLEANUP(store_listing_deinit) struct store_listing listing = {0};
    size_t n = 0;
    int r = store_list(files->store, files->prefix, &listing, err);
    for (size_t i = 0; i < listing.n && r == 0; i++) {
        if (!layout_is_data(listing.objects[i].key))
            continue;
        n++;
        r = read_object(&w, listing.objects[i].key, err);
    }
    if (r == 0 && n == 0)
        r = err_set(err, E_ABSENT, 0, "%s/%s: no rows of index", store_name(files->store),
                    files->prefix);
    return r;
}

struct index_rows index_files_rows(struct index_files *files)
{
    return (struct index_rows){.each = each, .arg = files};
}
