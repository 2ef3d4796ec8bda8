/* SPDX-License-Identifier: MPL-2.0 */
#include "base/retry.h"

#include <errno.h>
#include <time.h>

/* A wait this long (30,000 years) is for ever, and still exact as a double and safe to add. */
static const double longest_wait_ms = 1e15;

/* The next number of a splitmix64 sequence, as a fraction in [0, 1). Source: Steele et al., 2014.
 */
static double next_fraction(uint64_t *random)
{
    uint64_t z = *random += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return (double)((z ^ z >> 31) >> 11) * 0x1p-53;
}

static double clamp(double x, double low, double high)
{
    return x < low ? low : x > high ? high : x;
}

void retry_init(struct retry *r, const struct retry_policy *policy, uint64_t now_ms, uint64_t seed)
{
    *r = (struct retry){.policy = *policy,
                        .started_ms = now_ms,
                        .nominal_ms = policy->first_wait_ms,
                        .random = seed};
    r->policy.multiplier = clamp(policy->multiplier, 1, longest_wait_ms);
    r->policy.jitter = clamp(policy->jitter, 0, 1);
}

bool retry_next(struct retry *r, uint64_t now_ms, uint64_t at_least_ms, uint64_t *wait_ms)
{
    const struct retry_policy *p = &r->policy;
    if (r->n_retries >= p->max_retries)
        return false;
    double nominal = r->nominal_ms;
    if (p->max_wait_ms > 0 && nominal > p->max_wait_ms)
        nominal = p->max_wait_ms;
    uint64_t wait = (uint64_t)(nominal * (1 - p->jitter * next_fraction(&r->random)));
    if (wait < at_least_ms)
        wait = at_least_ms;

    const uint64_t elapsed = now_ms > r->started_ms ? now_ms - r->started_ms : 0;
    if (p->deadline_ms > 0 && (elapsed >= p->deadline_ms || wait > p->deadline_ms - elapsed))
        return false;
    r->n_retries++;
    r->nominal_ms = clamp(r->nominal_ms * p->multiplier, 0, longest_wait_ms);
    *wait_ms = wait;
    return true;
}

uint64_t retry_now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now); // cannot fail on Linux
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

void retry_sleep_ms(uint64_t ms)
{
    struct timespec until;
    (void)clock_gettime(CLOCK_MONOTONIC, &until); // cannot fail on Linux
    until.tv_sec += (time_t)(ms / 1000);
    until.tv_nsec += (long)(ms % 1000) * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    // An absolute end, so that interruptions do not add up.
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR) {
    }
}
