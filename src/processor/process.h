/*
 * process.h - one server's part of the pipeline: verify1, verify2, aggregate, publish, clean-up.
 *
 * Source: prio-processor.md, sections 4, 5 and 13. Everything that a run needs is in the options;
 * the stores are opened by the caller (bucket_open). Messages that the original printed on standard
 * output go through `say`; everything else is logged.
 */
#pragma once

#include "base/progress.h"
#include "processor/data_config.h"
#include "store/store.h"
#include "weir/prio.h"

#include <stdbool.h>
#include <stdint.h>

struct process_options {
    const struct data_config *config;
    const char *app_name, *date, *bucket_prefix; // SUBMISSION_DATE already decided
    bool date_given; // false: it is today's, and yesterday's unfinished run is worth a warning
    enum prio_role role;
    uint8_t private_key[PRIO_KEY_BYTES], shared_secret[PRIO_SECRET_BYTES]; // wiped by the caller
    const char *key_internal, *key_external; // public keys as given; hex, any case
    enum prio_prg prg;
    enum prio_points points;

    struct store *ingest, *private, *shared; // own buckets
    struct store *external_shared;           // the partner's mailbox

    unsigned n_workers;    // at least 1
    unsigned cpu;          // cpu_feature bits
    const char *cpu_level; // for prio_batch_options.cpu; NULL: all

    uint64_t retry_limit; // 5.2
    double retry_delay_s, retry_multiplier;

    bool keep_state;    // no clean-up
    bool again;         // repeat a finished run
    uint64_t min_batch; // batches with fewer valid records are not published; 0: no limit
    const char *sign_key, *verify_key; // files; NULL: none
    int64_t now_us;                    // the fixed clock of published timestamps; 0: the real one

    enum progress_mode progress;
    const char *metrics_file; // NULL: none
    const char *report_file;  // run report, JSON; NULL: none

    /** One line for standard output, without its newline. */
    void (*say)(void *arg, const char *line);
    void *say_arg;
};

/**
 * Check what can be checked before anything is read or written: keys, config, parameters.
 * `validate` calls it too. @return 0 or E_ARG naming what is wrong.
 */
MUST_CHECK int process_check(const struct process_options *options, struct err *err);
/** The same of what an earlier run left in the private bucket: reads, and changes nothing.
 * @return 0, E_ARG naming what differs, or E_*. */
MUST_CHECK int process_check_earlier(const struct process_options *options, struct err *err);

/**
 * Run all stages, or finish what an earlier run began.
 * @return 0; E_AGAIN: the wait limit was reached (already said), or another process holds the lock;
 * or E_* with the cause.
 */
MUST_CHECK int process_run(const struct process_options *options, struct err *err);
