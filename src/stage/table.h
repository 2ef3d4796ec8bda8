/* table.h - a set or map keyed by digests, compact enough for one entry a record of a whole batch.
 */
#pragma once

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

enum { DIGEST_BYTES = 12, TABLE_SEGMENTS = 256 };

/* A keyed, truncated hash (digest.h). All zeros is not a digest: it marks an empty slot. */
struct digest {
    uint8_t bytes[DIGEST_BYTES];
};

struct table_segment {
    uint8_t *slots;
    uint32_t cap, used;
};

/* Each slot holds a digest and value_bytes bytes of the caller's. */
struct table {
    size_t value_bytes;
    struct table_segment segments[TABLE_SEGMENTS];
};

void table_init(struct table *t, size_t value_bytes);
void table_deinit(struct table *t);

/**
 * Find or add. *value (may be NULL) points at the value, zeroed when new, until the next table_put.
 * @return 1 when it is new, 0 when it was there, or E_NOMEM (nothing changed).
 */
MUST_CHECK int table_put(struct table *t, const struct digest *key, uint8_t **value,
                         struct err *err);
/** @return the value, or NULL when the key is absent. Thread: any number, while nobody puts. */
uint8_t *table_find(const struct table *t, const struct digest *key);

uint64_t table_count(const struct table *t);
/** Memory of all slots. */
size_t table_bytes(const struct table *t);
