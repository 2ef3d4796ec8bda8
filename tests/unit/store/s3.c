/* SPDX-License-Identifier: MPL-2.0 */
/*
 * What no test server can be made to say: the S3 store against a server that plays a list of
 * answers. That requests are right is for tests/real/store_s3.sh to prove.
 */
#include "base/base_test.h"
#include "net/loopback.h"
#include "store/s3_internal.h"

#define HEAD(status) "HTTP/1.1 " status "\r\nConnection: close\r\n"
#define OK(body)                                                                                   \
    {                                                                                              \
        .text = HEAD("200 OK") "ETag: \"e1\"\r\n\r\n" body, .then = THEN_CLOSE                     \
    }
#define STATUS(s, body)                                                                            \
    {                                                                                              \
        .text = HEAD(s) "\r\n" body, .then = THEN_CLOSE                                            \
    }
#define ERROR(code) "<Error><Code>" code "</Code><Message>Words.</Message></Error>"

enum { PART = 16 << 20 };

struct fixture {
    struct loopback server;
    struct store *store;
    struct store_config config;
    struct opt_secret access, secret, token;
    struct store_listing listing;
    struct err err;
    char endpoint[128];
};

static void set_secret(struct opt_secret *s, const char *text)
{
    s->len = (size_t)snprintf(s->text, sizeof s->text, "%s", text);
}

static int set_up(void **state)
{
    static struct fixture f;
    f = (struct fixture){0};
    set_secret(&f.access, "AKIDEXAMPLE");
    set_secret(&f.secret, "hidden-secret");
    f.config = (struct store_config){
        .url = "s3://bucket/pre",
        .access_key = &f.access,
        .secret_key = &f.secret,
    };
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    store_close(f->store);
    store_listing_deinit(&f->listing);
    loopback_stop(&f->server);
    return 0;
}

static void serve(struct fixture *f, const struct answer *answers, size_t n, const char *path)
{
    loopback_start(&f->server, answers, n);
    (void)snprintf(f->endpoint, sizeof f->endpoint, "%s%s", f->server.url, path);
    f->config.endpoint = f->endpoint;
    if (store_open(&f->store, &f->config, &f->err) != 0)
        fail_msg("%s", f->err.text);
}
#define SERVE_AT(f, path, ...)                                                                     \
    static const struct answer answers[] = {__VA_ARGS__};                                          \
    serve((f), answers, ARRAY_LEN(answers), (path))
#define SERVE(f, ...) SERVE_AT(f, "", __VA_ARGS__)

static int list(struct fixture *f)
{
    return store_list(f->store, "", &f->listing, &f->err);
}

static int put(struct fixture *f)
{
    return store_put(f->store, "key", span_str("text"), NULL, NULL, &f->err);
}

static void signs_the_session_token(void **state)
{
    struct fixture *f = *state;
    set_secret(&f->token, "session-token");
    f->config.session_token = &f->token;
    SERVE(f, OK(""));
    assert_int_equal(put(f), 0);
    const char *request = f->server.requests[0];
    assert_contains(request, "PUT /bucket/pre/key HTTP/1.1\r\n");
    assert_contains(request, "X-Amz-Security-Token: session-token\r\n");
    assert_contains(request, "SignedHeaders=host;x-amz-content-sha256;x-amz-date;"
                             "x-amz-security-token, ");
    assert_lacks(request, "hidden-secret");
}

static void sends_no_signature_without_keys(void **state)
{
    struct fixture *f = *state;
    f->config.access_key = f->config.secret_key = NULL;
    SERVE(f, OK(""));
    assert_int_equal(put(f), 0);
    assert_lacks(f->server.requests[0], "Authorization");
}

static void keeps_the_path_of_the_endpoint(void **state)
{
    struct fixture *f = *state;
    SERVE_AT(f, "/gate/way/", OK(""));
    assert_int_equal(put(f), 0);
    assert_contains(f->server.requests[0], "PUT /gate/way/bucket/pre/key HTTP/1.1\r\n");
}

static void puts_the_bucket_into_the_host_name(void **state)
{
    struct fixture *f = *state;
    SERVE(f, OK(""));
    store_close(f->store);
    f->config.virtual_host = true;
    (void)snprintf(f->endpoint, sizeof f->endpoint, "http://localhost%s",
                   strrchr(f->server.url, ':'));
    assert_int_equal(store_open(&f->store, &f->config, NULL), 0);
    assert_int_equal(put(f), 0);
    assert_contains(f->server.requests[0], "PUT /pre/key HTTP/1.1\r\n");
    assert_contains(f->server.requests[0], "Host: bucket.localhost:");
}

