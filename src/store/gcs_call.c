/* SPDX-License-Identifier: MPL-2.0 */
#include "store/gcs_internal.h"

#include <string.h>

enum { MAX_URL_BYTES = 16 << 10, MAX_ANSWER_BYTES = 64 << 20 };

/* A name holds any character, and so is escaped whole, "/" too. */
static int append_name(struct buf *url, const struct gcs *gcs, const char *key)
{
    const int r = http_escape(url, span_str(gcs->prefix), false, NULL);
    return r < 0 ? r : http_escape(url, span_str(key), false, NULL);
}

void gcs_call_begin(struct gcs_call *call, struct gcs *gcs, const char *method, enum gcs_path path,
                    const char *key)
{
    *call = (struct gcs_call){.gcs = gcs,
                              .url = BUF_INIT(MAX_URL_BYTES),
                              .range = BUF_INIT(MAX_URL_BYTES),
                              .request = {.method = method, .max_response = MAX_ANSWER_BYTES}};
    http_response_init(&call->answer);
    if (gcs->auth)
        call->request.signer = google_auth_signer(gcs->auth);
    int r = buf_printf(&call->url, NULL, "%s%s/storage/v1/b/", gcs->base,
                       path == GCS_UPLOADS ? "/upload" : "");
    if (r == 0)
        r = http_escape(&call->url, span_str(gcs->bucket), false, NULL);
    if (r == 0)
        r = buf_append_str(&call->url, key ? "/o/" : "/o", NULL);
    if (r == 0 && key)
        r = append_name(&call->url, gcs, key);
    call->failure = r;
}

static void begin_query(struct gcs_call *call, const char *name)
{
    const bool first = call->url.len == 0 || !memchr(call->url.data, '?', call->url.len);
    if (call->failure == 0)
        call->failure = buf_printf(&call->url, NULL, "%s%s=", first ? "?" : "&", name);
}

void gcs_call_query(struct gcs_call *call, const char *name, const char *value)
{
    begin_query(call, name);
    if (call->failure == 0)
        call->failure = http_escape(&call->url, span_str(value), false, NULL);
}

void gcs_call_query_name(struct gcs_call *call, const char *name, const char *key)
{
    begin_query(call, name);
    if (call->failure == 0)
        call->failure = append_name(&call->url, call->gcs, key);
}

void gcs_call_condition(struct gcs_call *call, const struct store_put_options *options)
{
    if (options && options->if_absent)
        gcs_call_query(call, "ifGenerationMatch", "0");
    else if (options && options->if_version)
        gcs_call_query(call, "ifGenerationMatch", options->if_version);
}

void gcs_call_header(struct gcs_call *call, const char *name, const char *value)
{
    call->request.headers[call->request.n_headers++] = (struct http_header){name, value};
}

int gcs_call_ready(struct gcs_call *call, struct err *err)
{
    if (call->failure == 0)
        call->failure = buf_append_byte(&call->url, 0, NULL);
    if (call->failure < 0)
        return err_set(err, E_NOMEM, 0, "no memory for a request");
    call->request.url = (const char *)call->url.data;
    return 0;
}

int gcs_call_send(struct gcs_call *call, struct err *err)
{
    int r = gcs_call_ready(call, err);
    if (r == 0)
        r = http_send(call->gcs->http, &call->request, &call->answer, err);
    return r < 0 ? r : gcs_status(&call->answer, err);
}

void gcs_call_end(struct gcs_call *call)
{
    http_response_deinit(&call->answer);
    buf_deinit(&call->url);
    buf_deinit(&call->range);
}

/* {"error": {"code": 403, "message": "..."}}, or a plain text from media and upload addresses. */
static int failure(const struct http_response *answer, enum err_code code, struct err *err)
{
    CLEANUP(gcs_json_drop)
    json_t *json = json_loadb((const char *)answer->body.data, answer->body.len, 0, NULL);
    const json_t *message = json_object_get(json_object_get(json, "error"), "message");
    const char *text = json_string_value(message);
    return err_set(err, code, 0, "the service answers %d%s%s", answer->status, text ? ": " : "",
                   text ? text : "");
}

int gcs_status(const struct http_response *answer, struct err *err)
{
    if (answer->status >= 200 && answer->status <= 299)
        return 0;
    if (answer->status == 412)
        return STORE_CONFLICT;
    return failure(answer, answer->status == 404 ? E_ABSENT : E_IO, err);
}

json_t *gcs_json(const struct http_response *answer, struct err *err)
{
    json_t *json = json_loadb((const char *)answer->body.data, answer->body.len, 0, NULL);
    if (!json)
        (void)err_set(err, E_FORMAT, 0, "the service's answer is no JSON");
    return json;
}
