/* versions.h - the versions of each kernel, for vec.c's ladder, for tails, and for the tests that
 * compare them. */
#pragma once

#include "prio/kernels/vec.h"

struct fe vec_dot_c(struct fvec a, struct fvec b, size_t n);
void vec_mul_c(struct fvec r, struct fvec a, struct fvec b, size_t n);
void vec_scale_c(struct fvec r, struct fvec a, struct fe s, size_t n);
void vec_add_c(struct fvec r, struct fvec a, struct fvec b, size_t n);
void vec_sub_c(struct fvec r, struct fvec a, struct fvec b, size_t n);
void vec_dif_c(struct fvec x, size_t n, size_t half, struct fvec w);
void vec_dit_c(struct fvec x, size_t n, size_t half, struct fvec w);
void vec_middle_c(struct fvec x, struct fvec c, size_t n, struct fvec wi, struct fvec wf);
size_t vec_sample_c(struct fvec out, size_t want, const uint8_t *stream, size_t n_attempts);
size_t vec_decode_c(struct fvec out, size_t want, const uint8_t *in, const uint8_t *end);

/** Add the products of limbs, by weight: column k counts 2^(52 k). Range: 2^19 terms in all. */
void vec_add_products_c(uint128 column[3], struct fvec a, struct fvec b, size_t n);
/** The sum of the columns mod p, for columns of any size. */
struct fe vec_join_columns(const uint128 column[3]);

/* Each replaces what it has a faster version of. */
void vec_ops_overlay_avx2(struct vec_ops *ops);
void vec_ops_overlay_avx512(struct vec_ops *ops);
void vec_ops_overlay_avx512ifma(struct vec_ops *ops);
