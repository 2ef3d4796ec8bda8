/* SPDX-License-Identifier: MPL-2.0 */
/* Cloud Monitoring's timeSeries.list. Source: fxci-etl.md 4.2, 6.4, 6.5. */
#include "base/log.h"
#include "base/retry.h"
#include "base/utc.h"
#include "fxci/metrics_internal.h"
#include "net/google.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SERVICE "https://monitoring.googleapis.com"
#define SCOPE   "https://www.googleapis.com/auth/monitoring.read"

enum {
    CONNECT_S = 10,
    IDLE_S = 60,
    DEADLINE_MS = 10 * 60 * 1000,
    MAX_TRIES = 60,
    MAX_URL_BYTES = 64 << 10,
    MAX_PAGES = 10000,
    SECOND_US = 1000000,
};

static const struct retry_policy policy = {.max_retries = MAX_TRIES,
                                           .first_wait_ms = 1000,
                                           .multiplier = 2,
                                           .max_wait_ms = 32000,
                                           .deadline_ms = DEADLINE_MS,
                                           .jitter = 1};

struct monitoring {
    const char *base;
    struct http *http;
    struct google_auth *auth; // NULL: an endpoint that wants none
};

/* A stand-in that is named without any credentials gets no token, and the metadata server of the
 * machine is not looked for. */
static bool needs_token(const struct metrics_run *run)
{
    return !run->config->monitoring.endpoint || run->config->monitoring.credentials.len > 0 ||
           run->google_credentials || run->metadata_host;
}

static int open_auth(struct monitoring *m, const struct metrics_run *run, struct err *err)
{
    const struct google_options options = {
        .key = &run->config->monitoring.credentials,
        .credentials_file = run->google_credentials,
        .scope = SCOPE,
        .metadata_host = run->metadata_host,
    };
    const int r = google_auth_new(&m->auth, &options, err);
    return r < 0 ? err_wrap(err, r, "credentials for Cloud Monitoring") : 0;
}

int monitoring_open(struct monitoring **out, const struct metrics_run *run, struct err *err)
{
    struct monitoring *m = calloc(1, sizeof *m);
    if (!m)
        return err_set(err, E_NOMEM, 0, "no memory for a client of Cloud Monitoring");
    const char *endpoint = run->config->monitoring.endpoint;
    m->base = endpoint ? endpoint : SERVICE;
    const struct http_options options = {
        .connect_timeout_s = CONNECT_S, .read_timeout_s = IDLE_S, .retry = &policy};
    int r = http_new(&m->http, &options, err);
    if (r == 0 && needs_token(run))
        r = open_auth(m, run, err);
    if (r < 0) {
        monitoring_free(m);
        return r;
    }
    *out = m;
    return 0;
}

void monitoring_free(struct monitoring *m)
{
    if (!m)
        return;
    google_auth_free(m->auth);
    http_free(m->http);
    free(m);
}

static int append_parameter(struct buf *url, const char *name, struct span value, struct err *err)
{
    int r = buf_printf(url, err, "&%s=", name);
    return r < 0 ? r : http_escape(url, value, false, err);
}

static int append_text(struct buf *url, const char *name, const char *value, struct err *err)
{
    return append_parameter(url, name, span_str(value), err);
}

static int append_time(struct buf *url, const char *name, int64_t us, struct err *err)
{
    char text[UTC_TEXT_BYTES];
    utc_format(text, us);
    const size_t whole = strcspn(text, ".");
    text[whole] = 'Z'; // the interval is of whole seconds
    return append_parameter(url, name, span_of(text, whole + 1), err);
}

static int append_path(struct buf *url, const struct monitoring *m, const struct metric_intake *in,
                       struct err *err)
{
    size_t len = strlen(m->base);
    while (len > 0 && m->base[len - 1] == '/')
        len--;
    int r = buf_append(url, m->base, len, err);
    if (r == 0)
        r = buf_append_str(url, "/v3/projects/", err);
    if (r == 0)
        r = http_escape(url, span_str(in->project), false, err);
    return r < 0 ? r : buf_append_str(url, "/timeSeries?view=FULL", err);
}

static int append_aggregation(struct buf *url, const struct metric_intake *in, struct err *err)
{
    char period[32];
    const int64_t us = in->interval.end_us - in->interval.start_us;
    (void)snprintf(period, sizeof period, "%llds", (long long)(us / SECOND_US));
    int r = append_text(url, "aggregation.alignmentPeriod", period, err);
    if (r == 0)
        r = append_text(url, "aggregation.perSeriesAligner", in->metric->aligner, err);
    if (r == 0)
        r = append_text(url, "aggregation.crossSeriesReducer", in->metric->reducer, err);
    for (const char *const *field = in->metric->group_fields; *field && r == 0; field++)
        r = append_text(url, "aggregation.groupByFields", *field, err);
    return r;
}