static void refuses_unusable_settings(void **state)
{
    struct fixture *f = *state;
    static const char *const endpoints[] = {
        "127.0.0.1:9000",  "ftp://host",        "http://user:hidden-secret@host",
        "http://",         "http:///bucket",    "http://host:",
        "http://host:0x1", "http://host:70000", "https://host?query",
    };
    for (size_t i = 0; i < ARRAY_LEN(endpoints); i++) {
        f->config.endpoint = endpoints[i];
        assert_int_equal(store_open(&f->store, &f->config, &f->err), E_ARG);
        assert_lacks(f->err.text, "hidden-secret");
    }
    f->config.endpoint = "http://host";
    f->config.access_key = NULL;
    assert_int_equal(store_open(&f->store, &f->config, &f->err), E_ARG);
    assert_contains(f->err.text, "both the access key and the secret key");
}

static void explains_a_wrong_clock(void **state)
{
    struct fixture *f = *state;
    SERVE(f, {.text = HEAD("403 X") "Date: Wed, 21 Oct 2015 07:28:00 GMT\r\n\r\n" ERROR(
                  "RequestTimeTooSkewed"),
              .then = THEN_CLOSE});
    assert_int_equal(list(f), E_IO);
    assert_contains(f->err.text, "403 RequestTimeTooSkewed: Words; this machine's clock differs");
}

static void explains_another_region(void **state)
{
    struct fixture *f = *state;
    SERVE(f, STATUS("301 X", "<Error><Code>PermanentRedirect</Code><Endpoint>e</Endpoint></Error>"),
          {.text = HEAD("301 X") "x-amz-bucket-region: eu-north-1\r\n\r\n", .then = THEN_CLOSE});
    assert_int_equal(list(f), E_IO);
    assert_contains(f->err.text, "region \"us-east-1\" or the endpoint is not the bucket's");
    assert_int_equal(list(f), E_IO);
    assert_contains(f->err.text, "the bucket is in region \"eu-north-1\", not \"us-east-1\"");
}

static void survives_pages_of_proxies(void **state)
{
    struct fixture *f = *state;
    SERVE(f, STATUS("407 X", "<!DOCTYPE html><html>go away</html>"), OK("<html>hello</html>"),
          OK("no XML"), STATUS("404 X", "<html>nothing here</html>"));
    assert_int_equal(list(f), E_IO);
    assert_contains(f->err.text, "407 from the server");
    assert_int_equal(list(f), E_FORMAT);
    assert_int_equal(list(f), E_FORMAT);
    assert_int_equal(list(f), E_IO); // not: no such bucket
}

static void sends_a_slow_body_again(void **state)
{
    struct fixture *f = *state;
    SERVE(f, STATUS("400 X", ERROR("RequestTimeout")), OK(""));
    assert_int_equal(put(f), 0);
    assert_int_equal(f->server.n_requests, 2);
}

static void a_server_without_conditions_is_an_error(void **state)
{
    struct fixture *f = *state;
    SERVE(f, STATUS("501 X", ERROR("NotImplemented")));
    const struct store_put_options options = {.if_absent = true};
    assert_int_equal(store_put(f->store, "key", span_str(""), &options, NULL, &f->err), E_IO);
    assert_contains(f->err.text, "conditional writes");
}

static void knows_its_own_write_again(void **state)
{
    struct fixture *f = *state;
    SERVE(f, {.then = THEN_CLOSE}, STATUS("412 X", ERROR("PreconditionFailed")),
          {.text = HEAD("200 OK") "ETag: \"1cb251ec0d568de6a929b520c4aed8d1\"\r\n\r\n",
           .then = THEN_CLOSE},
          STATUS("412 X", ERROR("PreconditionFailed")));
    const struct store_put_options options = {.if_absent = true};
    assert_int_equal(store_put(f->store, "key", span_str("text"), &options, NULL, &f->err), 0);
    assert_int_equal(store_put(f->store, "key", span_str("text"), &options, NULL, &f->err),
                     STORE_CONFLICT);
}

#define LIST(inner) "<ListBucketResult>" inner "</ListBucketResult>"
#define ENTRY(key)                                                                                 \
    "<Contents><Key>" key "</Key><Size>5</Size><LastModified>2026-01-02T03:04:05.000Z"             \
    "</LastModified><ETag>&quot;e1&quot;</ETag></Contents>"

