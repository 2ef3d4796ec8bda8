/*
 * profiles.h - rows by key: the one door to LMDB and Bigtable. One table of one cell a row: family
 * "profile", qualifier "payload". Source: taar-etl.md section 4, Y7, Y9.
 *
 * A URL says which: "lmdb:///dir" (made where missing), or "bigtable://project/instance".
 *
 * Any number of processes may use a store at a time; of a directory, a process may have one handle.
 * Thread: a handle belongs to one. What was put or deleted is seen by get and each after the flush.
 * While each runs, its function may not use the handle.
 */
#pragma once

#include "base/err.h"
#include "base/opts.h"
#include "base/span.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct profiles;

struct profiles_config {
    const char *url;
    const char *instance; // LMDB: part of the table's name (Y7); Bigtable: the URL's wins
    const char *table;    // "taar_profile"; NULL (LMDB, reading only): the only table there is
    bool read_only;       // nothing is made

    // Bigtable
    const char *google_credentials, *metadata_host; // NULL: net/google.h's defaults
    const char *ca_file;
    const char *emulator; // BIGTABLE_EMULATOR_HOST, "host:port": cleartext, without a token
    const char *endpoint; // base URL; NULL: the real one
    unsigned n_streams;   // requests at a time; 0: 4
    uint64_t deadline_ms; // of a batch with all its retries; 0: 10 minutes
};

/**
 * LMDB: the environment is opened; Bigtable: nobody is contacted.
 * @return 0, E_ARG, E_ABSENT (read_only: no such store or table; several tables and none named,
 * they are listed), or E_*.
 */
MUST_CHECK int profiles_open(struct profiles **out, const struct profiles_config *config,
                             struct err *err);
void profiles_close(struct profiles *p);
DEFINE_FREEP(struct profiles, profiles_close)
const char *profiles_name(const struct profiles *p);

/** Make the table where it is missing: one family, garbage collection of what is older than 90 days
 * or more than 1 version (LMDB: at profiles_collect). One that is there is left as it is. */
MUST_CHECK int profiles_ensure_table(struct profiles *p, struct err *err);

enum {
    PROFILES_MAX_KEY = 511, // LMDB's limit; Bigtable's is 4096
    PROFILES_MAX_VALUE = 10 << 20,
    PROFILES_BATCH_ROWS = 1000,
    PROFILES_BATCH_BYTES = 5 << 20
};

/**
 * Put a row's cell, timestamp in microseconds, a multiple of 1000. Copied; rows travel in batches
 * of 1,000 or 5 MiB. A row that is put again replaces the older cell, and one of the same time;
 * puts and deletes of a key take effect in the order of the calls. @return 0 or E_*: E_ABSENT,
 * there is no such table.
 */
MUST_CHECK int profiles_put(struct profiles *p, struct span key, struct span value,
                            int64_t timestamp_us, struct err *err);
/** Delete a whole row; one that is not there is fine. */
MUST_CHECK int profiles_delete(struct profiles *p, struct span key, struct err *err);
/** Everything put and deleted is durable. @return 0, or E_IO with how many rows failed, and why the
 * first one did: retries are exhausted, or the status is one that stays. */
MUST_CHECK int profiles_flush(struct profiles *p, struct err *err);
/** LMDB: delete cells that are older than 90 days before now. Bigtable does so by itself. */
MUST_CHECK int profiles_collect(struct profiles *p, int64_t now_us, uint64_t *n, struct err *err);

struct buf;
/** The newest cell of a row, appended to value. @return 0, E_ABSENT, or E_*. */
MUST_CHECK int profiles_get(struct profiles *p, struct span key, struct buf *value,
                            struct err *err);
/** All rows, by key, bytewise. Borrowed during the call. @return 0 or what fn returned. */
typedef int profiles_fn(void *arg, struct span key, struct span value, int64_t timestamp_us,
                        struct err *err);
MUST_CHECK int profiles_each(struct profiles *p, profiles_fn *fn, void *arg, struct err *err);
