/* SPDX-License-Identifier: MPL-2.0 */
#include "taar/similarity/donors.h"

#include "taar/similarity/rng.h"

#include <stdbool.h>
#include <stdlib.h>

void donors_deinit(struct donors *d)
{
    free(d->client);
    free(d->cluster);
    *d = (struct donors){.n = 0};
}

/* Both stages are drawn anew in every walk, which is cheaper than to remember a choice a client. */
struct walk {
    const uint32_t *cluster_of;
    size_t n;
    const double *share; // of each cluster
    uint64_t seed;
};

/* second: the probability of the second stage, 1 to count the first. out: NULL to count only. */
static size_t walk(const struct walk *w, double second, struct donors *out)
{
    struct rng first_stage = rng_stream(w->seed, RNG_KEEP_OF_CLUSTER, 0);
    struct rng second_stage = rng_stream(w->seed, RNG_KEEP_OF_KEPT, 0);
    size_t n = 0;
    for (size_t i = 0; i < w->n; i++) {
        const bool kept = rng_unit(&first_stage) < w->share[w->cluster_of[i]];
        if (!kept || rng_unit(&second_stage) >= second)
            continue;
        if (out) {
            out->client[n] = (uint32_t)i;
            out->cluster[n] = w->cluster_of[i];
        }
        n++;
    }
    return n;
}

static double *shares(const uint32_t *cluster_of, size_t n, uint32_t n_clusters)
{
    double *share = calloc((size_t)n_clusters + 1, sizeof *share);
    for (size_t i = 0; i < n && share; i++)
        share[cluster_of[i]]++;
    for (uint32_t c = 0; c < n_clusters && share; c++)
        share[c] /= (double)n;
    return share;
}

static int sample(struct donors *d, const struct walk *w, uint32_t n_clusters, uint64_t n_wanted,
                  struct err *err)
{
    d->n_kept = walk(w, 1, NULL);
    if (d->n_kept == 0)
        return err_set(err, E_FORMAT, 0,
                       "no donor is left of %zu clients in %u clusters; there are too few clients, "
                       "or too many --num_clusters",
                       w->n, n_clusters);
    const double second = (double)n_wanted / (double)d->n_kept;
    d->n = walk(w, second, NULL);
    d->client = malloc((d->n + 1) * sizeof *d->client);
    d->cluster = malloc((d->n + 1) * sizeof *d->cluster);
    if (!d->client || !d->cluster)
        return err_set(err, E_NOMEM, 0, "no memory for %zu donors", d->n);
    (void)walk(w, second, d);
    return 0;
}

int donors_sample(struct donors *d, const uint32_t *cluster_of, size_t n, uint32_t n_clusters,
                  uint64_t n_wanted, uint64_t seed, struct err *err)
{
    double *share = shares(cluster_of, n, n_clusters);
    *d = (struct donors){.n = 0};
    if (!share)
        return err_set(err, E_NOMEM, 0, "no memory for %u clusters", n_clusters);
    const struct walk w = {cluster_of, n, share, seed};
    const int r = sample(d, &w, n_clusters, n_wanted, err);
    free(share);
    return r;
}
