/*
 * bigquery_impl.h - what the BigQuery backend's files share. Source: BigQuery REST API v2,
 * https://cloud.google.com/bigquery/docs/reference/rest
 */
#pragma once

#include "base/retry.h"
#include "base/tempfile.h"
#include "net/google.h"
#include "net/http.h"
#include "warehouse/backend.h"

#include <jansson.h>

struct bigquery {
    struct http *http;
    struct google_auth *auth; // NULL: an emulator
    char *url;                // of the warehouse, for messages
    char *base;               // "https://bigquery.googleapis.com", without a slash at its end
    char *project, *location, *temp_dir;
    const char *dataset; // of bare names; borrowed from the warehouse, may be NULL
    uint64_t retry_ms;
};

enum { BIGQUERY_URL_MAX = 64 << 10, BIGQUERY_BODY_MAX = 64 << 20 };

/**
 * Call METHOD <base>/bigquery/v2/projects/<project><path> with a JSON body (NULL: none), waiting
 * where BigQuery says that it is called too often. *answer (NULL where there is none): to be
 * decref'd.
 * @return 0 with *status 2xx, 404 or 409; or E_ARG (400), E_IO (all else), with reason and message.
 */
MUST_CHECK int bigquery_call(struct bigquery *b, const char *method, const char *path,
                             const json_t *body, int *status, json_t **answer, struct err *err);
/** Start err from the error object of an answer. what: "POST /datasets". @return code. */
int bigquery_answer_err(struct err *err, int code, const struct bigquery *b, const char *what,
                        int status, const json_t *answer);
/** The reason of an error answer ("rateLimitExceeded"), or "". */
const char *bigquery_reason(const json_t *answer);
/** A token, unless it is an emulator. */
void bigquery_sign(const struct bigquery *b, struct http_request *request);
/** json with err set to E_NOMEM where it is NULL. */
int bigquery_need(const json_t *json, struct err *err);

/* bigquery_patience.c */
enum bigquery_limit { LIMIT_NONE, LIMIT_BRIEF, LIMIT_LASTING };
/** What passes within seconds, within minutes, or not: of a reason. */
enum bigquery_limit bigquery_limit_of(const char *reason);
/** The same of an error answer. */
enum bigquery_limit bigquery_limit_met(int status, const json_t *answer);
/** Of calls, and of all that passes within seconds. */
struct retry_policy bigquery_policy(const struct bigquery *b);
struct bigquery_patience {
    struct retry brief, lasting;
};
void bigquery_patience_init(struct bigquery_patience *p, const struct bigquery *b);
/** Sleep before another try. at_least_ms: what Retry-After says. @return false: give up. */
MUST_CHECK bool bigquery_patience_wait(struct bigquery_patience *p, enum bigquery_limit limit,
                                       uint64_t at_least_ms);

/* bigquery_schema.c */
/** Is a type of BigQuery's ("INTEGER", "INT64") this one? */
bool bigquery_is_type(enum column_type type, const char *name);
const char *bigquery_type_name(enum column_type type);
/** The fields of a table that is to be made. NULL: no memory. */
json_t *bigquery_fields(const struct column *columns);
/** {"type": "DAY", "field": partition column}, or NULL: not partitioned, or no memory. */
json_t *bigquery_partitioning(const struct table_schema *schema);
/** {"fields": [..]}, or NULL: not clustered, or no memory. */
json_t *bigquery_clustering(const struct table_schema *schema);
/** Compare a table that is there (warehouse_ensure_table). What its fields lack is added to them.
 * @return how much was added, E_FORMAT naming the first difference, or E_NOMEM. */
MUST_CHECK int bigquery_compare(const struct table_schema *schema, json_t *table, struct err *err);

/* bigquery_table.c */
int bigquery_append_table(void *impl, const struct table_name *name, struct buf *sql,
                          struct err *err);
int bigquery_has_table(void *impl, const struct table_name *name, struct err *err);
int bigquery_ensure_table(void *impl, const struct table_name *name,
                          const struct table_schema *schema, struct err *err);
int bigquery_ensure_view(void *impl, const struct table_name *name, const char *select,
                         struct err *err);
/** @return 1 with *table, which is to be decref'd, 0: there is none, or E_*. */
MUST_CHECK int bigquery_get_table(struct bigquery *b, const struct table_name *name, json_t **table,
                                  struct err *err);
MUST_CHECK int bigquery_ensure_dataset(struct bigquery *b, const char *dataset, struct err *err);
/** body NULL: E_NOMEM. @return 0, 1: it is there already, or E_*. */
MUST_CHECK int bigquery_create_table(struct bigquery *b, const char *dataset, const json_t *body,
                                     struct err *err);
/** Of a table that ends by itself anyway: a failure is no loss, and not told. */
void bigquery_delete_table(struct bigquery *b, const struct table_name *name);

