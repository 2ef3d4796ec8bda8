/* share_batch.h - what it takes to make clients' shares of a batch. */
#pragma once

#include "base/progress.h"
#include "processor/ingest.h"

struct share_options {
    uint8_t public_key[N_SERVERS][PRIO_KEY_BYTES]; // by role
    enum prio_prg prg;
    unsigned n_workers;    // 0: 1
    unsigned cpu;          // cpu_feature bits
    const char *cpu_level; // for prio_batch_options.cpu; NULL: all
    enum progress_mode progress;
};

struct share_batch {
    struct prio_batch *batch;
    struct prio_client *client;
};

/** @return 0, or E_ARG naming the batch: n_data, batch id or a key that cannot be used, or E_*. */
MUST_CHECK int share_batch_init(struct share_batch *out, const struct share_options *options,
                                struct span batch_id, size_t n_data, struct err *err);
void share_batch_deinit(struct share_batch *batch); // zeroed is fine

/** The partitions that prio-spark makes of n records of A: base64 of one share, and its UUID. */
uint64_t share_partitions(size_t base64_len, uint64_t n_records, uint64_t partition_mb);

/** Random bytes from the system. @return 0 or E_IO. */
MUST_CHECK int random_bytes(void *out, size_t len, struct err *err);
/**
 * A random UUIDv4 that sorts as number i of n does: random ids that need no sorting, because the
 * range of values is divided among them. n is below 2^48.
 */
MUST_CHECK int random_uuid_in_order(char out[37], uint64_t i, uint64_t n, struct err *err);
