/* SPDX-License-Identifier: MPL-2.0 */
#include "profiles/bigtable_rows.h"

#include "base/base_test.h"

enum status { GOES_ON, RESET = 8, COMMIT = 9 };

/* A chunk as a test writes it; NULL: no such field. */
struct chunk {
    const char *key, *family, *column;
    int64_t time;
    const char *value;
    int size;
    enum status status;
};

static void put_number(struct buf *b, uint64_t n)
{
    for (; n > 127; n >>= 7)
        assert_int_equal(buf_append_byte(b, (uint8_t)(n | 128), NULL), 0);
    assert_int_equal(buf_append_byte(b, (uint8_t)n, NULL), 0);
}

static void put_bytes(struct buf *b, unsigned tag, struct span bytes)
{
    put_number(b, tag << 3 | 2);
    put_number(b, bytes.len);
    if (bytes.len > 0)
        assert_int_equal(buf_append(b, bytes.ptr, bytes.len, NULL), 0);
}

static void put_int(struct buf *b, unsigned tag, int64_t n)
{
    put_number(b, tag << 3);
    put_number(b, (uint64_t)n);
}

/* Of StringValue and BytesValue. */
static void put_wrapped(struct buf *b, unsigned tag, const char *text)
{
    struct buf inner = BUF_INIT(1024);
    put_bytes(&inner, 1, span_str(text));
    put_bytes(b, tag, buf_span(&inner));
    buf_deinit(&inner);
}

static void put_chunk(struct buf *message, const struct chunk *c)
{
    struct buf b = BUF_INIT(64 << 20);
    if (c->key)
        put_bytes(&b, 1, span_str(c->key));
    if (c->family)
        put_wrapped(&b, 2, c->family);
    if (c->column)
        put_wrapped(&b, 3, c->column);
    if (c->time)
        put_int(&b, 4, c->time);
    if (c->value)
        put_bytes(&b, 6, span_str(c->value));
    if (c->size)
        put_int(&b, 7, c->size);
    if (c->status != GOES_ON)
        put_int(&b, c->status, 1);
    put_bytes(message, 1, buf_span(&b));
    buf_deinit(&b);
}

static int append_row(void *arg, struct span key, struct span value, int64_t timestamp_us,
                      struct err *err)
{
    return buf_printf(arg, err, "%.*s=%.*s@%lld ", (int)key.len, (const char *)key.ptr,
                      (int)value.len, (const char *)value.ptr, (long long)timestamp_us);
}

static int take(struct row_reader *r, const struct chunk *chunks, size_t n, struct err *err)
{
    struct buf message = BUF_INIT(64 << 20);
    for (size_t i = 0; i < n; i++)
        put_chunk(&message, &chunks[i]);
    const int result = row_reader_take(r, buf_span(&message), err);
    buf_deinit(&message);
    return result;
}

/* All in one message, and every chunk in one of its own, which must come to the same. */
static int read_chunks(struct buf *rows, const struct chunk *chunks, size_t n, struct err *err)
{
    struct buf singly = BUF_INIT(4096);
    struct row_reader r;
    row_reader_init(&r, append_row, rows);
    int result = take(&r, chunks, n, err);
    if (result == 0)
        result = row_reader_end(&r, err);
    row_reader_deinit(&r);
    row_reader_init(&r, append_row, &singly);
    int again = 0;
    for (size_t i = 0; i < n && again == 0; i++)
        again = take(&r, &chunks[i], 1, err);
    if (again == 0)
        again = row_reader_end(&r, err);
    row_reader_deinit(&r);
    assert_int_equal(result, again);
    assert_true(span_equal(buf_span(rows), buf_span(&singly)));
    buf_deinit(&singly);
    return result;
}

static void assert_rows(const struct chunk *chunks, size_t n, const char *wanted)
{
    struct buf rows = BUF_INIT(4096);
    struct err err = {0};
    if (read_chunks(&rows, chunks, n, &err) != 0)
        fail_msg("%s", err.text);
    assert_int_equal(buf_append_byte(&rows, 0, NULL), 0);
    assert_string_equal((const char *)rows.data, wanted);
    buf_deinit(&rows);
}

