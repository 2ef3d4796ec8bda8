/* compiler.h - the GNU attributes that the rest of the tree uses, under one spelling. */
#pragma once

/** Run fn(&variable) when the variable leaves its scope, in reverse order of declaration. */
#define CLEANUP(fn) __attribute__((cleanup(fn)))
/** Let the compiler check a printf-like call: fmt and first are 1-based parameter numbers. */
#define PRINTF_LIKE(fmt, first) __attribute__((format(printf, fmt, first)))
/** Dropping the result is a compile-time error. */
#define MUST_CHECK   __attribute__((warn_unused_result))
#define LIKELY(x)    __builtin_expect(!!(x), 1)
#define UNLIKELY(x)  __builtin_expect(!!(x), 0)
#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

/** Define x_freep(&ptr) for CLEANUP from x_free(ptr). */
#define DEFINE_FREEP(type, name)                                                                   \
    static inline void name##p(type **pp)                                                          \
    {                                                                                              \
        name(*pp);                                                                                 \
        *pp = NULL;                                                                                \
    }
