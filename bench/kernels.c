/* SPDX-License-Identifier: MPL-2.0 */
/*
 * kernels.c - every kernel on every level this CPU has: nanoseconds a call, times faster than plain
 * C, and times slower than a limit that no version can pass.
 *
 * The limit is the slower of two. One is arithmetic: the multiplications of each product and the
 * three instructions that a sum takes at the least, over how many of them a core starts in one
 * cycle. The other is moving every operand once, 64 bytes a cycle. Splitting into limbs, carries
 * and reduction are not in it; they are what the versions differ by. The clock is measured, not
 * read: a chain of dependent additions runs one a cycle.
 */
#include "base/compiler.h"
#include "base/cpu.h"
#include "prio/kernels/vec.h"
#include "timing.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    N = 4048,     // data and h points of a share for n_data = 2000
    N_NTT = 2048, // points of its polynomials
    ATTEMPTS = 2 * N + 400,
    CHAIN = 1000, // additions
    ROUNDS = 100,
};

struct bench {
    struct vec_ops ops;
    struct fvec a, b, r, w, twiddles;
    uint8_t *stream, *wire;
    struct fe sink;
};

static void run_dot(struct bench *b)
{
    b->sink = b->ops.dot(b->a, b->b, N);
}

static void run_mul(struct bench *b)
{
    b->ops.mul(b->r, b->a, b->b, N);
}

static void run_scale(struct bench *b)
{
    b->ops.scale(b->r, b->a, FE_HALF, N);
}

static void run_add(struct bench *b)
{
    b->ops.add(b->r, b->a, b->b, N);
}

static void run_sub(struct bench *b)
{
    b->ops.sub(b->r, b->a, b->b, N);
}

static void run_transforms(struct bench *b)
{
    for (size_t half = N_NTT / 2; half >= 8; half /= 2)
        b->ops.dif(b->r, N_NTT, half, fvec_at(b->twiddles, half));
    b->ops.middle(b->r, b->b, N_NTT, b->twiddles, b->twiddles);
    for (size_t half = 8; half < N_NTT; half *= 2)
        b->ops.dit(b->r, N_NTT, half, fvec_at(b->twiddles, half));
}

static void run_middle(struct bench *b)
{
    b->ops.middle(b->r, b->b, N_NTT, b->twiddles, b->twiddles);
}

static void run_sample(struct bench *b)
{
    if (b->ops.sample(b->r, N, b->stream, ATTEMPTS) != N)
        abort();
}

/* One element in 128 is shorter than the rest; what it costs the caller is not measured here. */
static void run_decode(struct bench *b)
{
    const uint8_t *in = b->wire, *end = b->wire + 12 * N;
    for (size_t stored = 0; stored < N; stored++, in += 12) {
        const size_t more = b->ops.decode(fvec_at(b->r, stored), N - stored, in, end);
        stored += more;
        in += 12 * more;
    }
}

/* How many multiplications a product takes, and how many of them and of the simpler instructions a
 * core starts in one cycle. */
struct level {
    const char *name;
    unsigned cpu;
    double lanes, products, product_per_cycle, per_cycle;
};

static const struct level levels[] = {
    {"c", 0, 1, 4, 1, 4},
    {"avx2", CPU_AVX2, 4, 9, 2, 3},
    {"avx512", CPU_AVX2 | CPU_AVX512, 8, 9, 2, 2},
    {"avx512ifma", CPU_AVX2 | CPU_AVX512 | CPU_AVX512_IFMA, 8, 8, 2, 2},
};

struct kernel {
    const char *name;
    void (*run)(struct bench *b);
    double products, sums; // of elements
    double bytes;          // of its operands
};

enum {
    ELEMENT = 16,                     // bytes in memory
    INSTRUCTIONS_A_SUM = 3,           // two limbs, and a comparison to reduce by
    MIDDLE = N_NTT / 8 * (2 * 5 + 8), // products: five twiddles are not one, eight factors between
};

static const struct kernel kernels[] = {
    {"dot 4048", run_dot, N, 0, 2 * N *ELEMENT},
    {"mul 4048", run_mul, N, 0, 3 * N *ELEMENT},
    {"scale 4048", run_scale, N, 0, 2 * N *ELEMENT},
    {"add 4048", run_add, 0, N, 3 * N *ELEMENT},
    {"sub 4048", run_sub, 0, N, 3 * N *ELEMENT},
    {"transforms 2048", run_transforms, 8 * N_NTT + MIDDLE, 22 * N_NTT, 5 * N_NTT *ELEMENT},
    {"middle 2048", run_middle, MIDDLE, 6 * N_NTT, 3 * N_NTT *ELEMENT},
    {"sample 4048", run_sample, 0, 0, 2 * N * 12 + N *ELEMENT},
    {"decode 4048", run_decode, 0, 0, N * 12 + N *ELEMENT},
};

static double limit_cycles(const struct kernel *k, const struct level *l)
{
    const double arithmetic = (k->products * l->products / l->product_per_cycle +
                               k->sums * INSTRUCTIONS_A_SUM / l->per_cycle) /
                              l->lanes;
    const double moving = k->bytes / 64;
    return arithmetic > moving ? arithmetic : moving;
}

