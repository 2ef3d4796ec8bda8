/* batch.h - the inside of a batch: parameters, kernels and libcrypto algorithms. */
#pragma once

#include "base/span.h"
#include "prio/kernels/vec.h"
#include "prio/suite.h"
#include "weir/prio.h"

struct prio_batch {
    size_t n;        // n_data
    size_t n_points; // N
    struct span id;  // owned; libprio's reading of NUL bytes is already applied
    enum prio_prg prg;
    unsigned cpu; // cpu_feature bits in use
    struct vec_ops ops;
    struct suite suite;
};

/** Room for any plaintext for that server, with the slack that writing it needs. */
size_t batch_plain_max(const struct prio_batch *batch, enum prio_role role);
