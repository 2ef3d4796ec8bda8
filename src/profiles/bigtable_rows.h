/*
 * bigtable_rows.h - rows out of the chunks of ReadRows: a row comes in cells, a cell in one or more
 * chunks, and the server may take back a row that it has not committed.
 *
 * Source: the comments at ReadRowsResponse.CellChunk of the public API. Limits: keys of 4 KiB,
 * values of PROFILES_MAX_VALUE bytes, rows in ascending order.
 */
#pragma once

#include "base/buf.h"
#include "profiles/profiles.h"

enum { BIGTABLE_MAX_KEY = 4096 };

struct row_reader {
    enum { BETWEEN_ROWS, IN_ROW, IN_CELL } state;
    struct buf key;   // of the open row
    struct buf last;  // key of the last row that was committed or passed over; empty: none
    struct buf value; // of the open cell, then of the row, if it is of the column
    int64_t timestamp_us;
    size_t cell_len, cell_total; // bytes of the open cell so far, and as announced; 0: not
    bool our_family, our_column; // of the open cell
    bool has_value;              // the row's newest cell is there, or begun
    bool keeps_cell;             // the open cell is that one
    uint64_t n_rows;             // committed
    profiles_fn *fn;
    void *arg;
};
void row_reader_init(struct row_reader *r, profiles_fn *fn, void *arg);
void row_reader_deinit(struct row_reader *r);

/** Take one ReadRowsResponse. @return 0, what fn returned, E_FORMAT, or E_NOMEM. */
MUST_CHECK int row_reader_take(struct row_reader *r, struct span message, struct err *err);
/** The stream ended. @return 0, or E_FORMAT: within a row. */
MUST_CHECK int row_reader_end(const struct row_reader *r, struct err *err);
/** The stream broke: forget the open row; what is behind `last` is asked for again. */
void row_reader_restart(struct row_reader *r);
