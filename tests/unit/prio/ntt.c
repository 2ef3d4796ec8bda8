/* SPDX-License-Identifier: MPL-2.0 */
/*
 * ntt.c - the transform against ntt.json, its definition, and the round trips of its parts.
 *
 * The library has no transform in natural order: its forward stages take bit-reversed input, its
 * inverse stages leave bit-reversed output. The tests permute, and so run the same tables and
 * kernels against the vectors.
 */
#include "prio/ntt.h"

#include "base/cpu.h"
#include "vectors.h"

struct run {
    struct vec_ops ops;
};

static size_t reversed(size_t k, size_t n)
{
    size_t r = 0;
    for (size_t bit = 1; bit < n; bit *= 2)
        r = 2 * r + ((k & bit) != 0);
    return r;
}

static void permute(struct fvec x, size_t n)
{
    for (size_t k = 0; k < n; k++) {
        const size_t r = reversed(k, n);
        if (r > k) {
            const struct fe t = fvec_get(x, k);
            fvec_set(x, k, fvec_get(x, r));
            fvec_set(x, r, t);
        }
    }
}

static void forward(const struct vec_ops *ops, struct fvec x, size_t n)
{
    struct ntt t;
    assert_int_equal(ntt_init(&t, ops, n), PRIO_OK);
    permute(x, n);
    for (size_t half = 1; half < n; half *= 2)
        ops->dit(x, n, half, fvec_at(t.forward, half));
    ntt_deinit(&t);
}

static void inverse(const struct vec_ops *ops, struct fvec x, size_t n)
{
    struct ntt t;
    assert_int_equal(ntt_init(&t, ops, n), PRIO_OK);
    for (size_t half = n / 2; half >= 1; half /= 2)
        ops->dif(x, n, half, fvec_at(t.inverse, half));
    ops->scale(x, x, fe_inv((struct fe){.lo = n}), n);
    permute(x, n);
    ntt_deinit(&t);
}

static struct fe horner(struct fvec coefficients, size_t n, struct fe r)
{
    struct fe sum = FE_ZERO;
    for (size_t k = n; k-- > 0;)
        sum = fe_add(fe_mul(sum, r), fvec_get(coefficients, k));
    return sum;
}

static void read_vector(struct fvec x, const json_t *array)
{
    size_t i;
    json_t *element;
    json_array_foreach(array, i, element) fvec_set(x, i, to_fe(json_string_value(element)));
}

static void assert_agrees(struct fvec got, const json_t *array)
{
    size_t i;
    json_t *element;
    json_array_foreach(array, i, element)
        assert_fe_equal(fvec_get(got, i), to_fe(json_string_value(element)));
}

static void transforms_agree_with_libprio(void **state)
{
    const struct run *run = *state;
    JSON *file = vectors_load("ntt.json");
    assert_fe_equal(fe_root(1U << FIELD_TWO_ADICITY), get_fe(file, "generator"));
    size_t i;
    json_t *v;
    json_array_foreach(get(file, "vectors"), i, v)
    {
        const size_t n = get_size(v, "size");
        struct fvec x = fvec_new(n);
        assert_non_null(x.lo);
        if (n >= 2) { // a packet has two points at least
            read_vector(x, get(v, "input"));
            forward(&run->ops, x, n);
            assert_agrees(x, get(v, "forward"));
        }
        read_vector(x, get(v, "input"));
        if (n >= 2) {
            inverse(&run->ops, x, n);
            assert_agrees(x, get(v, "inverse"));
        }
        const json_t *at = get(v, "interpolate_eval");
        assert_fe_equal(horner(x, n, get_fe(at, "r")), get_fe(at, "value"));
        if (has(v, "interpolate_eval_at_root")) {
            at = get(v, "interpolate_eval_at_root");
            assert_fe_equal(horner(x, n, get_fe(at, "r")), get_fe(at, "value"));
        }
        fvec_free(x, n);
    }
}

