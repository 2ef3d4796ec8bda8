/* SPDX-License-Identifier: MPL-2.0 */
/* BigQuery: columns as fields of its tables, and what a table that is there has of them. */
#include "warehouse/bigquery_impl.h"

#include <strings.h>

/* The name that requests use, and its other one, which answers may use. An emulator takes FLOAT for
 * one of 32 bits. */
static const char *const type_names[][2] = {
    [COLUMN_STRING] = {"STRING", "STRING"},
    [COLUMN_INT64] = {"INTEGER", "INT64"},
    [COLUMN_DOUBLE] = {"FLOAT64", "FLOAT"},
    [COLUMN_BOOL] = {"BOOLEAN", "BOOL"},
    [COLUMN_DATE] = {"DATE", "DATE"},
    [COLUMN_TIMESTAMP] = {"TIMESTAMP", "TIMESTAMP"},
    [COLUMN_DATETIME] = {"DATETIME", "DATETIME"},
    [COLUMN_JSON] = {"JSON", "JSON"},
    [COLUMN_STRINGS] = {"STRING", "STRING"},
    [COLUMN_RECORD] = {"RECORD", "STRUCT"},
};

const char *bigquery_type_name(enum column_type type)
{
    return type_names[type][0];
}

bool bigquery_is_type(enum column_type type, const char *name)
{
    return strcmp(name, type_names[type][0]) == 0 || strcmp(name, type_names[type][1]) == 0;
}

json_t *bigquery_partitioning(const struct table_schema *schema)
{
    return schema->partition_column
               ? json_pack("{s:s, s:s}", "type", "DAY", "field", schema->partition_column)
               : NULL;
}

json_t *bigquery_clustering(const struct table_schema *schema)
{
    if (!schema->cluster)
        return NULL;
    json_t *names = json_array();
    for (const char *const *name = schema->cluster; names && *name; name++)
        if (json_array_append_new(names, json_string(*name)) != 0) {
            json_decref(names);
            return NULL;
        }
    return json_pack("{s:o}", "fields", names);
}

static json_t *text_field(const char *name)
{
    return json_pack("{s:s, s:s, s:s}", "name", name, "type", "STRING", "mode", "NULLABLE");
}

static json_t *record_fields(const struct column *column)
{
    json_t *fields = column->type == COLUMN_RECORD ? json_array() : NULL;
    for (const char *const *name = column->fields; fields && *name; name++)
        if (json_array_append_new(fields, text_field(*name)) != 0) {
            json_decref(fields);
            return NULL;
        }
    return fields;
}

static const char *mode_of(const struct column *column)
{
    return column->type == COLUMN_STRINGS ? "REPEATED" : column->required ? "REQUIRED" : "NULLABLE";
}

static json_t *field_of(const struct column *column)
{
    json_t *fields = record_fields(column);
    if (column->type == COLUMN_RECORD && !fields)
        return NULL;
    return json_pack("{s:s, s:s, s:s, s:o*}", "name", column->name, "type",
                     bigquery_type_name(column->type), "mode", mode_of(column), "fields", fields);
}

json_t *bigquery_fields(const struct column *columns)
{
    json_t *fields = json_array();
    for (; fields && columns->name; columns++)
        if (json_array_append_new(fields, field_of(columns)) != 0) {
            json_decref(fields);
            return NULL;
        }
    return fields;
}

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

static bool has_mode(const json_t *field, const char *mode)
{
    return strcmp(text_of(field, "mode"), mode) == 0;
}

/* Names of columns differ in more than case. */
static json_t *field_named(const json_t *fields, const char *name)
{
    size_t i;
    json_t *field;
    json_array_foreach(fields, i, field)
    {
        if (strcasecmp(text_of(field, "name"), name) == 0)
            return field;
    }
    return NULL;
}

