/* vectors.h - what the tests of prio share: cmocka in its order, and values out of JSON vectors. */
#pragma once

#include "base/compiler.h"
#include "base/span.h"
#include "codec/testing.h"
#include "prio/field.h"
#include "weir/prio.h"

#include <jansson.h>
#include <stdio.h>

enum { ROLES = 2, MODES = 2 };

static inline void json_freep(json_t **json)
{
    json_decref(*json);
}
#define JSON CLEANUP(json_freep) json_t

struct bytes { // exactly as long as they are, so that a sanitizer sees a read past the end
    uint8_t *ptr;
    size_t len;
};

static inline void bytes_deinit(struct bytes *b)
{
    free(b->ptr);
}
#define BYTES CLEANUP(bytes_deinit) struct bytes

/** A file of tests/vectors/prio-v1. Owner: the caller, json_decref. */
json_t *vectors_load(const char *name);

/* Members that must be there, and of their type. */
const json_t *get(const json_t *object, const char *key);
const char *get_text(const json_t *object, const char *key);
size_t get_size(const json_t *object, const char *key);
bool get_bool(const json_t *object, const char *key);
bool has(const json_t *object, const char *key);
/** role_key("share_", PRIO_SERVER_B) is "share_b". Valid until the next call. */
const char *role_key(const char *prefix, int role);

struct bytes bytes_copy(const void *ptr, size_t len);
struct bytes from_hex(const char *hex);
struct bytes from_base64(const char *text);
static inline struct bytes get_hex(const json_t *object, const char *key)
{
    return from_hex(get_text(object, key));
}
static inline struct bytes get_base64(const json_t *object, const char *key)
{
    return from_base64(get_text(object, key));
}
/** Exactly n bytes of hex digits. */
void get_hex_into(uint8_t *out, size_t n, const json_t *object, const char *key);
/** A field element in hex digits, 22 or fewer. */
struct fe to_fe(const char *hex);
static inline struct fe get_fe(const json_t *object, const char *key)
{
    return to_fe(get_text(object, key));
}
/** A uniform element. */
struct fe noise_fe(uint64_t *state);

void assert_fe_equal(struct fe got, struct fe want);
void assert_hex_equal(const void *got, size_t len, const char *hex);
/** `array` holds n integers. */
void assert_totals_equal(const uint64_t *got, size_t n, const json_t *array);
