/* SPDX-License-Identifier: MPL-2.0 */
#include "codec/bzip2.h"

#include "testing.h"

enum { MAX_TEST_BYTES = 8 << 20, BIG = 2000000 };
#define BUF(name) CLEANUP(buf_deinit) struct buf name = BUF_INIT(MAX_TEST_BYTES)

static void assert_returns(struct span text)
{
    BUF(packed);
    BUF(out);
    assert_int_equal(bzip2_compress(&packed, text, NULL), 0);
    assert_int_equal(bzip2_decompress(&out, buf_span(&packed), NULL), 0);
    assert_true(span_equal(buf_span(&out), text));
}

static void what_is_packed_comes_back(void **state)
{
    uint64_t seed = 1;
    (void)state;
    uint8_t *big = malloc(BIG);
    assert_non_null(big);
    fill_noise(&seed, big, BIG);
    assert_returns(span_of(big, BIG)); // three blocks
    memset(big, 'x', BIG);
    assert_returns(span_of(big, BIG));
    free(big);
    assert_returns(span_str("{\"a\": 1}"));
    assert_returns(span_of(NULL, 0));
}

static void a_stream_is_of_block_size_9(void **state)
{
    BUF(packed);
    (void)state;
    assert_int_equal(bzip2_compress(&packed, span_str("text"), NULL), 0);
    assert_memory_equal(packed.data, "BZh9", 4);
}

static void streams_in_a_row_read_as_one(void **state)
{
    BUF(packed);
    BUF(out);
    (void)state;
    assert_int_equal(bzip2_compress(&packed, span_str("one, "), NULL), 0);
    assert_int_equal(bzip2_compress(&packed, span_str(""), NULL), 0);
    assert_int_equal(bzip2_compress(&packed, span_str("two"), NULL), 0);
    assert_int_equal(buf_append_str(&out, "before: ", NULL), 0);
    assert_int_equal(bzip2_decompress(&out, buf_span(&packed), NULL), 0);
    assert_true(span_equal(buf_span(&out), span_str("before: one, two")));
}

static void damage_is_refused(void **state)
{
    BUF(packed);
    BUF(out);
    (void)state;
    assert_int_equal(bzip2_compress(&packed, span_str("some text that is long enough"), NULL), 0);
    for (size_t len = 0; len < packed.len; len++)
        assert_int_equal(bzip2_decompress(&out, span_of(packed.data, len), NULL), E_FORMAT);
    for (size_t i = 0; i < packed.len; i++) {
        packed.data[i] ^= 0x10;
        assert_int_equal(bzip2_decompress(&out, buf_span(&packed), NULL), E_FORMAT);
        out.len = 0;
        packed.data[i] ^= 0x10;
    }
    assert_int_equal(buf_append_str(&packed, "tail", NULL), 0);
    assert_int_equal(bzip2_decompress(&out, buf_span(&packed), NULL), E_FORMAT);
    assert_int_equal(out.len, 0);
}

static void what_does_not_fit_is_refused(void **state)
{
    static char text[300000];
    BUF(packed);
    CLEANUP(buf_deinit) struct buf tight = BUF_INIT(sizeof text);
    CLEANUP(buf_deinit) struct buf less = BUF_INIT(sizeof text - 1);
    (void)state;
    assert_int_equal(bzip2_compress(&packed, span_of(text, sizeof text), NULL), 0);
    assert_int_equal(bzip2_decompress(&tight, buf_span(&packed), NULL), 0);
    assert_int_equal(bzip2_decompress(&less, buf_span(&packed), NULL), E_NOMEM);
    assert_int_equal(less.len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_packed_comes_back),
        cmocka_unit_test(a_stream_is_of_block_size_9),
        cmocka_unit_test(streams_in_a_row_read_as_one),
        cmocka_unit_test(damage_is_refused),
        cmocka_unit_test(what_does_not_fit_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
