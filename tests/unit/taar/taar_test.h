/* taar_test.h - a bucket of the test's own, and texts as parsers want them. */
#pragma once

// cmocka.h needs the types of the headers above it.
// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
// clang-format on

#include "taar/objects.h"

#include <jansson.h>

static inline void json_freep(json_t **json)
{
    json_decref(*json);
}
#define JSON CLEANUP(json_freep) json_t

enum { TEST_TEXT_BYTES = 64 << 20 };
#define TEXT(name) CLEANUP(buf_deinit) struct buf name = BUF_INIT(TEST_TEXT_BYTES)

/* For cmocka_unit_test_setup_teardown: *state is the struct store, a fresh directory. */
int bucket_setup(void **state);
int bucket_teardown(void **state);
struct objects objects_of(void **state, const char *prefix, enum generation generation);
void bucket_put(void **state, const char *key, const char *text);
/** Its keys in order, with a newline behind each. */
void assert_keys(void **state, const char *want);

/** Of tests/vectors/taar. */
json_t *read_vector(const char *name);
/** Its text with room for SIMD behind it, added to out. */
struct span spell(struct buf *out, const json_t *json);
