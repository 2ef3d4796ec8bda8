/* SPDX-License-Identifier: MPL-2.0 */
#include "taar/similarity/bisect.h"

#include "vectors.h"

#include <stdio.h>

enum { SEEDS = 40, POINTS_MAX = 64, MANY = 40000 };

struct clustering {
    struct features f;
    uint32_t *cluster_of, n_clusters;
};

static void clustering_deinit(struct clustering *k)
{
    features_deinit(&k->f);
    free(k->cluster_of);
}

static void cluster(struct clustering *k, const struct clients *c, uint32_t n_clusters,
                    uint64_t seed, unsigned n_workers)
{
    struct err err = {0};
    const struct bisect_config config = {n_clusters, seed, n_workers};
    *k = (struct clustering){.n_clusters = 0};
    assert_done(features_build(&k->f, c, &err), &err);
    k->cluster_of = calloc(k->f.n + 1, sizeof *k->cluster_of);
    assert_non_null(k->cluster_of);
    assert_done(bisect(&k->f, &config, k->cluster_of, &k->n_clusters, &err), &err);
}

/* want: lists of points. */
static void assert_partition(const struct clustering *k, json_t *want)
{
    bool seen[POINTS_MAX] = {false};
    assert_int_equal(k->n_clusters, json_array_size(want));
    for (size_t i = 0; i < json_array_size(want); i++) {
        json_t *group = json_array_get(want, i);
        const uint32_t number = k->cluster_of[json_integer_value(json_array_get(group, 0))];
        assert_true(number < k->n_clusters && !seen[number]);
        seen[number] = true;
        for (size_t j = 0; j < json_array_size(group); j++)
            assert_int_equal(k->cluster_of[json_integer_value(json_array_get(group, j))], number);
    }
}

static void separable_groups_are_found_with_any_seed(void **state)
{
    (void)state;
    JSON *vectors = vector("clusters.json");
    size_t i;
    json_t *c;
    assert_true(json_array_size(json_object_get(vectors, "cases")) > 0);
    json_array_foreach(json_object_get(vectors, "cases"), i, c)
    {
        CLIENTS clients;
        clients_init(&clients);
        add_documents(&clients, json_object_get(c, "documents"));
        for (uint64_t seed = 0; seed < SEEDS; seed++) {
            CLEANUP(clustering_deinit) struct clustering k;
            cluster(&k, &clients, (uint32_t)json_integer_value(json_object_get(c, "k")), seed, 2);
            assert_int_equal(k.n_clusters,
                             json_integer_value(json_object_get(c, "expected_clusters")));
            assert_partition(&k, json_object_get(c, "expected_partition"));
        }
    }
}

static double purity(const struct clustering *k, json_t *groups)
{
    size_t count[POINTS_MAX][POINTS_MAX] = {{0}}, pure = 0;
    for (size_t i = 0; i < k->f.n; i++)
        count[k->cluster_of[i]][json_integer_value(json_array_get(groups, i))]++;
    for (size_t i = 0; i < POINTS_MAX; i++) {
        size_t most = 0;
        for (size_t g = 0; g < POINTS_MAX; g++)
            most = count[i][g] > most ? count[i][g] : most;
        pure += most;
    }
    return (double)pure / (double)k->f.n;
}

static void overlapping_groups_are_mostly_found(void **state)
{
    (void)state;
    const double accepted = 0.93;
    JSON *vectors = vector("clusters.json");
    json_t *c = json_object_get(vectors, "statistical");
    double sum = 0;
    CLIENTS clients;
    clients_init(&clients);
    add_documents(&clients, json_object_get(c, "documents"));
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        CLEANUP(clustering_deinit) struct clustering k;
        cluster(&k, &clients, (uint32_t)json_integer_value(json_object_get(c, "k")), seed, 1);
        sum += purity(&k, json_object_get(c, "true_group"));
    }
    print_message("# mean purity %g\n", sum / SEEDS);
    assert_true(sum / SEEDS >= accepted);
}

/* Each client has some of 60 add-ons, popular ones more often. */
static void add_many(struct clients *c)
{
    uint64_t x = 1;
    for (size_t i = 0; i < MANY; i++) {
        char id[16];
        JSON *list = json_array();
        for (size_t k = 0; k < 3 + i % 5; k++) {
            char name[16];
            x = x * 6364136223846793005U + 1442695040888963407U;
            (void)snprintf(name, sizeof name, "%u", (unsigned)((x >> 33) % 60 * (x >> 50) >> 14));
            assert_int_equal(json_array_append_new(list, json_string(name)), 0);
        }
        JSON *object = json_pack("{sO}", "active_addons", list);
        (void)snprintf(id, sizeof id, "%08zu", i);
        add_client(c, object, id);
    }
}

static void workers_do_not_show(void **state)
{
    (void)state;
    CLIENTS clients;
    CLEANUP(clustering_deinit) struct clustering one, eight, other;
    clients_init(&clients);
    add_many(&clients);
    cluster(&one, &clients, 20, 5, 1);
    cluster(&eight, &clients, 20, 5, 8);
    cluster(&other, &clients, 20, 6, 8);
    assert_int_equal(one.n_clusters, 20);
    assert_int_equal(eight.n_clusters, 20);
    assert_memory_equal(one.cluster_of, eight.cluster_of, MANY * sizeof *one.cluster_of);
    assert_true(memcmp(one.cluster_of, other.cluster_of, MANY * sizeof *one.cluster_of) != 0);
}

static void one_cluster_and_no_points_are_fine(void **state)
{
    (void)state;
    JSON *vectors = vector("clusters.json");
    CLIENTS clients;
    CLEANUP(clustering_deinit) struct clustering none, one;
    clients_init(&clients);
    cluster(&none, &clients, 3, 1, 2);
    assert_int_equal(none.n_clusters, 0);
    add_documents(&clients, json_object_get(json_object_get(vectors, "statistical"), "documents"));
    cluster(&one, &clients, 1, 1, 2);
    assert_int_equal(one.n_clusters, 1);
}

/* Every cluster can be divided until its members are alike. */
static void more_clusters_than_points_end_in_single_points(void **state)
{
    (void)state;
    JSON *documents = json_pack("[[ss][ss][ss][s]]", "a", "b", "b", "c", "c", "d", "e");
    CLIENTS clients;
    clients_init(&clients);
    add_documents(&clients, documents);
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        CLEANUP(clustering_deinit) struct clustering k;
        cluster(&k, &clients, 1000, seed, 1);
        assert_int_equal(k.n_clusters, 4);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(separable_groups_are_found_with_any_seed),
        cmocka_unit_test(overlapping_groups_are_mostly_found),
        cmocka_unit_test(workers_do_not_show),
        cmocka_unit_test(one_cluster_and_no_points_are_fine),
        cmocka_unit_test(more_clusters_than_points_end_in_single_points),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
