/* SPDX-License-Identifier: MPL-2.0 */
/*
 * runner.c - the part of cmocka's interface that tests/unit/prio/kernels uses, in TAP. A test may
 * not skip here: the machine was chosen to have every level.
 */
#include "emulated/machine.h"

// cmocka.h needs the types of the headers above it.
// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#include <stdio.h>
#include <string.h>

/* Where a failed assertion returns to. The C library's jmp_buf is the C library's business. */
static void *recover[5];

__attribute__((format(printf, 1, 0))) static void show(const char *format, va_list args)
{
    char line[400];
    vsnprintf(line, sizeof line, format, args);
    machine_write(line);
}

__attribute__((format(printf, 1, 2))) static void say(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    show(format, args);
    va_end(args);
}

void print_error(const char *const format, ...)
{
    va_list args;
    va_start(args, format);
    machine_write("# ");
    show(format, args);
    va_end(args);
}

void _fail(const char *const file, const int line)
{
    print_error("%s:%d\n", file, line);
    __builtin_longjmp(recover, 1);
}

void _skip(const char *const file, const int line)
{
    print_error("the emulated CPU lacks this level\n");
    _fail(file, line);
}

void _assert_true(const LargestIntegralType result, const char *const expression,
                  const char *const file, const int line)
{
    if (result)
        return;
    print_error("%s\n", expression);
    _fail(file, line);
}

void _assert_int_equal(const LargestIntegralType a, const LargestIntegralType b,
                       const char *const file, const int line)
{
    if (a == b)
        return;
    print_error("%lu is not %lu\n", a, b);
    _fail(file, line);
}

static bool test_passes(const struct CMUnitTest *test)
{
    void *state = test->initial_state;
    if (__builtin_setjmp(recover) != 0)
        return false;
    test->test_func(&state);
    return true;
}

int _cmocka_run_group_tests(const char *group_name, const struct CMUnitTest *const tests,
                            const size_t num_tests, CMFixtureFunction group_setup,
                            CMFixtureFunction group_teardown)
{
    void *state = NULL;
    int n_failed = 0;
    say("# %s\n1..%zu\n", group_name, num_tests);
    if (group_setup(&state) != 0)
        return -1;
    for (size_t i = 0; i < num_tests; i++) {
        const bool passed = test_passes(&tests[i]);
        say("%s %zu - %s\n", passed ? "ok" : "not ok", i + 1, tests[i].name);
        n_failed += !passed;
    }
    return group_teardown(&state) != 0 ? -1 : n_failed;
}
