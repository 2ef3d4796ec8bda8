/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The plain C versions, by which all others are judged, against arithmetic that is too simple to be
 * wrong: doubling and adding in 128 bits, and bytes compared as bytes.
 */
#include "base/compiler.h"
#include "unit/prio/kernels/kernel_run.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_N = 40 };

static uint128 prime(void)
{
    return ((uint128)1 << 87) + (1 << 19) + 1;
}

static uint128 naive_add(uint128 a, uint128 b)
{
    return (a + b) % prime();
}

static uint128 naive_sub(uint128 a, uint128 b)
{
    return (a + prime() - b) % prime();
}

static uint128 naive_mul(uint128 a, uint128 b) // b < 2^88
{
    uint128 r = 0;
    for (int bit = 87; bit >= 0; bit--) {
        r = naive_add(r, r);
        if (b >> bit & 1)
            r = naive_add(r, a);
    }
    return r;
}

static uint128 value(struct fvec v, size_t i)
{
    return ((uint128)v.hi[i] << 52) + v.lo[i];
}

static void assert_value(struct kernel_run *run, const char *what, struct fe got, uint128 want)
{
    const struct fe w = {(uint64_t)want & FIELD_LO_MASK, (uint64_t)(want >> 52)};
    assert_element_equal(run, what, 0, got, w);
}

static void elementwise_kernels_are_arithmetic_modulo_p(void **state)
{
    struct kernel_run *run = kernel_run_start(state);
    enum { MANY = 2000 };
    const struct fvec a = run_vector(run, 0, 0), b = run_vector(run, 1, 0);
    const struct fvec r = run_vector(run, 2, 0);
    fill_elements(run, a, MANY);
    fill_elements(run, b, MANY);
    const struct fe s = random_element(run);
    run->ref.mul(r, a, b, MANY);
    for (size_t i = 0; i < MANY; i++)
        assert_value(run, "mul", fvec_get(r, i), naive_mul(value(a, i), value(b, i)));
    run->ref.scale(r, a, s, MANY);
    for (size_t i = 0; i < MANY; i++)
        assert_value(run, "scale", fvec_get(r, i), naive_mul(value(a, i), fe_to_u128(s)));
    run->ref.add(r, a, b, MANY);
    for (size_t i = 0; i < MANY; i++)
        assert_value(run, "add", fvec_get(r, i), naive_add(value(a, i), value(b, i)));
    run->ref.sub(r, a, b, MANY);
    for (size_t i = 0; i < MANY; i++)
        assert_value(run, "sub", fvec_get(r, i), naive_sub(value(a, i), value(b, i)));
}

static void dot_is_a_sum_of_products(void **state)
{
    struct kernel_run *run = kernel_run_start(state);
    const struct fvec a = run_vector(run, 0, 0), b = run_vector(run, 1, 0);
    for (size_t n = 0; n <= MAX_N; n++) {
        fill_limbs(run, a, n);
        fill_limbs(run, b, n);
        uint128 want = 0;
        for (size_t i = 0; i < n; i++)
            want = naive_add(want, naive_mul(value(a, i) % prime(), value(b, i)));
        assert_value(run, "dot", run->ref.dot(a, b, n), want);
    }
}

/* n times the square of the largest operand. */
static void dot_of_all_ones_is_exact_at_every_size(void **state)
{
    struct kernel_run *run = kernel_run_start(state);
    const struct fvec a = run_vector(run, 0, 0);
    const struct fe ones = {FIELD_LO_MASK, (UINT64_C(1) << 36) - 1};
    for (size_t i = 0; i < RUN_MAX; i++)
        fvec_set(a, i, ones);
    const uint128 square = naive_mul(fe_to_u128(ones) % prime(), fe_to_u128(ones));
    for (size_t n = 1; n <= RUN_MAX; n *= 2)
        assert_value(run, "dot", run->ref.dot(a, a, n), naive_mul(square, n));
}

static void stages_are_butterflies(void **state)
{
    struct kernel_run *run = kernel_run_start(state);
    for (size_t half = 1; half <= 16; half *= 2) {
        const size_t n = 6 * half;
        const struct fvec x = run_vector(run, 0, 0), w = run_vector(run, 1, 0);
        const struct fvec f = run_vector(run, 2, 0), t = run_vector(run, 3, 0);
        fill_elements(run, x, n);
        fill_elements(run, w, half);
        for (size_t i = 0; i < n; i++) {
            fvec_set(f, i, fvec_get(x, i));
            fvec_set(t, i, fvec_get(x, i));
        }
        run->ref.dif(f, n, half, w);
        run->ref.dit(t, n, half, w);
        for (size_t i = 0; i < n; i++) {
            if (i / half % 2 == 1)
                continue;
            const uint128 u = value(x, i), v = value(x, i + half), k = value(w, i % half);
            assert_value(run, "dif", fvec_get(f, i), naive_add(u, v));
            assert_value(run, "dif", fvec_get(f, i + half), naive_mul(naive_sub(u, v), k));
            assert_value(run, "dit", fvec_get(t, i), naive_add(u, naive_mul(v, k)));
            assert_value(run, "dit", fvec_get(t, i + half), naive_sub(u, naive_mul(v, k)));
        }
    }
}

