/* SPDX-License-Identifier: MPL-2.0 */
#include "codec/ndjson.h"

#include "testing.h"

/* The judge: takes the text apart with no buffer, no chunks and no reads. */
struct splitter {
    struct span rest;
    size_t max_line;
};

/* @return 0 at the end, 1 and *line, or 2: the line is too long. */
static int naive_next(struct splitter *s, struct span *line)
{
    if (s->rest.len == 0)
        return 0;
    size_t n = 0;
    while (n < s->rest.len && s->rest.ptr[n] != '\n')
        n++;
    const bool ended = n < s->rest.len;
    size_t len = n;
    if (ended && n > 0 && s->rest.ptr[n - 1] == '\r')
        len--;
    *line = span_of(s->rest.ptr, len);
    s->rest.ptr += n + ended;
    s->rest.len -= n + ended;
    return len > s->max_line ? 2 : 1;
}

struct cut {
    size_t max_line, target, step;
};

/* Read text through the reader, and demand of every line and number what the judge says. */
static void assert_split(struct span text, struct cut cut)
{
    struct memory_source memory = {text, cut.step};
    struct splitter judge = {text, cut.max_line};
    struct ndjson_reader in;
    struct ndjson_chunk c;
    struct span want = {0}, got;
    uint64_t line_no = 1, seq = 0;
    int r;
    ndjson_reader_init(&in, memory_source(&memory), cut.max_line);
    ndjson_chunk_init(&c, cut.max_line);
    while ((r = ndjson_fill(&in, &c, cut.target, NULL)) == 1) {
        assert_int_equal(c.seq, seq++);
        assert_int_equal(c.first_line, line_no);
        assert_true(c.too_long || c.bytes.len > 0);
        for (size_t i = 0; i < NDJSON_SLACK && !c.too_long; i++)
            assert_int_equal(c.bytes.data[c.bytes.len + i], 0);
        if (c.too_long) {
            assert_int_equal(naive_next(&judge, &want), 2);
            assert_false(ndjson_line(&c, &got));
            line_no++;
        }
        while (ndjson_line(&c, &got)) {
            assert_int_equal(naive_next(&judge, &want), 1);
            assert_int_equal(c.line, line_no++);
            assert_true(span_equal(got, want));
        }
    }
    assert_int_equal(r, 0);
    assert_int_equal(naive_next(&judge, &want), 0);
    assert_int_equal(in.next_line, line_no);
    assert_int_equal(ndjson_fill(&in, &c, cut.target, NULL), 0); // the end stays the end
    ndjson_chunk_deinit(&c);
    ndjson_reader_deinit(&in);
}

static void every_short_text_splits_alike_however_it_is_cut(void **state)
{
    enum { MAX_LEN = 7 };
    static const size_t limits[] = {0, 1, 2, 3, 9}, targets[] = {0, 1, 2, 3, 5, 64};
    for (size_t len = 0; len <= MAX_LEN; len++) {
        size_t n_texts = 1;
        for (size_t i = 0; i < len; i++)
            n_texts *= 3;
        for (size_t k = 0; k < n_texts; k++) {
            uint8_t text[MAX_LEN];
            for (size_t i = 0, rest = k; i < len; i++, rest /= 3)
                text[i] = (uint8_t) "a\r\n"[rest % 3];
            for (size_t m = 0; m < sizeof limits / sizeof *limits; m++)
                for (size_t t = 0; t < sizeof targets / sizeof *targets; t++)
                    for (size_t step = 0; step <= 3; step++)
                        assert_split(span_of(text, len), (struct cut){limits[m], targets[t], step});
        }
    }
    (void)state;
}

