/* SPDX-License-Identifier: MPL-2.0 */
#include "taar/locale.h"

void locale_counts_deinit(struct locale_counts *c)
{
    for (size_t i = 0; i < c->n; i++) {
        free(c->rows[i].name);
        free(c->rows[i].counts);
    }
    free(c->rows);
    guids_deinit(&c->names);
    *c = (struct locale_counts){0};
}

static int make_room(struct locale_counts *c, struct err *err)
{
    if (c->n < c->room)
        return 0;
    const size_t room = c->room > 0 ? 2 * c->room : 64;
    struct locale_row *rows = realloc(c->rows, room * sizeof *rows);
    if (!rows)
        return err_set(err, E_NOMEM, 0, "no memory for counts of locales");
    c->rows = rows;
    c->room = room;
    return 0;
}

static int add_row(struct locale_counts *c, struct span locale, struct err *err)
{
    size_t place;
    int r = make_room(c, err);
    if (r < 0)
        return r;
    struct locale_row row = {.name = span_to_text(locale),
                             .counts = calloc(c->whitelist->guids.n + 1, sizeof *row.counts)};
    r = row.name && row.counts ? guids_add(&c->names, span_str(row.name), &place, err)
                               : err_set(err, E_NOMEM, 0, "no memory for counts of a locale");
    if (r < 0) {
        free(row.name);
        free(row.counts);
        return r;
    }
    c->rows[c->n++] = row;
    return 0;
}

int locale_counts_row(struct locale_counts *c, struct span locale, double **counts, struct err *err)
{
    size_t place = guids_find(&c->names, locale);
    const int r = place == SIZE_MAX ? add_row(c, locale, err) : 0;
    if (r == 0)
        *counts = c->rows[place == SIZE_MAX ? c->n - 1 : place].counts;
    return r;
}

static int by_name(const void *a, const void *b)
{
    const struct locale_row *x = a, *y = b;
    return strcmp(x->name, y->name);
}

void locale_counts_sort(struct locale_counts *c)
{
    if (c->n > 0)
        qsort(c->rows, c->n, sizeof *c->rows, by_name);
}

int locale_counts_add_noise(struct locale_counts *c, const struct locale_limits *limits,
                            double epsilon, struct noise *noise, struct err *err)
{
    int r = 0;
    for (size_t i = 0; i < c->n && r == 0; i++) {
        uint64_t limit;
        if (!locale_limits_find(limits, span_str(c->rows[i].name), &limit) || limit == 0)
            return err_set(err, E_ARG, 0, "counts without a limit cannot be made private");
        for (size_t k = 0; k < c->whitelist->guids.n && r == 0; k++) {
            double x = 0;
            r = noise_draw(noise, (double)limit / epsilon, &x, err);
            c->rows[i].counts[k] += x;
        }
    }
    return r;
}

static int append_row(struct buf *out, const struct locale_counts *c, const struct locale_row *row,
                      struct err *err)
{
    int r = append_json_text(out, span_str(row->name), err);
    if (r == 0)
        r = buf_append_str(out, ": {", err);
    for (size_t k = 0; k < c->whitelist->guids.n && r == 0; k++) {
        if (k > 0)
            r = buf_append_str(out, ", ", err);
        if (r == 0)
            r = append_json_text(out, c->whitelist->guids.list[k], err);
        if (r == 0)
            r = buf_printf(out, err, ": %.17g", row->counts[k]);
    }
    return r < 0 ? r : buf_append_str(out, "}", err);
}

int locale_counts_json(struct buf *out, const struct locale_counts *c, struct err *err)
{
    int r = buf_append_str(out, "{", err);
    for (size_t i = 0; i < c->n && r == 0; i++) {
        if (i > 0)
            r = buf_append_str(out, ", ", err);
        if (r == 0)
            r = append_row(out, c, &c->rows[i], err);
    }
    return r < 0 ? r : buf_append_str(out, "}", err);
}
