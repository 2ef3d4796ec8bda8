/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Resumable uploads. A part that breaks is not sent again as it is: the service is asked how much
 * of it arrived. Source: https://cloud.google.com/storage/docs/performing-resumable-uploads.
 */
#include "store/gcs_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RANGE_BYTES = 80, MAX_ANSWER_BYTES = 1 << 20 };

struct upload {
    struct gcs *gcs;
    char *session;      // the URL that stands for the upload, a secret of its own; NULL: none
    uint64_t committed; // bytes that the service has
    bool conflict;      // seen early; to be told at the end, and the bytes until then are dropped
};

static void free_upload(struct upload *u)
{
    free(u->session);
    free(u);
}

/* The session is where the service is, and as safe. */
static int take_session(struct upload *u, const struct http_response *answer, struct err *err)
{
    const struct span url = http_response_header(answer, "Location");
    const bool tls = strncmp(u->gcs->base, "https://", 8) == 0;
    const char *scheme = tls ? "https://" : "http";
    if (url.len < strlen(scheme) || memcmp(url.ptr, scheme, strlen(scheme)) != 0)
        return err_set(err, E_FORMAT, 0, "the service names no address for an upload");
    u->session = span_to_text(url);
    return u->session ? 0 : err_set(err, E_NOMEM, 0, "no memory for an upload");
}

static int start(struct upload *u, const char *key, const struct store_put_options *options,
                 struct err *err)
{
    static const char metadata[] = "{\"contentType\":\"application/octet-stream\"}";
    struct gcs_call call;
    gcs_call_begin(&call, u->gcs, "POST", GCS_UPLOADS, NULL);
    gcs_call_query(&call, "uploadType", "resumable");
    gcs_call_query_name(&call, "name", key);
    gcs_call_query(&call, "fields", GCS_FIELDS); // of the last answer
    gcs_call_condition(&call, options);
    gcs_call_header(&call, "Content-Type", "application/json; charset=UTF-8");
    call.request.body = span_str(metadata);
    int r = gcs_call_send(&call, err);
    if (r == 0)
        r = take_session(u, &call.answer, err);
    gcs_call_end(&call);
    return r;
}

int gcs_upload_begin(void **upload, void *self, const char *key,
                     const struct store_put_options *options, struct err *err)
{
    struct upload *u = calloc(1, sizeof *u);
    if (!u)
        return err_set(err, E_NOMEM, 0, "no memory for an upload");
    u->gcs = self;
    const int r = start(u, key, options, err);
    if (r < 0) {
        free_upload(u);
        return r;
    }
    u->conflict = r == STORE_CONFLICT;
    *upload = u;
    return 0;
}

/* The state of one part. */
struct part {
    struct upload *u;
    uint64_t begin;
    struct span bytes;
    bool last;
    struct http_response answer;
    struct retry retry;
};

// "bytes 0-99/*", "bytes 100-199/200"; to ask only, a star stands for the range.
static void write_range(char out[RANGE_BYTES], const struct part *p, size_t skip, size_t n)
{
    char total[24] = "*";
    if (p->last)
        (void)snprintf(total, sizeof total, "%" PRIu64, p->begin + p->bytes.len);
    if (n == 0)
        (void)snprintf(out, RANGE_BYTES, "bytes */%s", total);
    else
        (void)snprintf(out, RANGE_BYTES, "bytes %" PRIu64 "-%" PRIu64 "/%s", p->begin + skip,
                       p->begin + skip + n - 1, total);
}

/* How far the service is: "bytes=0-1023"; without that it has nothing. */
static int read_progress(struct part *p, struct err *err)
{
    const struct span range = http_response_header(&p->answer, "Range");
    uint64_t n = 0;
    static const char head[] = "bytes=0-";
    if (range.len > 0) {
        if (range.len <= strlen(head) || range.len > strlen(head) + 18 ||
            memcmp(range.ptr, head, strlen(head)) != 0)
            return err_set(err, E_FORMAT, 0, "the service reports an odd range of an upload");
        for (size_t i = strlen(head); i < range.len; i++) {
            if (range.ptr[i] < '0' || range.ptr[i] > '9')
                return err_set(err, E_FORMAT, 0, "the service reports an odd range of an upload");
            n = n * 10 + (range.ptr[i] - '0');
        }
        n++;
    }
    if (n < p->begin || n > p->begin + p->bytes.len)
        return err_set(err, E_IO, 0, "the service lost track of an upload");
    p->u->committed = n;
    return 0;
}

/* What one exchange brought, beside STORE_CONFLICT and E_*. */
enum {
    PART_PROGRESS = STORE_CONFLICT + 1, // committed is up to date
    PART_WHOLE,                         // the object is there, and described in the answer
};