static void long_texts_split_alike_however_they_are_cut(void **state)
{
    uint64_t seed = 7;
    uint8_t text[3000];
    for (int round = 0; round < 300; round++) {
        // Mean line lengths from 2 to 256, so that chunks hold many lines, one, or none.
        const uint64_t every = UINT64_C(2) << (round % 8);
        for (size_t i = 0; i < sizeof text; i++)
            text[i] = noise(&seed) % every == 0 ? '\n' : (uint8_t) "abc\r\0\xff"[noise(&seed) % 6];
        const struct cut cut = {.max_line = noise(&seed) % 300,
                                .target = noise(&seed) % 500,
                                .step = noise(&seed) % 100};
        assert_split(span_of(text, sizeof text - noise(&seed) % 100), cut);
    }
    (void)state;
}

static void lines_end_at_lf_or_crlf_and_may_be_empty(void **state)
{
    static const char text[] = "one\r\n\n\r\ntwo\nth\0ree\r\rfour\r\n\r\nlast\r";
    static const struct {
        const char *bytes;
        size_t len;
    } want[] = {{"one", 3}, {"", 0},      {"", 0}, {"two", 3}, {"th\0ree\r\rfour", 12},
                {"", 0},    {"last\r", 5}};
    struct memory_source memory = {span_of(text, sizeof text - 1), 0};
    struct ndjson_reader in;
    struct ndjson_chunk c;
    struct span line;
    ndjson_reader_init(&in, memory_source(&memory), 100);
    ndjson_chunk_init(&c, 100);
    assert_int_equal(ndjson_fill(&in, &c, 100, NULL), 1);
    for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
        assert_true(ndjson_line(&c, &line));
        assert_true(span_equal(line, span_of(want[i].bytes, want[i].len)));
    }
    assert_false(ndjson_line(&c, &line));
    assert_int_equal(ndjson_fill(&in, &c, 100, NULL), 0);
    ndjson_chunk_deinit(&c);
    ndjson_reader_deinit(&in);
    (void)state;
}

static void a_line_at_the_limit_is_read_and_one_byte_more_is_not(void **state)
{
    enum { MAX_LINE = 1000 };
    static const char *const ends[] = {"\n", "\r\n", ""};
    for (size_t over = 0; over <= 9 * MAX_LINE; over += over < 3 ? 1 : MAX_LINE - 1) {
        for (size_t e = 0; e < 3; e++) {
            uint8_t text[12 * MAX_LINE];
            size_t len = 0;
            memcpy(text, "before\n", 7);
            len = 7;
            memset(text + len, 'x', MAX_LINE + over);
            len += MAX_LINE + over;
            memcpy(text + len, ends[e], strlen(ends[e]));
            len += strlen(ends[e]);
            if (e < 2) {
                memcpy(text + len, "after", 5);
                len += 5;
            }
            for (size_t target = 1; target < 3 * MAX_LINE; target += 333)
                for (size_t step = 0; step < 3; step++)
                    assert_split(span_of(text, len), (struct cut){MAX_LINE, target, step * 499});
        }
    }
    (void)state;
}

/* Endless 'x', with one newline after n_bytes of them. */
struct endless {
    uint64_t n_bytes, at;
};

static ssize_t endless_read(void *arg, void *dst, size_t cap, struct err *err)
{
    struct endless *e = arg;
    const uint64_t left = e->n_bytes + 1 - e->at;
    const size_t n = left < cap ? (size_t)left : cap;
    memset(dst, 'x', n);
    e->at += n;
    if (n > 0 && e->at == e->n_bytes + 1)
        ((uint8_t *)dst)[n - 1] = '\n';
    (void)err;
    return (ssize_t)n;
}

static void a_line_far_over_the_limit_costs_no_memory(void **state)
{
    enum { MAX_LINE = 4096 };
    struct endless endless = {.n_bytes = 64u << 20};
    struct ndjson_reader in;
    struct ndjson_chunk c;
    ndjson_reader_init(&in, (struct source){endless_read, &endless}, MAX_LINE);
    ndjson_chunk_init(&c, MAX_LINE);
    assert_int_equal(ndjson_fill(&in, &c, 1 << 20, NULL), 1);
    assert_true(c.too_long);
    assert_int_equal(c.bytes.len, 0);
    assert_true(c.bytes.cap + in.carry.cap <= 2 * MAX_LINE + 2 * NDJSON_SLACK);
    assert_int_equal(ndjson_fill(&in, &c, 1 << 20, NULL), 0);
    ndjson_chunk_deinit(&c);
    ndjson_reader_deinit(&in);
    (void)state;
}

