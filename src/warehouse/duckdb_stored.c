/* SPDX-License-Identifier: MPL-2.0 */
/*
 * DuckDB: tables as batches store them. One that has a key has a column more, with the
 * key's hash, so that keys are looked for in 8 bytes a row, not in texts. It is null in
 * rows of others, whose keys are looked for themselves.
 */
#include "warehouse/duckdb_impl.h"

#include <stdlib.h>

/* The name says of which key it is: where the key changes, the old hashes are of no use. */
static int write_name(struct buf *name, const char *const *key, struct err *err)
{
    int r = buf_append_str(name, "row_key(", err);
    for (size_t i = 0; key[i] && r == 0; i++)
        r = buf_printf(name, err, "%s%s", i > 0 ? ", " : "", key[i]);
    return r < 0 ? r : buf_append(name, ")", sizeof ")", err);
}

static int add_hash(struct duckdb_stored *s, struct err *err)
{
    const size_t n = count_columns(s->schema.columns);
    const int r = write_name(&s->hash_name, s->schema.key, err);
    if (r < 0)
        return r;
    s->columns = calloc(n + 2, sizeof *s->columns);
    s->cells = calloc(n + 1, sizeof *s->cells);
    if (!s->columns || !s->cells)
        return err_set(err, E_NOMEM, 0, "no memory for columns");
    memcpy(s->columns, s->schema.columns, n * sizeof *s->columns);
    s->columns[n] = (struct column){.name = (const char *)s->hash_name.data, .type = COLUMN_INT64};
    s->schema.columns = s->columns;
    s->n = n;
    return 0;
}

int duckdb_stored_init(struct duckdb_stored *s, const struct table_schema *schema, struct err *err)
{
    *s = (struct duckdb_stored){.schema = *schema, .hash_name = BUF_INIT(SQL_MAX_BYTES)};
    if (!schema->key)
        return 0;
    const int r = key_columns_init(&s->key, schema, err);
    return r < 0 ? r : add_hash(s, err);
}

void duckdb_stored_deinit(struct duckdb_stored *s)
{
    buf_deinit(&s->hash_name);
    free(s->columns);
    free(s->cells);
}

const char *duckdb_hash_name(const struct duckdb_stored *s)
{
    return s->cells ? (const char *)s->hash_name.data : NULL;
}

const struct cell *duckdb_stored_row(struct duckdb_stored *s, const struct cell *cells)
{
    if (!s->cells)
        return cells;
    memcpy(s->cells, cells, s->n * sizeof *cells);
    s->cells[s->n] = (struct cell){.integer = (int64_t)key_hash(&s->key, cells)};
    return s->cells;
}
