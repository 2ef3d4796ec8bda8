/* bigtable_mutate.h - one batch to Bigtable, row by row until each is written or given up. */
#pragma once

#include "profiles/bigtable_impl.h"

struct mutation_outcome {
    struct failures failures;
    bool refused; // the request itself was, and not single rows: the next batch would fare the same
};

/** Rows whose status is UNAVAILABLE, ABORTED or DEADLINE_EXCEEDED are sent again, until the
 * deadline of b: with fixed times that is harmless. */
void bigtable_write_batch(struct mutation_outcome *out, struct bigtable *b,
                          const struct batch *batch);
