/*
 * traced.h - verify2 and the verdicts of aggregate from traces (trace.h), without any share.
 *
 * They answer as stage_verify2 and stage_aggregate do from the shares themselves, byte for byte.
 * One call handles one part; parts are independent of one another and may be handled side by side.
 */
#pragma once

#include "stage/stage.h"
#include "stage/trace.h"

struct traced_input {
    const struct prio_server *server; // in `first` mode
    const struct packets *packets;    // of the whole batch, under the key of the traces
    struct source trace;
    struct source own_verify1; // traced_verify2: the part that verify1 wrote beside the trace
    const char *name;          // of the part, for messages
    unsigned cpu;
};

/**
 * Write a verify2 record for each accepted record whose verify1 message of the peer is there.
 * packets: of kind PACKET_VERIFY1; only the peer's side is needed. counts are added to: the total
 * is the records that verify1 accepted.
 * @return 0, E_FORMAT: trace and part do not belong together, or E_*.
 */
MUST_CHECK int traced_verify2(const struct traced_input *in, bool compact,
                              const struct stage_sink *out, struct stage_counts *counts,
                              struct err *err);

/** Gets each record that was summed by verify1 and is not proved. @return 0 or E_*. */
typedef int traced_unproved_fn(void *arg, const struct trace_entry *entry, struct err *err);
/**
 * Find the verdict of each accepted record. packets: of kind PACKET_VERIFY2, both sides. counts as
 * above: missing-internal is what verify2 did not answer.
 */
MUST_CHECK int traced_verdicts(const struct traced_input *in, struct stage_counts *counts,
                               traced_unproved_fn *fn, void *arg, struct err *err);

/* Takes records back out of an optimistic sum, by reading their lines again. One thread. */
struct taker;
/** key: the batch's. sum, server: borrowed. */
MUST_CHECK int taker_new(struct taker **out, const struct prio_server *server, struct prio_sum *sum,
                         const struct digest_key *key, unsigned cpu, struct err *err);
void taker_free(struct taker *t);
DEFINE_FREEP(struct taker, taker_free)
/**
 * line: the record's, with NDJSON_SLACK readable bytes behind it.
 * @return 0, E_FORMAT: it is not the share that was summed, or E_*.
 */
MUST_CHECK int taker_take_back(struct taker *t, const struct trace_entry *entry, struct span line,
                               struct err *err);
