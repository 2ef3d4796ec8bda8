/* donors.h - which clients stand for their clusters. Source: taar-etl.md section 5 step 5. */
#pragma once

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

struct donors {
    size_t n;
    uint32_t *client;  // ascending
    uint32_t *cluster; // of each
    uint64_t n_kept;   // by the first stage
};

/**
 * Keep each client with the probability of its cluster's share, and each of those with n_wanted /
 * kept, at most 1. cluster_of: of each of n clients.
 * @return 0, E_FORMAT: none was kept by the first stage, or E_NOMEM.
 */
MUST_CHECK int donors_sample(struct donors *donors, const uint32_t *cluster_of, size_t n,
                             uint32_t n_clusters, uint64_t n_wanted, uint64_t seed,
                             struct err *err);
void donors_deinit(struct donors *donors); // zeroed is fine
