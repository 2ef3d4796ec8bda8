/*
 * loops.h - the kernels that are loops over lanes: a template like lanes.h. The last elements,
 * fewer than LANES, go through the plain C version.
 *
 * The includer has defined, besides what lanes.h asks for,
 *   struct factor, factor_of(), felanes_mul()   a product whose second factor is prepared once
 *   struct fe lanes_dot(a, b, n)
 *   void transpose(lanes m[LANES])              m[i][j] and m[j][i] change places
 */
#pragma once

#include "prio/kernels/lanes.h"
#include "prio/kernels/versions.h"

static void lanes_mul(struct fvec r, struct fvec a, struct fvec b, size_t n)
{
    size_t i = 0;
    for (; n - i >= LANES; i += LANES)
        felanes_store(r, i, felanes_mul(felanes_load(a, i), factor_of(felanes_load(b, i))));
    vec_mul_c(fvec_at(r, i), fvec_at(a, i), fvec_at(b, i), n - i);
}

static void lanes_scale(struct fvec r, struct fvec a, struct fe s, size_t n)
{
    const struct factor factor = factor_of(felanes_splat(s));
    size_t i = 0;
    for (; n - i >= LANES; i += LANES)
        felanes_store(r, i, felanes_mul(felanes_load(a, i), factor));
    vec_scale_c(fvec_at(r, i), fvec_at(a, i), s, n - i);
}

static void lanes_add(struct fvec r, struct fvec a, struct fvec b, size_t n)
{
    size_t i = 0;
    for (; n - i >= LANES; i += LANES)
        felanes_store(r, i, felanes_add(felanes_load(a, i), felanes_load(b, i)));
    vec_add_c(fvec_at(r, i), fvec_at(a, i), fvec_at(b, i), n - i);
}

static void lanes_sub(struct fvec r, struct fvec a, struct fvec b, size_t n)
{
    size_t i = 0;
    for (; n - i >= LANES; i += LANES)
        felanes_store(r, i, felanes_sub(felanes_load(a, i), felanes_load(b, i)));
    vec_sub_c(fvec_at(r, i), fvec_at(a, i), fvec_at(b, i), n - i);
}

LANES_FN void dif_pair(struct felanes *u, struct felanes *v, struct factor w)
{
    const struct felanes difference = felanes_sub_loose(*u, *v);
    *u = felanes_add(*u, *v);
    *v = felanes_mul(difference, w);
}

LANES_FN void dit_pair(struct felanes *u, struct felanes *v, struct factor w)
{
    const struct felanes t = felanes_mul(*v, w);
    *v = felanes_sub(*u, t);
    *u = felanes_add(*u, t);
}

/* Blocks inside: a vector of twiddles is prepared once for all of them. */
static void lanes_dif(struct fvec x, size_t n, size_t half, struct fvec w)
{
    if (half < LANES) {
        vec_dif_c(x, n, half, w);
        return;
    }
    for (size_t j = 0; j < half; j += LANES) {
        const struct factor factor = factor_of(felanes_load(w, j));
        for (size_t i = j; i < n; i += 2 * half) {
            struct felanes u = felanes_load(x, i), v = felanes_load(x, i + half);
            dif_pair(&u, &v, factor);
            felanes_store(x, i, u);
            felanes_store(x, i + half, v);
        }
    }
}

static void lanes_dit(struct fvec x, size_t n, size_t half, struct fvec w)
{
    if (half < LANES) {
        vec_dit_c(x, n, half, w);
        return;
    }
    for (size_t j = 0; j < half; j += LANES) {
        const struct factor factor = factor_of(felanes_load(w, j));
        for (size_t i = j; i < n; i += 2 * half) {
            struct felanes u = felanes_load(x, i), v = felanes_load(x, i + half);
            dit_pair(&u, &v, factor);
            felanes_store(x, i, u);
            felanes_store(x, i + half, v);
        }
    }
}

enum { BLOCK = 8 }; // elements of one block of middle

