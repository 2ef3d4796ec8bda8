/* SPDX-License-Identifier: MPL-2.0 */
/* msgpack-c, an independent implementation, is the judge where it can be. */
#include "codec/msgpack.h"

#include "testing.h"

#include <msgpack.h>

static struct msgpack_reader reader(const void *bytes, size_t len)
{
    const uint8_t *p = bytes;
    return (struct msgpack_reader){p, p + len};
}

static bool reads_str(const void *bytes, size_t len, const char *body)
{
    struct msgpack_reader r = reader(bytes, len);
    struct span got;
    return msgpack_read_str(&r, &got) && span_equal(got, span_str(body)) && r.pos == r.end;
}

static void every_encoding_of_a_str_is_read(void **state)
{
    assert_true(reads_str("\xa0", 1, ""));
    assert_true(reads_str("\xa2hi", 3, "hi"));
    assert_true(reads_str("\xd9\x02hi", 4, "hi"));
    assert_true(reads_str("\xda\x00\x02hi", 5, "hi"));
    assert_true(reads_str("\xdb\x00\x00\x00\x02hi", 7, "hi"));
    assert_true(reads_str("\xdb\x00\x00\x00\x00", 5, ""));
    (void)state;
}

static void every_encoding_of_an_array_is_read(void **state)
{
    static const struct {
        const char *bytes;
        size_t len;
        uint32_t count;
    } cases[] = {{"\x90", 1, 0},         {"\x9f", 1, 15},
                 {"\xdc\x00\x01", 3, 1}, {"\xdc\xff\xff", 3, 65535},
                 {"\xdd\0\0\0\1", 5, 1}, {"\xdd\xff\xff\xff\xff", 5, UINT32_MAX}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct msgpack_reader r = reader(cases[i].bytes, cases[i].len);
        uint32_t count;
        assert_true(msgpack_read_array(&r, &count));
        assert_int_equal(count, cases[i].count);
        assert_ptr_equal(r.pos, r.end);
    }
    (void)state;
}

static void every_encoding_of_a_number_from_zero_up_is_read(void **state)
{
    static const struct {
        const char *bytes;
        size_t len;
        uint64_t value;
    } cases[] = {
        {"\x00", 1, 0},
        {"\x7f", 1, 127},
        {"\xcc\xff", 2, 255},
        {"\xcd\xff\xfe", 3, 0xfffe},
        {"\xce\xff\xff\xff\xfe", 5, 0xfffffffe},
        {"\xcf\xff\xff\xff\xff\xff\xff\xff\xfe", 9, UINT64_MAX - 1},
        {"\xd0\x00", 2, 0},
        {"\xd0\x7f", 2, 127},
        {"\xd1\x7f\xff", 3, 0x7fff},
        {"\xd2\x00\x00\x00\x01", 5, 1},
        {"\xd3\x7f\xff\xff\xff\xff\xff\xff\xff", 9, INT64_MAX},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct msgpack_reader r = reader(cases[i].bytes, cases[i].len);
        uint64_t value;
        assert_true(msgpack_read_uint(&r, &value));
        assert_true(value == cases[i].value);
        assert_ptr_equal(r.pos, r.end);
    }
    (void)state;
}

static void negative_numbers_are_refused(void **state)
{
    static const struct {
        const char *bytes;
        size_t len;
    } cases[] = {{"\xff", 1},           {"\xe0", 1},
                 {"\xd0\x80", 2},       {"\xd1\xff\xff", 3},
                 {"\xd2\x80\0\0\0", 5}, {"\xd3\xff\xff\xff\xff\xff\xff\xff\xff", 9}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct msgpack_reader r = reader(cases[i].bytes, cases[i].len);
        uint64_t value;
        assert_false(msgpack_read_uint(&r, &value));
    }
    (void)state;
}

