/*
 * bisect.h - bisecting k-means: clusters are divided in two, level by level, until there are as
 * many as asked for or none can be divided. Source: taar-etl.md section 5 step 4.
 */
#pragma once

#include "taar/similarity/features.h"

struct bisect_config {
    uint32_t n_clusters; // at most; at least 1
    uint64_t seed;
    unsigned n_workers; // the result does not depend on it
};

/**
 * cluster_of: a number for each point, in [0, *n_clusters): leaves of the tree, depth-first, left
 * first. No points: no clusters.
 * @return 0 or E_*.
 */
MUST_CHECK int bisect(const struct features *f, const struct bisect_config *config,
                      uint32_t *cluster_of, uint32_t *n_clusters, struct err *err);
