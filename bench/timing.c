/* SPDX-License-Identifier: MPL-2.0 */
#include "timing.h"

#include <stdlib.h>
#include <time.h>

double cpu_us(void)
{
    struct timespec t;
    if (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t) != 0)
        abort();
    return 1e6 * (double)t.tv_sec + 1e-3 * (double)t.tv_nsec;
}

void series_add(struct series *s, double value)
{
    if (s->n < SERIES_MAX)
        s->values[s->n++] = value;
}

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double series_median(const struct series *s)
{
    struct series sorted = *s;
    qsort(sorted.values, sorted.n, sizeof sorted.values[0], compare);
    return sorted.n > 0 ? sorted.values[sorted.n / 2] : 0;
}

double series_ratio(const struct series *a, const struct series *b)
{
    struct series ratios = {.n = 0};
    for (size_t i = 0; i < a->n && i < b->n; i++)
        series_add(&ratios, a->values[i] / b->values[i]);
    return series_median(&ratios);
}
