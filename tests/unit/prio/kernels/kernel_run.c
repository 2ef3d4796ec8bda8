/* SPDX-License-Identifier: MPL-2.0 */
#include "unit/prio/kernels/kernel_run.h"

#include "base/compiler.h"
#include "base/cpu.h"
#include "unit/prio/kernels/levels.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PATTERN UINT64_C(0xa5a5a5a5a5a5a5a5)

#ifdef WEIR_X86_64
enum { NEEDS_AVX512 = CPU_AVX2 | CPU_AVX512 };
#endif

static struct kernel_run runs[] = {
    {.level = "c"},
#ifdef WEIR_X86_64
    {.level = "avx2", .needs = CPU_AVX2},
    {.level = "avx512", .needs = NEEDS_AVX512},
    {.level = "avx512ifma", .needs = NEEDS_AVX512 | CPU_AVX512_IFMA},
    {.level = "avx512ifma with its multiplier emulated",
     .needs = NEEDS_AVX512,
     .overlay = vec_ops_overlay_emulated},
#endif
};

/* One storage serves all runs, which come one after the other. */
static int runs_setup(void **state)
{
    (void)state;
    for (int slot = 0; slot < RUN_VECTORS; slot++) {
        const struct fvec v = fvec_new(RUN_MAX + RUN_GUARD);
        if (v.lo == NULL)
            return -1;
        for (size_t i = 0; i < ARRAY_LEN(runs); i++)
            runs[i].storage[slot] = v;
    }
    return 0;
}

static int runs_teardown(void **state)
{
    (void)state;
    for (int slot = 0; slot < RUN_VECTORS; slot++)
        fvec_free(runs[0].storage[slot], RUN_MAX + RUN_GUARD);
    return 0;
}

static int run_levels(size_t first, size_t end, const char *group,
                      const struct CMUnitTest *promises, size_t n_promises)
{
    enum { MAX_PROMISES = 16 };
    static char names[ARRAY_LEN(runs) * MAX_PROMISES][120];
    struct CMUnitTest tests[ARRAY_LEN(runs) * MAX_PROMISES];
    size_t n = 0;
    for (size_t i = first; i < end; i++) {
        for (size_t k = 0; k < n_promises && k < MAX_PROMISES; k++, n++) {
            snprintf(names[n], sizeof names[n], "%s (%s)", promises[k].name, runs[i].level);
            tests[n] = promises[k];
            tests[n].name = names[n];
            tests[n].initial_state = &runs[i];
        }
    }
    return _cmocka_run_group_tests(group, tests, n, runs_setup, runs_teardown);
}

int kernel_runs_all(const char *group, const struct CMUnitTest *promises, size_t n_promises)
{
    return run_levels(1, ARRAY_LEN(runs), group, promises, n_promises);
}

int kernel_runs_plain(const char *group, const struct CMUnitTest *promises, size_t n_promises)
{
    return run_levels(0, 1, group, promises, n_promises);
}

struct kernel_run *kernel_run_start(void **state)
{
    struct kernel_run *run = *state;
    if ((cpu_detect() & run->needs) != run->needs)
        skip();
    vec_ops_init(&run->ref, 0);
    vec_ops_init(&run->ops, run->needs);
    if (run->overlay != NULL)
        run->overlay(&run->ops);
    const char *seed = getenv("WEIR_TEST_SEED");
    run->seed = seed != NULL ? strtoull(seed, NULL, 0) : 1;
    run->random = run->seed;
    return run;
}