/* bigquery_jobs.c */
enum { JOB_ID_BYTES = 64 };
/** "weir_<kind>_<uuid>", chosen here so that a job which is sent twice runs once. */
int bigquery_job_id(char out[JOB_ID_BYTES], const char *kind, struct err *err);
/** {"jobReference": .., "configuration": configuration}; takes configuration. NULL: no memory. */
json_t *bigquery_job(const struct bigquery *b, const char *id, json_t *configuration);
/** Insert a job that needs no upload, or find it when it was inserted before. */
MUST_CHECK int bigquery_insert_job(struct bigquery *b, const char *id, json_t *job, json_t **answer,
                                   struct err *err);
/** Where the job of an answer is, "/jobs/ID?location=L" or with queries for jobs, into path. */
MUST_CHECK int bigquery_job_path(struct buf *path, const char *folder, const json_t *job,
                                 struct err *err);
MUST_CHECK int bigquery_get_job(struct bigquery *b, const char *id, json_t **answer,
                                struct err *err);
/** Why the job of an answer failed, or LIMIT_NONE: it did not, or in a way that stays. */
enum bigquery_limit bigquery_job_limit(const json_t *job);
/** The reason of a job's failure ("invalid"), or "". */
const char *bigquery_job_reason(const json_t *job);
/**
 * Wait until the job of *answer is done; *answer is replaced by what it says then.
 * @return 0; 1: it failed in a way that may pass, err says how, try again with another id; E_*.
 */
MUST_CHECK int bigquery_wait(struct bigquery *b, json_t **answer, struct err *err);
/** Run a job to its end, again after failures that may pass. configuration: borrowed. *answer: also
 * of one that failed; to be decref'd in any case. */
MUST_CHECK int bigquery_run_job(struct bigquery *b, const char *kind, json_t *configuration,
                                json_t **answer, struct err *err);

/* bigquery_upload.c */
enum { UPLOAD_IS_NEW, UPLOAD_IS_KNOWN, UPLOAD_IS_TOO_LARGE };
/**
 * Upload what file holds for a load job. *answer: the job as it stands.
 * @return UPLOAD_IS_NEW; UPLOAD_IS_KNOWN: a job had this id already, from an earlier try or from
 * before; UPLOAD_IS_TOO_LARGE: refused for its size, err says how; or E_*. The same job may be sent
 * again after any failure.
 */
MUST_CHECK int bigquery_upload(struct bigquery *b, const char *id, const json_t *job,
                               const struct tempfile *file, json_t **answer, struct err *err);

/* bigquery_rows.c */
/** Append a row as a line of NDJSON. */
MUST_CHECK int bigquery_write_row(struct buf *out, const struct column *columns,
                                  const struct cell *cells, struct err *err);
/** Read a value of an answer (a string or null). Text is borrowed from value. */
MUST_CHECK int bigquery_read_cell(struct cell *cell, const struct column *column,
                                  const json_t *value, struct err *err);

/* bigquery_nested.c */
/* Reads one column of an answer that is a list or a record. */
struct bigquery_nested {
    size_t *places; // of a record's fields in the answer; SIZE_MAX: it has no such field
    size_t n_places;
    struct span *items; // of the last row
    size_t cap;
};
/** field: how the answer describes the column. Any other column needs nothing. */
MUST_CHECK int bigquery_nested_init(struct bigquery_nested *nested, const struct column *column,
                                    const json_t *field, struct err *err);
void bigquery_nested_deinit(struct bigquery_nested *nested); // zeroed is fine
/** As bigquery_read_cell; the items stay until the next call. */
MUST_CHECK int bigquery_read_nested(struct bigquery_nested *nested, struct cell *cell,
                                    const struct column *column, const json_t *value,
                                    struct err *err);

/* bigquery_query.c, bigquery_pages.c */
/** Of a job that runs a statement. NULL: no memory. */
json_t *bigquery_query_configuration(const struct bigquery *b, const char *sql);
int bigquery_run_query(void *impl, const char *sql, const struct column *columns,
                       warehouse_row_fn *fn, void *arg, struct err *err);

/** Hand out a query job's rows, page by page. */
MUST_CHECK int bigquery_walk_pages(struct bigquery *b, const json_t *job,
                                   const struct column *columns, warehouse_row_fn *fn, void *arg,
                                   struct err *err);

/* bigquery_load.c */
int bigquery_load_begin(void **load, void *impl, const struct table_name *name,
                        const struct table_schema *schema, enum load_mode mode, int64_t date,
                        struct err *err);
int bigquery_load_row(void *load, const struct cell *cells, struct err *err);
int bigquery_load_commit(void *load, struct err *err);
void bigquery_load_free(void *load);

/* bigquery_batch.c */
int bigquery_batch_begin(void **batch, void *impl, const struct table_name *names,
                         const struct table_schema *const *tables, size_t n_tables, int64_t since,
                         struct err *err);
int bigquery_batch_row(void *batch, size_t table, const struct cell *cells, struct err *err);
int bigquery_batch_commit(void *batch, struct batch_outcome *outcomes,
                          warehouse_refused_fn *refused, void *arg, struct err *err);
void bigquery_batch_free(void *batch);
