/* SPDX-License-Identifier: MPL-2.0 */
/* BigQuery: from the staging table into the table, what is not there yet. */
#include "warehouse/bigquery_batch.h"

#include <stdlib.h>

static const struct column *column_named(const struct table_schema *schema, const char *name)
{
    for (const struct column *c = schema->columns; c->name; c++)
        if (strcmp(c->name, name) == 0)
            return c;
    return NULL;
}

static int append_member(struct buf *sql, const char *alias, const char *name, struct err *err)
{
    const int r = buf_printf(sql, err, "%s.", alias);
    return r < 0 ? r : append_quoted(sql, '`', name, err);
}

/* "before t.`name` between s.`name` after" */
static int append_pair(struct buf *sql, const char *before, const char *between, const char *after,
                       const char *name, struct err *err)
{
    int r = buf_append_str(sql, before, err);
    if (r == 0)
        r = append_member(sql, "t", name, err);
    if (r == 0)
        r = buf_append_str(sql, between, err);
    if (r == 0)
        r = append_member(sql, "s", name, err);
    return r < 0 ? r : buf_append_str(sql, after, err);
}

/* BigQuery joins by equality of what each side gives, and by nothing else; so null equals null by
 * two equalities. */
static int append_equal(struct buf *sql, const char *name, bool may_be_null, struct err *err)
{
    if (!may_be_null)
        return append_pair(sql, "", " = ", "", name, err);
    const int r = append_pair(sql, "IFNULL(CAST(", " AS STRING), '') = IFNULL(CAST(",
                              " AS STRING), '') AND (", name, err);
    return r < 0 ? r : append_pair(sql, "", " IS NULL) = (", " IS NULL)", name, err);
}

static int append_since(struct buf *sql, const struct table_schema *schema, int64_t since,
                        struct err *err)
{
    const char *name = schema->partition_column;
    const bool may_be_null = name && !column_named(schema, name)->required;
    if (!name)
        return 0;
    int r = buf_append_str(sql, may_be_null ? " AND (" : " AND ", err);
    if (r == 0)
        r = append_member(sql, "t", name, err);
    if (r == 0)
        r = buf_append_str(sql, " >= ", err);
    if (r == 0)
        r = append_date(sql, since, err);
    if (r < 0 || !may_be_null)
        return r;
    r = buf_append_str(sql, " OR ", err);
    if (r == 0)
        r = append_member(sql, "t", name, err);
    return r < 0 ? r : buf_append_str(sql, " IS NULL)", err);
}

static int append_columns(struct buf *sql, const struct table_schema *schema, bool staged,
                          struct err *err)
{
    int r = 0;
    for (const struct column *c = schema->columns; c->name && r == 0; c++) {
        r = buf_append_str(sql, c == schema->columns ? "(" : ", ", err);
        if (r == 0)
            r = staged ? append_member(sql, "s", c->name, err)
                       : append_quoted(sql, '`', c->name, err);
    }
    return r < 0 ? r : buf_append_byte(sql, ')', err);
}

static int append_tables(struct buf *sql, const struct bigquery *b, const struct table_name *name,
                         const struct table_name *staging, struct err *err)
{
    void *impl = (void *)(uintptr_t)b;
    int r = buf_append_str(sql, "MERGE ", err);
    if (r == 0)
        r = bigquery_append_table(impl, name, sql, err);
    if (r == 0)
        r = buf_append_str(sql, " AS t USING ", err);
    if (r == 0)
        r = bigquery_append_table(impl, staging, sql, err);
    return r < 0 ? r : buf_append_str(sql, " AS s ON ", err);
}

int merge_sql(struct buf *sql, const struct bigquery *b, const struct table_name *name,
              const struct table_name *staging, const struct table_schema *schema, int64_t since,
              struct err *err)
{
    int r = append_tables(sql, b, name, staging, err);
    for (const char *const *key = schema->key; *key && r == 0; key++) {
        if (key != schema->key)
            r = buf_append_str(sql, " AND ", err);
        if (r == 0)
            r = append_equal(sql, *key, !column_named(schema, *key)->required, err);
    }
    if (r == 0)
        r = append_since(sql, schema, since, err);
    if (r == 0)
        r = buf_append_str(sql, " WHEN NOT MATCHED THEN INSERT ", err);
    if (r == 0)
        r = append_columns(sql, schema, false, err);
    if (r == 0)
        r = buf_append_str(sql, " VALUES ", err);
    if (r == 0)
        r = append_columns(sql, schema, true, err);
    return r < 0 ? r : buf_append_byte(sql, '\0', err);
}

/* An emulator that does not count has written all of them, as far as anybody knows. */
static uint64_t n_inserted(const struct staged_table *t, const json_t *job)
{
    const json_t *query = json_object_get(json_object_get(job, "statistics"), "query");
    const char *text = json_string_value(json_object_get(query, "numDmlAffectedRows"));
    const uint64_t staged = t->n_rows - t->n_refused;
    const uint64_t n = text ? strtoull(text, NULL, 10) : staged;
    return n < staged ? n : staged;
}

static bool is_absent(int r, const json_t *job)
{
    return r == E_ABSENT || (r == E_IO && strcmp(bigquery_job_reason(job), "notFound") == 0);
}

int merge_staging(struct staged_table *t, uint64_t *n_written, struct err *err)
{
    CLEANUP(buf_deinit) struct buf sql = BUF_INIT(SQL_MAX_BYTES);
    const struct table_name staging = {t->name->dataset, t->staging};
    struct bigquery_patience patience;
    json_t *configuration = NULL, *job = NULL;
    bigquery_patience_init(&patience, t->b);
    int r = merge_sql(&sql, t->b, t->name, &staging, t->schema, t->since, err);
    if (r == 0)
        r = bigquery_need(
            configuration = bigquery_query_configuration(t->b, (const char *)sql.data), err);
    if (r == 0)
        r = bigquery_run_job(t->b, "merge", configuration, &job, err);
    while (is_absent(r, job)) { // for good, or because it is new?
        const int there = staging_is_there(t, err);
        if (there <= 0 || !bigquery_patience_wait(&patience, LIMIT_BRIEF, 0)) {
            r = there == 0 ? 1 : there < 0 ? there : r;
            break;
        }
        json_decref(job);
        job = NULL;
        r = bigquery_run_job(t->b, "merge", configuration, &job, err);
    }
    if (r == 0)
        *n_written = n_inserted(t, job);
    json_decref(configuration);
    json_decref(job);
    return r;
}
