/* backend.h - what a backend of the warehouse does for warehouse.c. */
#pragma once

#include "base/buf.h"
#include "warehouse/warehouse.h"

/* Both parts are valid in the backend; dataset is never "". */
struct table_name {
    char *dataset, *table;
};

/* impl is the backend's handle. Rows and names were checked before. */
struct warehouse_ops {
    char quote; // around identifiers; doubled or forbidden in them
    const char *default_dataset;
    void (*close)(void *impl);
    /** @return 0, or E_ARG: the backend has no such names. */
    int (*check_name)(const char *name, struct err *err);
    /** Append the table's full quoted name. */
    int (*append_table)(void *impl, const struct table_name *name, struct buf *sql,
                        struct err *err);
    /** @return 1, 0, or E_*. */
    int (*has_table)(void *impl, const struct table_name *name, struct err *err);
    int (*ensure_table)(void *impl, const struct table_name *name,
                        const struct table_schema *schema, struct err *err);
    int (*query)(void *impl, const char *sql, const struct column *columns, warehouse_row_fn *fn,
                 void *arg, struct err *err);

    /** name is borrowed until the load's end. */
    int (*load_begin)(void **load, void *impl, const struct table_name *name,
                      const struct table_schema *schema, enum load_mode mode, int64_t date,
                      struct err *err);
    int (*load_row)(void *load, const struct cell *cells, struct err *err);
    int (*load_commit)(void *load, struct err *err); // does not free
    void (*load_free)(void *load);                   // rolls back what was not committed

    /* names, tables: borrowed until the batch's end; rows were checked by batch.c, and no
     * key comes twice. */
    int (*batch_begin)(void **batch, void *impl, const struct table_name *names,
                       const struct table_schema *const *tables, size_t n_tables, int64_t since,
                       struct err *err);
    int (*batch_row)(void *batch, size_t table, const struct cell *cells, struct err *err);
    /* As warehouse_batch_commit; does not free. */
    int (*batch_commit)(void *batch, struct batch_outcome *outcomes, warehouse_refused_fn *refused,
                        void *arg, struct err *err);
    void (*batch_free)(void *batch);

    int (*ensure_view)(void *impl, const struct table_name *name, const char *select,
                       struct err *err);
};

/* Open what follows "duckdb://" and "bigquery://". dataset: the URL's, or NULL; to be freed. */
int duckdb_backend_open(void **impl, const struct warehouse_config *config, const char *rest,
                        struct err *err);
int bigquery_backend_open(void **impl, char **dataset, const struct warehouse_config *config,
                          const char *rest, struct err *err);
extern const struct warehouse_ops duckdb_ops, bigquery_ops;

/** Append name between quotes. */
int append_quoted(struct buf *sql, char quote, const char *name, struct err *err);
/** Append DATE 'YYYY-MM-DD'. */
int append_date(struct buf *sql, int64_t days, struct err *err);
size_t count_columns(const struct column *columns);
/** Append a cell that is not null as warehouse_row_json spells it. */
int append_json_value(struct buf *out, const struct column *column, const struct cell *cell,
                      struct err *err);

enum { DATE_TEXT_BYTES = 11, SQL_MAX_BYTES = 16 << 20 };
static const int64_t us_per_day = INT64_C(86400) * 1000000;
void format_date(char out[DATE_TEXT_BYTES], int64_t days); // of years 1 to 9999
