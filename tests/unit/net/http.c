/* SPDX-License-Identifier: MPL-2.0 */
#include "net/http.h"

#include "base/base_test.h"
#include "net/loopback.h"

#include <time.h>

#define OK(body_len)   "HTTP/1.1 200 OK\r\nContent-Length: " #body_len "\r\n\r\n"
#define STATUS(status) "HTTP/1.1 " #status " X\r\nContent-Length: 0\r\n\r\n"

static const struct retry_policy quick = {
    .max_retries = 3, .first_wait_ms = 1, .multiplier = 1, .max_wait_ms = 1};

struct fixture {
    struct loopback server;
    struct http *http;
    struct http_response response;
    struct http_request request;
    struct err err;
    char url[128];
};

static int set_up(void **state)
{
    static struct fixture f;
    f = (struct fixture){.request.method = "GET"};
    const struct http_options options = {.retry = &quick, .read_timeout_s = 1};
    assert_int_equal(http_new(&f.http, &options, NULL), 0);
    http_response_init(&f.response);
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    http_free(f->http);
    http_response_deinit(&f->response);
    loopback_stop(&f->server);
    return 0;
}

static void use_options(struct fixture *f, const struct http_options *options)
{
    http_free(f->http);
    assert_int_equal(http_new(&f->http, options, NULL), 0);
}

static void serve(struct fixture *f, const struct answer *answers, size_t n)
{
    loopback_start(&f->server, answers, n);
    (void)snprintf(f->url, sizeof f->url, "%s/path?secret=query", f->server.url);
    f->request.url = f->url;
}
#define SERVE(f, ...)                                                                              \
    static const struct answer answers[] = {__VA_ARGS__};                                          \
    serve((f), answers, ARRAY_LEN(answers))

static int ask(struct fixture *f)
{
    f->err = (struct err){0};
    return http_send(f->http, &f->request, &f->response, &f->err);
}

static void assert_body(const struct fixture *f, const char *text)
{
    assert_int_equal(f->response.body.len, strlen(text));
    if (text[0])
        assert_memory_equal(f->response.body.data, text, strlen(text));
}

static void an_answer_comes_with_status_headers_and_body(void **state)
{
    struct fixture *f = *state;
    SERVE(f, {.text = "HTTP/1.1 404 Gone\r\nETag:  \"a b\" \r\nX-Empty:\r\netag: second\r\n"
                      "Content-Length: 4\r\n\r\nbody"});
    assert_int_equal(ask(f), 0);
    assert_int_equal(f->response.status, 404);
    assert_body(f, "body");
    assert_true(span_equal(http_response_header(&f->response, "eTaG"), span_str("\"a b\"")));
    assert_int_equal(http_response_header(&f->response, "X-Empty").len, 0);
    assert_int_equal(http_response_header(&f->response, "ETa").len, 0);
    assert_int_equal(http_response_header(&f->response, "body").len, 0);
}

static void a_request_says_what_was_asked_for_and_no_more(void **state)
{
    struct fixture *f = *state;
    SERVE(f, {.text = STATUS(204)}, {.text = STATUS(200)}, {.text = STATUS(200)});
    f->request.method = "PUT";
    f->request.body = span_str("hello");
    f->request.headers[f->request.n_headers++] = (struct http_header){"X-One", "1"};
    f->request.headers[f->request.n_headers++] = (struct http_header){"X-Empty", ""};
    assert_int_equal(ask(f), 0);
    const char *put = f->server.requests[0];
    assert_memory_equal(put, "PUT /path?secret=query HTTP/1.1\r\n", 33);
    assert_contains(put, "\r\nX-One: 1\r\n");
    assert_contains(put, "\r\nX-Empty:\r\n");
    assert_contains(put, "\r\nContent-Length: 5\r\n");
    assert_contains(put, "\r\n\r\nhello");
    assert_lacks(put, "Expect:");
    assert_lacks(put, "Content-Type:");

    f->request.body = (struct span){0};
    assert_int_equal(ask(f), 0);
    assert_contains(f->server.requests[1], "\r\nContent-Length: 0\r\n");
    f->request.method = "DELETE";
    assert_int_equal(ask(f), 0);
    assert_memory_equal(f->server.requests[2], "DELETE /", 8);
    assert_lacks(f->server.requests[2], "Content-Length");
}

static void a_head_request_waits_for_no_body(void **state)
{
    struct fixture *f = *state;
    SERVE(f, {.text = OK(1000)});
    f->request.method = "HEAD";
    assert_int_equal(ask(f), 0);
    assert_memory_equal(f->server.requests[0], "HEAD /", 6);
    assert_true(span_equal(http_response_header(&f->response, "Content-Length"), span_str("1000")));
}

