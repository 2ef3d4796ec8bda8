/* SPDX-License-Identifier: MPL-2.0 */
/*
 * What is special to GCS: answers that make no sense. What every store does:
 * tests/real/store_conformance.c; what breaks in the middle: tests/real/gcs_contract.sh.
 */
#include "base/base_test.h"
#include "base/buf.h"
#include "net/loopback.h"
#include "store/gcs_internal.h"

#define TIME "\"2026-11-24T13:00:00Z\""
#define ITEM(name)                                                                                 \
    "{\"name\":\"" name "\",\"size\":\"5\",\"generation\":\"17\","                                 \
    "\"updated\":\"2026-11-24T13:00:00.250Z\",\"md5Hash\":\"XUFAKrxLKna5cZ2REBfFkg==\"}"

enum { ANSWERS = 8, ANSWER_BYTES = 4096, LARGE = (16 << 20) + 1 };

struct fixture {
    struct loopback server;
    struct answer answers[ANSWERS];
    char texts[ANSWERS][ANSWER_BYTES];
    size_t n;
    struct store *store;
    struct store_object object;
    struct store_listing listing;
    struct err err;
};

static int set_up(void **state)
{
    static struct fixture f;
    f = (struct fixture){0};
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    store_listing_deinit(&f->listing);
    store_close(f->store);
    if (f->server.thread)
        loopback_stop(&f->server);
    return 0;
}

static void answer(struct fixture *f, int status, const char *headers, const char *body)
{
    char *text = f->texts[f->n];
    (void)snprintf(text, ANSWER_BYTES, "HTTP/1.1 %d X\r\n%sContent-Length: %zu\r\n\r\n%s", status,
                   headers, strlen(body), body);
    f->answers[f->n++].text = text;
}

static int open_store(struct fixture *f, const char *url, const char *endpoint)
{
    f->err = (struct err){0};
    const struct store_config config = {.url = url, .endpoint = endpoint, .deadline_ms = 10000};
    return store_open(&f->store, &config, &f->err);
}

static void serve(struct fixture *f)
{
    loopback_start(&f->server, f->answers, f->n);
    assert_int_equal(open_store(f, "gs://bucket-a/pre", f->server.url + strlen("http://")), 0);
    f->err = (struct err){0};
}

static void an_object_is_described(void **state)
{
    struct fixture *f = *state;
    answer(f, 200, "", ITEM("pre/a b"));
    serve(f);
    assert_int_equal(store_stat(f->store, "a b", &f->object, &f->err), 0);
    assert_int_equal(f->object.size, 5);
    assert_string_equal(f->object.version, "17");
    assert_string_equal(f->object.content, "md5:5d41402abc4b2a76b9719d911017c592");
    assert_int_equal(f->object.modified_us, INT64_C(1795525200250000));
    assert_memory_equal(f->server.requests[0], "GET /storage/v1/b/bucket-a/o/pre%2Fa%20b?", 41);
    assert_lacks(f->server.requests[0], "Authorization");
}

static void answers_without_sense_are_refused(void **state)
{
    static const char *const bodies[] = {
        "",
        "<html>",
        "[]",
        "{}",
        "{\"size\":5,\"generation\":\"17\",\"updated\":" TIME "}",
        "{\"size\":\"-5\",\"generation\":\"17\",\"updated\":" TIME "}",
        "{\"size\":\"18446744073709551616\",\"generation\":\"17\",\"updated\":" TIME "}",
        "{\"size\":\"5\",\"generation\":\"17\",\"updated\":\"yesterday\"}",
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < ARRAY_LEN(bodies); i++)
        answer(f, 200, "", bodies[i]);
    serve(f);
    for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
        assert_int_equal(store_stat(f->store, "a", &f->object, &f->err), E_FORMAT);
        assert_contains(f->err.text, "gs://bucket-a/pre/a");
    }
}

static void a_refusal_is_told_in_the_services_words(void **state)
{
    struct fixture *f = *state;
    answer(f, 403, "", "{\"error\":{\"code\":403,\"message\":\"no storage.objects.get\"}}");
    answer(f, 403, "", "plain");
    serve(f);
    assert_int_equal(store_stat(f->store, "a", &f->object, &f->err), E_IO);
    assert_contains(f->err.text, "the service answers 403: no storage.objects.get");
    assert_int_equal(store_stat(f->store, "a", &f->object, &f->err), E_IO);
    assert_contains(f->err.text, "the service answers 403");
}

static void a_listing_goes_over_pages_and_drops_the_prefix(void **state)
{
    struct fixture *f = *state;
    answer(f, 200, "",
           "{\"nextPageToken\":\"t/1\",\"items\":[" ITEM("pre/") "," ITEM("pre/x/a") "]}");
    answer(f, 200, "", "{\"nextPageToken\":\"t2\"}");
    answer(f, 200, "", "{\"items\":[" ITEM("pre/x/b") "]}");
    serve(f);
    assert_int_equal(store_list(f->store, "", &f->listing, &f->err), 0);
    assert_int_equal(f->listing.n, 2);
    assert_string_equal(f->listing.objects[0].key, "x/a");
    assert_string_equal(f->listing.objects[1].key, "x/b");
    assert_contains(f->server.requests[0], "prefix=pre%2F&");
    assert_contains(f->server.requests[1], "pageToken=t%2F1 ");
}

static void a_listing_of_something_else_is_refused(void **state)
{
    struct fixture *f = *state;
    answer(f, 200, "", "{\"items\":[" ITEM("other/a") "]}");
    answer(f, 200, "", "{\"nextPageToken\":\"same\"}");
    answer(f, 200, "", "{\"nextPageToken\":\"same\"}");
    serve(f);
    assert_int_equal(store_list(f->store, "", &f->listing, &f->err), E_FORMAT);
    assert_contains(f->err.text, "not asked for");
    assert_int_equal(store_list(f->store, "", &f->listing, &f->err), E_FORMAT);
    assert_contains(f->err.text, "same page");
}

