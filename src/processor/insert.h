/* insert.h - the last stage: rows by origin into a table of the warehouse. */
#pragma once

#include "processor/content_table.h"
#include "processor/index_row.h"
#include "stage/stage.h"
#include "store/store.h"

struct insert_options {
    struct content_place place;
    const char *date;   // YYYY-MM-DD, of every row
    bool replace_table; // BQ_REPLACE: these rows take the place of all, not of this date's
};

struct insert_counts {
    uint64_t n_rows;  // put in
    uint64_t n_table; // of the table afterwards
};

/**
 * Put rows into the table, all of them or none. What the table held of this date (or all that it
 * held) goes in the same step, so that a second run changes nothing.
 * Writes what the original printed: the statement that counts the table, and its answer.
 * @return 0, E_ABSENT (there is no row: what the table holds stays), E_ARG, E_FORMAT naming the
 * record (a timestamp that is none, an aggregate above 2^63-1), or E_*.
 */
MUST_CHECK int insert_rows(const struct insert_options *options, const struct index_rows *rows,
                           const struct stage_sink *out, struct insert_counts *counts,
                           struct err *err);
