/*
 * encode_shares.h - prio-spark's `encode-shares`: rows of bits in a folder to shares in two.
 * Source: prio-processor.md, 2.3 and D14.
 */
#pragma once

#include "processor/share_batch.h"

struct encode_shares_options {
    struct share_options shares;
    const char *batch_id;
    size_t n_data;
    uint64_t partition_mb; // 0: 250
    struct place input;    // a file, a glob or a folder of {"payload": [..]} lines
    struct place output[N_SERVERS];
    bool dry_run; // read the input, and write nothing
};

struct encode_shares_result {
    uint64_t n_rows, n_bad; // a bad row becomes a record without payload
    uint64_t n_partitions;  // "writing P partitions"
};

/** Replace both outputs by part-* and _SUCCESS. The input is read twice, first to count its rows.
 * @return 0, E_ABSENT (no input), E_ARG, or E_*. */
MUST_CHECK int encode_shares_run(const struct encode_shares_options *options,
                                 struct encode_shares_result *result, struct err *err);
