/*
 * kernel_run.h - what the kernel tests share: the levels of SIMD, a random stream that can be
 * repeated, operands that look for trouble, memory that ends at a forbidden page.
 */
#pragma once

// cmocka.h needs the types of the headers above it.
// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#include "prio/kernels/vec.h"

enum {
    RUN_MAX = 1 << 19, // elements of the longest vector
    RUN_GUARD = 24,    // elements behind each vector that are watched; more than VEC_PAD
    RUN_VECTORS = 6,
};

struct kernel_run {
    const char *level;
    unsigned needs;                       // cpu_feature bits this CPU must have
    void (*overlay)(struct vec_ops *ops); // put over the levels of `needs`, if any
    struct vec_ops ref, ops;
    uint64_t seed, random;
    struct fvec storage[RUN_VECTORS];
};

/** Run every promise once for every level but plain C: the main of a test program. */
int kernel_runs_all(const char *group, const struct CMUnitTest *promises, size_t n_promises);
/** Run every promise once, for plain C. */
int kernel_runs_plain(const char *group, const struct CMUnitTest *promises, size_t n_promises);

/** Skip the test, by name, when this CPU lacks the level; start its random stream afresh. */
struct kernel_run *kernel_run_start(void **state);

/** 64 random bits. WEIR_TEST_SEED picks another stream; the seed is printed with every failure. */
uint64_t run_random(struct kernel_run *run);

/** Vector number `slot`, `skew` elements off a cache line, filled with a pattern. */
struct fvec run_vector(struct kernel_run *run, int slot, size_t skew);

/** Canonical elements: one in three at the edge of something (0, 1, p - 1, full limbs), the rest
 * uniform. */
void fill_elements(struct kernel_run *run, struct fvec v, size_t n);
/** Any limbs of 52 and 36 bits, one in three all ones or zero. */
void fill_limbs(struct kernel_run *run, struct fvec v, size_t n);
struct fe random_element(struct kernel_run *run);

void assert_element_equal(struct kernel_run *run, const char *what, size_t n, struct fe got,
                          struct fe want);
void assert_elements_equal(struct kernel_run *run, const char *what, struct fvec got,
                           struct fvec want, size_t n);
/** v still holds run_vector's pattern from element `from` to RUN_GUARD elements behind n. */
void assert_untouched(struct kernel_run *run, const char *what, struct fvec v, size_t n,
                      size_t from);

/** size bytes, the last of them at the end of a page behind which nothing may be touched. */
uint8_t *fenced_new(size_t size);
void fenced_free(uint8_t *p, size_t size);
