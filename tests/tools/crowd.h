/* crowd.h - honest clients that can be made again: the same seed gives the same bits. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct crowd {
    size_t n;
    uint64_t seed;
};

/** The bits of client 0, 1, ..: n bytes, of which about every fourth is 1. */
void crowd_bits(const struct crowd *c, uint64_t client, uint8_t *bits);

/* A reproducible stream of numbers. Not for secrets. */
struct dice {
    uint64_t state;
};
uint64_t dice_next(struct dice *d);
/** Uniform enough for choosing: below limit, which is above 0. */
uint64_t dice_below(struct dice *d, uint64_t limit);