/* LANES blocks, turned so that a lane is a block and e[k] holds element k of all of them. */
LANES_FN void load_blocks(struct felanes e[BLOCK], struct fvec x)
{
    for (size_t k = 0; k < BLOCK; k += LANES) {
        lanes lo[LANES], hi[LANES];
        for (size_t block = 0; block < LANES; block++) {
            const struct felanes row = felanes_load(x, BLOCK * block + k);
            lo[block] = row.lo;
            hi[block] = row.hi;
        }
        transpose(lo);
        transpose(hi);
        for (size_t i = 0; i < LANES; i++)
            e[k + i] = (struct felanes){lo[i], hi[i]};
    }
}

LANES_FN void store_blocks(struct fvec x, const struct felanes e[BLOCK])
{
    for (size_t k = 0; k < BLOCK; k += LANES) {
        lanes lo[LANES], hi[LANES];
        for (size_t i = 0; i < LANES; i++) {
            lo[i] = e[k + i].lo;
            hi[i] = e[k + i].hi;
        }
        transpose(lo);
        transpose(hi);
        for (size_t block = 0; block < LANES; block++)
            felanes_store(x, BLOCK * block + k, (struct felanes){lo[block], hi[block]});
    }
}

/* Entry half + j of the table, for half = 1, 2, 4, in all lanes. */
static void splat_twiddles(struct factor f[BLOCK], struct fvec w)
{
    for (size_t i = 1; i < BLOCK; i++)
        f[i] = factor_of(felanes_splat(fvec_get(w, i)));
}

/* The twiddle of j = 0 is one. */
static void dif_blocks(struct felanes e[BLOCK], size_t half, const struct factor w[BLOCK])
{
    for (size_t u = 0; u < BLOCK; u += 2 * half) {
        const struct felanes difference = felanes_sub(e[u], e[u + half]);
        e[u] = felanes_add(e[u], e[u + half]);
        e[u + half] = difference;
        for (size_t j = 1; j < half; j++)
            dif_pair(&e[u + j], &e[u + half + j], w[half + j]);
    }
}

static void dit_blocks(struct felanes e[BLOCK], size_t half, const struct factor w[BLOCK])
{
    for (size_t u = 0; u < BLOCK; u += 2 * half) {
        const struct felanes difference = felanes_sub(e[u], e[u + half]);
        e[u] = felanes_add(e[u], e[u + half]);
        e[u + half] = difference;
        for (size_t j = 1; j < half; j++)
            dit_pair(&e[u + j], &e[u + half + j], w[half + j]);
    }
}

static void lanes_middle(struct fvec x, struct fvec c, size_t n, struct fvec wi, struct fvec wf)
{
    struct factor inverse[BLOCK], forward[BLOCK];
    splat_twiddles(inverse, wi);
    splat_twiddles(forward, wf);
    size_t i = 0;
    for (; n - i >= BLOCK * LANES; i += BLOCK * LANES) {
        struct felanes e[BLOCK], scale[BLOCK];
        load_blocks(e, fvec_at(x, i));
        load_blocks(scale, fvec_at(c, i));
        for (size_t half = BLOCK / 2; half >= 1; half /= 2)
            dif_blocks(e, half, inverse);
        for (size_t k = 0; k < BLOCK; k++)
            e[k] = felanes_mul(e[k], factor_of(scale[k]));
        for (size_t half = 1; half < BLOCK; half *= 2)
            dit_blocks(e, half, forward);
        store_blocks(fvec_at(x, i), e);
    }
    vec_middle_c(fvec_at(x, i), fvec_at(c, i), n - i, wi, wf);
}

static void lanes_overlay(struct vec_ops *ops)
{
    ops->dot = lanes_dot;
    ops->mul = lanes_mul;
    ops->scale = lanes_scale;
    ops->add = lanes_add;
    ops->sub = lanes_sub;
    ops->dif = lanes_dif;
    ops->dit = lanes_dit;
    ops->middle = lanes_middle;
}
