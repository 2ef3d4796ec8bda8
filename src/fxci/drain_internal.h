/* drain_internal.h - what the parts of drain.h share. */
#pragma once

#include "fxci/definition.h"
#include "fxci/drain.h"
#include "fxci/event.h"

enum { DRAIN_BATCH_BYTES = 32 << 20 };

struct drain {
    const struct drain_options *o;
    int64_t today;
    struct rows rows;
    struct event_mapper events;
    struct event event;
    struct definition_mapper definitions;
    struct definition definition;
    struct drain_counts total;
    struct broker_message *messages; // of the batch at hand: batch_messages
    size_t n_messages;
    bool no_fetch;    // a fetch failed: the service is not asked again in this run
    struct err first; // of what failed
    int code;
};

/** Remember a failure that does not end the run, and log it. */
void drain_note(struct drain *d, int code, const char *what, const struct err *cause);
bool drain_stopped(const struct drain *d);

/** drain_queue.c: one queue until the stop rule (3.2) says so. Notes its own failures. */
void drain_queue(struct drain *d, size_t binding);

/* drain_batch.c */
/** Map one body and add its rows; a failed one is put into the state. *counts grows. */
MUST_CHECK int drain_event(struct drain *d, const struct broker_message *m,
                           struct drain_counts *counts, struct err *err);
/** Map and store the batch at hand: rows, then state. @return 0: it may be acknowledged; E_*: it
 * must come again. */
MUST_CHECK int drain_store(struct drain *d, struct drain_counts *counts, struct err *err);
void drain_add(struct drain_counts *to, const struct drain_counts *from);

/** drain_definitions.c: ask for each wanted id that this run has not asked for. Notes its own
 * failures. */
void drain_definitions(struct drain *d);

/** drain_retry.c: failed events of earlier runs, once each. Notes its own failures. */
void drain_retry(struct drain *d);
