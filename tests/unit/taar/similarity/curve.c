/* SPDX-License-Identifier: MPL-2.0 */
#include "taar/similarity/curve.h"

#include "taar/similarity/rng.h"
#include "vectors.h"

#include <math.h>

static double *numbers(json_t *list)
{
    double *out = calloc(json_array_size(list) + 1, sizeof *out);
    assert_non_null(out);
    for (size_t i = 0; i < json_array_size(list); i++)
        out[i] = json_number_value(json_array_get(list, i));
    return out;
}

static void densities_are_exact(void **state)
{
    (void)state;
    JSON *cases = vector("kde.json");
    size_t i, k;
    json_t *c, *x;
    assert_true(json_array_size(cases) > 0);
    json_array_foreach(cases, i, c)
    {
        json_t *sample = json_object_get(c, "sample");
        double *values = numbers(sample);
        json_array_foreach(json_object_get(c, "points"), k, x) assert_close(
            curve_density(values, json_array_size(sample),
                          json_number_value(json_object_get(c, "bandwidth")), json_number_value(x)),
            json_number_value(json_array_get(json_object_get(c, "density"), k)));
        free(values);
    }
}

static void assert_curve(const struct curve *curve, json_t *want)
{
    assert_int_equal(curve->n, json_array_size(want));
    for (size_t i = 0; i < curve->n; i++) {
        json_t *point = json_array_get(want, i), *densities = json_array_get(point, 1);
        assert_close(curve->points[i].x, json_number_value(json_array_get(point, 0)));
        assert_close(curve->points[i].same, json_number_value(json_array_get(densities, 0)));
        assert_close(curve->points[i].different, json_number_value(json_array_get(densities, 1)));
    }
}

static void curves_are_exact_and_survive_json(void **state)
{
    (void)state;
    JSON *vectors = vector("lr_curves.json");
    size_t i;
    json_t *c;
    json_array_foreach(json_object_get(vectors, "cases"), i, c)
    {
        json_t *same = json_object_get(c, "same_cluster_scores");
        json_t *different = json_object_get(c, "different_cluster_scores");
        const struct scores scores = {numbers(same), numbers(different), json_array_size(same),
                                      json_array_size(different)};
        const struct curve_config config = {
            json_number_value(json_object_get(c, "kernel_bandwidth")),
            (uint32_t)json_integer_value(json_object_get(c, "num_pdf_points"))};
        CLEANUP(curve_deinit) struct curve curve = {.n = 0};
        CLEANUP(buf_deinit) struct buf text = BUF_INIT(1 << 20);
        struct err err = {0};
        assert_done(curve_make(&curve, &config, &scores, &err), &err);
        assert_curve(&curve, json_object_get(c, "expected"));
        assert_done(curve_json(&text, &curve, &err), &err);
        JSON *read = json_loadb((const char *)text.data, text.len, 0, NULL);
        assert_non_null(read);
        assert_true(json_number_value(json_array_get(json_array_get(read, 1), 0)) ==
                    curve.points[1].x);
        free((void *)scores.same);
        free((void *)scores.different);
    }
}

/* Mean over the sample of the normal probability between two points. */
static double probability(const double *sample, size_t n, double bandwidth, double lo, double hi)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += erf((hi - sample[i]) / (bandwidth * M_SQRT2)) -
               erf((lo - sample[i]) / (bandwidth * M_SQRT2));
    return sum / 2 / (double)n;
}

static void densities_add_up_to_probabilities(void **state)
{
    enum { N = 500 };
    const double bandwidth = 0.35;
    static double same[N], different[N];
    struct rng rng = {1};
    CLEANUP(curve_deinit) struct curve curve = {.n = 0};
    struct err err = {0};
    double areas[2] = {0, 0};
    (void)state;
    for (size_t i = 0; i < N; i++) {
        same[i] = rng_unit(&rng) * rng_unit(&rng);
        different[i] = 5.001 * rng_unit(&rng);
    }
    assert_done(curve_make(&curve, &(struct curve_config){bandwidth, 1000},
                           &(struct scores){same, different, N, N}, &err),
                &err);
    for (size_t i = 1; i < curve.n; i++) {
        const struct curve_point *a = &curve.points[i - 1], *b = &curve.points[i];
        areas[0] += (b->x - a->x) * (a->same + b->same) / 2;
        areas[1] += (b->x - a->x) * (a->different + b->different) / 2;
    }
    const double lo = curve.points[0].x, hi = curve.points[curve.n - 1].x;
    assert_true(fabs(areas[0] - probability(same, N, bandwidth, lo, hi)) < 1e-3);
    assert_true(fabs(areas[1] - probability(different, N, bandwidth, lo, hi)) < 1e-3);
}

static void grids_are_as_numpy_has_them(void **state)
{
    (void)state;
    JSON *vectors = vector("lr_curves.json");
    size_t i;
    json_t *g;
    json_array_foreach(json_object_get(vectors, "grids"), i, g)
    {
        CLEANUP(curve_deinit) struct curve curve = {.n = 0};
        struct err err = {0};
        assert_done(curve_grid(&curve, json_number_value(json_object_get(g, "min")),
                               json_number_value(json_object_get(g, "max")),
                               (uint32_t)json_integer_value(json_object_get(g, "n")), &err),
                    &err);
        assert_int_equal(curve.n, json_integer_value(json_object_get(g, "count")));
        for (size_t k = 0; k < 3; k++)
            assert_true(curve.points[k].x ==
                        json_number_value(json_array_get(json_object_get(g, "first_three"), k)));
        assert_true(curve.points[curve.n - 1].x == json_number_value(json_object_get(g, "last")));
    }
}

static void without_two_samples_there_is_no_curve(void **state)
{
    static const double equal[] = {1, 1}, other[] = {0.5, 2};
    static const struct {
        struct scores scores;
        double bandwidth;
        const char *message;
    } cases[] = {
        {{equal, other, 0, 2}, 0.35, "no two donors are of one cluster"},
        {{equal, other, 2, 0}, 0.35, "no two donors are of different clusters"},
        {{equal, equal, 2, 2}, 0.35, "equally far apart"},
        {{equal, other, 2, 2}, 0.001, "use another --kernel_bandwidth"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(curve_deinit) struct curve curve = {.n = 0};
        struct err err = {0};
        assert_int_equal(curve_make(&curve, &(struct curve_config){cases[i].bandwidth, 100},
                                    &cases[i].scores, &err),
                         E_FORMAT);
        assert_non_null(strstr(err.text, cases[i].message));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(densities_are_exact),
        cmocka_unit_test(curves_are_exact_and_survive_json),
        cmocka_unit_test(densities_add_up_to_probabilities),
        cmocka_unit_test(grids_are_as_numpy_has_them),
        cmocka_unit_test(without_two_samples_there_is_no_curve),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
