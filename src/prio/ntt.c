/* SPDX-License-Identifier: MPL-2.0 */
#include "prio/ntt.h"

#include "weir/prio.h"

enum { CACHED = 2048 }; // elements: 32 KiB and as much of tables

/* Doubling: the second half of 2c powers is the first times w^c. */
void roots_fill(struct fvec r, const struct vec_ops *ops, uint32_t m, size_t count)
{
    struct fe w = fe_root(m); // w_m^done
    if (count > 0)
        fvec_set(r, 0, FE_ONE);
    for (size_t done = 1; done < count; done *= 2) {
        const size_t more = done < count - done ? done : count - done;
        ops->scale(fvec_at(r, done), r, w, more);
        w = fe_mul(w, w);
    }
}

static size_t bit_reverse(size_t k, size_t n)
{
    size_t r = 0;
    for (size_t bit = 1; bit < n; bit *= 2)
        r = 2 * r + ((k & bit) != 0);
    return r;
}

/* powers: w_{2n}^k for k < n. Its even entries are the powers of w_n, and w_n^(-j) = -w_n^(n/2 -
 * j). */
static void fill_tables(struct ntt *t, struct fvec powers)
{
    const size_t n = t->n;
    for (size_t half = 1; half < n; half *= 2) {
        const size_t step = n / half; // w_{2 half} = w_{2n}^step
        for (size_t j = 0; j < half; j++) {
            fvec_set(t->forward, half + j, fvec_get(powers, j * step));
            fvec_set(t->inverse, half + j,
                     j == 0 ? FE_ONE : fe_neg(fvec_get(powers, (half - j) * step)));
        }
    }
    const struct fe scale = fe_inv((struct fe){.lo = n});
    for (size_t k = 0; k < n; k++)
        fvec_set(t->shift, bit_reverse(k, n), fe_mul(fvec_get(powers, k), scale));
}

int ntt_init(struct ntt *t, const struct vec_ops *ops, size_t n)
{
    *t = (struct ntt){.n = n, .forward = fvec_new(n), .inverse = fvec_new(n), .shift = fvec_new(n)};
    struct fvec powers = fvec_new(n);
    const bool ok = t->forward.lo && t->inverse.lo && t->shift.lo && powers.lo;
    if (ok) {
        roots_fill(powers, ops, (uint32_t)(2 * n), n);
        fill_tables(t, powers);
    }
    fvec_free(powers, n);
    if (!ok)
        ntt_deinit(t);
    return ok ? PRIO_OK : PRIO_E_NOMEM;
}

void ntt_deinit(struct ntt *t)
{
    fvec_free(t->forward, t->n);
    fvec_free(t->inverse, t->n);
    fvec_free(t->shift, t->n);
    *t = (struct ntt){0};
}

/*
 * A block that does not fit the first two levels of cache is halved first: after one stage its
 * halves are transforms of their own, whose scaled coefficients stand in the matching halves of
 * `shift`.
 */
static void block_to_odd(const struct ntt *t, const struct vec_ops *ops, struct fvec x,
                         struct fvec shift, size_t n)
{
    const size_t inner = n < 8 ? 1 : 8; // blocks that `middle` takes over
    size_t half = n / 2;
    if (n > CACHED) {
        ops->dif(x, n, half, fvec_at(t->inverse, half));
        block_to_odd(t, ops, x, shift, half);
        block_to_odd(t, ops, fvec_at(x, half), fvec_at(shift, half), half);
        ops->dit(x, n, half, fvec_at(t->forward, half));
        return;
    }
    for (; half >= inner; half /= 2)
        ops->dif(x, n, half, fvec_at(t->inverse, half));
    if (inner == 8)
        ops->middle(x, shift, n, t->inverse, t->forward);
    else
        ops->mul(x, x, shift, n);
    for (half = inner; half < n; half *= 2)
        ops->dit(x, n, half, fvec_at(t->forward, half));
}

void ntt_to_odd(const struct ntt *t, const struct vec_ops *ops, struct fvec x)
{
    block_to_odd(t, ops, x, t->shift, t->n);
}
