/* base_test.h - what every test of this folder includes. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
// cmocka.h leans on the four standard headers above it.
#include <cmocka.h>

#define assert_contains(text, part)                                                                \
    do {                                                                                           \
        if (!strstr((text), (part)))                                                               \
            fail_msg("\"%s\" is not in \"%s\"", (part), (text));                                   \
    } while (0)

#define assert_lacks(text, part)                                                                   \
    do {                                                                                           \
        if (strstr((text), (part)))                                                                \
            fail_msg("\"%s\" is in \"%s\"", (part), (text));                                       \
    } while (0)

enum { TEST_PATH_BYTES = 256 };

/* A fresh directory, which the test removes. */
static inline void make_temp_dir(char out[TEST_PATH_BYTES])
{
    const char *base = getenv("TMPDIR");
    (void)snprintf(out, TEST_PATH_BYTES, "%s/weir-test-XXXXXX", base && *base ? base : "/tmp");
    assert_non_null(mkdtemp(out));
}