static void connections_are_kept(void **state)
{
    struct fixture *f = *state;
    SERVE(f, {.text = OK(0)}, {.text = OK(2) "ab"}, {.text = STATUS(404)}, {.text = OK(0)});
    for (int i = 0; i < 4; i++)
        assert_int_equal(ask(f), 0);
    assert_int_equal(f->server.n_connections, 1);
}

static void an_interim_answer_is_passed_over(void **state)
{
    struct fixture *f = *state;
    SERVE(f,
          {.text = "HTTP/1.1 103 Early Hints\r\nX: early\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: "
                   "1\r\n\r\nx"});
    assert_int_equal(ask(f), 0);
    assert_int_equal(f->response.status, 200);
    assert_int_equal(http_response_header(&f->response, "X").len, 0);
    assert_body(f, "x");
}

static void failures_that_may_pass_are_tried_again(void **state)
{
    struct fixture *f = *state;
    SERVE(f, {.text = STATUS(503)}, {.text = NULL, .then = THEN_RESET},
          {.text = OK(10) "short", .then = THEN_CLOSE}, {.text = OK(4) "good"});
    assert_int_equal(ask(f), 0);
    assert_body(f, "good");
    assert_int_equal(f->server.n_requests, 4);
}

static void every_passing_status_is_retried_and_others_are_not(void **state)
{
    struct fixture *f = *state;
    SERVE(f, {.text = STATUS(408)}, {.text = STATUS(429)}, {.text = STATUS(500)},
          {.text = STATUS(400)}, {.text = STATUS(502)}, {.text = STATUS(504)},
          {.text = STATUS(412)}, {.text = STATUS(301)}, {.text = STATUS(401)});
    static const int want[] = {400, 412, 301, 401};
    for (size_t i = 0; i < ARRAY_LEN(want); i++) {
        assert_int_equal(ask(f), 0);
        assert_int_equal(f->response.status, want[i]);
    }
}

static void in_the_end_the_last_cause_is_told_without_the_query(void **state)
{
    struct fixture *f = *state;
    SERVE(f, {.text = STATUS(500)}, {.text = STATUS(500)}, {.text = STATUS(500)},
          {.text = "HTTP/1.1 503 X\r\nContent-Length: 4\r\n\r\nwhy?"});
    assert_int_equal(ask(f), E_IO);
    assert_contains(f->err.text, "GET http://127.0.0.1");
    assert_contains(f->err.text, "/path: the server answers with status 503 (after 4 tries)");
    assert_lacks(f->err.text, "secret");
    assert_int_equal(f->response.status, 503);
    assert_body(f, "why?");
}

static void a_single_try_hands_out_what_it_got(void **state)
{
    struct fixture *f = *state;
    SERVE(f, {.text = STATUS(503)}, {.text = STATUS(503)});
    f->request.no_retry = true;
    assert_int_equal(ask(f), 0);
    assert_int_equal(f->response.status, 503);
    f->request.no_retry = false;
    f->request.final_statuses[0] = 308;
    f->request.final_statuses[1] = 503;
    assert_int_equal(ask(f), 0);
    assert_int_equal(f->server.n_requests, 2);
}

static void nobody_there_is_an_io_error(void **state)
{
    struct fixture *f = *state;
    loopback_start(&f->server, NULL, 0);
    f->request.url = f->server.url;
    assert_int_equal(ask(f), E_IO);
    assert_contains(f->err.text, "after 4 tries");
    f->request.no_retry = true;
    assert_int_equal(ask(f), E_IO);
    assert_lacks(f->err.text, "tries");
}

static uint64_t time_of(struct fixture *f, int want)
{
    const uint64_t before = retry_now_ms();
    assert_int_equal(ask(f), want);
    return retry_now_ms() - before;
}

/* A label of more than 63 letters is refused before anybody is asked for it. */
static void a_name_that_is_not_known_is_tried_again(void **state)
{
    struct fixture *f = *state;
    f->request.url = "http://"
                     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
                     ".invalid/";
    assert_int_equal(ask(f), E_IO);
    assert_non_null(strstr(f->err.text, "resolve host"));
    assert_non_null(strstr(f->err.text, "(after 4 tries)"));
}

static void retry_after_in_seconds_is_waited_for(void **state)
{
    struct fixture *f = *state;
    SERVE(f, {.text = "HTTP/1.1 503 X\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n"},
          {.text = OK(0)});
    assert_in_range(time_of(f, 0), 1000, 3000);
}

static void retry_after_as_a_date_is_waited_for(void **state)
{
    struct fixture *f = *state;
    char text[128], date[64];
    const time_t then = time(NULL) + 2;
    struct tm tm;
    (void)strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&then, &tm));
    (void)snprintf(text, sizeof text,
                   "HTTP/1.1 429 X\r\nRetry-After: %s\r\nContent-Length: 0\r\n\r\n", date);
    const struct answer answers[] = {{.text = text}, {.text = OK(0)}};
    serve(f, answers, 2);
    assert_in_range(time_of(f, 0), 900, 4000);
    http_free(f->http); // before the answers leave the stack
    f->http = NULL;
}

