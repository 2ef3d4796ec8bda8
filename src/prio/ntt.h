/* ntt.h - the client's transform: values on the N-th roots of unity to values on the odd 2N-th
 * roots. */
#pragma once

#include "prio/kernels/vec.h"

/*
 * Tables for one size n, a power of two, 2 <= n <= 2^18. Twiddles of the stage with blocks of 2
 * half stand at [half, 2 half): entry half + j is w_{2 half}^j (forward) or its inverse; entry 0 is
 * unused. Tables are immutable and may be shared.
 */
struct ntt {
    size_t n;
    struct fvec forward, inverse;
    struct fvec shift; // in bit-reversed order: entry rev(k) is w_{2n}^k / n
};

/** @return 0 or PRIO_E_NOMEM (nothing to free). */
int ntt_init(struct ntt *t, const struct vec_ops *ops, size_t n);
void ntt_deinit(struct ntt *t);

/**
 * In place: x[i] = q(w_n^i) becomes x[j] = q(w_{2n}^(2j+1)), for the polynomial q of degree < n.
 * An inverse transform in decimation in frequency leaves the coefficients in bit-reversed order,
 * where coefficient k is scaled by w_{2n}^k / n; a forward transform in decimation in time takes
 * that order and ends in the natural one, so nothing is ever permuted. Source: prio-v1.md section
 * 5, step 6.
 */
void ntt_to_odd(const struct ntt *t, const struct vec_ops *ops, struct fvec x);

/** r[k] = w_m^k for k < m / 2 or any count up to m, m a power of two up to 2^19. */
void roots_fill(struct fvec r, const struct vec_ops *ops, uint32_t m, size_t count);
