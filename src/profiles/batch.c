/* SPDX-License-Identifier: MPL-2.0 */
#include "profiles/batch.h"

enum { MAX_BYTES = PROFILES_BATCH_BYTES + PROFILES_MAX_KEY + PROFILES_MAX_VALUE };

struct batch *batch_new(void)
{
    struct batch *batch = calloc(1, sizeof *batch);
    if (batch)
        batch->bytes = BUF_INIT(MAX_BYTES);
    return batch;
}

void batch_free(struct batch *batch)
{
    if (!batch)
        return;
    buf_deinit(&batch->bytes);
    free(batch);
}

void batch_clear(struct batch *batch)
{
    buf_clear(&batch->bytes);
    memset(batch->key_hashes, 0, sizeof batch->key_hashes);
    batch->n = 0;
}

bool batch_has_room(const struct batch *batch, size_t key_len, size_t value_len)
{
    return batch->n == 0 || (batch->n < PROFILES_BATCH_ROWS &&
                             batch->bytes.len + key_len + value_len <= PROFILES_BATCH_BYTES);
}

/* FNV-1a. A collision costs a wait, so there is nothing to gain by one. */
static uint64_t hash_of(struct span key)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < key.len; i++)
        hash = (hash ^ key.ptr[i]) * UINT64_C(0x100000001b3);
    return hash ? hash : 1;
}

/* The place of a hash, or the free one where it belongs: at most a quarter is taken. */
static size_t slot_of(const struct batch *batch, uint64_t hash)
{
    size_t slot = (size_t)(hash % BATCH_SLOTS);
    while (batch->key_hashes[slot] != 0 && batch->key_hashes[slot] != hash)
        slot = (slot + 1) % BATCH_SLOTS;
    return slot;
}

int batch_add(struct batch *batch, enum row_op op, struct span key, struct span value,
              int64_t timestamp_us, struct err *err)
{
    struct buf *bytes = &batch->bytes;
    const size_t key_at = bytes->len;
    int r = buf_reserve(bytes, key.len + value.len, err);
    if (r == 0)
        r = buf_append(bytes, key.ptr, key.len, err);
    if (r == 0 && value.len > 0)
        r = buf_append(bytes, value.ptr, value.len, err);
    if (r < 0)
        return r;
    batch->rows[batch->n++] = (struct batch_row){.op = op,
                                                 .key_at = key_at,
                                                 .key_len = key.len,
                                                 .value_len = value.len,
                                                 .timestamp_us = timestamp_us};
    const uint64_t hash = hash_of(key);
    batch->key_hashes[slot_of(batch, hash)] = hash;
    return 0;
}

bool batch_may_hold(const struct batch *batch, struct span key)
{
    return batch->key_hashes[slot_of(batch, hash_of(key))] != 0;
}
