/*
 * part_record.h - own/state/verify1/<batch>/part-NNNNN.json: a part that verify1 is done with. A
 * restart that finds the same raw object, answer and trace behind the same parts does not compute
 * them again.
 */
#pragma once

#include "processor/object_list.h"
#include "stage/counts.h"

struct part_record {
    struct noted_object raw;    // key relative to raw/; hash: the shares' identity
    struct noted_object answer; // key relative to internal/verify1/
    struct noted_object trace;  // key relative to state/verify1/
    struct hash before;         // of the parts before it, which decide what is a duplicate here
    bool packed;                // the raw object is gzip: lines have no place of their own in it
    struct stage_counts counts;
};

void part_record_deinit(struct part_record *record); // frees the three keys; zeroed is fine
MUST_CHECK int part_record_write(const struct part_record *record, struct store *store,
                                 const char *key, struct err *err);
/** @return 0, E_ABSENT, E_FORMAT, or E_*. */
MUST_CHECK int part_record_read(struct part_record *record, struct store *store, const char *key,
                                struct err *err);