uint64_t run_random(struct kernel_run *run) // splitmix64
{
    uint64_t x = run->random += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

struct fvec run_vector(struct kernel_run *run, int slot, size_t skew)
{
    const struct fvec v = run->storage[slot];
    for (size_t i = 0; i < 4096; i++)
        fvec_set(v, i, (struct fe){PATTERN, PATTERN});
    return fvec_at(v, skew);
}

/* Limbs of 52 and 36 bits, and of the 29 bits that some levels multiply in, at their ends. */
static const struct fe EDGES[] = {
    {0, 0},
    {1, 0},
    {2, 0},
    {FIELD_P_LO - 1, FIELD_P_HI}, // p - 1
    {FIELD_P_LO - 2, FIELD_P_HI}, // p - 2
    {0, FIELD_P_HI},              // 2^87
    {FIELD_LO_MASK, FIELD_P_HI - 1},
    {FIELD_LO_MASK, 0},
    {FIELD_P_LO, 0},
    {FIELD_P_LO - 1, 0},
    {FIELD_P_LO + 1, 0},
    {FIELD_LO_MASK - FIELD_P_LO, 0},
    {FIELD_LO_MASK - FIELD_P_LO + 1, 0},
    {FIELD_LO_MASK - FIELD_P_LO + 2, FIELD_P_HI - 1},
    {0, 1},
    {0, FIELD_P_HI - 1},
    {FIELD_LO_MASK, 1},
    {FIELD_P_LO, FIELD_P_HI - 1},
    {(1 << 18) + 1, FIELD_P_HI / 2}, // 1/2
    {(1 << 29) - 1, 0},              // one limb of 29 bits, then the other two
    {FIELD_LO_MASK & ~UINT64_C(0x1fffffff), 0x3f},
    {0, FIELD_P_HI - 64},
    {(1 << 29) - 1, FIELD_P_HI - 64},
};

struct fe random_element(struct kernel_run *run)
{
    if (run_random(run) % 3 == 0)
        return EDGES[run_random(run) % ARRAY_LEN(EDGES)];
    const struct fe x = {run_random(run) & FIELD_LO_MASK, run_random(run) % (FIELD_P_HI + 1)};
    return x.hi < FIELD_P_HI || x.lo < FIELD_P_LO ? x : FE_ZERO;
}

void fill_elements(struct kernel_run *run, struct fvec v, size_t n)
{
    for (size_t i = 0; i < n; i++)
        fvec_set(v, i, random_element(run));
}

void fill_limbs(struct kernel_run *run, struct fvec v, size_t n)
{
    const uint64_t hi_mask = (UINT64_C(1) << 36) - 1;
    for (size_t i = 0; i < n; i++) {
        const uint64_t pick = run_random(run) % 12;
        v.lo[i] = pick == 0 ? 0 : pick < 4 ? FIELD_LO_MASK : run_random(run) & FIELD_LO_MASK;
        v.hi[i] = pick == 1 ? 0 : pick < 5 ? hi_mask : run_random(run) & hi_mask;
    }
}

static void fail_with(struct kernel_run *run, const char *what, size_t n)
{
    fail_msg("%s, %s, n = %zu: repeat with WEIR_TEST_SEED=%" PRIu64, run->level, what, n,
             run->seed);
}

void assert_element_equal(struct kernel_run *run, const char *what, size_t n, struct fe got,
                          struct fe want)
{
    if (fe_equal(got, want))
        return;
    print_error("got  %09" PRIx64 " %013" PRIx64 "\nwant %09" PRIx64 " %013" PRIx64 "\n", got.hi,
                got.lo, want.hi, want.lo);
    fail_with(run, what, n);
}

void assert_elements_equal(struct kernel_run *run, const char *what, struct fvec got,
                           struct fvec want, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (fe_equal(fvec_get(got, i), fvec_get(want, i)))
            continue;
        print_error("element %zu\n", i);
        assert_element_equal(run, what, n, fvec_get(got, i), fvec_get(want, i));
    }
}

void assert_untouched(struct kernel_run *run, const char *what, struct fvec v, size_t n,
                      size_t from)
{
    for (size_t i = from; i < n + RUN_GUARD; i++) {
        if (v.lo[i] == PATTERN && v.hi[i] == PATTERN)
            continue;
        print_error("element %zu was written\n", i);
        fail_with(run, what, n);
    }
}

static size_t fenced_pages(size_t size)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    return (size + page - 1) / page * page;
}

uint8_t *fenced_new(size_t size)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE), inside = fenced_pages(size);
    uint8_t *p =
        mmap(NULL, inside + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(p != MAP_FAILED);
    assert_int_equal(mprotect(p + inside, page, PROT_NONE), 0);
    return p + inside - size;
}

void fenced_free(uint8_t *p, size_t size)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE), inside = fenced_pages(size);
    assert_int_equal(munmap(p + size - inside, inside + page), 0);
}
