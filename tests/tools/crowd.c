/* SPDX-License-Identifier: MPL-2.0 */
#include "crowd.h"

/* The finalizer of SplitMix64, a public-domain generator: each output is a permutation of a
 * counter, so a stream can start anywhere. */
uint64_t dice_next(struct dice *d)
{
    uint64_t z = d->state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

uint64_t dice_below(struct dice *d, uint64_t limit)
{
    return dice_next(d) % limit; // limits are tiny against 2^64
}

void crowd_bits(const struct crowd *c, uint64_t client, uint8_t *bits)
{
    struct dice mix = {c->seed ^ client * UINT64_C(0xd1342543de82ef95)};
    struct dice dice = {dice_next(&mix)};
    for (size_t i = 0; i < c->n; i++)
        bits[i] = dice_next(&dice) >> 62 == 0;
}
