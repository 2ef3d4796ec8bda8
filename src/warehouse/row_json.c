/* SPDX-License-Identifier: MPL-2.0 */
/* A row as JSON: how it is kept where no table would have it, and how long it is. Source:
 * fxci-etl.md 3.5. */
#include "base/utc.h"
#include "codec/record.h"
#include "warehouse/backend.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { DOUBLE_TEXT_BYTES = 40 };

/* The shortest text that reads back the same; like Python, whole numbers end in ".0" and from 1e16
 * on there is an exponent. */
static void format_double(char out[DOUBLE_TEXT_BYTES], double x)
{
    const double first_with_exponent = 1e16;
    if (fabs(x) < first_with_exponent && x == trunc(x)) {
        (void)snprintf(out, DOUBLE_TEXT_BYTES, "%.1f", x);
        return;
    }
    // 15 digits are always kept, but by the smallest numbers.
    for (int digits = fabs(x) < DBL_MIN ? 1 : 15; digits <= 17; digits++) {
        const bool exponent = digits == 17 && fabs(x) >= first_with_exponent;
        (void)snprintf(out, DOUBLE_TEXT_BYTES, exponent ? "%.*e" : "%.*g", digits - exponent, x);
        if (strtod(out, NULL) == x)
            return;
    }
}

/* JSON has no such numbers; BigQuery reads them so. */
static int write_double(struct buf *out, double x, struct err *err)
{
    char text[DOUBLE_TEXT_BYTES];
    if (isnan(x))
        return buf_append_str(out, "\"NaN\"", err);
    if (isinf(x))
        return buf_append_str(out, x < 0 ? "\"-Infinity\"" : "\"Infinity\"", err);
    format_double(text, x);
    return buf_append_str(out, text, err);
}

static int write_items(struct buf *out, const struct cell *cell, struct err *err)
{
    int r = buf_append_byte(out, '[', err);
    for (size_t i = 0; i < cell->n_items && r == 0; i++) {
        if (i > 0)
            r = buf_append_byte(out, ',', err);
        if (r == 0)
            r = json_write_string(out, cell->items[i], err);
    }
    return r < 0 ? r : buf_append_byte(out, ']', err);
}

/* The comma or brace before a member, and its name. */
static int write_name(struct buf *out, size_t i, const char *name, struct err *err)
{
    int r = buf_append_byte(out, i == 0 ? '{' : ',', err);
    if (r == 0)
        r = json_write_string(out, span_str(name), err);
    return r < 0 ? r : buf_append_byte(out, ':', err);
}

static int write_record(struct buf *out, const char *const *fields, const struct cell *cell,
                        struct err *err)
{
    int r = 0;
    for (size_t i = 0; i < cell->n_items && r == 0; i++) {
        r = write_name(out, i, fields[i], err);
        if (r == 0)
            r = cell->items[i].ptr ? json_write_string(out, cell->items[i], err)
                                   : buf_append_str(out, "null", err);
    }
    return r < 0 ? r : buf_append_byte(out, '}', err);
}

int append_json_value(struct buf *out, const struct column *column, const struct cell *cell,
                      struct err *err)
{
    char text[UTC_TEXT_BYTES];
    switch (column->type) {
    case COLUMN_STRING:
        return json_write_string(out, cell->text, err);
    case COLUMN_INT64:
        return buf_printf(out, err, "%" PRId64, cell->integer);
    case COLUMN_DOUBLE:
        return write_double(out, cell->real, err);
    case COLUMN_BOOL:
        return buf_append_str(out, cell->integer ? "true" : "false", err);
    case COLUMN_DATE:
        format_date(text, cell->integer);
        return buf_printf(out, err, "\"%s\"", text);
    case COLUMN_TIMESTAMP:
        utc_format(text, cell->integer);
        return buf_printf(out, err, "\"%s\"", text);
    case COLUMN_DATETIME:
        utc_format_naive(text, cell->integer);
        return buf_printf(out, err, "\"%s\"", text);
    case COLUMN_JSON:
        return json_write_compact(out, cell->text, err);
    case COLUMN_STRINGS:
        return write_items(out, cell, err);
    case COLUMN_RECORD:
        return write_record(out, column->fields, cell, err);
    }
    return err_set(err, E_ARG, 0, "no such type of column");
}

int warehouse_row_json(struct buf *out, const struct column *columns, const struct cell *cells,
                       struct err *err)
{
    int r = 0;
    for (size_t i = 0; columns[i].name && r == 0; i++) {
        r = write_name(out, i, columns[i].name, err);
        if (r == 0)
            r = cells[i].is_null
                    ? buf_append_str(out, columns[i].type == COLUMN_STRINGS ? "[]" : "null", err)
                    : append_json_value(out, &columns[i], &cells[i], err);
    }
    return r < 0 ? r : buf_append_byte(out, '}', err);
}
