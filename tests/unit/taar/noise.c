/* SPDX-License-Identifier: MPL-2.0 */
/* The bounds are those of taar-etl.md 6; seeds are fixed, so that the outcome is, too. */
#include "taar/noise.h"

#include "../base/base_test.h"

#include <math.h>

enum { DRAWS = 100000, SEEDS = 5 };
static const double scales[] = {2.5, 1, 7.5, 0.01, 3e6};

static double draw(struct noise *n, double scale)
{
    struct err err = {0};
    double x = NAN;
    if (noise_draw(n, scale, &x, &err) < 0)
        fail_msg("%s", err.text);
    return x;
}

static struct noise *open_noise(const uint64_t *seed)
{
    struct err err = {0};
    struct noise *n = NULL;
    assert_int_equal(noise_open(&n, seed, &err), 0);
    return n;
}

static int by_size(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The largest distance between the shares of sorted |x| / scale and 1 - exp(-t). */
static double kolmogorov(const double *sorted)
{
    double most = 0;
    for (int i = 0; i < DRAWS; i++) {
        const double want = -expm1(-sorted[i]);
        most =
            fmax(most, fmax(fabs((double)(i + 1) / DRAWS - want), fabs((double)i / DRAWS - want)));
    }
    return most;
}

static void assert_laplace(uint64_t seed, double scale)
{
    CLEANUP(noise_closep) struct noise *n = open_noise(&seed);
    double *sizes = calloc(DRAWS, sizeof *sizes), sum = 0, sum_sizes = 0;
    assert_non_null(sizes);
    for (int i = 0; i < DRAWS; i++) {
        const double x = draw(n, scale) / scale;
        sum += x;
        sizes[i] = fabs(x);
        sum_sizes += sizes[i];
    }
    qsort(sizes, DRAWS, sizeof *sizes, by_size);
    assert_true(fabs(sum / DRAWS) < 4 * sqrt(2.0 / DRAWS));
    assert_true(fabs(sum_sizes / DRAWS - 1) < 4 / sqrt(DRAWS));
    assert_true(kolmogorov(sizes) < 1.63 / sqrt(DRAWS));
    free(sizes);
}

static void draws_have_the_laplace_distribution(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(scales); i++)
        assert_laplace(i, scales[i]);
    for (uint64_t seed = 100; seed < 100 + SEEDS; seed++)
        assert_laplace(seed, scales[0]);
}

static void unseeded_draws_have_it_too(void **state)
{
    (void)state;
    CLEANUP(noise_closep) struct noise *n = open_noise(NULL);
    double sum = 0, sum_sizes = 0;
    for (int i = 0; i < DRAWS; i++) {
        const double x = draw(n, 1);
        sum += x;
        sum_sizes += fabs(x);
    }
    // 8 and not 4 standard deviations: no seed holds the outcome still
    assert_true(fabs(sum / DRAWS) < 8 * sqrt(2.0 / DRAWS));
    assert_true(fabs(sum_sizes / DRAWS - 1) < 8 / sqrt(DRAWS));
}

static void neighbours_are_independent(void **state)
{
    (void)state;
    const uint64_t seed = 4;
    CLEANUP(noise_closep) struct noise *n = open_noise(&seed);
    double products = 0, before = draw(n, 1);
    for (int i = 0; i < DRAWS; i++) {
        const double x = draw(n, 1);
        products += before * x;
        before = x;
    }
    assert_true(fabs(products / DRAWS) < 4 * 2 / sqrt(DRAWS)); // the variance of a product is 4
}

/* Where the steps are large, they are seen: whole numbers, zero as often as one mass and not two.
 */
static void steps_are_those_of_the_discrete_distribution(void **state)
{
    (void)state;
    const uint64_t seed = 9;
    CLEANUP(noise_closep) struct noise *n = open_noise(&seed);
    for (int i = 0; i < 1000; i++) {
        const double huge = draw(n, NOISE_SCALE_MAX), fine = draw(n, 2.5);
        assert_true(huge == floor(huge)); // counts lie on the grid
        assert_true(ldexp(fine, 38) == floor(ldexp(fine, 38)));
    }
}

static void the_seed_tells(void **state)
{
    (void)state;
    const uint64_t seeds[] = {1, 2};
    CLEANUP(noise_closep) struct noise *one = open_noise(&seeds[0]);
    CLEANUP(noise_closep) struct noise *same = open_noise(&seeds[0]);
    CLEANUP(noise_closep) struct noise *other = open_noise(&seeds[1]);
    CLEANUP(noise_closep) struct noise *none = open_noise(NULL);
    CLEANUP(noise_closep) struct noise *never = open_noise(NULL);
    for (int i = 0; i < 1000; i++) {
        const double x = draw(one, 2.5), y = draw(none, 2.5);
        assert_true(x == draw(same, 2.5));
        assert_true(x != draw(other, 2.5));
        assert_true(x != y && y != draw(never, 2.5));
    }
}

static void scales_out_of_range_are_refused(void **state)
{
    (void)state;
    CLEANUP(noise_closep) struct noise *n = open_noise(NULL);
    const double bad[] = {0, -1, NAN, INFINITY, NOISE_SCALE_MAX * 2, NOISE_SCALE_MIN / 2};
    struct err err = {0};
    double x;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(noise_draw(n, bad[i], &x, &err), E_ARG);
    (void)draw(n, NOISE_SCALE_MIN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(draws_have_the_laplace_distribution),
        cmocka_unit_test(unseeded_draws_have_it_too),
        cmocka_unit_test(neighbours_are_independent),
        cmocka_unit_test(steps_are_those_of_the_discrete_distribution),
        cmocka_unit_test(the_seed_tells),
        cmocka_unit_test(scales_out_of_range_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
