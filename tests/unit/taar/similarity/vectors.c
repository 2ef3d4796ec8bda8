/* SPDX-License-Identifier: MPL-2.0 */
#include "vectors.h"

#include <math.h>
#include <stdio.h>

enum { NAME_BYTES = 256, LINE_BYTES = 1 << 16, NUMBER_BYTES = 40 };

void free_json(json_t **json)
{
    json_decref(*json);
}

void assert_done(int r, const struct err *err)
{
    if (r != 0)
        fail_msg("%d: %s", r, err->text);
}

json_t *vector(const char *name)
{
    char path[NAME_BYTES];
    (void)snprintf(path, sizeof path, "%s/taar/similarity/%s", WEIR_VECTORS, name);
    json_t *json = json_load_file(path, 0, NULL);
    if (!json)
        fail_msg("%s cannot be read", path);
    return json;
}

json_t *vector_lines(const char *name)
{
    char path[NAME_BYTES];
    static char line[LINE_BYTES];
    (void)snprintf(path, sizeof path, "%s/taar/similarity/%s", WEIR_VECTORS, name);
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    json_t *list = json_array();
    while (fgets(line, sizeof line, file))
        assert_int_equal(json_array_append_new(list, json_loads(line, 0, NULL)), 0);
    (void)fclose(file);
    return list;
}

void assert_close(double got, double want)
{
    const double near = 1e-12;
    if (fabs(got - want) > near * fmax(fabs(got), fabs(want)))
        fail_msg("%.17g is not %.17g", got, want);
}

static void take_text(struct cell *cell, const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);
    cell->is_null = !json_is_string(value);
    if (!cell->is_null)
        cell->text = span_of(json_string_value(value), json_string_length(value));
}

static void take_number(struct cell *cell, const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);
    cell->is_null = !json_is_number(value);
    cell->real = json_number_value(value);
    cell->integer = json_integer_value(value);
}

void add_client(struct clients *c, json_t *object, const char *id)
{
    struct cell row[CLIENT_COLUMNS] = {0};
    struct span items[CLIENT_ADDONS_MAX];
    char hours[NUMBER_BYTES];
    struct err err = {0};
    for (unsigned i = CLIENT_CITY; i < CLIENT_ADDONS; i++) {
        if (client_columns[i].type == COLUMN_STRING)
            take_text(&row[i], object, client_columns[i].name);
        else
            take_number(&row[i], object, client_columns[i].name);
    }
    take_number(&row[CLIENT_HOURS], object, "subsession_hours_sum");
    (void)snprintf(hours, sizeof hours, "%.15g", row[CLIENT_HOURS].real);
    row[CLIENT_HOURS].text = span_str(hours);
    row[CLIENT_ID].text = span_str(id);
    json_t *addons = json_object_get(object, "active_addons");
    for (size_t i = 0; i < json_array_size(addons); i++)
        items[i] = span_str(json_string_value(json_array_get(addons, i)));
    row[CLIENT_ADDONS].items = items;
    row[CLIENT_ADDONS].n_items = json_array_size(addons);
    assert_done(clients_add(c, row, &err), &err);
}

void add_documents(struct clients *c, json_t *documents)
{
    for (size_t i = 0; i < json_array_size(documents); i++) {
        char id[NUMBER_BYTES];
        JSON *object = json_pack("{sO}", "active_addons", json_array_get(documents, i));
        (void)snprintf(id, sizeof id, "%08zu", i);
        add_client(c, object, id);
    }
}

void add_lines(struct clients *c, const char *name)
{
    JSON *lines = vector_lines(name);
    size_t i;
    json_t *object;
    json_array_foreach(lines, i, object)
        add_client(c, object, json_string_value(json_object_get(object, "client_id")));
}
