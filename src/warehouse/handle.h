/* handle.h - a warehouse as warehouse.c, load.c and scan.c share it. */
#pragma once

#include "warehouse/backend.h"

struct warehouse {
    const struct warehouse_ops *ops;
    void *impl;
    char *url;
    char *dataset; // of bare table names
    bool read_only, loading;
};

/** Split "table" or "dataset.table". To be deinitialised in any case. @return 0, E_ARG or E_NOMEM.
 */
int table_name_init(struct table_name *name, const struct warehouse *w, const char *text,
                    struct err *err);
void table_name_deinit(struct table_name *name);