static void memory_follows_the_lines_and_not_the_limit(void **state)
{
    struct endless endless = {.n_bytes = 100000};
    struct ndjson_reader in;
    struct ndjson_chunk c;
    struct span line;
    ndjson_reader_init(&in, (struct source){endless_read, &endless}, 1 << 30);
    ndjson_chunk_init(&c, 1 << 30);
    assert_int_equal(ndjson_fill(&in, &c, 65536, NULL), 1);
    assert_true(ndjson_line(&c, &line));
    assert_int_equal(line.len, 100000);
    assert_true(c.bytes.cap <= 4 * 100000);
    ndjson_chunk_deinit(&c);
    ndjson_reader_deinit(&in);
    (void)state;
}

static void filling_allocates_nothing_after_warm_up(void **state)
{
    static uint8_t text[200000];
    struct memory_source memory = {span_of(text, sizeof text), 0};
    struct ndjson_reader in;
    struct ndjson_chunk c;
    memset(text, 'x', sizeof text);
    for (size_t i = 900; i < sizeof text; i += 901)
        text[i] = '\n';
    ndjson_reader_init(&in, memory_source(&memory), 1 << 20);
    ndjson_chunk_init(&c, 1 << 20);
    for (int warm = 0; warm < 4; warm++)
        assert_int_equal(ndjson_fill(&in, &c, 10000, NULL), 1);
    const uint8_t *bytes = c.bytes.data, *carry = in.carry.data;
    while (ndjson_fill(&in, &c, 10000, NULL) == 1) {
        assert_ptr_equal(c.bytes.data, bytes);
        assert_ptr_equal(in.carry.data, carry);
    }
    assert_true(c.seq > 15);
    ndjson_chunk_deinit(&c);
    ndjson_reader_deinit(&in);
    (void)state;
}

/* Some good bytes, then a failure. */
struct breaking {
    struct memory_source good;
};

static ssize_t breaking_read(void *arg, void *dst, size_t cap, struct err *err)
{
    struct breaking *b = arg;
    const struct source good = memory_source(&b->good);
    const ssize_t n = good.read(good.arg, dst, cap, err);
    return n != 0 ? n : err_set(err, E_IO, 0, "cable pulled");
}

static void a_read_error_comes_through_wherever_it_happens(void **state)
{
    static const char text[] = "1234567890\n\n1234567890123456789012345\n12\n";
    for (size_t len = 0; len < sizeof text; len++) {
        for (size_t target = 1; target < 50; target += 7) {
            struct breaking broken = {{span_of(text, len), 3}};
            struct ndjson_reader in;
            struct ndjson_chunk c;
            struct err err = {0};
            int r;
            ndjson_reader_init(&in, (struct source){breaking_read, &broken}, 20);
            ndjson_chunk_init(&c, 20);
            do
                r = ndjson_fill(&in, &c, target, &err);
            while (r == 1);
            assert_int_equal(r, E_IO);
            assert_non_null(strstr(err.text, "cable pulled"));
            assert_non_null(strstr(err.text, "line"));
            ndjson_chunk_deinit(&c);
            ndjson_reader_deinit(&in);
        }
    }
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_short_text_splits_alike_however_it_is_cut),
        cmocka_unit_test(long_texts_split_alike_however_they_are_cut),
        cmocka_unit_test(lines_end_at_lf_or_crlf_and_may_be_empty),
        cmocka_unit_test(a_line_at_the_limit_is_read_and_one_byte_more_is_not),
        cmocka_unit_test(a_line_far_over_the_limit_costs_no_memory),
        cmocka_unit_test(memory_follows_the_lines_and_not_the_limit),
        cmocka_unit_test(filling_allocates_nothing_after_warm_up),
        cmocka_unit_test(a_read_error_comes_through_wherever_it_happens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
