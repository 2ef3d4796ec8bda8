/* SPDX-License-Identifier: MPL-2.0 */
/*
 * SELECTs over files: what each file has is asked first, and files that have the same are read
 * together. A day that a path names is a constant of its SELECT.
 */
#include "base/log.h"
#include "base/source.h"
#include "taar/telemetry_internal.h"

#include <stdio.h>

/* JSON members are looked for in so many lines: one that is null may be left out. */
#define PROBED_LINES "1000"

enum file_format { FILE_PARQUET, FILE_JSON, FILE_JSON_GZIP, FILE_JSON_ZSTD, FILE_EMPTY };

struct group {
    enum file_format format;
    char *key; // what tells groups apart: append_key
    size_t key_len;
    struct buf paths; // 'a', 'b'
};

struct groups {
    struct group *groups;
    size_t n;
};

static void groups_deinit(struct groups *g)
{
    for (size_t i = 0; i < g->n; i++) {
        free(g->groups[i].key);
        buf_deinit(&g->groups[i].paths);
    }
    free(g->groups);
}

static int detect_format(enum file_format *format, const char *path, struct err *err)
{
    static const struct {
        const char *magic;
        enum file_format format;
    } magics[] = {
        {"PAR1", FILE_PARQUET}, {"\x1f\x8b", FILE_JSON_GZIP}, {"\x28\xb5\x2f\xfd", FILE_JSON_ZSTD}};
    static const char parquet[] = ".parquet";
    struct file_source file = {.fd = -1};
    char start[8] = "";
    int r = file_source_open(&file, path, err);
    if (r < 0)
        return r;
    const ssize_t n = file_source(&file).read(&file, start, sizeof start - 1, err);
    file_source_close(&file);
    if (n < 0)
        return (int)n;
    const size_t len = strlen(path), end = sizeof parquet - 1;
    *format = n == 0                                                ? FILE_EMPTY
              : len > end && strcmp(path + len - end, parquet) == 0 ? FILE_PARQUET
                                                                    : FILE_JSON;
    for (size_t i = 0; i < ARRAY_LEN(magics); i++)
        if (strncmp(start, magics[i].magic, strlen(magics[i].magic)) == 0)
            *format = magics[i].format;
    return 0;
}

static const char *compression_of(enum file_format format)
{
    return format == FILE_JSON_GZIP ? "gzip" : format == FILE_JSON_ZSTD ? "zstd" : "uncompressed";
}

/* Of JSON, columns are read as what they are declared, absent ones are null. */
static int append_json_columns(struct buf *sql, enum telemetry_kind kind, struct err *err)
{
    int r =
        buf_append_str(sql, "{'submission_date': 'VARCHAR', 'submission_date_s3': 'VARCHAR'", err);
    for (const struct telemetry_column *c = telemetry_columns[kind]; c->name && r == 0; c++) {
        r = buf_printf(sql, err, ", '%s': ", c->name);
        if (r == 0)
            r = append_literal(sql, c->in_json ? "VARCHAR" : c->type, err);
    }
    return r < 0 ? r : buf_append_str(sql, "}", err);
}

static int append_reader(struct buf *sql, enum telemetry_kind kind, enum file_format format,
                         const char *paths, struct err *err)
{
    if (format == FILE_PARQUET)
        return buf_printf(sql, err,
                          "read_parquet([%s], binary_as_string = true, hive_partitioning = false)",
                          paths);
    int r = buf_printf(sql, err,
                       "read_json([%s], format = 'newline_delimited', records = 'true', "
                       "hive_partitioning = false, compression = '%s', columns = ",
                       paths, compression_of(format));
    if (r == 0)
        r = append_json_columns(sql, kind, err);
    return r < 0 ? r : buf_append_str(sql, ")", err);
}

static int take_column(void *arg, const struct cell *cells, struct err *err)
{
    return found_columns_add(arg, cells[0].text, cells[1].text, err);
}

static int probe(struct telemetry *t, const char *sql, struct found_columns *found, struct err *err)
{
    static const struct column columns[] = {{.name = "name", .type = COLUMN_STRING},
                                            {.name = "type", .type = COLUMN_STRING},
                                            {.name = NULL}};
    return warehouse_query(t->warehouse, sql, columns, take_column, found, err);
}

