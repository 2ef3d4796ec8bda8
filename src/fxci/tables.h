/*
 * tables.h - the tables of fxci-etl: columns, partitions, keys. Source: fxci-etl.md 1.1, 1.2, X2.
 *
 * Names are configurable, and what may be null depends on the warehouse: in BigQuery it is as
 * managed, in DuckDB any column may (X13: `load` does not check).
 */
#pragma once

#include "warehouse/warehouse.h"

enum fxci_table {
    FXCI_TASKS,
    FXCI_RUNS,
    FXCI_DEFINITIONS,
    FXCI_METRICS,
    FXCI_WORKER_COSTS,
    FXCI_WORKER_USAGE,
    FXCI_RUN_COSTS,
    FXCI_GCP_BILLING, // DuckDB only, as the next: BigQuery reads the exports where they are
    FXCI_AZURE_BILLING,
    FXCI_N_TABLES,
};

/* Order of columns is order of cells. */
enum {
    TASK_SUBMISSION_DATE,
    TASK_SCHEDULER_ID,
    TASK_GROUP_ID,
    TASK_ID,
    TASK_QUEUE_ID,
    TASK_TAGS,
    TASK_N
};
enum { N_TAGS = 11 };
extern const char *const fxci_tag_names[N_TAGS + 1];
enum {
    RUN_SUBMISSION_DATE,
    RUN_REASON_CREATED,
    RUN_REASON_RESOLVED,
    RUN_RESOLVED,
    RUN_RUN_ID,
    RUN_SCHEDULED,
    RUN_STARTED,
    RUN_STATE,
    RUN_TASK_ID,
    RUN_WORKER_GROUP,
    RUN_WORKER_ID,
    RUN_N,
};
enum {
    DEF_SUBMISSION_DATE,
    DEF_TASK_ID,
    DEF_CREATED,
    DEF_DEADLINE,
    DEF_DEPENDENCIES,
    DEF_EXPIRES,
    DEF_EXTRA,
    DEF_METADATA,
    DEF_PAYLOAD,
    DEF_PRIORITY,
    DEF_PROJECT_ID,
    DEF_PROVISIONER_ID,
    DEF_REQUIRES,
    DEF_RETRIES,
    DEF_ROUTES,
    DEF_SCHEDULER_ID,
    DEF_SCOPES,
    DEF_TAGS,
    DEF_TASK_GROUP_ID,
    DEF_TASK_QUEUE_ID,
    DEF_WORKER_TYPE,
    DEF_N,
};
enum {
    METRIC_SUBMISSION_DATE,
    METRIC_INSTANCE_ID,
    METRIC_PROJECT,
    METRIC_ZONE,
    METRIC_UPTIME,
    METRIC_INTERVAL_START,
    METRIC_INTERVAL_END,
    METRIC_N,
};
enum {
    GCP_USAGE_DATE,
    GCP_USAGE_START_TIME,
    GCP_PROJECT_ID,
    GCP_RESOURCE_NAME,
    GCP_GLOBAL_NAME,
    GCP_COST,
    GCP_CREDITS,
    GCP_N,
};
enum {
    AZURE_EXPORT,
    AZURE_IS_LOOKUP,
    AZURE_SOURCE_DATA_ID,
    AZURE_USAGE_DATE,
    AZURE_SUBSCRIPTION_NAME,
    AZURE_RESOURCE_ID,
    AZURE_RESOURCE_LOCATION,
    AZURE_COST,
    AZURE_QUANTITY,
    AZURE_CHARGE_TYPE,
    AZURE_METER_CATEGORY,
    AZURE_UNIT_OF_MEASURE,
    AZURE_N,
};
enum { FXCI_MAX_COLUMNS = 24 };

struct fxci_table_names {
    const char *dataset; // NULL: fxci_derived
    const char *views;   // dataset of the views; NULL: the dataset without "_derived"; "": none
    const char *tables[FXCI_N_TABLES]; // NULL: tasks_v2, task_runs_v1 ...
};

/* One for a run; schemas point into it, so it must stay where it is. */
struct fxci_tables {
    struct table_schema schemas[FXCI_N_TABLES]; // name is "dataset.table"
    struct column columns[FXCI_N_TABLES][FXCI_MAX_COLUMNS];
    char names[FXCI_N_TABLES][256];
    char views[256]; // dataset of the views, "" : none
    bool bigquery;
};

/** @return 0 or E_ARG: a name is too long. */
MUST_CHECK int fxci_tables_init(struct fxci_tables *t, const struct fxci_table_names *names,
                                bool bigquery, struct err *err);
/** Make what is missing: tables and views of this warehouse. */
MUST_CHECK int fxci_tables_ensure(const struct fxci_tables *t, struct warehouse *w,
                                  struct err *err);
/** "tasks_v2", "fxci_derived.tasks_v2": which one? @return FXCI_N_TABLES: none. */
enum fxci_table fxci_tables_find(const struct fxci_tables *t, const char *name);
/** By default: "tasks_v2". */
const char *fxci_table_name(enum fxci_table table);
