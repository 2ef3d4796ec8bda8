/* SPDX-License-Identifier: MPL-2.0 */
/*
 * wire.c - arrays of elements in every accepted form, side by side: vectors are read in long runs
 * of the usual form, and each unusual element interrupts one.
 */
#include "prio/wire.h"

#include "base/cpu.h"
#include "vectors.h"

enum { MAX_N = 200, FORMS = 9, FORM_MAX = 5 + 40 };

/* An element in one of its forms. @return bytes written. */
static size_t put(uint8_t *out, struct fe x, unsigned form)
{
    uint8_t be[FIELD_BYTES];
    const size_t zeros = form >= 5 ? form * 4 : 0, len = zeros + FIELD_BYTES;
    uint8_t *p = out;
    fe_to_bytes(be, x);
    switch (form) {
    case 0: // as written
    case 1:
    case 2:
        return wire_write_element(out, x);
    case 3: // eleven bytes whatever the value
        *p++ = 0xa0 + FIELD_BYTES;
        break;
    case 4: // str16 though short
        memcpy(p, "\xda\x00\x0b", 3);
        p += 3;
        break;
    case 5: // more and more leading zeros: str8
        memcpy(p, "\xd9", 1);
        p[1] = (uint8_t)len;
        p += 2;
        break;
    case 6: // str16
        memcpy(p, "\xda\x00", 2);
        p[2] = (uint8_t)len;
        p += 3;
        break;
    default: // str32
        memcpy(p, "\xdb\x00\x00\x00", 4);
        p[4] = (uint8_t)len;
        p += 5;
        break;
    }
    memset(p, 0, zeros);
    memcpy(p + zeros, be, sizeof be);
    return (size_t)(p - out) + len;
}

/* Mostly eleven bytes, now and then less: zero, one byte, any length. */
static struct fe some_element(uint64_t *seed)
{
    struct fe x = noise_fe(seed);
    if (noise(seed) % 4 == 0)
        x = fe_reduce(fe_to_u128(x) >> (noise(seed) % 88));
    return x;
}

struct text {
    uint8_t bytes[5 + MAX_N * (FORM_MAX + WIRE_SLACK) + VEC_SLACK];
    size_t len, end_of[MAX_N];
    struct fe value[MAX_N];
};

static void make_text(struct text *t, size_t n, unsigned forms, uint64_t *seed)
{
    memset(t, 0, sizeof *t);
    t->len = msgpack_write_array(t->bytes, (uint32_t)n);
    for (size_t i = 0; i < n; i++) {
        t->value[i] = some_element(seed);
        t->len += put(t->bytes + t->len, t->value[i], (unsigned)(noise(seed) % forms));
        t->end_of[i] = t->len;
    }
    memset(t->bytes + t->len, 0xab, VEC_SLACK); // what lies behind looks like elements
}

static void every_form_is_read_in_every_place(void **state)
{
    const struct vec_ops *ops = *state;
    struct text *t = malloc(sizeof *t);
    struct fvec v = fvec_new(MAX_N);
    uint64_t seed = 10;
    for (int round = 0; round < 3000; round++) {
        const size_t n = noise(&seed) % (MAX_N + 1);
        make_text(t, n, 1 + (unsigned)round % FORMS, &seed);
        struct msgpack_reader r = {t->bytes, t->bytes + t->len};
        assert_true(wire_read_vector(&r, ops, v, n));
        assert_ptr_equal(r.pos, t->bytes + t->len);
        for (size_t i = 0; i < n; i++)
            assert_true(fe_equal(fvec_get(v, i), t->value[i]));
    }
    fvec_free(v, MAX_N);
    free(t);
}

static void vectors_that_end_early_are_refused(void **state)
{
    const struct vec_ops *ops = *state;
    struct text *t = malloc(sizeof *t);
    struct fvec v = fvec_new(MAX_N);
    uint64_t seed = 11;
    for (size_t n = 1; n < 40; n++) {
        make_text(t, n, n % 2 ? 1 : FORMS, &seed);
        for (size_t len = 0; len < t->len; len++) {
            struct msgpack_reader r = {t->bytes, t->bytes + len};
            assert_false(wire_read_vector(&r, ops, v, n));
        }
        struct msgpack_reader fewer = {t->bytes, t->bytes + t->len}, more = fewer;
        assert_false(wire_read_vector(&fewer, ops, v, n - 1));
        assert_false(wire_read_vector(&more, ops, v, n + 1));
    }
    fvec_free(v, MAX_N);
    free(t);
}

