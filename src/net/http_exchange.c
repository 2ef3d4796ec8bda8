/* SPDX-License-Identifier: MPL-2.0 */
/*
 * One try of a request. libcurl's multi interface drives it, although there is one transfer only: a
 * step can be woken from another thread, and a stream may stop after the head and go on elsewhere.
 */
#include "base/secret.h"
#include "net/http_internal.h"

#include <limits.h>
#include <string.h>
#include <strings.h>

enum {
    MAX_RESPONSE = 8 << 20,
    MAX_HEADER_BYTES = 64 << 10,
    RECEIVE_BYTES = 128 << 10, // a read(2) each
};

/* A line break would let a value become a header of its own. */
static bool is_one_line(const char *text)
{
    return text[strcspn(text, "\r\n")] == '\0';
}

static bool has_header(const struct http_header *headers, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++) {
        if (strcasecmp(headers[i].name, name) == 0)
            return true;
    }
    return false;
}

static int append_line(struct exchange *x, const char *line, struct err *err)
{
    struct curl_slist *longer = curl_slist_append(x->headers, line);
    if (!longer)
        return err_set(err, E_NOMEM, 0, "no memory for a header");
    x->headers = longer;
    return 0;
}

static int append_header(struct exchange *x, struct buf *line, const struct http_header *h,
                         struct err *err)
{
    if (!is_one_line(h->name) || !is_one_line(h->value))
        return err_set(err, E_ARG, 0, "a header holds a line break");
    buf_clear(line);
    // libcurl takes "Name:" for the wish to drop a header, and "Name;" for an empty one.
    const int r = h->value[0] ? buf_printf(line, err, "%s: %s", h->name, h->value)
                              : buf_printf(line, err, "%s;", h->name);
    if (r < 0 || (r == 0 && buf_append_byte(line, 0, err) < 0))
        return E_NOMEM;
    return append_line(x, (const char *)line->data, err);
}

static int copy_headers(struct exchange *x, const struct http_header *headers, size_t n,
                        struct err *err)
{
    CLEANUP(buf_deinit) struct buf line = BUF_INIT_SECRET(MAX_HEADER_BYTES);
    int r = append_line(x, "Expect:", err); // no round trip in front of a body
    if (r == 0 && !has_header(headers, n, "Content-Type"))
        r = append_line(x, "Content-Type:", err); // libcurl would call it a form
    for (size_t i = 0; r == 0 && i < n; i++)
        r = append_header(x, &line, &headers[i], err);
    return r;
}

static int sign_and_copy(struct exchange *x, const struct http_request *request, struct err *err)
{
    struct http_header headers[HTTP_MAX_HEADERS];
    size_t n = request->n_headers;
    memcpy(headers, request->headers, n * sizeof *headers);
    const struct http_signer *signer = &request->signer;
    if (signer->sign) {
        x->token = signer->sign(signer->arg, headers, &n, err);
        if (x->token < 0)
            return x->token;
    }
    const int r = copy_headers(x, headers, n, err);
    if (signer->sign && signer->done)
        signer->done(signer->arg);
    return r;
}

static int refuse(struct exchange *x, int code)
{
    x->refusal = code;
    return 0; // less than was given: libcurl ends the transfer
}

/* A callback of libcurl, which is why it counts in size times n. */
static size_t on_header(char *line, size_t size, size_t n, void *arg)
{
    struct exchange *x = arg;
    struct buf *headers = &x->response->headers;
    const size_t len = size * n;
    x->n_head += len;
    if (x->head_done && !x->grpc)
        return len; // trailers
    // Also of an interim 1xx answer before it.
    if (!x->head_done && len >= 5 && memcmp(line, "HTTP/", 5) == 0) {
        long status = 0;
        (void)curl_easy_getinfo(x->lane.easy, CURLINFO_RESPONSE_CODE, &status);
        x->response->status = (int)status;
        buf_clear(headers);
        return len;
    }
    if (len > MAX_HEADER_BYTES - headers->len)
        return (size_t)refuse(x, E_FORMAT);
    if (len > 2 || x->head_done)
        return buf_append(headers, line, len, NULL) == 0 ? len : (size_t)refuse(x, E_NOMEM);
    const int status = x->response->status;
    x->head_done = status >= 200;
    x->streams = x->take && (status == 200 || status == 206);
    return len;
}

