/* SPDX-License-Identifier: MPL-2.0 */
/* From what a column is to what it must be; nothing is computed where both are the same. */
#include "taar/telemetry_internal.h"

#include <stdio.h>

static int append_escaped(struct buf *sql, char quote, const char *text, struct err *err)
{
    int r = buf_append_byte(sql, (uint8_t)quote, err);
    for (const char *c = text; *c && r == 0; c++) {
        if (*c == quote)
            r = buf_append_byte(sql, (uint8_t)quote, err);
        if (r == 0)
            r = buf_append_byte(sql, (uint8_t)*c, err);
    }
    return r < 0 ? r : buf_append_byte(sql, (uint8_t)quote, err);
}

int append_identifier(struct buf *sql, const char *name, struct err *err)
{
    return append_escaped(sql, '"', name, err);
}

int append_literal(struct buf *sql, const char *text, struct err *err)
{
    return append_escaped(sql, '\'', text, err);
}

int append_path(struct buf *sql, const char *path, struct err *err)
{
    CLEANUP(buf_deinit) struct buf disarmed = BUF_INIT(TELEMETRY_MAX_SQL);
    int r = 0;
    for (const char *c = path; *c && r == 0; c++)
        r = strchr("*?[", *c) ? buf_printf(&disarmed, err, "[%c]", *c)
                              : buf_append_byte(&disarmed, (uint8_t)*c, err);
    if (r == 0)
        r = buf_append_byte(&disarmed, '\0', err);
    return r < 0 ? r : append_literal(sql, (const char *)disarmed.data, err);
}

/* Of columns that hold nothing but nulls. */
static const char no_type[] = "\"NULL\"";

static bool is_number(const char *type)
{
    static const char *const numbers[] = {"TINYINT", "SMALLINT",  "INTEGER",  "BIGINT", "UTINYINT",
                                          "HUGEINT", "USMALLINT", "UINTEGER", "UBIGINT"};
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
        if (strcmp(type, numbers[i]) == 0)
            return true;
    return false;
}

static bool is_real(const char *type)
{
    return strcmp(type, "DOUBLE") == 0 || strcmp(type, "FLOAT") == 0 ||
           strncmp(type, "DECIMAL(", strlen("DECIMAL(")) == 0;
}

static bool is_text(const char *type)
{
    return strcmp(type, "VARCHAR") == 0;
}

static bool is_time(const char *type)
{
    return strncmp(type, "TIMESTAMP", strlen("TIMESTAMP")) == 0;
}

/* How to cast to text, with %s for the expression; NULL: these types do not fit. */
static const char *cast_to_text(const char *from)
{
    if (strcmp(from, "JSON") == 0)
        return "(%s ->> '$')";
    return strcmp(from, "UUID") == 0 || strcmp(from, no_type) == 0 ||
                   strncmp(from, "ENUM(", strlen("ENUM(")) == 0
               ? "CAST(%s AS VARCHAR)"
               : NULL;
}

static const char *cast_to_decimal(const char *from)
{
    // A double's shortest text is the decimal that was meant; NaN is none.
    if (strcmp(from, "DOUBLE") == 0 || strcmp(from, "FLOAT") == 0)
        return "TRY_CAST(CAST(%s AS VARCHAR) AS DECIMAL(38,9))";
    return is_number(from) || is_real(from) || is_text(from) ? "CAST(%s AS DECIMAL(38,9))" : NULL;
}

static const char *cast_to_time(const char *from)
{
    if (is_text(from))
        return "CAST(%s AS TIMESTAMP WITH TIME ZONE)";
    // the session's zone is UTC
    return is_time(from) ? "CAST(CAST(%s AS TIMESTAMP) AS TIMESTAMP WITH TIME ZONE)" : NULL;
}

static const char *cast_of(const char *to, const char *from)
{
    const bool loose = strcmp(from, no_type) == 0 || strcmp(from, "JSON") == 0;
    if (is_text(to))
        return cast_to_text(from);
    if (strcmp(to, "BIGINT") == 0) // doubles: writers without a null make them of integers
        return loose || is_number(from) || strcmp(from, "DOUBLE") == 0 ? "CAST(%s AS BIGINT)"
                                                                       : NULL;
    if (strcmp(to, "DOUBLE") == 0)
        return loose || is_number(from) || is_real(from) ? "CAST(%s AS DOUBLE)" : NULL;
    if (strncmp(to, "DECIMAL(", strlen("DECIMAL(")) == 0)
        return cast_to_decimal(loose ? "VARCHAR" : from);
    if (is_time(to))
        return cast_to_time(loose ? "VARCHAR" : from);
    return loose ? "CAST(%s AS BOOLEAN)" : NULL;
}

int append_cast(struct buf *sql, const struct telemetry_column *column, const char *expression,
                const char *from, struct err *err)
{
    if (strcmp(column->type, from) == 0)
        return buf_append_str(sql, expression, err);
    const char *cast = cast_of(column->type, from);
    if (!cast)
        return err_set(err, E_FORMAT, 0, "column %s is of type %.100s, not %s", column->name, from,
                       column->type);
    const char *place = strstr(cast, "%s");
    int r = buf_append(sql, cast, (size_t)(place - cast), err);
    if (r == 0)
        r = buf_append_str(sql, expression, err);
    return r < 0 ? r : buf_append_str(sql, place + 2, err);
}

