/*
 * definition.h - a task's definition as a row of task_definitions_v1, and the pages in which the
 * queue service hands them out. Source: fxci-etl.md 1.2, 3.4, 6.1, X10.
 */
#pragma once

#include "base/buf.h"
#include "codec/record.h"
#include "fxci/member.h"
#include "fxci/tables.h"

enum { DEFINITION_REASON_BYTES = 160, DEFINITION_MAX_BYTES = 64 << 20 };

/* Spans borrow from the text or scratch, until the next one. */
struct definition {
    char reason[DEFINITION_REASON_BYTES]; // "" : it is well-formed
    struct cell row[DEF_N];
    int64_t expires_us; // INT64_MIN: not known
};

struct definition_mapper {
    struct record_ops ops;
    int64_t today;
    struct buf scratch;
    struct member_items lists; // the three of them
};
void definition_mapper_init(struct definition_mapper *m, unsigned cpu, int64_t today);
void definition_mapper_deinit(struct definition_mapper *m);
/** task: the text of "task" (any JSON). @return 0 (see reason), or E_NOMEM. */
MUST_CHECK int definition_map(struct definition_mapper *m, struct definition *d,
                              struct span task_id, struct span task, struct err *err);

/* task_id: unescaped; task: raw text, an empty span where it is missing. @return 0, or E_*. */
typedef int definition_fn(void *arg, struct span task_id, struct span task, struct err *err);
/**
 * Walk {"tasks": [{"taskId", "task"}], "continuationToken"?}. page: NDJSON_SLACK bytes behind it.
 * token: cleared, then the token, or nothing on the last page. An item without a taskId that is
 * text is skipped and counted. @return 0, E_FORMAT (no such object), or what fn returned.
 */
MUST_CHECK int definitions_page(struct span page, const struct record_ops *ops, definition_fn *fn,
                                void *arg, struct buf *token, uint64_t *n_skipped, struct err *err);
