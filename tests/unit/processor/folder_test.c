/* SPDX-License-Identifier: MPL-2.0 */
#include "folder_test.h"

#include <ctype.h>
#include <unistd.h>

enum { UUID_CHARS = 36 };

int folder_setup(void **state)
{
    struct folder *f = calloc(1, sizeof *f);
    if (!f)
        return -1;
    snprintf(f->path, sizeof f->path, "/tmp/weir-test-XXXXXX");
    if (!mkdtemp(f->path) ||
        store_open(&f->store, &(struct store_config){.url = f->path}, NULL) != 0)
        return -1;
    *state = f;
    return 0;
}

int folder_teardown(void **state)
{
    struct folder *f = *state;
    const int r = place_clear(&(struct place){f->store, ""}, "", NULL);
    store_close(f->store);
    const int gone = rmdir(f->path);
    free(f);
    return r < 0 ? r : gone;
}

void add(struct buf *text, const char *fmt, ...)
{
    char *part;
    va_list args;
    va_start(args, fmt);
    const int n = vasprintf(&part, fmt, args);
    va_end(args);
    assert_true(n >= 0);
    assert_int_equal(buf_append(text, part, (size_t)n, NULL), 0);
    free(part);
}

const char *text_of(struct buf *text)
{
    assert_int_equal(buf_reserve(text, 1, NULL), 0);
    text->data[text->len] = '\0';
    return (const char *)text->data;
}

void folder_put(const struct folder *f, const char *key, const char *text)
{
    struct err err = {0};
    assert_ok(store_put(f->store, key, span_str(text), NULL, NULL, &err));
}

void folder_get(const struct folder *f, const char *key, struct buf *out)
{
    struct err err = {0};
    assert_ok(store_get_all(f->store, key, out, NULL, &err));
}

bool folder_has(const struct folder *f, const char *key)
{
    struct store_object object;
    return store_stat(f->store, key, &object, NULL) == 0;
}

static bool is_uuid(const char *text)
{
    if (strlen(text) < UUID_CHARS)
        return false;
    for (int i = 0; i < UUID_CHARS; i++) {
        const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (dash ? text[i] != '-' : !isxdigit((unsigned char)text[i]))
            return false;
    }
    return true;
}

static void add_key(struct buf *out, const char *key)
{
    while (*key) {
        const bool uuid = is_uuid(key);
        add(out, "%c", uuid ? 'U' : *key);
        key += uuid ? UUID_CHARS : 1;
    }
    add(out, "\n");
}

static void add_lines(struct buf *out, const char *text)
{
    while (*text) {
        const size_t len = strcspn(text, "\n");
        add(out, "    %.*s%s\n", (int)len, text, text[len] ? "" : " (no newline)");
        text += len + (text[len] != '\0');
    }
}

void folder_tree(const struct folder *f, const char *prefix, bool lines, struct buf *out)
{
    CLEANUP(store_listing_deinit) struct store_listing l = {0};
    struct err err = {0};
    assert_ok(store_list(f->store, prefix, &l, &err));
    for (size_t i = 0; i < l.n; i++) {
        add_key(out, l.objects[i].key);
        TEXT(text);
        if (lines) {
            folder_get(f, l.objects[i].key, &text);
            add_lines(out, text_of(&text));
        }
    }
}

size_t folder_count(const struct folder *f, const char *part)
{
    CLEANUP(store_listing_deinit) struct store_listing l = {0};
    struct err err = {0};
    size_t n = 0;
    assert_ok(store_list(f->store, "", &l, &err));
    for (size_t i = 0; i < l.n; i++)
        n += strstr(l.objects[i].key, part) != NULL;
    return n;
}

struct place folder_place(const struct folder *f, const char *dir)
{
    return (struct place){.store = f->store, .dir = dir};
}