static int append_probe(struct buf *sql, enum file_format format, const char *path, struct err *err)
{
    CLEANUP(buf_deinit) struct buf literal = BUF_INIT(1 << 16);
    int r = append_path(&literal, path, err);
    if (r == 0)
        r = buf_append_byte(&literal, '\0', err);
    const char *p = (const char *)literal.data;
    if (r == 0 && format == FILE_PARQUET)
        r = buf_printf(sql, err,
                       "SELECT column_name, column_type FROM (DESCRIBE SELECT * FROM "
                       "read_parquet([%s], binary_as_string = true, hive_partitioning = false))",
                       p);
    else if (r == 0)
        r = buf_printf(sql, err,
                       "SELECT DISTINCT unnest(json_keys(json)), 'JSON' FROM (SELECT json FROM "
                       "read_ndjson_objects([%s], compression = '%s') WHERE json_type(json) = "
                       "'OBJECT' LIMIT " PROBED_LINES ")",
                       p, compression_of(format));
    return r < 0 ? r : buf_append_byte(sql, '\0', err);
}

static int check_needed(struct telemetry *t, const struct found_columns *found, struct err *err)
{
    for (char **name = t->needed; *name; name++)
        if (!found_column(found, *name))
            return err_set(err, E_FORMAT, 0, "%s has no column %s, which is needed", found->place,
                           *name);
    return 0;
}

/* One line, of the columns that no earlier one named. */
static int warn_of_missing(struct telemetry *t, const struct found_columns *found, struct err *err)
{
    const struct telemetry_column *columns = telemetry_columns[t->kind];
    CLEANUP(buf_deinit) struct buf names = BUF_INIT(1 << 16);
    int r = 0;
    for (size_t i = 0; columns[i].name && r == 0; i++) {
        if (t->warned[i] || found_column(found, columns[i].name))
            continue;
        t->warned[i] = true;
        r = buf_printf(&names, err, "%s%s", names.len > 0 ? ", " : "", columns[i].name);
    }
    if (r == 0 && names.len > 0)
        log_warning("%s has no values of %.*s: they are taken as null", found->place,
                    (int)names.len, (const char *)names.data);
    return r;
}

/* What the reader of JSON declares, and of the days' columns the one that is there. */
static int declare(struct found_columns *found, enum telemetry_kind kind, struct err *err)
{
    static const char *const days[] = {"submission_date", "submission_date_s3"};
    struct found_columns declared = {.place = found->place};
    int r = 0;
    for (const struct telemetry_column *c = telemetry_columns[kind]; c->name && r == 0; c++)
        r = found_columns_add(&declared, span_str(c->name),
                              span_str(c->in_json ? "VARCHAR" : c->type), err);
    for (size_t i = 0; i < ARRAY_LEN(days) && r == 0; i++)
        if (found_column(found, days[i]))
            r = found_columns_add(&declared, span_str(days[i]), span_str("VARCHAR"), err);
    found->place = NULL;
    found_columns_deinit(found);
    *found = declared;
    return r;
}

static int append_columns(struct buf *sql, struct telemetry *t, const struct found_columns *found,
                          int64_t day, struct err *err)
{
    char text[DAY_TEXT_BYTES];
    bool has = true;
    int r;
    if (day != NO_DAY) {
        day_text(text, day, true);
        r = buf_printf(sql, err, "DATE '%s'", text);
    } else {
        r = append_day_column(sql, found, &has, err);
    }
    if (r == 0 && !has && t->first != TELEMETRY_ANY_FIRST)
        r = err_set(err, E_FORMAT, 0, "there is no column submission_date, nor one in the path");
    if (r == 0)
        r = buf_append_str(sql, " AS submission_date", err);
    for (const struct telemetry_column *c = telemetry_columns[t->kind]; c->name && r == 0; c++) {
        const struct found *is = found_column(found, c->name);
        r = buf_append_str(sql, ", ", err);
        if (r == 0 && !is)
            r = buf_printf(sql, err, "CAST(NULL AS %s)", c->type);
        else if (r == 0 && strcmp(c->name, "active_addons") == 0)
            r = append_addons(sql, is->type, err);
        else if (r == 0)
            r = append_cast(sql, c, c->name, is->type, err);
        if (r == 0)
            r = buf_printf(sql, err, " AS %s", c->name);
    }
    return r < 0 ? err_wrap(err, r, "%s", found->place) : buf_append_byte(sql, '\0', err);
}

static int append_where(struct buf *sql, struct telemetry *t, const struct found_columns *found,
                        int64_t day, struct err *err)
{
    if (day != NO_DAY || t->first == TELEMETRY_ANY_FIRST)
        return 0;
    const int r = buf_append_str(sql, " WHERE ", err);
    return r < 0 ? r : append_day_test(sql, found, t->first, t->last, err);
}

/* SELECT list, NUL, WHERE, NUL, types, NUL. */
static int append_key(struct buf *key, struct telemetry *t, const struct found_columns *found,
                      int64_t day, struct err *err)
{
    int r = append_columns(key, t, found, day, err);
    if (r == 0)
        r = append_where(key, t, found, day, err);
    if (r == 0)
        r = buf_append_byte(key, '\0', err);
    for (const struct telemetry_column *c = telemetry_columns[t->kind]; c->name && r == 0; c++) {
        const struct found *is = found_column(found, c->name);
        if (is)
            r = buf_printf(key, err, "%s ", is->type);
    }
    return r < 0 ? r : buf_append_byte(key, '\0', err);
}

