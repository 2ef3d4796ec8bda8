/* SPDX-License-Identifier: MPL-2.0 */
#include "base/utc.h"
#include "store/s3_internal.h"

#include <stdio.h>
#include <string.h>

enum {
    MAX_URL = 16 * 1024, // a key of 1024 bytes, each as "%XX", and a listing's query
    MAX_TRIES = 3,       // of a request whose body arrived too slowly
};

/* A call made ready, and what signs its tries. */
struct prepared {
    const struct s3 *s3;
    struct s3_call *call;
    struct buf url, path, query;
    struct buf authorization;
    char hash[S3_HASH_BYTES], time[S3_TIME_BYTES];
    struct http_request request;
};

void s3_call_param(struct s3_call *call, const char *name, const char *value)
{
    call->params[call->n_params++] = (struct s3_param){name, value};
}

void s3_call_header(struct s3_call *call, const char *name, const char *value)
{
    call->headers[call->n_headers++] = (struct http_header){name, value};
}

static int sign(void *arg, struct http_header *headers, size_t *n, struct err *err)
{
    struct prepared *p = arg;
    struct s3_signer *signer = p->s3->signer;
    p->call->n_tries++;
    if (!signer)
        return 0;
    s3_time(p->time, utc_now_us());
    headers[(*n)++] = (struct http_header){"X-Amz-Date", p->time};
    if (s3_signer_token(signer))
        headers[(*n)++] = (struct http_header){"X-Amz-Security-Token", s3_signer_token(signer)};
    const struct s3_signed request = {
        .method = p->request.method,
        .path = (const char *)p->path.data,
        .query = (const char *)p->query.data,
        .headers = headers,
        .n_headers = *n,
        .payload_hash = p->hash,
        .time = p->time,
    };
    buf_clear(&p->authorization);
    const int r = s3_sign(signer, &request, &p->authorization, err);
    if (r < 0)
        return r;
    headers[(*n)++] = (struct http_header){"Authorization", (const char *)p->authorization.data};
    return 0;
}

static void forget(void *arg)
{
    buf_clear(&((struct prepared *)arg)->authorization);
}

static int write_url(struct prepared *p, struct err *err)
{
    const struct s3_call *call = p->call;
    int r = buf_printf(&p->path, err, "%s/", p->s3->root);
    if (r == 0 && call->key)
        r = http_escape(&p->path, span_str(p->s3->prefix), true, err);
    if (r == 0 && call->key)
        r = http_escape(&p->path, span_str(call->key), true, err);
    if (r == 0)
        r = buf_append_byte(&p->path, 0, err);
    if (r == 0)
        r = s3_query(&p->query, call->params, call->n_params, err);
    if (r == 0)
        r = buf_printf(&p->url, err, "%s%s%s%s", p->s3->origin, (const char *)p->path.data,
                       call->n_params > 0 ? "?" : "", (const char *)p->query.data);
    return r == 0 ? buf_append_byte(&p->url, 0, err) : r;
}

static void release(struct prepared *p)
{
    buf_deinit(&p->url);
    buf_deinit(&p->path);
    buf_deinit(&p->query);
    buf_deinit(&p->authorization);
}

/* The body's hash is taken whatever carries it: what arrives is then what was meant. */
static int prepare(struct prepared *p, const struct s3 *s3, struct s3_call *call, struct err *err)
{
    *p = (struct prepared){
        .s3 = s3,
        .call = call,
        .url = BUF_INIT(MAX_URL),
        .path = BUF_INIT(MAX_URL),
        .query = BUF_INIT(MAX_URL),
        .authorization = BUF_INIT_SECRET(MAX_URL),
        .request = {.method = call->method,
                    .body = call->body,
                    .counted = call->counted,
                    .signer = {.sign = sign, .done = forget, .arg = p}},
    };
    int r = write_url(p, err);
    if (r == 0)
        r = s3_hash(p->hash, call->body, err);
    struct http_request *q = &p->request;
    q->url = (const char *)p->url.data;
    q->headers[q->n_headers++] = (struct http_header){"Host", s3->host};
    q->headers[q->n_headers++] = (struct http_header){"X-Amz-Content-Sha256", p->hash};
    for (size_t i = 0; i < call->n_headers; i++)
        q->headers[q->n_headers++] = call->headers[i];
    return r;
}

/* The server gave up waiting for the body: 400, which looks like a fault of ours. */
static bool came_too_slowly(const struct http_response *response)
{
    struct s3_error error;
    if (response->status != 400)
        return false;
    s3_error_read(&error, response);
    return strcmp(error.code, "RequestTimeout") == 0;
}

/* Tries are exhausted: what did the last answer say? */
static int add_reason(int r, const struct http_response *response, struct err *err)
{
    struct s3_error error;
    if (r != E_IO || response->status < 400 || !err)
        return r;
    s3_error_read(&error, response);
    return error.code[0] ? err_set(err, E_IO, 0, "%s: %s: %s", err->text, error.code, error.message)
                         : r;
}

int s3_send(struct s3 *s3, struct s3_call *call, struct http_response *response, struct err *err)
{
    struct prepared p;
    int r = prepare(&p, s3, call, err);
    for (unsigned i = 0; r == 0 && i < MAX_TRIES; i++) {
        r = add_reason(http_send(s3->http, &p.request, response, err), response, err);
        if (r < 0 || !came_too_slowly(response))
            break;
    }
    if (r == 0 && response->status / 100 == 2)
        atomic_store(&s3->known, true);
    release(&p);
    return r;
}

int s3_send_stream(struct http_stream **out, struct s3 *s3, struct s3_call *call,
                   struct http_response *response, struct err *err)
{
    struct prepared p;
    int r = prepare(&p, s3, call, err);
    if (r == 0)
        r = add_reason(http_stream_open(out, s3->http, &p.request, response, err), response, err);
    release(&p);
    return r;
}
