/* SPDX-License-Identifier: MPL-2.0 */
#include "taar/similarity/clients.h"

static int compare_spans(struct span a, struct span b)
{
    const int r = memcmp(a.ptr, b.ptr, a.len < b.len ? a.len : b.len);
    return r != 0 ? r : (a.len > b.len) - (a.len < b.len);
}

static int compare_numbers(double a, double b)
{
    return (a > b) - (a < b);
}

static int compare_integers(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

static int compare_cells(enum column_type type, const struct cell *a, const struct cell *b)
{
    if (a->is_null || b->is_null)
        return a->is_null - b->is_null;
    if (type == COLUMN_DOUBLE)
        return compare_numbers(a->real, b->real);
    if (type == COLUMN_INT64)
        return compare_integers(a->integer, b->integer);
    if (type == COLUMN_STRING)
        return compare_spans(a->text, b->text);
    int r = compare_integers((int64_t)a->n_items, (int64_t)b->n_items);
    for (size_t i = 0; i < a->n_items && r == 0; i++)
        r = compare_spans(a->items[i], b->items[i]);
    return r;
}

/* Of two rows with one id, which a partition has only by mistake. */
static int compare_rows(const struct clients *c, const struct client *a, const struct client *b)
{
    struct cell rows[2][CLIENT_COLUMNS];
    struct span items[2][CLIENT_ADDONS_MAX];
    clients_row(c, a, rows[0], items[0]);
    clients_row(c, b, rows[1], items[1]);
    int r = 0;
    for (size_t i = 0; i < CLIENT_COLUMNS && r == 0; i++)
        r = compare_cells(client_columns[i].type, &rows[0][i], &rows[1][i]);
    return r;
}

static int compare(const void *a, const void *b, void *arg)
{
    const struct clients *c = arg;
    const struct client *x = a, *y = b;
    const int r = compare_spans(span_of(c->text.data + x->text, x->id_len),
                                span_of(c->text.data + y->text, y->id_len));
    return r != 0 ? r : compare_rows(c, x, y);
}

void clients_sort(struct clients *c)
{
    if (c->rows.len > 0)
        qsort_r(c->rows.data, clients_count(c), sizeof(struct client), compare, c);
}