static void assert_broken(const struct chunk *chunks, size_t n, const char *why)
{
    struct buf rows = BUF_INIT(4096);
    struct err err = {0};
    assert_int_equal(read_chunks(&rows, chunks, n, &err), E_FORMAT);
    assert_contains(err.text, why);
    buf_deinit(&rows);
}

#define ROWS(wanted, ...)                                                                          \
    assert_rows((const struct chunk[]){__VA_ARGS__},                                               \
                sizeof((const struct chunk[]){__VA_ARGS__}) / sizeof(struct chunk), wanted)
#define BROKEN(why, ...)                                                                           \
    assert_broken((const struct chunk[]){__VA_ARGS__},                                             \
                  sizeof((const struct chunk[]){__VA_ARGS__}) / sizeof(struct chunk), why)
#define OURS "profile", "payload"
#define REST NULL, NULL, NULL, 0

static void rows_are_read(void **state)
{
    (void)state;
    ROWS("a=1@5 b=2@6 ", {"a", OURS, 5, "1", 0, COMMIT}, {"b", OURS, 6, "2", 0, COMMIT});
    ROWS("a=@5 ", {"a", OURS, 5, NULL, 0, COMMIT});
    ROWS("a=1@0 ", {"a", OURS, 0, "1", 0, COMMIT});
    ROWS("a=1@5 ", {"a", OURS, 5, "1", 0, GOES_ON}, {REST, NULL, 0, COMMIT});
}

static void cells_come_in_chunks(void **state)
{
    (void)state;
    ROWS("a=one two@5 b=x@6 ", {"a", OURS, 5, "one", 7, GOES_ON}, {REST, " t", 7, GOES_ON},
         {REST, "wo", 0, COMMIT}, {"b", OURS, 6, "x", 0, COMMIT});
    BROKEN("another length", {"a", OURS, 5, "one", 7, GOES_ON}, {REST, " t", 0, COMMIT});
    BROKEN("another length", {"a", OURS, 5, "one", 2, GOES_ON}, {REST, "", 0, COMMIT});
    BROKEN("too long", {"a", OURS, 5, "one", -1, GOES_ON}, {REST, "", 0, COMMIT});
    BROKEN("ends within a cell", {"a", OURS, 5, "one", 7, COMMIT});
    BROKEN("a cell begins within another", {"a", OURS, 5, "one", 7, GOES_ON},
           {NULL, OURS, 5, "1", 0, COMMIT});
    BROKEN("a cell begins within another", {"a", OURS, 5, "one", 7, GOES_ON},
           {"a", NULL, NULL, 0, "1", 0, COMMIT});
}

static void rows_are_taken_back(void **state)
{
    (void)state;
    ROWS("a=good@6 ", {"a", OURS, 5, "bad", 0, GOES_ON}, {REST, NULL, 0, RESET},
         {"a", OURS, 6, "good", 0, COMMIT});
    ROWS("a=good@6 ", {"a", OURS, 5, "bad", 100, GOES_ON}, {REST, NULL, 0, RESET},
         {"a", OURS, 6, "good", 0, COMMIT});
    ROWS("b=good@6 ", {"c", OURS, 5, "bad", 0, GOES_ON}, {REST, NULL, 0, RESET},
         {"b", OURS, 6, "good", 0, COMMIT});
    BROKEN("no row is open", {REST, NULL, 0, RESET});
    BROKEN("holds a cell", {"a", OURS, 5, "x", 0, GOES_ON}, {REST, "y", 0, RESET});
}

static void other_cells_are_left_out(void **state)
{
    (void)state;
    ROWS("a=new@9 ", {"a", OURS, 9, "new", 0, GOES_ON}, {REST, "old", 0, COMMIT});
    ROWS("a=new@9 ", {"a", OURS, 9, "new", 0, GOES_ON}, {NULL, NULL, NULL, 8, "old", 0, COMMIT});
    ROWS("a=new@9 ", {"a", "other", "payload", 9, "x", 0, GOES_ON},
         {NULL, "profile", "other", 9, "y", 0, GOES_ON},
         {NULL, NULL, "payload", 9, "new", 0, GOES_ON}, {NULL, NULL, "zz", 9, "z", 3, GOES_ON},
         {REST, "zz", 0, COMMIT});
    ROWS("", {"a", "other", "payload", 9, "x", 0, COMMIT});
}