/* Of a record: fields are added where they are missing. @return how many, or E_*. */
static int compare_record(const struct table_schema *schema, const struct column *column,
                          json_t *field, struct err *err)
{
    json_t *fields = json_object_get(field, "fields");
    int n = 0;
    for (const char *const *name = column->fields; *name; name++) {
        const json_t *found = field_named(fields, *name);
        if (!found && json_array_append_new(fields, text_field(*name)) != 0)
            return bigquery_need(NULL, err);
        if (found && (strcmp(text_of(found, "name"), *name) != 0 || has_mode(found, "REPEATED") ||
                      strcmp(text_of(found, "type"), "STRING") != 0 ||
                      (has_mode(found, "REQUIRED") && !schema->lax)))
            return err_set(err, E_FORMAT, 0, "table %s: field %s of column %s is %s %s %s there",
                           schema->name, *name, column->name, text_of(found, "mode"),
                           text_of(found, "type"), text_of(found, "name"));
        n += !found;
    }
    return n;
}

static int compare_mode(const struct table_schema *schema, const struct column *want,
                        const json_t *field, struct err *err)
{
    const bool required = has_mode(field, "REQUIRED");
    if (want->type == COLUMN_STRINGS || schema->lax || required == want->required)
        return 0;
    return err_set(err, E_FORMAT, 0, "table %s: column %s %s be null", schema->name, want->name,
                   required ? "must not" : "may");
}

static int compare_field(const struct table_schema *schema, const struct column *want,
                         json_t *field, struct err *err)
{
    const char *name = text_of(field, "name"), *type = text_of(field, "type");
    const bool repeated = has_mode(field, "REPEATED"), is_list = want->type == COLUMN_STRINGS;
    if (strcmp(want->name, name) != 0)
        return err_set(err, E_FORMAT, 0, "table %s: column %s is spelled %s there", schema->name,
                       want->name, name);
    if (!bigquery_is_type(want->type, type) || repeated != is_list)
        return err_set(err, E_FORMAT, 0, "table %s: column %s is %s%s, not %s%s", schema->name,
                       name, repeated ? "repeated " : "", type, is_list ? "repeated " : "",
                       bigquery_type_name(want->type));
    const int r = compare_mode(schema, want, field, err);
    return r < 0 || want->type != COLUMN_RECORD ? r : compare_record(schema, want, field, err);
}

static const struct column *column_named(const struct column *columns, const char *name)
{
    for (; columns->name; columns++)
        if (strcasecmp(columns->name, name) == 0)
            return columns;
    return NULL;
}

static int compare_others(const struct table_schema *schema, const json_t *fields, struct err *err)
{
    for (size_t i = 0; i < json_array_size(fields); i++) {
        const json_t *field = json_array_get(fields, i);
        if (has_mode(field, "REQUIRED") && !column_named(schema->columns, text_of(field, "name")))
            return err_set(err, E_FORMAT, 0,
                           "table %s: column %s is not among ours and must not be null",
                           schema->name, text_of(field, "name"));
    }
    return 0;
}

static int compare_partitioning(const struct table_schema *schema, const json_t *table,
                                struct err *err)
{
    const json_t *time = json_object_get(table, "timePartitioning");
    if (!schema->partition_column ||
        (strcmp(text_of(time, "type"), "DAY") == 0 &&
         strcmp(text_of(time, "field"), schema->partition_column) == 0))
        return 0;
    return err_set(err, E_FORMAT, 0,
                   "table %s is not partitioned by day on %s: copy it into one that is",
                   schema->name, schema->partition_column);
}

/* @return how many fields were added for it, or E_*. */
static int compare_column(const struct table_schema *schema, const struct column *want,
                          json_t *fields, struct err *err)
{
    json_t *field = field_named(fields, want->name);
    if (field)
        return compare_field(schema, want, field, err);
    if (want->required)
        return err_set(err, E_FORMAT, 0, "table %s lacks the column %s, which must not be null",
                       schema->name, want->name);
    return json_array_append_new(fields, field_of(want)) == 0 ? 1 : bigquery_need(NULL, err);
}

int bigquery_compare(const struct table_schema *schema, json_t *table, struct err *err)
{
    json_t *fields = json_object_get(json_object_get(table, "schema"), "fields");
    int n = 0;
    int r = compare_partitioning(schema, table, err);
    if (r == 0)
        r = compare_others(schema, fields, err);
    for (const struct column *c = schema->columns; c->name && r >= 0; c++) {
        r = compare_column(schema, c, fields, err);
        n += r;
    }
    return r < 0 ? r : n;
}
