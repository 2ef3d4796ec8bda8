/* SPDX-License-Identifier: MPL-2.0 */
#include "processor/dump.h"

#include "base/utc.h"
#include "base/utf8.h"
#include "codec/record.h"

#include <inttypes.h>

enum { FLUSH_BYTES = 64 << 10, TEXT_MAX_BYTES = 64 << 20 };

struct dumper {
    const struct table_schema *schema;
    const struct stage_sink *out;
    struct buf text;                  // on its way to out
    struct buf value;                 // of one cell, as text
    size_t widths[CONTENT_N_COLUMNS]; // in characters
    int (*put_row)(struct dumper *d, const struct cell *cells, struct err *err);
};

static int flush(struct dumper *d, struct err *err)
{
    const int r = d->text.len > 0 ? d->out->write(d->out->arg, d->text.data, d->text.len, err) : 0;
    buf_clear(&d->text);
    return r;
}

static bool is_text(const struct column *column)
{
    return column->type != COLUMN_INT64;
}

/* The text of a cell that is not null, before any quoting, into d->value. */
static int spell(struct dumper *d, const struct column *column, const struct cell *cell,
                 struct err *err)
{
    char time[UTC_TEXT_BYTES];
    buf_clear(&d->value);
    switch (column->type) {
    case COLUMN_INT64:
        return buf_printf(&d->value, err, "%" PRId64, cell->integer);
    case COLUMN_DATETIME:
        utc_format_naive(time, cell->integer);
        return buf_append_str(&d->value, time, err);
    case COLUMN_DATE:
        utc_format_naive(time, cell->integer * INT64_C(86400) * 1000000);
        return buf_append(&d->value, time, strlen("2026-03-14"), err);
    default:
        return buf_append(&d->value, cell->text.ptr, cell->text.len, err);
    }
}

static int put_json_value(struct dumper *d, const struct column *column, const struct cell *cell,
                          struct err *err)
{
    if (cell->is_null)
        return buf_append_str(&d->text, "null", err);
    const int r = spell(d, column, cell, err);
    if (r < 0)
        return r;
    return is_text(column) ? json_write_string(&d->text, buf_span(&d->value), err)
                           : buf_append(&d->text, d->value.data, d->value.len, err);
}

