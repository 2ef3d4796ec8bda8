/* SPDX-License-Identifier: MPL-2.0 */
/* Texts of SQL with values filled in. */
#include "base/utf8.h"
#include "warehouse/handle.h"

#include <inttypes.h>

/* A BigQuery literal knows backslashes and ends with its line; a DuckDB one knows neither. */
static int append_bigquery_text(struct buf *out, const char *text, struct err *err)
{
    int r = buf_append_byte(out, '\'', err);
    for (const char *c = text; *c && r == 0; c++) {
        if ((unsigned char)*c < ' ' || *c == '\'' || *c == '\\')
            r = buf_printf(out, err, "\\x%02x", (unsigned)*c);
        else
            r = buf_append_byte(out, (uint8_t)*c, err);
    }
    return r < 0 ? r : buf_append_byte(out, '\'', err);
}

static int append_text(struct buf *out, const struct warehouse *w, const struct sql_value *value,
                       struct err *err)
{
    if (!utf8_is_valid(span_str(value->text)))
        return err_set(err, E_ARG, 0, "the value of {%s} is not UTF-8", value->name);
    return warehouse_is_bigquery(w) ? append_bigquery_text(out, value->text, err)
                                    : append_quoted(out, '\'', value->text, err);
}

static int append_name(struct buf *out, struct warehouse *w, const char *text, struct err *err)
{
    CLEANUP(table_name_deinit) struct table_name name = {0};
    const int r = table_name_init(&name, w, text, err);
    return r < 0 ? r : w->ops->append_table(w->impl, &name, out, err);
}

static int append_value(struct buf *out, struct warehouse *w, const struct sql_value *value,
                        struct err *err)
{
    switch (value->kind) {
    case SQL_TABLE:
        return append_name(out, w, value->text, err);
    case SQL_DATE:
        return append_date(out, value->integer, err);
    case SQL_TEXT:
        return append_text(out, w, value, err);
    case SQL_INT: // "-{n}" must not become the start of a comment
        return buf_printf(out, err, value->integer < 0 ? "(%" PRId64 ")" : "%" PRId64,
                          value->integer);
    case SQL_VERBATIM:
        return buf_append_str(out, value->text, err);
    }
    return err_set(err, E_ARG, 0, "no such kind of value");
}

/* Length of {name} at p, or 0: the brace is SQL of its own. */
static size_t place_length(const char *p)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz_0123456789";
    const size_t n = strspn(p + 1, letters);
    return n > 0 && p[n + 1] == '}' ? n + 2 : 0;
}

static int fill_place(struct buf *out, struct warehouse *w, struct span name,
                      const struct sql_value *values, struct err *err)
{
    for (const struct sql_value *v = values; v && v->name; v++)
        if (span_equal(span_str(v->name), name))
            return append_value(out, w, v, err);
    return err_set(err, E_ARG, 0, "the SQL asks for {%.*s}, which has no value", (int)name.len,
                   (const char *)name.ptr);
}

int warehouse_fill_sql(struct buf *out, struct warehouse *w, const char *sql,
                       const struct sql_value *values, struct err *err)
{
    int r = 0;
    for (const char *p = sql; *p && r == 0;) {
        const size_t plain = strcspn(p, "{");
        r = buf_append(out, p, plain, err);
        p += plain;
        if (r < 0 || !*p)
            break;
        const size_t len = place_length(p);
        r = len > 0 ? fill_place(out, w, span_of(p + 1, len - 2), values, err)
                    : buf_append_byte(out, '{', err);
        p += len > 0 ? len : 1;
    }
    return r < 0 ? r : buf_append_byte(out, '\0', err);
}
