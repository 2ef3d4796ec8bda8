/* SPDX-License-Identifier: MPL-2.0 */
/* BigQuery: the handle, and calls of its API. */
#include "warehouse/bigquery_impl.h"

#include <ctype.h>
#include <stdlib.h>

enum { DEFAULT_RETRY_MS = 10 * 60 * 1000 };

static const char real_base[] = "https://bigquery.googleapis.com";
static const char scope[] = "https://www.googleapis.com/auth/bigquery";

int bigquery_need(const json_t *json, struct err *err)
{
    return json ? 0 : err_set(err, E_NOMEM, 0, "no memory for a request to BigQuery");
}

/* The first of error.errors has the reason; newer answers have it in error.status alone. */
const char *bigquery_reason(const json_t *answer)
{
    const json_t *error = json_object_get(answer, "error");
    const json_t *first = json_array_get(json_object_get(error, "errors"), 0);
    const char *reason = json_string_value(json_object_get(first, "reason"));
    if (!reason)
        reason = json_string_value(json_object_get(error, "status"));
    return reason ? reason : "";
}

int bigquery_answer_err(struct err *err, int code, const struct bigquery *b, const char *what,
                        int status, const json_t *answer)
{
    const char *message =
        json_string_value(json_object_get(json_object_get(answer, "error"), "message"));
    const char *reason = bigquery_reason(answer);
    return err_set(err, (enum err_code)code, 0, "%s: %s: status %d%s%s%s%s", b->url, what, status,
                   *reason ? ", " : "", reason, message ? ": " : "", message ? message : "");
}

void bigquery_sign(const struct bigquery *b, struct http_request *request)
{
    if (b->auth)
        request->signer = google_auth_signer(b->auth);
}

static int write_url(struct buf *url, const struct bigquery *b, const char *path, struct err *err)
{
    int r = buf_printf(url, err, "%s/bigquery/v2/projects/", b->base);
    if (r == 0)
        r = http_escape(url, span_str(b->project), false, err);
    if (r == 0)
        r = buf_append_str(url, path, err);
    return r < 0 ? r : buf_append_byte(url, '\0', err);
}

/* One request, with the retries of net/http.h. */
static int call_once(struct bigquery *b, const struct http_request *request, int *status,
                     json_t **answer, uint64_t *asked_ms, struct err *err)
{
    CLEANUP(http_response_deinit) struct http_response response;
    http_response_init(&response);
    const int r = http_send(b->http, request, &response, err);
    *status = response.status;
    *asked_ms = http_response_retry_after_ms(&response);
    if (r < 0)
        return err_wrap(err, r, "%s", b->url);
    json_error_t why;
    *answer = response.body.len > 0 ? json_loadb((const char *)response.body.data,
                                                 response.body.len, JSON_ALLOW_NUL, &why)
                                    : NULL;
    const bool success = response.status >= 200 && response.status < 300;
    if (success && response.body.len > 0 && !*answer)
        return err_set(err, E_FORMAT, 0, "%s: the answer to %s is not JSON: %s", b->url,
                       request->method, why.text);
    return 0;
}

static int call_patiently(struct bigquery *b, const struct http_request *request, int *status,
                          json_t **answer, struct err *err)
{
    struct bigquery_patience patience;
    bigquery_patience_init(&patience, b);
    for (;;) {
        uint64_t asked_ms;
        const int r = call_once(b, request, status, answer, &asked_ms, err);
        const enum bigquery_limit limit = bigquery_limit_met(*status, *answer);
        if (r < 0 || !bigquery_patience_wait(&patience, limit, asked_ms))
            return r;
        json_decref(*answer);
        *answer = NULL;
    }
}

static int judge(const struct bigquery *b, const char *method, const char *path, int status,
                 const json_t *answer, struct err *err)
{
    if ((status >= 200 && status < 300) || status == 404 || status == 409)
        return 0;
    char what[256];
    (void)snprintf(what, sizeof what, "%s %.*s", method, (int)strcspn(path, "?"), path);
    return bigquery_answer_err(err, status == 400 ? E_ARG : E_IO, b, what, status, answer);
}

int bigquery_call(struct bigquery *b, const char *method, const char *path, const json_t *body,
                  int *status, json_t **answer, struct err *err)
{
    CLEANUP(buf_deinit) struct buf url = BUF_INIT(BIGQUERY_URL_MAX);
    char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
    int r = body && !text ? bigquery_need(NULL, err) : write_url(&url, b, path, err);
    struct http_request request = {.method = method,
                                   .url = (const char *)url.data,
                                   .max_response = BIGQUERY_BODY_MAX,
                                   .headers = {{"Content-Type", "application/json"}},
                                   .n_headers = text ? 1 : 0,
                                   .body = text ? span_str(text) : (struct span){0}};
    bigquery_sign(b, &request);
    *answer = NULL;
    if (r == 0)
        r = call_patiently(b, &request, status, answer, err);
    if (r == 0)
        r = judge(b, method, path, *status, *answer, err);
    free(text);
    if (r < 0) {
        json_decref(*answer);
        *answer = NULL;
    }
    return r;
}

