/* SPDX-License-Identifier: MPL-2.0 */
/*
 * BigQuery: which rows go into a staging table together. A load job is all or nothing: where it is
 * refused, the row that BigQuery names is tried alone, and the others without it; where none is
 * named, both halves are tried.
 */
#include "warehouse/batching.h"
#include "warehouse/bigquery_batch.h"

#include <inttypes.h>

/* Source: https://cloud.google.com/bigquery/quotas#load_jobs */
enum {
    JOB_MAX_ROWS = 10 * 1000 * 1000,
    JOB_MAX_BYTES = 1 << 30,
    ROW_MAX_BYTES = 100 * 1000 * 1000,
    MAX_JOBS = 500, // beyond that it is not the rows
};

static void mark_staged(struct staged_table *t, size_t first, size_t end)
{
    for (size_t i = first; i < end; i++)
        if (t->rows[i].state == ROW_PENDING)
            t->rows[i].state = ROW_STAGED;
}

static size_t nth_pending(const struct staged_table *t, size_t first, size_t n)
{
    for (;; first++)
        if (t->rows[first].state == ROW_PENDING && n-- == 0)
            return first;
}

static int count_job(struct staged_table *t, struct err *err)
{
    return t->n_jobs++ < MAX_JOBS
               ? 0
               : err_wrap(err, E_IO, "rows for table %s are refused again and again",
                          t->schema->name);
}

/* @return 0 with all of them staged or refused, 1: *suspect is to be tried alone, 2: both halves
 * are, or E_*. */
static int try_range(struct staged_table *t, size_t first, size_t end, size_t *suspect,
                     struct err *err)
{
    struct err why = {0};
    const size_t n = pending_rows(t, first, end);
    if (n == 0)
        return 0;
    int r = stage_by_job(t, first, end, suspect, &why);
    if (r == 0)
        mark_staged(t, first, end);
    if (r < 0 && err)
        *err = why;
    if (r <= 0)
        return r;
    if (n == 1)
        return refuse_row(t, nth_pending(t, first, 0), why.text, err);
    r = count_job(t, &why);
    if (r < 0 && err)
        *err = why;
    return r < 0 ? r : *suspect == SIZE_MAX ? 2 : 1;
}

static int stage_range(struct staged_table *t, size_t first, size_t end, struct err *err)
{
    for (;;) {
        size_t suspect = SIZE_MAX;
        int r = try_range(t, first, end, &suspect, err);
        if (r <= 0)
            return r;
        if (r == 2) {
            const size_t half = pending_rows(t, first, end) / 2;
            const size_t middle = nth_pending(t, first, half);
            r = stage_range(t, first, middle, err);
            return r < 0 ? r : stage_range(t, middle, end, err);
        }
        r = stage_range(t, suspect, suspect + 1, err);
        if (r < 0)
            return r;
    }
}

static int refuse_large(struct staged_table *t, size_t row, struct err *err)
{
    char reason[200];
    (void)snprintf(reason, sizeof reason, "the row has %" PRIu64 " bytes, more than %d",
                   t->rows[row].len, ROW_MAX_BYTES);
    return refuse_row(t, row, reason, err);
}

int stage_rows(struct staged_table *t, struct err *err)
{
    struct batching job = {
        .max_rows = JOB_MAX_ROWS, .max_bytes = JOB_MAX_BYTES, .max_row_bytes = ROW_MAX_BYTES};
    size_t first = 0;
    int r = 0;
    for (size_t i = 0; i < t->n_rows && r == 0; i++) {
        if (t->rows[i].state != ROW_PENDING)
            continue;
        const unsigned flags = batching_add(&job, t->rows[i].len);
        if (flags & BATCHING_TOO_LARGE)
            r = refuse_large(t, i, err);
        if (r == 0 && (flags & BATCHING_CLOSES)) {
            r = stage_range(t, first, i, err);
            first = i;
        }
    }
    return r < 0 ? r : stage_range(t, first, t->n_rows, err);
}
