/* hash.h - SHA-256 over what streams by. */
#pragma once

#include "base/source.h"
#include "base/span.h"

enum { HASH_BYTES = 32, HASH_HEX_BYTES = 2 * HASH_BYTES + 1 };

struct hash {
    uint8_t bytes[HASH_BYTES];
};

struct hasher; // one thread at a time
MUST_CHECK int hasher_new(struct hasher **out, struct err *err);
void hasher_free(struct hasher *h);
DEFINE_FREEP(struct hasher, hasher_free)
MUST_CHECK int hasher_add(struct hasher *h, struct span bytes, struct err *err);
/** Text and a zero byte behind it, so that two texts cannot run into one another. */
MUST_CHECK int hasher_add_text(struct hasher *h, const char *text, struct err *err);
/** The digest of all that was added; the next one begins. */
MUST_CHECK int hasher_finish(struct hasher *h, struct hash *out, struct err *err);

/* A source that hashes what is read through it. */
struct hashed_source {
    struct source inner;
    struct hasher *hasher; // borrowed
    uint64_t n_bytes;
};
struct source hashed_source(struct hashed_source *s); // s must outlive it

void hash_to_hex(char out[HASH_HEX_BYTES], const struct hash *hash);
/** @return false where hex is not 64 hex digits. */
bool hash_from_hex(struct hash *out, const char *hex);
bool hash_equal(const struct hash *a, const struct hash *b);
