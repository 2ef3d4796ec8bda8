/*
 * bigquery_batch.h - a batch's rows on their way into one table.
 *
 * They wait in a file (bigquery_batch.c), go from there into a staging table by load jobs
 * (bigquery_stage.c, bigquery_stage_job.c), and from there into the table by one MERGE
 * (bigquery_merge.c). The staging table (bigquery_staging.c) and the jobs have names made from the
 * rows, so that a program which died is continued by the next one that has the same rows.
 */
#pragma once

#include "warehouse/bigquery_impl.h"

enum { STAGING_NAME_BYTES = 64, STAGING_ALL_BYTES = 32, NULLS_KNOWN = 64 };

struct staged_row {
    uint64_t offset, len; // in the file, with the line's end
    uint64_t nulls;       // of the first 64 columns
    enum { ROW_PENDING, ROW_STAGED, ROW_REFUSED } state;
};

struct refused_row {
    size_t row;
    char *reason;
};

struct staged_table {
    struct bigquery *b;
    const struct table_name *name;
    const struct table_schema *schema;
    int64_t since;
    struct tempfile file;
    struct buf text; // not in the file yet
    struct staged_row *rows;
    size_t n_rows, cap_rows;
    struct refused_row *refused;
    size_t n_refused, n_told; // told: handed to the caller
    json_t *fields;           // of the staging table
    char staging[STAGING_NAME_BYTES];
    unsigned n_jobs;
    bool any_known; // a load job was there before us
};

/** Rows of [first, end) that are still to be staged. */
size_t pending_rows(const struct staged_table *t, size_t first, size_t end);
MUST_CHECK int refuse_row(struct staged_table *t, size_t row, const char *reason, struct err *err);

/* bigquery_staging.c */
/** Read what the table has of our columns, and refuse rows that it would not have. */
MUST_CHECK int staging_prepare(struct staged_table *t, struct err *err);
/** Name the staging table of an attempt: from the table and the rows. */
MUST_CHECK int staging_name(struct staged_table *t, unsigned attempt, struct err *err);
/** @return 0, 1: it is there already, or E_*. */
MUST_CHECK int staging_create(struct staged_table *t, struct err *err);
/** @return its number of rows, UINT64_MAX where nobody says, in *n; or E_ABSENT, E_*. */
MUST_CHECK int staging_count(struct staged_table *t, uint64_t *n, struct err *err);
/** @return 1, 0, or E_*. */
MUST_CHECK int staging_is_there(struct staged_table *t, struct err *err);
void staging_drop(struct staged_table *t);

/* bigquery_stage.c */
/** Load all pending rows. Those that BigQuery refuses are found and marked. @return 0, E_ABSENT:
 * the staging table is gone, or E_*. */
MUST_CHECK int stage_rows(struct staged_table *t, struct err *err);

/* bigquery_stage_job.c */
/**
 * Load the pending rows of [first, end) by one job.
 * @return 0; 1: rows are refused, err says why; *suspect is the one that BigQuery names, or
 * SIZE_MAX; E_ABSENT: the staging table is gone; or E_*.
 */
MUST_CHECK int stage_by_job(struct staged_table *t, size_t first, size_t end, size_t *suspect,
                            struct err *err);

/* bigquery_merge.c */
/** Append the statement, and a NUL. */
MUST_CHECK int merge_sql(struct buf *sql, const struct bigquery *b, const struct table_name *name,
                         const struct table_name *staging, const struct table_schema *schema,
                         int64_t since, struct err *err);
/** @return 0 with the number of rows that were new, 1: the staging table is gone, or E_*. */
MUST_CHECK int merge_staging(struct staged_table *t, uint64_t *n_written, struct err *err);
