/*
 * drain.h - `pulse drain`: messages of four queues into tables, nothing lost and nothing twice.
 *
 * A batch is mapped and its rows are stored, then what failed and the ids whose definition is
 * wanted, then it is acknowledged; done again after a kill at any point, all of it changes nothing.
 * Source: fxci-etl.md section 3, X3, X10, X12.
 */
#pragma once

#include "broker/broker.h"
#include "fxci/rows.h"
#include "fxci/taskcluster.h"

#include <signal.h>

enum { DRAIN_N_QUEUES = 5 }; // the last one: recorded messages of all other exchanges

/* "exchange/taskcluster-queue/v1/task-completed" and so on; queue names need the user's name. */
struct drain_bindings {
    struct broker_binding bindings[DRAIN_N_QUEUES];
    char queues[DRAIN_N_QUEUES][128];
    size_t n;
};
/** user NULL: of recorded messages. @return 0, or E_ARG: the name is too long. */
MUST_CHECK int drain_bindings_init(struct drain_bindings *b, const char *user, bool durable,
                                   struct err *err);

struct drain_options {
    struct broker *broker; // opened with the bindings
    const struct drain_bindings *bindings;
    struct state *state;
    struct taskcluster *taskcluster; // NULL: wanted ids stay where they are
    const struct fxci_tables *tables;
    rows_open_fn *open;
    void *open_arg;
    int64_t now_us;
    int64_t window_days; // 3.5, W
    unsigned cpu;
    uint64_t batch_messages; // at most the broker's prefetch
    uint64_t batch_ms, queue_ms;
    const volatile sig_atomic_t
        *stop; // set by SIGTERM: the batch at hand is finished, then it ends
    bool show_progress;
};

struct drain_counts {
    uint64_t n_taken; // = the next four together
    uint64_t n_runs, n_ids, n_ignored, n_failed;
    uint64_t n_tasks; // of the runs, so many made a task row, too
    uint64_t n_redelivered;
    struct row_counts tables[FXCI_N_TABLES]; // with definitions
    uint64_t n_retried, n_recovered;         // failed events of earlier runs
    uint64_t n_definitions_failed, n_ids_missing;
};

/**
 * Drain every queue, fetch definitions, try failed events of earlier runs once. What fails does not
 * stop the rest: it is in the log, and the first failure is returned at the end.
 * @return 0; E_*. counts: of all that is durable, also after a failure.
 */
MUST_CHECK int drain_run(const struct drain_options *o, struct drain_counts *counts,
                         struct err *err);
