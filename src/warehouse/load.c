/* SPDX-License-Identifier: MPL-2.0 */
/* Loading: rows of one table, all or nothing. */
#include "warehouse/handle.h"

#include <inttypes.h>
#include <stdlib.h>

struct warehouse_load {
    struct warehouse *w;
    void *impl;
    struct table_name name;
    const struct table_schema *schema;
    size_t partition; // index of the column, or SIZE_MAX
    int64_t date;
    uint64_t n_rows;
    bool failed;
};

static int load_begin(struct warehouse_load *load, enum load_mode mode, struct err *err)
{
    struct warehouse *w = load->w;
    int r = check_writable(w, err);
    if (r < 0)
        return r;
    if (mode == LOAD_REPLACE_PARTITION && !load->schema->partition_column)
        return err_set(err, E_ARG, 0, "table %s has no partitions to replace", load->schema->name);
    if (mode == LOAD_REPLACE_PARTITION)
        load->partition = find_column(load->schema->columns, load->schema->partition_column);
    r = table_name_init(&load->name, w, load->schema->name, err);
    if (r == 0)
        r = warehouse_ensure_table(w, load->schema, err);
    if (r == 0)
        r = w->ops->load_begin(&load->impl, w->impl, &load->name, load->schema, mode, load->date,
                               err);
    if (r == 0)
        w->loading = true;
    return r;
}

int warehouse_load_begin(struct warehouse_load **out, struct warehouse *w,
                         const struct table_schema *schema, enum load_mode mode, int64_t date,
                         struct err *err)
{
    CLEANUP(warehouse_load_abandonp) struct warehouse_load *load = calloc(1, sizeof *load);
    if (!load)
        return err_set(err, E_NOMEM, 0, "no memory for a load");
    load->w = w;
    load->schema = schema;
    load->date = date;
    load->partition = SIZE_MAX;
    const int r = load_begin(load, mode, err);
    if (r < 0)
        return r;
    *out = load;
    load = NULL;
    return 0;
}

static int check_date(const struct warehouse_load *load, const struct cell *cells, struct err *err)
{
    if (load->partition == SIZE_MAX)
        return 0;
    const struct cell *date = &cells[load->partition];
    return !date->is_null && date->integer == load->date
               ? 0
               : err_set(err, E_ARG, 0,
                         "row %" PRIu64 " for %s: column %s is not the date being loaded",
                         load->n_rows + 1, load->schema->name, load->schema->partition_column);
}

int warehouse_load_row(struct warehouse_load *load, const struct cell *cells, struct err *err)
{
    int r = check_row(load->schema, cells, load->n_rows + 1, err);
    if (r == 0)
        r = check_date(load, cells, err);
    if (r == 0)
        r = load->w->ops->load_row(load->impl, cells, err);
    load->failed |= r < 0;
    load->n_rows++;
    return r;
}

int warehouse_load_commit(struct warehouse_load *load, uint64_t *n_rows, struct err *err)
{
    int r = load->failed ? err_set(err, E_ARG, 0, "a load for %s is committed after a row failed",
                                   load->schema->name)
                         : load->w->ops->load_commit(load->impl, err);
    if (r == 0 && n_rows)
        *n_rows = load->n_rows;
    warehouse_load_abandon(load);
    return r;
}

void warehouse_load_abandon(struct warehouse_load *load)
{
    if (!load)
        return;
    if (load->impl) {
        load->w->ops->load_free(load->impl);
        load->w->loading = false;
    }
    table_name_deinit(&load->name);
    free(load);
}
