/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The queue service's bulk call. Source: fxci-etl.md 3.4, 6.1.
 *
 * A request that is too large, or whose answer is, or that holds something which the service or we
 * cannot read, is asked again in halves: so that one task never keeps others from being answered.
 */
#include "base/log.h"
#include "codec/ndjson.h"
#include "fxci/taskcluster_internal.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

enum {
    CONNECT_S = 10,
    IDLE_S = 60,
    MAX_URL_BYTES = 72 << 10,
    MAX_TOKEN_BYTES = 16 << 10,
    MAX_BODY_BYTES = 64 << 10,
    MAX_PAGE_BYTES = DEFINITION_MAX_BYTES,
    SPARE_PAGES = 16, // that are empty
    ID_BYTES = 22,
    MESSAGE_BYTES = 160,
};
/* Beside E_*: ask for fewer. */
enum { TOO_MUCH = 1 };

struct service {
    const struct record_ops *ops;
    struct http *http;
    struct buf base; // ".../api/queue/v1/tasks"
};

/* One answer after the other to one request. */
struct call {
    struct service *service;
    struct wanted *wanted;
    size_t n_ids;
    struct buf body, url, token;
    struct http_response response;
};

int service_open(struct service **out, const struct taskcluster_config *config,
                 const struct record_ops *ops, struct err *err)
{
    const char *root = config->root_url;
    if (!root || (strncmp(root, "http://", 7) != 0 && strncmp(root, "https://", 8) != 0))
        return err_set(err, E_ARG, 0, "taskcluster.rootUrl: %s is no address of a web service",
                       root ? root : "nothing");
    struct service *s = calloc(1, sizeof *s);
    if (!s)
        return err_set(err, E_NOMEM, 0, "no memory for a client of Taskcluster");
    s->ops = ops;
    s->base = BUF_INIT(MAX_URL_BYTES);
    size_t len = strlen(root);
    while (root[len - 1] == '/')
        len--;
    const struct http_options options = {
        .connect_timeout_s = CONNECT_S, .read_timeout_s = IDLE_S, .ca_file = config->ca_file};
    int r = buf_append(&s->base, root, len, err);
    if (r == 0)
        r = buf_append_str(&s->base, "/api/queue/v1/tasks", err);
    if (r == 0)
        r = http_new(&s->http, &options, err);
    if (r < 0) {
        service_free(s);
        return r;
    }
    *out = s;
    return 0;
}

void service_free(struct service *s)
{
    if (!s)
        return;
    http_free(s->http);
    buf_deinit(&s->base);
    free(s);
}

static void call_init(struct call *c, struct service *s, struct wanted *w)
{
    *c = (struct call){.service = s,
                       .wanted = w,
                       .body = BUF_INIT(MAX_BODY_BYTES),
                       .url = BUF_INIT(MAX_URL_BYTES),
                       .token = BUF_INIT(MAX_TOKEN_BYTES)};
    http_response_init(&c->response);
}

static void call_deinit(struct call *c)
{
    buf_deinit(&c->body);
    buf_deinit(&c->url);
    buf_deinit(&c->token);
    http_response_deinit(&c->response);
}

