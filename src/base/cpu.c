/* SPDX-License-Identifier: MPL-2.0 */
/*
 * A feature counts only when the operating system saves the registers it uses, which XCR0 tells. A
 * kernel or hypervisor that hides AVX-512 state would otherwise let the first such instruction kill
 * the process.
 */
#include "base/cpu.h"

#include <stddef.h>
#include <string.h>

#if defined(__x86_64__) || defined(__i386__)

#include <cpuid.h>
#include <stdint.h>

enum {
    XCR0_YMM = 0x06, // SSE and AVX state
    XCR0_ZMM = 0xe6, // the same, opmask, upper halves of ZMM0-15, ZMM16-31
    LEAF1_ECX_WANT = bit_OSXSAVE | bit_AVX,
    LEAF7_EBX_AVX2 = bit_AVX2 | bit_BMI2,
};
#define LEAF7_EBX_AVX512                                                                           \
    (bit_AVX512F | bit_AVX512DQ | bit_AVX512BW | bit_AVX512CD | (unsigned)bit_AVX512VL)

static uint64_t read_xcr0(void)
{
    uint32_t low, high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return (uint64_t)high << 32 | low;
}

unsigned cpu_detect(void)
{
    unsigned eax, ebx, ecx, edx;
    if (!__get_cpuid(1, &eax, &ebx, &ecx, &edx) || (ecx & LEAF1_ECX_WANT) != LEAF1_ECX_WANT)
        return 0;
    const uint64_t xcr0 = read_xcr0();
    if (!__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx))
        return 0;

    unsigned bits = 0;
    if ((xcr0 & XCR0_YMM) == XCR0_YMM && (ebx & LEAF7_EBX_AVX2) == LEAF7_EBX_AVX2)
        bits |= CPU_AVX2;
    if ((bits & CPU_AVX2) && (xcr0 & XCR0_ZMM) == XCR0_ZMM &&
        (ebx & LEAF7_EBX_AVX512) == LEAF7_EBX_AVX512) {
        bits |= CPU_AVX512;
        bits |= (ebx & bit_AVX512IFMA) ? CPU_AVX512_IFMA : 0;
        bits |= (ecx & bit_AVX512VBMI) ? CPU_AVX512_VBMI : 0;
    }
    return bits;
}

#else

unsigned cpu_detect(void)
{
    return 0;
}

#endif

int cpu_parse_level(unsigned *mask, const char *text, struct err *err)
{
    if (!text || text[0] == '\0' || strcmp(text, "avx512") == 0)
        *mask = CPU_ALL;
    else if (strcmp(text, "avx2") == 0)
        *mask = CPU_AVX2;
    else if (strcmp(text, "c") == 0)
        *mask = 0;
    else
        return err_set(err, E_ARG, 0, "%s is not a CPU level: choose c, avx2 or avx512", text);
    return 0;
}

const char *cpu_level_name(unsigned bits)
{
    if (bits & CPU_AVX512_IFMA)
        return "avx512ifma";
    if (bits & CPU_AVX512)
        return "avx512";
    return bits & CPU_AVX2 ? "avx2" : "c";
}
