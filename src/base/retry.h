/* retry.h - the one retry policy: exponential, jittered, bounded in number and in time. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct retry_policy {
    unsigned max_retries;   // further tries after the first
    uint32_t first_wait_ms; // before the first retry
    double multiplier;      // each wait is this many times the one before; >= 1
    uint32_t max_wait_ms;   // ceiling of a single wait, 0 = none
    uint64_t deadline_ms;   // for all tries and waits together, 0 = none
    double jitter; // 0 = exact waits; 0.5 = each wait lies in [0.5, 1] of its nominal length
};

struct retry {
    struct retry_policy policy;
    unsigned n_retries;
    uint64_t started_ms; // monotonic
    double nominal_ms;
    uint64_t random; // state of the jitter's own small generator
};

/**
 * now_ms: any monotonic clock (retry_now_ms for the real one). seed: anything that differs between
 * processes.
 */
void retry_init(struct retry *r, const struct retry_policy *policy, uint64_t now_ms, uint64_t seed);

/**
 * After a failed try: may there be another, and after what wait?
 * at_least_ms: what the peer asked for (Retry-After), 0 for none; it may exceed max_wait_ms but
 * never the deadline.
 * @return true and *wait_ms, or false: give up (a wait that would pass the deadline is not begun).
 */
bool retry_next(struct retry *r, uint64_t now_ms, uint64_t at_least_ms, uint64_t *wait_ms);

uint64_t retry_now_ms(void);
void retry_sleep_ms(uint64_t ms); // survives signals
