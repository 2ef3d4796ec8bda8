/* batching.h - how rows are cut into requests. Source: fxci-etl.md 3.5. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Limits, and what the request holds so far. A row or a request of exactly a limit is fine. */
struct batching {
    size_t max_rows;
    uint64_t max_bytes, max_row_bytes;
    size_t n_rows;
    uint64_t n_bytes;
};

enum {
    BATCHING_CLOSES = 1,   // the request so far ends before this row
    BATCHING_TOO_LARGE = 2 // the row goes into no request
};
/** The next row, in order. @return flags; without BATCHING_TOO_LARGE the row is in the request that
 * is open now. */
unsigned batching_add(struct batching *b, uint64_t row_bytes);
