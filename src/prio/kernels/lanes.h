/*
 * lanes.h - several field elements side by side, one a 64-bit lane. A template: each level of SIMD
 * includes it once and compiles it under its own flags.
 *
 * The includer has defined
 *   LANES                            4 or 8
 *   lanes                            a GNU vector of LANES uint64_t
 *   lanes pick(lanes s, lanes a, lanes b)   a where the top bit of s is set, b elsewhere
 *
 * No 64-bit arithmetic shift is used (AVX2 has none): whatever may go below zero is lifted by a
 * multiple of 2^52 first, and the lift taken back from the high limb.
 */
#pragma once

#include "prio/field.h"
#include "prio/kernels/vec.h"

#include <string.h>

/* Two vectors by value: unless inlined they would travel through memory. */
#define LANES_FN static inline __attribute__((always_inline))

#define LANES_ONE_HI (UINT64_C(1) << FIELD_LO_BITS) // a one of the high limb, in units of the low

struct felanes {
    lanes lo, hi;
};

LANES_FN lanes lanes_splat(uint64_t x)
{
    return (lanes){0} + x;
}

LANES_FN struct felanes felanes_splat(struct fe x)
{
    return (struct felanes){lanes_splat(x.lo), lanes_splat(x.hi)};
}

LANES_FN struct felanes felanes_load(struct fvec v, size_t i)
{
    struct felanes r;
    memcpy(&r.lo, v.lo + i, sizeof r.lo);
    memcpy(&r.hi, v.hi + i, sizeof r.hi);
    return r;
}

LANES_FN void felanes_store(struct fvec v, size_t i, struct felanes x)
{
    memcpy(v.lo + i, &x.lo, sizeof x.lo);
    memcpy(v.hi + i, &x.hi, sizeof x.hi);
}

LANES_FN struct felanes felanes_add(struct felanes a, struct felanes b)
{
    const lanes lo = a.lo + b.lo, hi = a.hi + b.hi;
    const lanes less = lo + (LANES_ONE_HI - FIELD_P_LO);
    const lanes hi_carried = hi + (lo >> FIELD_LO_BITS);
    const lanes hi_less = hi - (FIELD_P_HI + 1) + (less >> FIELD_LO_BITS);
    return (struct felanes){pick(hi_less, lo, less) & FIELD_LO_MASK,
                            pick(hi_less, hi_carried, hi_less)};
}

/* For a difference lifted by `lift` in lo and lowered by as much in hi: p is added to what is
 * negative. Range: lo + hi 2^52 in [-p, p) as a whole, lo < 2^63. */
LANES_FN struct felanes felanes_lift_negative(lanes lo, lanes hi)
{
    const lanes more = lo + FIELD_P_LO;
    const lanes hi_carried = hi + (lo >> FIELD_LO_BITS);
    const lanes hi_more = hi + FIELD_P_HI + (more >> FIELD_LO_BITS);
    return (struct felanes){pick(hi_carried, more, lo) & FIELD_LO_MASK,
                            pick(hi_carried, hi_more, hi_carried)};
}

LANES_FN struct felanes felanes_sub(struct felanes a, struct felanes b)
{
    return felanes_lift_negative(a.lo - b.lo + LANES_ONE_HI, a.hi - b.hi - 1);
}

/* a - b + p, not reduced: in (0, 2p), so hi <= 2^36. Good enough for one factor of a product. */
LANES_FN struct felanes felanes_sub_loose(struct felanes a, struct felanes b)
{
    const lanes lo = a.lo - b.lo + (LANES_ONE_HI + FIELD_P_LO);
    const lanes hi = a.hi - b.hi + (FIELD_P_HI - 1);
    return (struct felanes){lo & FIELD_LO_MASK, hi + (lo >> FIELD_LO_BITS)};
}

/*
 * lo + hi 2^52 - over (2^19 + 1) mod p: the end of every product, after `over` was cut off at 2^87.
 * Range: lo + hi 2^52 < 2^87 as a whole (lo may hold carries), over < 2^32; output canonical.
 */
LANES_FN struct felanes felanes_fold(lanes lo, lanes hi, lanes over)
{
    const lanes taken = over + (over << 19); // < 2^52
    return felanes_lift_negative(lo + LANES_ONE_HI - taken, hi - 1);
}

/* The sum of all lanes. Range: below 2^64, which the caller sees to. */
LANES_FN uint64_t lanes_sum(lanes x)
{
    uint64_t sum = 0;
    for (int i = 0; i < LANES; i++)
        sum += x[i];
    return sum;
}
