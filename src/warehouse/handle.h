/* handle.h - a warehouse as the files that know no backend share it. */
#pragma once

#include "warehouse/backend.h"

struct warehouse {
    const struct warehouse_ops *ops;
    void *impl;
    char *url;
    char *dataset;           // of bare table names
    bool read_only, loading; // loading: a load or a batch has begun
};

/** Split "table" or "dataset.table". To be deinitialised in any case. @return 0, E_ARG or E_NOMEM.
 */
int table_name_init(struct table_name *name, const struct warehouse *w, const char *text,
                    struct err *err);
void table_name_deinit(struct table_name *name);

/** @return its index, or SIZE_MAX: there is none, or name is NULL. */
size_t find_column(const struct column *columns, const char *name);
/** @return 0, or E_FORMAT saying which row, table and column. */
int check_row(const struct table_schema *schema, const struct cell *cells, uint64_t number,
              struct err *err);
/** May a load or a batch begin? @return 0 or E_ARG. */
int check_writable(const struct warehouse *w, struct err *err);
