/*
 * field.h - arithmetic modulo p = 2^87 + 2^19 + 1, one element at a time.
 *
 * An element is two limbs: the low 52 bits and the high 36. The split is made for vpmadd52 (52-bit
 * multiplication) and leaves 12 spare bits above the low limb and 28 above the high one, in which
 * sums may pile up before they are reduced. Vectors of elements (kernels/vec.h) use the same limbs
 * in two planes.
 *
 * Everything here is branch-free and takes time that does not depend on the values, but for
 * field_inv's and field_pow's exponent, which are public. Source: prio-v1.md section 1.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

__extension__ typedef unsigned __int128 uint128;

enum { FIELD_BYTES = 11, FIELD_LO_BITS = 52, FIELD_TWO_ADICITY = 19 };

#define FIELD_LO_MASK ((UINT64_C(1) << FIELD_LO_BITS) - 1)
#define FIELD_P_LO    ((UINT64_C(1) << 19) + 1)
#define FIELD_P_HI    (UINT64_C(1) << 35)

/* Canonical: value < p, hence lo < 2^52 and hi <= 2^35. */
struct fe {
    uint64_t lo, hi;
};

#define FE_ZERO ((struct fe){0, 0})
#define FE_ONE  ((struct fe){1, 0})

static inline struct fe fe_from_u128(uint128 v) // v < 2^116; not reduced
{
    return (struct fe){(uint64_t)v & FIELD_LO_MASK, (uint64_t)(v >> FIELD_LO_BITS)};
}

static inline uint128 fe_to_u128(struct fe a)
{
    return ((uint128)a.hi << FIELD_LO_BITS) + a.lo;
}

/** a - p where a >= p, else a. Range: a < 2p with lo < 2^52. */
static inline struct fe fe_reduce_once(struct fe a)
{
    const uint64_t lo = a.lo - FIELD_P_LO;
    const uint64_t hi = a.hi - FIELD_P_HI - (lo >> 63);
    const uint64_t keep = -(hi >> 63); // all ones where the subtraction went below zero
    return (struct fe){((lo & FIELD_LO_MASK) & ~keep) | (a.lo & keep),
                       (hi & ~keep) | (a.hi & keep)};
}

/** Source: prio-v1.md, "Reduction hint". Any value below 2^128. */
struct fe fe_reduce(uint128 v);

static inline struct fe fe_add(struct fe a, struct fe b)
{
    const uint64_t lo = a.lo + b.lo;
    return fe_reduce_once((struct fe){lo & FIELD_LO_MASK, a.hi + b.hi + (lo >> FIELD_LO_BITS)});
}

static inline struct fe fe_sub(struct fe a, struct fe b)
{
    const uint64_t lo = a.lo - b.lo;
    const uint64_t hi = a.hi - b.hi - (lo >> 63);
    const uint64_t below = -(hi >> 63);
    const uint64_t lo2 = (lo & FIELD_LO_MASK) + (FIELD_P_LO & below);
    return (struct fe){lo2 & FIELD_LO_MASK, hi + (FIELD_P_HI & below) + (lo2 >> FIELD_LO_BITS)};
}

static inline struct fe fe_neg(struct fe a)
{
    return fe_sub(FE_ZERO, a);
}

struct fe fe_mul(struct fe a, struct fe b);

/** a^(p-2): the inverse, and 0 for 0. */
struct fe fe_inv(struct fe a);
/** a^e. Time: depends on e, which is public everywhere. */
struct fe fe_pow(struct fe a, uint128 e);
/** The m-th root of unity w_m = g^(2^19/m). Range: m a power of two, 1 <= m <= 2^19. */
struct fe fe_root(uint32_t m);

static inline bool fe_is_zero(struct fe a)
{
    return (a.lo | a.hi) == 0;
}

static inline bool fe_equal(struct fe a, struct fe b)
{
    return ((a.lo ^ b.lo) | (a.hi ^ b.hi)) == 0;
}

/** Big-endian, FIELD_BYTES bytes. */
void fe_to_bytes(uint8_t out[FIELD_BYTES], struct fe a);
/** @return false when the value is not below p (*out is then zero). */
bool fe_from_bytes(struct fe *out, const uint8_t in[FIELD_BYTES]);

extern const struct fe FE_HALF; // 1/2
