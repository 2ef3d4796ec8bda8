/*
 * window.h - the bytes of messages from their arrival to their acknowledgement, in blocks that are
 * used again: after warm-up no message costs an allocation.
 */
#pragma once

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

struct window_block;

/* Zero-initialise it. Not for two threads at a time. */
struct window {
    struct window_block *oldest, *newest; // in use, in the order of their tags
    struct window_block *spare;
    size_t n_used; // bytes of messages that are not released
};

/**
 * Room for len bytes of the message `tag`, which stay where they are until it is released, with
 * NDJSON_SLACK zeros behind them. Tags never fall. @return 0 or E_NOMEM.
 */
MUST_CHECK int window_take(struct window *w, uint64_t tag, size_t len, uint8_t **out,
                           struct err *err);
/** Every message up to `tag`. Room comes back block by block. */
void window_release(struct window *w, uint64_t tag);
void window_release_all(struct window *w);
void window_deinit(struct window *w);
