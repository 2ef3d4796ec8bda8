/*
 * features.h - clients as points: hashed terms, weighted by how rare they are. Source: taar-etl.md
 * section 5 step 3.
 */
#pragma once

#include "taar/similarity/clients.h"

enum { FEATURE_BITS = 18, N_FEATURES = 1 << FEATURE_BITS };

/** Murmur3_x86_32 with seed 42 in the variant of Spark 2: the bytes behind the last whole word are
 * sign-extended and mixed as words of their own. Source: hashing.json. */
int32_t spark_hash(struct span text);
/** The index of a term: its hash modulo 2^18, never negative. */
uint32_t term_index(struct span text);

/*
 * Of the 2^18 dimensions only those that occur are kept, numbered by ascending index. A term is its
 * dimension and how often it occurs; a point's coordinate is count x weight of the dimension.
 * Counts are whole numbers, so that sums over points are exact, in whatever order they are taken.
 */
enum { TERM_COUNT_BITS = 32 - FEATURE_BITS };
static inline uint32_t term_dimension(uint32_t term)
{
    return term >> TERM_COUNT_BITS;
}
static inline uint32_t term_count(uint32_t term)
{
    return term & ((1U << TERM_COUNT_BITS) - 1);
}

struct features {
    size_t n;        // points
    uint64_t *first; // of each point's terms, and where the last one's end: n + 1
    uint32_t *terms; // ascending within a point
    uint32_t n_dimensions;
    uint32_t *index;     // of each dimension: below N_FEATURES
    uint32_t *frequency; // points that have it
    double *weight;      // ln((n + 1) / (frequency + 1))
};

/** @return 0 or E_NOMEM. */
MUST_CHECK int features_build(struct features *f, const struct clients *c, struct err *err);
void features_deinit(struct features *f); // zeroed is fine
