/* SPDX-License-Identifier: MPL-2.0 */
#include "fxci/load_row.h"

#include "base/utc.h"
#include "codec/ndjson.h"
#include "fxci/row_file.h"

#include <math.h>
#include <stdio.h>

enum { NUMBER_BYTES = 64, TIME_BYTES = 64, NAME_BYTES = 100, UNKNOWN_BYTES = 1 << 16 };

void load_row_init(struct load_row *l, unsigned cpu, const struct table_schema *schema,
                   bool tabular)
{
    *l = (struct load_row){.schema = schema,
                           .tabular = tabular,
                           // a record or list of CSV is text twice
                           .scratch = BUF_INIT(2 * (size_t)ROW_FILE_MAX_LINE + NDJSON_SLACK),
                           .known_unknown = BUF_INIT(UNKNOWN_BYTES)};
    record_ops_init(&l->ops, cpu);
    for (; schema->columns[l->n_columns].name; l->n_columns++)
        l->names[l->n_columns] = span_str(schema->columns[l->n_columns].name);
}

void load_row_deinit(struct load_row *l)
{
    buf_deinit(&l->scratch);
    buf_deinit(&l->known_unknown);
    member_items_free(&l->lists);
}

/* Tell of a name that is unknown, once. */
static void tell_unknown(struct load_row *l, const char *record, struct span name)
{
    char text[NAME_BYTES];
    if (!l->unknown)
        return;
    (void)snprintf(text, sizeof text, "%s%s%.*s", record, *record ? "." : "", (int)name.len,
                   (const char *)name.ptr);
    const size_t len = strlen(text);
    size_t n = 0;
    for (size_t at = 0; at < l->known_unknown.len; n++) {
        const uint8_t *first = l->known_unknown.data + at;
        const uint8_t *end = memchr(first, '\n', l->known_unknown.len - at);
        if ((size_t)(end - first) == len && memcmp(first, text, len) == 0)
            return;
        at += (size_t)(end - first) + 1;
    }
    if (n == LOAD_MAX_UNKNOWN || buf_append_str(&l->known_unknown, text, NULL) < 0 ||
        buf_append_byte(&l->known_unknown, '\n', NULL) < 0)
        return;
    l->unknown(l->unknown_arg, text);
}

/* As members_read; other names are told of. */
static bool read_members(struct load_row *l, struct span text, const char *record,
                         const struct span *names, size_t n, struct member *members)
{
    struct json_members it = {
        .text = {&l->ops, span_end(text)}, .p = text.ptr, .max_depth = RECORD_MAX_DEPTH};
    struct json_member m;
    int more;
    memset(members, 0, n * sizeof *members);
    while ((more = json_next_member(&it, &m)) == 1) {
        const int i = member_find(names, n, &m);
        if (i < 0)
            tell_unknown(l, record, m.key);
        else
            members[i] = (struct member){m.value, m.value_escaped};
    }
    return more == 0 && json_skip_space(it.p, it.text.end) == it.text.end;
}

static int wrong(const struct column *column, const char *what, struct err *err)
{
    return err_set(err, E_FORMAT, 0, "%s is not %s", column->name, what);
}

static int text_of(struct load_row *l, struct span *text, const struct member *m, struct err *err)
{
    return member_text(text, m, &l->scratch, l->room, err);
}

/* A number, or the text of one: so BigQuery writes integers, and CSV everything. */
static int read_integer(struct load_row *l, struct cell *cell, const struct column *column,
                        const struct member *m, struct err *err)
{
    struct member number = *m;
    int r = 0;
    if (member_is_text(m))
        r = text_of(l, &number.text, m, err);
    if (r == 0 && !member_integer(&cell->integer, &number))
        r = wrong(column, "an integer of 64 bits", err);
    return r;
}

