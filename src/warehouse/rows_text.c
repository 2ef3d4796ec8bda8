/* SPDX-License-Identifier: MPL-2.0 */
#include "base/utc.h"
#include "codec/record.h"
#include "warehouse/backend.h"

#include <stdlib.h>

enum { FLUSH_BYTES = 64 << 10 };
static const size_t text_max_bytes = (size_t)256 << 20;

const char *const rows_format_names[] = {"ndjson", "csv", "table", NULL};

struct writer {
    const struct rows_text *o;
    size_t n_columns;
    struct buf text;  // on its way out
    struct buf value; // of one cell, as text
    size_t *widths;   // in characters
    int (*put_row)(struct writer *w, const struct cell *cells, struct err *err);
};

static int flush(struct writer *w, struct err *err)
{
    const int r =
        w->text.len > 0 ? w->o->write(w->o->write_arg, w->text.data, w->text.len, err) : 0;
    buf_clear(&w->text);
    return r;
}

static bool is_number(const struct column *column)
{
    return column->type == COLUMN_INT64 || column->type == COLUMN_DOUBLE;
}

static void format_time(char out[UTC_TEXT_BYTES], int64_t us)
{
    static const char end[] = "Z";
    utc_format(out, us); // ".123456Z" ends it
    memcpy(out + strlen(out) - strlen("456Z"), end, sizeof end);
}

static bool is_short_time(const struct writer *w, const struct column *column)
{
    return w->o->milliseconds && column->type == COLUMN_TIMESTAMP;
}

/* The text of a cell that is not null, before any quoting, into w->value. */
static int spell(struct writer *w, const struct column *column, const struct cell *cell,
                 struct err *err)
{
    char time[UTC_TEXT_BYTES];
    buf_clear(&w->value);
    if (column->type == COLUMN_STRING)
        return buf_append(&w->value, cell->text.ptr, cell->text.len, err);
    if (is_short_time(w, column)) {
        format_time(time, cell->integer);
        return buf_append_str(&w->value, time, err);
    }
    const int r = append_json_value(&w->value, column, cell, err);
    const bool is_text = column->type == COLUMN_DATE || column->type == COLUMN_TIMESTAMP ||
                         column->type == COLUMN_DATETIME || column->type == COLUMN_DOUBLE;
    if (r == 0 && is_text && w->value.data[0] == '"') {
        w->value.len -= 2;
        memmove(w->value.data, w->value.data + 1, w->value.len);
    }
    return r;
}

static int put_json_value(struct writer *w, const struct column *column, const struct cell *cell,
                          struct err *err)
{
    char time[UTC_TEXT_BYTES];
    if (cell->is_null)
        return buf_append_str(&w->text, "null", err);
    if (!is_short_time(w, column))
        return append_json_value(&w->text, column, cell, err);
    format_time(time, cell->integer);
    return buf_printf(&w->text, err, "\"%s\"", time);
}

static int put_json_row(struct writer *w, const struct cell *cells, struct err *err)
{
    int r = 0;
    for (size_t i = 0; i < w->n_columns && r == 0; i++) {
        r = buf_append_byte(&w->text, i == 0 ? '{' : ',', err);
        if (r == 0)
            r = json_write_string(&w->text, span_str(w->o->columns[i].name), err);
        if (r == 0)
            r = buf_append_byte(&w->text, ':', err);
        if (r == 0)
            r = put_json_value(w, &w->o->columns[i], &cells[i], err);
    }
    return r < 0 ? r : buf_append_str(&w->text, "}\n", err);
}

static bool needs_quotes(struct span value)
{
    if (value.len == 0)
        return true; // null is what stands there without quotes
    for (size_t i = 0; i < value.len; i++)
        if (strchr(",\"\r\n", value.ptr[i]) || value.ptr[i] == '\0')
            return true;
    return false;
}

static int put_csv_value(struct writer *w, struct err *err)
{
    const struct span value = buf_span(&w->value);
    if (!needs_quotes(value))
        return buf_append(&w->text, value.ptr, value.len, err);
    int r = buf_append_byte(&w->text, '"', err);
    for (size_t i = 0; i < value.len && r == 0; i++) {
        if (value.ptr[i] == '"')
            r = buf_append_byte(&w->text, '"', err);
        if (r == 0)
            r = buf_append_byte(&w->text, value.ptr[i], err);
    }
    return r < 0 ? r : buf_append_byte(&w->text, '"', err);
}

static int put_csv_row(struct writer *w, const struct cell *cells, struct err *err)
{
    int r = 0;
    for (size_t i = 0; i < w->n_columns && r == 0; i++) {
        if (i > 0)
            r = buf_append_byte(&w->text, ',', err);
        if (r < 0 || cells[i].is_null)
            continue;
        r = spell(w, &w->o->columns[i], &cells[i], err);
        if (r == 0)
            r = put_csv_value(w, err);
    }
    return r < 0 ? r : buf_append_str(&w->text, "\r\n", err);
}

static int put_csv_header(struct writer *w, struct err *err)
{
    int r = 0;
    for (size_t i = 0; i < w->n_columns && r == 0; i++)
        r = buf_printf(&w->text, err, "%s%s", i > 0 ? "," : "", w->o->columns[i].name);
    return r < 0 ? r : buf_append_str(&w->text, "\r\n", err);
}

static size_t count_characters(struct span text)
{
    size_t n = 0;
    for (size_t i = 0; i < text.len; i++)
        n += (text.ptr[i] & 0xc0) != 0x80;
    return n;
}

