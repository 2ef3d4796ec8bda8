/* bisect_internal.h - the passes over a cluster's points that bisect.c is made of. */
#pragma once

#include "taar/similarity/bisect.h"

/* Points of a cluster, order[first] to order[first + n - 1]. */
struct segment {
    size_t first, n;
};

/* What stands between two centres: a point lies right where its terms' count x direction add up to
 * more than threshold. Of both centres only their difference and midpoint matter, which keeps the
 * comparison exact where they are close. */
struct boundary {
    double *direction; // a dimension, for a count of 1
    double threshold;
};

struct passes {
    const struct features *f;
    unsigned n_workers;
    uint32_t *order;   // points, cluster by cluster
    uint8_t *is_right; // by place in order
    uint32_t *spare;   // for passes_part
    // Sums over the points of a pass, one a dimension: of counts, and of their squares.
    int64_t *sum, *square;
};

MUST_CHECK int passes_init(struct passes *p, const struct features *f, unsigned n_workers,
                           struct err *err);
void passes_deinit(struct passes *p); // zeroed is fine

/** sum and square of all points. */
MUST_CHECK int passes_measure(struct passes *p, struct segment s, struct err *err);
/** Set is_right; sum becomes that of the left points. *moved: has any changed sides? */
MUST_CHECK int passes_assign(struct passes *p, struct segment s, const struct boundary *boundary,
                             size_t *n_left, bool *moved, struct err *err);
/** Move the left points before the right ones, each side in the order that it has. */
void passes_part(struct passes *p, struct segment s);
