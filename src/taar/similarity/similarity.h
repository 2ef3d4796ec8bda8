/*
 * similarity.h - from clients to donors and a curve of likelihood ratios. Source: taar-etl.md
 * section 5 steps 3 to 8.
 */
#pragma once

#include "taar/similarity/clients.h"

enum { SIMILARITY_DONORS_MIN = 100, SIMILARITY_JSON_BYTES_MAX = 1 << 30 };

struct similarity_config {
    uint32_t n_clusters;
    uint64_t n_donors; // fewer than SIMILARITY_DONORS_MIN: a warning, and that many
    double bandwidth;
    uint32_t n_points;
    uint64_t seed;
    unsigned n_workers; // results do not depend on it
    bool service_keys;  // also geo_city and subsession_length, which the recommender asks for (H1)
};

struct similarity_result {
    uint32_t *cluster_of; // of each client
    uint32_t n_clusters;
    size_t n_donors, n_same, n_different;
    struct buf donors, curve; // JSON
};

/**
 * clients: sorted (clients_sort). On failure the result holds what is known by then: cluster_of
 * from clustering on, else NULL.
 * @return 0; E_FORMAT: there are no clients, too few donors or nothing to tell apart; or E_*.
 */
MUST_CHECK int similarity_run(struct similarity_result *result, const struct clients *clients,
                              const struct similarity_config *config, struct err *err);
void similarity_result_deinit(struct similarity_result *result); // zeroed is fine

/** Append a client as an object of donors.json, with its id where told. */
MUST_CHECK int similarity_client_json(struct buf *out, const struct clients *clients, size_t i,
                                      bool with_id, bool service_keys, struct err *err);
/** Append {"client id": number, ...}. */
MUST_CHECK int similarity_assignments_json(struct buf *out, const struct clients *clients,
                                           const uint32_t *cluster_of, struct err *err);
