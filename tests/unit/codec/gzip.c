/* SPDX-License-Identifier: MPL-2.0 */
#include "codec/gzip.h"

#include "base/buf.h"
#include "testing.h"

#include <zlib.h>

enum { MAX_TEST_BYTES = 4 << 20, TEXT_BYTES = 300000 };

/* One gzip member holding text, appended to out. */
static void gzip_append(struct buf *out, const void *text, size_t len)
{
    z_stream z = {0};
    assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    const size_t room = deflateBound(&z, len) + 32;
    assert_int_equal(buf_reserve(out, room, NULL), 0);
    z.next_in = (Bytef *)(uintptr_t)text;
    z.avail_in = (unsigned)len;
    z.next_out = out->data + out->len;
    z.avail_out = (unsigned)room;
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    out->len += z.total_out;
    deflateEnd(&z);
}

/* Read everything, at most cap bytes a call. @return 0 or the failure. */
static int read_all(struct buf *out, struct span packed, size_t step, size_t cap, struct err *err)
{
    struct memory_source memory = {packed, step};
    struct gunzip *g = NULL;
    assert_int_equal(gunzip_new(&g, memory_source(&memory), err), 0);
    const struct source unpacked = gunzip_source(g);
    ssize_t n;
    do {
        assert_int_equal(buf_reserve(out, cap, NULL), 0);
        n = unpacked.read(unpacked.arg, out->data + out->len, cap, err);
        if (n > 0)
            out->len += (size_t)n;
    } while (n > 0);
    assert_int_equal(n, unpacked.read(unpacked.arg, out->data, cap, NULL)); // final either way
    gunzip_free(g);
    return (int)n;
}

static void assert_unpacks_to(struct span packed, struct span want, size_t step, size_t cap)
{
    struct buf out = BUF_INIT(MAX_TEST_BYTES);
    struct err err = {0};
    assert_int_equal(read_all(&out, packed, step, cap, &err), 0);
    assert_int_equal(out.len, want.len);
    assert_true(span_equal(buf_span(&out), want));
    buf_deinit(&out);
}

static void assert_damaged(struct span packed)
{
    struct buf out = BUF_INIT(MAX_TEST_BYTES);
    struct err err = {0};
    assert_int_equal(read_all(&out, packed, 0, 4096, &err), E_FORMAT);
    assert_non_null(strstr(err.text, "gzip"));
    buf_deinit(&out);
}

static uint8_t *new_text(void)
{
    uint8_t *text = malloc(TEXT_BYTES);
    uint64_t seed = 5;
    assert_non_null(text);
    for (size_t i = 0; i < TEXT_BYTES; i++)
        text[i] = (uint8_t)('a' + noise(&seed) % 20);
    return text;
}

static void what_is_not_gzip_passes_unchanged(void **state)
{
    uint8_t *text = new_text();
    static const char *const small[] = {"", "x", "xy", "\x1f", "\x1fx", "\x8b\x1f", "{\"a\": 1}\n"};
    for (size_t i = 0; i < sizeof small / sizeof *small; i++)
        for (size_t step = 0; step < 3; step++)
            assert_unpacks_to(span_str(small[i]), span_str(small[i]), step, 1 + i);
    assert_unpacks_to(span_of(text, TEXT_BYTES), span_of(text, TEXT_BYTES), 0, 100000);
    assert_unpacks_to(span_of(text, TEXT_BYTES), span_of(text, TEXT_BYTES), 777, 65536);
    free(text);
    (void)state;
}

static void members_in_a_row_read_as_one(void **state)
{
    uint8_t *text = new_text();
    struct buf packed = BUF_INIT(MAX_TEST_BYTES);
    gzip_append(&packed, text, 100000);
    gzip_append(&packed, "", 0);
    gzip_append(&packed, text + 100000, 1);
    gzip_append(&packed, text + 100001, TEXT_BYTES - 100001);
    static const size_t steps[] = {0, 1, 2, 3, 1000, 65536}, caps[] = {1, 17, 65536, 1 << 20};
    for (size_t s = 0; s < sizeof steps / sizeof *steps; s++)
        for (size_t c = 0; c < sizeof caps / sizeof *caps; c++)
            assert_unpacks_to(buf_span(&packed), span_of(text, TEXT_BYTES), steps[s], caps[c]);
    buf_deinit(&packed);
    free(text);
    (void)state;
}

