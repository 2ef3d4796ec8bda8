/* share_rows.h - rows of bits to share records in part files of both servers. */
#pragma once

#include "processor/part_out.h"
#include "processor/share_batch.h"

/* Rows of one batch. Its lines have random ids in ascending order, the same on both sides. */
struct share_rows {
    const struct share_options *options;
    const struct share_batch *batch;
    const struct share_batch *last; // what the last row is encoded for instead; NULL: batch
    uint64_t n_rows;
    unsigned scale; // copies of each row, each under an id of its own; at least 1
    /** Fill a row of n bits. Thread: any. @return 0 or E_*. */
    int (*fill)(uint8_t *bits, size_t n, struct err *err);
    /* Where its lines stand among all of the output, for cutting that into ranges. */
    uint64_t first_line, n_lines;
    unsigned n_partitions;
    struct part_out *out; // [N_SERVERS]
    struct span batch_id; // of the folder; ptr NULL: none
    struct progress *progress;
};

MUST_CHECK int share_rows_run(const struct share_rows *rows, struct err *err);

/** The two ways to fill: bit i is 1 where i mod 3 or i mod 5 is 0; each bit is 1 with probability
 * 1/2. */
MUST_CHECK int fill_pattern(uint8_t *bits, size_t n, struct err *err);
MUST_CHECK int fill_random(uint8_t *bits, size_t n, struct err *err);

/** Characters of the base64 of one share for A. It differs a little from share to share. */
MUST_CHECK int share_base64_len(size_t *len, const struct share_batch *batch, struct err *err);
