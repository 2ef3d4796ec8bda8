/* SPDX-License-Identifier: MPL-2.0 */
/*
 * vec_avx512ifma.c - products on vpmadd52, which multiplies the low 52 bits of two lanes and adds
 * the lower or the upper 52 bits of the result to a third: the two limbs of an element as they are.
 * Built with the flags of vec_avx512.c and -mavx512ifma.
 */
#include "prio/kernels/lanes512.h"
#include "prio/kernels/versions.h"

/* sum + the lower, upper 52 bits of a * b. */
LANES_FN lanes add_low52(lanes sum, lanes a, lanes b)
{
    return (lanes)_mm512_madd52lo_epu64((__m512i)sum, (__m512i)a, (__m512i)b);
}

LANES_FN lanes add_high52(lanes sum, lanes a, lanes b)
{
    return (lanes)_mm512_madd52hi_epu64((__m512i)sum, (__m512i)a, (__m512i)b);
}

struct factor {
    lanes lo, hi;
};

LANES_FN struct factor factor_of(struct felanes a)
{
    return (struct factor){a.lo, a.hi};
}

/*
 * a * b. Range: a < 2p, b canonical; output canonical.
 *
 * The product is k0 + k1 2^52 + k2 2^104 + k3 2^156, with k0 < 2^52, k1 < 3 * 2^52,
 * k2 < 2^52 + 2^38, k3 < 2^20. What stands above 2^87 is u0 + u1 2^52 with u0 < 2^52 + 2^20 and
 * u1 < 2^38; it is taken away 2^19 + 1 times. That is less than 2^54 in the lower limb and 2^58 in
 * the upper one, where a lift of 2^24 p is waiting: of its 2^59 in the upper limb, 8 stand in the
 * lower one.
 */
LANES_FN struct felanes felanes_mul(struct felanes a, struct factor b)
{
    const uint64_t lift0 = (FIELD_P_LO << 24) + 8 * LANES_ONE_HI;
    const uint64_t lift1 = (FIELD_P_HI << 24) - 8;
    const uint64_t below_87 = FIELD_P_HI - 1;
    const lanes zero = {0};

    const lanes k0 = add_low52(lanes_splat(lift0), a.lo, b.lo);
    const lanes k1 =
        add_high52(zero, a.lo, b.lo) + add_low52(add_low52(zero, a.lo, b.hi), a.hi, b.lo);
    const lanes k2 =
        add_high52(add_high52(zero, a.lo, b.hi), a.hi, b.lo) + add_low52(zero, a.hi, b.hi);
    const lanes k3 = add_high52(zero, a.hi, b.hi);

    const lanes u0 = (k1 >> 35) + ((k2 & below_87) << 17);
    const lanes u1 = (k2 >> 35) + (k3 << 17);
    const lanes lo = k0 - u0 - ((u0 << 19) & FIELD_LO_MASK);
    const lanes hi = (k1 & below_87) + lift1 - (u0 >> 33) - u1 - (u1 << 19) + (lo >> FIELD_LO_BITS);
    return felanes_fold(lo & FIELD_LO_MASK, hi & below_87, hi >> 35);
}

/*
 * Every half product has its own accumulator: eight independent chains hide the latency of the
 * multiplier. Each gains at most 2^52 - 1 a term, so that after 2^9 terms even the sum of all eight
 * lanes is below 2^64.
 */
static struct fe lanes_dot(struct fvec a, struct fvec b, size_t n)
{
    enum { TERMS = 1 << 9 };
    uint128 column[4] = {0};
    const size_t whole = n - n % LANES;
    for (size_t i = 0; i < whole;) {
        const size_t left = whole - i;
        const size_t stop = left < TERMS * LANES ? whole : i + TERMS * LANES;
        lanes ll0 = {0}, ll1 = {0}, lh0 = {0}, lh1 = {0}, hl0 = {0}, hl1 = {0}, hh0 = {0},
              hh1 = {0};
        for (; i < stop; i += LANES) {
            const struct felanes x = felanes_load(a, i), y = felanes_load(b, i);
            ll0 = add_low52(ll0, x.lo, y.lo);
            ll1 = add_high52(ll1, x.lo, y.lo);
            lh0 = add_low52(lh0, x.lo, y.hi);
            lh1 = add_high52(lh1, x.lo, y.hi);
            hl0 = add_low52(hl0, x.hi, y.lo);
            hl1 = add_high52(hl1, x.hi, y.lo);
            hh0 = add_low52(hh0, x.hi, y.hi);
            hh1 = add_high52(hh1, x.hi, y.hi);
        }
        column[0] += lanes_sum(ll0);
        column[1] += (uint128)lanes_sum(ll1) + lanes_sum(lh0) + lanes_sum(hl0);
        column[2] += (uint128)lanes_sum(lh1) + lanes_sum(hl1) + lanes_sum(hh0);
        column[3] += lanes_sum(hh1);
    }
    column[2] += column[3] << FIELD_LO_BITS; // a term is below 2^72 in all
    vec_add_products_c(column, fvec_at(a, whole), fvec_at(b, whole), n - whole);
    return vec_join_columns(column);
}

#include "prio/kernels/loops.h"

void vec_ops_overlay_avx512ifma(struct vec_ops *ops)
{
    lanes_overlay(ops);
}
