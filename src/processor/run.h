/*
 * run.h - the inside of process: one run of one server, and what its stages share.
 *
 * Keys. own + "raw/", "intermediate/internal/", "intermediate/external/", "processed/", "state/" in
 * the own buckets; partner + "intermediate/external/" in the partner's mailbox. Lists of objects
 * are relative to the folder they are about: raw/, internal/<stage>/, external/<stage>/.
 */
#pragma once

#include "base/metrics.h"
#include "base/progress.h"
#include "processor/key.h"
#include "processor/object_list.h"
#include "processor/process.h"
#include "processor/run_state.h"
#include "stage/stage.h"

#include <pthread.h>

/* What a stage made of a batch. total: records that the stage before let through. */
struct run_counts {
    bool done;
    struct stage_counts counts;
    uint64_t joined; // aggregate: `total` of the record that leaves (5.8)
};

struct run_batch {
    const struct data_entry *entry;
    char *dir; // "batch_id=..."
    struct prio_batch *batch;
    struct prio_server *server;
    struct digest_key key; // of ids and ciphertexts, the same in every process of this server
    struct prio_sum *sum;  // all that verify1 accepted in this process, optimistic; or NULL
    struct run_counts stages[RUN_STAGES];
    bool published, withheld;
};

struct run {
    const struct process_options *o;
    char *own, *partner;       // prefixes, "/" at the end
    struct run_batch *batches; // in config order
    size_t n_batches;
    struct run_state state;
    bool fresh;             // nothing of an earlier process can be reused
    bool finished_by_other; // results without a record of ours: nothing here is ours to clean
    struct object_list raw; // as verify1 read it
    struct object_list parts[RUN_STAGES]; // own answers
    struct object_list mail[RUN_STAGES];  // the partner's, as they were consumed
    struct store_lock *lock;
    struct progress progress;
    struct metrics *metrics;
    pthread_mutex_t mutex; // of what batches that run side by side add to
    struct run_report *report;
};

/* run.c */
MUST_CHECK int run_init(struct run *run, const struct process_options *options, struct err *err);
void run_deinit(struct run *run);
/** A key in the own buckets: own + printf. */
MUST_CHECK int run_key(const struct run *run, struct key *key, struct err *err, const char *fmt,
                       ...) PRINTF_LIKE(4, 5);
void run_say(const struct run *run, const char *fmt, ...) PRINTF_LIKE(2, 3);
/** Write run.json, after a look at the lock. */
MUST_CHECK int run_save(struct run *run, struct err *err);
/** Is the lock still ours? Before every marker and record (D6). */
MUST_CHECK int run_check_lock(struct run *run, struct err *err);
/** Write an empty marker, after a look at the lock. */
MUST_CHECK int run_mark(struct run *run, struct store *store, const char *key, struct err *err);
/** List store below a key made of prefix + printf, relative to it. */
MUST_CHECK int run_list(struct object_list *out, struct store *store, const char *key,
                        struct err *err);
/** Delete everything below key. *n (may be NULL): how many objects. */
MUST_CHECK int run_delete_below(struct store *store, const char *key, uint64_t *n, struct err *err);

typedef int run_batch_fn(struct run *run, struct run_batch *batch, void *arg, struct err *err);
/**
 * Call fn for each batch where wanted[i], several at once as cores and memory allow; the first
 * failure stops those that have not begun. Thread: fn runs on any.
 */
MUST_CHECK int run_each_batch(struct run *run, const bool *wanted, run_batch_fn *fn, void *arg,
                              struct err *err);

/** A batch's objects within a list that is relative to a stage: [*first, *first + n). */
size_t run_batch_objects(const struct object_list *list, const char *dir, size_t *first);
/** Is the object of a list one that holds records of that batch? A direct child that readers take.
 */
bool run_is_part(const struct noted_object *object, const char *dir);

/* wait.c */
/** @return 1 ready, 0 not yet, or E_*, which counts as not yet. */
typedef int run_ready_fn(struct run *run, void *arg, struct err *err);
/** As 5.2 says. @return 0, or E_AGAIN: the limit was reached, and that was said. */
MUST_CHECK int run_wait(struct run *run, const char *what, run_ready_fn *ready, void *arg,
                        struct err *err);

/* raw.c */
/** Wait for the marker of the own shares. */
MUST_CHECK int run_wait_raw(struct run *run, struct err *err);
/** List own/raw/. */
MUST_CHECK int raw_list(struct run *run, struct object_list *out, struct err *err);
bool raw_has_marker(const struct object_list *raw);
/** The digest of a list whose parts carry their identities; file names do not matter. */
MUST_CHECK int raw_digest(const struct run *run, const struct object_list *raw, struct hash *out,
                          struct err *err);
/** Read every part of the configured batches to note its identity. */
MUST_CHECK int raw_identify(struct run *run, struct object_list *raw, struct err *err);
MUST_CHECK int raw_note(struct run *run, const struct object_list *raw, struct err *err);

/**
 * The shares that verify1 read, for a later pass: run->raw, from state/raw.json where this process
 * did not read them itself. @return 0; E_FORMAT: they have changed since; or E_*.
 */
MUST_CHECK int raw_recall(struct run *run, struct err *err);

