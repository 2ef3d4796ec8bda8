/*
 * stage_dirs.h - one stage over folders, as `prio-spark` had it (prio-processor.md 2.3): every part
 * of the input in the order of names, one batch; an output folder that is replaced.
 *
 * Records are compact and parts are called part-NNNNN-<uuid>-c000.json. What does not come through
 * is logged by reason and never fails a run.
 */
#pragma once

#include "base/progress.h"
#include "processor/place.h"
#include "stage/keys.h"

struct stage_dirs_options {
    const char *batch_id;
    size_t n_data;
    enum prio_role role;
    enum prio_prg prg;
    enum prio_points points;
    struct key_texts keys;
    struct place input;        // shares: a file, a glob or a folder; not of publish
    struct place own, partner; // results of the stage before; not of verify1
    struct place output;
    unsigned n_workers, cpu;
    const char *cpu_level; // as in WEIR_CPU, NULL: all
    int64_t now_us;        // of what is published
    enum progress_mode progress;
    bool dry_run; // check everything, write nothing
};

enum stage_dirs_stage {
    STAGE_DIRS_VERIFY1,
    STAGE_DIRS_VERIFY2,
    STAGE_DIRS_AGGREGATE,
    STAGE_DIRS_PUBLISH,
};
/** "verify1" */
const char *stage_dirs_name(enum stage_dirs_stage stage);

/**
 * Nothing is written before keys and inputs are known to be usable.
 * @return 0; E_ARG: the output would destroy an input; E_ABSENT: an input is not there; E_FORMAT: a
 * key, or aggregates that do not belong together; or E_*.
 */
MUST_CHECK int stage_dirs_run(enum stage_dirs_stage stage, const struct stage_dirs_options *options,
                              struct err *err);