static bool parse_double(double *value, struct span text)
{
    static const struct {
        const char *name;
        double value;
    } names[] = {{"NaN", NAN}, {"Infinity", INFINITY}, {"-Infinity", -INFINITY}};
    char copy[NUMBER_BYTES], *end;
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (span_equal(text, span_str(names[i].name))) {
            *value = names[i].value;
            return true;
        }
    if (text.len == 0 || text.len >= sizeof copy)
        return false;
    memcpy(copy, text.ptr, text.len);
    copy[text.len] = '\0';
    if (copy[strspn(copy, "0123456789+-.eE")])
        return false;
    *value = strtod(copy, &end);
    return *end == '\0' && isfinite(*value);
}

static int read_double(struct load_row *l, struct cell *cell, const struct column *column,
                       const struct member *m, struct err *err)
{
    struct span text = m->text;
    int r = 0;
    if (member_is_text(m))
        r = text_of(l, &text, m, err);
    if (r == 0 && !parse_double(&cell->real, text))
        r = wrong(column, "a number", err);
    return r;
}

/* As DuckDB writes a time of Parquet: "2026-08-20 04:30:00.5+00", or without a zone. */
static bool parse_tabular_time(int64_t *us, struct span text)
{
    static const char zone[] = "+00";
    const size_t n_zone = sizeof zone - 1;
    char time[TIME_BYTES];
    if (text.len > n_zone && memcmp(text.ptr + text.len - n_zone, zone, n_zone) == 0)
        text.len -= n_zone;
    const int n = snprintf(time, sizeof time, "%.*s UTC", (int)text.len, (const char *)text.ptr);
    return n > 0 && (size_t)n < sizeof time && utc_parse_billing(us, span_of(time, (size_t)n));
}

static int read_time(struct load_row *l, struct cell *cell, const struct column *column,
                     const struct member *m, struct err *err)
{
    struct span text = {0};
    const int r = member_is_text(m) ? text_of(l, &text, m, err) : 0;
    if (r < 0 || utc_parse_rfc3339(&cell->integer, text) ||
        utc_parse_billing(&cell->integer, text) ||
        (l->tabular && text.len < TIME_BYTES && parse_tabular_time(&cell->integer, text)))
        return r;
    return wrong(column, "a time like 2026-08-20T04:30:00Z or 2026-08-20 04:30:00 UTC", err);
}

static int read_date(struct load_row *l, struct cell *cell, const struct column *column,
                     const struct member *m, struct err *err)
{
    struct span text = {0};
    const int r = member_is_text(m) ? text_of(l, &text, m, err) : 0;
    return r < 0 || utc_parse_date(&cell->integer, text)
               ? r
               : wrong(column, "a date like 2026-08-20", err);
}

static int read_bool(struct load_row *l, struct cell *cell, const struct column *column,
                     const struct member *m, struct err *err)
{
    struct span text = m->text;
    const int r = member_is_text(m) ? text_of(l, &text, m, err) : 0;
    cell->integer = span_equal(text, span_str("true"));
    return r < 0 || cell->integer || span_equal(text, span_str("false"))
               ? r
               : wrong(column, "true or false", err);
}

/* In CSV, lists and records are the text of JSON. */
static int unfold(struct load_row *l, struct member *m, struct err *err)
{
    if (!l->tabular || !member_is_text(m))
        return 0;
    const int r = text_of(l, &m->text, m, err);
    if (r < 0)
        return r;
    const uint8_t *const end = span_end(m->text);
    const uint8_t *const first = json_skip_space(m->text.ptr, end);
    m->text = span_of(first, (size_t)(end - first));
    m->escaped = false; // of no meaning for what holds others
    return 0;
}

static int read_list(struct load_row *l, struct cell *cell, const struct column *column,
                     struct member m, struct err *err)
{
    int r = unfold(l, &m, err);
    if (r < 0)
        return r;
    r = m.text.len > 0 && *m.text.ptr == '['
            ? member_texts(&l->lists, &cell->n_items, &l->ops, &m, &l->scratch, l->room, err)
            : 0;
    return r == 0 ? wrong(column, "a list of texts", err) : r < 0 ? r : 0;
}

