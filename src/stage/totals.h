/* totals.h - the two single JSON objects of the pipeline: an aggregate, and what is published. */
#pragma once

#include "base/buf.h"

#include <stdbool.h>

/* {"payload": base64 of a total share, "error": E, "total": T} */
struct aggregate {
    struct buf total_share;
    uint64_t error, total; // error <= total
};

void aggregate_init(struct aggregate *a);
void aggregate_deinit(struct aggregate *a);

/** Bytes of the longest aggregate object that is read for n_data elements. */
size_t aggregate_max_bytes(size_t n_data);
/** Read the whole text. @return 0, or E_FORMAT (*a is then unspecified but can be deinited),
 * E_NOMEM. */
MUST_CHECK int aggregate_parse(struct aggregate *a, struct span text, unsigned cpu,
                               struct err *err);
/** Append the object to out, without a newline. compact: as prio-spark writes it, without spaces.
 */
MUST_CHECK int aggregate_format(struct buf *out, const struct aggregate *a, bool compact,
                                unsigned cpu, struct err *err);

/* What publish needs: own and peer in that order, own_is_a says which of them is A's. */
struct totals_input {
    const struct aggregate *own, *peer;
    bool own_is_a;
    size_t n_data;
    unsigned precision; // 0: n_data totals; else n_data / precision totals of integers
};
/** totals[0 .. n): n is n_data or n_data / precision. @return n. */
size_t totals_count(const struct totals_input *in);
/**
 * Combine two total shares.
 * @return 0, or E_FORMAT: the servers counted different records, a share is malformed, or a total
 * does not fit 64 bits (err says which).
 */
MUST_CHECK int totals_combine(uint64_t *totals, const struct totals_input *in, struct err *err);
/**
 * Append {"id": uuid, "timestamp": t, "payload": [..]} to out, without a newline.
 * timestamp: as utc_format_naive writes it.
 */
MUST_CHECK int totals_format(struct buf *out, const char *uuid, const char *timestamp,
                             const uint64_t *totals, size_t n, struct err *err);
/**
 * The same in prio-spark's form, with the counts of the own aggregate:
 * {"id":..,"timestamp":..,"payload":[..],"error":E,"total":T}.
 */
MUST_CHECK int totals_format_compact(struct buf *out, const char *uuid, const char *timestamp,
                                     const uint64_t *totals, size_t n, const struct aggregate *own,
                                     struct err *err);
