/*
 * limbs29.h - products of elements on a 32 x 32 -> 64 bit multiplier (vpmuludq): a template like
 * lanes.h, for the levels that have no vpmadd52.
 *
 * An element is taken apart into three limbs of 29 bits, because 87 = 3 x 29: the columns above
 * the third are multiples of 2^87 = -(2^19 + 1), so that the fold never crosses a limb. Splitting
 * costs five instructions a factor; storing the limbs instead would make every vector half as long
 * again and the additions dearer.
 *
 * The includer has defined, besides what lanes.h asks for,
 *   lanes mul32(lanes a, lanes b)     the products of the low 32 bits
 */
#pragma once

#include "prio/kernels/lanes.h"
#include "prio/kernels/versions.h"

enum { LIMB_BITS = 29, COLUMNS = 5 };

#define LIMB_MASK ((UINT64_C(1) << LIMB_BITS) - 1)

struct factor {
    lanes x[3];
};

/* Limbs 0 and 1 are below 2^29; limb 2 takes what is left: 30 bits where hi has 36. */
LANES_FN struct factor factor_of(struct felanes a)
{
    return (struct factor){{
        a.lo & LIMB_MASK,
        ((a.lo >> LIMB_BITS) | (a.hi << (FIELD_LO_BITS - LIMB_BITS))) & LIMB_MASK,
        a.hi >> (2 * LIMB_BITS - FIELD_LO_BITS),
    }};
}

LANES_FN void add_products(lanes column[COLUMNS], struct factor a, struct factor b)
{
    column[0] += mul32(a.x[0], b.x[0]);
    column[1] += mul32(a.x[0], b.x[1]);
    column[2] += mul32(a.x[0], b.x[2]);
    column[3] += mul32(a.x[1], b.x[2]);
    column[4] += mul32(a.x[2], b.x[2]);
    column[1] += mul32(a.x[1], b.x[0]);
    column[2] += mul32(a.x[1], b.x[1]);
    column[3] += mul32(a.x[2], b.x[1]);
    column[2] += mul32(a.x[2], b.x[0]);
}

/*
 * a * b. Range: a < 2p, b canonical; output canonical.
 *
 * Limb 2 of a is at most 2^30, of b at most 2^29, so columns 0 to 4 are below 2^58, 2^59, 2^60,
 * 1.5 * 2^59, 2^59. Times 2^19 at a boundary of 29 bits is "10 bits stay, the rest goes one column
 * up". What is taken away reaches 2^60 in columns 0 and 1 and 2^50 in column 2; the lift is above
 * that in each and altogether (2^22 + 4) p:
 *   2^51 * 2^58 + 2^60 * 2^29 = (2^22 + 4) 2^87, and -2^31 * 2^29 + 2^60 = 0.
 */
LANES_FN struct felanes felanes_mul(struct felanes a, struct factor b)
{
    const uint64_t lift0 = (UINT64_C(1) << 60) + ((UINT64_C(1) << 22) + 4) * FIELD_P_LO;
    const uint64_t lift1 = (UINT64_C(1) << 60) - (UINT64_C(1) << 31);
    const uint64_t lift2 = UINT64_C(1) << 51;
    const uint64_t stay = (1 << 10) - 1;

    lanes c[COLUMNS] = {lanes_splat(lift0), lanes_splat(lift1), lanes_splat(lift2)};
    add_products(c, factor_of(a), b);
    c[0] -= c[3] + ((c[3] & stay) << 19);
    c[1] -= c[4] + ((c[4] & stay) << 19) + (c[3] >> 10);
    c[2] -= c[4] >> 10;

    c[1] += c[0] >> LIMB_BITS;
    c[2] += c[1] >> LIMB_BITS; // < 2^61: 2^32 multiples of 2^87 at most go over
    return felanes_fold((c[0] & LIMB_MASK) + ((c[1] & LIMB_MASK) << LIMB_BITS),
                        (c[2] & LIMB_MASK) << (2 * LIMB_BITS - FIELD_LO_BITS), c[2] >> LIMB_BITS);
}

/*
 * A term adds at most 2^59 + 2^58 + 2^59 = 1.25 * 2^60 to column 2, the fullest one, when both
 * factors are all ones: twelve terms and a remainder of 32 bits stay below 2^64. Then the upper
 * halves move out. They gain less than 2^32 each time, at most 2^14 times.
 */
static struct fe lanes_dot(struct fvec a, struct fvec b, size_t n)
{
    enum { TERMS = 12 };
    lanes low[COLUMNS] = {{0}}, high[COLUMNS] = {{0}};
    const size_t whole = n - n % LANES;
    for (size_t i = 0; i < whole;) {
        const size_t left = whole - i;
        const size_t stop = left < TERMS * LANES ? whole : i + TERMS * LANES;
        for (; i < stop; i += LANES)
            add_products(low, factor_of(felanes_load(a, i)), factor_of(felanes_load(b, i)));
        for (int c = 0; c < COLUMNS; c++) {
            high[c] += low[c] >> 32;
            low[c] &= UINT32_MAX;
        }
    }
    uint128 sum[COLUMNS];
    for (int c = 0; c < COLUMNS; c++)
        sum[c] = lanes_sum(low[c]) + ((uint128)lanes_sum(high[c]) << 32); // < 2^80 for n <= 2^19

    // Columns in steps of 29 bits into columns in steps of 52.
    uint128 column[] = {sum[0] + (sum[1] << 29), (sum[2] << 6) + (sum[3] << 35), sum[4] << 12};
    vec_add_products_c(column, fvec_at(a, whole), fvec_at(b, whole), n - whole);
    return vec_join_columns(column);
}