static void roots_agree_with_libprio(void **state)
{
    const struct run *run = *state;
    JSON *file = vectors_load("ntt.json");
    size_t i;
    json_t *v;
    json_array_foreach(get(file, "vectors"), i, v)
    {
        const size_t n = get_size(v, "size");
        struct fvec x = fvec_new(n);
        for (size_t count = 0; count <= n; count++) {
            roots_fill(x, &run->ops, (uint32_t)n, count);
            for (size_t k = 0; k < count; k++) {
                const struct fe want = to_fe(json_string_value(json_array_get(get(v, "roots"), k)));
                assert_fe_equal(fvec_get(x, k), want);
                assert_fe_equal(fe_mul(want, to_fe(json_string_value(
                                                 json_array_get(get(v, "inverse_roots"), k)))),
                                FE_ONE);
            }
        }
        fvec_free(x, n);
    }
}

/* By definition: the coefficients, then each odd root by Horner's rule. */
static void odd_points_are_values_of_the_interpolating_polynomial(void **state)
{
    const struct run *run = *state;
    uint64_t seed = 1;
    for (size_t n = 2; n <= 512; n *= 2) {
        struct ntt t;
        struct fvec x = fvec_new(n), coefficients = fvec_new(n);
        assert_int_equal(ntt_init(&t, &run->ops, n), PRIO_OK);
        for (size_t i = 0; i < n; i++) {
            fvec_set(x, i, noise_fe(&seed));
            fvec_set(coefficients, i, fvec_get(x, i));
        }
        inverse(&run->ops, coefficients, n);
        ntt_to_odd(&t, &run->ops, x);
        const struct fe w = fe_root((uint32_t)(2 * n)), step = fe_mul(w, w);
        struct fe at = w;
        for (size_t j = 0; j < n; j++) {
            assert_fe_equal(fvec_get(x, j), horner(coefficients, n, at));
            at = fe_mul(at, step);
        }
        fvec_free(x, n);
        fvec_free(coefficients, n);
        ntt_deinit(&t);
    }
}

/* At 2^18 the definition takes too long; linearity and a few points do not. */
static void the_largest_transform_holds_at_single_points(void **state)
{
    const struct run *run = *state;
    enum { N = 1 << 18 };
    uint64_t seed = 2;
    struct ntt t;
    struct fvec x = fvec_new(N), coefficients = fvec_new(N);
    assert_int_equal(ntt_init(&t, &run->ops, N), PRIO_OK);
    for (size_t i = 0; i < N; i++) {
        // Long runs of p - 1 are the worst that sums inside the stages can meet.
        fvec_set(x, i, i % 3 == 0 ? noise_fe(&seed) : fe_neg(FE_ONE));
        fvec_set(coefficients, i, fvec_get(x, i));
    }
    inverse(&run->ops, coefficients, N);
    ntt_to_odd(&t, &run->ops, x);
    const size_t points[] = {0, 1, 7, 8, N / 2 - 1, N / 2, N - 2, N - 1};
    const struct fe w = fe_root(2 * N);
    for (size_t i = 0; i < ARRAY_LEN(points); i++)
        assert_fe_equal(fvec_get(x, points[i]),
                        horner(coefficients, N, fe_pow(w, 2 * points[i] + 1)));
    fvec_free(x, N);
    fvec_free(coefficients, N);
    ntt_deinit(&t);
}

static int every_level(const char *text)
{
    struct run run;
    unsigned mask;
    char name[64];
    assert_int_equal(cpu_parse_level(&mask, text, NULL), 0);
    vec_ops_init(&run.ops, cpu_detect() & mask);
    (void)snprintf(name, sizeof name, "prio/ntt %s", text);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(transforms_agree_with_libprio, &run),
        cmocka_unit_test_prestate(roots_agree_with_libprio, &run),
        cmocka_unit_test_prestate(odd_points_are_values_of_the_interpolating_polynomial, &run),
        cmocka_unit_test_prestate(the_largest_transform_holds_at_single_points, &run),
    };
    return cmocka_run_group_tests_name(name, tests, NULL, NULL);
}

int main(int argc, char **argv)
{
    return argc == 2 ? every_level(argv[1]) : 2;
}
