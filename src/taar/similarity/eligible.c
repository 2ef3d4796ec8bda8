/* SPDX-License-Identifier: MPL-2.0 */
#include "taar/similarity/eligible.h"

#include "taar/sql.h"

enum { SQL_BYTES_MAX = 16 << 20 };

static int fill_sample(struct buf *out, struct warehouse *w, const char *relation,
                       const struct whitelist *whitelist, struct err *err)
{
    CLEANUP(buf_deinit) struct buf guids = BUF_INIT(SQL_BYTES_MAX);
    const int r = whitelist_literals(&guids, w, whitelist, err);
    const struct sql_value values[] = {{"relation", SQL_VERBATIM, relation, 0},
                                       {"whitelist", SQL_VERBATIM, (const char *)guids.data, 0},
                                       {.name = NULL}};
    return r < 0 ? r : warehouse_fill_sql(out, w, sql_of(w, &sql_similarity_sample), values, err);
}

int eligible_sample_sql(struct buf *out, struct warehouse *w, const char *relation,
                        const struct eligible_config *config, struct err *err)
{
    CLEANUP(buf_deinit) struct buf sample = BUF_INIT(SQL_BYTES_MAX);
    if (!config->latest)
        return fill_sample(out, w, relation, config->whitelist, err);
    const int r = fill_sample(&sample, w, relation, config->whitelist, err);
    const struct sql_value values[] = {{"sample", SQL_VERBATIM, (const char *)sample.data, 0},
                                       {.name = NULL}};
    return r < 0 ? r : warehouse_fill_sql(out, w, sql_of(w, &sql_similarity_latest), values, err);
}

struct taking {
    struct clients *clients;
    const struct whitelist *whitelist;
};

static int take_row(void *arg, const struct cell *cells, struct err *err)
{
    const struct taking *t = arg;
    struct span items[CLIENT_ADDONS_MAX];
    struct cell row[CLIENT_COLUMNS];
    memcpy(row, cells, sizeof row);
    row[CLIENT_ADDONS].items = items;
    row[CLIENT_ADDONS].n_items = 0;
    const struct cell *all = &cells[CLIENT_ADDONS];
    for (size_t i = 0; i < all->n_items && row[CLIENT_ADDONS].n_items < CLIENT_ADDONS_MAX; i++)
        if (whitelist_find(t->whitelist, all->items[i]) != SIZE_MAX)
            items[row[CLIENT_ADDONS].n_items++] = all->items[i];
    return row[CLIENT_ADDONS].n_items < ELIGIBLE_ADDONS_MIN ? 0 : clients_add(t->clients, row, err);
}

int eligible_read(struct clients *clients, struct warehouse *w, const char *relation,
                  const struct eligible_config *config, struct err *err)
{
    CLEANUP(buf_deinit) struct buf sampled = BUF_INIT(SQL_BYTES_MAX);
    CLEANUP(buf_deinit) struct buf sql = BUF_INIT(SQL_BYTES_MAX);
    struct taking taking = {clients, config->whitelist};
    int r = eligible_sample_sql(&sampled, w, relation, config, err);
    const struct sql_value values[] = {{"sampled", SQL_VERBATIM, (const char *)sampled.data, 0},
                                       {.name = NULL}};
    if (r == 0)
        r = warehouse_fill_sql(&sql, w, sql_of(w, &sql_similarity_eligible), values, err);
    if (r == 0)
        r = warehouse_query(w, (const char *)sql.data, client_columns, take_row, &taking, err);
    return r;
}
