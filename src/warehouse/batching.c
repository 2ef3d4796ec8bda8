/* SPDX-License-Identifier: MPL-2.0 */
#include "warehouse/batching.h"

#include <stdbool.h>

/* A row that is left out itself ends a request all the same. */
unsigned batching_add(struct batching *b, uint64_t row_bytes)
{
    unsigned flags = 0;
    const bool full = b->n_rows >= b->max_rows || b->n_bytes + row_bytes > b->max_bytes;
    if (b->n_rows > 0 && full) {
        b->n_rows = 0;
        b->n_bytes = 0;
        flags |= BATCHING_CLOSES;
    }
    if (row_bytes > b->max_row_bytes)
        return flags | BATCHING_TOO_LARGE;
    b->n_rows++;
    b->n_bytes += row_bytes;
    return flags;
}
