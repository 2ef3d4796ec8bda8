/* SPDX-License-Identifier: MPL-2.0 */
#include "taar/similarity/donors.h"

#include "vectors.h"

#include <math.h>

enum { SEEDS = 400, CLUSTERS = 3, STANDARD_ERRORS = 4 };

struct sampling {
    size_t size[CLUSTERS];
    double kept, per_cluster[CLUSTERS];
    uint32_t *cluster_of;
    size_t n;
    uint64_t n_wanted;
};

static void read_sampling(struct sampling *s, json_t *vectors)
{
    json_t *sizes = json_object_get(vectors, "cluster_sizes");
    s->n = 0;
    s->cluster_of = NULL;
    s->n_wanted = (uint64_t)json_integer_value(json_object_get(vectors, "num_donors"));
    for (uint32_t k = 0; k < CLUSTERS; k++) {
        s->size[k] = (size_t)json_integer_value(json_array_get(sizes, k));
        s->cluster_of = realloc(s->cluster_of, (s->n + s->size[k]) * sizeof *s->cluster_of);
        assert_non_null(s->cluster_of);
        for (size_t i = 0; i < s->size[k]; i++)
            s->cluster_of[s->n++] = k;
    }
}

/* Nobody twice, each under its cluster. */
static void assert_donors(const struct donors *d, const struct sampling *s)
{
    for (size_t i = 0; i < d->n; i++) {
        assert_true(d->client[i] < s->n);
        assert_true(i == 0 || d->client[i] > d->client[i - 1]);
        assert_int_equal(d->cluster[i], s->cluster_of[d->client[i]]);
    }
}

static void assert_mean(double sum, double want, double sd)
{
    if (fabs(sum / SEEDS - want) > STANDARD_ERRORS * sd / sqrt(SEEDS))
        fail_msg("a mean of %g is not %g", sum / SEEDS, want);
}

static double at(json_t *vectors, const char *name, size_t k)
{
    return json_number_value(json_array_get(json_object_get(vectors, name), k));
}

/* All that the first stage keeps, then a part of it. */
static void stages_keep_what_they_should(void **state)
{
    (void)state;
    JSON *vectors = vector("sampling.json");
    struct sampling s;
    double first[CLUSTERS] = {0}, last[CLUSTERS] = {0}, kept = 0, total = 0;
    read_sampling(&s, vectors);
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct donors d[2] = {{0}, {0}};
        struct err err = {0};
        assert_done(donors_sample(&d[0], s.cluster_of, s.n, CLUSTERS, s.n, seed, &err), &err);
        assert_done(donors_sample(&d[1], s.cluster_of, s.n, CLUSTERS, s.n_wanted, seed, &err),
                    &err);
        assert_int_equal(d[0].n, d[0].n_kept); // never more likely than sure
        assert_int_equal(d[0].n_kept, d[1].n_kept);
        for (int stage = 0; stage < 2; stage++) {
            assert_donors(&d[stage], &s);
            for (size_t i = 0; i < d[stage].n; i++)
                (stage == 0 ? first : last)[d[stage].cluster[i]]++;
        }
        kept += (double)d[0].n;
        total += (double)d[1].n;
        donors_deinit(&d[0]);
        donors_deinit(&d[1]);
    }
    for (size_t k = 0; k < CLUSTERS; k++) {
        const double share = at(vectors, "stage1_probability", k);
        assert_mean(first[k], at(vectors, "stage1_expected", k), at(vectors, "stage1_sd", k));
        // A count of rare events varies about as much as it is.
        assert_mean(last[k], at(vectors, "final_expected_per_cluster", k),
                    sqrt(share * at(vectors, "stage1_expected", k)));
    }
    assert_mean(kept, json_number_value(json_object_get(vectors, "stage1_expected_total")), 15);
    assert_mean(total, json_number_value(json_object_get(vectors, "final_expected_total")),
                json_number_value(json_object_get(vectors, "final_sd_total_about")));
    free(s.cluster_of);
}

static void equal_seeds_give_equal_donors(void **state)
{
    (void)state;
    JSON *vectors = vector("sampling.json");
    struct sampling s;
    struct donors a, b, c;
    struct err err = {0};
    read_sampling(&s, vectors);
    assert_done(donors_sample(&a, s.cluster_of, s.n, CLUSTERS, 100, 7, &err), &err);
    assert_done(donors_sample(&b, s.cluster_of, s.n, CLUSTERS, 100, 7, &err), &err);
    assert_done(donors_sample(&c, s.cluster_of, s.n, CLUSTERS, 100, 8, &err), &err);
    assert_int_equal(a.n, b.n);
    assert_memory_equal(a.client, b.client, a.n * sizeof *a.client);
    assert_true(a.n != c.n || memcmp(a.client, c.client, a.n * sizeof *a.client) != 0);
    donors_deinit(&a);
    donors_deinit(&b);
    donors_deinit(&c);
    free(s.cluster_of);
}

/* Of 1000 clusters of one, about 1 in 1000 clients is kept: some seed keeps none. */
static void nobody_left_is_an_error(void **state)
{
    (void)state;
    enum { N = 1000 };
    uint32_t cluster_of[N];
    int n_errors = 0;
    for (uint32_t i = 0; i < N; i++)
        cluster_of[i] = i;
    for (uint64_t seed = 0; seed < 50; seed++) {
        CLEANUP(donors_deinit) struct donors d = {.n = 0};
        struct err err = {0};
        const int r = donors_sample(&d, cluster_of, N, N, 100, seed, &err);
        assert_true(r == 0 || r == E_FORMAT);
        assert_true((r == 0) == (d.n > 0));
        n_errors += r < 0;
    }
    assert_in_range(n_errors, 5, 35);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stages_keep_what_they_should),
        cmocka_unit_test(equal_seeds_give_equal_donors),
        cmocka_unit_test(nobody_left_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
