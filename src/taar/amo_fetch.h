/*
 * amo_fetch.h - one answer of AMO, with all the patience that it takes. Source: taar-etl.md 3.1,
 * 3.2, Y5.
 */
#pragma once

#include "net/http.h"
#include "taar/amo_json.h"
#include "taar/amo_pace.h"

#include <stdatomic.h>

enum { AMO_MAX_ANSWER = 32 << 20, AMO_REASON_BYTES = 40 };

struct amo_client {
    const struct record_ops *ops;
    struct http *http;
    const char *user_agent; // borrowed
    struct amo_pace pace;
    struct retry_policy retry;
    uint64_t max_quiet_ms; // of what Retry-After asks for
    _Atomic uint64_t n_requests;
};

enum amo_outcome {
    AMO_ANSWERED, // 200 and JSON
    AMO_REFUSED,  // another status that stays
    AMO_FAILED,   // no usable answer in any try: transient
    AMO_STOPPED,  // amo_pace_stop was called
};

/* Owned by a worker and reused. */
struct amo_answer {
    enum amo_outcome outcome;
    int status;
    char reason[AMO_REASON_BYTES]; // of REFUSED and FAILED: "http_404", "not_json", "no_answer"
    struct buf text;               // of ANSWERED: the JSON, with NDJSON_SLACK bytes behind it
    struct http_response response; // its body is as it came, maybe packed
};
void amo_answer_init(struct amo_answer *a);
void amo_answer_deinit(struct amo_answer *a);

/** Unpack and check what came, or what a journal kept of it, as the body of a 200. @return 0,
 * E_FORMAT: no JSON within the limits, or E_NOMEM. */
MUST_CHECK int amo_answer_read(struct amo_answer *a, const struct record_ops *ops, struct span body,
                               struct err *err);

struct amo_client_options {
    const char *ca_file;    // PEM; NULL: the system's
    const char *user_agent; // names the program and a contact; borrowed while the client lives
    double rate;            // requests a second; 0: no limit
    unsigned tries;
    uint32_t retry_base_ms;
    uint64_t max_retry_after_ms;
    bool direct; // past the environment's proxies
};
/** On failure amo_client_deinit is still due. ops is the client's from here on. @return 0, E_NOMEM.
 */
MUST_CHECK int amo_client_init(struct amo_client *c, const struct record_ops *ops,
                               const struct amo_client_options *options, struct err *err);
void amo_client_deinit(struct amo_client *c);

/**
 * GET url. Each try waits for its turn. Retry-After of a 429 or 503 makes everybody wait.
 * Thread: any number, each with its own answer.
 * @return 0 with an outcome, or E_ARG (the URL), E_NOMEM.
 */
MUST_CHECK int amo_get(struct amo_client *c, const char *url, struct amo_answer *a,
                       struct err *err);

/** Append a guid as it stands in a path: percent-encoded but for what 3.1 leaves. */
MUST_CHECK int amo_escape_guid(struct buf *out, struct span guid, struct err *err);