static void an_empty_member_is_an_empty_stream(void **state)
{
    struct buf packed = BUF_INIT(MAX_TEST_BYTES);
    gzip_append(&packed, "", 0);
    assert_unpacks_to(buf_span(&packed), span_str(""), 0, 10);
    assert_unpacks_to(buf_span(&packed), span_str(""), 1, 1);
    buf_deinit(&packed);
    (void)state;
}

static void a_stream_cut_anywhere_is_refused(void **state)
{
    struct buf packed = BUF_INIT(MAX_TEST_BYTES);
    gzip_append(&packed, "first member", 12);
    const size_t first = packed.len;
    gzip_append(&packed, "second member", 13);
    for (size_t len = 2; len < packed.len; len++) { // one byte is no magic yet
        if (len != first)
            assert_damaged(span_of(packed.data, len));
    }
    buf_deinit(&packed);
    (void)state;
}

static void a_changed_byte_of_data_or_trailer_is_noticed(void **state)
{
    enum { HEADER_BYTES = 10 };
    struct buf packed = BUF_INIT(MAX_TEST_BYTES);
    gzip_append(&packed, "some text that deflate will store in its own way", 48);
    for (size_t at = HEADER_BYTES; at < packed.len; at++) {
        packed.data[at] ^= 0x55;
        assert_damaged(buf_span(&packed));
        packed.data[at] ^= 0x55;
    }
    assert_unpacks_to(buf_span(&packed),
                      span_str("some text that deflate will store in its own way"), 0, 100);
    buf_deinit(&packed);
    (void)state;
}

static void something_behind_the_last_member_is_refused(void **state)
{
    static const char *const tails[] = {"x", "\x1f", "\x1fx", "plain text"};
    for (size_t i = 0; i < sizeof tails / sizeof *tails; i++) {
        struct buf packed = BUF_INIT(MAX_TEST_BYTES);
        gzip_append(&packed, "member", 6);
        assert_int_equal(buf_append_str(&packed, tails[i], NULL), 0);
        assert_damaged(buf_span(&packed));
        buf_deinit(&packed);
    }
    (void)state;
}

static ssize_t failing_read(void *arg, void *dst, size_t cap, struct err *err)
{
    struct memory_source *good = arg;
    const ssize_t n = memory_source(good).read(good, dst, cap, err);
    return n != 0 ? n : err_set(err, E_IO, 0, "disk on fire");
}

static void a_read_error_is_not_taken_for_the_end(void **state)
{
    struct buf packed = BUF_INIT(MAX_TEST_BYTES);
    gzip_append(&packed, "member", 6);
    for (size_t len = 0; len <= packed.len; len++) {
        struct memory_source good = {span_of(packed.data, len), 1};
        struct gunzip *g = NULL;
        struct err err = {0};
        uint8_t out[16];
        ssize_t n;
        assert_int_equal(gunzip_new(&g, (struct source){failing_read, &good}, &err), 0);
        const struct source unpacked = gunzip_source(g);
        do
            n = unpacked.read(unpacked.arg, out, sizeof out, &err);
        while (n > 0);
        assert_int_equal(n, E_IO);
        assert_non_null(strstr(err.text, "disk on fire"));
        gunzip_free(g);
    }
    gunzip_free(NULL);
    buf_deinit(&packed);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_not_gzip_passes_unchanged),
        cmocka_unit_test(members_in_a_row_read_as_one),
        cmocka_unit_test(an_empty_member_is_an_empty_stream),
        cmocka_unit_test(a_stream_cut_anywhere_is_refused),
        cmocka_unit_test(a_changed_byte_of_data_or_trailer_is_noticed),
        cmocka_unit_test(something_behind_the_last_member_is_refused),
        cmocka_unit_test(a_read_error_is_not_taken_for_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
