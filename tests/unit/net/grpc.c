/* SPDX-License-Identifier: MPL-2.0 */
/* Frames and statuses. Calls: tests/real/profiles_contract.sh and profiles_bigtable.sh. */
#include "net/grpc.h"

#include "base/base_test.h"

static const uint8_t three_frames[] = {0, 0, 0, 0, 3, 'o', 'n', 'e', 0,   0,   0,  0,
                                       0, 0, 0, 0, 0, 5,   't', 'h', 'r', 'e', 'e'};

static int append(void *arg, struct span message, struct err *err)
{
    struct buf *all = arg;
    int r = message.len > 0 ? buf_append(all, message.ptr, message.len, err) : 0;
    return r < 0 ? r : buf_append_byte(all, ',', err);
}

static void frames_may_be_split_anywhere(void **state)
{
    (void)state;
    for (size_t step = 1; step <= sizeof three_frames; step++) {
        struct grpc_reader r = {.message = BUF_INIT(16)};
        struct buf all = BUF_INIT(64);
        struct err err = {0};
        for (size_t at = 0; at < sizeof three_frames; at += step) {
            const size_t left = sizeof three_frames - at;
            assert_int_equal(grpc_reader_feed(&r,
                                              span_of(three_frames + at, left < step ? left : step),
                                              append, &all, &err),
                             0);
        }
        assert_int_equal(grpc_reader_end(&r, &err), 0);
        assert_true(span_equal(buf_span(&all), span_str("one,,three,")));
        grpc_reader_deinit(&r);
        buf_deinit(&all);
    }
}

static int feed(const void *bytes, size_t len, size_t max, struct err *err)
{
    struct grpc_reader r = {.message = BUF_INIT(max)};
    struct buf all = BUF_INIT(64);
    int result = grpc_reader_feed(&r, span_of(bytes, len), append, &all, err);
    if (result == 0)
        result = grpc_reader_end(&r, err);
    grpc_reader_deinit(&r);
    buf_deinit(&all);
    return result;
}

static void broken_frames_are_refused(void **state)
{
    (void)state;
    struct err err = {0};
    for (size_t len = 1; len < sizeof three_frames; len++) {
        const bool whole = len == 8 || len == 13;
        assert_int_equal(feed(three_frames, len, 16, &err), whole ? 0 : E_FORMAT);
    }
    assert_contains(err.text, "ends within a message");
    assert_int_equal(feed(three_frames, sizeof three_frames, 4, &err), E_FORMAT);
    assert_contains(err.text, "a gRPC message of 5 bytes; at most 4");
    static const uint8_t endless[] = {0, 0xff, 0xff, 0xff, 0xff, 'x'};
    assert_int_equal(feed(endless, sizeof endless, 16, &err), E_FORMAT);
    static const uint8_t compressed[] = {1, 0, 0, 0, 1, 'x'};
    assert_int_equal(feed(compressed, sizeof compressed, 16, &err), E_FORMAT);
    assert_contains(err.text, "compressed");
}

static int stop(void *arg, struct span message, struct err *err)
{
    (void)message;
    (void)err;
    ++*(int *)arg;
    return 7;
}

static void a_reader_ends_where_it_is_told(void **state)
{
    (void)state;
    struct grpc_reader r = {.message = BUF_INIT(16)};
    struct err err = {0};
    int n = 0;
    assert_int_equal(
        grpc_reader_feed(&r, span_of(three_frames, sizeof three_frames), stop, &n, &err), 7);
    assert_int_equal(n, 1);
    grpc_reader_deinit(&r);
}

static void a_request_is_one_frame(void **state)
{
    (void)state;
    struct buf framed = BUF_INIT(1024);
    struct err err = {0};
    assert_int_equal(buf_append_str(&framed, "old", &err), 0);
    assert_int_equal(grpc_frame_begin(&framed, &err), 0);
    for (int i = 0; i < 300; i++)
        assert_int_equal(buf_append_byte(&framed, 'm', &err), 0);
    assert_int_equal(grpc_frame_end(&framed, &err), 0);
    assert_int_equal(framed.len, GRPC_PREFIX_BYTES + 300);
    assert_memory_equal(framed.data, "\0\0\0\1\x2cm", 6);
    buf_deinit(&framed);
}

static void assert_status(int http_status, const char *headers, int code, const char *message)
{
    struct http_response response;
    struct err err = {0};
    struct grpc_status status = {.code = -1};
    http_response_init(&response);
    response.status = http_status;
    assert_int_equal(buf_append_str(&response.headers, headers, &err), 0);
    grpc_status_of(&status, &response);
    http_response_deinit(&response);
    assert_int_equal(status.code, code);
    assert_string_equal(status.message, message);
}

#define GRPC "content-type: application/grpc+proto\r\n"

static void statuses_are_read(void **state)
{
    (void)state;
    assert_status(200, GRPC "grpc-status: 0\r\n", GRPC_OK, "");
    assert_status(200, GRPC "grpc-status: 14\r\ngrpc-message: come again\r\n", GRPC_UNAVAILABLE,
                  "come again");
    assert_status(200, GRPC "grpc-status: 5\r\ngrpc-message: 50%25 s%c3%BBr%0D%0A%zz%4\r\n",
                  GRPC_NOT_FOUND, "50% s\xc3\xbbr  %zz%4");
    assert_status(200, GRPC "grpc-status: 17\r\n", GRPC_UNKNOWN,
                  "the server's grpc-status is none");
    assert_status(200, GRPC "grpc-status: -1\r\n", GRPC_UNKNOWN,
                  "the server's grpc-status is none");
    assert_status(200, GRPC, GRPC_UNKNOWN, "the answer ends without a grpc-status");
    assert_status(200, "content-type: text/html\r\n", GRPC_UNKNOWN, "the answer is not gRPC's");
    assert_status(200, "", GRPC_UNKNOWN, "the answer is not gRPC's");
}

static void http_statuses_stand_for_others(void **state)
{
    (void)state;
    static const struct {
        int http, code;
    } cases[] = {{400, GRPC_INTERNAL},          {401, GRPC_UNAUTHENTICATED},
                 {403, GRPC_PERMISSION_DENIED}, {404, GRPC_UNIMPLEMENTED},
                 {429, GRPC_UNAVAILABLE},       {502, GRPC_UNAVAILABLE},
                 {503, GRPC_UNAVAILABLE},       {504, GRPC_UNAVAILABLE},
                 {500, GRPC_UNKNOWN},           {302, GRPC_UNKNOWN}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char text[32];
        (void)snprintf(text, sizeof text, "HTTP status %d", cases[i].http);
        assert_status(cases[i].http, "content-type: text/html\r\n", cases[i].code, text);
    }
}

static void codes_have_names(void **state)
{
    (void)state;
    assert_string_equal(grpc_code_name(GRPC_OK), "OK");
    assert_string_equal(grpc_code_name(GRPC_DEADLINE_EXCEEDED), "DEADLINE_EXCEEDED");
    assert_string_equal(grpc_code_name(GRPC_UNAUTHENTICATED), "UNAUTHENTICATED");
    assert_string_equal(grpc_code_name(17), "UNKNOWN");
    assert_string_equal(grpc_code_name(-1), "UNKNOWN");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_may_be_split_anywhere),
        cmocka_unit_test(broken_frames_are_refused),
        cmocka_unit_test(a_reader_ends_where_it_is_told),
        cmocka_unit_test(a_request_is_one_frame),
        cmocka_unit_test(statuses_are_read),
        cmocka_unit_test(http_statuses_stand_for_others),
        cmocka_unit_test(codes_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
