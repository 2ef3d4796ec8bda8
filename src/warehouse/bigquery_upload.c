/* SPDX-License-Identifier: MPL-2.0 */
/*
 * BigQuery: uploads of rows for a load job, in chunks of a session. What arrived is asked for after
 * any trouble, and a session that was lost is begun anew with the same job, which BigQuery accepts
 * once only.
 * Source: https://cloud.google.com/bigquery/docs/reference/api-uploads
 */
#include "warehouse/bigquery_impl.h"

#include <inttypes.h>
#include <stdlib.h>

enum { CHUNK_BYTES = 16 << 20 }; // a multiple of 256 KiB, as all but the last chunk must be

enum outcome {
    UPLOAD_GOES_ON,
    UPLOAD_DONE,
    UPLOAD_LOST,
    UPLOAD_LIMITED,
    UPLOAD_KNOWN,
    UPLOAD_LARGE
};

struct upload {
    struct bigquery *b;
    const json_t *job;
    const struct tempfile *file;
    uint64_t n, offset;
    char *session; // its URL
    uint8_t *chunk;
    json_t *answer;
};

/* Tokens go where the API is, and nowhere else. */
static bool is_trusted(const struct bigquery *b, const char *url)
{
    static const char https[] = "https://", google[] = ".googleapis.com";
    const size_t n = strlen(b->base);
    if (strncmp(url, b->base, n) == 0 && url[n] == '/')
        return true;
    if (!b->auth || strncmp(url, https, sizeof https - 1) != 0)
        return false;
    const char *host = url + sizeof https - 1;
    const size_t len = strcspn(host, "/"), tail = sizeof google - 1;
    return len > tail && memcmp(host + len - tail, google, tail) == 0 && !memchr(host, '@', len);
}

static int take_session(struct upload *u, const struct http_response *response, struct err *err)
{
    const struct span location = http_response_header(response, "Location");
    free(u->session);
    u->session = calloc(1, location.len + 1);
    if (!u->session)
        return err_set(err, E_NOMEM, 0, "no memory for an address");
    if (location.len > 0)
        memcpy(u->session, location.ptr, location.len);
    if (!is_trusted(u->b, u->session))
        return err_set(err, E_FORMAT, 0, "%s: the upload would go to another server", u->b->url);
    u->offset = 0;
    return UPLOAD_GOES_ON;
}

static bool is_too_large(int status, const json_t *answer)
{
    const char *message =
        json_string_value(json_object_get(json_object_get(answer, "error"), "message"));
    return status == 413 || (status == 400 && message && strstr(message, "payload size exceeds"));
}

/* @return an outcome, or E_*. */
static int failed(const struct upload *u, const struct http_response *response, struct err *err)
{
    json_t *answer = json_loadb((const char *)response->body.data, response->body.len, 0, NULL);
    const int code = response->status == 400 ? E_ARG : E_IO;
    int r = bigquery_answer_err(err, code, u->b, "upload of rows", response->status, answer);
    const enum bigquery_limit limit = bigquery_limit_met(response->status, answer);
    if (is_too_large(response->status, answer))
        r = UPLOAD_LARGE;
    else if (response->status >= 500 || response->status == 408 || response->status == 429)
        r = E_AGAIN; // of a chunk: what arrived must be asked for
    else if (limit != LIMIT_NONE)
        r = limit == LIMIT_BRIEF ? UPLOAD_LOST : UPLOAD_LIMITED;
    json_decref(answer);
    return r;
}

/* @return an outcome, or E_*. */
static int begin_session(struct upload *u, struct err *err)
{
    CLEANUP(http_response_deinit) struct http_response response;
    CLEANUP(buf_deinit) struct buf url = BUF_INIT(BIGQUERY_URL_MAX);
    char length[32];
    http_response_init(&response);
    char *body = json_dumps(u->job, JSON_COMPACT);
    int r =
        body ? buf_printf(&url, err, "%s/upload/bigquery/v2/projects/%s/jobs?uploadType=resumable",
                          u->b->base, u->b->project)
             : bigquery_need(NULL, err);
    if (r == 0)
        r = buf_append_byte(&url, '\0', err);
    (void)snprintf(length, sizeof length, "%" PRIu64, u->n);
    struct http_request request = {
        .method = "POST",
        .url = (const char *)url.data,
        .headers = {{"Content-Type", "application/json; charset=UTF-8"},
                    {"X-Upload-Content-Type", "application/octet-stream"},
                    {"X-Upload-Content-Length", length}},
        .n_headers = 3,
        .body = body ? span_str(body) : (struct span){0},
    };
    bigquery_sign(u->b, &request);
    if (r == 0)
        r = http_send(u->b->http, &request, &response, err);
    free(body);
    if (r < 0)
        return r;
    if (response.status == 409)
        return UPLOAD_KNOWN;
    return response.status == 200 ? take_session(u, &response, err) : failed(u, &response, err);
}

