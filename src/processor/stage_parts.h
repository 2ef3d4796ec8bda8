/* stage_parts.h - writing the parts of verify2 and aggregate. */
#pragma once

#include "processor/part_writer.h"
#include "processor/run.h"

/** The key of part `number` of a batch, relative to internal/<stage>/. */
MUST_CHECK int stage_part_name(struct run *run, struct run_batch *batch, enum run_stage stage,
                               size_t number, struct key *relative, struct err *err);
/** Open it. relative: as above. */
MUST_CHECK int stage_part_open(struct run *run, enum run_stage stage, const struct key *relative,
                               struct part_writer *writer, struct err *err);
/** Commit it and note it in run->parts[stage]. Thread: any. */
MUST_CHECK int stage_part_commit(struct run *run, enum run_stage stage, const struct key *relative,
                                 struct part_writer *writer, struct err *err);
/** The batch's own marker, and its counts. */
MUST_CHECK int stage_batch_done(struct run *run, struct run_batch *batch, enum run_stage stage,
                                const struct stage_counts *counts, struct err *err);

/**
 * Which batches go through a stage: something of the partner's `before` is in the mailbox, and the
 * own answer of that stage is there. Says which do not.
 */
void stage_find_batches(struct run *run, enum run_stage before, bool *wanted);

/**
 * Wait for the partner's stage, call fn for each of its batches, and look whether the mailbox stood
 * still meanwhile; again where it did not (D7a). What was consumed is recorded at the end.
 */
MUST_CHECK int stage_answer_mail(struct run *run, enum run_stage before, const char *label,
                                 struct object_list *results, run_batch_fn *fn, struct err *err);
