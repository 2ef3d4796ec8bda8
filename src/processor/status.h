/*
 * status.h - the command `status`: which stage stands where on both sides, and what is waited for.
 *
 * All of it is read from listings: small stages are also read to count their records. Nothing is
 * written, and no lock is taken.
 */
#pragma once

#include "base/buf.h"
#include "store/store.h"

enum status_format { STATUS_TABLE, STATUS_JSON };

struct status_options {
    struct store *ingest, *private, *shared; // own buckets
    struct store *external_shared; // the partner's mailbox; NULL, or not readable: not told
    const char *bucket_prefix, *app_name, *date;
    const char *key_internal, *key_external; // public keys, as paths have them
    int64_t now_us;                          // for the ages of markers
    enum status_format format;
};

/** Append the answer to out. @return 0, E_ARG for an unusable path, or E_*. */
MUST_CHECK int status_run(struct buf *out, const struct status_options *options, struct err *err);