static int read_fields(struct load_row *l, const struct column *column, const struct member *fields,
                       size_t n, struct err *err)
{
    int r = 0;
    for (size_t i = 0; i < n && r == 0; i++) {
        if (member_is_absent(&fields[i]))
            continue;
        if (!member_is_text(&fields[i]))
            return err_set(err, E_FORMAT, 0, "%s.%s is not text", column->name, column->fields[i]);
        r = text_of(l, &l->fields[i], &fields[i], err);
    }
    return r;
}

static int read_record(struct load_row *l, struct cell *cell, const struct column *column,
                       struct member m, struct err *err)
{
    struct span names[LOAD_MAX_FIELDS];
    struct member fields[LOAD_MAX_FIELDS];
    size_t n = 0;
    for (; column->fields[n]; n++)
        names[n] = span_str(column->fields[n]);
    memset(l->fields, 0, sizeof l->fields);
    cell->items = l->fields;
    cell->n_items = n;
    if (member_is_absent(&m))
        return 0;
    const int r = unfold(l, &m, err);
    if (r < 0)
        return r;
    if (m.text.len == 0 || *m.text.ptr != '{' ||
        !read_members(l, m.text, column->name, names, n, fields))
        return wrong(column, "an object", err);
    return read_fields(l, column, fields, n, err);
}

static int read_text(struct load_row *l, struct cell *cell, const struct column *column,
                     const struct member *m, struct err *err)
{
    return member_is_text(m) ? text_of(l, &cell->text, m, err) : wrong(column, "text", err);
}

/* A field of CSV that is there but empty says nothing, unless it is text. */
static bool is_empty_field(const struct load_row *l, const struct column *column,
                           const struct member *m)
{
    return l->tabular && column->type != COLUMN_STRING && column->type != COLUMN_JSON &&
           member_is_text(m) && m->text.len == strlen("\"\"");
}

static int read_cell(struct load_row *l, size_t i, struct member *m, struct err *err)
{
    const struct column *column = &l->schema->columns[i];
    struct cell *cell = &l->cells[i];
    *cell = (struct cell){0};
    if (is_empty_field(l, column, m))
        *m = (struct member){0};
    if (column->type == COLUMN_RECORD)
        return read_record(l, cell, column, *m, err);
    cell->is_null = member_is_absent(m) && column->type != COLUMN_STRINGS;
    if (member_is_absent(m))
        return 0;
    switch (column->type) {
    case COLUMN_INT64:
        return read_integer(l, cell, column, m, err);
    case COLUMN_DOUBLE:
        return read_double(l, cell, column, m, err);
    case COLUMN_BOOL:
        return read_bool(l, cell, column, m, err);
    case COLUMN_DATE:
        return read_date(l, cell, column, m, err);
    case COLUMN_TIMESTAMP:
    case COLUMN_DATETIME:
        return read_time(l, cell, column, m, err);
    case COLUMN_JSON:
        cell->text = m->text;
        return 0;
    case COLUMN_STRINGS:
        return read_list(l, cell, column, *m, err);
    default:
        return read_text(l, cell, column, m, err);
    }
}

static void place_items(struct load_row *l)
{
    size_t first = 0;
    for (size_t i = 0; i < l->n_columns; i++)
        if (l->schema->columns[i].type == COLUMN_STRINGS && l->cells[i].n_items > 0) {
            l->cells[i].items = l->lists.items + first;
            first += l->cells[i].n_items;
        }
}

int load_row_read(struct load_row *l, struct span row, struct err *err)
{
    struct member members[FXCI_MAX_COLUMNS];
    buf_clear(&l->scratch);
    l->lists.n = 0;
    l->room = 2 * row.len + NDJSON_SLACK;
    int r = buf_reserve(&l->scratch, l->room, err);
    if (r == 0 && !read_members(l, row, "", l->names, l->n_columns, members))
        r = err_set(err, E_FORMAT, 0, "it is no JSON object in UTF-8, nested 64 deep at most");
    for (size_t i = 0; i < l->n_columns && r == 0; i++)
        r = read_cell(l, i, &members[i], err);
    place_items(l);
    return r;
}
