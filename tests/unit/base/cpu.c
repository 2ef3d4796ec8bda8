/* SPDX-License-Identifier: MPL-2.0 */
#include "base/cpu.h"

#include "base_test.h"

static void detection_agrees_with_the_compilers_own(void **state)
{
#if defined(__x86_64__)
    __builtin_cpu_init();
    unsigned want = 0;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2"))
        want |= CPU_AVX2;
    if (want && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
        __builtin_cpu_supports("avx512cd"))
        want |= CPU_AVX512;
    if ((want & CPU_AVX512) && __builtin_cpu_supports("avx512ifma"))
        want |= CPU_AVX512_IFMA;
    if ((want & CPU_AVX512) && __builtin_cpu_supports("avx512vbmi"))
        want |= CPU_AVX512_VBMI;
    assert_int_equal(cpu_detect(), want);
#else
    assert_int_equal(cpu_detect(), 0);
#endif
    (void)state;
}

static void levels_include_those_below(void **state)
{
    unsigned mask = 99;
    assert_int_equal(cpu_parse_level(&mask, "c", NULL), 0);
    assert_int_equal(mask, 0);
    assert_int_equal(cpu_parse_level(&mask, "avx2", NULL), 0);
    assert_int_equal(mask, CPU_AVX2);
    assert_int_equal(cpu_parse_level(&mask, "avx512", NULL), 0);
    assert_int_equal(mask, CPU_AVX2 | CPU_AVX512 | CPU_AVX512_IFMA | CPU_AVX512_VBMI);
    (void)state;
}

static void no_level_means_everything(void **state)
{
    unsigned mask = 0;
    assert_int_equal(cpu_parse_level(&mask, NULL, NULL), 0);
    assert_int_equal(mask, CPU_ALL);
    mask = 0;
    assert_int_equal(cpu_parse_level(&mask, "", NULL), 0);
    assert_int_equal(mask, CPU_ALL);
    (void)state;
}

static void unknown_levels_are_named_and_leave_the_mask(void **state)
{
    static const char *const bad[] = {"C", "AVX2", "avx", "avx2 ", "avx512ifma", "all"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        unsigned mask = 5;
        struct err err = {0};
        assert_int_equal(cpu_parse_level(&mask, bad[i], &err), E_ARG);
        assert_int_equal(mask, 5);
        assert_contains(err.text, bad[i]);
    }
    (void)state;
}

static void names_tell_the_strongest_level(void **state)
{
    assert_string_equal(cpu_level_name(0), "c");
    assert_string_equal(cpu_level_name(CPU_AVX2), "avx2");
    assert_string_equal(cpu_level_name(CPU_AVX2 | CPU_AVX512), "avx512");
    assert_string_equal(cpu_level_name(CPU_AVX2 | CPU_AVX512 | CPU_AVX512_VBMI), "avx512");
    assert_string_equal(cpu_level_name(CPU_ALL), "avx512ifma");
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(detection_agrees_with_the_compilers_own),
        cmocka_unit_test(levels_include_those_below),
        cmocka_unit_test(no_level_means_everything),
        cmocka_unit_test(unknown_levels_are_named_and_leave_the_mask),
        cmocka_unit_test(names_tell_the_strongest_level),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