static void reads_pages(void **state)
{
    struct fixture *f = *state;
    SERVE(f,
          OK(LIST(ENTRY("pre/b%2Bc+d") "<EncodingType>url</EncodingType>"
                                       "<IsTruncated>true</IsTruncated>"
                                       "<NextContinuationToken>a/b=</NextContinuationToken>")),
          OK(LIST(ENTRY("pre/") ENTRY("pre/a%2B") "<IsTruncated>false</IsTruncated>")));
    assert_int_equal(list(f), 0);
    assert_contains(f->server.requests[1], "continuation-token=a%2Fb%3D&");
    assert_int_equal(f->listing.n, 2);
    assert_string_equal(f->listing.objects[0].key, "a%2B"); // a server that does not encode
    assert_string_equal(f->listing.objects[1].key, "b+c d");
    assert_int_equal(f->listing.objects[1].size, 5);
    assert_string_equal(f->listing.objects[1].version, "e1");
    assert_string_equal(f->listing.objects[1].content, "");
    assert_int_equal(f->listing.objects[1].modified_us, 1767323045000000);
}

static void refuses_strange_listings(void **state)
{
    struct fixture *f = *state;
#define MORE  "<IsTruncated>true</IsTruncated>"
#define TOKEN "<NextContinuationToken>t</NextContinuationToken>"
#define URL   "<EncodingType>url</EncodingType>"
    SERVE(f, OK(LIST(ENTRY("other/a"))), OK(LIST(MORE)), OK(LIST(MORE TOKEN)), OK(LIST(MORE TOKEN)),
          OK(LIST(URL ENTRY("pre/%2"))), OK(LIST(URL ENTRY("pre/%00"))),
          OK(LIST("<Contents><Key>pre/a</Key><Size>-1</Size></Contents>")),
          OK(LIST("<Contents><Key>pre/a</Key><ETag></ETag></Contents>")),
          OK(LIST("<Contents><Key>pre/a</Key><Size>1</Size></Contents>")));
    static const char *const why[] = {"not asked for",
                                      "how to go on",
                                      "for ever",
                                      "wrongly",
                                      "zero byte",
                                      "odd size",
                                      "\"pre/a\" no usable ETag",
                                      "\"pre/a\" no usable ETag"};
    for (size_t i = 0; i < ARRAY_LEN(why); i++) {
        assert_int_equal(list(f), E_FORMAT);
        assert_contains(f->err.text, why[i]);
    }
}

static void reports_what_stayed(void **state)
{
    struct fixture *f = *state;
    static const char *const keys[] = {"a", "b&"};
#define FAILED(key, code)                                                                          \
    "<Error><Key>" key "</Key><Code>" code "</Code><Message>m</Message></Error>"
    SERVE(f, OK("<DeleteResult>" FAILED("pre/a", "NoSuchKey") "</DeleteResult>"),
          OK("<DeleteResult>" FAILED("pre/a", "SlowDown") "</DeleteResult>"),
          OK("<DeleteResult>" FAILED("pre/b&amp;", "AccessDenied") "</DeleteResult>"),
          OK(ERROR("InternalError")));
    assert_int_equal(store_delete(f->store, keys, 2, &f->err), 0);
    assert_contains(f->server.requests[0], "POST /bucket/?delete= HTTP/1.1\r\n");
    assert_contains(f->server.requests[0], "<Key>pre/a</Key>");
    assert_contains(f->server.requests[0], "<Key>pre/b&amp;</Key>");
    assert_contains(f->server.requests[0], "Content-MD5: ");
    assert_int_equal(store_delete(f->store, keys, 2, &f->err), E_IO); // after another try
    assert_contains(f->err.text, "\"pre/b&\" stays: AccessDenied: m (1 objects)");
    assert_int_equal(store_delete(f->store, keys, 2, &f->err), E_IO);
    assert_contains(f->err.text, "InternalError");
}

static int put_parts(struct fixture *f)
{
    CLEANUP(store_writer_abandonp) struct store_writer *writer = NULL;
    char *bytes = calloc(1, PART + 1);
    assert_non_null(bytes);
    assert_int_equal(store_put_begin(&writer, f->store, "key", NULL, NULL), 0);
    assert_int_equal(store_writer_write(writer, bytes, PART + 1, NULL), 0);
    free(bytes);
    struct store_writer *whole = writer;
    writer = NULL;
    return store_writer_commit(whole, NULL, &f->err);
}

#define BEGUN                                                                                      \
    OK("<InitiateMultipartUploadResult><UploadId>u+1</UploadId></InitiateMultipartUploadResult>")
