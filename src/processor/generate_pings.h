/*
 * generate_pings.h - the command `generate-pings`: raw pings of test clients as ingestion would
 * have stored them (prio-processor.md 7.1, D10), and the sums that they must lead to.
 */
#pragma once

#include "processor/data_config.h"
#include "processor/share_batch.h"

struct generate_pings_options {
    struct share_options shares;
    const struct data_config *config;
    const char *date;
    uint64_t n_pings;
    uint64_t n_duplicates; // pings that are sent again later, under the same document id
    unsigned n_hours;      // 1..24; 0: 4
    unsigned n_files;      // an hour; 0: 2
    uint64_t seed;         // decides everything but the randomness of proofs and sealing
    struct place output;   // below it: <date>/<hour>/telemetry/prio/4/part-NNNNN.ndjson
};

struct generate_pings_result {
    uint64_t n_lines, n_records; // records without those of duplicates
    unsigned n_files;
    struct buf truth; // what must be published, as JSON; buf_deinit
};

/**
 * Replace the date below output. A ping holds one to three rounds: all parts of one metric each.
 * truth: {"date", "n_pings", "n_duplicates", "batches": [{"batch_id", "n_data", "records",
 * "payload"}]}, batches in the config's order.
 * @return 0, E_ARG naming what cannot be used, or E_*.
 */
MUST_CHECK int generate_pings_run(const struct generate_pings_options *options,
                                  struct generate_pings_result *result, struct err *err);
