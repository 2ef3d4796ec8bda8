/* cpu.h - what this CPU can do, as bits that kernels are chosen by. */
#pragma once

#include "base/err.h"

enum cpu_feature {
    CPU_AVX2 = 1u << 0,        // AVX2 and BMI2
    CPU_AVX512 = 1u << 1,      // F, DQ, BW, VL and CD together; never without CPU_AVX2
    CPU_AVX512_IFMA = 1u << 2, // vpmadd52; never without CPU_AVX512
    CPU_AVX512_VBMI = 1u << 3, // vpermb; never without CPU_AVX512
    CPU_ALL = 0xfu,
};

/** Bits of cpu_feature that the CPU and the operating system (XGETBV) both support. */
unsigned cpu_detect(void);

/**
 * Read the text of WEIR_CPU / --cpu: "c", "avx2", "avx512"; a level includes those below it,
 * "avx512" everything of that family. NULL or "" means all. @return 0 and *mask to AND with
 * cpu_detect(), or E_ARG.
 */
MUST_CHECK int cpu_parse_level(unsigned *mask, const char *text, struct err *err);

/** "avx512ifma", "avx512", "avx2" or "c": the strongest level in bits, for humans. */
const char *cpu_level_name(unsigned bits);
