/* SPDX-License-Identifier: MPL-2.0 */
#include "prio/field.h"

#include <endian.h>
#include <string.h>

const struct fe FE_HALF = {.lo = (UINT64_C(1) << 18) + 1, .hi = UINT64_C(1) << 34};

/* g of prio-v1.md section 1, of order exactly 2^19: 0x2597c14f48d5b65ed8dcca. */
static const struct fe GENERATOR = {.lo = UINT64_C(0xf48d5b65ed8dcca) & FIELD_LO_MASK,
                                    .hi = UINT64_C(0x2597c14f4)};

/*
 * 2^87 = -(2^19 + 1) mod p, so v = high * 2^87 + low is low - high * (2^19 + 1). For v < 2^128 the
 * high part has 41 bits and the product 61; adding p first keeps the difference positive, and one
 * conditional subtraction ends it.
 */
struct fe fe_reduce(uint128 v)
{
    const uint128 p = ((uint128)1 << 87) + FIELD_P_LO;
    const uint64_t high = (uint64_t)(v >> 87);
    const uint128 low = v & (((uint128)1 << 87) - 1);
    return fe_reduce_once(fe_from_u128(low + p - (uint128)high * FIELD_P_LO));
}

/*
 * The product of two elements below 2^88 has three columns in steps of 52 bits. Taking 2^87 =
 * -(2^19 + 1) out of it once leaves at most 2^109, which fe_reduce ends.
 */
struct fe fe_mul(struct fe a, struct fe b)
{
    const uint128 c0 = (uint128)a.lo * b.lo;                        // < 2^104
    const uint128 c1 = (uint128)a.lo * b.hi + (uint128)a.hi * b.lo; // < 2^89
    const uint128 c2 = (uint128)a.hi * b.hi;                        // < 2^72
    const uint128 low = c0 & (((uint128)1 << 87) - 1);              // c0 = low + 2^87 * (c0 >> 87)
    const uint128 mid = (c0 >> 87) + (c1 >> 35) + (c2 << 17);       // in units of 2^87: < 2^90
    const uint128 low1 = (c1 & ((UINT64_C(1) << 35) - 1)) << FIELD_LO_BITS; // < 2^87
    /* p * 2^22 > mid * (2^19 + 1), so the difference stays positive and below 2^110. */
    const uint128 p = ((uint128)1 << 87) + FIELD_P_LO;
    return fe_reduce(low + low1 + (p << 22) - ((mid << 19) + mid));
}

struct fe fe_pow(struct fe a, uint128 e)
{
    struct fe r = FE_ONE;
    for (int bit = 127; bit >= 0; bit--) {
        r = fe_mul(r, r);
        if ((e >> bit) & 1)
            r = fe_mul(r, a);
    }
    return r;
}

struct fe fe_inv(struct fe a)
{
    const uint128 p = ((uint128)1 << 87) + FIELD_P_LO;
    return fe_pow(a, p - 2);
}

struct fe fe_root(uint32_t m)
{
    struct fe w = GENERATOR;
    for (uint32_t order = UINT32_C(1) << FIELD_TWO_ADICITY; order > m; order /= 2)
        w = fe_mul(w, w);
    return w;
}

void fe_to_bytes(uint8_t out[FIELD_BYTES], struct fe a)
{
    const uint128 v = fe_to_u128(a);
    for (int i = 0; i < FIELD_BYTES; i++)
        out[i] = (uint8_t)(v >> (8 * (FIELD_BYTES - 1 - i)));
}

bool fe_from_bytes(struct fe *out, const uint8_t in[FIELD_BYTES])
{
    uint32_t first;
    uint64_t last;
    memcpy(&first, in, sizeof first);
    memcpy(&last, in + FIELD_BYTES - sizeof last, sizeof last); // bytes 3 to 10
    const uint64_t high = be32toh(first) >> 8, low = be64toh(last);
    const struct fe x = {.lo = low & FIELD_LO_MASK, .hi = (low >> FIELD_LO_BITS) | (high << 12)};
    const bool ok = (x.hi < FIELD_P_HI) | ((x.hi == FIELD_P_HI) & (x.lo < FIELD_P_LO));
    const uint64_t keep = -(uint64_t)ok;
    *out = (struct fe){x.lo & keep, x.hi & keep};
    return ok;
}
