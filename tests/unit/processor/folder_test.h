/* folder_test.h - a folder of the test's own, seen as a store. */
#pragma once

#include "base/buf.h"
#include "processor/place.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
// cmocka.h leans on the standard headers above it.
#include <cmocka.h>

enum { FOLDER_MAX_TEXT = 256 << 20 };

struct folder {
    char path[64];
    struct store *store;
};

/* For cmocka_unit_test_setup_teardown: *state is the struct folder. */
int folder_setup(void **state);
int folder_teardown(void **state);

#define TEXT(name) CLEANUP(buf_deinit) struct buf name = BUF_INIT(FOLDER_MAX_TEXT)
void add(struct buf *text, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* NUL-terminated. */
const char *text_of(struct buf *text);

void folder_put(const struct folder *f, const char *key, const char *text);
/* Append an object's bytes. */
void folder_get(const struct folder *f, const char *key, struct buf *out);
bool folder_has(const struct folder *f, const char *key);
/* Keys below prefix, one a line, and, with lines, what is in them, each line indented by four
 * spaces; every UUID is written as U. */
void folder_tree(const struct folder *f, const char *prefix, bool lines, struct buf *out);
/* The number of keys that contain part. */
size_t folder_count(const struct folder *f, const char *part);

struct place folder_place(const struct folder *f, const char *dir);

#define assert_contains(text, part)                                                                \
    do {                                                                                           \
        if (!strstr((text), (part)))                                                               \
            fail_msg("\"%s\" is not in \"%s\"", (part), (text));                                   \
    } while (0)
#define assert_ok(call)                                                                            \
    do {                                                                                           \
        if ((call) != 0)                                                                           \
            fail_msg("%s: %s", #call, err.text);                                                   \
    } while (0)
