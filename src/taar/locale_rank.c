/* SPDX-License-Identifier: MPL-2.0 */
#include "taar/locale.h"

#include <stdio.h>

struct weight {
    double count;
    size_t place;
};

/* Heaviest first; of equal ones, as in the original, the later one. */
static int by_weight(const void *a, const void *b)
{
    const struct weight *x = a, *y = b;
    if (x->count > y->count || x->count < y->count)
        return x->count > y->count ? -1 : 1;
    return (x->place < y->place) - (x->place > y->place);
}

/* Shifted, so that the least is 0, and sorted. @return their sum. */
static double rank_row(struct weight *weights, const double *counts, size_t n)
{
    double least = n > 0 ? counts[0] : 0, sum = 0;
    for (size_t k = 0; k < n; k++)
        least = counts[k] < least ? counts[k] : least;
    for (size_t k = 0; k < n; k++) {
        weights[k] = (struct weight){counts[k] - least, k};
        sum += weights[k].count;
    }
    qsort(weights, n, sizeof *weights, by_weight);
    return sum;
}

/* The shortest text that reads back the same, and is seen to be no whole number. */
static int append_weight(struct buf *out, double weight, struct err *err)
{
    char text[32];
    int digits = 15;
    do
        (void)snprintf(text, sizeof text, "%.*g", digits, weight);
    while (digits++ < 17 && strtod(text, NULL) != weight);
    return buf_printf(out, err, "%s%s", text, strpbrk(text, ".e") ? "" : ".0");
}

static int append_top(struct buf *out, const struct guids *guids, const struct weight *weights,
                      size_t n, double sum, struct err *err)
{
    int r = 0;
    for (size_t k = 0; k < n && r == 0; k++) {
        r = buf_append_str(out, k > 0 ? ", [" : "[", err);
        if (r == 0)
            r = append_json_text(out, guids->list[weights[k].place], err);
        if (r == 0)
            r = buf_append_str(out, ", ", err);
        if (r == 0)
            r = append_weight(out, sum > 0 ? weights[k].count / sum : 0.0, err);
        if (r == 0)
            r = buf_append_str(out, "]", err);
    }
    return r;
}

int locale_top_json(struct buf *out, const struct locale_counts *c, size_t n_addons,
                    struct err *err)
{
    const struct guids *guids = &c->whitelist->guids;
    struct weight *weights = calloc(guids->n + 1, sizeof *weights);
    if (!weights)
        return err_set(err, E_NOMEM, 0, "no memory to sort add-ons");
    int r = buf_append_str(out, "{", err);
    for (size_t i = 0; i < c->n && r == 0; i++) {
        if (i > 0)
            r = buf_append_str(out, ", ", err);
        if (r == 0)
            r = append_json_text(out, span_str(c->rows[i].name), err);
        if (r == 0)
            r = buf_append_str(out, ": [", err);
        const double sum = rank_row(weights, c->rows[i].counts, guids->n);
        if (r == 0)
            r = append_top(out, guids, weights, guids->n < n_addons ? guids->n : n_addons, sum,
                           err);
        if (r == 0)
            r = buf_append_str(out, "]", err);
    }
    free(weights);
    return r < 0 ? r : buf_append_str(out, "}", err);
}