static int put_json_row(struct dumper *d, const struct cell *cells, struct err *err)
{
    int r = 0;
    for (size_t i = 0; i < CONTENT_N_COLUMNS && r == 0; i++) {
        const struct column *column = &d->schema->columns[i];
        r = buf_printf(&d->text, err, "%c\"%s\":", i == 0 ? '{' : ',', column->name);
        if (r == 0)
            r = put_json_value(d, column, &cells[i], err);
    }
    return r < 0 ? r : buf_append_str(&d->text, "}\n", err);
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

static int put_csv_value(struct dumper *d, struct err *err)
{
    const struct span value = buf_span(&d->value);
    if (!needs_quotes(value))
        return buf_append(&d->text, value.ptr, value.len, err);
    int r = buf_append_byte(&d->text, '"', err);
    for (size_t i = 0; i < value.len && r == 0; i++) {
        if (value.ptr[i] == '"')
            r = buf_append_byte(&d->text, '"', err);
        if (r == 0)
            r = buf_append_byte(&d->text, value.ptr[i], err);
    }
    return r < 0 ? r : buf_append_byte(&d->text, '"', err);
}

static int put_csv_row(struct dumper *d, const struct cell *cells, struct err *err)
{
    int r = 0;
    for (size_t i = 0; i < CONTENT_N_COLUMNS && r == 0; i++) {
        if (i > 0)
            r = buf_append_byte(&d->text, ',', err);
        if (r < 0 || cells[i].is_null)
            continue;
        r = spell(d, &d->schema->columns[i], &cells[i], err);
        if (r == 0)
            r = put_csv_value(d, err);
    }
    return r < 0 ? r : buf_append_str(&d->text, "\r\n", err);
}

static int put_csv_header(struct dumper *d, struct err *err)
{
    int r = 0;
    for (size_t i = 0; i < CONTENT_N_COLUMNS && r == 0; i++)
        r = buf_printf(&d->text, err, "%s%s", i > 0 ? "," : "", d->schema->columns[i].name);
    return r < 0 ? r : buf_append_str(&d->text, "\r\n", err);
}

static size_t count_characters(struct span text)
{
    size_t n = 0;
    for (size_t i = 0; i < text.len; i++)
        n += (text.ptr[i] & 0xc0) != 0x80;
    return n;
}

static int show(struct dumper *d, const struct column *column, const struct cell *cell,
                struct err *err)
{
    int r = 0;
    buf_clear(&d->value);
    if (cell->is_null)
        r = buf_append_str(&d->value, "null", err);
    else
        r = spell(d, column, cell, err);
    // A control character could end the row or command a terminal; those of two bytes begin with
    // c2.
    for (size_t i = 0; r == 0 && i < d->value.len; i++) {
        uint8_t *text = d->value.data;
        if (text[i] < 0x20 || text[i] == 0x7f)
            text[i] = '?';
        else if (text[i] == 0xc2 && i + 1 < d->value.len && text[i + 1] < 0xa0)
            text[i] = text[i + 1] = '?';
    }
    return r;
}

static int measure_row(struct dumper *d, const struct cell *cells, struct err *err)
{
    int r = 0;
    for (size_t i = 0; i < CONTENT_N_COLUMNS && r == 0; i++) {
        r = show(d, &d->schema->columns[i], &cells[i], err);
        const size_t width = count_characters(buf_span(&d->value));
        if (width > d->widths[i])
            d->widths[i] = width;
    }
    return r;
}

/* Append d->value as column i: numbers to the right. */
static int put_column(struct dumper *d, size_t i, bool right, struct err *err)
{
    const size_t width = count_characters(buf_span(&d->value));
    const int gap = d->widths[i] > width ? (int)(d->widths[i] - width) : 0;
    const bool last = i + 1 == CONTENT_N_COLUMNS;
    int r = 0;
    if (right && gap > 0)
        r = buf_printf(&d->text, err, "%*s", gap, "");
    if (r == 0)
        r = buf_append(&d->text, d->value.data, d->value.len, err);
    if (r == 0 && !right && gap > 0 && !last)
        r = buf_printf(&d->text, err, "%*s", gap, "");
    return r < 0 ? r : buf_append_str(&d->text, last ? "\n" : "  ", err);
}

static int put_table_row(struct dumper *d, const struct cell *cells, struct err *err)
{
    int r = 0;
    for (size_t i = 0; i < CONTENT_N_COLUMNS && r == 0; i++) {
        r = show(d, &d->schema->columns[i], &cells[i], err);
        if (r == 0)
            r = put_column(d, i, !is_text(&d->schema->columns[i]), err);
    }
    return r;
}

static int put_table_header(struct dumper *d, struct err *err)
{
    int r = 0;
    for (size_t i = 0; i < CONTENT_N_COLUMNS && r == 0; i++) {
        const struct column *column = &d->schema->columns[i];
        buf_clear(&d->value);
        r = buf_append_str(&d->value, column->name, err);
        if (r == 0)
            r = put_column(d, i, !is_text(column), err);
    }
    return r;
}

static int take_row(void *arg, const struct cell *cells, struct err *err)
{
    struct dumper *d = arg;
    const int r = d->put_row(d, cells, err);
    return r < 0 || d->text.len < FLUSH_BYTES ? r : flush(d, err);
}

static int scan(struct dumper *d, const struct dump_options *options, int64_t date,
                int (*put_row)(struct dumper *, const struct cell *, struct err *), struct err *err)
{
    d->put_row = put_row;
    return warehouse_scan(options->place.warehouse, d->schema, date,
                          "submission_date, batch_id, origin, index", take_row, d, err);
}

/* The columns' widths are known only when all rows have been seen, so a table is read twice. */
static int dump_as(struct dumper *d, const struct dump_options *options, int64_t date,
                   struct err *err)
{
    int r = 0;
    switch (options->format) {
    case DUMP_NDJSON:
        return scan(d, options, date, put_json_row, err);
    case DUMP_CSV:
        r = put_csv_header(d, err);
        return r < 0 ? r : scan(d, options, date, put_csv_row, err);
    case DUMP_TABLE:
        for (size_t i = 0; i < CONTENT_N_COLUMNS; i++)
            d->widths[i] = strlen(d->schema->columns[i].name);
        r = scan(d, options, date, measure_row, err);
        if (r == 0)
            r = put_table_header(d, err);
        return r < 0 ? r : scan(d, options, date, put_table_row, err);
    }
    return err_set(err, E_ARG, 0, "no such format");
}

int dump_rows(const struct dump_options *options, const struct stage_sink *out, struct err *err)
{
    struct table_schema schema;
    int64_t date = INT64_MIN;
    CLEANUP(buf_deinit) struct buf name = BUF_INIT(4096);
    struct dumper d = {.schema = &schema,
                       .out = out,
                       .text = BUF_INIT(TEXT_MAX_BYTES),
                       .value = BUF_INIT(TEXT_MAX_BYTES)};
    int r = content_schema(&schema, &name, &options->place, err);
    if (r == 0 && options->date && *options->date)
        r = content_date(&date, options->date, err);
    if (r == 0)
        r = dump_as(&d, options, date, err);
    if (r == 0)
        r = flush(&d, err);
    buf_deinit(&d.text);
    buf_deinit(&d.value);
    return r;
}
