/*
 * generate.h - the commands that make shares of test clients: prio-spark's `generate-integration`
 * and `generate`, and `generate` of prio-processor (bin/generate). Source: prio-processor.md, 2.3
 * and 2.5.
 */
#pragma once

#include "processor/data_config.h"
#include "processor/share_batch.h"

struct generate_result {
    uint64_t n_partitions;                  // prio-spark generate: "writing P partitions"
    uint64_t n_batches, n_records, n_files; // of one side
};

/* Known vectors: of each batch n_rows - 1 rows that follow fill_pattern and one that is a bit too
 * long; and n_rows rows of a batch "bad-id". */
struct integration_options {
    struct share_options shares;
    const struct data_config *config;
    uint64_t n_rows;       // a batch; at least 1
    unsigned n_partitions; // at least 1
    size_t n_drop_batch;   // so many of the highest batch ids are left out
};

/** Replace output by server_id={a|b}/batch_id=<id>/part-* and _SUCCESS.
 * @return 0, or E_ARG naming what cannot be used, or E_*. */
MUST_CHECK int generate_integration_run(const struct integration_options *options,
                                        const struct place *output, struct generate_result *result,
                                        struct err *err);
/** The same straight into both servers' ingest buckets: markers go first and come last, whatever
 * else lies there is deleted. */
MUST_CHECK int generate_ingest_run(const struct integration_options *options,
                                   const struct ingest *ingest, struct generate_result *result,
                                   struct err *err);

/* Random rows of one batch. */
struct generate_options {
    struct share_options shares;
    const char *batch_id;
    size_t n_data;
    uint64_t n_rows;       // at least 1
    unsigned scale;        // copies of each encoded row; at least 1
    uint64_t partition_mb; // at least 1
    struct place output;
};

/** Replace output by server_id={a|b}/part-* and _SUCCESS. Copies of a row are the same ciphertext,
 * which the new stages take for a replay (D8): scale is for measuring the reading of many. */
MUST_CHECK int generate_run(const struct generate_options *options, struct generate_result *result,
                            struct err *err);
