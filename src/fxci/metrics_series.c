/* SPDX-License-Identifier: MPL-2.0 */
/* A series becomes a row. Source: fxci-etl.md 4.3, 6.4, X14. */
#include "base/utc.h"
#include "fxci/metrics_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIXED_BYTES = 336 }; // the largest double has 309 digits before its point

double metric_round(double value)
{
    char text[FIXED_BYTES];
    (void)snprintf(text, sizeof text, "%.2f", value);
    return strtod(text, NULL);
}

/* An int64Value is text in JSON. */
static bool read_integer(double *value, const char *text)
{
    char *end;
    errno = 0;
    const long long integer = strtoll(text, &end, 10);
    if (end == text || *end || errno != 0)
        return false;
    *value = (double)integer;
    return true;
}

static bool read_value(double *value, const json_t *object)
{
    const json_t *real = json_object_get(object, "doubleValue");
    const json_t *integer = json_object_get(object, "int64Value");
    if (json_is_number(real)) {
        *value = json_number_value(real);
        return true;
    }
    if (json_is_integer(integer)) {
        *value = (double)json_integer_value(integer);
        return true;
    }
    return json_is_string(integer) && read_integer(value, json_string_value(integer));
}

/* Absent: *us is left as it is. */
static bool read_time(int64_t *us, const json_t *time)
{
    if (!time || json_is_null(time))
        return true;
    return json_is_string(time) &&
           utc_parse_rfc3339(us, span_of(json_string_value(time), json_string_length(time)));
}

static bool read_point(struct metric_row *row, const json_t *point, struct err *err)
{
    const json_t *interval = json_object_get(point, "interval");
    if (!read_value(&row->value, json_object_get(point, "value"))) {
        (void)err_set(err, E_FORMAT, 0, "its first point has no number");
        return false;
    }
    if (!read_time(&row->start_us, json_object_get(interval, "startTime")) ||
        !read_time(&row->end_us, json_object_get(interval, "endTime"))) {
        (void)err_set(err, E_FORMAT, 0, "its first point has a time that is none");
        return false;
    }
    row->value = metric_round(row->value);
    return true;
}

static const char *const label_names[] = {"instance_id", "project_id", "zone"};
enum { N_LABELS = ARRAY_LEN(label_names) };

static bool read_labels(const json_t *labels[N_LABELS], const json_t *series, struct err *err)
{
    const json_t *all = json_object_get(json_object_get(series, "resource"), "labels");
    for (size_t i = 0; i < N_LABELS; i++) {
        labels[i] = json_object_get(all, label_names[i]);
        if (!json_is_string(labels[i])) {
            (void)err_set(err, E_FORMAT, 0, "it has no label %s", label_names[i]);
            return false;
        }
    }
    return true;
}

static int append(struct metric_rows *rows, struct metric_row row,
                  const json_t *const labels[N_LABELS], struct err *err)
{
    if (rows->n == rows->room) {
        const size_t room = rows->room ? rows->room * 2 : 1024;
        struct metric_row *more = realloc(rows->rows, room * sizeof *more);
        if (!more)
            return err_set(err, E_NOMEM, 0, "no memory for %zu rows", room);
        rows->rows = more;
        rows->room = room;
    }
    row.texts = rows->texts.len;
    size_t *const lengths[N_LABELS] = {&row.instance_id_len, &row.project_len, &row.zone_len};
    for (size_t i = 0; i < N_LABELS; i++) {
        *lengths[i] = json_string_length(labels[i]);
        const int r = buf_append(&rows->texts, json_string_value(labels[i]), *lengths[i], err);
        if (r < 0)
            return r;
    }
    rows->rows[rows->n++] = row;
    return 0;
}

int metric_series_read(struct metric_rows *rows, const json_t *series,
                       const struct metric_interval *interval, struct err *err)
{
    struct metric_row row = {.start_us = interval->start_us, .end_us = interval->end_us};
    const json_t *labels[N_LABELS];
    const json_t *point = json_array_get(json_object_get(series, "points"), 0);
    if (!point) {
        (void)err_set(err, E_FORMAT, 0, "it has no points");
        return SERIES_BROKEN;
    }
    if (!read_labels(labels, series, err) || !read_point(&row, point, err))
        return SERIES_BROKEN;
    return append(rows, row, labels, err);
}