/* What section 2 rejects, in each place of a vector of usual elements. */
static void one_bad_element_spoils_a_vector(void **state)
{
    const struct vec_ops *ops = *state;
    static const char *const bad[] = {"ab8000000000000000080001",
                                      "abffffffffffffffffffffff",
                                      "a0",
                                      "d900",
                                      "da0000",
                                      "db00000000",
                                      "c0",
                                      "05",
                                      "c2",
                                      "c40105",
                                      "c5000105",
                                      "c60000000105",
                                      "9105",
                                      "8101",
                                      "ac010000000000000000000000",
                                      "d90c010000000000000000000000"};
    enum { N = 37 };
    struct fvec v = fvec_new(N);
    uint64_t seed = 12;
    for (size_t k = 0; k < ARRAY_LEN(bad); k++) {
        BYTES wrong = from_hex(bad[k]);
        for (size_t place = 0; place < N; place++) {
            uint8_t bytes[3 + N * 16 + WIRE_SLACK + VEC_SLACK] = {0};
            size_t len = msgpack_write_array(bytes, N);
            for (size_t i = 0; i < N; i++) {
                if (i == place) {
                    memcpy(bytes + len, wrong.ptr, wrong.len);
                    len += wrong.len;
                } else {
                    len += put(bytes + len, noise_fe(&seed), 3);
                }
            }
            struct msgpack_reader r = {bytes, bytes + len};
            assert_false(wire_read_vector(&r, ops, v, N));
        }
    }
    fvec_free(v, N);
}

static void written_elements_have_no_byte_too_many(void **state)
{
    (void)state;
    for (int bit = 0; bit <= 87; bit++)
        for (int less = 0; less < 2; less++) {
            const uint128 value = ((uint128)1 << bit) - (uint128)less;
            uint8_t out[WIRE_ELEMENT_MAX + WIRE_SLACK];
            const size_t len = wire_write_element(out, fe_from_u128(value));
            struct msgpack_reader r = {out, out + len};
            struct fe back;
            assert_int_equal(out[0], 0xa0 + (len - 1));
            assert_true(len == 2 || out[1] != 0);
            assert_true(wire_read_element(&r, &back));
            assert_ptr_equal(r.pos, r.end);
            assert_true(fe_to_u128(back) == value);
        }
}

static void vectors_are_written_with_the_shortest_header(void **state)
{
    (void)state;
    static const struct {
        size_t n;
        const char *header;
    } cases[] = {{0, "90"},
                 {1, "91"},
                 {15, "9f"},
                 {16, "dc0010"},
                 {65535, "dcffff"},
                 {65536, "dd00010000"},
                 {262143, "dd0003ffff"}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const size_t n = cases[i].n;
        struct fvec v = fvec_new(n);
        uint8_t *out = malloc(wire_vector_max(n));
        const size_t len = wire_write_vector(out, v, n), header = strlen(cases[i].header) / 2;
        assert_int_equal(len, header + 2 * n);
        assert_hex_equal(out, header, cases[i].header);
        free(out);
        fvec_free(v, n);
    }
}

int main(int argc, char **argv)
{
    struct vec_ops ops;
    unsigned mask;
    if (argc != 2 || cpu_parse_level(&mask, argv[1], NULL) < 0)
        return 2;
    vec_ops_init(&ops, cpu_detect() & mask);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(every_form_is_read_in_every_place, &ops),
        cmocka_unit_test_prestate(vectors_that_end_early_are_refused, &ops),
        cmocka_unit_test_prestate(one_bad_element_spoils_a_vector, &ops),
        cmocka_unit_test(written_elements_have_no_byte_too_many),
        cmocka_unit_test(vectors_are_written_with_the_shortest_header),
    };
    return cmocka_run_group_tests_name("prio/wire", tests, NULL, NULL);
}
