/* progress.h - a live line on a terminal: count, rate, ETA. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct progress {
    const char *label;          // borrowed: "verify1"
    uint64_t total_bytes;       // size of the input, 0 = unknown (then no ETA)
    _Atomic uint64_t n_records; // workers add to these two
    _Atomic uint64_t n_bytes;
    _Atomic uint64_t next_ms; // when the line may be drawn again
    uint64_t started_ms;
    bool on;
};

/** on: usually progress_wanted(). Draws nothing when false, and nothing in the first 0.2 s. */
void progress_start(struct progress *p, const char *label, uint64_t total_bytes, bool on);
/** Thread: any worker may call it; at most one of them draws, at most five times a second. */
void progress_add(struct progress *p, uint64_t records, uint64_t bytes);
/**
 * Wipe the line. Call before anything else is written to stderr, when the workers are done.
 * Idempotent.
 */
void progress_end(struct progress *p);
/** Is stderr a terminal that can move its cursor (TERM set and not "dumb")? */
bool progress_wanted(void);
/** Format one line, without control characters, into out (for tests and for logs). */
void progress_format(const struct progress *p, uint64_t now_ms, char *out, unsigned long cap);