/* A control character could end the row or command a terminal; those of two bytes begin with c2. */
static void tame(struct span value)
{
    uint8_t *text = (uint8_t *)value.ptr; // w->value's own
    for (size_t i = 0; i < value.len; i++) {
        if (text[i] < 0x20 || text[i] == 0x7f)
            text[i] = '?';
        else if (text[i] == 0xc2 && i + 1 < value.len && text[i + 1] < 0xa0)
            text[i] = text[i + 1] = '?';
    }
}

static int cut(struct writer *w, struct err *err)
{
    const size_t max = w->o->max_width;
    if (max == 0 || w->value.len <= max || count_characters(buf_span(&w->value)) <= max)
        return 0;
    size_t len = 0, n = 0;
    while ((w->value.data[len] & 0xc0) == 0x80 || ++n < max)
        len++;
    w->value.len = len; // where the last character begins that there is room for
    return buf_append_str(&w->value, "\xe2\x80\xa6", err);
}

static int show(struct writer *w, const struct column *column, const struct cell *cell,
                struct err *err)
{
    int r = 0;
    buf_clear(&w->value);
    if (cell->is_null)
        r = buf_append_str(&w->value, "null", err);
    else if (column->type == COLUMN_DOUBLE && w->o->decimals > 0)
        r = buf_printf(&w->value, err, "%.*f", w->o->decimals, cell->real);
    else
        r = spell(w, column, cell, err);
    if (r < 0)
        return r;
    tame(buf_span(&w->value));
    return cut(w, err);
}

static int measure_row(struct writer *w, const struct cell *cells, struct err *err)
{
    int r = 0;
    for (size_t i = 0; i < w->n_columns && r == 0; i++) {
        r = show(w, &w->o->columns[i], &cells[i], err);
        const size_t width = count_characters(buf_span(&w->value));
        if (width > w->widths[i])
            w->widths[i] = width;
    }
    return r;
}

/* Append w->value as column i: numbers to the right. */
static int put_column(struct writer *w, size_t i, struct err *err)
{
    const bool right = is_number(&w->o->columns[i]);
    const size_t width = count_characters(buf_span(&w->value));
    const int gap = w->widths[i] > width ? (int)(w->widths[i] - width) : 0;
    const bool last = i + 1 == w->n_columns;
    int r = 0;
    if (right && gap > 0)
        r = buf_printf(&w->text, err, "%*s", gap, "");
    if (r == 0)
        r = buf_append(&w->text, w->value.data, w->value.len, err);
    if (r == 0 && !right && gap > 0 && !last)
        r = buf_printf(&w->text, err, "%*s", gap, "");
    return r < 0 ? r : buf_append_str(&w->text, last ? "\n" : "  ", err);
}

static int put_table_row(struct writer *w, const struct cell *cells, struct err *err)
{
    int r = 0;
    for (size_t i = 0; i < w->n_columns && r == 0; i++) {
        r = show(w, &w->o->columns[i], &cells[i], err);
        if (r == 0)
            r = put_column(w, i, err);
    }
    return r;
}

static int put_table_header(struct writer *w, struct err *err)
{
    int r = 0;
    for (size_t i = 0; i < w->n_columns && r == 0; i++) {
        buf_clear(&w->value);
        r = buf_append_str(&w->value, w->o->columns[i].name, err);
        if (r == 0)
            r = put_column(w, i, err);
    }
    return r;
}

static int take_row(void *arg, const struct cell *cells, struct err *err)
{
    struct writer *w = arg;
    const int r = w->put_row(w, cells, err);
    return r < 0 || w->text.len < FLUSH_BYTES ? r : flush(w, err);
}

/* The columns' widths are known only when all rows have been seen, so they are read twice. */
static int write_table(struct writer *w, rows_scan_fn *scan, void *scan_arg, struct err *err)
{
    for (size_t i = 0; i < w->n_columns; i++)
        w->widths[i] = strlen(w->o->columns[i].name);
    w->put_row = measure_row;
    int r = scan(scan_arg, take_row, w, err);
    if (r == 0)
        r = put_table_header(w, err);
    w->put_row = put_table_row;
    return r < 0 ? r : scan(scan_arg, take_row, w, err);
}

static int write_rows(struct writer *w, rows_scan_fn *scan, void *scan_arg, struct err *err)
{
    int r = 0;
    switch (w->o->format) {
    case ROWS_NDJSON:
        w->put_row = put_json_row;
        return scan(scan_arg, take_row, w, err);
    case ROWS_CSV:
        w->put_row = put_csv_row;
        r = put_csv_header(w, err);
        return r < 0 ? r : scan(scan_arg, take_row, w, err);
    case ROWS_TABLE:
        return write_table(w, scan, scan_arg, err);
    }
    return err_set(err, E_ARG, 0, "no such format");
}

int rows_text_write(const struct rows_text *text, rows_scan_fn *scan, void *scan_arg,
                    struct err *err)
{
    struct writer w = {.o = text,
                       .n_columns = count_columns(text->columns),
                       .text = BUF_INIT(text_max_bytes),
                       .value = BUF_INIT(text_max_bytes)};
    w.widths = calloc(w.n_columns + 1, sizeof *w.widths);
    int r = w.widths ? write_rows(&w, scan, scan_arg, err)
                     : err_set(err, E_NOMEM, 0, "no memory for the widths of columns");
    if (r == 0)
        r = flush(&w, err);
    free(w.widths);
    buf_deinit(&w.text);
    buf_deinit(&w.value);
    return r;
}