static void rows_that_are_none_are_refused(void **state)
{
    (void)state;
    BROKEN("no key", {NULL, OURS, 5, "1", 0, COMMIT});
    BROKEN("names no column", {"a", NULL, NULL, 5, "1", 0, COMMIT});
    BROKEN("names no column", {"a", "profile", NULL, 5, "1", 0, COMMIT});
    BROKEN("a family without", {"a", OURS, 5, "1", 0, GOES_ON},
           {NULL, "profile", NULL, 5, "1", 0, COMMIT});
    BROKEN("begins within another", {"a", OURS, 5, "1", 0, GOES_ON},
           {"b", OURS, 5, "1", 0, COMMIT});
    BROKEN("out of order", {"b", OURS, 5, "1", 0, COMMIT}, {"a", OURS, 5, "1", 0, COMMIT});
    BROKEN("out of order", {"b", OURS, 5, "1", 0, COMMIT}, {"b", OURS, 5, "1", 0, COMMIT});
    BROKEN("ends within a row", {"b", OURS, 5, "1", 0, GOES_ON});
}

static void a_message_that_is_none_is_refused(void **state)
{
    (void)state;
    struct row_reader r;
    struct err err = {0};
    struct buf rows = BUF_INIT(64);
    row_reader_init(&r, append_row, &rows);
    assert_int_equal(row_reader_take(&r, span_str("\x0a\x7fx"), &err), E_FORMAT);
    assert_contains(err.text, "no message");
    row_reader_deinit(&r);
    buf_deinit(&rows);
}

static void what_was_passed_over_is_not_asked_for_again(void **state)
{
    (void)state;
    struct row_reader r;
    struct err err = {0};
    struct buf rows = BUF_INIT(64), scanned = BUF_INIT(64);
    row_reader_init(&r, append_row, &rows);
    const struct chunk one = {"m", OURS, 5, "1", 0, COMMIT};
    assert_int_equal(take(&r, &one, 1, &err), 0);
    assert_true(span_equal(buf_span(&r.last), span_str("m")));
    put_bytes(&scanned, 2, span_str("q"));
    assert_int_equal(row_reader_take(&r, buf_span(&scanned), &err), 0);
    assert_true(span_equal(buf_span(&r.last), span_str("q")));
    const struct chunk before = {"p", OURS, 5, "1", 0, COMMIT};
    assert_int_equal(take(&r, &before, 1, &err), E_FORMAT);
    row_reader_deinit(&r);
    buf_deinit(&scanned);
    buf_deinit(&rows);
}

static void a_broken_stream_goes_on_behind_the_last_row(void **state)
{
    (void)state;
    struct row_reader r;
    struct err err = {0};
    struct buf rows = BUF_INIT(64);
    row_reader_init(&r, append_row, &rows);
    const struct chunk chunks[] = {{"a", OURS, 5, "1", 0, COMMIT},
                                   {"b", OURS, 5, "half", 9, GOES_ON}};
    assert_int_equal(take(&r, chunks, 2, &err), 0);
    row_reader_restart(&r);
    assert_int_equal(row_reader_end(&r, &err), 0);
    assert_true(span_equal(buf_span(&r.last), span_str("a")));
    const struct chunk again = {"b", OURS, 5, "whole", 0, COMMIT};
    assert_int_equal(take(&r, &again, 1, &err), 0);
    assert_true(span_equal(buf_span(&rows), span_str("a=1@5 b=whole@5 ")));
    assert_int_equal(r.n_rows, 2);
    row_reader_deinit(&r);
    buf_deinit(&rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_read),
        cmocka_unit_test(cells_come_in_chunks),
        cmocka_unit_test(rows_are_taken_back),
        cmocka_unit_test(other_cells_are_left_out),
        cmocka_unit_test(rows_that_are_none_are_refused),
        cmocka_unit_test(a_message_that_is_none_is_refused),
        cmocka_unit_test(what_was_passed_over_is_not_asked_for_again),
        cmocka_unit_test(a_broken_stream_goes_on_behind_the_last_row),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
