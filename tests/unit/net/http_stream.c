/* SPDX-License-Identifier: MPL-2.0 */
#include "base/base_test.h"
#include "net/http.h"
#include "net/loopback.h"

#define BODY(len) .text = "HTTP/1.1 200 OK\r\nContent-Length: " #len "\r\n\r\n", .filler = (len)

static const struct retry_policy quick = {
    .max_retries = 3, .first_wait_ms = 1, .multiplier = 1, .max_wait_ms = 1};

struct fixture {
    struct loopback server;
    struct http *http;
    struct http_response response;
    struct http_request request;
    struct http_stream *stream;
    struct err err;
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
    http_stream_close(f->stream);
    http_free(f->http);
    http_response_deinit(&f->response);
    loopback_stop(&f->server);
    return 0;
}

#define SERVE(f, ...)                                                                              \
    static const struct answer answers[] = {__VA_ARGS__};                                          \
    loopback_start(&(f)->server, answers, ARRAY_LEN(answers));                                     \
    (f)->request.url = (f)->server.url

static int open_stream(struct fixture *f)
{
    const int r = http_stream_open(&f->stream, f->http, &f->request, &f->response, &f->err);
    if (r == 0) { // the response may go before the stream does
        http_response_deinit(&f->response);
        http_response_init(&f->response);
    }
    return r;
}

/* Read to the end or to a failure, checking the filler. @return the bytes read. */
static size_t read_on(struct fixture *f, size_t from, size_t step, unsigned pause_ms, ssize_t *last)
{
    static uint8_t bytes[300000];
    size_t n = from;
    while ((*last = http_stream_read(f->stream, bytes, step, &f->err)) > 0) {
        for (ssize_t i = 0; i < *last; i++) {
            if (bytes[i] != loopback_filler(n + (size_t)i))
                fail_msg("byte %zu differs", n + (size_t)i);
        }
        n += (size_t)*last;
        if (pause_ms > 0)
            retry_sleep_ms(pause_ms);
    }
    return n;
}

static void a_stream_brings_every_byte_in_order(void **state)
{
    struct fixture *f = *state;
    SERVE(f, {BODY(9000001)}, {BODY(0)}, {BODY(5)});
    static const size_t want[] = {9000001, 0, 5};
    for (size_t i = 0; i < ARRAY_LEN(want); i++) {
        ssize_t last;
        assert_int_equal(open_stream(f), 0);
        assert_int_equal(read_on(f, 0, 77777, 0, &last), want[i]);
        assert_int_equal(last, 0);
        assert_int_equal(http_stream_read(f->stream, &last, 1, &f->err), 0);
        http_stream_close(f->stream);
        f->stream = NULL;
    }
    assert_int_equal(f->server.n_connections, 1);
}

static void a_reader_slower_than_the_time_out_is_no_silent_server(void **state)
{
    struct fixture *f = *state;
    SERVE(f, {BODY(12000000)});
    ssize_t last;
    assert_int_equal(open_stream(f), 0);
    retry_sleep_ms(1500);
    assert_int_equal(read_on(f, 0, 300000, 10, &last), 12000000);
    assert_int_equal(last, 0);
}

static void a_short_body_is_an_error_behind_its_bytes(void **state)
{
    struct fixture *f = *state;
    SERVE(f,
          {.text = "HTTP/1.1 206 X\r\nContent-Length: 3000000\r\n\r\n",
           .filler = 2000000,
           .then = THEN_CLOSE},
          {.text = "HTTP/1.1 200 X\r\nContent-Length: 10\r\n\r\n", .filler = 9, .then = THEN_CLOSE},
          {.text = "HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n\1\2",
           .then = THEN_CLOSE});
    static const size_t want[] = {2000000, 9};
    ssize_t last;
    for (size_t i = 0; i < ARRAY_LEN(want); i++) {
        assert_int_equal(open_stream(f), 0);
        assert_int_equal(read_on(f, 0, 300000, 0, &last), want[i]);
        assert_int_equal(last, E_IO);
        assert_contains(f->err.text, "GET http://127.0.0.1");
        http_stream_close(f->stream);
        f->stream = NULL;
    }
    assert_int_equal(open_stream(f), 0);
    (void)http_stream_read(f->stream, &last, sizeof last, &f->err);
    assert_int_equal(http_stream_read(f->stream, &last, sizeof last, &f->err), E_IO);
}

static void a_reset_in_the_body_is_an_error(void **state)
{
    struct fixture *f = *state;
    SERVE(f, {.text = "HTTP/1.1 200 X\r\nContent-Length: 3000000\r\n\r\n",
              .filler = 1000000,
              .then = THEN_RESET});
    ssize_t last;
    assert_int_equal(open_stream(f), 0);
    assert_true(read_on(f, 0, 300000, 0, &last) <= 1000000);
    assert_int_equal(last, E_IO);
}

