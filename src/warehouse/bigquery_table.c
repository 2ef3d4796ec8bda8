/* SPDX-License-Identifier: MPL-2.0 */
/* BigQuery: datasets and tables. */
#include "warehouse/bigquery_impl.h"

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

int bigquery_get_table(struct bigquery *b, const struct table_name *name, json_t **table,
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
    const int r = bigquery_get_table(impl, name, &table, err);
    json_decref(table);
    return r;
}

/* POST what may be there already. @return 0, 1: it was there, or E_*. */
static int create(struct bigquery *b, const char *path, const json_t *body, struct err *err)
{
    int status = 0;
    json_t *answer = NULL;
    int r = bigquery_need(body, err);
    if (r == 0)
        r = bigquery_call(b, "POST", path, body, &status, &answer, err);
    if (r == 0 && status == 404)
        r = bigquery_answer_err(err, E_ABSENT, b, path, status, answer);
    json_decref(answer);
    return r < 0 ? r : status == 409;
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
    r = create(b, "/datasets", body, err);
    json_decref(body);
    return r < 0 ? r : 0;
}

int bigquery_create_table(struct bigquery *b, const char *dataset, const json_t *body,
                          struct err *err)
{
    CLEANUP(buf_deinit) struct buf path = BUF_INIT(BIGQUERY_URL_MAX);
    int r = buf_printf(&path, err, "/datasets/%s/tables", dataset);
    if (r == 0)
        r = buf_append_byte(&path, '\0', err);
    return r < 0 ? r : create(b, (const char *)path.data, body, err);
}

void bigquery_delete_table(struct bigquery *b, const struct table_name *name)
{
    CLEANUP(buf_deinit) struct buf path = BUF_INIT(BIGQUERY_URL_MAX);
    int status;
    json_t *answer = NULL;
    if (table_path(&path, name, NULL) == 0 &&
        bigquery_call(b, "DELETE", (const char *)path.data, NULL, &status, &answer, NULL) == 0)
        json_decref(answer);
}

/* @return 0, 1: it was there already, or E_*. */
static int create_table(struct bigquery *b, const struct table_name *name,
                        const struct table_schema *schema, struct err *err)
{
    json_t *body =
        json_pack("{s:{s:s, s:s, s:s}, s:{s:o}, s:o*, s:o*}", "tableReference", "projectId",
                  b->project, "datasetId", name->dataset, "tableId", name->table, "schema",
                  "fields", bigquery_fields(schema->columns), "timePartitioning",
                  bigquery_partitioning(schema), "clustering", bigquery_clustering(schema));
    int r = bigquery_need(body, err);
    if (r == 0 && schema->require_partition_filter)
        r = bigquery_need(
            json_object_set_new(body, "requirePartitionFilter", json_true()) == 0 ? body : NULL,
            err);
    if (r == 0)
        r = bigquery_create_table(b, name->dataset, body, err);
    json_decref(body);
    return r;
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

/* The table is there: does it do? */
static int check(struct bigquery *b, const struct table_name *name,
                 const struct table_schema *schema, struct err *err)
{
    json_t *table = NULL;
    int r = bigquery_get_table(b, name, &table, err);
    if (r > 0) {
        r = bigquery_compare(schema, table, err);
        if (r > 0)
            r = patch_fields(b, name, json_object_get(json_object_get(table, "schema"), "fields"),
                             err);
        r = r < 0 ? r : 1;
    }
    json_decref(table);
    return r;
}

int bigquery_ensure_table(void *impl, const struct table_name *name,
                          const struct table_schema *schema, struct err *err)
{
    struct bigquery *b = impl;
    int r = check(b, name, schema, err);
    if (r == 0)
        r = bigquery_ensure_dataset(b, name->dataset, err);
    else
        return r < 0 ? r : 0;
    if (r == 0)
        r = create_table(b, name, schema, err);
    if (r <= 0)
        return r;
    r = check(b, name, schema, err); // another program was faster
    return r == 0  ? err_set(err, E_ABSENT, 0, "%s: table %s came and went", b->url, schema->name)
           : r < 0 ? r
                   : 0;
}

int bigquery_ensure_view(void *impl, const struct table_name *name, const char *select,
                         struct err *err)
{
    CLEANUP(buf_deinit) struct buf sql = BUF_INIT(SQL_MAX_BYTES);
    struct bigquery *b = impl;
    int r = bigquery_ensure_dataset(b, name->dataset, err);
    if (r == 0)
        r = buf_append_str(&sql, "CREATE OR REPLACE VIEW ", err);
    if (r == 0)
        r = bigquery_append_table(b, name, &sql, err);
    if (r == 0)
        r = buf_printf(&sql, err, " AS %s", select);
    if (r == 0)
        r = buf_append_byte(&sql, '\0', err);
    return r < 0 ? r : bigquery_run_query(b, (const char *)sql.data, NULL, NULL, NULL, err);
}
