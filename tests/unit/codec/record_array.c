/* SPDX-License-Identifier: MPL-2.0 */
#include "codec/record.h"
#include "testing.h"

enum { MAX_N = 70, MAX_TEXT = 16 * MAX_N };

static void assert_uints(const char *text, size_t n, uint64_t limit, const uint64_t *want)
{
    uint64_t got[MAX_N];
    size_t bad = 0;
    assert_int_equal(uint_array_parse(got, n, limit, span_str(text), &bad), 1);
    for (size_t i = 0; i < n; i++)
        assert_true(got[i] == want[i]);
}

static void assert_no_uints(const char *text, size_t n, uint64_t limit, size_t want_bad)
{
    uint64_t got[MAX_N];
    size_t bad = 12345;
    assert_int_equal(uint_array_parse(got, n, limit, span_str(text), &bad), 0);
    assert_int_equal(bad, want_bad);
}

static void numbers_are_read_up_to_the_limit(void **state)
{
    const uint64_t three[] = {0, 9, 10}, big[] = {UINT64_MAX - 1, 0};
    assert_uints("[0,9,10]", 3, 11, three);
    assert_uints(" [ 0 ,\t9,\r\n10 ] ", 3, 11, three);
    assert_uints("[18446744073709551614, 0]", 2, UINT64_MAX, big);
    assert_uints("[]", 0, 11, NULL);
    assert_uints(" [ ] ", 0, 11, NULL);
    assert_no_uints("[0,9,11]", 3, 11, 2);
    assert_no_uints("[18446744073709551615]", 1, UINT64_MAX, 0);
    assert_no_uints("[18446744073709551616]", 1, UINT64_MAX, 0);
    assert_no_uints("[99999999999999999999999999]", 1, UINT64_MAX, 0);
    (void)state;
}

static void the_first_bad_entry_is_named(void **state)
{
    static const char *const bad[] = {"-1",   "-0",  "1.0",       "1e1", "\"1\"", "true",
                                      "null", "[1]", "{\"a\":1}", "01",  "00",    "+1",
                                      "0x1",  "",    " ",         "1 1"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char text[64];
        for (size_t at = 0; at < 3; at++) {
            (void)snprintf(text, sizeof text, "[%s, %s, %s]", at == 0 ? bad[i] : "1",
                           at == 1 ? bad[i] : "1", at == 2 ? bad[i] : "1");
            assert_no_uints(text, 3, 100, at);
            uint8_t bits[3];
            size_t index;
            assert_int_equal(bit_array_parse(bits, 3, span_str(text), &index), 0);
            assert_int_equal(index, at);
        }
    }
    (void)state;
}

static void a_wrong_count_is_told_apart(void **state)
{
    uint8_t bits[8];
    static const char *const texts[] = {"[]", "[1]", "[1,0]", "[1,0,1]", "[1, 0, 1, 1]"};
    for (size_t have = 0; have <= 4; have++) {
        for (size_t n = 0; n <= 5; n++) {
            uint64_t values[8];
            size_t bad = 0, bad_bit = 0;
            const int want = have == n;
            assert_int_equal(uint_array_parse(values, n, 2, span_str(texts[have]), &bad), want);
            assert_int_equal(bit_array_parse(bits, n, span_str(texts[have]), &bad_bit), want);
            if (!want) {
                assert_int_equal(bad, n);
                assert_int_equal(bad_bit, n);
            }
        }
    }
    (void)state;
}

static void what_is_no_array_is_told_apart(void **state)
{
    static const char *const texts[] = {"",        " ", "1",    "{}",   "null",
                                        "\"[1]\"", "]", "[1]x", "[1] 2"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        uint8_t bit;
        size_t bad = 0;
        assert_no_uints(texts[i], 1, 2, SIZE_MAX);
        assert_int_equal(bit_array_parse(&bit, 1, span_str(texts[i]), &bad), 0);
        assert_int_equal(bad, SIZE_MAX);
    }
    size_t bad = 0;
    assert_int_equal(uint_array_parse(NULL, 0, 2, (struct span){0}, &bad), 0); // an absent payload
    assert_int_equal(bad, SIZE_MAX);
    assert_no_uints("[", 1, 2, 0);
    assert_no_uints("[1", 1, 2, 0);
    assert_no_uints("[1,", 2, 2, 1);
    (void)state;
}