static int add_group(struct groups *g, enum file_format format, const struct buf *key,
                     const char *path, struct err *err)
{
    struct group *groups = realloc(g->groups, (g->n + 1) * sizeof *groups);
    if (!groups)
        return err_set(err, E_NOMEM, 0, "no memory for files");
    g->groups = groups;
    struct group *new = &g->groups[g->n++];
    *new = (struct group){.format = format, .paths = BUF_INIT(TELEMETRY_MAX_SQL)};
    if (!(new->key = malloc(key->len)))
        return err_set(err, E_NOMEM, 0, "no memory for files");
    memcpy(new->key, key->data, key->len);
    new->key_len = key->len;
    return append_path(&new->paths, path, err);
}

static int add_to_group(struct groups *g, enum file_format format, const struct buf *key,
                        const char *path, struct err *err)
{
    size_t i = 0;
    while (i < g->n &&
           (g->groups[i].format != format ||
            !span_equal(span_of(g->groups[i].key, g->groups[i].key_len), buf_span(key))))
        i++;
    if (i == g->n)
        return add_group(g, format, key, path, err);
    struct buf *paths = &g->groups[i].paths;
    const int r = buf_append_str(paths, ", ", err);
    return r < 0 ? r : append_path(paths, path, err);
}

static int add_file(struct groups *g, struct telemetry *t, const struct source_file *file,
                    struct err *err)
{
    enum file_format format = FILE_EMPTY;
    CLEANUP(found_columns_deinit) struct found_columns found = {0};
    CLEANUP(buf_deinit) struct buf text = BUF_INIT(TELEMETRY_MAX_SQL);
    int r = detect_format(&format, file->path, err);
    if (r < 0 || format == FILE_EMPTY)
        return r;
    found.place = strdup(file->path);
    r = found.place ? append_probe(&text, format, file->path, err)
                    : err_set(err, E_NOMEM, 0, "no memory for a path");
    if (r == 0)
        r = probe(t, (const char *)text.data, &found, err);
    if (r == 0)
        r = check_needed(t, &found, err);
    if (r == 0)
        r = warn_of_missing(t, &found, err);
    if (r == 0 && format != FILE_PARQUET)
        r = declare(&found, t->kind, err);
    buf_clear(&text);
    if (r == 0)
        r = append_key(&text, t, &found, file->day, err);
    return r < 0 ? r : add_to_group(g, format, &text, file->path, err);
}

static int append_group(struct buf *sql, struct telemetry *t, struct group *g, struct err *err)
{
    int r = buf_append_byte(&g->paths, '\0', err);
    if (r == 0)
        r = buf_printf(sql, err, "SELECT %s FROM ", g->key);
    if (r == 0)
        r = append_reader(sql, t->kind, g->format, (const char *)g->paths.data, err);
    return r < 0 ? r : buf_append_str(sql, g->key + strlen(g->key) + 1, err);
}

int append_files_relation(struct buf *sql, struct telemetry *t, const struct source_file *files,
                          size_t n, struct err *err)
{
    CLEANUP(groups_deinit) struct groups groups = {0};
    int r = 0;
    for (size_t i = 0; i < n && r == 0; i++)
        r = add_file(&groups, t, &files[i], err);
    if (r == 0 && groups.n == 0)
        return err_set(err, E_ABSENT, 0, "%s holds no rows: its files are empty", t->source);
    for (size_t i = 0; i < groups.n && r == 0; i++) {
        r = buf_append_str(sql, i == 0 ? "(" : " UNION ALL ", err);
        if (r == 0)
            r = append_group(sql, t, &groups.groups[i], err);
    }
    return r < 0 ? r : buf_append_str(sql, ")", err);
}

int append_relation_of(struct buf *sql, struct telemetry *t, const struct found_columns *found,
                       const char *name, struct err *err)
{
    CLEANUP(buf_deinit) struct buf select = BUF_INIT(TELEMETRY_MAX_SQL);
    int r = check_needed(t, found, err);
    if (r == 0)
        r = warn_of_missing(t, found, err);
    if (r == 0)
        r = append_columns(&select, t, found, NO_DAY, err);
    if (r == 0)
        r = buf_printf(sql, err, "(SELECT %s FROM %s", (const char *)select.data, name);
    if (r == 0)
        r = append_where(sql, t, found, NO_DAY, err);
    return r < 0 ? r : buf_append_str(sql, ")", err);
}
