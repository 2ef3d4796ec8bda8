/* SPDX-License-Identifier: MPL-2.0 */
#include "crowd.h"

#include <stdlib.h>

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

/* A hill of height 1 around 0, of the squared distance. Only the four operations are used here and
 * below, so that a seed means the same bits on every machine. */
static double hill(double x2)
{
    return 1 / ((1 + x2) * (1 + x2));
}

/* Nearly the cosine of a turn: 1 at 0, -1 at 1/2, and so on. Range: t >= 0. */
static double wave(double t)
{
    const double u = t - (double)(long)t;
    const double zigzag = 4 * (u < .5 ? .5 - u : u - .5) - 1;
    return zigzag * (1.5 - .5 * zigzag * zigzag);
}

/* x runs from 0 to 1: smooth water, the crest, the fall, and waves that die away. */
static double curve(double x)
{
    const double crest = 0.38, foot = 0.47, before = (crest - x) / 0.09, behind = x - foot;
    if (x < crest)
        return 0.65 + 0.02 * wave(7 * x + .75) + 0.16 * hill(before * before);
    if (x < foot)
        return 0.50 + 0.32 * wave((x - crest) / (foot - crest) / 2);
    return 0.26 - 0.08 * wave(5.5 * behind) * hill(2 * behind);
}

/* Squared distance from (x, y) to the stroke from (x0, y0) to (x1, y1). */
static double distance2(double x, double y, const double stroke[4])
{
    const double dx = stroke[2] - stroke[0], dy = stroke[3] - stroke[1];
    const double t = ((x - stroke[0]) * dx + (y - stroke[1]) * dy) / (dx * dx + dy * dy);
    const double on = t < 0 ? 0 : t > 1 ? 1 : t;
    const double off_x = x - stroke[0] - on * dx, off_y = y - stroke[1] - on * dy;
    return off_x * off_x + off_y * off_y;
}

/* x and y run from 0 to 1, y downwards. */
static double picture(double x, double y)
{
    static const double strokes[4][4] = {
        {.08, .12, .29, .88}, {.29, .88, .50, .36}, {.50, .36, .71, .88}, {.71, .88, .92, .12}};
    double nearest = 1;
    for (size_t i = 0; i < 4; i++) {
        const double d2 = distance2(x, y, strokes[i]);
        nearest = d2 < nearest ? d2 : nearest;
    }
    return 0.04 + 0.88 * hill(nearest / (0.095 * 0.095));
}

int crowd_init(struct crowd *c, size_t n, enum crowd_pattern pattern, uint64_t seed,
               struct err *err)
{
    *c = (struct crowd){.n = n, .seed = seed, .share = malloc(n * sizeof *c->share)};
    if (!c->share)
        return err_set(err, E_NOMEM, 0, "no memory for a crowd of %zu bits", n);
    size_t side = 1;
    while ((side + 1) * (side + 1) <= n)
        side++;
    for (size_t i = 0; i < n; i++) {
        const size_t row = i / side, column = i % side;
        const double p = pattern == CROWD_CURVE ? curve((double)i / (double)n)
                                                : picture(((double)column + .5) / (double)side,
                                                          ((double)row + .5) / (double)side);
        c->share[i] = (uint32_t)(p * 4294967295.0);
    }
    return 0;
}

void crowd_deinit(struct crowd *c)
{
    free(c->share);
    *c = (struct crowd){0};
}

void crowd_bits(const struct crowd *c, uint64_t client, uint8_t *bits)
{
    struct dice mix = {c->seed ^ client * UINT64_C(0xd1342543de82ef95)};
    struct dice dice = {dice_next(&mix)};
    for (size_t i = 0; i < c->n; i++)
        bits[i] = (uint32_t)(dice_next(&dice) >> 32) < c->share[i];
}
