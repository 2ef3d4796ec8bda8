/* pair_test.h - two servers and an ingestion below one scratch folder, for tests of process. */
#pragma once

#include "base/buf.h"
#include "pair_watch.h"
#include "processor/process.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
// cmocka.h leans on the standard headers above it.
#include <cmocka.h>

enum { PAIR_BATCHES = 3, PAIR_MAX_DATA = 20, PAIR_SAID_BYTES = 16384 };

struct pair {
    char root[128];
    enum prio_prg prg;
    bool one_bucket; // all buckets of both servers are one
    uint8_t private_key[2][PRIO_KEY_BYTES], public_key[2][PRIO_KEY_BYTES];
    char hex[2][PRIO_KEY_HEX_BYTES];
    uint8_t secret[PRIO_SECRET_BYTES];
    struct data_entry entries[PAIR_BATCHES]; // two with data, one without
    struct data_config config;
    char said[2][PAIR_SAID_BYTES]; // lines of the last run, by role
    const char *date;
};

/* Records of one data set: `n` good ones a batch, and of each kind of bad one, `bad`. */
struct pair_data {
    size_t n, bad;
    unsigned seed; // decides the bits
    size_t n_parts;
};

struct pair *pair_new(bool one_bucket);
void pair_free(struct pair *p);

/** Replace the raw shares of both servers: data first, marker last. */
void pair_stage(struct pair *p, const struct pair_data *data);
/** The shares of one server alone, or its marker alone. */
void pair_unmark(struct pair *p, int role);

/** Options for one server; stores are opened. Close them with pair_close. */
void pair_options(struct pair *p, int role, struct process_options *o);
void pair_close(struct process_options *o);

/* How to run; zeros are the defaults of these tests: short waits, one worker. */
struct pair_how {
    bool keep_state, again, sequential;
    unsigned n_workers;
    uint64_t min_batch;
    uint64_t retry_limit; // of 5 ms; 0: 2000
    const char *sign_key, *verify_key;
    const char *report_file;
    void (*tweak)(struct process_options *o, void *arg); // the last word on the options
    void *tweak_arg;
    // Of a child:
    struct pair_fate fate;
    const char *log_file, *said_file; // what it logs is appended, what it says replaces; or NULL
    const char *peak_file;            // its memory at most, in KiB, as text
    bool quiet;                       // a failure is not shown
};
/** Run one server in this thread. *text (may be NULL): room for ERR_TEXT_BYTES. */
int pair_run(struct pair *p, int role, const struct pair_how *how, char *text);
/** Both at once, each in a child process. @return true when both succeeded. */
bool pair_run_both(struct pair *p, const struct pair_how *how);
/** A child process that runs one server; before its `kill_at`-th change of a store it dies.
 * 0: never. @return its process id. */
int pair_spawn(struct pair *p, int role, const struct pair_how *how, unsigned kill_at);
/** @return its exit status, or 128 + signal. */
int pair_wait(int pid);

/** Both published the sums of this data set, with these counts, and equal ones. */
void pair_assert_published(struct pair *p, const struct pair_data *data);
/** Nothing of a run is left but results, run.json and lock. */
void pair_assert_clean(struct pair *p);
/** All objects of one server's folder "ingest", "private", "shared", "": sorted, one a line. */
char *pair_tree(struct pair *p, int role, const char *bucket);
/** The text of the publish file of a batch; NULL when there is none. Owner: the caller. */
char *pair_published_text(struct pair *p, int role, size_t batch);
/** Absolute path of own_prefix of one server in a bucket, with "/" at the end. */
void pair_path(struct pair *p, int role, const char *bucket, char *out, size_t cap);
