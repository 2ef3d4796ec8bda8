/* SPDX-License-Identifier: MPL-2.0 */
/* BigQuery: rows as it takes them in (a line of JSON) and as it gives them out (texts). */
#include "base/utc.h"
#include "warehouse/bigquery_impl.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <strings.h>

int bigquery_write_row(struct buf *out, const struct column *columns, const struct cell *cells,
                       struct err *err)
{
    const int r = warehouse_row_json(out, columns, cells, err);
    return r < 0 ? r : buf_append_byte(out, '\n', err);
}

static bool read_integer(int64_t *out, const char *text)
{
    char *end;
    errno = 0;
    *out = strtoll(text, &end, 10);
    return errno == 0 && end > text && *end == '\0';
}

static bool read_double(double *out, const char *text)
{
    char *end;
    *out = strtod(text, &end);
    return end > text && *end == '\0';
}

static bool read_naive(int64_t *us, const char *text)
{
    char whole[UTC_TEXT_BYTES];
    const int len = snprintf(whole, sizeof whole, "%sZ", text);
    if (len < 11 || (size_t)len >= sizeof whole)
        return false;
    if (whole[10] == ' ')
        whole[10] = 'T';
    return utc_parse(us, whole, NULL) == 0;
}

static bool read_date(int64_t *days, const char *text)
{
    char whole[UTC_TEXT_BYTES];
    int64_t us;
    if (strlen(text) != DATE_TEXT_BYTES - 1)
        return false;
    (void)snprintf(whole, sizeof whole, "%sT00:00:00Z", text);
    const bool ok = utc_parse(&us, whole, NULL) == 0;
    if (ok)
        *days = us / us_per_day - (us % us_per_day < 0);
    return ok;
}

/* Microseconds were asked for; a server that knows no such thing gives seconds with a fraction. */
static bool read_timestamp(int64_t *us, const char *text)
{
    double seconds;
    if (!strpbrk(text, ".eE"))
        return read_integer(us, text);
    if (!read_double(&seconds, text) || !(fabs(seconds) < 1e12))
        return false;
    *us = (int64_t)(seconds * 1e6 + (seconds < 0 ? -0.5 : 0.5));
    return true;
}

static bool read_bool(int64_t *out, const char *text)
{
    *out = strcasecmp(text, "true") == 0;
    return *out || strcasecmp(text, "false") == 0;
}

static bool read_value(struct cell *cell, enum column_type type, const json_t *value)
{
    const char *text = json_string_value(value);
    switch (type) {
    case COLUMN_STRING:
    case COLUMN_JSON:
        cell->text = span_of(text, json_string_length(value));
        return true;
    case COLUMN_INT64:
        return read_integer(&cell->integer, text);
    case COLUMN_DOUBLE:
        return read_double(&cell->real, text);
    case COLUMN_BOOL:
        return read_bool(&cell->integer, text);
    case COLUMN_DATE:
        return read_date(&cell->integer, text);
    case COLUMN_TIMESTAMP:
        return read_timestamp(&cell->integer, text);
    case COLUMN_DATETIME:
        return read_naive(&cell->integer, text);
    case COLUMN_STRINGS:
    case COLUMN_RECORD:
        return false;
    }
    return false;
}

int bigquery_read_cell(struct cell *cell, const struct column *column, const json_t *value,
                       struct err *err)
{
    *cell = (struct cell){.is_null = json_is_null(value)};
    if (cell->is_null)
        return 0;
    if (json_is_string(value) && read_value(cell, column->type, value))
        return 0;
    return err_set(err, E_FORMAT, 0, "BigQuery's answer has no %s in column %s",
                   bigquery_type_name(column->type), column->name);
}
