/*
 * telemetry.h - where client telemetry comes from: files, buckets, tables. Source: taar-etl.md
 * section 2 (columns), Y3, Y8, section 9 (SQL mapping).
 *
 * A source is opened in a warehouse, and becomes the text of a relation that SQL may select from:
 * columns by the names of section 2, with submission_date as a DATE whatever the partition column
 * is called. In DuckDB files are read where they are; what lies in a bucket is staged through the
 * store into a bounded spool first, a file at a time. In BigQuery it is a table.
 */
#pragma once

#include "base/buf.h"
#include "store/store.h"
#include "warehouse/warehouse.h"

enum telemetry_kind { TELEMETRY_CLIENTS, TELEMETRY_ADDONS, TELEMETRY_DELETIONS };

struct telemetry_config {
    const char *source; // path, directory, glob, s3:// s3a:// gs:// with {dateformat}, or a table
    enum telemetry_kind kind;
    int64_t first, last;   // partitions that are wanted: days since 1970-01-01, both included
    const char *spool_dir; // NULL: /tmp
    const struct store_config *access; // how buckets are reached; url is ignored
};

struct telemetry;
/** @return 0; E_ARG; E_ABSENT: nothing of these days is there, naming the place; E_FORMAT: a column
 * is missing or has another type, naming it. */
MUST_CHECK int telemetry_open(struct telemetry **out, struct warehouse *w,
                              const struct telemetry_config *config, struct err *err);
void telemetry_close(struct telemetry *t); // deletes the spool
DEFINE_FREEP(struct telemetry, telemetry_close)

/**
 * Run fn for each piece of the source, with the SQL of a relation ("(SELECT .. FROM ..)"): once for
 * local files and tables, once a staged file for buckets, unless `whole`: then all of them at once.
 */
typedef int telemetry_fn(void *arg, const char *relation, struct err *err);
MUST_CHECK int telemetry_each(struct telemetry *t, bool whole, telemetry_fn *fn, void *arg,
                              struct err *err);
