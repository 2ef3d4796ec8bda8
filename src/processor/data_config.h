/* data_config.h - which batches there are, and how long. Source: prio-processor.md, section 8. */
#pragma once

#include "base/err.h"

#include <stddef.h>

struct data_entry {
    char *batch_id; // not empty, without NUL
    size_t n_data;  // 1..PRIO_MAX_DATA
};

struct data_config {
    struct data_entry *entries; // in the file's order, which is the order of processing
    size_t n;
};

/**
 * Read a file: [{"batch_id": .., "n_data": ..}, ..] or the v1 object {"batch id": n_data, ..}.
 * @return 0, or E_ABSENT, E_IO, E_FORMAT naming file, entry and what is wrong: not JSON, no entry,
 * a missing, repeated or unusable batch id or n_data (5.3).
 */
MUST_CHECK int data_config_read(struct data_config *out, const char *path, struct err *err);
void data_config_deinit(struct data_config *config);
