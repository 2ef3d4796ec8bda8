/* truth.h - what honest servers must find. */
#pragma once

#include "base/buf.h"
#include "cheats.h"

struct truth {
    uint64_t n_honest;
    const uint64_t *cheats; // [CHEAT_KINDS]
    const uint64_t *totals; // [n_data]
    size_t n_data;
};

/**
 * Append it as text, one fact a line:
 *
 *     honest 3000
 *     cheat bit2 30
 *     lines A 3060
 *     error verify1 A 30
 *     reject verify1 A decrypt 30     only what is not 0
 *     totals [12, 7, ...]             spelled as in a published payload
 */
MUST_CHECK int truth_write(struct buf *out, const struct truth *truth, struct err *err);
