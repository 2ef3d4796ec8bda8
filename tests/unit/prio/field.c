/* SPDX-License-Identifier: MPL-2.0 */
/* field.c - one element at a time, against sums that are doubled and added by 128-bit integers. */
#include "prio/field.h"

#include "vectors.h"

static const uint128 P = ((uint128)1 << 87) + FIELD_P_LO;

static struct fe fe_of(uint128 v) // v < p
{
    return fe_from_u128(v);
}

/* a * b without a product of more than 128 bits. */
static uint128 slow_mul(uint128 a, uint128 b)
{
    uint128 r = 0;
    for (int bit = 87; bit >= 0; bit--) {
        r = 2 * r % P;
        if ((b >> bit) & 1)
            r = (r + a) % P;
    }
    return r;
}

enum { N_VALUES = 64 };

/* Edges of the limbs and of the modulus, then noise. */
static void fill_values(uint128 v[N_VALUES])
{
    const uint128 edges[] = {0,
                             1,
                             2,
                             P - 1,
                             P - 2,
                             P / 2,
                             P / 2 + 1,
                             FIELD_LO_MASK,
                             FIELD_LO_MASK + 1,
                             ((uint128)1 << 87) - 1,
                             (uint128)1 << 87,
                             ((uint128)1 << 86),
                             FIELD_P_LO,
                             FIELD_P_LO - 1,
                             P - FIELD_P_LO,
                             P - FIELD_LO_MASK,
                             ((uint128)(FIELD_P_HI - 1) << FIELD_LO_BITS) | FIELD_LO_MASK};
    uint64_t seed = 7;
    for (size_t i = 0; i < N_VALUES; i++)
        v[i] = i < ARRAY_LEN(edges) ? edges[i] : fe_to_u128(noise_fe(&seed));
}

static void sums_and_products_are_those_of_integers(void **state)
{
    (void)state;
    uint128 v[N_VALUES];
    fill_values(v);
    for (size_t i = 0; i < N_VALUES; i++)
        for (size_t k = 0; k < N_VALUES; k++) {
            const struct fe a = fe_of(v[i]), b = fe_of(v[k]);
            assert_fe_equal(fe_add(a, b), fe_of((v[i] + v[k]) % P));
            assert_fe_equal(fe_sub(a, b), fe_of((v[i] + P - v[k]) % P));
            assert_fe_equal(fe_mul(a, b), fe_of(slow_mul(v[i], v[k])));
        }
}

static void negatives_inverses_and_halves_undo(void **state)
{
    (void)state;
    uint128 v[N_VALUES];
    fill_values(v);
    assert_fe_equal(fe_inv(FE_ZERO), FE_ZERO);
    for (size_t i = 0; i < N_VALUES; i++) {
        const struct fe a = fe_of(v[i]), half = fe_mul(a, FE_HALF);
        assert_fe_equal(fe_add(a, fe_neg(a)), FE_ZERO);
        assert_fe_equal(fe_add(half, half), a);
        if (!fe_is_zero(a))
            assert_fe_equal(fe_mul(a, fe_inv(a)), FE_ONE);
    }
}

static void any_128_bits_reduce(void **state)
{
    (void)state;
    const uint128 edges[] = {0,
                             1,
                             P - 1,
                             P,
                             P + 1,
                             2 * P - 1,
                             2 * P,
                             2 * P + 1,
                             ~(uint128)0,
                             ~(uint128)0 - 1,
                             (uint128)1 << 127,
                             (uint128)1 << 87,
                             ((uint128)1 << 88) - 1};
    uint64_t seed = 8;
    for (size_t i = 0; i < ARRAY_LEN(edges); i++)
        assert_fe_equal(fe_reduce(edges[i]), fe_of(edges[i] % P));
    for (int i = 0; i < 20000; i++) {
        const uint128 x = (uint128)noise(&seed) << 64 | noise(&seed), v = x >> (i % 128);
        assert_fe_equal(fe_reduce(v), fe_of(v % P));
        assert_fe_equal(fe_reduce(v / P * P), FE_ZERO);
    }
}

static void bytes_are_big_endian_and_below_p(void **state)
{
    (void)state;
    static const char *const bad[] = {"8000000000000000080001", "8000000000000000080002",
                                      "8000000000000000090000", "8000000000000100000000",
                                      "8000000100000000000000", "8000001000000000000000",
                                      "8100000000000000000000", "ffffffffffffffffffffff"};
    static const char *const good[] = {"0000000000000000000000", "0000000000000000000001",
                                       "8000000000000000080000", "8000000000000000000000",
                                       "7fffffffffffffffffffff", "0102030405060708090a0b"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        BYTES be = from_hex(bad[i]);
        struct fe x;
        assert_false(fe_from_bytes(&x, be.ptr));
        assert_true(fe_is_zero(x));
    }
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        BYTES be = from_hex(good[i]);
        uint8_t back[FIELD_BYTES];
        struct fe x;
        uint128 want = 0;
        for (size_t k = 0; k < be.len; k++)
            want = want << 8 | be.ptr[k];
        assert_true(fe_from_bytes(&x, be.ptr));
        assert_true(fe_to_u128(x) == want);
        assert_true(x.lo <= FIELD_LO_MASK);
        fe_to_bytes(back, x);
        assert_memory_equal(back, be.ptr, sizeof back);
    }
}

static void roots_have_exactly_their_order(void **state)
{
    (void)state;
    assert_fe_equal(fe_root(1), FE_ONE);
    assert_fe_equal(fe_root(2), fe_neg(FE_ONE));
    for (uint32_t m = 2; m <= 1U << FIELD_TWO_ADICITY; m *= 2) {
        const struct fe w = fe_root(m);
        assert_fe_equal(fe_pow(w, m / 2), fe_neg(FE_ONE));
        assert_fe_equal(fe_mul(w, w), fe_root(m / 2));
    }
}

static void powers_are_repeated_products(void **state)
{
    (void)state;
    uint64_t seed = 9;
    const struct fe a = noise_fe(&seed);
    struct fe want = FE_ONE;
    for (unsigned e = 0; e < 300; e++) {
        assert_fe_equal(fe_pow(a, e), want);
        want = fe_mul(want, a);
    }
    assert_fe_equal(fe_pow(a, P - 1), FE_ONE);
    assert_fe_equal(fe_pow(a, P), a);
    assert_fe_equal(fe_mul(fe_pow(a, ~(uint128)0), a),
                    fe_mul(fe_pow(a, (uint128)1 << 127), fe_pow(a, (uint128)1 << 127)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums_and_products_are_those_of_integers),
        cmocka_unit_test(negatives_inverses_and_halves_undo),
        cmocka_unit_test(any_128_bits_reduce),
        cmocka_unit_test(bytes_are_big_endian_and_below_p),
        cmocka_unit_test(roots_have_exactly_their_order),
        cmocka_unit_test(powers_are_repeated_products),
    };
    return cmocka_run_group_tests_name("prio/field", tests, NULL, NULL);
}