static int read_answer(struct part *p, struct err *err)
{
    const int status = p->answer.status;
    if (status == 308) {
        const int r = read_progress(p, err);
        return r < 0 ? r : PART_PROGRESS;
    }
    const int r = gcs_status(&p->answer, err);
    if (r == E_ABSENT || status == 410)
        return err_set(err, E_IO, 0, "the service forgot the upload");
    if (r < 0 && (status == 408 || status == 429 || status >= 500))
        return E_AGAIN;
    return r == 0 ? PART_WHOLE : r;
}

/* Send what is missing, or ask how much is. @return as above; E_AGAIN: it broke. */
static int exchange(struct part *p, bool query, struct err *err)
{
    const size_t skip = (size_t)(p->u->committed - p->begin), n = query ? 0 : p->bytes.len - skip;
    char range[RANGE_BYTES];
    write_range(range, p, skip, n);
    // The session's URL is the right to use it; no token is needed.
    const struct http_request request = {
        .method = "PUT",
        .url = p->u->session,
        .headers = {{"Content-Range", range}},
        .n_headers = 1,
        .body = n > 0 ? span_of(p->bytes.ptr + skip, n) : (struct span){0},
        .max_response = MAX_ANSWER_BYTES,
        .no_retry = true,
    };
    const int r = http_send(p->u->gcs->http, &request, &p->answer, err);
    if (r == E_IO)
        return E_AGAIN;
    return r < 0 ? r : read_answer(p, err);
}

static void restart_patience(struct part *p)
{
    const uint64_t now = retry_now_ms();
    retry_init(&p->retry, &p->u->gcs->retry, now, now ^ (uintptr_t)p->u);
}

/* Wait before another try, where there may be one. */
static bool wait_for_retry(struct part *p)
{
    uint64_t wait_ms;
    const uint64_t asked_ms = http_response_retry_after_ms(&p->answer);
    if (!retry_next(&p->retry, retry_now_ms(), asked_ms, &wait_ms))
        return false;
    retry_sleep_ms(wait_ms);
    return true;
}

/* @return 0 when the service has the part, and, of the last, made the object; or as exchange. */
static int send_part(struct part *p, struct err *err)
{
    const uint64_t end = p->begin + p->bytes.len;
    restart_patience(p);
    for (bool query = false;;) {
        const uint64_t before = p->u->committed;
        const int r = exchange(p, query, err);
        const bool progress = p->u->committed > before;
        if (r == PART_WHOLE)
            return p->last ? 0 : err_set(err, E_FORMAT, 0, "the service ends an upload early");
        if (r == PART_PROGRESS && p->u->committed == end && !p->last)
            return 0;
        if (r != PART_PROGRESS && r != E_AGAIN)
            return r;
        if (progress)
            restart_patience(p);
        if (r == PART_PROGRESS && (progress || query)) {
            query = false;
            continue;
        }
        if (!wait_for_retry(p))
            return r == E_AGAIN ? E_IO : err_set(err, E_IO, 0, "the service takes no more bytes");
        query = true;
    }
}

int gcs_upload_part(void *upload, struct span bytes, struct err *err)
{
    struct upload *u = upload;
    struct part part = {.u = u, .begin = u->committed, .bytes = bytes};
    http_response_init(&part.answer);
    const int r = u->conflict ? 0 : send_part(&part, err);
    http_response_deinit(&part.answer);
    u->conflict = u->conflict || r == STORE_CONFLICT;
    return r < 0 ? r : 0;
}

int gcs_upload_finish(void *upload, struct span rest, struct store_object *object, struct err *err)
{
    struct upload *u = upload;
    struct part part = {.u = u, .begin = u->committed, .bytes = rest, .last = true};
    http_response_init(&part.answer);
    int r = u->conflict ? STORE_CONFLICT : send_part(&part, err);
    if (r == 0)
        r = gcs_object_read_written(object, &part.answer, part.begin + rest.len, err);
    http_response_deinit(&part.answer);
    if (r < 0)
        gcs_upload_abort(u);
    else
        free_upload(u);
    return r;
}

static void cancel_session(const struct upload *u)
{
    const struct http_request request = {.method = "DELETE", .url = u->session, .no_retry = true};
    struct http_response answer;
    http_response_init(&answer);
    const int r = http_send(u->gcs->http, &request, &answer, NULL);
    (void)r; // sessions also end by themselves
    http_response_deinit(&answer);
}

void gcs_upload_abort(void *upload)
{
    struct upload *u = upload;
    if (u->session)
        cancel_session(u);
    free_upload(u);
}