/* Nanoseconds a call over a batch that is long enough for the clock. */
static double batch_ns(struct bench *b, void (*run)(struct bench *b), size_t calls)
{
    const double start = cpu_us();
    for (size_t i = 0; i < calls; i++)
        run(b);
    return (cpu_us() - start) * 1e3 / (double)calls;
}

static void run_chain(struct bench *b)
{
    uint64_t x = b->sink.lo;
    for (int i = 0; i < CHAIN; i++) {
        x += 3;
        __asm__ volatile("" : "+r"(x)); // one addition after the other
    }
    b->sink.lo = x;
}

static uint64_t random_bits(uint64_t *state)
{
    uint64_t x = *state += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

static void fill(struct fvec v, size_t n, uint64_t *state)
{
    for (size_t i = 0; i < n; i++)
        fvec_set(
            v, i,
            (struct fe){random_bits(state) & FIELD_LO_MASK, random_bits(state) & (FIELD_P_HI - 1)});
}

static bool bench_init(struct bench *b)
{
    *b = (struct bench){.a = fvec_new(N),
                        .b = fvec_new(N),
                        .r = fvec_new(N),
                        .twiddles = fvec_new(N_NTT),
                        .stream = malloc(12 * ATTEMPTS + VEC_SLACK),
                        .wire = malloc(12 * N + VEC_SLACK)};
    if (!b->a.lo || !b->b.lo || !b->r.lo || !b->twiddles.lo || !b->stream || !b->wire)
        return false;
    uint64_t state = 1;
    fill(b->a, N, &state);
    fill(b->b, N, &state);
    fill(b->r, N, &state);
    fill(b->twiddles, N_NTT, &state);
    for (size_t half = 1; half < 8; half *= 2)
        fvec_set(b->twiddles, half, FE_ONE);
    for (size_t i = 0; i < 12 * ATTEMPTS + VEC_SLACK; i++)
        b->stream[i] = (uint8_t)random_bits(&state);
    for (size_t i = 0; i < N; i++) {
        b->wire[12 * i] = i % 128 == 127 ? 0xaa : 0xab;
        fe_to_bytes(b->wire + 12 * i + 1, fvec_get(b->a, i));
    }
    return true;
}

static void bench_deinit(struct bench *b)
{
    fvec_free(b->a, N);
    fvec_free(b->b, N);
    fvec_free(b->r, N);
    fvec_free(b->twiddles, N_NTT);
    free(b->stream);
    free(b->wire);
}

struct figure {
    const struct kernel *kernel;
    const struct level *level;
    size_t calls;
    double ns;
};

/* The fastest of many batches, taken in turns: other work on the machine comes in bursts, and only
 * ever adds. */
static void measure(struct bench *b, struct figure *figures, size_t n, double *ns_a_cycle)
{
    const double batch = 1e5; // ns
    for (int round = 0; round < ROUNDS; round++) {
        for (size_t i = 0; i < n; i++) {
            struct figure *f = &figures[i];
            vec_ops_init(&b->ops, f->level->cpu);
            const double ns = batch_ns(b, f->kernel->run, f->calls);
            f->ns = round == 0 || ns < f->ns ? ns : f->ns;
            f->calls = f->ns < batch ? (size_t)(batch / f->ns) : 1;
        }
        const double chain = batch_ns(b, run_chain, 100) / CHAIN;
        *ns_a_cycle = round == 0 || chain < *ns_a_cycle ? chain : *ns_a_cycle;
    }
}

static void report(const struct figure *figures, size_t n, double ns_a_cycle)
{
    printf("kernels at %.2f GHz\n%-16s %-11s %10s %14s %10s %9s\n", 1 / ns_a_cycle, "kernel",
           "level", "ns", "faster than c", "limit ns", "x limit");
    double plain = 0;
    for (const struct figure *f = figures; f < figures + n; f++) {
        const double limit = limit_cycles(f->kernel, f->level) * ns_a_cycle;
        plain = f->level->cpu == 0 ? f->ns : plain;
        printf("%-16s %-11s %10.0f %13.1fx %10.0f %8.1fx\n", f->kernel->name, f->level->name, f->ns,
               plain / f->ns, limit, f->ns / limit);
    }
}

int main(void)
{
    struct bench b;
    if (!bench_init(&b)) {
        fputs("bench: out of memory\n", stderr);
        return 1;
    }
    struct figure figures[ARRAY_LEN(kernels) * ARRAY_LEN(levels)];
    size_t n = 0;
    for (size_t k = 0; k < ARRAY_LEN(kernels); k++) {
        for (size_t l = 0; l < ARRAY_LEN(levels); l++)
            if ((cpu_detect() & levels[l].cpu) == levels[l].cpu)
                figures[n++] = (struct figure){&kernels[k], &levels[l], 1, 0};
    }
    double ns_a_cycle = 0;
    measure(&b, figures, n, &ns_a_cycle);
    report(figures, n, ns_a_cycle);
    bench_deinit(&b);
    return 0;
}