static void a_server_that_falls_silent_is_left(void **state)
{
    struct fixture *f = *state;
    SERVE(
        f,
        {.text = "HTTP/1.1 200 X\r\nContent-Length: 100\r\n\r\n", .filler = 50, .then = THEN_HANG});
    ssize_t last;
    assert_int_equal(open_stream(f), 0);
    const uint64_t before = retry_now_ms();
    assert_int_equal(read_on(f, 0, 1000, 0, &last), 50);
    assert_int_equal(last, E_IO);
    assert_contains(f->err.text, "not a byte within 1 s");
    assert_in_range(retry_now_ms() - before, 900, 2500);
}

static void closing_early_does_not_wait(void **state)
{
    struct fixture *f = *state;
    SERVE(f, {BODY(50000000)},
          {.text = "HTTP/1.1 200 X\r\nContent-Length: 9\r\n\r\n", .then = THEN_HANG},
          {BODY(50000000)}, {BODY(3)});
    uint8_t byte;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(open_stream(f), 0);
        if (i == 0)
            assert_int_equal(http_stream_read(f->stream, &byte, 1, NULL), 1);
        retry_sleep_ms(i == 2 ? 0 : 100);
        const uint64_t before = retry_now_ms();
        http_stream_close(f->stream);
        f->stream = NULL;
        assert_true(retry_now_ms() - before < 500);
    }
    ssize_t last;
    assert_int_equal(open_stream(f), 0); // the client works on
    assert_int_equal(read_on(f, 0, 100, 0, &last), 3);
}

static void the_head_is_tried_again(void **state)
{
    struct fixture *f = *state;
    SERVE(f, {.text = "HTTP/1.1 503 X\r\nContent-Length: 5\r\n\r\nnever"},
          {.text = NULL, .then = THEN_RESET}, {BODY(700000)});
    ssize_t last;
    assert_int_equal(open_stream(f), 0);
    assert_int_equal(read_on(f, 0, 1000, 0, &last), 700000);
    assert_int_equal(last, 0);
}

static void other_statuses_are_answers_without_a_stream(void **state)
{
    struct fixture *f = *state;
    SERVE(f, {.text = "HTTP/1.1 404 X\r\nETag: e\r\nContent-Length: 7\r\n\r\nnothing"});
    assert_int_equal(http_stream_open(&f->stream, f->http, &f->request, &f->response, &f->err), 0);
    assert_int_equal(f->response.status, 404);
    assert_true(span_equal(buf_span(&f->response.body), span_str("nothing")));
    assert_true(span_equal(http_response_header(&f->response, "etag"), span_str("e")));
    char byte;
    assert_int_equal(http_stream_read(f->stream, &byte, 1, NULL), 0);
}

static void no_head_is_a_failure_to_open(void **state)
{
    struct fixture *f = *state;
    loopback_start(&f->server, NULL, 0);
    f->request.url = f->server.url;
    assert_int_equal(open_stream(f), E_IO);
    assert_null(f->stream);
    assert_contains(f->err.text, "after 4 tries");
}

struct reader {
    struct fixture *f;
    int failures;
};

static void *read_one(void *arg)
{
    struct reader *r = arg;
    struct http_response response;
    http_response_init(&response);
    for (int i = 0; i < 5; i++) {
        buf_clear(&response.body);
        if (http_send(r->f->http, &r->f->request, &response, NULL) != 0 ||
            response.body.len != 10000)
            r->failures++;
    }
    http_response_deinit(&response);
    return NULL;
}

static void threads_share_a_client(void **state)
{
    struct fixture *f = *state;
    static struct answer answers[20];
    for (size_t i = 0; i < ARRAY_LEN(answers); i++)
        answers[i] = (struct answer){BODY(10000), .then = THEN_CLOSE};
    loopback_start(&f->server, answers, ARRAY_LEN(answers));
    f->request.url = f->server.url;
    struct reader readers[4];
    pthread_t threads[4];
    for (size_t i = 0; i < 4; i++) {
        readers[i] = (struct reader){.f = f};
        assert_int_equal(pthread_create(&threads[i], NULL, read_one, &readers[i]), 0);
    }
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(readers[i].failures, 0);
    }
}

int main(void)
{
    (void)setenv("no_proxy", "*", 1);
#define ON_SERVER(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        ON_SERVER(a_stream_brings_every_byte_in_order),
        ON_SERVER(a_reader_slower_than_the_time_out_is_no_silent_server),
        ON_SERVER(a_short_body_is_an_error_behind_its_bytes),
        ON_SERVER(a_reset_in_the_body_is_an_error),
        ON_SERVER(a_server_that_falls_silent_is_left),
        ON_SERVER(closing_early_does_not_wait),
        ON_SERVER(the_head_is_tried_again),
        ON_SERVER(other_statuses_are_answers_without_a_stream),
        ON_SERVER(no_head_is_a_failure_to_open),
        ON_SERVER(threads_share_a_client),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