/* The service refuses a whole request for one id of another form, and knows no such task. */
static bool is_id(struct span id)
{
    for (size_t i = 0; i < id.len; i++) {
        const uint8_t c = id.ptr[i];
        if (!((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
              c == '-' || c == '_'))
            return false;
    }
    return id.len == ID_BYTES;
}

static int write_body(struct call *c, size_t from, size_t to, struct err *err)
{
    const struct wanted *w = c->wanted;
    int r = buf_append_str(&c->body, "{\"taskIds\":[", err);
    for (size_t i = from; i < to && r == 0; i++) {
        if (w->seen[i] || !is_id(w->ids[i]))
            continue;
        r = buf_printf(&c->body, err, "%s\"%.*s\"", c->n_ids > 0 ? "," : "", ID_BYTES,
                       (const char *)w->ids[i].ptr);
        c->n_ids++;
    }
    return r == 0 ? buf_append_str(&c->body, "]}", err) : r;
}

static int write_url(struct call *c, struct err *err)
{
    buf_clear(&c->url);
    const struct buf *base = &c->service->base;
    int r = buf_append(&c->url, base->data, base->len, err);
    if (r == 0 && c->token.len > 0) {
        r = buf_append_str(&c->url, "?continuationToken=", err);
        if (r == 0)
            r = http_escape(&c->url, buf_span(&c->token), false, err);
        if (r == 0)
            r = buf_printf(&c->url, err, "&limit=%d", TASKCLUSTER_MAX_IDS);
    }
    return r == 0 ? buf_append_byte(&c->url, 0, err) : r;
}

/* What an answer that is none says about itself; proxies answer in HTML. */
struct complaint {
    char code[64], message[MESSAGE_BYTES];
};

static void copy_line(char *out, size_t size, const char *text)
{
    const size_t len = text ? strcspn(text, "\r\n") : 0;
    const size_t n = len < size ? len : size - 1;
    if (n > 0)
        memcpy(out, text, n);
    out[n] = '\0';
}

static void read_complaint(struct complaint *c, const struct buf *body)
{
    json_t *json = body->len > 0 ? json_loadb((const char *)body->data, body->len, 0, NULL) : NULL;
    copy_line(c->code, sizeof c->code, json_string_value(json_object_get(json, "code")));
    copy_line(c->message, sizeof c->message, json_string_value(json_object_get(json, "message")));
    json_decref(json);
}

/* Taskcluster's own words for "this request is wrong"; a proxy has none. */
static bool blames_input(const struct complaint *c)
{
    static const char *const codes[] = {"InputValidationError", "MalformedPayload",
                                        "InvalidRequestArguments", "InputError"};
    for (size_t i = 0; i < ARRAY_LEN(codes); i++)
        if (strcmp(c->code, codes[i]) == 0)
            return true;
    return false;
}

/* r: of http_send. @return 0, TOO_MUCH, or E_*. */
static int judge(const struct call *c, int r, struct err *err)
{
    const int status = c->response.status;
    if (r == 0 && status == 200)
        return 0;
    if (r == E_FORMAT) // longer than a page may be
        return TOO_MUCH;
    if (status < 300)
        return r < 0 ? r : err_set(err, E_IO, 0, "the service answers with status %d", status);
    struct complaint complaint;
    read_complaint(&complaint, &c->response.body);
    if (r == 0)
        (void)err_set(err, E_IO, 0, "POST %.*s: the service answers with status %d",
                      (int)c->service->base.len, (const char *)c->service->base.data, status);
    if (complaint.code[0] || complaint.message[0])
        (void)err_wrap(err, E_IO, "%s: %s", complaint.code, complaint.message);
    else
        (void)err_wrap(err, E_IO, "no answer of Taskcluster itself");
    const bool too_much = status == 413 || (status == 400 && blames_input(&complaint));
    return too_much ? TOO_MUCH : E_IO;
}

static int read_answer(struct call *c, struct err *err)
{
    struct buf *page = &c->response.body;
    page->max = MAX_PAGE_BYTES + NDJSON_SLACK;
    int r = buf_reserve(page, NDJSON_SLACK, err);
    if (r < 0)
        return r;
    memset(page->data + page->len, 0, NDJSON_SLACK);
    uint64_t n_skipped = 0;
    r = definitions_page(buf_span(page), c->service->ops, wanted_hand_out, c->wanted, &c->token,
                         &n_skipped, err);
    if (n_skipped > 0)
        log_event(LOG_LEVEL_WARNING, "definitions without a task id were skipped",
                  LOG_U("skipped", n_skipped));
    if (r != E_FORMAT || c->wanted->stopped)
        return r;
    if (page->len > 0 && page->data[0] == '{')
        return TOO_MUCH;
    return err_wrap(err, r, "POST %.*s: no answer of Taskcluster itself", (int)c->service->base.len,
                    (const char *)c->service->base.data);
}

static int ask_page(struct call *c, struct err *err)
{
    int r = write_url(c, err);
    if (r < 0)
        return r;
    const struct http_request request = {
        .method = "POST",
        .url = (const char *)c->url.data,
        .headers = {{"Content-Type", "application/json"}},
        .n_headers = 1,
        .body = buf_span(&c->body),
        .max_response = MAX_PAGE_BYTES,
    };
    r = http_send(c->service->http, &request, &c->response, err);
    r = judge(c, r, err);
    return r == 0 ? read_answer(c, err) : r;
}

static int ask_pages(struct call *c, struct err *err)
{
    CLEANUP(buf_deinit) struct buf last = BUF_INIT(MAX_TOKEN_BYTES);
    const size_t most = 2 * c->n_ids + SPARE_PAGES;
    for (size_t i = 0; i < most; i++) {
        int r = ask_page(c, err);
        if (r != 0 || c->token.len == 0)
            return r;
        if (span_equal(buf_span(&last), buf_span(&c->token)))
            break;
        buf_clear(&last);
        r = buf_append(&last, c->token.data, c->token.len, err);
        if (r < 0)
            return r;
    }
    return err_set(err, E_FORMAT, 0, "POST %.*s: pages for %zu ids, and no end",
                   (int)c->service->base.len, (const char *)c->service->base.data, c->n_ids);
}

/* Wanted ids [from, to) that were not handed out. @return 0, TOO_MUCH, or E_*; *n_ids asked for. */
static int ask(struct service *s, struct wanted *w, size_t from, size_t to, size_t *n_ids,
               struct err *err)
{
    CLEANUP(call_deinit) struct call c;
    call_init(&c, s, w);
    int r = write_body(&c, from, to, err);
    *n_ids = c.n_ids;
    if (r == 0 && c.n_ids > 0)
        r = ask_pages(&c, err);
    return r;
}

static int fetch_range(struct service *s, struct wanted *w, size_t from, size_t to, struct err *err)
{
    size_t n_ids;
    struct err why = {0};
    int r = ask(s, w, from, to, &n_ids, &why);
    const bool too_much = r == TOO_MUCH && !w->stopped;
    if (too_much && n_ids > 1) {
        const size_t middle = from + (to - from) / 2;
        r = fetch_range(s, w, from, middle, &why);
        if (r == 0)
            r = fetch_range(s, w, middle, to, &why);
    } else if (too_much) {
        log_event(LOG_LEVEL_WARNING, "the definition of a task cannot be had",
                  LOG_S("why", why.text));
        r = 0;
    }
    if (r != 0 && err)
        *err = why;
    return r;
}

int service_fetch(struct service *s, struct wanted *w, struct err *err)
{
    return fetch_range(s, w, 0, w->n, err);
}
