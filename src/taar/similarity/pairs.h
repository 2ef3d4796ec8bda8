/* pairs.h - donors in twos: of one cluster, and of different ones. Source: taar-etl.md section 5
 * step 7. */
#pragma once

#include "taar/similarity/donors.h"

struct pair {
    size_t a, b; // donors
};

struct pairs {
    struct pair *same, *different; // a's cluster, in ascending order of it
    size_t n_same, n_different;
};

/** No donor has two partners among the pairs of one cluster and kind. @return 0 or E_NOMEM. */
MUST_CHECK int pairs_make(struct pairs *pairs, const struct donors *donors, uint32_t n_clusters,
                          uint64_t seed, struct err *err);
void pairs_deinit(struct pairs *pairs); // zeroed is fine
