/* batch.h - the rows that travel together: at most PROFILES_BATCH_ROWS, or PROFILES_BATCH_BYTES. */
#pragma once

#include "base/buf.h"
#include "profiles/profiles.h"

enum row_op {
    ROW_PUT,
    ROW_DELETE,
    ROW_EXPIRE // delete the row if its cell is older than timestamp_us
};

struct batch_row {
    enum row_op op;
    size_t key_at, key_len, value_len; // in bytes, the value behind the key
    int64_t timestamp_us;
};

enum { BATCH_SLOTS = 4 * PROFILES_BATCH_ROWS };

struct batch {
    struct buf bytes;
    struct batch_row rows[PROFILES_BATCH_ROWS];
    size_t n;
    uint64_t key_hashes[BATCH_SLOTS]; // of all rows, open addressing; 0: free
};

/** @return NULL: no memory. */
struct batch *batch_new(void);
void batch_free(struct batch *batch);
DEFINE_FREEP(struct batch, batch_free)
void batch_clear(struct batch *batch);

/** Is there room for one more row of that size? An empty batch takes any row. */
bool batch_has_room(const struct batch *batch, size_t key_len, size_t value_len);
/** Copy a row; there must be room. @return 0 or E_NOMEM. */
MUST_CHECK int batch_add(struct batch *batch, enum row_op op, struct span key, struct span value,
                         int64_t timestamp_us, struct err *err);
/** May one of its rows have this key? Never false where one has; seldom true where none has. */
bool batch_may_hold(const struct batch *batch, struct span key);

static inline struct span batch_key(const struct batch *batch, const struct batch_row *row)
{
    return span_of(batch->bytes.data + row->key_at, row->key_len);
}
static inline struct span batch_value(const struct batch *batch, const struct batch_row *row)
{
    return span_of(batch->bytes.data + row->key_at + row->key_len, row->value_len);
}