#define COMPLETED                                                                                  \
    OK("<CompleteMultipartUploadResult><ETag>e2-2</ETag></CompleteMultipartUploadResult>")

static void believes_no_200_before_its_body(void **state)
{
    struct fixture *f = *state;
    SERVE(f, BEGUN, OK(""), OK(""), OK(ERROR("InternalError")), COMPLETED, BEGUN, OK(""), OK(""),
          OK(ERROR("AccessDenied")), STATUS("204 X", ""), BEGUN, OK(""), OK(""), OK(""),
          STATUS("204 X", ""));
    assert_int_equal(put_parts(f), 0);
    assert_contains(f->server.requests[1], "PUT /bucket/pre/key?partNumber=1&uploadId=u%2B1 ");
    assert_contains(f->server.requests[4], "<Part><PartNumber>2</PartNumber><ETag>\"e1\"</ETag>");
    assert_int_equal(put_parts(f), E_IO);
    assert_contains(f->err.text, "AccessDenied");
    assert_contains(f->server.requests[9], "DELETE /bucket/pre/key?uploadId=u%2B1 ");
    assert_int_equal(put_parts(f), E_FORMAT);
    assert_contains(f->server.requests[14], "DELETE ");
}

/* Resuming must not glue two objects together, nor take one range for another. */
static void refuses_other_ranges(void **state)
{
    struct fixture *f = *state;
    struct store_reader *reader = NULL;
    SERVE(f, OK("whole"),
          {.text = HEAD("206 X") "ETag: \"e1\"\r\nContent-Range: bytes 0-1/5\r\n\r\nwh",
           .then = THEN_CLOSE});
    assert_int_equal(store_get(&reader, f->store, "key", 2, 2, &f->err), E_FORMAT);
    assert_contains(f->err.text, "ranges");
    assert_int_equal(store_get(&reader, f->store, "key", 2, 2, &f->err), E_FORMAT);
    assert_contains(f->err.text, "not asked for");
    assert_contains(f->server.requests[1], "Range: bytes=2-3\r\n");
}

static void reads_dates(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t seconds;
    } dates[] = {
        {"Wed, 21 Oct 2015 07:28:00 GMT", 1445412480},
        {"Thu, 29 Feb 2024 23:59:59 GMT", 1709251199},
        {"Wed, 21 Oct 2015 07:28:00 CET", 0},
        {"Wed, 21 ctO 2015 07:28:00 GMT", 0},
        {"2015-10-21T07:28:00Z", 0},
        {"", 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(dates); i++)
        assert_int_equal(s3_http_date_us(span_str(dates[i].text)), dates[i].seconds * 1000000);
}

static void takes_an_etag_for_md5_only_where_it_is(void **state)
{
    (void)state;
    static const struct {
        const char *etag, *version, *content;
    } tags[] = {
        {"\"b1946ac92492d2347c6235b4d2611184\"", "b1946ac92492d2347c6235b4d2611184",
         "md5:b1946ac92492d2347c6235b4d2611184"},
        {"b1946ac92492d2347c6235b4d2611184-2", "b1946ac92492d2347c6235b4d2611184-2", ""},
        {"W/\"abc\"", "abc", ""},
        {"\"\"", NULL, NULL},
        {"\"two words\"", NULL, NULL},
        {"", NULL, NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(tags); i++) {
        struct store_object object = {0};
        const int r = s3_object_tag(&object, span_str(tags[i].etag), NULL);
        assert_int_equal(r, tags[i].version ? 0 : E_FORMAT);
        if (r == 0) {
            assert_string_equal(object.version, tags[i].version);
            assert_string_equal(object.content, tags[i].content);
        }
    }
}

#define test(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(signs_the_session_token),
        test(sends_no_signature_without_keys),
        test(keeps_the_path_of_the_endpoint),
        test(puts_the_bucket_into_the_host_name),
        test(refuses_unusable_settings),
        test(explains_a_wrong_clock),
        test(explains_another_region),
        test(survives_pages_of_proxies),
        test(sends_a_slow_body_again),
        test(a_server_without_conditions_is_an_error),
        test(knows_its_own_write_again),
        test(reads_pages),
        test(refuses_strange_listings),
        test(reports_what_stayed),
        test(believes_no_200_before_its_body),
        test(refuses_other_ranges),
        cmocka_unit_test(reads_dates),
        cmocka_unit_test(takes_an_etag_for_md5_only_where_it_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