static size_t on_body(char *bytes, size_t size, size_t n, void *arg)
{
    struct exchange *x = arg;
    const size_t len = size * n;
    if (x->streams)
        return x->take(x->arg, bytes, len);
    struct buf *body = &x->response->body;
    if (len > body->max - body->len)
        return (size_t)refuse(x, E_FORMAT);
    return buf_append(body, bytes, len, NULL) == 0 ? len : (size_t)refuse(x, E_NOMEM);
}

#define SET(option, value)                                                                         \
    do {                                                                                           \
        if (c == CURLE_OK)                                                                         \
            c = curl_easy_setopt(easy, option, value);                                             \
    } while (0)

static CURLcode set_connection(const struct exchange *x)
{
    CURL *easy = x->lane.easy;
    CURLcode c = CURLE_OK;
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_PROTOCOLS_STR, "http,https");
    SET(CURLOPT_FOLLOWLOCATION, 0L);
    SET(CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
    SET(CURLOPT_PATH_AS_IS, 1L); // signatures and object names know no dot segments
    SET(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    SET(CURLOPT_CONNECTTIMEOUT, (long)x->http->connect_timeout_s);
    SET(CURLOPT_BUFFERSIZE, (long)RECEIVE_BYTES);
    SET(CURLOPT_USERAGENT, "weir");
    SET(CURLOPT_SSL_VERIFYPEER, 1L);
    SET(CURLOPT_SSL_VERIFYHOST, 2L);
    SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    if (x->http->ca_file)
        SET(CURLOPT_CAINFO, x->http->ca_file);
    if (x->http->direct)
        SET(CURLOPT_NOPROXY, "*");
    return c;
}

static CURLcode set_request(struct exchange *x, const struct http_request *request)
{
    CURL *easy = x->lane.easy;
    CURLcode c = CURLE_OK;
    const char *method = request->method;
    SET(CURLOPT_URL, request->url);
    SET(CURLOPT_HTTPHEADER, x->headers);
    if (request->body.len > 0 || method[0] == 'P') { // POST, PUT, PATCH
        SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body.len);
        SET(CURLOPT_POSTFIELDS, request->body.len > 0 ? (const char *)request->body.ptr : "");
    }
    if (strcmp(method, "HEAD") == 0)
        SET(CURLOPT_NOBODY, 1L);
    else
        SET(CURLOPT_CUSTOMREQUEST, method);
    // Without TLS, libcurl before 8.0 fails the second HTTP/2 request of a connection.
    const bool clear_http2 = x->grpc && strncmp(request->url, "http:", 5) == 0;
    SET(CURLOPT_HTTP_VERSION, (long)(!x->grpc      ? CURL_HTTP_VERSION_1_1
                                     : clear_http2 ? CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE
                                                   : CURL_HTTP_VERSION_2TLS));
    SET(CURLOPT_FORBID_REUSE, clear_http2 ? 1L : 0L);
    // What a reused connection lost, libcurl repeats by itself.
    SET(CURLOPT_FRESH_CONNECT, request->no_retry || request->counted || clear_http2 ? 1L : 0L);
    SET(CURLOPT_ERRORBUFFER, x->error);
    SET(CURLOPT_HEADERFUNCTION, on_header);
    SET(CURLOPT_HEADERDATA, x);
    SET(CURLOPT_WRITEFUNCTION, on_body);
    SET(CURLOPT_WRITEDATA, x);
    return c;
}

static int set_up(struct exchange *x, const struct http_request *request, struct err *err)
{
    CURLcode c = set_connection(x);
    if (c == CURLE_OK)
        c = set_request(x, request);
    if (c == CURLE_OUT_OF_MEMORY ||
        (c == CURLE_OK && curl_multi_add_handle(x->lane.multi, x->lane.easy) != CURLM_OK))
        return err_set(err, E_NOMEM, 0, "no memory for a request");
    if (c != CURLE_OK)
        return err_set(err, E_ARG, 0, "libcurl refuses: %s", curl_easy_strerror(c));
    return 0;
}

