/*
 * row_file.h - the rows of a file that somebody brings: NDJSON by our own reader, CSV and Parquet
 * by DuckDB's.
 */
#pragma once

#include "warehouse/warehouse.h"

enum { ROW_FILE_MAX_LINE = 64 << 20 };

/* A row's text, with NDJSON_SLACK bytes behind it: of NDJSON the line, else one JSON object. Its
 * E_FORMAT gets the file and the place in front. */
typedef int row_file_fn(void *arg, struct span row, struct err *err);
struct row_file {
    const char *path; // a file that can be read twice
    bool tabular;     // found out: it is CSV or Parquet
    bool packed;
    bool keep_empty; // for the caller to set: a quoted empty text of CSV is one, and not null
    enum { ROW_FILE_NDJSON, ROW_FILE_CSV, ROW_FILE_PARQUET } kind;
};
/** Find out what it is: the name says, else the content. @return 0, E_ABSENT, or E_*. */
MUST_CHECK int row_file_open(struct row_file *file, const char *path, struct err *err);
/** w: any DuckDB warehouse, NULL for NDJSON; it reads the others. @return 0, E_FORMAT, what fn
 * returned, or E_*. */
MUST_CHECK int row_file_read(const struct row_file *file, struct warehouse *w, row_file_fn *fn,
                             void *arg, struct err *err);
