/* amo_test.h - what the tests of the crawl share: JSON with the slack that walking needs. */
#pragma once

#include "codec/ndjson.h"
#include "taar/amo_json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
// cmocka.h leans on the standard headers above it.
#include <cmocka.h>

enum { TEXT_MAX = 1 << 16 };

static inline struct record_ops plain_ops(void)
{
    struct record_ops ops;
    record_ops_init(&ops, 0);
    return ops;
}

/* The next call overwrites it. */
static inline struct span padded(const char *text)
{
    static char bytes[TEXT_MAX + NDJSON_SLACK];
    const size_t len = strlen(text);
    assert_true(len <= TEXT_MAX);
    memset(bytes + len, 0, NDJSON_SLACK);
    memcpy(bytes, text, len);
    return span_of(bytes, len);
}

static inline void assert_text(const struct buf *b, const char *expected)
{
    assert_int_equal(b->len, strlen(expected));
    if (b->len > 0)
        assert_memory_equal(b->data, expected, b->len);
}
