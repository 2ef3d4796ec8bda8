/* status_internal.h - what status finds, between the file that looks and the one that tells. */
#pragma once

#include "processor/status.h"

#include <stdbool.h>

/* Places of a run in the order in which data goes through them. */
enum status_place {
    STATUS_RAW,              // own ingest: shares
    STATUS_OWN_VERIFY1,      // own private: the own answers ..
    STATUS_SENT_VERIFY1,     // .. the partner's mailbox: copies of them ..
    STATUS_RECEIVED_VERIFY1, // .. the own mailbox: the partner's answers
    STATUS_OWN_VERIFY2,
    STATUS_SENT_VERIFY2,
    STATUS_RECEIVED_VERIFY2,
    STATUS_OWN_AGGREGATE,
    STATUS_SENT_AGGREGATE,
    STATUS_RECEIVED_AGGREGATE,
    STATUS_PUBLISH,
    STATUS_N_PLACES,
};

struct status_batch {
    char *id; // owned
    uint64_t n_parts, n_bytes;
    uint64_t n_records; // UINT64_MAX: not counted
};

struct status_found {
    bool is_readable;  // false: there is no such bucket, or no right to look into it
    bool has_marker;   // the stage's own _SUCCESS
    int64_t marker_us; // when it was written
    struct status_batch *batches;
    size_t n;
};

struct status {
    struct status_found found[STATUS_N_PLACES];
};

const char *status_place_stage(enum status_place place); // "verify1"
const char *status_place_side(enum status_place place);  // "own", "sent", "received"
/** "waiting for the partner's verify1", "finished", .. */
const char *status_state(const struct status *status);

MUST_CHECK int status_format_table(struct buf *out, const struct status *status,
                                   const struct status_options *options, struct err *err);
MUST_CHECK int status_format_json(struct buf *out, const struct status *status,
                                  const struct status_options *options, struct err *err);
