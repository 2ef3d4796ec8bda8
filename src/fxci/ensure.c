/* SPDX-License-Identifier: MPL-2.0 */
/* The tables and views of a warehouse, made where they are missing. */
#include "base/log.h"
#include "fxci/derive.h"

/* In BigQuery the views' dataset is often other people's, and rows do not depend on it. */
static int ensure_views(const struct fxci_tables *t, struct warehouse *w, struct err *err)
{
    struct err cause = {0};
    const int r = derive_views(w, t, &cause);
    if (r < 0 && t->bigquery) {
        log_event(LOG_LEVEL_WARNING,
                  "the views are not as they should be; set bigquery.views to \"\" for none",
                  LOG_S("cause", cause.text));
        return 0;
    }
    if (r < 0 && err)
        *err = cause;
    return r;
}

int fxci_tables_ensure(const struct fxci_tables *t, struct warehouse *w, struct err *err)
{
    int r = 0;
    for (enum fxci_table i = 0; i < FXCI_N_TABLES && r == 0; i++) {
        const bool export = i == FXCI_GCP_BILLING || i == FXCI_AZURE_BILLING;
        if (!export || !t->bigquery)
            r = warehouse_ensure_table(w, &t->schemas[i], err);
    }
    return r < 0 ? r : ensure_views(t, w, err);
}
