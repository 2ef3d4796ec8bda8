/* rows.h - what the tests of fxci share: vectors, text with room behind it, rows against JSON. */
#pragma once

#include "base/utc.h"
#include "codec/ndjson.h"
#include "fxci/tables.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
// cmocka.h leans on the standard headers above it.
#include <cmocka.h>
#include <jansson.h>

enum { TEXT_MAX = 1 << 17, TODAY = 20685 }; // 2026-08-20

/* A copy with the slack that walking needs; the next call overwrites it. */
static inline struct span padded(struct span text)
{
    static uint8_t bytes[TEXT_MAX + NDJSON_SLACK];
    assert_true(text.len <= TEXT_MAX);
    memset(bytes + text.len, 0, NDJSON_SLACK);
    memcpy(bytes, text.ptr, text.len);
    return span_of(bytes, text.len);
}

static inline json_t *read_vector(const char *name)
{
    char path[512];
    json_error_t error;
    (void)snprintf(path, sizeof path, "%s/fxci/%s", WEIR_VECTORS, name);
    json_t *json = json_load_file(path, 0, &error);
    if (!json)
        fail_msg("%s: %s", path, error.text);
    return json;
}

static inline FILE *open_vector(const char *name)
{
    char path[512];
    (void)snprintf(path, sizeof path, "%s/fxci/%s", WEIR_VECTORS, name);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    return file;
}

static inline void assert_text(struct span text, const char *want)
{
    if (!want || !span_equal(text, span_str(want)))
        fail_msg("\"%.*s\" is not \"%s\"", (int)text.len, (const char *)text.ptr, want);
}

static inline void assert_json(struct span text, const json_t *want)
{
    json_error_t error;
    json_t *json = json_loadb((const char *)text.ptr, text.len, JSON_DECODE_ANY, &error);
    assert_non_null(json);
    assert_true(json_equal(json, want));
    json_decref(json);
}

static inline void assert_cell(const struct column *column, const struct cell *cell,
                               const json_t *want)
{
    int64_t instant;
    assert_int_equal(cell->is_null, json_is_null(want));
    if (cell->is_null)
        return;
    switch (column->type) {
    case COLUMN_STRING:
        assert_text(cell->text, json_string_value(want));
        break;
    case COLUMN_INT64:
        assert_true(json_is_integer(want) && json_integer_value(want) == cell->integer);
        break;
    case COLUMN_DATE:
        assert_true(utc_parse_date(&instant, span_str(json_string_value(want))));
        assert_int_equal(cell->integer, instant);
        break;
    case COLUMN_TIMESTAMP:
        assert_true(utc_parse_rfc3339(&instant, span_str(json_string_value(want))));
        assert_int_equal(cell->integer, instant);
        break;
    case COLUMN_JSON:
        assert_json(cell->text, want);
        break;
    case COLUMN_STRINGS:
        assert_int_equal(cell->n_items, json_array_size(want));
        for (size_t i = 0; i < cell->n_items; i++)
            assert_text(cell->items[i], json_string_value(json_array_get(want, i)));
        break;
    case COLUMN_RECORD:
        for (size_t i = 0; i < cell->n_items; i++) {
            const json_t *field = json_object_get(want, column->fields[i]);
            assert_int_equal(!cell->items[i].ptr, json_is_null(field));
            if (cell->items[i].ptr)
                assert_text(cell->items[i], json_string_value(field));
        }
        break;
    default:
        fail_msg("no test for column %s", column->name);
    }
}

static inline void assert_row(enum fxci_table table, const struct cell *cells, const json_t *want)
{
    struct fxci_tables tables;
    assert_int_equal(fxci_tables_init(&tables, &(struct fxci_table_names){0}, false, NULL), 0);
    const struct column *columns = tables.schemas[table].columns;
    size_t n = 0;
    for (; columns[n].name; n++)
        assert_cell(&columns[n], &cells[n], json_object_get(want, columns[n].name));
    assert_int_equal(json_object_size(want), n);
}
