/* SPDX-License-Identifier: MPL-2.0 */
/* Days in paths and rows: partitions are called submission_date_s3 or submission_date. */
#include "base/utc.h"
#include "taar/telemetry_internal.h"

#include <stdio.h>

static const char place[] = "{dateformat}";
static const char *const partitions[] = {"submission_date_s3=", "submission_date="};
static const int64_t day_us = INT64_C(86400) * 1000000;

bool has_dateformat(const char *source)
{
    return strstr(source, place) != NULL;
}

void day_text(char out[DAY_TEXT_BYTES], int64_t day, bool dashes)
{
    char text[UTC_TEXT_BYTES];
    utc_format(text, day * day_us);
    (void)snprintf(out, DAY_TEXT_BYTES, dashes ? "%.4s-%.2s-%.2s" : "%.4s%.2s%.2s", text, text + 5,
                   text + 8);
}

static bool ends_with(struct span text, const char *end)
{
    const size_t n = strlen(end);
    return text.len >= n && memcmp(text.ptr + text.len - n, end, n) == 0;
}

int append_dated(struct buf *out, const char *source, int64_t day, struct err *err)
{
    int r = 0;
    for (const char *at; r == 0 && (at = strstr(source, place)); source = at + strlen(place)) {
        char text[DAY_TEXT_BYTES];
        r = buf_append(out, source, (size_t)(at - source), err);
        day_text(text, day, ends_with(buf_span(out), partitions[1]));
        if (r == 0)
            r = buf_append_str(out, text, err);
    }
    return r < 0 ? r : buf_append_str(out, source, err);
}

static bool read_day(int64_t *day, struct span text)
{
    char dashed[sizeof "2021-03-14"];
    if (text.len != 8)
        return utc_parse_date(day, text);
    const char *t = (const char *)text.ptr;
    (void)snprintf(dashed, sizeof dashed, "%.4s-%.2s-%.2s", t, t + 4, t + 6);
    return utc_parse_date(day, span_str(dashed));
}

int day_of_path(int64_t *day, const char *path, struct err *err)
{
    *day = NO_DAY;
    for (const char *name = path; name; name = strchr(name, '/') ? strchr(name, '/') + 1 : NULL) {
        for (size_t i = 0; i < ARRAY_LEN(partitions); i++) {
            const size_t n = strlen(partitions[i]);
            if (strncmp(name, partitions[i], n) != 0)
                continue;
            const size_t len = strcspn(name + n, "/");
            if (!read_day(day, span_of(name + n, len)))
                return err_set(err, E_FORMAT, 0,
                               "%s: %.*s is no partition of a day like 20210314 or 2021-03-14",
                               path, (int)(n + len), name);
        }
    }
    return 0;
}

static const struct found *day_column(const struct found_columns *found)
{
    const struct found *date = found_column(found, "submission_date");
    if (!date)
        date = found_column(found, "submission_date_s3");
    return date ? date : found_column(found, "submission_timestamp");
}

enum day_type { DAY_DATE, DAY_TEXT, DAY_NUMBER, DAY_TIME, DAY_NONE };

static enum day_type day_type_of(const char *type)
{
    if (strcmp(type, "DATE") == 0)
        return DAY_DATE;
    if (strcmp(type, "VARCHAR") == 0)
        return DAY_TEXT;
    if (strcmp(type, "INTEGER") == 0 || strcmp(type, "BIGINT") == 0)
        return DAY_NUMBER;
    return strncmp(type, "TIMESTAMP", strlen("TIMESTAMP")) == 0 ? DAY_TIME : DAY_NONE;
}

int append_day_column(struct buf *sql, const struct found_columns *found, bool *has,
                      struct err *err)
{
    const struct found *date = day_column(found);
    *has = date != NULL;
    if (!date)
        return buf_append_str(sql, "CAST(NULL AS DATE)", err);
    const bool is_stamp = strcmp(date->name, "submission_timestamp") == 0;
    const enum day_type type = day_type_of(date->type);
    if (is_stamp && type == DAY_TEXT)
        return buf_printf(sql, err, "CAST(CAST(%s AS TIMESTAMP WITH TIME ZONE) AS DATE)",
                          date->name);
    switch (type) {
    case DAY_DATE:
        return buf_printf(sql, err, "%s", date->name);
    case DAY_TEXT:
        return buf_printf(sql, err, "CAST(strptime(%s, ['%%Y-%%m-%%d', '%%Y%%m%%d']) AS DATE)",
                          date->name);
    case DAY_NUMBER:
        return buf_printf(sql, err, "CAST(strptime(CAST(%s AS VARCHAR), '%%Y%%m%%d') AS DATE)",
                          date->name);
    case DAY_TIME: // the session's zone is UTC
        return buf_printf(sql, err, "CAST(CAST(%s AS TIMESTAMP) AS DATE)", date->name);
    case DAY_NONE:
        break;
    }
    return err_set(err, E_FORMAT, 0, "column %s is of type %.100s, no date", date->name,
                   date->type);
}

/* On the column as it is stored, so that Parquet's statistics can tell what to skip. */
int append_day_test(struct buf *sql, const struct found_columns *found, int64_t first, int64_t last,
                    struct err *err)
{
    const struct found *date = day_column(found);
    const enum day_type type = day_type_of(date->type);
    char dashed[2][DAY_TEXT_BYTES], plain[2][DAY_TEXT_BYTES];
    day_text(dashed[0], first, true);
    day_text(dashed[1], last, true);
    day_text(plain[0], first, false);
    day_text(plain[1], last, false);
    if (type == DAY_DATE)
        return buf_printf(sql, err, "%s BETWEEN DATE '%s' AND DATE '%s'", date->name, dashed[0],
                          dashed[1]);
    if (type == DAY_NUMBER)
        return buf_printf(sql, err, "%s BETWEEN %s AND %s", date->name, plain[0], plain[1]);
    if (type == DAY_TEXT && strcmp(date->name, "submission_timestamp") != 0)
        return buf_printf(sql, err,
                          "CASE length(%s) WHEN 8 THEN %s BETWEEN '%s' AND '%s' ELSE "
                          "%s BETWEEN '%s' AND '%s' END",
                          date->name, date->name, plain[0], plain[1], date->name, dashed[0],
                          dashed[1]);
    bool has;
    const int r = append_day_column(sql, found, &has, err);
    return r < 0 ? r
                 : buf_printf(sql, err, " BETWEEN DATE '%s' AND DATE '%s'", dashed[0], dashed[1]);
}
