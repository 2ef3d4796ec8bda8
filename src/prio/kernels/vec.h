/*
 * vec.h - vectors of field elements, and the table of kernels over them.
 *
 * A vector is two planes of limbs (field.h): lo[i] holds the low 52 bits of element i, hi[i] the
 * high 36. Every version of a kernel returns the same values bit for bit; vec.c is the readable
 * one. Lengths are any number >= 0; planes need no alignment, but those of fvec_new start on a
 * cache line.
 */
#pragma once

#include "prio/field.h"

enum {
    VEC_PAD = 16, // elements behind a vector that a kernel may overwrite where its contract says so
    VEC_SLACK = 64, // readable bytes behind an input of bytes
};

struct fvec {
    uint64_t *lo, *hi;
};

static inline struct fvec fvec_at(struct fvec v, size_t i)
{
    return (struct fvec){v.lo + i, v.hi + i};
}

static inline struct fe fvec_get(struct fvec v, size_t i)
{
    return (struct fe){v.lo[i], v.hi[i]};
}

static inline void fvec_set(struct fvec v, size_t i, struct fe x)
{
    v.lo[i] = x.lo;
    v.hi[i] = x.hi;
}

/* Time, for all of these: no branch or address depends on an element, but for what is rejected in
 * sample and decode (prio-v1.md 16.10). */
struct vec_ops {
    /**
     * Sum of a[i] * b[i] for i < n, reduced. Accumulates unreduced products.
     * Range: lo < 2^52 and hi < 2^36, canonical or not; n <= 2^19. Output canonical.
     * Source: prio-v1.md 6.1; when the accumulators are folded is each version's business.
     */
    struct fe (*dot)(struct fvec a, struct fvec b, size_t n);
    /** r[i] = a[i] * b[i]. Range: canonical in and out. r may be a or b. */
    void (*mul)(struct fvec r, struct fvec a, struct fvec b, size_t n);
    /** r[i] = a[i] * s. Range: canonical in and out. r may be a. */
    void (*scale)(struct fvec r, struct fvec a, struct fe s, size_t n);
    /** r[i] = a[i] + b[i]. Range: canonical in and out. r may be a or b. */
    void (*add)(struct fvec r, struct fvec a, struct fvec b, size_t n);
    /** r[i] = a[i] - b[i]. Range: canonical in and out. r may be a or b. */
    void (*sub)(struct fvec r, struct fvec a, struct fvec b, size_t n);
    /**
     * One decimation-in-frequency stage over all n / (2 half) blocks of x:
     * (u, v) -> (u + v, (u - v) * w[j]) for u = x[j], v = x[j + half].
     * Shape: x is [n], n a multiple of 2 half; w is [half]; half a power of two >= 1.
     * Range: canonical in and out.
     */
    void (*dif)(struct fvec x, size_t n, size_t half, struct fvec w);
    /**
     * One decimation-in-time stage: (u, v) -> (u + v * w[j], u - v * w[j]).
     * Shape and range: as in dif.
     */
    void (*dit)(struct fvec x, size_t n, size_t half, struct fvec w);
    /**
     * On every block of eight: dif with half 4, 2, 1, then x[i] *= c[i], then dit with half 1, 2,
     * 4. These are the three innermost stages of both transforms of the client and what stands
     * between them, in one pass.
     * Shape: x and c are [n], n a multiple of 8; wi and wf are twiddle tables as in ntt.h: entry
     * half + j, which is 1 where j is 0, so that no version needs to multiply there.
     * Range: canonical in and out.
     */
    void (*middle)(struct fvec x, struct fvec c, size_t n, struct fvec wi, struct fvec wf);
    /**
     * Rejection sampling from a key stream: attempt k is the twelve bytes at stream + 12 k, its
     * value s11 s1 s2 .. s10 big-endian; values below p are stored in order until `want` are stored
     * or n_attempts are used up.
     * Shape: VEC_SLACK readable bytes behind the stream; VEC_PAD elements behind out[want] may be
     * overwritten.
     * @return elements stored.
     * Source: prio-v1.md section 3.
     */
    size_t (*sample)(struct fvec out, size_t want, const uint8_t *stream, size_t n_attempts);
    /**
     * Read elements in their usual form, ab and 11 bytes big-endian, from in to end, until `want`
     * are stored or something else (another header, a value >= p, fewer than 12 bytes left) comes
     * up, which the caller handles.
     * Shape: VEC_SLACK readable bytes behind end; VEC_PAD elements behind out[want] may be
     * overwritten.
     * @return elements stored; 12 bytes of input were used for each.
     * Source: prio-v1.md section 2.
     */
    size_t (*decode)(struct fvec out, size_t want, const uint8_t *in, const uint8_t *end);
};

/** cpu: cpu_feature bits (base/cpu.h); 0 = plain C. */
void vec_ops_init(struct vec_ops *ops, unsigned cpu);
/**
 * The versions that make a record cheapest as a whole, which are not always the strongest.
 *
 * Server CPUs with AVX-512 but without IFMA lower their clock for the better part of a millisecond
 * after 512-bit instructions, and after dense 256-bit multiplications. Most of a record's time on a
 * server is libcrypto's, which uses neither, so there such kernels cost more than they save. The
 * client's transforms are long enough to gain.
 */
void vec_ops_choose(struct vec_ops *ops, unsigned cpu);

/**
 * n elements and VEC_PAD more behind them, all zero; 64-byte aligned planes in one allocation.
 * NULL planes when out of memory.
 */
struct fvec fvec_new(size_t n);
/** Wipes the n elements (and the pad) and frees. n as in fvec_new; a NULL vector is fine. */
void fvec_free(struct fvec v, size_t n);