/* A part of shares while it is read. */
struct raw_part {
    struct store_reader *reader;
    struct gunzip *gunzip;
};
MUST_CHECK int raw_part_open(struct raw_part *part, struct run *run, const char *relative,
                             struct err *err);
struct source raw_part_source(struct raw_part *part);
/** Was it packed? Known once something was read. */
bool raw_part_packed(const struct raw_part *part);
void raw_part_close(struct raw_part *part);

/* restart.c */
/** What an earlier run left decides. @return 1: process; 0: finished already; or E_*. */
MUST_CHECK int run_begin(struct run *run, struct err *err);
/** Would it refuse, as an unfinished run was begun with something else? From listings alone, and
 * without any change. @return 0, or E_* naming what differs. */
MUST_CHECK int run_check_earlier(struct run *run, struct err *err);
/** Name an unfinished run of yesterday in a warning. */
void run_warn_yesterday(struct run *run);

/* verify1.c, verify2.c, aggregate.c, publish.c: compute, record; nothing leaves yet */
MUST_CHECK int run_verify1(struct run *run, struct err *err);
MUST_CHECK int run_verify2(struct run *run, struct err *err);
MUST_CHECK int run_aggregate(struct run *run, struct err *err);
MUST_CHECK int run_publish(struct run *run, struct err *err);

/* traces.c */
/* What verify1 left of the parts of a batch, in order. */
struct run_traces {
    struct part_record *records;
    size_t n;
};
/** @return 1: there is a usable trace for every part; 0: not, read the shares; or E_*. */
MUST_CHECK int run_traces_open(struct run_traces *traces, struct run *run, struct run_batch *batch,
                               struct err *err);
void run_traces_close(struct run_traces *traces);

/* later_pass.c */
/** What a later pass does with one part of the shares: in->shares, options->identity are set. */
typedef int later_part_fn(void *arg, size_t number, const struct stage_input *in,
                          const struct stage_options *options, struct err *err);
/**
 * Read all shares of a batch again, in the order of verify1, where traces are missing. A share that
 * is not what verify1 read is E_FORMAT. counts: what fn counts into.
 */
MUST_CHECK int run_later_pass(struct run *run, struct run_batch *batch,
                              const struct stage_counts *counts, later_part_fn *fn, void *arg,
                              struct err *err);

/* answer.c */
/** Record the own answer of a stage, whose objects stand in run->parts[stage] (D4). */
MUST_CHECK int answer_record(struct run *run, enum run_stage stage, struct err *err);
/** The recorded answer is still there, bit by bit; fills run->parts[stage]. @return 0 or E_FORMAT.
 */
MUST_CHECK int answer_check(struct run *run, enum run_stage stage, struct err *err);

/* counts_state.c */
MUST_CHECK int run_counts_save(struct run *run, enum run_stage stage, struct err *err);
/** Counts of a stage that an earlier process answered, where they are still known. */
void run_counts_recall(struct run *run, enum run_stage stage);

/* mail.c */
/** Wait for the partner's stage, and list it with its marker. */
MUST_CHECK int mail_wait(struct run *run, enum run_stage stage, struct err *err);
/**
 * New raw data take the place of a run's: what its partner left in the mailbox counts as absent
 * until it is written again. Noted in run->state.stale.
 */
MUST_CHECK int mail_note_stale(struct run *run, const struct run_state *last, struct err *err);
/** Has it changed since it was listed? @return 1 yes, 0 no, or E_*. */
MUST_CHECK int mail_changed(struct run *run, enum run_stage stage, struct err *err);
/**
 * With --verify-key: is it what the partner signed? Hashes every part, so that what is read later
 * must be the same. @return 0, E_FORMAT, or E_*.
 */
MUST_CHECK int mail_verify(struct run *run, enum run_stage stage, struct err *err);
/** Record what was consumed; every part of run->mail[stage] that was read carries its hash. */
MUST_CHECK int mail_record(struct run *run, enum run_stage stage, struct err *err);
/** Load the partner's messages of a batch. */
struct packets;
MUST_CHECK int mail_load(struct run *run, struct run_batch *batch, enum run_stage stage,
                         struct packets *packets, struct err *err);
/** Load the own messages of a batch. */
MUST_CHECK int own_load(struct run *run, struct run_batch *batch, enum run_stage stage,
                        struct packets *packets, struct err *err);

/* mirror.c */
MUST_CHECK int run_mirror(struct run *run, enum run_stage stage, struct err *err);

/* report.c: what is told of a run while it goes on, and at its end */
struct run_report;
MUST_CHECK int run_report_new(struct run_report **out, struct run *run, struct err *err);
void run_report_free(struct run_report *report);
/** A stage begins to read so many bytes: progress, and its clock. label: borrowed. */
void run_stage_begin(struct run *run, const char *label, uint64_t bytes);
void run_stage_end(struct run *run, bool done);
void run_report_sent(struct run *run, enum run_stage stage, uint64_t bytes);
/** Log the counts of a stage, per batch and reason, and put them into the metrics. */
void run_report_counts(struct run *run, enum run_stage stage);
/** Write the run report, where one is wanted. status: of the run. */
MUST_CHECK int run_report_write(struct run *run, int status, const char *cause, struct err *err);

/* finish.c */
MUST_CHECK int run_finish(struct run *run, struct err *err);
