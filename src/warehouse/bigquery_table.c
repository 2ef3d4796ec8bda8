/* SPDX-License-Identifier: MPL-2.0 */
/* BigQuery: datasets and tables. */
#include "warehouse/bigquery_impl.h"

#include <strings.h>

/* The name that requests use, and the one of GoogleSQL that some answers use. */
static const char *const type_names[][2] = {
    [COLUMN_STRING] = {"STRING", "STRING"},
    [COLUMN_INT64] = {"INTEGER", "INT64"},
    [COLUMN_DOUBLE] = {"FLOAT", "FLOAT64"},
    [COLUMN_BOOL] = {"BOOLEAN", "BOOL"},
    [COLUMN_DATE] = {"DATE", "DATE"},
    [COLUMN_TIMESTAMP] = {"TIMESTAMP", "TIMESTAMP"},
    [COLUMN_DATETIME] = {"DATETIME", "DATETIME"},
    [COLUMN_JSON] = {"JSON", "JSON"},
};

const char *bigquery_type_name(enum column_type type)
{
    return type_names[type][0];
}

bool bigquery_is_type(enum column_type type, const char *name)
{
    return strcmp(name, type_names[type][0]) == 0 || strcmp(name, type_names[type][1]) == 0;
}

int bigquery_append_table(void *impl, const struct table_name *name, struct buf *sql,
                          struct err *err)
{
    const struct bigquery *b = impl;
    const char *const parts[] = {b->project, name->dataset, name->table};
    int r = 0;
    for (size_t i = 0; i < ARRAY_LEN(parts) && r == 0; i++) {
        if (i > 0)
            r = buf_append_byte(sql, '.', err);
        if (r == 0)
            r = append_quoted(sql, '`', parts[i], err);
    }
    return r;
}

static int table_path(struct buf *path, const struct table_name *name, struct err *err)
{
    const int r = buf_printf(path, err, "/datasets/%s/tables/%s", name->dataset, name->table);
    return r < 0 ? r : buf_append_byte(path, '\0', err);
}

/* @return 1 with *table, 0: there is none, or E_*. */
static int get_table(struct bigquery *b, const struct table_name *name, json_t **table,
                     struct err *err)
{
    CLEANUP(buf_deinit) struct buf path = BUF_INIT(BIGQUERY_URL_MAX);
    int status = 0;
    int r = table_path(&path, name, err);
    if (r == 0)
        r = bigquery_call(b, "GET", (const char *)path.data, NULL, &status, table, err);
    if (r < 0 || status == 200)
        return r < 0 ? r : 1;
    json_decref(*table);
    *table = NULL;
    return 0;
}

int bigquery_has_table(void *impl, const struct table_name *name, struct err *err)
{
    json_t *table = NULL;
    const int r = get_table(impl, name, &table, err);
    json_decref(table);
    return r;
}

json_t *bigquery_partitioning(const struct table_schema *schema)
{
    return schema->partition_column
               ? json_pack("{s:s, s:s}", "type", "DAY", "field", schema->partition_column)
               : NULL;
}

static json_t *field_of(const struct column *column)
{
    return json_pack("{s:s, s:s, s:s}", "name", column->name, "type",
                     bigquery_type_name(column->type), "mode",
                     column->required ? "REQUIRED" : "NULLABLE");
}

static json_t *fields_of(const struct column *columns)
{
    json_t *fields = json_array();
    for (; fields && columns->name; columns++)
        if (json_array_append_new(fields, field_of(columns)) != 0) {
            json_decref(fields);
            return NULL;
        }
    return fields;
}

int bigquery_create(struct bigquery *b, const char *path, const json_t *body, struct err *err)
{
    int status = 0;
    json_t *answer = NULL;
    int r = bigquery_need(body, err);
    if (r == 0)
        r = bigquery_call(b, "POST", path, body, &status, &answer, err);
    if (r == 0 && status == 404)
        r = bigquery_answer_err(err, E_ABSENT, b, path, status, answer);
    json_decref(answer);
    return r;
}

int bigquery_ensure_dataset(struct bigquery *b, const char *dataset, struct err *err)
{
    CLEANUP(buf_deinit) struct buf path = BUF_INIT(BIGQUERY_URL_MAX);
    int status = 0;
    json_t *answer = NULL;
    int r = buf_printf(&path, err, "/datasets/%s", dataset);
    if (r == 0)
        r = buf_append_byte(&path, '\0', err);
    if (r == 0)
        r = bigquery_call(b, "GET", (const char *)path.data, NULL, &status, &answer, err);
    json_decref(answer);
    if (r < 0 || status != 404)
        return r;
    json_t *body = json_pack("{s:{s:s, s:s}, s:s}", "datasetReference", "projectId", b->project,
                             "datasetId", dataset, "location", b->location ? b->location : "US");
    r = bigquery_create(b, "/datasets", body, err);
    json_decref(body);
    return r;
}