static int get(struct fixture *f, uint64_t offset)
{
    CLEANUP(store_reader_closep) struct store_reader *reader = NULL;
    f->err = (struct err){0};
    const int r = store_get(&reader, f->store, "a", offset, STORE_TO_END, &f->err);
    if (r == 0)
        f->object = *store_reader_object(reader);
    return r;
}

static void a_media_answer_describes_its_object(void **state)
{
    struct fixture *f = *state;
    answer(f, 206,
           "Content-Range: bytes 3-4/5\r\nX-Goog-Generation: 17\r\n"
           "Last-Modified: Tue, 24 Nov 2026 13:00:00 GMT\r\n"
           "X-Goog-Hash: crc32c=mnG7TA==,md5=XUFAKrxLKna5cZ2REBfFkg==\r\n",
           "lo");
    answer(f, 200, "X-Goog-Generation: 17\r\nX-Goog-Hash: md5=short\r\nLast-Modified: x\r\n", "hi");
    serve(f);
    assert_int_equal(get(f, 3), 0);
    assert_int_equal(f->object.size, 5);
    assert_string_equal(f->object.version, "17");
    assert_string_equal(f->object.content, "md5:5d41402abc4b2a76b9719d911017c592");
    assert_int_equal(f->object.modified_us, INT64_C(1795525200000000));
    assert_contains(f->server.requests[0], "?alt=media ");
    assert_contains(f->server.requests[0], "\r\nRange: bytes=3-\r\n");
    assert_contains(f->server.requests[0], "\r\nAccept-Encoding: gzip\r\n");
    assert_int_equal(get(f, 0), 0);
    assert_int_equal(f->object.size, 2);
    assert_string_equal(f->object.content, "");
    assert_lacks(f->server.requests[1], "Range:");
}

static void media_without_a_version_or_range_are_refused(void **state)
{
    struct fixture *f = *state;
    answer(f, 200, "", "hello");
    answer(f, 200, "X-Goog-Generation: 17\r\n", "hello"); // the whole, where a range was wanted
    answer(f, 206, "X-Goog-Generation: 17\r\nContent-Range: bytes 3-4\r\n", "lo");
    serve(f);
    assert_int_equal(get(f, 0), E_FORMAT);
    assert_int_equal(get(f, 3), E_FORMAT);
    assert_contains(f->err.text, "ignores the range");
    assert_int_equal(get(f, 3), E_FORMAT);
}

static void a_put_that_lost_bytes_is_a_failure(void **state)
{
    struct fixture *f = *state;
    answer(f, 200, "", ITEM("pre/a"));
    serve(f);
    assert_int_equal(store_put(f->store, "a", span_str("four"), NULL, NULL, &f->err), E_IO);
    assert_contains(f->err.text, "4 bytes were sent, but 5 are stored");
}

static int put_large(struct fixture *f)
{
    static uint8_t bytes[LARGE];
    f->err = (struct err){0};
    return store_put(f->store, "a", span_of(bytes, sizeof bytes), NULL, NULL, &f->err);
}

static void uploads_that_make_no_sense_are_refused(void **state)
{
    struct fixture *f = *state;
    char session[64];
    answer(f, 200, "", ""); // nowhere to go
    answer(f, 200, "Location: file:///etc/passwd\r\n", "");
    answer(f, 200, "", "");                               // replaced below
    answer(f, 308, "Range: bytes=0-99999999\r\n", "");    // more than was sent
    answer(f, 204, "", "");                               // the session is closed
    f->answers[2].then = f->answers[3].then = THEN_CLOSE; // parts come on new connections
    loopback_start(&f->server, f->answers, f->n);
    (void)snprintf(session, sizeof session, "%s/session?upload_id=s\r\n", f->server.url);
    (void)snprintf(f->texts[2], ANSWER_BYTES,
                   "HTTP/1.1 200 X\r\nLocation: %sContent-Length: 0\r\n\r\n", session);
    assert_int_equal(open_store(f, "gs://bucket-a/pre", f->server.url), 0);
    assert_int_equal(put_large(f), E_FORMAT);
    assert_contains(f->err.text, "names no address");
    assert_int_equal(put_large(f), E_FORMAT);
    assert_int_equal(put_large(f), E_IO);
    assert_contains(f->err.text, "lost track");
    assert_lacks(f->err.text, "upload_id");
    assert_contains(f->server.requests[3], "\r\nContent-Range: bytes 0-16777215/*\r\n");
    assert_memory_equal(f->server.requests[4], "DELETE /session?upload_id=s ", 28);
}

static void endpoints_that_are_none_are_refused(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(open_store(f, "gs://bucket-a", "ftp://127.0.0.1"), E_ARG);
    assert_null(f->store);
    assert_int_equal(open_store(f, "gs://bucket-a", "127.0.0.1:1/"), 0);
}

int main(void)
{
    (void)setenv("no_proxy", "*", 1);
#define ON_SERVER(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        ON_SERVER(an_object_is_described),
        ON_SERVER(answers_without_sense_are_refused),
        ON_SERVER(a_refusal_is_told_in_the_services_words),
        ON_SERVER(a_listing_goes_over_pages_and_drops_the_prefix),
        ON_SERVER(a_listing_of_something_else_is_refused),
        ON_SERVER(a_media_answer_describes_its_object),
        ON_SERVER(media_without_a_version_or_range_are_refused),
        ON_SERVER(a_put_that_lost_bytes_is_a_failure),
        ON_SERVER(uploads_that_make_no_sense_are_refused),
        ON_SERVER(endpoints_that_are_none_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
