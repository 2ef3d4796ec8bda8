/* SPDX-License-Identifier: MPL-2.0 */
/* BigQuery: jobs, from their id to their end. */
#include "codec/uuid.h"
#include "warehouse/bigquery_impl.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

int bigquery_job_id(char out[JOB_ID_BYTES], const char *kind, struct err *err)
{
    uint8_t random[16];
    char uuid[UUID_TEXT_BYTES];
    if (getrandom(random, sizeof random, 0) != sizeof random)
        return err_set(err, E_IO, errno, "random numbers");
    uuid4_format(uuid, random);
    (void)snprintf(out, JOB_ID_BYTES, "weir_%s_%s", kind, uuid);
    return 0;
}

json_t *bigquery_job(const struct bigquery *b, const char *id, json_t *configuration)
{
    return json_pack("{s:{s:s, s:s, s:s*}, s:o}", "jobReference", "projectId", b->project, "jobId",
                     id, "location", b->location, "configuration", configuration);
}

int bigquery_job_path(struct buf *path, const char *folder, const json_t *job, struct err *err)
{
    const json_t *reference = json_object_get(job, "jobReference");
    const char *id = json_string_value(json_object_get(reference, "jobId"));
    const char *location = json_string_value(json_object_get(reference, "location"));
    if (!id)
        return err_set(err, E_FORMAT, 0, "BigQuery's answer names no job");
    int r = buf_printf(path, err, "/%s/", folder);
    if (r == 0)
        r = http_escape(path, span_str(id), false, err);
    if (r == 0)
        r = buf_append_str(path, "?location=", err);
    return r < 0 ? r : http_escape(path, span_str(location ? location : ""), false, err);
}

static int get_by_path(struct bigquery *b, const char *path, json_t **answer, struct err *err)
{
    int status = 0;
    int r = bigquery_call(b, "GET", path, NULL, &status, answer, err);
    if (r == 0 && status != 200) {
        r = bigquery_answer_err(err, E_IO, b, path, status, *answer);
        json_decref(*answer);
        *answer = NULL;
    }
    return r;
}

static int get_job(struct bigquery *b, const json_t *job, json_t **answer, struct err *err)
{
    CLEANUP(buf_deinit) struct buf path = BUF_INIT(BIGQUERY_URL_MAX);
    int r = bigquery_job_path(&path, "jobs", job, err);
    if (r == 0)
        r = buf_append_byte(&path, '\0', err);
    return r < 0 ? r : get_by_path(b, (const char *)path.data, answer, err);
}

int bigquery_get_job(struct bigquery *b, const char *id, json_t **answer, struct err *err)
{
    json_t *job = bigquery_job(b, id, json_object());
    int r = bigquery_need(job, err);
    if (r == 0)
        r = get_job(b, job, answer, err);
    json_decref(job);
    return r;
}

int bigquery_insert_job(struct bigquery *b, const char *id, json_t *job, json_t **answer,
                        struct err *err)
{
    int status = 0;
    int r = bigquery_call(b, "POST", "/jobs", job, &status, answer, err);
    if (r < 0 || (status != 404 && status != 409))
        return r;
    if (status == 404)
        r = bigquery_answer_err(err, E_ABSENT, b, "POST /jobs", status, *answer);
    json_decref(*answer);
    *answer = NULL;
    // Somebody chose this id before: it was us, in a try whose answer was lost.
    return r < 0 ? r : bigquery_get_job(b, id, answer, err);
}

static const json_t *job_error(const json_t *job)
{
    return json_object_get(json_object_get(job, "status"), "errorResult");
}

const char *bigquery_job_reason(const json_t *job)
{
    const char *reason = json_string_value(json_object_get(job_error(job), "reason"));
    return reason ? reason : "";
}

/* Statements that change one table at a time get in each other's way. */
static bool is_about_others(const json_t *job)
{
    const char *message = json_string_value(json_object_get(job_error(job), "message"));
    return message && (strstr(message, "Could not serialize access") ||
                       strstr(message, "Too many DML statements outstanding"));
}

enum bigquery_limit bigquery_job_limit(const json_t *job)
{
    return is_about_others(job) ? LIMIT_BRIEF : bigquery_limit_of(bigquery_job_reason(job));
}

/* The error that ended the job, and the first of its details where that says more. */
static int job_result(const struct bigquery *b, const json_t *job, struct err *err)
{
    const json_t *error = job_error(job);
    if (!error)
        return 0;
    const char *reason = bigquery_job_reason(job);
    const char *message = json_string_value(json_object_get(error, "message"));
    const char *detail = NULL;
    const json_t *errors = json_object_get(json_object_get(job, "status"), "errors");
    for (size_t i = 0; i < json_array_size(errors) && !detail; i++) {
        detail = json_string_value(json_object_get(json_array_get(errors, i), "message"));
        if (detail && message && strcmp(detail, message) == 0)
            detail = NULL;
    }
    (void)err_set(err, E_IO, 0, "%s: the job failed: %s: %s%s%s", b->url,
                  *reason ? reason : "unknown", message ? message : "no reason given",
                  detail ? "; " : "", detail ? detail : "");
    return bigquery_job_limit(job) == LIMIT_NONE ? E_IO : 1;
}

static bool is_done(const json_t *job)
{
    const char *state = json_string_value(json_object_get(json_object_get(job, "status"), "state"));
    return state && strcmp(state, "DONE") == 0;
}

int bigquery_wait(struct bigquery *b, json_t **answer, struct err *err)
{
    // BigQuery ends jobs itself after six hours.
    static const struct retry_policy policy = {.max_retries = UINT32_MAX,
                                               .first_wait_ms = 100,
                                               .multiplier = 1.5,
                                               .max_wait_ms = 5000,
                                               .deadline_ms = UINT64_C(7) * 3600 * 1000,
                                               .jitter = 0.2};
    struct retry retry;
    retry_init(&retry, &policy, retry_now_ms(), (uint64_t)getpid());
    while (!is_done(*answer)) {
        uint64_t wait_ms;
        json_t *next = NULL;
        if (!retry_next(&retry, retry_now_ms(), 0, &wait_ms))
            return err_set(err, E_IO, 0, "%s: a job has not ended after 7 hours", b->url);
        retry_sleep_ms(wait_ms);
        const int r = get_job(b, *answer, &next, err);
        if (r < 0)
            return r;
        json_decref(*answer);
        *answer = next;
    }
    return job_result(b, *answer, err);
}

/* @return as bigquery_wait. */
static int try_job(struct bigquery *b, const char *kind, json_t *configuration, json_t **answer,
                   struct err *err)
{
    char id[JOB_ID_BYTES];
    int r = bigquery_job_id(id, kind, err);
    if (r < 0)
        return r;
    json_t *job = bigquery_job(b, id, json_incref(configuration));
    r = bigquery_need(job, err);
    if (r == 0)
        r = bigquery_insert_job(b, id, job, answer, err);
    json_decref(job);
    return r < 0 ? r : bigquery_wait(b, answer, err);
}

int bigquery_run_job(struct bigquery *b, const char *kind, json_t *configuration, json_t **answer,
                     struct err *err)
{
    struct bigquery_patience patience;
    bigquery_patience_init(&patience, b);
    int r = try_job(b, kind, configuration, answer, err);
    while (r == 1 && bigquery_patience_wait(&patience, bigquery_job_limit(*answer), 0)) {
        json_decref(*answer);
        *answer = NULL;
        r = try_job(b, kind, configuration, answer, err);
    }
    return r == 1 ? E_IO : r;
}
