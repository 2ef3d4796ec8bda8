/* ordered.h - numbered pieces of work, made side by side and taken in order. */
#pragma once

#include "base/err.h"

#include <stdint.h>

struct ordered {
    uint64_t n_pieces;
    unsigned n_workers; // 0: 1
    /** A worker's own state. @return 0 or E_*; then *worker is not stopped. */
    int (*start)(void **worker, void *arg, struct err *err);
    void (*stop)(void *worker, void *arg); // one at a time
    /** Side by side. @return 0 or E_*. */
    int (*make)(void *worker, uint64_t piece, struct err *err);
    /** What make has made: pieces 0, 1, 2, .. one after another. @return 0 or E_*. */
    int (*take)(void *worker, uint64_t piece, struct err *err);
    void *arg;
};

/** @return 0, or the first failure of the lowest-numbered worker that failed. */
MUST_CHECK int ordered_run(const struct ordered *job, struct err *err);
