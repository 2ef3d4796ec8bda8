/* curve.h - how likely a distance is within a cluster and between clusters. Source: taar-etl.md
 * section 5 step 8. */
#pragma once

#include "base/buf.h"

struct curve_config {
    double bandwidth;  // standard deviation of the kernel, above 0
    uint32_t n_points; // at least 1; rounding may give one more
};

struct scores {
    const double *same, *different;
    size_t n_same, n_different;
};

struct curve_point {
    double x, same, different;
};

struct curve {
    size_t n;
    struct curve_point *points; // x ascends
};

/** Mean over the sample of normal densities at x. */
double curve_density(const double *sample, size_t n, double bandwidth, double x);
/** Points from lo on, in steps of (hi - lo) / n_points, below hi, as numpy's arange has them.
 * Densities are left 0. @return 0, E_FORMAT: hi is not above lo, or E_NOMEM. */
MUST_CHECK int curve_grid(struct curve *curve, double lo, double hi, uint32_t n_points,
                          struct err *err);
/** @return 0; E_FORMAT: a sample is empty, all scores are equal, or the bandwidth is so small that
 * the density between clusters is 0 somewhere, by which the recommender would divide; E_NOMEM. */
MUST_CHECK int curve_make(struct curve *curve, const struct curve_config *config,
                          const struct scores *scores, struct err *err);
void curve_deinit(struct curve *curve); // zeroed is fine
/** Append [[x, [same, different]], ...]. */
MUST_CHECK int curve_json(struct buf *out, const struct curve *curve, struct err *err);