static int create_table(struct bigquery *b, const struct table_name *name,
                        const struct table_schema *schema, struct err *err)
{
    CLEANUP(buf_deinit) struct buf path = BUF_INIT(BIGQUERY_URL_MAX);
    int r = buf_printf(&path, err, "/datasets/%s/tables", name->dataset);
    if (r == 0)
        r = buf_append_byte(&path, '\0', err);
    if (r < 0)
        return r;
    json_t *body =
        json_pack("{s:{s:s, s:s, s:s}, s:{s:o}, s:o*}", "tableReference", "projectId", b->project,
                  "datasetId", name->dataset, "tableId", name->table, "schema", "fields",
                  fields_of(schema->columns), "timePartitioning", bigquery_partitioning(schema));
    r = bigquery_create(b, (const char *)path.data, body, err);
    json_decref(body);
    return r;
}

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

static const struct column *column_named(const struct column *columns, const char *name)
{
    for (; columns->name; columns++)
        if (strcasecmp(columns->name, name) == 0)
            return columns;
    return NULL;
}

static int compare_field(const struct table_schema *schema, const json_t *field, struct err *err)
{
    const char *name = text_of(field, "name"), *type = text_of(field, "type");
    const char *mode = text_of(field, "mode");
    const struct column *want = column_named(schema->columns, name);
    const bool required = strcmp(mode, "REQUIRED") == 0;
    if (!want)
        return !required ? 0
                         : err_set(err, E_FORMAT, 0,
                                   "table %s: column %s is not among ours and must not be null",
                                   schema->name, name);
    if (strcmp(want->name, name) != 0)
        return err_set(err, E_FORMAT, 0, "table %s: column %s is spelled %s there", schema->name,
                       want->name, name);
    if (!bigquery_is_type(want->type, type) || strcmp(mode, "REPEATED") == 0)
        return err_set(err, E_FORMAT, 0, "table %s: column %s is %s%s, not %s", schema->name, name,
                       strcmp(mode, "REPEATED") == 0 ? "repeated " : "", type,
                       bigquery_type_name(want->type));
    if (required != want->required)
        return err_set(err, E_FORMAT, 0, "table %s: column %s %s be null", schema->name, name,
                       required ? "must not" : "may");
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

static bool has_field(const json_t *fields, const char *name)
{
    size_t i;
    json_t *field;
    json_array_foreach(fields, i, field)
    {
        if (strcmp(text_of(field, "name"), name) == 0)
            return true;
    }
    return false;
}

/* Add to fields what the table lacks. @return how many, or E_*. */
static int add_missing(const struct table_schema *schema, json_t *fields, struct err *err)
{
    int n = 0;
    for (const struct column *c = schema->columns; c->name; c++) {
        if (has_field(fields, c->name))
            continue;
        if (c->required)
            return err_set(err, E_FORMAT, 0, "table %s lacks the column %s, which must not be null",
                           schema->name, c->name);
        if (json_array_append_new(fields, field_of(c)) != 0)
            return bigquery_need(NULL, err);
        n++;
    }
    return n;
}

static int patch_fields(struct bigquery *b, const struct table_name *name, json_t *fields,
                        struct err *err)
{
    CLEANUP(buf_deinit) struct buf path = BUF_INIT(BIGQUERY_URL_MAX);
    int status = 0;
    json_t *answer = NULL, *body = json_pack("{s:{s:O}}", "schema", "fields", fields);
    int r = bigquery_need(body, err);
    if (r == 0)
        r = table_path(&path, name, err);
    if (r == 0)
        r = bigquery_call(b, "PATCH", (const char *)path.data, body, &status, &answer, err);
    if (r == 0 && status != 200)
        r = bigquery_answer_err(err, E_IO, b, "add columns", status, answer);
    json_decref(body);
    json_decref(answer);
    return r;
}

static int compare(struct bigquery *b, const struct table_name *name,
                   const struct table_schema *schema, json_t *table, struct err *err)
{
    json_t *fields = json_object_get(json_object_get(table, "schema"), "fields"), *field;
    size_t i;
    int r = compare_partitioning(schema, table, err);
    json_array_foreach(fields, i, field)
    {
        if (r == 0)
            r = compare_field(schema, field, err);
    }
    if (r == 0)
        r = add_missing(schema, fields, err);
    return r <= 0 ? r : patch_fields(b, name, fields, err);
}

int bigquery_ensure_table(void *impl, const struct table_name *name,
                          const struct table_schema *schema, struct err *err)
{
    struct bigquery *b = impl;
    json_t *table = NULL;
    int r = get_table(b, name, &table, err);
    if (r == 0) {
        r = bigquery_ensure_dataset(b, name->dataset, err);
        return r < 0 ? r : create_table(b, name, schema, err);
    }
    if (r > 0)
        r = compare(b, name, schema, table, err);
    json_decref(table);
    return r;
}
