/* SPDX-License-Identifier: MPL-2.0 */
#include "processor/origins.h"

#include "codec/record.h"
#include "processor/whole.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>

void origins_deinit(struct origins *origins)
{
    for (size_t i = 0; i < origins->n; i++) {
        free(origins->entries[i].name);
        free(origins->entries[i].hash);
    }
    free(origins->entries);
    *origins = (struct origins){0};
}

static bool grow(struct origins *origins)
{
    if (origins->entries && origins->n < origins->cap)
        return true;
    const size_t cap = origins->cap > 0 ? 2 * origins->cap : 256;
    struct origin *entries =
        origins->n < ORIGINS_MAX ? realloc(origins->entries, cap * sizeof *entries) : NULL;
    if (!entries)
        return false;
    origins->entries = entries;
    origins->cap = cap;
    return true;
}

int origins_add(struct origins *origins, struct span name, struct span hash, uint64_t index,
                struct err *err)
{
    if (!grow(origins))
        return err_set(err, E_NOMEM, 0, "no memory for more than %zu origins", origins->n);
    struct origin o = {.name = span_to_text(name), .hash = span_to_text(hash), .index = index};
    if (!o.name || !o.hash) {
        free(o.name);
        free(o.hash);
        return err_set(err, E_NOMEM, 0, "no memory for an origin");
    }
    origins->entries[origins->n++] = o;
    return 0;
}

static int take_entry(struct origins *out, const json_t *entry, const char *path, size_t i,
                      struct err *err)
{
    if (!json_is_object(entry))
        return err_set(err, E_FORMAT, 0, "%s: entry %zu is not an object", path, i);
    const json_t *name = json_object_get(entry, "name"), *hash = json_object_get(entry, "hash");
    const json_t *index = json_object_get(entry, "index");
    if (!json_is_string(name) || !json_is_string(hash))
        return err_set(err, E_FORMAT, 0, "%s: entry %zu: %s is not a string", path, i,
                       json_is_string(name) ? "hash" : "name");
    if (!json_is_integer(index) || json_integer_value(index) < 0)
        return err_set(err, E_FORMAT, 0, "%s: entry %zu: index is not an integer >= 0", path, i);
    return origins_add(out, span_of(json_string_value(name), json_string_length(name)),
                       span_of(json_string_value(hash), json_string_length(hash)),
                       (uint64_t)json_integer_value(index), err);
}

static int take_entries(struct origins *out, const json_t *root, const char *path, struct err *err)
{
    if (!json_is_array(root))
        return err_set(err, E_FORMAT, 0, "%s: not an array of origins", path);
    int r = 0;
    for (size_t i = 0; i < json_array_size(root) && r == 0; i++)
        r = take_entry(out, json_array_get(root, i), path, i, err);
    return r;
}

int origins_read(struct origins *out, const char *path, struct err *err)
{
    CLEANUP(buf_deinit) struct buf text = BUF_INIT(ORIGINS_MAX_BYTES);
    struct origins origins = {0};
    int r = read_whole(&text, path, err);
    if (r < 0)
        return err_wrap(err, r, "origin config");
    json_error_t problem;
    json_t *root = json_loadb((const char *)text.data, text.len, JSON_REJECT_DUPLICATES, &problem);
    r = root ? take_entries(&origins, root, path, err)
             : err_set(err, E_FORMAT, 0, "%s: line %d: %s", path, problem.line, problem.text);
    json_decref(root);
    if (r < 0) {
        origins_deinit(&origins);
        return r;
    }
    *out = origins;
    return 0;
}

static int format_one(struct buf *out, const struct origin *o, bool first, struct err *err)
{
    int r = buf_append_str(out, first ? "\n  {\n    \"name\": " : ",\n  {\n    \"name\": ", err);
    if (r == 0)
        r = json_write_string(out, span_str(o->name), err);
    if (r == 0)
        r = buf_append_str(out, ",\n    \"hash\": ", err);
    if (r == 0)
        r = json_write_string(out, span_str(o->hash), err);
    return r < 0 ? r : buf_printf(out, err, ",\n    \"index\": %" PRIu64 "\n  }", o->index);
}

int origins_format(struct buf *out, const struct origins *origins, struct err *err)
{
    int r = buf_append_byte(out, '[', err);
    for (size_t i = 0; i < origins->n && r == 0; i++)
        r = format_one(out, &origins->entries[i], i == 0, err);
    return r < 0 ? r : buf_append_str(out, origins->n > 0 ? "\n]" : "]", err);
}
