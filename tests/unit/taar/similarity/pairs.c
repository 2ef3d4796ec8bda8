/* SPDX-License-Identifier: MPL-2.0 */
#include "taar/similarity/pairs.h"

#include "vectors.h"

enum { N = 300, CLUSTERS = 4, SEEDS = 30 };

/* Clusters of 150, 100, 49 and 1 donors, mixed. */
static void make_donors(struct donors *d, size_t size[CLUSTERS])
{
    static uint32_t client[N], cluster[N];
    memset(size, 0, CLUSTERS * sizeof *size);
    for (uint32_t i = 0; i < N; i++) {
        client[i] = 10 * i;
        cluster[i] = i == 17 ? 3 : i % 2 == 0 ? 0 : i % 3 == 0 ? 2 : 1;
        size[cluster[i]]++;
    }
    *d = (struct donors){.n = N, .client = client, .cluster = cluster};
}

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* In ascending order of clusters, and nobody twice in one pairing. @return pairs a cluster. */
static void check_pairs(const struct donors *d, const struct pair *pairs, size_t n, bool same,
                        size_t count[CLUSTERS])
{
    bool met[CLUSTERS][N] = {{false}};
    uint32_t last = 0;
    memset(count, 0, CLUSTERS * sizeof *count);
    for (size_t i = 0; i < n; i++) {
        const uint32_t k = d->cluster[pairs[i].a];
        assert_true(k >= last);
        assert_true((d->cluster[pairs[i].b] == k) == same);
        assert_false(met[k][pairs[i].a] || met[k][pairs[i].b]);
        met[k][pairs[i].a] = met[k][pairs[i].b] = true;
        count[k]++;
        last = k;
    }
}

static void donors_meet_as_they_should(void **state)
{
    (void)state;
    struct donors d;
    size_t size[CLUSTERS], count[CLUSTERS];
    double n_same = 0;
    make_donors(&d, size);
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        CLEANUP(pairs_deinit) struct pairs p = {.n_same = 0};
        struct err err = {0};
        assert_done(pairs_make(&p, &d, CLUSTERS, seed, &err), &err);
        check_pairs(&d, p.different, p.n_different, false, count);
        for (size_t k = 0; k < CLUSTERS; k++)
            assert_int_equal(count[k], smaller(size[k], N - size[k]));
        check_pairs(&d, p.same, p.n_same, true, count);
        for (size_t k = 0; k < CLUSTERS; k++)
            assert_true(count[k] <= size[k] / 2);
        n_same += (double)p.n_same;
    }
    // The smaller half of n throws is n/2 less sqrt(n / 2 pi) on average.
    assert_in_range(n_same / SEEDS, 132, 140);
}

static void halves_differ_by_seed(void **state)
{
    (void)state;
    struct donors d;
    size_t size[CLUSTERS];
    struct pairs a, b, c;
    struct err err = {0};
    make_donors(&d, size);
    assert_done(pairs_make(&a, &d, CLUSTERS, 1, &err), &err);
    assert_done(pairs_make(&b, &d, CLUSTERS, 1, &err), &err);
    assert_done(pairs_make(&c, &d, CLUSTERS, 2, &err), &err);
    assert_int_equal(a.n_same, b.n_same);
    assert_memory_equal(a.same, b.same, a.n_same * sizeof *a.same);
    assert_true(a.n_same != c.n_same || memcmp(a.same, c.same, a.n_same * sizeof *a.same) != 0);
    pairs_deinit(&a);
    pairs_deinit(&b);
    pairs_deinit(&c);
}

static void a_pair_has_one_of_each(void **state)
{
    (void)state;
    uint32_t client[] = {0, 1, 2, 3, 4, 5, 6, 7}, cluster[] = {0, 0, 0, 0, 1, 1, 1, 1};
    const struct donors d = {.n = 8, .client = client, .cluster = cluster};
    CLEANUP(pairs_deinit) struct pairs p = {.n_same = 0};
    struct err err = {0};
    assert_done(pairs_make(&p, &d, 2, 1, &err), &err);
    assert_int_equal(p.n_different, 8);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(p.different[i].a, i);
        assert_int_equal(p.different[i].b, 4 + i);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(donors_meet_as_they_should),
        cmocka_unit_test(halves_differ_by_seed),
        cmocka_unit_test(a_pair_has_one_of_each),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
