/* timing.h - CPU time and medians: what a shared machine leaves to go by. */
#pragma once

#include <stddef.h>

enum { SERIES_MAX = 101 };

/* One figure, measured once a round. */
struct series {
    double values[SERIES_MAX];
    size_t n;
};

/** CPU time of this process, user and system, all threads: other programs do not count. */
double cpu_us(void);

void series_add(struct series *s, double value);
double series_median(const struct series *s);
/** Median of a / b round by round, so that a change of the clock hits both. Shape: equal n. */
double series_ratio(const struct series *a, const struct series *b);
