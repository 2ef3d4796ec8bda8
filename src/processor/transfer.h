/*
 * transfer.h - the command `transfer`: staged shares of a date into the servers' ingest buckets.
 * Source: prio-processor.md, 7.3 and D11.
 */
#pragma once

#include "base/progress.h"
#include "processor/ingest.h"

enum transfer_action { TRANSFER_DELETE, TRANSFER_COPY, TRANSFER_KEEP, TRANSFER_MARK };
/** "delete", "copy", "keep" (the same contents are there already), "mark". */
const char *transfer_action_name(enum transfer_action action);

struct transfer_options {
    struct place input; // what staging wrote
    struct ingest
        ingest;         // a bucket that is NULL gets nothing (--only); its date is the one to copy
    bool dry_run;       // report only
    unsigned n_at_once; // objects copied side by side; 0: 8
    enum progress_mode progress;
    /** What is done, or would be; store_name and key. May be NULL. Thread: any, one at a time. */
    void (*report)(void *arg, enum transfer_action action, const char *bucket, const char *key);
    void *report_arg;
};

struct transfer_result {
    uint64_t n_copied, n_kept, n_deleted, n_bytes; // of both servers
};

/**
 * The markers go first and come back last, after all data of both servers; what a destination has
 * of this date beyond that is deleted. May be repeated at any time.
 * @return 0, E_ABSENT (staging has not finished), E_AGAIN (it ran meanwhile: the markers are not
 * written), or E_*.
 */
MUST_CHECK int transfer_run(const struct transfer_options *options, struct transfer_result *result,
                            struct err *err);
