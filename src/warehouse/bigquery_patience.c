/* SPDX-License-Identifier: MPL-2.0 */
/*
 * BigQuery: what passes by itself, and for how long it is waited for.
 * Source: fxci-etl.md 6.5, https://cloud.google.com/bigquery/docs/error-messages
 */
#include "warehouse/bigquery_impl.h"

#include <unistd.h>

enum { QUOTA_SHARE = 10 }; // a wait for a quota begins with this part of all time

static bool is_among(const char *text, const char *const *list)
{
    for (; *list; list++)
        if (strcmp(text, *list) == 0)
            return true;
    return false;
}

enum bigquery_limit bigquery_limit_of(const char *reason)
{
    static const char *const brief[] = {
        "backendError",      "internalError",        "jobBackendError",       "jobInternalError",
        "rateLimitExceeded", "jobRateLimitExceeded", "userRateLimitExceeded", NULL};
    if (is_among(reason, brief))
        return LIMIT_BRIEF;
    return strcmp(reason, "quotaExceeded") == 0 ? LIMIT_LASTING : LIMIT_NONE;
}

enum bigquery_limit bigquery_limit_met(int status, const json_t *answer)
{
    return status == 400 || status == 403 ? bigquery_limit_of(bigquery_reason(answer)) : LIMIT_NONE;
}

struct retry_policy bigquery_policy(const struct bigquery *b)
{
    return (struct retry_policy){.max_retries = UINT32_MAX,
                                 .first_wait_ms = 1000,
                                 .multiplier = 2,
                                 .max_wait_ms = 32000,
                                 .deadline_ms = b->retry_ms,
                                 .jitter = 1};
}

void bigquery_patience_init(struct bigquery_patience *p, const struct bigquery *b)
{
    const struct retry_policy brief = bigquery_policy(b);
    const struct retry_policy lasting = {.max_retries = UINT32_MAX,
                                         .first_wait_ms = (uint32_t)(b->retry_ms / QUOTA_SHARE),
                                         .multiplier = 2,
                                         .deadline_ms = b->retry_ms};
    retry_init(&p->brief, &brief, retry_now_ms(), (uint64_t)getpid());
    retry_init(&p->lasting, &lasting, retry_now_ms(), (uint64_t)getpid());
}

bool bigquery_patience_wait(struct bigquery_patience *p, enum bigquery_limit limit,
                            uint64_t at_least_ms)
{
    uint64_t wait_ms;
    struct retry *retry = limit == LIMIT_LASTING ? &p->lasting : &p->brief;
    if (limit == LIMIT_NONE || !retry_next(retry, retry_now_ms(), at_least_ms, &wait_ms))
        return false;
    retry_sleep_ms(wait_ms);
    return true;
}
