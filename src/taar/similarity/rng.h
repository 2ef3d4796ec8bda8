/*
 * rng.h - random choices that repeat: streams of splitmix64, told apart by seed, purpose and place.
 * For sampling only, not for secrets. Source: Steele, Lea, Flood: Fast splittable pseudorandom
 * number generators, 2014.
 */
#pragma once

#include <stdint.h>

enum rng_purpose { RNG_SPLIT = 1, RNG_KEEP_OF_CLUSTER, RNG_KEEP_OF_KEPT, RNG_HALVES };

struct rng {
    uint64_t state;
};

static inline uint64_t rng_next(struct rng *rng)
{
    uint64_t z = (rng->state += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/** The stream of one purpose and place; streams of the same seed have nothing to do with each
 * other. */
static inline struct rng rng_stream(uint64_t seed, enum rng_purpose purpose, uint64_t place)
{
    struct rng rng = {seed};
    rng.state = rng_next(&rng) ^ (uint64_t)purpose;
    rng.state = rng_next(&rng) ^ place;
    return (struct rng){rng_next(&rng)};
}

/** Uniform in [0, 1), in steps of 2^-53. */
static inline double rng_unit(struct rng *rng)
{
    return (double)(rng_next(rng) >> 11) * 0x1p-53;
}