/* "bytes=0-42": 43 have arrived. No header: none has. */
static int take_progress(struct upload *u, const struct http_response *response, struct err *err)
{
    const struct span range = http_response_header(response, "Range");
    char text[64];
    uint64_t last;
    u->offset = 0;
    if (range.len == 0)
        return UPLOAD_GOES_ON;
    (void)snprintf(text, sizeof text, "%.*s", (int)range.len, (const char *)range.ptr);
    if (sscanf(text, "bytes=0-%" SCNu64, &last) != 1 || last >= u->n)
        return err_set(err, E_FORMAT, 0, "%s: the upload's answer has no range", u->b->url);
    u->offset = last + 1;
    return UPLOAD_GOES_ON;
}

static int take_job(struct upload *u, const struct http_response *response, struct err *err)
{
    u->answer = json_loadb((const char *)response->body.data, response->body.len, 0, NULL);
    return u->answer ? UPLOAD_DONE
                     : err_set(err, E_FORMAT, 0, "%s: the upload's answer is no job", u->b->url);
}

static int judge(struct upload *u, const struct http_response *response, struct err *err)
{
    switch (response->status) {
    case 200:
    case 201:
        return take_job(u, response, err);
    case 308:
        return take_progress(u, response, err);
    case 404:
    case 410:
        (void)failed(u, response, err);
        return UPLOAD_LOST;
    case 409:
        return UPLOAD_KNOWN;
    default:
        return failed(u, response, err);
    }
}

/* Send bytes with a Content-Range, once: a chunk may not be repeated blindly. @return an outcome;
 * E_AGAIN: nobody knows what arrived; or E_*. */
static int put(struct upload *u, struct span bytes, const char *range, struct err *err)
{
    CLEANUP(http_response_deinit) struct http_response response;
    http_response_init(&response);
    struct http_request request = {
        .method = "PUT",
        .url = u->session,
        .headers = {{"Content-Type", "application/octet-stream"}, {"Content-Range", range}},
        .n_headers = 2,
        .body = bytes,
        .no_retry = true,
    };
    bigquery_sign(u->b, &request);
    const int r = http_send(u->b->http, &request, &response, err);
    if (r == E_IO)
        return E_AGAIN;
    return r < 0 ? r : judge(u, &response, err);
}

static int put_chunk(struct upload *u, struct err *err)
{
    char range[96];
    const size_t len = u->n - u->offset < CHUNK_BYTES ? (size_t)(u->n - u->offset) : CHUNK_BYTES;
    const int r = tempfile_read(u->file, u->offset, u->chunk, len, err);
    if (r < 0)
        return r;
    (void)snprintf(range, sizeof range, "bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64, u->offset,
                   u->offset + len - 1, u->n);
    return put(u, span_of(u->chunk, len), range, err);
}

static int ask_progress(struct upload *u, struct err *err)
{
    char range[64];
    (void)snprintf(range, sizeof range, "bytes */%" PRIu64, u->n);
    return put(u, (struct span){0}, range, err);
}

/* One step. *stuck: nothing was gained by it, so that a wait is due before the next. */
static int step(struct upload *u, int before, bool *stuck, struct err *err)
{
    const uint64_t offset = u->offset;
    int r;
    if (before == UPLOAD_LOST || before == UPLOAD_LIMITED)
        r = begin_session(u, err);
    else if (before == E_AGAIN || offset == u->n)
        r = ask_progress(u, err);
    else
        r = put_chunk(u, err);
    *stuck = r == UPLOAD_LOST || r == UPLOAD_LIMITED || r == E_AGAIN ||
             (r == UPLOAD_GOES_ON && before == UPLOAD_GOES_ON && u->offset <= offset);
    return r;
}

/* Chunks until the job is there. Troubles add up over the whole upload. */
static int run(struct upload *u, struct err *err)
{
    struct bigquery_patience patience;
    bool stuck = false;
    bigquery_patience_init(&patience, u->b);
    int r = UPLOAD_LOST; // there is no session yet
    do {
        if (stuck && !bigquery_patience_wait(
                         &patience, r == UPLOAD_LIMITED ? LIMIT_LASTING : LIMIT_BRIEF, 0)) {
            if (r == UPLOAD_GOES_ON)
                (void)err_set(err, E_IO, 0, "%s: an upload makes no progress", u->b->url);
            return E_IO;
        }
        r = step(u, r, &stuck, err);
    } while (r == UPLOAD_GOES_ON || r == UPLOAD_LOST || r == UPLOAD_LIMITED || r == E_AGAIN);
    return r;
}

int bigquery_upload(struct bigquery *b, const char *id, const json_t *job,
                    const struct tempfile *file, json_t **answer, struct err *err)
{
    const uint64_t n = file->end;
    struct upload u = {.b = b, .job = job, .file = file, .n = n};
    u.chunk = malloc(n < CHUNK_BYTES ? (size_t)n : CHUNK_BYTES);
    int r = u.chunk ? run(&u, err) : err_set(err, E_NOMEM, 0, "no memory for rows");
    free(u.chunk);
    free(u.session);
    if (r == UPLOAD_KNOWN)
        r = bigquery_get_job(b, id, answer, err);
    else if (r == UPLOAD_DONE)
        *answer = u.answer;
    else
        return r == UPLOAD_LARGE ? UPLOAD_IS_TOO_LARGE : r;
    return r < 0 ? r : u.answer ? UPLOAD_IS_NEW : UPLOAD_IS_KNOWN;
}
