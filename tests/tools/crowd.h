/* crowd.h - honest clients that can be made again: the same seed gives the same bits, and many of
 * them together draw a picture. */
#pragma once

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

/* CURVE: sums over the position look like a river that runs over a weir. PICTURE: positions fill a
 * square of floor(sqrt(n)) columns, row by row, in which a letter W shines. */
enum crowd_pattern { CROWD_CURVE, CROWD_PICTURE };

struct crowd {
    size_t n;
    uint64_t seed;
    uint32_t *share; // of clients that set a bit, in units of 2^-32
};

MUST_CHECK int crowd_init(struct crowd *c, size_t n, enum crowd_pattern pattern, uint64_t seed,
                          struct err *err);
void crowd_deinit(struct crowd *c);
/** The bits of client 0, 1, ..: n bytes. */
void crowd_bits(const struct crowd *c, uint64_t client, uint8_t *bits);

/* A reproducible stream of numbers. Not for secrets. */
struct dice {
    uint64_t state;
};
uint64_t dice_next(struct dice *d);
/** Uniform enough for choosing: below limit, which is above 0. */
uint64_t dice_below(struct dice *d, uint64_t limit);
