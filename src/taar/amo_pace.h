/* amo_pace.h - when the next request may go: so many a second, and none while the server asks for
 * quiet. Source: taar-etl.md 3.2 (politeness, Retry-After), Y5. */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct amo_pace {
    pthread_mutex_t lock; // of all below
    pthread_cond_t moved;
    double interval_ms;      // 0: no limit
    double next_ms;          // when the next request may go
    uint64_t quiet_until_ms; // for all
    bool stopped;
};

/** rate: requests a second, 0 for no limit. */
void amo_pace_init(struct amo_pace *p, double rate);
void amo_pace_deinit(struct amo_pace *p);
/** Wait for a turn. @return false: stopped, nothing more is to be asked. Thread: any, as all here.
 */
bool amo_pace_turn(struct amo_pace *p);
/** One thread's pause. @return false: stopped. */
bool amo_pace_sleep(struct amo_pace *p, uint64_t ms);
/** Nobody gets a turn for so long, counted from now. */
void amo_pace_quiet(struct amo_pace *p, uint64_t ms);
/** For ever; wakes who waits. */
void amo_pace_stop(struct amo_pace *p);
