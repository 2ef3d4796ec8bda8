/*
 * staging.h - the command `staging`: a date's pings to share records of both servers.
 * Source: prio-processor.md, section 7 and D16.
 */
#pragma once

#include "base/progress.h"
#include "processor/place.h"
#include "warehouse/warehouse.h"

enum {
    STAGING_MAX_LINE = 16 << 20, // of an input line and of a ping; Pub/Sub ends at 10 MB
    STAGING_MAX_PARTITIONS = 100000,
};

enum staging_source {
    STAGING_GCS,      // <input>/<date>/<hour>/<namespace>/<type>/<version>/*
    STAGING_EXPORT,   // <input>/*: rows of the table, payload as base64, gzip or not
    STAGING_BIGQUERY, // the table itself
};

struct staging_options {
    const char *date; // "2026-03-14"
    enum staging_source source;
    struct place input; // gcs, export
    /* bigquery: "project.dataset.table" (or any table of a DuckDB file). Above export_above_bytes
     * of payloads the table is exported below export_to, read from there, and that is deleted. */
    const char *table;
    struct warehouse *warehouse;
    uint64_t export_above_bytes; // 0: 5 GB
    struct place export_to;      // store NULL: none; BigQuery then refuses a day above the limit
    const char *export_url;      // of export_to: "gs://bucket/folder"
    struct place output;
    uint64_t partition_bytes; // of A's payloads in a partition; 0: 250 MB
    unsigned n_partitions;    // 0: as many as partition_bytes asks for
    size_t memory_bytes;      // 0: 256 MiB; what goes beyond lies in a temporary file
    const char *tmp_dir;      // NULL: /tmp
    unsigned n_workers;       // 0: 1
    unsigned cpu;             // cpu_feature bits
    enum progress_mode progress;
};

enum staging_reason {
    STAGING_BAD_MESSAGE,  // the line is no JSON object with a string payload, or too long
    STAGING_BAD_BASE64,   // of the payload
    STAGING_BAD_GZIP,     // damaged, or too long unpacked
    STAGING_NOT_JSON,     // the ping is not one JSON object
    STAGING_NO_ID,        // it has no document id
    STAGING_NO_PRIO_DATA, // payload.prioData is no list
    STAGING_DUPLICATE,    // its document id was met before
    STAGING_BAD_ELEMENT,  // of prioData: no usable encoding, or not both shares
    STAGING_REASONS,
};
/** "bad-message", ... */
const char *staging_reason_name(enum staging_reason reason);

struct staging_result {
    uint64_t n_objects, n_lines;            // read; blank lines are not counted
    uint64_t n_other_days;                  // lines whose submission_timestamp is of another date
    uint64_t n_pings;                       // kept
    uint64_t n_records, n_batches, n_files; // files of one side
    uint64_t a_bytes;                       // characters of A's payloads
    unsigned n_partitions;
    uint64_t dropped[STAGING_REASONS]; // pings; of BAD_ELEMENT: elements
    size_t n_runs;                     // how often memory was full, plus one
};

/**
 * Stage a date. Output of the same date is replaced as a whole, other dates stay; _SUCCESS goes
 * first and comes back last. What is dropped is counted, and logged as a warning with the place of
 * the first one. Nothing is touched before all input has been read.
 * @return 0 (also for a day without pings), or E_ARG, E_ABSENT, E_IO, E_FORMAT (damaged gzip file),
 * E_NOMEM.
 */
MUST_CHECK int staging_run(const struct staging_options *options, struct staging_result *result,
                           struct err *err);