/* All but the page's token, without a NUL. */
static int write_url(struct buf *url, const struct monitoring *m, const struct metric_intake *in,
                     struct err *err)
{
    char filter[512];
    const int n = snprintf(filter, sizeof filter, "metric.type=\"%s\"", in->metric->type);
    if (n < 0 || (size_t)n >= sizeof filter)
        return err_set(err, E_ARG, 0, "the type of metric %.40s is too long", in->metric->name);
    int r = append_path(url, m, in, err);
    if (r == 0)
        r = append_text(url, "filter", filter, err);
    if (r == 0)
        r = append_time(url, "interval.startTime", in->interval.start_us, err);
    if (r == 0)
        r = append_time(url, "interval.endTime", in->interval.end_us, err);
    return r < 0 ? r : append_aggregation(url, in, err);
}

static void drop_json(json_t **json)
{
    json_decref(*json);
}

/* What is asked for too often, or failed for no reason of its own, passes. */
static bool may_pass(const struct http_response *response)
{
    static const char *const reasons[] = {"rateLimitExceeded", "backendError", "internalError"};
    if (response->status != 403 && response->status != 400)
        return false;
    CLEANUP(drop_json)
    json_t *json = json_loadb((const char *)response->body.data, response->body.len, 0, NULL);
    const json_t *errors = json_object_get(json_object_get(json, "error"), "errors");
    const char *reason = json_string_value(json_object_get(json_array_get(errors, 0), "reason"));
    for (size_t i = 0; i < ARRAY_LEN(reasons) && reason; i++)
        if (strcmp(reason, reasons[i]) == 0)
            return true;
    return false;
}

static int refusal(const struct http_response *response, struct err *err)
{
    CLEANUP(drop_json)
    json_t *json = response->body.len > 0
                       ? json_loadb((const char *)response->body.data, response->body.len, 0, NULL)
                       : NULL;
    const json_t *error = json_object_get(json, "error");
    const char *status = json_string_value(json_object_get(error, "status"));
    const char *message = json_string_value(json_object_get(error, "message"));
    return err_set(err, E_IO, 0, "Cloud Monitoring answers with status %d%s%.40s%s%.240s",
                   response->status, status ? " " : "", status ? status : "", message ? ": " : "",
                   message ? message : "");
}

static int send_patiently(struct monitoring *m, const char *url, struct http_response *response,
                          struct err *err)
{
    struct http_request request = {
        .method = "GET", .url = url, .max_response = METRICS_MAX_ANSWER_BYTES};
    if (m->auth)
        request.signer = google_auth_signer(m->auth);
    struct retry retry;
    const uint64_t now = retry_now_ms();
    retry_init(&retry, &policy, now, now ^ (uintptr_t)response);
    for (;;) {
        const int r = http_send(m->http, &request, response, err);
        uint64_t wait_ms;
        if (r < 0 && response->status >= 400) {
            struct err said = {0};
            (void)refusal(response, &said);
            return err_wrap(err, r, "%s", said.text);
        }
        if (r < 0 || !may_pass(response) ||
            !retry_next(&retry, retry_now_ms(), http_response_retry_after_ms(response), &wait_ms))
            return r;
        retry_sleep_ms(wait_ms);
    }
}

static int read_page(struct monitoring *m, const char *url, struct metric_intake *in,
                     json_t **answer, struct err *err)
{
    CLEANUP(http_response_deinit) struct http_response response;
    http_response_init(&response);
    int r = send_patiently(m, url, &response, err);
    if (r < 0)
        return r;
    if (response.status != 200)
        return refusal(&response, err);
    json_error_t why;
    *answer = json_loadb((const char *)response.body.data, response.body.len, 0, &why);
    if (!*answer)
        return err_set(err, E_FORMAT, 0, "Cloud Monitoring's answer is no JSON: %s", why.text);
    return metric_intake_answer(in, *answer, err);
}

/* @return 1 where there is another page, else 0 or E_*. */
static int read_next(struct monitoring *m, struct buf *url, size_t url_len, struct buf *token,
                     struct metric_intake *in, struct err *err)
{
    url->len = url_len;
    int r = token->len > 0 ? append_parameter(url, "pageToken", buf_span(token), err) : 0;
    if (r == 0)
        r = buf_append_byte(url, 0, err);
    if (r < 0)
        return r;
    CLEANUP(drop_json) json_t *answer = NULL;
    r = read_page(m, (const char *)url->data, in, &answer, err);
    if (r < 0)
        return r;
    const char *next = json_string_value(json_object_get(answer, "nextPageToken"));
    if (!next || !*next)
        return 0;
    if (span_equal(span_str(next), buf_span(token)))
        return err_set(err, E_FORMAT, 0, "Cloud Monitoring's pages do not come to an end");
    buf_clear(token);
    r = buf_append_str(token, next, err);
    return r < 0 ? r : 1;
}

int monitoring_read(struct monitoring *m, struct metric_intake *in, struct err *err)
{
    CLEANUP(buf_deinit) struct buf url = BUF_INIT(MAX_URL_BYTES);
    CLEANUP(buf_deinit) struct buf token = BUF_INIT(MAX_URL_BYTES);
    int r = write_url(&url, m, in, err);
    if (r < 0)
        return r;
    const size_t url_len = url.len;
    for (int i = 0; i < MAX_PAGES; i++) {
        r = read_next(m, &url, url_len, &token, in, err);
        if (r <= 0)
            return r;
    }
    return err_set(err, E_FORMAT, 0, "Cloud Monitoring has more than %d pages", MAX_PAGES);
}
