/* SPDX-License-Identifier: MPL-2.0 */
/*
 * DuckDB: which keys of a batch a table may have, from the hashes of both. The table's are read in
 * whole and looked up here: a join in SQL takes half as much time again, and more for a batch of
 * thousands.
 */
#include "warehouse/duckdb_impl.h"

#include <stdlib.h>

/* bits: one of 32 a key is set, and says at once that most keys are not there. slots: an open hash
 * table, at most half full; 0 is free. */
struct probe {
    uint64_t *bits, *slots;
    uint64_t bit_mask, slot_mask;
    struct duckdb_found *found;
};

static size_t home_of(const struct probe *p, uint64_t hash)
{
    return (size_t)(hash >> 20 & p->slot_mask);
}

static void probe_add(struct probe *p, uint64_t hash)
{
    size_t i = home_of(p, hash);
    while (p->slots[i] != 0 && p->slots[i] != hash)
        i = (i + 1) & p->slot_mask;
    p->slots[i] = hash;
    p->bits[(hash & p->bit_mask) / 64] |= UINT64_C(1) << hash % 64;
}

static bool probe_has(const struct probe *p, uint64_t hash)
{
    if (!(p->bits[(hash & p->bit_mask) / 64] >> hash % 64 & 1))
        return false;
    size_t i = home_of(p, hash);
    while (p->slots[i] != 0 && p->slots[i] != hash)
        i = (i + 1) & p->slot_mask;
    return p->slots[i] == hash;
}

static int probe_init(struct probe *p, struct span hashes, struct err *err)
{
    const size_t n = hashes.len / sizeof(uint64_t);
    size_t n_slots = 64;
    while (n_slots < 2 * n)
        n_slots *= 2;
    p->slots = calloc(n_slots, sizeof *p->slots);
    p->bits = calloc(n_slots / 4, sizeof *p->bits);
    if (!p->slots || !p->bits)
        return err_set(err, E_NOMEM, 0, "no memory for keys");
    p->slot_mask = n_slots - 1;
    p->bit_mask = 16 * n_slots - 1;
    for (size_t i = 0; i < n; i++) {
        uint64_t hash;
        memcpy(&hash, hashes.ptr + i * sizeof hash, sizeof hash);
        probe_add(p, hash);
    }
    return 0;
}

static void note(struct duckdb_found *found, int64_t row)
{
    found->n++;
    found->first = row < found->first ? row : found->first;
    found->last = row > found->last ? row : found->last;
}

static void probe_chunk(void *arg, duckdb_data_chunk chunk)
{
    const struct probe *p = arg;
    duckdb_vector vector = duckdb_data_chunk_get_vector(chunk, 0);
    const uint64_t *hashes = duckdb_vector_get_data(vector);
    uint64_t *validity = duckdb_vector_get_validity(vector);
    const int64_t *rows = duckdb_vector_get_data(duckdb_data_chunk_get_vector(chunk, 1));
    const idx_t n = duckdb_data_chunk_get_size(chunk);
    for (idx_t i = 0; i < n; i++) {
        if (validity && !duckdb_validity_row_is_valid(validity, i))
            p->found->n_without++;
        else if (probe_has(p, hashes[i]))
            note(p->found, rows[i]);
    }
}

/* The cast makes sure of what is read above. */
static int write_scan(struct buf *sql, const struct duckdb_waiting *t, struct err *err)
{
    int r = buf_append_str(sql, "SELECT CAST(", err);
    if (r == 0)
        r = append_quoted(sql, '"', duckdb_hash_name(&t->stored), err);
    if (r == 0)
        r = buf_append_str(sql, " AS BIGINT), rowid FROM ", err);
    if (r == 0)
        r = duckdb_append_table(NULL, t->name, sql, err);
    return r < 0 ? r : buf_append_byte(sql, '\0', err);
}

int duckdb_find_keys(const struct duckdb_waiting *t, struct duckdb_found *found, struct err *err)
{
    CLEANUP(buf_deinit) struct buf sql = BUF_INIT(SQL_MAX_BYTES);
    struct probe p = {.found = found};
    *found = (struct duckdb_found){.first = INT64_MAX, .last = INT64_MIN};
    int r = write_scan(&sql, t, err);
    if (r == 0)
        r = probe_init(&p, buf_span(&t->hashes), err);
    if (r == 0)
        r = duckdb_query_chunks(t->backend, t->connection, (const char *)sql.data, probe_chunk, &p,
                                err);
    free(p.slots);
    free(p.bits);
    return r;
}
