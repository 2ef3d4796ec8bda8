/* weights.h - what turns the evaluation of f, g and h at a point r into two inner products
 * (section 6.1). */
#pragma once

#include "prio/kernels/vec.h"

/* The points where the polynomials are given: w_N^1 .. w_N^n, then w_2N^1, w_2N^3 .. w_2N^(2N-1).
 * Immutable. */
struct roots {
    size_t n, n_points; // n_data and N
    struct fvec at;     // [n + N]
};

struct weights {
    struct fvec w; // [n + N]: L_1(r)..L_n(r), then M_1(r), M_3(r)..M_{2N-1}(r)
    struct fe l0;  // L_0(r)
    struct fe m0;  // M_0(r)
    struct fe sum; // Lambda = L_1(r) + .. + L_n(r)
};

/** @return 0 or PRIO_E_NOMEM (nothing to free). */
int roots_init(struct roots *roots, const struct vec_ops *ops, size_t n, size_t n_points);
void roots_deinit(struct roots *roots);

/** Room for the weights of one point, all zero. @return 0 or PRIO_E_NOMEM (nothing to free). */
int weights_init(struct weights *w, const struct roots *roots);
void weights_deinit(struct weights *w, const struct roots *roots);

/* Scratch of the batch inversion; independent of n. */
enum { WEIGHTS_BLOCK = 4096 };
struct inverter {
    struct fvec tree; // [2 * WEIGHTS_BLOCK]
    struct fvec half; // [WEIGHTS_BLOCK / 2]
};
int inverter_init(struct inverter *v);
void inverter_deinit(struct inverter *v);

/** All weights for r, canonical. r may be a root of unity. About 10 (n + N) multiplications and an
 * inversion a block. */
void weights_compute(struct weights *w, const struct roots *roots, const struct vec_ops *ops,
                     struct inverter *scratch, struct fe r);
