/* SPDX-License-Identifier: MPL-2.0 */
/*
 * BigQuery: lists and records in answers. A list is [{"v": text}, ..], a record {"f": [{"v": text
 * or null}, ..]} in the order of the answer's fields, which need not be ours.
 */
#include "warehouse/bigquery_impl.h"

#include <stdlib.h>

static size_t place_of(const json_t *fields, const char *name)
{
    for (size_t i = 0; i < json_array_size(fields); i++) {
        const char *text = json_string_value(json_object_get(json_array_get(fields, i), "name"));
        if (text && strcmp(text, name) == 0)
            return i;
    }
    return SIZE_MAX;
}

int bigquery_nested_init(struct bigquery_nested *nested, const struct column *column,
                         const json_t *field, struct err *err)
{
    const json_t *fields = json_object_get(field, "fields");
    if (column->type != COLUMN_RECORD)
        return 0;
    while (column->fields[nested->n_places])
        nested->n_places++;
    nested->places = calloc(nested->n_places + 1, sizeof *nested->places);
    if (!nested->places)
        return err_set(err, E_NOMEM, 0, "no memory for rows");
    for (size_t i = 0; i < nested->n_places; i++)
        nested->places[i] = place_of(fields, column->fields[i]);
    return 0;
}

void bigquery_nested_deinit(struct bigquery_nested *nested)
{
    free(nested->places);
    free(nested->items);
}

static int make_room(struct bigquery_nested *nested, size_t n, struct err *err)
{
    if (n <= nested->cap)
        return 0;
    struct span *items = reallocarray(nested->items, n, sizeof *items);
    if (!items)
        return err_set(err, E_NOMEM, 0, "no memory for rows");
    nested->items = items;
    nested->cap = n;
    return 0;
}

/* value: {"v": text}. @return false: it is something else. */
static bool take_text(struct span *out, const json_t *value)
{
    const json_t *text = json_object_get(value, "v");
    *out = span_of(json_string_value(text), json_string_length(text));
    return json_is_string(text) || json_is_null(text);
}

static bool take_list(struct bigquery_nested *nested, const json_t *list)
{
    bool good = json_is_array(list);
    for (size_t i = 0; i < json_array_size(list) && good; i++)
        good = take_text(&nested->items[i], json_array_get(list, i)) && nested->items[i].ptr;
    return good;
}

static bool take_record(struct bigquery_nested *nested, const json_t *texts)
{
    bool good = json_is_array(texts);
    for (size_t i = 0; i < nested->n_places && good; i++) {
        nested->items[i] = (struct span){0};
        if (nested->places[i] != SIZE_MAX)
            good = take_text(&nested->items[i], json_array_get(texts, nested->places[i]));
    }
    return good;
}

int bigquery_read_nested(struct bigquery_nested *nested, struct cell *cell,
                         const struct column *column, const json_t *value, struct err *err)
{
    const bool is_list = column->type == COLUMN_STRINGS;
    const json_t *texts = is_list ? value : json_object_get(value, "f");
    *cell = (struct cell){.is_null = json_is_null(value)};
    if (cell->is_null)
        return 0;
    cell->n_items = is_list ? json_array_size(texts) : nested->n_places;
    const int r = make_room(nested, cell->n_items + 1, err);
    if (r < 0)
        return r;
    cell->items = nested->items;
    if (is_list ? take_list(nested, texts) : take_record(nested, texts))
        return 0;
    return err_set(err, E_FORMAT, 0, "BigQuery's answer has no %s of texts in column %s",
                   is_list ? "list" : "record", column->name);
}
