/* SPDX-License-Identifier: MPL-2.0 */
/* The table of metrics under another name, with another name for the value. Source: X9. */
#include "fxci/metrics.h"

#include <stdio.h>
#include <string.h>

static int name_table(struct metric_table *t, const struct fxci_tables *tables,
                      const struct metric_config *metric, struct err *err)
{
    const char *usual = tables->names[FXCI_METRICS];
    const int dataset = (int)(strchr(usual, '.') - usual);
    const int n = metric->table
                      ? snprintf(t->name, sizeof t->name, "%.*s.%s", dataset, usual, metric->table)
                      : snprintf(t->name, sizeof t->name, "%s", usual);
    if (n < 0 || (size_t)n >= sizeof t->name)
        return err_set(err, E_ARG, 0, "the name of table %.40s is too long", metric->table);
    return 0;
}

int metric_table_init(struct metric_table *t, const struct fxci_tables *tables,
                      const struct metric_config *metric, struct err *err)
{
    t->schema = tables->schemas[FXCI_METRICS];
    memcpy(t->columns, tables->columns[FXCI_METRICS], sizeof t->columns);
    t->columns[METRIC_UPTIME].name = metric->column;
    t->schema.columns = t->columns;
    t->schema.name = t->name;
    return name_table(t, tables, metric, err);
}

bool metric_table_find(struct metric_table *t, const struct fxci_tables *tables,
                       const struct fxci_config *config, const char *name)
{
    for (size_t i = 0; i < config->monitoring.n_metrics; i++) {
        if (metric_table_init(t, tables, &config->monitoring.metrics[i], NULL) == 0 &&
            (strcmp(t->name, name) == 0 || strcmp(strchr(t->name, '.') + 1, name) == 0))
            return true;
    }
    return false;
}
