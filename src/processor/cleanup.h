/*
 * cleanup.h - the command `cleanup`: empty the own buckets, results included.
 *
 * Source: prio-processor.md 2.5 and D2. What process removes at the end of a run is another matter
 * (5.9).
 */
#pragma once

#include "store/store.h"

struct cleanup_options {
    struct store *ingest, *private, *shared; // the own buckets; some may be the same
    // As paths have it. In the own buckets it names what belongs to the partner. NULL: not known,
    // and then paths with several keys are taken for such a case.
    const char *key_internal;
    bool force;   // also what is the partner's, where it lies in the own buckets
    bool dry_run; // name what would go
    /** A line for standard output, without its newline. */
    void (*say)(void *arg, const char *line);
    void *say_arg;
};

/**
 * Nothing is deleted before every bucket is known to be there and to be the own one.
 * @return 0; E_ABSENT: a bucket is not there; E_FORMAT: one holds the partner's objects too; or
 * E_*.
 */
MUST_CHECK int cleanup_run(const struct cleanup_options *options, struct err *err);