static void backend_close(void *impl)
{
    struct bigquery *b = impl;
    http_free(b->http);
    google_auth_free(b->auth);
    free(b->url);
    free(b->base);
    free(b->project);
    free(b->location);
    free(b->temp_dir);
    free(b);
}

/* BigQuery takes more in names of tables, but what is here needs no quoting in a URL or a path. */
static int check_name(const char *name, struct err *err)
{
    static const char good[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
    return name[0] != '\0' && strlen(name) <= 300 && name[strspn(name, good)] == '\0'
               ? 0
               : err_set(err, E_ARG, 0,
                         "\"%s\" cannot be a name in BigQuery: use letters, digits and _", name);
}

static int parse_place(struct bigquery *b, char **dataset, const char *rest, struct err *err)
{
    static const char good[] = "abcdefghijklmnopqrstuvwxyz0123456789-.:";
    const char *slash = strchr(rest, '/');
    const size_t len = slash ? (size_t)(slash - rest) : strlen(rest);
    if (len == 0 || strspn(rest, good) != len)
        return err_set(err, E_ARG, 0, "\"bigquery://%s\": write bigquery://project/dataset", rest);
    b->project = strndup(rest, len);
    if (!b->project || (slash && !(*dataset = strdup(slash + 1))))
        return err_set(err, E_NOMEM, 0, "no memory for a warehouse");
    b->dataset = *dataset;
    return slash ? check_name(*dataset, err) : 0;
}

static int copy_texts(struct bigquery *b, const struct warehouse_config *config, struct err *err)
{
    b->url = strdup(config->url);
    b->base = strdup(config->endpoint ? config->endpoint : real_base);
    b->temp_dir = strdup(config->temp_dir ? config->temp_dir : "/tmp");
    b->location = config->location ? strdup(config->location) : NULL;
    if (!b->url || !b->base || !b->temp_dir || (config->location && !b->location))
        return err_set(err, E_NOMEM, 0, "no memory for a warehouse");
    size_t len = strlen(b->base);
    while (len > 0 && b->base[len - 1] == '/')
        b->base[--len] = '\0';
    return 0;
}

static int set_up(struct bigquery *b, char **dataset, const struct warehouse_config *config,
                  const char *rest, struct err *err)
{
    b->retry_ms = config->retry_ms ? config->retry_ms : DEFAULT_RETRY_MS;
    const struct retry_policy policy = bigquery_policy(b);
    const struct http_options http = {.connect_timeout_s = 10,
                                      .read_timeout_s = 60,
                                      .ca_file = config->ca_file,
                                      .retry = &policy,
                                      .direct = config->endpoint};
    const struct google_options google = {.key = config->google_key,
                                          .credentials_file = config->google_credentials,
                                          .scope = scope,
                                          .metadata_host = config->metadata_host,
                                          .ca_file = config->ca_file};
    int r = parse_place(b, dataset, rest, err);
    if (r == 0)
        r = copy_texts(b, config, err);
    if (r == 0)
        r = http_new(&b->http, &http, err);
    if (r == 0 && (!config->endpoint || config->endpoint_is_google))
        r = google_auth_new(&b->auth, &google, err);
    return r;
}

int bigquery_backend_open(void **impl, char **dataset, const struct warehouse_config *config,
                          const char *rest, struct err *err)
{
    struct bigquery *b = calloc(1, sizeof *b);
    if (!b)
        return err_set(err, E_NOMEM, 0, "no memory for a warehouse");
    const int r = set_up(b, dataset, config, rest, err);
    if (r < 0) {
        backend_close(b);
        return r;
    }
    *impl = b;
    return 0;
}

const struct warehouse_ops bigquery_ops = {
    .quote = '`',
    .close = backend_close,
    .check_name = check_name,
    .append_table = bigquery_append_table,
    .has_table = bigquery_has_table,
    .ensure_table = bigquery_ensure_table,
    .query = bigquery_run_query,
    .load_begin = bigquery_load_begin,
    .load_row = bigquery_load_row,
    .load_commit = bigquery_load_commit,
    .load_free = bigquery_load_free,
    .batch_begin = bigquery_batch_begin,
    .batch_row = bigquery_batch_row,
    .batch_commit = bigquery_batch_commit,
    .batch_free = bigquery_batch_free,
    .ensure_view = bigquery_ensure_view,
};
