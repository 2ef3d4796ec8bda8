/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Every level of SIMD against the plain C version: the same limbs, bit for bit, for every length
 * that leaves another tail, in place and not, on skewed planes, and nothing written behind the end.
 */
#include "base/compiler.h"
#include "unit/prio/kernels/kernel_run.h"

#include <string.h>

enum { MAX_N = 67 }; // eight vectors of eight and a tail of three

static void dot_agrees_with_plain_c(void **state)
{
    struct kernel_run *run = kernel_run_start(state);
    for (size_t n = 0; n <= 200; n++) {
        const struct fvec a = run_vector(run, 0, n % 2), b = run_vector(run, 1, n % 3);
        fill_elements(run, a, n);
        fill_elements(run, b, n);
        assert_element_equal(run, "dot", n, run->ops.dot(a, b, n), run->ref.dot(a, b, n));
        fill_limbs(run, a, n);
        fill_limbs(run, b, n);
        assert_element_equal(run, "dot of loose limbs", n, run->ops.dot(a, b, n),
                             run->ref.dot(a, b, n));
    }
}

/* Accumulators are fullest when every limb is all ones; every length at which one is folded counts
 * among the small ones, and 2^19 is the longest that is promised. */
static void dot_of_all_ones_does_not_overflow(void **state)
{
    struct kernel_run *run = kernel_run_start(state);
    static const size_t sizes[] = {16383,         16384,   16385,  16384 + 96,
                                   2 * 16384 + 7, 1 << 18, RUN_MAX};
    const struct fvec a = run_vector(run, 0, 0), b = run_vector(run, 1, 0);
    for (size_t i = 0; i < RUN_MAX; i++) {
        fvec_set(a, i, (struct fe){FIELD_LO_MASK, (UINT64_C(1) << 36) - 1});
        fvec_set(b, i, fvec_get(a, i));
    }
    for (size_t n = 0; n <= 400; n++)
        assert_element_equal(run, "dot", n, run->ops.dot(a, b, n), run->ref.dot(a, b, n));
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++)
        assert_element_equal(run, "dot", sizes[i], run->ops.dot(a, b, sizes[i]),
                             run->ref.dot(a, b, sizes[i]));
}

/* One shape for the four kernels that take elements one by one. */
typedef void elementwise(const struct vec_ops *ops, struct fvec r, struct fvec a, struct fvec b,
                         size_t n);

static void mul(const struct vec_ops *ops, struct fvec r, struct fvec a, struct fvec b, size_t n)
{
    ops->mul(r, a, b, n);
}

static void add(const struct vec_ops *ops, struct fvec r, struct fvec a, struct fvec b, size_t n)
{
    ops->add(r, a, b, n);
}

static void sub(const struct vec_ops *ops, struct fvec r, struct fvec a, struct fvec b, size_t n)
{
    ops->sub(r, a, b, n);
}

static void agrees_element_by_element(struct kernel_run *run, const char *what, elementwise *op,
                                      size_t n, size_t skew)
{
    const struct fvec a = run_vector(run, 0, skew), b = run_vector(run, 1, 2 * skew);
    const struct fvec want = run_vector(run, 2, 0), got = run_vector(run, 3, skew);
    fill_elements(run, a, n);
    fill_elements(run, b, n);
    op(&run->ref, want, a, b, n);
    op(&run->ops, got, a, b, n);
    assert_elements_equal(run, what, got, want, n);
    assert_untouched(run, what, got, n, n);

    const struct fvec a2 = run_vector(run, 4, skew);
    memcpy(a2.lo, a.lo, n * sizeof *a.lo);
    memcpy(a2.hi, a.hi, n * sizeof *a.hi);
    op(&run->ops, a2, a2, b, n);
    assert_elements_equal(run, what, a2, want, n);
    assert_untouched(run, what, a2, n, n);
    op(&run->ops, b, a, b, n);
    assert_elements_equal(run, what, b, want, n);
    op(&run->ref, want, a, a, n);
    op(&run->ops, a, a, a, n);
    assert_elements_equal(run, what, a, want, n);
}

static void agrees_for_every_length(struct kernel_run *run, const char *what, elementwise *op)
{
    for (size_t n = 0; n <= MAX_N; n++) {
        agrees_element_by_element(run, what, op, n, 0);
        agrees_element_by_element(run, what, op, n, 1);
    }
    for (int round = 0; round < 20; round++)
        agrees_element_by_element(run, what, op, 2048, 0);
}

static void mul_agrees_with_plain_c(void **state)
{
    agrees_for_every_length(kernel_run_start(state), "mul", mul);
}

static void add_agrees_with_plain_c(void **state)
{
    agrees_for_every_length(kernel_run_start(state), "add", add);
}

static void sub_agrees_with_plain_c(void **state)
{
    agrees_for_every_length(kernel_run_start(state), "sub", sub);
}

static void scale_agrees_with_plain_c(void **state)
{
    struct kernel_run *run = kernel_run_start(state);
    for (size_t n = 0; n <= 4 * MAX_N; n++) {
        const struct fvec a = run_vector(run, 0, n % 2), want = run_vector(run, 1, 0);
        const struct fvec got = run_vector(run, 2, n % 3);
        const struct fe s = random_element(run);
        fill_elements(run, a, n);
        run->ref.scale(want, a, s, n);
        run->ops.scale(got, a, s, n);
        assert_elements_equal(run, "scale", got, want, n);
        assert_untouched(run, "scale", got, n, n);
        run->ops.scale(a, a, s, n);
        assert_elements_equal(run, "scale in place", a, want, n);
        assert_untouched(run, "scale in place", a, n, n);
    }
}