/* Which of the three reads may take an object that begins with this byte. */
static char kind_of_head(unsigned head)
{
    if (head < 0x80 || (head >= 0xcc && head <= 0xd3))
        return 'u';
    if ((head >= 0x90 && head < 0xa0) || head == 0xdc || head == 0xdd)
        return 'a';
    if ((head >= 0xa0 && head < 0xc0) || (head >= 0xd9 && head <= 0xdb))
        return 's';
    return 0;
}

static void no_type_is_taken_for_another(void **state)
{
    for (unsigned head = 0; head < 256; head++) {
        uint8_t bytes[64] = {(uint8_t)head}; // zeros behind: short lengths, small values
        struct span body;
        uint32_t count;
        uint64_t value;
        struct msgpack_reader s = reader(bytes, sizeof bytes), a = s, u = s;
        assert_int_equal(msgpack_read_str(&s, &body), kind_of_head(head) == 's');
        assert_int_equal(msgpack_read_array(&a, &count), kind_of_head(head) == 'a');
        assert_int_equal(msgpack_read_uint(&u, &value), kind_of_head(head) == 'u');
    }
    (void)state;
}

/* Exactly len bytes on the heap, so that a sanitizer sees a read behind them. */
static void assert_refused_by_all(const uint8_t *bytes, size_t len)
{
    uint8_t *copy = malloc(len + 1);
    struct span body;
    uint32_t count;
    uint64_t value;
    assert_non_null(copy);
    memcpy(copy + 1, bytes, len);
    struct msgpack_reader s = reader(copy + 1, len), a = s, u = s;
    assert_false(msgpack_read_str(&s, &body));
    assert_false(msgpack_read_array(&a, &count));
    assert_false(msgpack_read_uint(&u, &value));
    free(copy);
}

static void what_is_cut_short_is_refused(void **state)
{
    static const struct {
        const char *bytes;
        size_t len;
    } whole[] = {{"\xa3"
                  "abc",
                  4},
                 {"\xd9\x03"
                  "abc",
                  5},
                 {"\xda\x00\x03"
                  "abc",
                  6},
                 {"\xdb\x00\x00\x00\x03"
                  "abc",
                  8},
                 {"\xdb\xff\xff\xff\xff"
                  "abc",
                  9}, // four gigabytes announced
                 {"\xdc\x00\x01", 3},
                 {"\xdd\x00\x00\x00\x01", 5},
                 {"\xcc\x01", 2},
                 {"\xcd\x00\x01", 3},
                 {"\xce\x00\x00\x00\x01", 5},
                 {"\xcf\0\0\0\0\0\0\0\1", 9},
                 {"\xd0\x01", 2},
                 {"\xd1\x00\x01", 3},
                 {"\xd2\x00\x00\x00\x01", 5},
                 {"\xd3\0\0\0\0\0\0\0\1", 9}};
    for (size_t i = 0; i < sizeof whole / sizeof *whole; i++)
        for (size_t len = 0; len < whole[i].len; len++)
            assert_refused_by_all((const uint8_t *)whole[i].bytes, len);
    (void)state;
}

static void strs_are_written_as_msgpack_c_writes_them(void **state)
{
    static const size_t lengths[] = {0, 1, 11, 31, 32, 33, 255, 256, 65535, 65536, 65537};
    uint64_t seed = 3;
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        const size_t len = lengths[i];
        uint8_t *body = malloc(len + 1), *out = malloc(MSGPACK_HEADER_MAX + len);
        msgpack_sbuffer want;
        msgpack_packer packer;
        assert_non_null(body);
        assert_non_null(out);
        fill_noise(&seed, body, len);
        msgpack_sbuffer_init(&want);
        msgpack_packer_init(&packer, &want, msgpack_sbuffer_write);
        msgpack_pack_str(&packer, len);
        msgpack_pack_str_body(&packer, body, len);
        assert_int_equal(msgpack_write_str(out, span_of(body, len)), want.size);
        assert_memory_equal(out, want.data, want.size);
        struct msgpack_reader r = reader(out, want.size);
        struct span got;
        assert_true(msgpack_read_str(&r, &got));
        assert_true(span_equal(got, span_of(body, len)));
        msgpack_sbuffer_destroy(&want);
        free(out);
        free(body);
    }
    (void)state;
}