/* With powers of an 8th root as twiddles and c = 1/8, forward undoes inverse. */
static void middle_with_true_roots_is_the_identity(void **state)
{
    struct kernel_run *run = kernel_run_start(state);
    enum { N = 64 };
    const struct fvec wi = run_vector(run, 0, 0), wf = run_vector(run, 1, 0);
    const struct fvec c = run_vector(run, 2, 0), x = run_vector(run, 3, 0);
    const struct fvec want = run_vector(run, 4, 0);
    for (uint32_t half = 1; half < 8; half *= 2) {
        for (uint32_t j = 0; j < half; j++) {
            fvec_set(wf, half + j, fe_pow(fe_root(2 * half), j));
            fvec_set(wi, half + j, fe_inv(fvec_get(wf, half + j)));
        }
    }
    fill_elements(run, want, N);
    for (size_t i = 0; i < N; i++) {
        fvec_set(c, i, fe_inv((struct fe){8, 0}));
        fvec_set(x, i, fvec_get(want, i));
    }
    run->ref.middle(x, c, N, wi, wf);
    assert_elements_equal(run, "middle", x, want, N);
}

/* The specification's own words: s11 s1 .. s10 big-endian, rejected unless below p. */
static void sample_follows_the_specification(void **state)
{
    struct kernel_run *run = kernel_run_start(state);
    static const uint8_t p[FIELD_BYTES] = {0x80, 0, 0, 0, 0, 0, 0, 0, 8, 0, 1};
    static const uint8_t near[] = {0, 1, 2, 7, 8, 9, 0x7f, 0x80, 0x81, 0xff};
    enum { ATTEMPTS = 4000 };
    static uint8_t stream[12 * ATTEMPTS];
    for (size_t k = 0; k < sizeof stream; k++)
        stream[k] = (uint8_t)run_random(run);
    for (size_t k = 0; k < ATTEMPTS; k += 2) { // every other one differs from p in few bytes
        uint8_t *s = stream + 12 * k;
        memcpy(s + 1, p + 1, 10);
        s[11] = p[0];
        for (uint64_t changes = run_random(run) % 3; changes > 0; changes--)
            s[1 + run_random(run) % 11] = near[run_random(run) % ARRAY_LEN(near)];
    }
    const struct fvec out = run_vector(run, 0, 0);
    const size_t stored = run->ref.sample(out, ATTEMPTS, stream, ATTEMPTS);
    size_t n = 0;
    for (size_t k = 0; k < ATTEMPTS; k++) {
        uint8_t want[FIELD_BYTES], got[FIELD_BYTES];
        want[0] = stream[12 * k + 11];
        memcpy(want + 1, stream + 12 * k + 1, 10);
        if (memcmp(want, p, sizeof p) >= 0)
            continue;
        assert_true(n < stored);
        fe_to_bytes(got, fvec_get(out, n++));
        assert_memory_equal(got, want, sizeof want);
    }
    assert_int_equal(stored, n);
}

static void sample_stops_when_it_has_enough(void **state)
{
    struct kernel_run *run = kernel_run_start(state);
    const uint8_t stream[12 * 8] = {0};
    assert_int_equal(run->ref.sample(run_vector(run, 0, 0), 3, stream, 8), 3);
    assert_int_equal(run->ref.sample(run_vector(run, 0, 0), 0, stream, 8), 0);
    assert_int_equal(run->ref.sample(run_vector(run, 0, 0), 9, stream, 8), 8);
}

static void decode_takes_the_usual_form_only(void **state)
{
    struct kernel_run *run = kernel_run_start(state);
    enum { N = 3 };
    uint8_t in[12 * N];
    const struct fvec want = run_vector(run, 0, 0), got = run_vector(run, 1, 0);
    fill_elements(run, want, N);
    for (size_t i = 0; i < N; i++) {
        in[12 * i] = 0xab;
        fe_to_bytes(in + 12 * i + 1, fvec_get(want, i));
    }
    assert_int_equal(run->ref.decode(got, 9, in, in + sizeof in), N);
    assert_elements_equal(run, "decode", got, want, N);
    assert_int_equal(run->ref.decode(got, 2, in, in + sizeof in), 2);
    assert_int_equal(run->ref.decode(got, 9, in, in + sizeof in - 1), N - 1);
    assert_int_equal(run->ref.decode(got, 9, in, in), 0);

    in[12] = 0xaa;
    assert_int_equal(run->ref.decode(got, 9, in, in + sizeof in), 1);
    in[12] = 0xab;
    memset(in + 13, 0xff, FIELD_BYTES);
    assert_int_equal(run->ref.decode(got, 9, in, in + sizeof in), 1);
}

static const struct CMUnitTest promises[] = {
    cmocka_unit_test(elementwise_kernels_are_arithmetic_modulo_p),
    cmocka_unit_test(dot_is_a_sum_of_products),
    cmocka_unit_test(dot_of_all_ones_is_exact_at_every_size),
    cmocka_unit_test(stages_are_butterflies),
    cmocka_unit_test(middle_with_true_roots_is_the_identity),
    cmocka_unit_test(sample_follows_the_specification),
    cmocka_unit_test(sample_stops_when_it_has_enough),
    cmocka_unit_test(decode_takes_the_usual_form_only),
};

int main(void)
{
    return kernel_runs_plain("prio/kernels/plain", promises, ARRAY_LEN(promises));
}