int exchange_begin(struct exchange *x, const struct http_request *request, struct err *err)
{
    struct http_response *response = x->response;
    *x = (struct exchange){
        .http = x->http, .response = response, .take = x->take, .arg = x->arg, .grpc = x->grpc};
    response->status = 0;
    buf_clear(&response->headers);
    buf_clear(&response->body);
    x->max_body = request->max_response ? request->max_response : MAX_RESPONSE;
    response->body.max = x->max_body;
    int r = lane_take(&x->lane, x->http, err);
    if (r == 0)
        r = sign_and_copy(x, request, err);
    if (r == 0)
        r = set_up(x, request, err);
    x->moved_at_ms = retry_now_ms();
    if (r < 0)
        exchange_end(x);
    return r;
}

void exchange_step(struct exchange *x)
{
    int running, queued;
    const CURLMcode m = curl_multi_perform(x->lane.multi, &running);
    const CURLMsg *message = curl_multi_info_read(x->lane.multi, &queued);
    x->finished = m != CURLM_OK || (message && message->msg == CURLMSG_DONE);
    if (x->finished)
        x->result = m != CURLM_OK ? CURLE_OUT_OF_MEMORY : message->data.result;
}

static uint64_t bytes_moved(const struct exchange *x)
{
    curl_off_t sent = 0, received = 0;
    (void)curl_easy_getinfo(x->lane.easy, CURLINFO_SIZE_UPLOAD_T, &sent);
    (void)curl_easy_getinfo(x->lane.easy, CURLINFO_SIZE_DOWNLOAD_T, &received);
    return x->n_head + (uint64_t)sent + (uint64_t)received;
}

int exchange_wait(struct exchange *x, uint64_t at_most_ms, struct err *err)
{
    const uint64_t moved = bytes_moved(x), now = retry_now_ms();
    if (moved != x->n_moved) {
        x->n_moved = moved;
        x->moved_at_ms = now;
    }
    const uint64_t idle_ms = now - x->moved_at_ms;
    const uint64_t allowed_ms = x->http->read_timeout_s * UINT64_C(1000);
    if (idle_ms >= allowed_ms)
        return err_set(err, E_AGAIN, 0, "not a byte within %u s", x->http->read_timeout_s);
    uint64_t wait_ms = allowed_ms - idle_ms;
    wait_ms = wait_ms < at_most_ms ? wait_ms : at_most_ms;
    (void)curl_multi_poll(x->lane.multi, NULL, 0, wait_ms < INT_MAX ? (int)wait_ms : INT_MAX, NULL);
    return 0;
}

/* Failures that another try may not meet. */
static bool may_pass(CURLcode c)
{
    switch (c) {
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_CONNECT:
    case CURLE_PARTIAL_FILE:
    case CURLE_OPERATION_TIMEDOUT:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_GOT_NOTHING:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_HTTP2: // what only gRPC meets
    case CURLE_HTTP2_STREAM:
        return true;
    default:
        return false;
    }
}

int exchange_verdict(const struct exchange *x, struct err *err)
{
    if (x->result == CURLE_OK)
        return 0;
    if (x->refusal == E_FORMAT)
        return err_set(err, E_FORMAT, 0, "the answer is longer than %zu bytes, or its head than %d",
                       x->max_body, MAX_HEADER_BYTES);
    if (x->refusal == E_NOMEM || x->result == CURLE_OUT_OF_MEMORY)
        return err_set(err, E_NOMEM, 0, "no memory for the answer");
    const enum err_code code =
        x->result == CURLE_URL_MALFORMAT || x->result == CURLE_UNSUPPORTED_PROTOCOL ? E_ARG
        : x->result == CURLE_WEIRD_SERVER_REPLY                                     ? E_FORMAT
        : may_pass(x->result)                                                       ? E_AGAIN
                                                                                    : E_IO;
    return err_set(err, code, 0, "%s", x->error[0] ? x->error : curl_easy_strerror(x->result));
}

void exchange_end(struct exchange *x)
{
    if (x->lane.easy) {
        (void)curl_multi_remove_handle(x->lane.multi, x->lane.easy);
        curl_easy_reset(x->lane.easy); // forgets our memory, keeps the connections
        // An easy handle that found no address keeps its buffer, and refuses another size for it.
        lane_give(x->http, x->lane, x->finished && x->result == CURLE_OK);
        x->lane = (struct lane){0};
    }
    for (struct curl_slist *line = x->headers; line; line = line->next)
        secret_wipe(line->data, strlen(line->data));
    curl_slist_free_all(x->headers);
    x->headers = NULL;
}