static void arrays_and_fixints_are_written_as_msgpack_c_writes_them(void **state)
{
    static const uint32_t counts[] = {0, 1, 15, 16, 17, 255, 256, 65535, 65536, 262143, UINT32_MAX};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        uint8_t out[MSGPACK_HEADER_MAX];
        msgpack_sbuffer want;
        msgpack_packer packer;
        msgpack_sbuffer_init(&want);
        msgpack_packer_init(&packer, &want, msgpack_sbuffer_write);
        msgpack_pack_array(&packer, counts[i]);
        assert_int_equal(msgpack_write_array(out, counts[i]), want.size);
        assert_memory_equal(out, want.data, want.size);
        msgpack_sbuffer_clear(&want);
        const uint8_t small = (uint8_t)(counts[i] & 0x7f);
        msgpack_pack_uint8(&packer, small);
        assert_int_equal(msgpack_write_fixint(out, small), want.size);
        assert_memory_equal(out, want.data, want.size);
        msgpack_sbuffer_destroy(&want);
    }
    (void)state;
}

/* One object off the noise: what we say about it must be what msgpack-c says. */
static void assert_agrees_with_msgpack_c(const uint8_t *bytes, size_t len)
{
    msgpack_unpacked judge;
    size_t used = 0;
    msgpack_unpacked_init(&judge);
    const bool whole = msgpack_unpack_next(&judge, (const char *)bytes, len, &used) > 0;
    const msgpack_object *o = &judge.data;
    struct msgpack_reader s = reader(bytes, len), u = s;
    struct span body;
    uint64_t value;
    const bool is_str = whole && o->type == MSGPACK_OBJECT_STR;
    assert_int_equal(msgpack_read_str(&s, &body), is_str);
    if (is_str) {
        assert_true(span_equal(body, span_of(o->via.str.ptr, o->via.str.size)));
        assert_int_equal(s.pos - bytes, used);
    }
    const bool is_uint = whole && o->type == MSGPACK_OBJECT_POSITIVE_INTEGER;
    assert_int_equal(msgpack_read_uint(&u, &value), is_uint);
    if (is_uint) {
        assert_true(value == o->via.u64);
        assert_int_equal(u.pos - bytes, used);
    }
    msgpack_unpacked_destroy(&judge);
}

static void random_bytes_are_read_as_msgpack_c_reads_them(void **state)
{
    uint64_t seed = 4;
    for (int round = 0; round < 20000; round++) {
        uint8_t bytes[48];
        fill_noise(&seed, bytes, sizeof bytes);
        if (round % 2 == 0)
            bytes[0] = (uint8_t)(0xc0 + bytes[0] % 32); // where the interesting types live
        if (round % 3 == 0)
            memset(bytes + 1, 0, bytes[47] % 5); // small lengths in wide fields
        // Containers would need their elements; those heads are covered above.
        const char kind = kind_of_head(bytes[0]);
        if (kind == 's' || kind == 'u')
            assert_agrees_with_msgpack_c(bytes, noise(&seed) % (sizeof bytes + 1));
    }
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_encoding_of_a_str_is_read),
        cmocka_unit_test(every_encoding_of_an_array_is_read),
        cmocka_unit_test(every_encoding_of_a_number_from_zero_up_is_read),
        cmocka_unit_test(negative_numbers_are_refused),
        cmocka_unit_test(no_type_is_taken_for_another),
        cmocka_unit_test(what_is_cut_short_is_refused),
        cmocka_unit_test(strs_are_written_as_msgpack_c_writes_them),
        cmocka_unit_test(arrays_and_fixints_are_written_as_msgpack_c_writes_them),
        cmocka_unit_test(random_bytes_are_read_as_msgpack_c_reads_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
