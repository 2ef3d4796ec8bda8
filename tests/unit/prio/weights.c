/* SPDX-License-Identifier: MPL-2.0 */
/*
 * weights.c - the weights of an evaluation point against Lagrange's formula taken at its word:
 * L_i(r) is the product over j != i of (r - x_j) / (x_i - x_j).
 */
#include "prio/weights.h"

#include "base/cpu.h"
#include "vectors.h"

struct run {
    struct vec_ops ops;
};

struct setting {
    struct roots roots;
    struct weights w;
    struct inverter scratch;
};

static size_t points_for(size_t n)
{
    size_t points = 2;
    while (points < n + 1)
        points *= 2;
    return points;
}

static void setting_init(struct setting *s, const struct run *run, size_t n)
{
    assert_int_equal(roots_init(&s->roots, &run->ops, n, points_for(n)), PRIO_OK);
    assert_int_equal(weights_init(&s->w, &s->roots), PRIO_OK);
    assert_int_equal(inverter_init(&s->scratch), PRIO_OK);
}

static void setting_deinit(struct setting *s)
{
    weights_deinit(&s->w, &s->roots);
    roots_deinit(&s->roots);
    inverter_deinit(&s->scratch);
}

/* The i-th basis polynomial on the m-th roots, at r. */
static struct fe lagrange(size_t m, size_t i, struct fe r)
{
    const struct fe w = fe_root((uint32_t)m), at_i = fe_pow(w, i);
    struct fe above = FE_ONE, below = FE_ONE, at = FE_ONE;
    for (size_t j = 0; j < m; j++) {
        if (j != i) {
            above = fe_mul(above, fe_sub(r, at));
            below = fe_mul(below, fe_sub(at_i, at));
        }
        at = fe_mul(at, w);
    }
    return fe_mul(above, fe_inv(below));
}

static void all_weights_hold(struct setting *s, const struct run *run, struct fe r)
{
    const size_t n = s->roots.n, n_points = s->roots.n_points;
    weights_compute(&s->w, &s->roots, &run->ops, &s->scratch, r);
    assert_fe_equal(s->w.l0, lagrange(n_points, 0, r));
    assert_fe_equal(s->w.m0, lagrange(2 * n_points, 0, r));
    struct fe sum = FE_ZERO;
    for (size_t i = 1; i <= n; i++) {
        const struct fe want = lagrange(n_points, i, r);
        assert_fe_equal(fvec_get(s->w.w, i - 1), want);
        sum = fe_add(sum, want);
    }
    assert_fe_equal(s->w.sum, sum);
    for (size_t j = 0; j < n_points; j++)
        assert_fe_equal(fvec_get(s->w.w, n + j), lagrange(2 * n_points, 2 * j + 1, r));
}

static void weights_are_lagranges_at_random_points(void **state)
{
    const struct run *run = *state;
    static const size_t sizes[] = {1, 2, 3, 4, 6, 7, 8, 10, 31, 33, 63};
    uint64_t seed = 4;
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        struct setting s;
        setting_init(&s, run, sizes[i]);
        for (int k = 0; k < 4; k++)
            all_weights_hold(&s, run, noise_fe(&seed));
        // What the point can be next to: the bounds of [n + 2, p) and small numbers.
        all_weights_hold(&s, run, (struct fe){.lo = sizes[i] + 2});
        all_weights_hold(&s, run, fe_neg((struct fe){.lo = 2}));
        all_weights_hold(&s, run, FE_ZERO);
        setting_deinit(&s);
    }
}

/* The N-th roots, where f and g are given, and the odd 2N-th ones, where h is. */
static void weights_are_lagranges_at_roots_of_unity(void **state)
{
    const struct run *run = *state;
    static const size_t sizes[] = {1, 2, 3, 6, 7, 8, 10, 15};
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        struct setting s;
        setting_init(&s, run, sizes[i]);
        const size_t m = 2 * s.roots.n_points;
        struct fe r = FE_ONE;
        for (size_t k = 0; k < 2 * m; k++) { // 4N-th roots: the other half must be ordinary
            all_weights_hold(&s, run, r);
            r = fe_mul(r, fe_root((uint32_t)(2 * m)));
        }
        setting_deinit(&s);
    }
}

/* Beyond one block of the batch inversion: the formula at single indices. */
static void weights_hold_across_blocks(void **state)
{
    const struct run *run = *state;
    enum { BLOCK = WEIGHTS_BLOCK };
    static const size_t sizes[] = {BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK, 2 * BLOCK + 5};
    static const size_t indices[] = {1,         2,         BLOCK - 1,     BLOCK,
                                     BLOCK + 1, 2 * BLOCK, 2 * BLOCK + 1, 2 * BLOCK + 5};
    uint64_t seed = 5;
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        struct setting s;
        const size_t n = sizes[i];
        const struct fe r = noise_fe(&seed);
        setting_init(&s, run, n);
        const size_t n_points = s.roots.n_points;
        weights_compute(&s.w, &s.roots, &run->ops, &s.scratch, r);
        for (size_t k = 0; k < ARRAY_LEN(indices); k++) {
            if (indices[k] <= n)
                assert_fe_equal(fvec_get(s.w.w, indices[k] - 1), lagrange(n_points, indices[k], r));
            if (indices[k] <= n_points)
                assert_fe_equal(fvec_get(s.w.w, n + indices[k] - 1),
                                lagrange(2 * n_points, 2 * indices[k] - 1, r));
        }
        assert_fe_equal(fvec_get(s.w.w, n + n_points - 1),
                        lagrange(2 * n_points, 2 * n_points - 1, r));
        setting_deinit(&s);
    }
}

/* All weights on the N-th roots add up to 1, and with x_i^k as values they give r^k. */
static void weights_reproduce_polynomials(void **state)
{
    const struct run *run = *state;
    static const size_t sizes[] = {1, 3, 2047, 16383};
    uint64_t seed = 6;
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        struct setting s;
        const size_t n = sizes[i]; // n + 1 is N: no weight is left out
        const struct fe r = noise_fe(&seed);
        setting_init(&s, run, n);
        weights_compute(&s.w, &s.roots, &run->ops, &s.scratch, r);
        assert_fe_equal(fe_add(s.w.l0, s.w.sum), FE_ONE);
        const struct fe dot = run->ops.dot(s.w.w, s.roots.at, n); // the polynomial x
        assert_fe_equal(fe_add(s.w.l0, dot), r);
        setting_deinit(&s);
    }
}

int main(int argc, char **argv)
{
    struct run run;
    unsigned mask;
    if (argc != 2 || cpu_parse_level(&mask, argv[1], NULL) < 0)
        return 2;
    vec_ops_init(&run.ops, cpu_detect() & mask);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(weights_are_lagranges_at_random_points, &run),
        cmocka_unit_test_prestate(weights_are_lagranges_at_roots_of_unity, &run),
        cmocka_unit_test_prestate(weights_hold_across_blocks, &run),
        cmocka_unit_test_prestate(weights_reproduce_polynomials, &run),
    };
    return cmocka_run_group_tests_name("prio/weights", tests, NULL, NULL);
}
