/* SPDX-License-Identifier: MPL-2.0 */
#include "taar/profile_avro.h"

#include "codec/json.h"
#include "codec/ndjson.h"
#include "taar/profile_fields.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_DEPTH = 4, NUMBER_BYTES = 24 };

const struct column profile_columns[] = {
    {.name = "client_id", .type = COLUMN_STRING},
    {.name = "geo_city", .type = COLUMN_STRING},
    {.name = "subsession_length", .type = COLUMN_INT64},
    {.name = "locale", .type = COLUMN_STRING},
    {.name = "os", .type = COLUMN_STRING},
    {.name = "active_addons", .type = COLUMN_JSON},
    {.name = "bookmark_count", .type = COLUMN_DOUBLE},
    {.name = "tab_open_count", .type = COLUMN_INT64},
    {.name = "total_uri", .type = COLUMN_INT64},
    {.name = "unique_tlds", .type = COLUMN_DOUBLE},
    {.name = NULL},
};

static int append_field(struct buf *out, bool first, const char *name, const char *type,
                        struct err *err)
{
    return buf_printf(out, err, "%s{\"name\":\"%s\",\"type\":[\"null\",\"%s\"]}", first ? "" : ",",
                      name, type);
}

static int append_addons_type(struct buf *out, struct err *err)
{
    static const char *const types[] = {
        [PROFILE_TEXT] = "string", [PROFILE_BOOL] = "boolean", [PROFILE_LONG] = "long"};
    int r = buf_append_str(out,
                           ",{\"name\":\"active_addons\",\"type\":{\"type\":\"array\",\"items\":{"
                           "\"type\":\"record\",\"namespace\":\"root\",\"name\":\"Active_addons\","
                           "\"fields\":[",
                           err);
    for (size_t i = 0; i < PROFILE_ADDON_FIELDS && r == 0; i++)
        r = append_field(out, i == 0, profile_addon_fields[i].name,
                         types[profile_addon_fields[i].type], err);
    return r < 0 ? r : buf_append_str(out, "]}}}", err);
}

int profile_schema(struct buf *out, struct err *err)
{
    int r = buf_append_str(out, "{\"type\":\"record\",\"name\":\"Root\",\"fields\":[", err);
    for (const struct column *c = profile_columns; c->name && r == 0; c++)
        r = c->type == COLUMN_JSON ? append_addons_type(out, err)
                                   : append_field(out, c == profile_columns, c->name,
                                                  c->type == COLUMN_STRING  ? "string"
                                                  : c->type == COLUMN_INT64 ? "long"
                                                                            : "double",
                                                  err);
    if (r == 0)
        r = buf_append_str(out, "]}", err);
    return r < 0 ? r : buf_append_byte(out, '\0', err);
}

struct spelling {
    struct buf *out, *texts;
    struct json_text json;
};

static int unusable(const char *name, struct err *err)
{
    return err_set(err, E_FORMAT, 0, "add-ons of the table have no usable %s", name);
}

static int put_text(struct spelling *s, struct span value, struct err *err)
{
    const struct span inside = span_of(value.ptr + 1, value.len - 2);
    buf_clear(s->texts);
    int r = buf_reserve(s->texts, inside.len + 1, err);
    if (r == 0)
        r = avro_put_bytes(s->out, span_of(s->texts->data, json_unescape(s->texts->data, inside)),
                           err);
    return r;
}

static int put_number(struct spelling *s, struct span value, const char *name, struct err *err)
{
    char digits[NUMBER_BYTES] = "";
    char *end;
    if (value.len >= sizeof digits)
        return unusable(name, err);
    memcpy(digits, value.ptr, value.len);
    const long long n = strtoll(digits, &end, 10);
    return *end != '\0' ? unusable(name, err) : avro_put_long(s->out, n, err);
}

static int put_field(struct spelling *s, const struct profile_field *field, struct span value,
                     struct err *err)
{
    const char first = (char)value.ptr[0];
    if (first == 'n')
        return avro_put_long(s->out, 0, err);
    const int r = avro_put_long(s->out, 1, err);
    if (r < 0)
        return r;
    if (field->type == PROFILE_TEXT && first == '"')
        return put_text(s, value, err);
    if (field->type == PROFILE_BOOL && (first == 't' || first == 'f'))
        return avro_put_boolean(s->out, first == 't', err);
    return field->type == PROFILE_LONG ? put_number(s, value, field->name, err)
                                       : unusable(field->name, err);
}

static int put_addon(struct spelling *s, struct span addon, struct err *err)
{
    struct json_members it = {.text = s->json, .p = addon.ptr, .max_depth = MAX_DEPTH};
    struct json_member m;
    for (size_t i = 0; i < PROFILE_ADDON_FIELDS; i++) {
        const struct profile_field *field = &profile_addon_fields[i];
        if (json_next_member(&it, &m) != 1 || !span_equal(m.key, span_str(field->name)))
            return unusable(field->name, err);
        const int r = put_field(s, field, m.value, err);
        if (r < 0)
            return r;
    }
    return 0;
}

/* Blocks of one add-on each: how many there are need not be known. */
static int put_addons(struct spelling *s, struct span text, struct err *err)
{
    struct json_elements it = {.text = s->json, .p = text.ptr, .max_depth = MAX_DEPTH};
    struct span addon;
    bool escaped;
    int r = 0, next = 0;
    while (r == 0 && (next = json_next_element(&it, &addon, &escaped)) == 1) {
        r = avro_put_long(s->out, 1, err);
        if (r == 0)
            r = put_addon(s, addon, err);
    }
    if (r == 0 && next < 0)
        r = unusable("list", err);
    return r < 0 ? r : avro_put_long(s->out, 0, err);
}

static int put_json(struct buf *out, const struct record_ops *ops, struct buf *scratch,
                    struct buf *texts, const struct cell *cell, struct err *err)
{
    static const uint8_t slack[NDJSON_SLACK];
    if (cell->is_null)
        return avro_put_long(out, 0, err);
    buf_clear(scratch);
    int r = buf_append(scratch, cell->text.ptr, cell->text.len, err);
    if (r == 0)
        r = buf_append(scratch, slack, sizeof slack, err);
    if (r < 0)
        return r;
    struct spelling s = {.out = out, .texts = texts};
    s.json = (struct json_text){.ops = ops, .end = scratch->data + cell->text.len};
    return put_addons(&s, span_of(scratch->data, cell->text.len), err);
}

static int put_scalar(struct buf *out, enum column_type type, const struct cell *cell,
                      struct err *err)
{
    const int r = avro_put_long(out, cell->is_null ? 0 : 1, err);
    if (r < 0 || cell->is_null)
        return r;
    return type == COLUMN_STRING  ? avro_put_bytes(out, cell->text, err)
           : type == COLUMN_INT64 ? avro_put_long(out, cell->integer, err)
                                  : avro_put_double(out, cell->real, err);
}

int profile_put_row(struct buf *out, const struct record_ops *ops, struct buf *scratch,
                    struct buf *texts, const struct cell *cells, struct err *err)
{
    int r = 0;
    for (size_t i = 0; profile_columns[i].name && r == 0; i++)
        r = profile_columns[i].type == COLUMN_JSON
                ? put_json(out, ops, scratch, texts, &cells[i], err)
                : put_scalar(out, profile_columns[i].type, &cells[i], err);
    return r;
}
