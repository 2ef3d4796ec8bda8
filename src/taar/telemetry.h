/*
 * telemetry.h - where client telemetry comes from: files, buckets, tables. Source: taar-etl.md
 * section 2 (columns), Y3, Y8, section 9 (SQL mapping).
 *
 * A source becomes the text of a relation that SQL may select from: columns by the names and types
 * of section 2, with submission_date as a DATE whatever the partition column is called, rows of the
 * wanted days only. subsession_hours_sum is DECIMAL(38,9) (NUMERIC), submission_timestamp is
 * TIMESTAMP WITH TIME ZONE (TIMESTAMP).
 *
 * Files are read by a scratch DuckDB where they are. What lies in a bucket is staged through the
 * store first, a file at a time, and deleted after use. A table is read in its own warehouse.
 *
 * Of directories, globs and buckets every file is taken, in all folders below, but for names that
 * begin with "_" or ".". Files are Parquet, or JSON with an object a line, gzip and zstd too.
 * The day of a file is that of "submission_date_s3=20210314" or "submission_date=2021-03-14" in its
 * path, or of {dateformat} (which stands for 20210314, and for 2021-03-14 behind
 * "submission_date="); else a column of either name has it, row by row.
 */
#pragma once

#include "base/buf.h"
#include "store/store.h"
#include "warehouse/warehouse.h"

enum telemetry_kind { TELEMETRY_CLIENTS, TELEMETRY_ADDONS, TELEMETRY_DELETIONS };

/* first, last: every day there is; no date is needed then. */
#define TELEMETRY_ANY_FIRST INT64_MIN
#define TELEMETRY_ANY_LAST  INT64_MAX

/* All is borrowed during telemetry_open only, but for `opened`. */
struct telemetry_config {
    // path, directory, glob, s3:// s3a:// gs:// file://, or a table: [project.]dataset.table. What
    // has neither "/" nor a file of that name is a table.
    const char *source;
    enum telemetry_kind kind;
    int64_t first, last; // partitions that are wanted: days since 1970-01-01, both included
    /* Columns without which the caller's result would be void, NULL ends: where one is missing it
     * is an error. NULL: client_id, and active_addons, addon_id or submission_timestamp. Others
     * become NULL, with a warning. */
    const char *const *needed;
    const char *temp_dir;              // scratch DuckDB and spool; NULL: /tmp
    uint64_t memory_limit_bytes;       // of the scratch DuckDB; 0 as in warehouse.h
    unsigned n_threads;                // the same
    const struct store_config *access; // how buckets are reached; url is ignored. NULL: local files
    const struct warehouse_config *warehouse; // that of tables; may be NULL for files
    struct warehouse *opened;                 // instead of all these, for files too (DuckDB then)
};

struct telemetry;
/** @return 0; E_ARG; E_ABSENT: nothing of these days is there, naming the place; E_FORMAT: a column
 * is missing or has another type, naming it and the file. In buckets the last two may come from
 * telemetry_each. */
MUST_CHECK int telemetry_open(struct telemetry **out, const struct telemetry_config *config,
                              struct err *err);
void telemetry_close(struct telemetry *t); // deletes spool and scratch
DEFINE_FREEP(struct telemetry, telemetry_close)

/** The warehouse in which relations are valid; temporary tables of the caller may lie in it where
 * it is a scratch one. */
struct warehouse *telemetry_warehouse(const struct telemetry *t);
/** Is it a DuckDB of its own, gone with t? */
bool telemetry_is_scratch(const struct telemetry *t);
/** Does telemetry_each stage files, and so run its function for each of them unless `whole`? */
bool telemetry_is_staged(const struct telemetry *t);

/**
 * Run fn for each piece of the source, with the SQL of a relation ("(SELECT .. FROM ..)"): once for
 * local files and tables, once a staged file for buckets, unless `whole`: then all of them at once,
 * which needs their size of disk. @return 0, E_FORMAT: a line is no JSON, naming file and line; or
 * what fn returned.
 */
typedef int telemetry_fn(void *arg, const char *relation, struct err *err);
MUST_CHECK int telemetry_each(struct telemetry *t, bool whole, telemetry_fn *fn, void *arg,
                              struct err *err);

/**
 * Is the partition of day config->first complete? That is a data file and _SUCCESS in its folder,
 * or rows in the table; a source that is one file has no folder: it is ready when it is there.
 * @return 0 with *ready, or E_*. Source: taar-etl.md 1.2.
 */
MUST_CHECK int telemetry_ready(const struct telemetry_config *config, bool *ready, struct err *err);
