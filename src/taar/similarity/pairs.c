/* SPDX-License-Identifier: MPL-2.0 */
#include "taar/similarity/pairs.h"

#include "taar/similarity/rng.h"

#include <stdlib.h>

void pairs_deinit(struct pairs *p)
{
    free(p->same);
    free(p->different);
    *p = (struct pairs){.n_same = 0};
}

/* Each donor goes to one half or the other; the i-th of both are partners. */
static void pair_same(struct pairs *p, const struct donors *d, uint32_t cluster, size_t *halves[2],
                      uint64_t seed)
{
    struct rng rng = rng_stream(seed, RNG_HALVES, cluster);
    size_t n[2] = {0, 0};
    for (size_t i = 0; i < d->n; i++)
        if (d->cluster[i] == cluster) {
            const unsigned half = rng_next(&rng) >> 63;
            halves[half][n[half]++] = i;
        }
    for (size_t i = 0; i < n[0] && i < n[1]; i++)
        p->same[p->n_same++] = (struct pair){halves[0][i], halves[1][i]};
}

static void pair_different(struct pairs *p, const struct donors *d, uint32_t cluster)
{
    size_t own = 0, other = 0;
    for (;;) {
        while (own < d->n && d->cluster[own] != cluster)
            own++;
        while (other < d->n && d->cluster[other] == cluster)
            other++;
        if (own == d->n || other == d->n)
            return;
        p->different[p->n_different++] = (struct pair){own++, other++};
    }
}

int pairs_make(struct pairs *p, const struct donors *d, uint32_t n_clusters, uint64_t seed,
               struct err *err)
{
    size_t *halves[2] = {malloc((d->n + 1) * sizeof(size_t)), malloc((d->n + 1) * sizeof(size_t))};
    // A donor is the first of one pair of each kind at most.
    *p = (struct pairs){.same = malloc((d->n + 1) * sizeof *p->same),
                        .different = malloc((d->n + 1) * sizeof *p->different)};
    int r = 0;
    if (!halves[0] || !halves[1] || !p->same || !p->different)
        r = err_set(err, E_NOMEM, 0, "no memory for pairs of %zu donors", d->n);
    for (uint32_t c = 0; c < n_clusters && r == 0; c++) {
        pair_same(p, d, c, halves, seed);
        pair_different(p, d, c);
    }
    free(halves[0]);
    free(halves[1]);
    return r;
}
