/*
 * progress.h - how far a stage is: a live line on a terminal, a line in the log every 15 s
 * elsewhere. Any number of batches and workers feed one progress.
 */
#pragma once

#include "base/ticker.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum progress_mode {
    PROGRESS_OFF,
    PROGRESS_LINE, // on a terminal; while it stands, log lines come above it
    PROGRESS_LOG,  // "verify1 goes on records=12345 ...", also while nothing moves
};

enum { PROGRESS_LOG_MS = 15000 };

struct progress {
    const char *label;          // borrowed: "verify1"
    uint64_t total_bytes;       // size of the input, 0 = unknown (then no ETA)
    _Atomic uint64_t n_records; // workers add to these two
    _Atomic uint64_t n_bytes;
    _Atomic uint64_t n_rejected;
    _Atomic uint64_t next_ms; // when the line may be drawn again
    uint64_t started_ms;
    enum progress_mode mode;
    struct ticker ticker;
};

/** Shows nothing in the first 0.2 s or 15 s. p must stay where it is until progress_end. */
void progress_start(struct progress *p, const char *label, uint64_t total_bytes,
                    enum progress_mode mode);
/** Thread: any worker may call it; at most one of them draws, at most five times a second. */
void progress_add(struct progress *p, uint64_t records, uint64_t bytes);
/** Of those added, so many did not come through. Thread: as progress_add. */
void progress_reject(struct progress *p, uint64_t records);
/** Wipe the line, when the workers are done. Idempotent. */
void progress_end(struct progress *p);
/** Is stderr a terminal that can move its cursor (TERM set and not "dumb")? */
bool progress_wanted(void);
/** Write the line of PROGRESS_LOG now. */
void progress_log(const struct progress *p, uint64_t now_ms);
/** Format one line, without control characters, into out (for tests and for logs). */
void progress_format(const struct progress *p, uint64_t now_ms, char *out, unsigned long cap);