/* One field of the struct that item is; NULL where it has none. */
static int append_field(struct buf *sql, const struct telemetry_column *field,
                        const struct found_columns *fields, const char *item, struct err *err)
{
    const struct found *found = found_column(fields, field->name);
    int r = buf_printf(sql, err, "'%s': ", field->name);
    if (r < 0 || !found)
        return r < 0 ? r : buf_printf(sql, err, "CAST(NULL AS %s)", field->type);
    CLEANUP(buf_deinit) struct buf member = BUF_INIT(TELEMETRY_MAX_SQL);
    r = buf_printf(&member, err, "%s.", item);
    if (r == 0)
        r = append_identifier(&member, found->name, err);
    if (r == 0)
        r = buf_append_byte(&member, '\0', err);
    return r < 0 ? r : append_cast(sql, field, (const char *)member.data, found->type, err);
}

static bool same_fields(const struct found_columns *fields)
{
    size_t i = 0;
    for (; i < fields->n && telemetry_addon_fields[i].name; i++)
        if (strcmp(fields->columns[i].name, telemetry_addon_fields[i].name) != 0 ||
            strcmp(fields->columns[i].type, telemetry_addon_fields[i].type) != 0)
            return false;
    return !telemetry_addon_fields[i].name && i == fields->n;
}

static int append_rebuilt(struct buf *sql, const char *list, const char *item,
                          const struct found_columns *fields, struct err *err)
{
    int r = buf_printf(sql, err, "list_transform(%s, lambda x: {", list);
    for (size_t i = 0; telemetry_addon_fields[i].name && r == 0; i++) {
        if (i > 0)
            r = buf_append_str(sql, ", ", err);
        if (r == 0)
            r = append_field(sql, &telemetry_addon_fields[i], fields, item, err);
    }
    return r < 0 ? r : buf_append_str(sql, "})", err);
}

/* The one field of a struct, if it has one only and that is a struct: exports that know no lists
 * write list[].element. */
static int unwrap(struct found_columns *fields, char item[64], struct err *err)
{
    if (fields->n != 1 || strncmp(fields->columns[0].type, "STRUCT(", strlen("STRUCT(")) != 0 ||
        strlen(fields->columns[0].name) > 40)
        return 0;
    struct found_columns inner = {0};
    (void)snprintf(item, 64, "x.\"%s\"", fields->columns[0].name);
    const int r = read_struct_type(&inner, fields->columns[0].type, err);
    found_columns_deinit(fields);
    *fields = inner;
    return r;
}

static const char *addons_type(void)
{
    const struct telemetry_column *c = telemetry_columns[TELEMETRY_CLIENTS];
    while (strcmp(c->name, "active_addons") != 0)
        c++;
    return c->type;
}

static int append_list(struct buf *sql, const char *list, const char *type, struct err *err)
{
    char *item_type = read_list_type(type);
    char item[64] = "x";
    struct found_columns fields = {0};
    int r = item_type ? read_struct_type(&fields, item_type, err)
                      : err_set(err, E_FORMAT, 0, "it is of type %.100s, no list", type);
    if (r == 0)
        r = unwrap(&fields, item, err);
    if (r == 0 && !found_column(&fields, "addon_id"))
        r = err_set(err, E_FORMAT, 0, "it has no field addon_id");
    if (r == 0 && !same_fields(&fields))
        r = append_rebuilt(sql, list, item, &fields, err);
    else if (r == 0 && strcmp(item, "x") != 0)
        r = buf_printf(sql, err, "list_transform(%s, lambda x: %s)", list, item);
    else if (r == 0)
        r = buf_append_str(sql, list, err);
    found_columns_deinit(&fields);
    free(item_type);
    return r < 0 ? err_wrap(err, r, "column active_addons") : 0;
}

int append_addons(struct buf *sql, const char *type, struct err *err)
{
    if (strcmp(type, addons_type()) == 0)
        return buf_append_str(sql, "active_addons", err);
    if (strcmp(type, "JSON") == 0 || strcmp(type, no_type) == 0)
        return buf_printf(sql, err, "CAST(active_addons AS %s)", addons_type());
    if (strncmp(type, "STRUCT(", strlen("STRUCT(")) != 0 || type[strlen(type) - 1] == ']')
        return append_list(sql, "active_addons", type, err);
    CLEANUP(found_columns_deinit) struct found_columns outer = {0};
    int r = read_struct_type(&outer, type, err);
    if (r < 0)
        return r;
    if (outer.n != 1 || strlen(outer.columns[0].name) > 40)
        return err_set(err, E_FORMAT, 0, "column active_addons is a STRUCT, no list");
    char list[80];
    (void)snprintf(list, sizeof list, "active_addons.\"%s\"", outer.columns[0].name);
    return append_list(sql, list, outer.columns[0].type, err);
}
