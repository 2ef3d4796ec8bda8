/* amo_journal_internal.h - what the parts of amo_journal.h share. */
#pragma once

#include "base/buf.h"
#include "taar/amo_journal.h"

#include <pthread.h>

enum { AMO_SEGMENT_BYTES = 32 << 10, AMO_MAX_SEGMENT = 1 << 20 };

struct amo_journal {
    struct store *store;
    const struct record_ops *ops;
    char *base;                // "<prefix>/.journal/<date>/"
    struct store_listing were; // at the opening
    bool resumes;

    pthread_mutex_t lock; // of all below
    pthread_cond_t written;
    struct buf lines;           // of the open object
    uint64_t n_added, n_stored; // lines
    unsigned object, version;   // of the next put
    bool writing;               // somebody is at it
    int failure;                // of a put: no line is stored any more
};

/** Where an object of lines stands in the order. @return false: key is none of base. */
bool amo_journal_is_segment(const struct amo_journal *j, const char *key, unsigned *object,
                            unsigned *version);