static void senseless_retry_after_is_ignored(void **state)
{
    struct fixture *f = *state;
    SERVE(
        f, {.text = "HTTP/1.1 503 X\r\nRetry-After: soon\r\nContent-Length: 0\r\n\r\n"},
        {.text =
             "HTTP/1.1 503 X\r\nRetry-After: Sun, 06 Nov 1994 08:49:37 GMT\r\nContent-Length: 0\r\n"
             "\r\n"},
        {.text = "HTTP/1.1 503 X\r\nRetry-After: -1\r\nContent-Length: 0\r\n\r\n"},
        {.text = OK(0)});
    assert_in_range(time_of(f, 0), 0, 900);
}

static void a_wait_beyond_the_deadline_is_not_begun(void **state)
{
    struct fixture *f = *state;
    use_options(f, &(struct http_options){.retry = &quick, .deadline_ms = 5000});
    SERVE(f,
          {.text = "HTTP/1.1 503 X\r\nRetry-After: 99999999999999\r\nContent-Length: 0\r\n\r\n"});
    assert_in_range(time_of(f, E_IO), 0, 900);
    assert_contains(f->err.text, "status 503");
}

static void the_deadline_ends_a_try_in_its_middle(void **state)
{
    struct fixture *f = *state;
    use_options(f, &(struct http_options){.retry = &quick, .deadline_ms = 300});
    SERVE(f, {.text = OK(10) "half", .then = THEN_HANG});
    assert_in_range(time_of(f, E_IO), 300, 1500);
    assert_contains(f->err.text, "deadline");
}

static void a_silent_server_is_left(void **state)
{
    struct fixture *f = *state;
    SERVE(f, {.text = OK(10) "half", .then = THEN_HANG}, {.text = OK(2) "ok", .delay_ms = 300});
    assert_in_range(time_of(f, 0), 1000, 2500);
    assert_body(f, "ok");
}

static void a_body_beyond_its_limit_is_refused(void **state)
{
    struct fixture *f = *state;
    SERVE(f, {.text = "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", .filler = 1000},
          {.text = "HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n", .filler = 1001});
    f->request.max_response = 1000;
    assert_int_equal(ask(f), 0);
    assert_int_equal(f->response.body.len, 1000);
    assert_int_equal(ask(f), E_FORMAT);
    assert_contains(f->err.text, "1000 bytes");
}

static void endless_headers_are_refused(void **state)
{
    struct fixture *f = *state;
    static char text[100000] = "HTTP/1.1 200 OK\r\n";
    for (size_t len = strlen(text); len < 80000; len += 1002)
        (void)snprintf(text + len, sizeof text - len, "X: %0997d\r\n", 0);
    const struct answer answers[] = {{.text = text, .then = THEN_CLOSE}};
    serve(f, answers, 1);
    assert_int_equal(ask(f), E_FORMAT);
    http_free(f->http);
    f->http = NULL;
}

static void what_is_no_web_address_is_refused(void **state)
{
    struct fixture *f = *state;
    loopback_start(&f->server, NULL, 0);
    static const char *const urls[] = {"file:///etc/passwd", "ftp://127.0.0.1/", "http://",
                                       "not a url"};
    for (size_t i = 0; i < ARRAY_LEN(urls); i++) {
        f->request.url = urls[i];
        assert_int_equal(ask(f), E_ARG);
    }
}

static void line_breaks_cannot_smuggle_headers(void **state)
{
    struct fixture *f = *state;
    SERVE(f, {.text = OK(0)});
    f->request.headers[0] = (struct http_header){"X", "a\r\nY: b"};
    f->request.n_headers = 1;
    assert_int_equal(ask(f), E_ARG);
    assert_int_equal(f->server.n_requests, 0);
}

static void large_bodies_arrive_whole(void **state)
{
    struct fixture *f = *state;
    SERVE(f, {.text = STATUS(503)}, {.text = OK(0)});
    static uint8_t body[5 << 20];
    f->request.method = "POST";
    f->request.body = span_of(body, sizeof body);
    assert_int_equal(ask(f), 0);
    assert_int_equal(f->server.n_requests, 2);
}

struct token {
    int n_signed, n_done, n_refused, last_refused;
    bool help;
    char text[32];
};

static int sign(void *arg, struct http_header *headers, size_t *n_headers, struct err *err)
{
    struct token *t = arg;
    (void)err;
    (void)snprintf(t->text, sizeof t->text, "Bearer %d", ++t->n_signed);
    headers[(*n_headers)++] = (struct http_header){"Authorization", t->text};
    return t->n_signed;
}