typedef void stage(struct fvec x, size_t n, size_t half, struct fvec w);

static void stage_agrees(struct kernel_run *run, const char *what, stage *ref, stage *fast)
{
    for (size_t half = 1; half <= 1024; half *= 2) {
        for (size_t blocks = 0; blocks <= 5 && 2 * half * blocks <= 4000; blocks++) {
            const size_t n = 2 * half * blocks;
            const struct fvec want = run_vector(run, 0, 0), got = run_vector(run, 1, blocks % 2);
            const struct fvec w = run_vector(run, 2, blocks % 3);
            fill_elements(run, want, n);
            fill_elements(run, w, half);
            memcpy(got.lo, want.lo, n * sizeof *got.lo);
            memcpy(got.hi, want.hi, n * sizeof *got.hi);
            ref(want, n, half, w);
            fast(got, n, half, w);
            assert_elements_equal(run, what, got, want, n);
            assert_untouched(run, what, got, n, n);
        }
    }
}

static void dif_agrees_with_plain_c(void **state)
{
    struct kernel_run *run = kernel_run_start(state);
    stage_agrees(run, "dif", run->ref.dif, run->ops.dif);
}

static void dit_agrees_with_plain_c(void **state)
{
    struct kernel_run *run = kernel_run_start(state);
    stage_agrees(run, "dit", run->ref.dit, run->ops.dit);
}

/* Eight entries of a twiddle table: 1 at j = 0, anything elsewhere. */
static void fill_twiddles(struct kernel_run *run, struct fvec w)
{
    fill_elements(run, w, 8);
    for (size_t half = 1; half < 8; half *= 2)
        fvec_set(w, half, FE_ONE);
}

static void middle_agrees_with_plain_c(void **state)
{
    struct kernel_run *run = kernel_run_start(state);
    for (size_t n = 0; n <= 400; n += 8) {
        const struct fvec want = run_vector(run, 0, 0), got = run_vector(run, 1, n / 8 % 2);
        const struct fvec c = run_vector(run, 2, n / 8 % 3);
        const struct fvec wi = run_vector(run, 3, 1), wf = run_vector(run, 4, 0);
        fill_elements(run, want, n);
        fill_elements(run, c, n);
        fill_twiddles(run, wi);
        fill_twiddles(run, wf);
        memcpy(got.lo, want.lo, n * sizeof *got.lo);
        memcpy(got.hi, want.hi, n * sizeof *got.hi);
        run->ref.middle(want, c, n, wi, wf);
        run->ops.middle(got, c, n, wi, wf);
        assert_elements_equal(run, "middle", got, want, n);
        assert_untouched(run, "middle", got, n, n);
    }
}

struct fenced {
    struct fvec v;
    size_t n;
};

static struct fenced fenced_vector(struct kernel_run *run, size_t n)
{
    struct fenced f = {.n = n};
    f.v.lo = (uint64_t *)(void *)fenced_new(n * sizeof *f.v.lo);
    f.v.hi = (uint64_t *)(void *)fenced_new(n * sizeof *f.v.hi);
    fill_elements(run, f.v, n);
    return f;
}

static void fenced_vector_free(struct fenced f)
{
    fenced_free((uint8_t *)f.v.lo, f.n * sizeof *f.v.lo);
    fenced_free((uint8_t *)f.v.hi, f.n * sizeof *f.v.hi);
}

/* A page that must not be touched begins right behind every vector. */
static void nothing_is_read_behind_a_vector(void **state)
{
    struct kernel_run *run = kernel_run_start(state);
    for (size_t n = 1; n <= 80; n++) {
        const struct fenced a = fenced_vector(run, n), b = fenced_vector(run, n);
        (void)run->ops.dot(a.v, b.v, n);
        run->ops.mul(a.v, a.v, b.v, n);
        run->ops.scale(a.v, a.v, FE_HALF, n);
        run->ops.add(a.v, a.v, b.v, n);
        run->ops.sub(a.v, a.v, b.v, n);
        for (size_t half = 1; half <= n / 2; half *= 2) {
            const struct fenced w = fenced_vector(run, half);
            const size_t whole = n - n % (2 * half);
            const struct fvec x = fvec_at(a.v, n - whole); // ends at the fence
            run->ops.dif(x, whole, half, w.v);
            run->ops.dit(x, whole, half, w.v);
            fenced_vector_free(w);
        }
        const struct fenced w = fenced_vector(run, 8);
        fill_twiddles(run, w.v);
        run->ops.middle(fvec_at(a.v, n % 8), fvec_at(b.v, n % 8), n - n % 8, w.v, w.v);
        fenced_vector_free(w);
        fenced_vector_free(a);
        fenced_vector_free(b);
    }
}

static const struct CMUnitTest promises[] = {
    cmocka_unit_test(dot_agrees_with_plain_c),
    cmocka_unit_test(dot_of_all_ones_does_not_overflow),
    cmocka_unit_test(mul_agrees_with_plain_c),
    cmocka_unit_test(scale_agrees_with_plain_c),
    cmocka_unit_test(add_agrees_with_plain_c),
    cmocka_unit_test(sub_agrees_with_plain_c),
    cmocka_unit_test(dif_agrees_with_plain_c),
    cmocka_unit_test(dit_agrees_with_plain_c),
    cmocka_unit_test(middle_agrees_with_plain_c),
    cmocka_unit_test(nothing_is_read_behind_a_vector),
};

int main(void)
{
    return kernel_runs_all("prio/kernels/vec", promises, ARRAY_LEN(promises));
}
