/* SPDX-License-Identifier: MPL-2.0 */
/*
 * weights.c - Lagrange weights on the roots of unity.
 *
 * For r^m != 1, L_i(r) = (r^m - 1) / m * w_m^i / (r - w_m^i). The N points of f and g and the N odd
 * points of h need n + N inversions, which are had with one inversion a block: products are
 * multiplied up a binary tree, its root is inverted, and on the way down each node's inverse times
 * one child is the inverse of the other. A level of the tree is one vector multiplication.
 */
#include "prio/weights.h"

#include "prio/ntt.h"
#include "weir/prio.h"

int roots_init(struct roots *roots, const struct vec_ops *ops, size_t n, size_t n_points)
{
    *roots = (struct roots){.n = n, .n_points = n_points, .at = fvec_new(n + n_points)};
    struct fvec even = fvec_new(n_points);
    const bool ok = roots->at.lo && even.lo;
    if (ok) {
        roots_fill(even, ops, (uint32_t)n_points, n_points);
        for (size_t i = 1; i <= n; i++)
            fvec_set(roots->at, i - 1, fvec_get(even, i));
        ops->scale(fvec_at(roots->at, n), even, fe_root((uint32_t)(2 * n_points)), n_points);
    }
    fvec_free(even, n_points);
    if (!ok)
        roots_deinit(roots);
    return ok ? PRIO_OK : PRIO_E_NOMEM;
}

void roots_deinit(struct roots *roots)
{
    fvec_free(roots->at, roots->n + roots->n_points);
    *roots = (struct roots){0};
}

int weights_init(struct weights *w, const struct roots *roots)
{
    *w = (struct weights){.w = fvec_new(roots->n + roots->n_points)};
    return w->w.lo ? PRIO_OK : PRIO_E_NOMEM;
}

void weights_deinit(struct weights *w, const struct roots *roots)
{
    fvec_free(w->w, roots->n + roots->n_points);
    *w = (struct weights){0};
}

int inverter_init(struct inverter *v)
{
    *v =
        (struct inverter){.tree = fvec_new(2 * WEIGHTS_BLOCK), .half = fvec_new(WEIGHTS_BLOCK / 2)};
    if (v->tree.lo && v->half.lo)
        return PRIO_OK;
    inverter_deinit(v);
    return PRIO_E_NOMEM;
}

void inverter_deinit(struct inverter *v)
{
    fvec_free(v->tree, 2 * WEIGHTS_BLOCK);
    fvec_free(v->half, WEIGHTS_BLOCK / 2);
    *v = (struct inverter){0};
}

static void copy(struct fvec to, struct fvec from, size_t n)
{
    for (size_t i = 0; i < n; i++)
        fvec_set(to, i, fvec_get(from, i));
}

/*
 * x[i] = 1 / x[i] for i < n <= WEIGHTS_BLOCK; none may be zero. The level with s nodes stands at
 * [s, 2s) of the tree; node i's children are i and i + s of the level below. Leaves without an
 * element are one.
 */
static void invert(struct fvec x, size_t n, const struct vec_ops *ops, struct inverter *v)
{
    const struct fvec t = v->tree;
    size_t leaves = 1;
    while (leaves < n)
        leaves *= 2;
    copy(fvec_at(t, leaves), x, n);
    for (size_t i = leaves + n; i < 2 * leaves; i++)
        fvec_set(t, i, FE_ONE);
    for (size_t s = leaves / 2; s >= 1; s /= 2)
        ops->mul(fvec_at(t, s), fvec_at(t, 2 * s), fvec_at(t, 3 * s), s);
    fvec_set(t, 1, fe_inv(fvec_get(t, 1)));
    for (size_t s = 1; s < leaves; s *= 2) {
        ops->mul(v->half, fvec_at(t, s), fvec_at(t, 3 * s), s);
        ops->mul(fvec_at(t, 3 * s), fvec_at(t, s), fvec_at(t, 2 * s), s);
        copy(fvec_at(t, 2 * s), v->half, s);
    }
    copy(x, fvec_at(t, leaves), n);
}

/* w[i] = scale * at[i] / (r - at[i]) */
static void fill(struct fvec w, struct fvec at, size_t n, const struct vec_ops *ops,
                 struct inverter *v, struct fe r, struct fe scale)
{
    for (size_t done = 0; done < n; done += WEIGHTS_BLOCK) {
        const size_t m = n - done < WEIGHTS_BLOCK ? n - done : WEIGHTS_BLOCK;
        const struct fvec block = fvec_at(w, done);
        for (size_t i = 0; i < m; i++)
            fvec_set(block, i, r);
        ops->sub(block, block, fvec_at(at, done), m);
        invert(block, m, ops, v);
        ops->mul(block, block, fvec_at(at, done), m);
        ops->scale(block, block, scale, m);
    }
}

/* r is one of the roots: its own weight is one, all others are zero. */
static void fill_indicator(struct fvec w, struct fvec at, size_t n, struct fe r)
{
    for (size_t i = 0; i < n; i++)
        fvec_set(w, i, fe_equal(fvec_get(at, i), r) ? FE_ONE : FE_ZERO);
}

static struct fe indicator_of_one(struct fe r)
{
    return fe_equal(r, FE_ONE) ? FE_ONE : FE_ZERO;
}

void weights_compute(struct weights *w, const struct roots *roots, const struct vec_ops *ops,
                     struct inverter *scratch, struct fe r)
{
    const size_t n = roots->n, n_points = roots->n_points;
    const struct fe r_n = fe_pow(r, n_points);
    const struct fe over_n = fe_inv((struct fe){.lo = n_points});
    const struct fe over_r_less_1 = fe_inv(fe_sub(r, FE_ONE));

    const struct fe s = fe_mul(fe_sub(r_n, FE_ONE), over_n); // (r^N - 1) / N
    if (fe_is_zero(s)) {
        fill_indicator(w->w, roots->at, n, r);
        w->l0 = indicator_of_one(r);
    } else {
        fill(w->w, roots->at, n, ops, scratch, r, s);
        w->l0 = fe_mul(s, over_r_less_1);
    }
    w->sum = FE_ZERO;
    for (size_t i = 0; i < n; i++)
        w->sum = fe_add(w->sum, fvec_get(w->w, i));

    const struct fvec odd = fvec_at(w->w, n), odd_at = fvec_at(roots->at, n);
    const struct fe t = fe_mul(fe_mul(s, fe_add(r_n, FE_ONE)), FE_HALF); // (r^2N - 1) / 2N
    if (fe_is_zero(t)) {
        fill_indicator(odd, odd_at, n_points, r);
        w->m0 = indicator_of_one(r);
    } else {
        fill(odd, odd_at, n_points, ops, scratch, r, t);
        w->m0 = fe_mul(t, over_r_less_1);
    }
}
