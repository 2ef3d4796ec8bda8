/* SPDX-License-Identifier: MPL-2.0 */
/*
 * BigQuery: statements as jobs. An answer beyond the size that BigQuery keeps by itself goes into a
 * table of our own, which is deleted after it was read, and would end within a day anyway.
 */
#include "base/utc.h"
#include "warehouse/bigquery_impl.h"

#include <inttypes.h>
#include <stdio.h>

json_t *bigquery_query_configuration(const struct bigquery *b, const char *sql)
{
    json_t *query = json_pack("{s:s, s:b}", "query", sql, "useLegacySql", 0);
    if (query && b->dataset &&
        json_object_set_new(
            query, "defaultDataset",
            json_pack("{s:s, s:s}", "projectId", b->project, "datasetId", b->dataset)) != 0) {
        json_decref(query);
        return NULL;
    }
    return json_pack("{s:o}", "query", query);
}

static bool is_too_large(const json_t *job)
{
    const json_t *result = json_object_get(json_object_get(job, "status"), "errorResult");
    const char *reason = json_string_value(json_object_get(result, "reason"));
    return reason && strcmp(reason, "responseTooLarge") == 0;
}

static int create_answer_table(struct bigquery *b, const json_t *reference, struct err *err)
{
    char end_ms[32];
    (void)snprintf(end_ms, sizeof end_ms, "%" PRId64, (utc_now_us() + us_per_day) / 1000);
    int r = bigquery_ensure_dataset(b, b->dataset, err);
    if (r < 0)
        return r;
    json_t *body = json_pack("{s:O, s:s}", "tableReference", reference, "expirationTime", end_ms);
    r = bigquery_create_table(b, b->dataset, body, err);
    json_decref(body);
    return r < 0 ? r : 0;
}

static int run_into_table(struct bigquery *b, json_t *configuration, const json_t *reference,
                          json_t **job, struct err *err)
{
    json_t *query = json_object_get(configuration, "query");
    if (json_object_set_new(query, "destinationTable", json_deep_copy(reference)) != 0 ||
        json_object_set_new(query, "writeDisposition", json_string("WRITE_EMPTY")) != 0)
        return bigquery_need(NULL, err);
    const int r = create_answer_table(b, reference, err);
    return r < 0 ? r : bigquery_run_job(b, "query", configuration, job, err);
}

static int query_through_table(struct bigquery *b, json_t *configuration,
                               const struct column *columns, warehouse_row_fn *fn, void *arg,
                               struct err *err)
{
    char table[JOB_ID_BYTES];
    json_t *job = NULL;
    if (!b->dataset)
        return err_wrap(err, E_IO,
                        "name a dataset in the URL, bigquery://project/dataset, for a "
                        "table that takes the answer");
    int r = bigquery_job_id(table, "answer", err);
    if (r < 0)
        return r;
    json_t *reference = json_pack("{s:s, s:s, s:s}", "projectId", b->project, "datasetId",
                                  b->dataset, "tableId", table);
    r = bigquery_need(reference, err);
    if (r == 0)
        r = run_into_table(b, configuration, reference, &job, err);
    if (r == 0)
        r = bigquery_walk_pages(b, job, columns, fn, arg, err);
    bigquery_delete_table(b, &(struct table_name){(char *)(uintptr_t)b->dataset, table});
    json_decref(reference);
    json_decref(job);
    return r;
}

int bigquery_run_query(void *impl, const char *sql, const struct column *columns,
                       warehouse_row_fn *fn, void *arg, struct err *err)
{
    struct bigquery *b = impl;
    json_t *configuration = bigquery_query_configuration(b, sql), *job = NULL;
    int r = bigquery_need(configuration, err);
    if (r == 0)
        r = bigquery_run_job(b, "query", configuration, &job, err);
    if (r == 0 && columns)
        r = bigquery_walk_pages(b, job, columns, fn, arg, err);
    else if (r < 0 && columns && is_too_large(job))
        r = query_through_table(b, configuration, columns, fn, arg, err);
    json_decref(job);
    json_decref(configuration);
    return r;
}
