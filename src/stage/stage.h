/*
 * stage.h - the stage workers: share records in, packet records or a sum out.
 *
 * They work over streams and know neither files nor buckets; the same calls serve the prio program,
 * the threads of the processor and the workers of a cluster. Nothing is printed. A record that does
 * not come through is counted by reason and never stops a run (prio-v1.md section 16).
 */
#pragma once

#include "base/progress.h"
#include "base/source.h"
#include "stage/counts.h"
#include "stage/identity.h"
#include "stage/packets.h"
#include "stage/seen.h"
#include "weir/prio.h"

/* The push side of a stream. */
struct stage_sink {
    int (*write)(void *arg, const void *bytes, size_t len, struct err *err); // 0 or E_*
    void *arg;
};

/*
 * What verify1 leaves behind in `first` mode, so that no later stage has to read the shares again
 * (traced.h). For one part of a batch.
 */
struct stage_trace {
    struct stage_sink entries; // trace.h
    /* Every accepted share is added, pending until its verdict: the sum is optimistic and cannot be
     * serialised before (prio-v1.md 16.8). NULL: no sum. */
    struct prio_sum *sum;
};

struct stage_options {
    unsigned n_workers;        // 0 = 1; output does not depend on it
    unsigned cpu;              // cpu_feature bits
    bool strict;               // fail at the first line that is not a JSON object
    struct stage_sink rejects; // write NULL: none. {"line": 3, "id": ..., "reason": "decrypt"}
    struct progress *progress; // may be NULL
    bool compact;              // records as record_write_compact spells them
    uint8_t *identity;         // [IDENTITY_BYTES] of the shares read (identity.h); NULL: not wanted
    struct stage_trace *trace; // verify1 in `first` mode; NULL: none
};

/* One pass over the share records of a server. */
struct stage_input {
    const struct prio_server *server; // its role and points mode decide how records are checked
    struct source shares;
    const char *name;  // of the shares, for messages
    struct seen *seen; // records met so far in this batch and pass; more are noted
};

/** Bytes of the longest line that is read for this server's shares; longer ones are too-long. */
size_t stage_max_line(const struct prio_server *server);

/**
 * Write a verify1 record for each share that opens. counts are added to.
 * @return 0, or E_FORMAT naming name and line (strict), E_NOMEM, E_IO, E_CRYPTO.
 */
MUST_CHECK int stage_verify1(const struct stage_input *in, const struct stage_options *options,
                             const struct stage_sink *out, struct stage_counts *counts,
                             struct err *err);
/**
 * Write a verify2 record for each share whose verify1 messages of both servers are there.
 * verify1: messages of the whole batch, since it also notes which of their ids were met.
 */
MUST_CHECK int stage_verify2(const struct stage_input *in, struct packets *verify1,
                             const struct stage_options *options, const struct stage_sink *out,
                             struct stage_counts *counts, struct err *err);
/**
 * Add up the shares that the verify2 messages of both servers prove. sum: of in->server; added to.
 * verify2: as above.
 * After a failure it may hold a part of the records and must not be used.
 */
MUST_CHECK int stage_aggregate(const struct stage_input *in, struct packets *verify2,
                               const struct stage_options *options, struct prio_sum *sum,
                               struct stage_counts *counts, struct err *err);

/* Rows of plain values to encode: {"payload": [..]} or a bare array a line. */
struct encode_input {
    const struct prio_batch *batch;
    const struct prio_client *client;
    unsigned precision; // 0: rows of n_data bits; else rows of n_data / precision integers
    struct source rows;
    const char *name; // for messages
    /*
     * NULL: the first bad row ends the run. Else such rows are added to it, and come out as records
     * with an id and no payload, as prio-spark has it.
     */
    uint64_t *n_bad;
};

/**
 * Write the two share records of each row, under one fresh UUID. Each write is of whole lines, as
 * many to out_a as to out_b. n_rows counts bad rows too.
 * @return 0, or E_FORMAT naming name and line at the first row that is not exactly what it should
 * be; what has been written by then must be thrown away.
 */
MUST_CHECK int stage_encode(const struct encode_input *in, const struct stage_options *options,
                            const struct stage_sink *out_a, const struct stage_sink *out_b,
                            uint64_t *n_rows, struct err *err);

/** Turn a failed prio_* status into an err: "what: text". @return its E_* code. */
int stage_prio_err(struct err *err, int status, const char *what);
