/*
 * event.h - what one pulse message says. Source: fxci-etl.md 3.3, X11.
 */
#pragma once

#include "base/buf.h"
#include "codec/record.h"
#include "fxci/tables.h"

enum event_outcome {
    EVENT_IGNORED,
    EVENT_FAILED,       // reason says why
    EVENT_TASK_ID,      // task_id: its definition is wanted
    EVENT_RUN,          // run
    EVENT_RUN_AND_TASK, // run and task
};
enum { EVENT_REASON_BYTES = 160, EVENT_MAX_BODY_BYTES = 64 << 20 };

/* Spans borrow from the body or the mapper's scratch, until the next event. */
struct event {
    enum event_outcome outcome;
    bool undecodable; // of a failed one: the body is not JSON, or not UTF-8
    char reason[EVENT_REASON_BYTES];
    struct span task_id; // also of runs
    int64_t expires_us;  // of the task; INT64_MIN: not known
    struct cell run[RUN_N], task[TASK_N];
    struct span tags[N_TAGS];
};

struct event_mapper {
    struct record_ops ops;
    int64_t today; // submission_date: days since 1970-01-01
    struct buf scratch;
};
void event_mapper_init(struct event_mapper *m, unsigned cpu, int64_t today);
void event_mapper_deinit(struct event_mapper *m);

/** body: NDJSON_SLACK readable bytes behind it. @return 0, or E_NOMEM. */
MUST_CHECK int event_map(struct event_mapper *m, struct event *e, struct span body,
                         struct err *err);

/** The tag column of a name as written ("createdForUser"), or -1. */
int event_tag_column(struct span name);
