/* SPDX-License-Identifier: MPL-2.0 */
/* Batches: rows are checked, and the first of each key goes to the backend. */
#include "warehouse/handle.h"
#include "warehouse/keys.h"

#include <stdlib.h>

struct batch_table {
    const struct table_schema *schema;
    struct key_set keys;
    uint64_t n_rows, n_duplicate;
};

struct warehouse_batch {
    struct warehouse *w;
    void *impl;
    size_t n_tables;
    struct table_name names[BATCH_MAX_TABLES];
    const struct table_schema *schemas[BATCH_MAX_TABLES];
    struct batch_table tables[BATCH_MAX_TABLES];
    bool failed;
};

static int begin(struct warehouse_batch *batch, int64_t since, struct err *err)
{
    struct warehouse *w = batch->w;
    int r = check_writable(w, err);
    for (size_t i = 0; i < batch->n_tables && r == 0; i++) {
        r = key_set_init(&batch->tables[i].keys, batch->schemas[i], err);
        if (r == 0)
            r = table_name_init(&batch->names[i], w, batch->schemas[i]->name, err);
        batch->tables[i].schema = batch->schemas[i];
    }
    if (r == 0)
        r = w->ops->batch_begin(&batch->impl, w->impl, batch->names, batch->schemas,
                                batch->n_tables, since, err);
    if (r == 0)
        w->loading = true;
    return r;
}

int warehouse_batch_begin(struct warehouse_batch **out, struct warehouse *w,
                          const struct table_schema *const *tables, size_t n_tables, int64_t since,
                          struct err *err)
{
    if (n_tables == 0 || n_tables > BATCH_MAX_TABLES)
        return err_set(err, E_ARG, 0, "a batch is of 1 to %d tables, not %zu", BATCH_MAX_TABLES,
                       n_tables);
    CLEANUP(warehouse_batch_abandonp) struct warehouse_batch *batch = calloc(1, sizeof *batch);
    if (!batch)
        return err_set(err, E_NOMEM, 0, "no memory for a batch");
    batch->w = w;
    batch->n_tables = n_tables;
    memcpy(batch->schemas, tables, n_tables * sizeof *tables);
    const int r = begin(batch, since, err);
    if (r < 0)
        return r;
    *out = batch;
    batch = NULL;
    return 0;
}

int warehouse_batch_row(struct warehouse_batch *batch, size_t table, const struct cell *cells,
                        struct err *err)
{
    struct batch_table *t = &batch->tables[table];
    int r = check_row(t->schema, cells, ++t->n_rows, err);
    if (r < 0)
        return r;
    r = key_set_add(&t->keys, cells, err);
    if (r == 0) {
        t->n_duplicate++;
        return 0;
    }
    if (r > 0)
        r = batch->w->ops->batch_row(batch->impl, table, cells, err);
    batch->failed |= r < 0;
    return r;
}

static int commit(struct warehouse_batch *batch, struct batch_outcome *outcomes,
                  warehouse_refused_fn *refused, void *arg, struct err *err)
{
    memset(outcomes, 0, batch->n_tables * sizeof *outcomes);
    int r = batch->failed ? err_set(err, E_ARG, 0, "a batch is committed after a row of it failed")
                          : batch->w->ops->batch_commit(batch->impl, outcomes, refused, arg, err);
    for (size_t i = 0; i < batch->n_tables; i++) {
        if (batch->failed)
            outcomes[i].code = err_set(&outcomes[i].err, E_ARG, 0, "a row of the batch failed");
        if (outcomes[i].code == 0)
            outcomes[i].n_duplicate += batch->tables[i].n_duplicate;
    }
    return r;
}

int warehouse_batch_commit(struct warehouse_batch *batch, struct batch_outcome *outcomes,
                           warehouse_refused_fn *refused, void *arg, struct err *err)
{
    const int r = commit(batch, outcomes, refused, arg, err);
    warehouse_batch_abandon(batch);
    return r;
}

void warehouse_batch_abandon(struct warehouse_batch *batch)
{
    if (!batch)
        return;
    if (batch->impl) {
        batch->w->ops->batch_free(batch->impl);
        batch->w->loading = false;
    }
    for (size_t i = 0; i < batch->n_tables; i++) {
        table_name_deinit(&batch->names[i]);
        key_set_deinit(&batch->tables[i].keys);
    }
    free(batch);
}
