/* index_row.h - what index makes of a published batch: one row a counter. Source:
 * prio-processor.md, section 6. */
#pragma once

#include "base/err.h"
#include "base/span.h"

#include <stdint.h>

/* All texts borrowed during a call. */
struct index_row {
    struct span id;        // of the published record
    struct span timestamp; // of the published record: "2020-08-03T20:06:46.920410", UTC, no zone
    struct span batch_id;  // NAME, without -PART
    struct span origin, hash;
    uint64_t index; // the origin's own
    uint64_t aggregate;
};

/** @return 0 to go on, or E_*, which ends the walk and is its result. */
typedef int index_row_fn(void *arg, const struct index_row *row, struct err *err);

/* Rows from anywhere: from index itself as it reads what was published, or from files of it. */
struct index_rows {
    /** Call fn(fn_arg, ..) for each row. @return 0 or E_*. */
    int (*each)(void *arg, index_row_fn *fn, void *fn_arg, struct err *err);
    void *arg;
};
