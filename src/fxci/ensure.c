/* SPDX-License-Identifier: MPL-2.0 */
/* The tables and views of a warehouse, made where they are missing. */
#include "fxci/derive.h"

int fxci_tables_ensure(const struct fxci_tables *t, struct warehouse *w, struct err *err)
{
    int r = 0;
    for (enum fxci_table i = 0; i < FXCI_N_TABLES && r == 0; i++) {
        const bool export = i == FXCI_GCP_BILLING || i == FXCI_AZURE_BILLING;
        if (!export || !t->bigquery)
            r = warehouse_ensure_table(w, &t->schemas[i], err);
    }
    return r < 0 ? r : derive_views(w, t, err);
}