static void signing_done(void *arg)
{
    struct token *t = arg;
    t->n_done++;
    memset(t->text, 'x', sizeof t->text - 1);
}

static bool refused(void *arg, int token)
{
    struct token *t = arg;
    t->n_refused++;
    t->last_refused = token;
    return t->help;
}

static void every_try_is_signed_afresh(void **state)
{
    struct fixture *f = *state;
    SERVE(f, {.text = STATUS(503)}, {.text = STATUS(401)}, {.text = OK(0)}, {.text = STATUS(401)},
          {.text = STATUS(401)}, {.text = STATUS(401)});
    struct token token = {.help = true};
    f->request.signer = (struct http_signer){sign, signing_done, refused, &token};
    assert_int_equal(ask(f), 0);
    assert_int_equal(f->response.status, 200);
    assert_int_equal(token.n_signed, 3);
    assert_int_equal(token.n_done, 3);
    assert_int_equal(token.last_refused, 2);
    for (int i = 0; i < 3; i++) {
        char want[64];
        (void)snprintf(want, sizeof want, "\r\nAuthorization: Bearer %d\r\n", i + 1);
        assert_contains(f->server.requests[i], want);
    }
    assert_int_equal(ask(f), 0); // a second refusal is an answer
    assert_int_equal(f->response.status, 401);
    assert_int_equal(token.n_refused, 2);
    token.help = false;
    assert_int_equal(ask(f), 0);
    assert_int_equal(f->response.status, 401);
}

static int cannot_sign(void *arg, struct http_header *headers, size_t *n_headers, struct err *err)
{
    (void)arg;
    (void)headers;
    (void)n_headers;
    return err_set(err, E_IO, 0, "no token");
}

static void without_a_signature_nothing_is_sent(void **state)
{
    struct fixture *f = *state;
    SERVE(f, {.text = OK(0)});
    f->request.signer.sign = cannot_sign;
    assert_int_equal(ask(f), E_IO);
    assert_contains(f->err.text, "no token");
    assert_int_equal(f->server.n_requests, 0);
}

static void escaping_keeps_the_unreserved_only(void **state)
{
    CLEANUP(buf_deinit) struct buf out = BUF_INIT(100);
    assert_int_equal(http_escape(&out, span_str("aZ09-._~/ %+=\xc3\xa4"), false, NULL), 0);
    assert_int_equal(http_escape(&out, span_of("/a\0b", 4), true, NULL), 0);
    const char want[] = "aZ09-._~%2F%20%25%2B%3D%C3%A4/a%00b";
    assert_true(span_equal(buf_span(&out), span_str(want)));
    struct buf small = BUF_INIT(4);
    assert_int_equal(http_escape(&small, span_str("ab=="), false, NULL), E_NOMEM);
    assert_int_equal(small.len, 0);
    buf_deinit(&small);
    (void)state;
}

int main(void)
{
    (void)setenv("no_proxy", "*", 1);
#define ON_SERVER(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        ON_SERVER(an_answer_comes_with_status_headers_and_body),
        ON_SERVER(a_request_says_what_was_asked_for_and_no_more),
        ON_SERVER(a_head_request_waits_for_no_body),
        ON_SERVER(connections_are_kept),
        ON_SERVER(an_interim_answer_is_passed_over),
        ON_SERVER(failures_that_may_pass_are_tried_again),
        ON_SERVER(every_passing_status_is_retried_and_others_are_not),
        ON_SERVER(in_the_end_the_last_cause_is_told_without_the_query),
        ON_SERVER(a_single_try_hands_out_what_it_got),
        ON_SERVER(nobody_there_is_an_io_error),
        ON_SERVER(a_name_that_is_not_known_is_tried_again),
        ON_SERVER(retry_after_in_seconds_is_waited_for),
        ON_SERVER(retry_after_as_a_date_is_waited_for),
        ON_SERVER(senseless_retry_after_is_ignored),
        ON_SERVER(a_wait_beyond_the_deadline_is_not_begun),
        ON_SERVER(the_deadline_ends_a_try_in_its_middle),
        ON_SERVER(a_silent_server_is_left),
        ON_SERVER(a_body_beyond_its_limit_is_refused),
        ON_SERVER(endless_headers_are_refused),
        ON_SERVER(what_is_no_web_address_is_refused),
        ON_SERVER(line_breaks_cannot_smuggle_headers),
        ON_SERVER(large_bodies_arrive_whole),
        ON_SERVER(every_try_is_signed_afresh),
        ON_SERVER(without_a_signature_nothing_is_sent),
        cmocka_unit_test(escaping_keeps_the_unreserved_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