/* How the entries of a text are set apart. */
static const struct {
    const char *open, *between, *close;
} layouts[] = {{"[", ",", "]"},   {"[", ", ", "]"},      {"[", " ,", "]"},
               {"[ ", ",", "]"},  {"[", ",", " ]"},      {"[", ",  ", "]"},
               {" [", ",", "] "}, {"[\n", ",\t", "\r]"}, {"[ ", "\n,\r\n ", " ]"}};

static void print_bits(struct buf *text, const uint8_t *bits, size_t n, size_t layout)
{
    buf_clear(text);
    assert_int_equal(buf_append_str(text, layouts[layout].open, NULL), 0);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(buf_printf(text, NULL, "%s%d", i ? layouts[layout].between : "", bits[i]),
                         0);
    assert_int_equal(buf_append_str(text, layouts[layout].close, NULL), 0);
}

/* The text ends where its heap block ends, so that a sanitizer sees a read behind it. */
static int parse_exactly(uint8_t *out, size_t n, struct span text, size_t *bad)
{
    uint8_t *exact = malloc(text.len);
    assert_non_null(exact);
    memcpy(exact, text.ptr, text.len);
    const int r = bit_array_parse(out, n, span_of(exact, text.len), bad);
    free(exact);
    return r;
}

static void bits_are_read_in_every_layout(void **state)
{
    uint64_t seed = 11;
    struct buf text = BUF_INIT(MAX_TEXT);
    for (size_t n = 1; n <= MAX_N; n++) {
        for (size_t layout = 0; layout < sizeof layouts / sizeof *layouts; layout++) {
            uint8_t bits[MAX_N], got[MAX_N + 8];
            size_t bad;
            for (size_t i = 0; i < n; i++)
                bits[i] = noise(&seed) & 1;
            memset(got, GUARD_BYTE, sizeof got);
            print_bits(&text, bits, n, layout);
            assert_int_equal(parse_exactly(got, n, buf_span(&text), &bad), 1);
            assert_memory_equal(got, bits, n);
            assert_guarded(got + n, sizeof got - n);
        }
    }
    buf_deinit(&text);
    (void)state;
}

static void any_change_of_a_text_of_bits_is_read_as_the_plain_parser_reads_it(void **state)
{
    static const char pieces[] = "01239,[] -.x\t\"";
    uint64_t seed = 12;
    struct buf text = BUF_INIT(MAX_TEXT);
    size_t n_good = 0;
    for (int round = 0; round < 30000; round++) {
        enum { N = 9 };
        uint8_t bits[N], got[N + 1];
        uint64_t want[N + 1];
        for (size_t i = 0; i < N; i++)
            bits[i] = noise(&seed) & 1;
        print_bits(&text, bits, N, (size_t)round % 3);
        text.data[noise(&seed) % text.len] = (uint8_t)pieces[noise(&seed) % (sizeof pieces - 1)];
        for (size_t n = N - 1; n <= N + 1; n++) {
            size_t bad = 0, bad_plain = 0;
            const int r = parse_exactly(got, n, buf_span(&text), &bad);
            assert_int_equal(r, uint_array_parse(want, n, 2, buf_span(&text), &bad_plain));
            if (r == 0)
                assert_int_equal(bad, bad_plain);
            for (size_t i = 0; r == 1 && i < n; i++)
                assert_true(got[i] == want[i]);
            n_good += r == 1;
        }
    }
    assert_true(n_good > 1000);
    buf_deinit(&text);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_read_up_to_the_limit),
        cmocka_unit_test(the_first_bad_entry_is_named),
        cmocka_unit_test(a_wrong_count_is_told_apart),
        cmocka_unit_test(what_is_no_array_is_told_apart),
        cmocka_unit_test(bits_are_read_in_every_layout),
        cmocka_unit_test(any_change_of_a_text_of_bits_is_read_as_the_plain_parser_reads_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
