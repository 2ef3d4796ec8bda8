/* SPDX-License-Identifier: MPL-2.0 */
/*
 * vec.c - the readable version of every kernel, and the ladder that puts faster twins over it.
 */
#include "prio/kernels/vec.h"

#include "base/cpu.h"
#include "base/secret.h"
#include "prio/kernels/versions.h"

#include <stdlib.h>
#include <string.h>

/*
 * Products of two 52-bit limbs are below 2^104, of a 52-bit and a 36-bit limb below 2^88: 2^19 of
 * them stay below 2^128 in every column, so nothing is reduced before the end.
 */
void vec_add_products_c(uint128 column[3], struct fvec a, struct fvec b, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        column[0] += (uint128)a.lo[i] * b.lo[i];
        column[1] += (uint128)a.lo[i] * b.hi[i];
        column[1] += (uint128)a.hi[i] * b.lo[i];
        column[2] += (uint128)a.hi[i] * b.hi[i];
    }
}

struct fe vec_dot_c(struct fvec a, struct fvec b, size_t n)
{
    uint128 column[3] = {0};
    vec_add_products_c(column, a, b, n);
    return vec_join_columns(column);
}

/* 2^52 is an element; multiplying by it twice costs nothing beside a dot product. */
struct fe vec_join_columns(const uint128 column[3])
{
    const struct fe shift = {.lo = 0, .hi = 1};
    const struct fe upper = fe_add(fe_reduce(column[1]), fe_mul(fe_reduce(column[2]), shift));
    return fe_add(fe_reduce(column[0]), fe_mul(upper, shift));
}

void vec_mul_c(struct fvec r, struct fvec a, struct fvec b, size_t n)
{
    for (size_t i = 0; i < n; i++)
        fvec_set(r, i, fe_mul(fvec_get(a, i), fvec_get(b, i)));
}

void vec_scale_c(struct fvec r, struct fvec a, struct fe s, size_t n)
{
    for (size_t i = 0; i < n; i++)
        fvec_set(r, i, fe_mul(fvec_get(a, i), s));
}

void vec_add_c(struct fvec r, struct fvec a, struct fvec b, size_t n)
{
    for (size_t i = 0; i < n; i++)
        fvec_set(r, i, fe_add(fvec_get(a, i), fvec_get(b, i)));
}

void vec_sub_c(struct fvec r, struct fvec a, struct fvec b, size_t n)
{
    for (size_t i = 0; i < n; i++)
        fvec_set(r, i, fe_sub(fvec_get(a, i), fvec_get(b, i)));
}

void vec_dif_c(struct fvec x, size_t n, size_t half, struct fvec w)
{
    for (size_t block = 0; block < n; block += 2 * half) {
        for (size_t j = 0; j < half; j++) {
            const struct fe u = fvec_get(x, block + j);
            const struct fe v = fvec_get(x, block + half + j);
            fvec_set(x, block + j, fe_add(u, v));
            fvec_set(x, block + half + j, fe_mul(fe_sub(u, v), fvec_get(w, j)));
        }
    }
}

void vec_dit_c(struct fvec x, size_t n, size_t half, struct fvec w)
{
    for (size_t block = 0; block < n; block += 2 * half) {
        for (size_t j = 0; j < half; j++) {
            const struct fe u = fvec_get(x, block + j);
            const struct fe t = fe_mul(fvec_get(x, block + half + j), fvec_get(w, j));
            fvec_set(x, block + j, fe_add(u, t));
            fvec_set(x, block + half + j, fe_sub(u, t));
        }
    }
}

void vec_middle_c(struct fvec x, struct fvec c, size_t n, struct fvec wi, struct fvec wf)
{
    for (size_t half = 4; half >= 1; half /= 2)
        vec_dif_c(x, n, half, fvec_at(wi, half));
    vec_mul_c(x, x, c, n);
    for (size_t half = 1; half <= 4; half *= 2)
        vec_dit_c(x, n, half, fvec_at(wf, half));
}

/* Every attempt is stored, and the position moves on only behind an accepted one: no branch to
 * mispredict half of the time. */
size_t vec_sample_c(struct fvec out, size_t want, const uint8_t *stream, size_t n_attempts)
{
    size_t stored = 0;
    for (size_t k = 0; k < n_attempts && stored < want; k++) {
        uint8_t be[FIELD_BYTES];
        memcpy(be, stream + 12 * k, FIELD_BYTES);
        be[0] = stream[12 * k + 11];
        struct fe x;
        const bool accepted = fe_from_bytes(&x, be);
        fvec_set(out, stored, x);
        stored += accepted;
    }
    return stored;
}

size_t vec_decode_c(struct fvec out, size_t want, const uint8_t *in, const uint8_t *end)
{
    enum { FIXSTR_11 = 0xab };
    size_t stored = 0;
    for (; stored < want && end - in >= 12 && in[0] == FIXSTR_11; in += 12, stored++) {
        struct fe x;
        if (!fe_from_bytes(&x, in + 1))
            break;
        fvec_set(out, stored, x);
    }
    return stored;
}

void vec_ops_init(struct vec_ops *ops, unsigned cpu)
{
    *ops = (struct vec_ops){
        .dot = vec_dot_c,
        .mul = vec_mul_c,
        .scale = vec_scale_c,
        .add = vec_add_c,
        .sub = vec_sub_c,
        .dif = vec_dif_c,
        .dit = vec_dit_c,
        .middle = vec_middle_c,
        .sample = vec_sample_c,
        .decode = vec_decode_c,
    };
#ifdef WEIR_X86_64
    if (cpu & CPU_AVX2)
        vec_ops_overlay_avx2(ops);
    if (cpu & CPU_AVX512)
        vec_ops_overlay_avx512(ops);
    if (cpu & CPU_AVX512_IFMA)
        vec_ops_overlay_avx512ifma(ops);
#else
    (void)cpu; // no other versions on this machine
#endif
}

void vec_ops_choose(struct vec_ops *ops, unsigned cpu)
{
    vec_ops_init(ops, cpu);
    if (!(cpu & CPU_AVX512) || (cpu & CPU_AVX512_IFMA))
        return;
    struct vec_ops avx2, plain;
    vec_ops_init(&avx2, cpu & CPU_AVX2);
    vec_ops_init(&plain, 0);
    ops->dot = plain.dot;
    ops->sample = avx2.sample;
    ops->decode = avx2.decode;
    ops->add = avx2.add;
    ops->sub = avx2.sub;
}

static size_t plane_bytes(size_t n)
{
    return ((n + VEC_PAD) * sizeof(uint64_t) + 63) & ~(size_t)63;
}

struct fvec fvec_new(size_t n)
{
    uint64_t *planes = aligned_alloc(64, 2 * plane_bytes(n));
    if (planes == NULL)
        return (struct fvec){NULL, NULL};
    memset(planes, 0, 2 * plane_bytes(n));
    return (struct fvec){planes, planes + plane_bytes(n) / sizeof(uint64_t)};
}

void fvec_free(struct fvec v, size_t n)
{
    if (v.lo != NULL)
        secret_wipe(v.lo, 2 * plane_bytes(n));
    free(v.lo);
}
