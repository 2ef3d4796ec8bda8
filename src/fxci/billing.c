/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Billing exports into the embedded warehouse: rows go to tables beside the real ones first, and
 * from there in one transaction, so that a file with a fault in its last line changes nothing.
 * Source: fxci-etl.md X5.
 */
#include "base/buf.h"
#include "fxci/billing_internal.h"
#include "fxci/derive.h"
#include "fxci/sql.h"

#include <stdio.h>

enum { SQL_BYTES_MAX = 1 << 16, STAGED_NAME_BYTES = 300 };

struct staging {
    struct warehouse *w;
    struct warehouse_load *load;
    const char *path, *azure_table;
    bool gcp, tabular, has_cost;
    struct billing_counts *counts;
    struct table_schema schema;
    char name[STAGED_NAME_BYTES];
};

static int take_row(void *arg, json_t *row, struct err *err)
{
    struct staging *s = arg;
    struct cell cells[FXCI_MAX_COLUMNS];
    int r = s->gcp ? billing_gcp_row(cells, row, s->tabular, &s->has_cost, err)
                   : billing_azure_row(cells, row, s->azure_table, s->tabular, &s->has_cost, err);
    if (r < 0)
        return r;
    const bool is_lookup = !s->gcp && cells[AZURE_IS_LOOKUP].integer;
    if (is_lookup && cells[AZURE_SOURCE_DATA_ID].is_null)
        return 0; // it names nothing
    ++*(s->gcp      ? &s->counts->n_gcp
        : is_lookup ? &s->counts->n_azure_lookup
                    : &s->counts->n_azure_load);
    return warehouse_load_row(s->load, cells, err);
}

/* A file of something else would otherwise be taken for one without any costs. */
static int check_costs(const struct staging *s, struct err *err)
{
    const uint64_t n = s->gcp ? s->counts->n_gcp : s->counts->n_azure_load;
    if (n == 0 || s->has_cost)
        return 0;
    return err_set(err, E_FORMAT, 0, "%s: no row has %s; is this the right export?", s->path,
                   s->gcp ? "cost" : "costInBillingCurrency");
}

static int stage(struct staging *s, const struct fxci_tables *tables, struct err *err)
{
    const enum fxci_table table = s->gcp ? FXCI_GCP_BILLING : FXCI_AZURE_BILLING;
    (void)snprintf(s->name, sizeof s->name, "%s_staged", tables->names[table]);
    s->schema = tables->schemas[table];
    s->schema.name = s->name;
    int r = warehouse_ensure_table(s->w, &tables->schemas[table], err);
    if (r == 0)
        r = warehouse_load_begin(&s->load, s->w, &s->schema, LOAD_REPLACE_TABLE, 0, err);
    if (r < 0)
        return r;
    r = billing_read(s->w, s->path, take_row, s, &s->tabular, err);
    if (r == 0)
        r = check_costs(s, err);
    if (r < 0) {
        warehouse_load_abandon(s->load);
        return r;
    }
    return warehouse_load_commit(s->load, NULL, err);
}

static int append_part(struct buf *sql, struct warehouse *w, const struct fxci_tables *tables,
                       const struct staging *s, struct err *err)
{
    const struct sql_value values[] = {
        {"gcp", SQL_TABLE, tables->names[FXCI_GCP_BILLING], 0},
        {"azure", SQL_TABLE, tables->names[FXCI_AZURE_BILLING], 0},
        {"staged", SQL_TABLE, s->name, 0},
        {.name = NULL},
    };
    const int r = warehouse_fill_sql(
        sql, w, (s->gcp ? &sql_billing_gcp : &sql_billing_azure)->duckdb, values, err);
    if (r == 0)
        sql->len--; // the text goes on where it ended
    return r;
}

/* From the tables beside to the real ones. */
static int take_over(struct warehouse *w, const struct fxci_tables *tables,
                     const struct staging *sides, size_t n, struct err *err)
{
    CLEANUP(buf_deinit) struct buf sql = BUF_INIT(SQL_BYTES_MAX);
    int r = buf_append_str(&sql, "BEGIN TRANSACTION;\n", err);
    for (size_t i = 0; i < n && r == 0; i++)
        r = append_part(&sql, w, tables, &sides[i], err);
    if (r == 0)
        r = buf_append_str(&sql, "COMMIT TRANSACTION;", err);
    if (r == 0)
        r = buf_append_byte(&sql, '\0', err);
    return r < 0 ? r : warehouse_query(w, (const char *)sql.data, NULL, NULL, NULL, err);
}

/* What a failed run staged; the next one would replace it, but it takes room. */
static void drop_staged(const struct staging *s)
{
    CLEANUP(buf_deinit) struct buf sql = BUF_INIT(SQL_BYTES_MAX);
    const struct sql_value values[] = {{"staged", SQL_TABLE, s->name, 0}, {.name = NULL}};
    int r = warehouse_fill_sql(&sql, s->w, "DROP TABLE IF EXISTS {staged}", values, NULL);
    if (r == 0)
        r = warehouse_query(s->w, (const char *)sql.data, NULL, NULL, NULL, NULL);
    (void)r;
}

int billing_load(struct warehouse *w, const struct fxci_tables *tables,
                 const struct billing_files *files, struct billing_counts *counts, struct err *err)
{
    struct staging sides[2] = {{0}};
    size_t n = 0;
    *counts = (struct billing_counts){0};
    if (warehouse_is_bigquery(w))
        return err_set(err, E_ARG, 0,
                       "%s: BigQuery reads the exports where they are; nothing is loaded",
                       warehouse_name(w));
    int r = files->azure_table ? billing_check_azure_table(files->azure_table, err) : 0;
    if (files->gcp)
        sides[n++] = (struct staging){.w = w, .path = files->gcp, .gcp = true, .counts = counts};
    if (files->azure)
        sides[n++] = (struct staging){
            .w = w, .path = files->azure, .azure_table = files->azure_table, .counts = counts};
    for (size_t i = 0; i < n && r == 0; i++)
        r = stage(&sides[i], tables, err);
    if (r == 0)
        r = take_over(w, tables, sides, n, err);
    for (size_t i = 0; i < n && r < 0; i++)
        if (sides[i].name[0])
            drop_staged(&sides[i]);
    return r;
}
