/* SPDX-License-Identifier: MPL-2.0 */
/* Source: fxci-etl.md 1.1, 1.2, X2. */
#include "fxci/tables.h"

#include <stdio.h>
#include <string.h>

const char *const fxci_tag_names[N_TAGS + 1] = {
    "created_for_user", "kind",          "label",        "os",
    "owned_by",         "project",       "trust_domain", "worker_implementation",
    "test_suite",       "test_platform", "test_variant", NULL,
};

#define COLUMN(NAME, TYPE)                                                                         \
    {                                                                                              \
        .name = (NAME), .type = COLUMN_##TYPE                                                      \
    }
#define REQUIRED(NAME, TYPE)                                                                       \
    {                                                                                              \
        .name = (NAME), .type = COLUMN_##TYPE, .required = true                                    \
    }
#define COLUMN_END                                                                                 \
    {                                                                                              \
        .name = NULL                                                                               \
    }

static const struct column tasks[] = {
    [TASK_SUBMISSION_DATE] = REQUIRED("submission_date", DATE),
    [TASK_SCHEDULER_ID] = REQUIRED("scheduler_id", STRING),
    [TASK_GROUP_ID] = REQUIRED("task_group_id", STRING),
    [TASK_ID] = REQUIRED("task_id", STRING),
    [TASK_QUEUE_ID] = REQUIRED("task_queue_id", STRING),
    [TASK_TAGS] = {.name = "tags",
                   .type = COLUMN_RECORD,
                   .required = true,
                   .fields = fxci_tag_names},
    [TASK_N] = COLUMN_END,
};

static const struct column runs[] = {
    [RUN_SUBMISSION_DATE] = REQUIRED("submission_date", DATE),
    [RUN_REASON_CREATED] = COLUMN("reason_created", STRING),
    [RUN_REASON_RESOLVED] = COLUMN("reason_resolved", STRING),
    [RUN_RESOLVED] = REQUIRED("resolved", TIMESTAMP),
    [RUN_RUN_ID] = REQUIRED("run_id", INT64),
    [RUN_SCHEDULED] = REQUIRED("scheduled", TIMESTAMP),
    [RUN_STARTED] = COLUMN("started", TIMESTAMP),
    [RUN_STATE] = REQUIRED("state", STRING),
    [RUN_TASK_ID] = REQUIRED("task_id", STRING),
    [RUN_WORKER_GROUP] = COLUMN("worker_group", STRING),
    [RUN_WORKER_ID] = COLUMN("worker_id", STRING),
    [RUN_N] = COLUMN_END,
};

static const struct column definitions[] = {
    [DEF_SUBMISSION_DATE] = REQUIRED("submission_date", DATE),
    [DEF_TASK_ID] = REQUIRED("taskId", STRING),
    [DEF_CREATED] = REQUIRED("created", TIMESTAMP),
    [DEF_DEADLINE] = REQUIRED("deadline", TIMESTAMP),
    [DEF_DEPENDENCIES] = COLUMN("dependencies", STRINGS),
    [DEF_EXPIRES] = REQUIRED("expires", TIMESTAMP),
    [DEF_EXTRA] = REQUIRED("extra", JSON),
    [DEF_METADATA] = REQUIRED("metadata", JSON),
    [DEF_PAYLOAD] = REQUIRED("payload", JSON),
    [DEF_PRIORITY] = REQUIRED("priority", STRING),
    [DEF_PROJECT_ID] = REQUIRED("projectId", STRING),
    [DEF_PROVISIONER_ID] = REQUIRED("provisionerId", STRING),
    [DEF_REQUIRES] = REQUIRED("requires", STRING),
    [DEF_RETRIES] = REQUIRED("retries", INT64),
    [DEF_ROUTES] = COLUMN("routes", STRINGS),
    [DEF_SCHEDULER_ID] = REQUIRED("schedulerId", STRING),
    [DEF_SCOPES] = COLUMN("scopes", STRINGS),
    [DEF_TAGS] = REQUIRED("tags", JSON),
    [DEF_TASK_GROUP_ID] = REQUIRED("taskGroupId", STRING),
    [DEF_TASK_QUEUE_ID] = REQUIRED("taskQueueId", STRING),
    [DEF_WORKER_TYPE] = REQUIRED("workerType", STRING),
    [DEF_N] = COLUMN_END,
};

static const struct column metrics[] = {
    [METRIC_SUBMISSION_DATE] = REQUIRED("submission_date", DATE),
    [METRIC_INSTANCE_ID] = REQUIRED("instance_id", STRING),
    [METRIC_PROJECT] = REQUIRED("project", STRING),
    [METRIC_ZONE] = REQUIRED("zone", STRING),
    [METRIC_UPTIME] = COLUMN("uptime", DOUBLE),
    [METRIC_INTERVAL_START] = REQUIRED("interval_start_time", TIMESTAMP),
    [METRIC_INTERVAL_END] = REQUIRED("interval_end_time", TIMESTAMP),
    [METRIC_N] = COLUMN_END,
};

static const struct column worker_costs[] = {
    COLUMN("usage_start_date", DATE), COLUMN("cloud_provider", STRING),
    COLUMN("project", STRING),        COLUMN("name", STRING),
    COLUMN("zone", STRING),           COLUMN("instance_id", STRING),
    COLUMN("total_cost", DOUBLE),     COLUMN_END,
};

static const struct column worker_usage[] = {
    COLUMN("usage_start_date", DATE),
    COLUMN("cloud_provider", STRING),
    COLUMN("project", STRING),
    COLUMN("zone", STRING),
    COLUMN("instance_id", STRING),
    COLUMN("uptime", DOUBLE),
    COLUMN("attribution_method", STRING),
    COLUMN_END,
};

static const struct column run_costs[] = {
    COLUMN("submission_date", DATE),
    COLUMN("task_id", STRING),
    COLUMN("run_id", INT64),
    COLUMN("run_cost", DOUBLE),
    COLUMN("cloud_provider", STRING),
    COLUMN("worker_project", STRING),
    COLUMN("worker_zone", STRING),
    COLUMN("worker_instance_id", STRING),
    COLUMN("attribution_worker_cost", DOUBLE),
    COLUMN("attribution_worker_uptime", DOUBLE),
    COLUMN("run_duration", INT64),
    COLUMN("attribution_method", STRING),
    COLUMN_END,
};

/* What the derived tables read of an export row; credits are their sum. */
static const struct column gcp_billing[] = {
    [GCP_USAGE_DATE] = COLUMN("usage_date", DATE),
    [GCP_USAGE_START_TIME] = COLUMN("usage_start_time", TIMESTAMP),
    [GCP_PROJECT_ID] = COLUMN("project_id", STRING),
    [GCP_RESOURCE_NAME] = COLUMN("resource_name", STRING),
    [GCP_GLOBAL_NAME] = COLUMN("global_name", STRING),
    [GCP_COST] = COLUMN("cost", DOUBLE),
    [GCP_CREDITS] = COLUMN("credits", DOUBLE),
    [GCP_N] = COLUMN_END,
};

/* Of both exports ("fxci", "taskcluster"), load and look-up rows: of a look-up row export,
 * is_lookup and source_data_id. */
static const struct column azure_billing[] = {
    [AZURE_EXPORT] = COLUMN("export", STRING),
    [AZURE_IS_LOOKUP] = COLUMN("is_lookup", BOOL),
    [AZURE_SOURCE_DATA_ID] = COLUMN("source_data_id", STRING),
    [AZURE_USAGE_DATE] = COLUMN("usage_date", DATE),
    [AZURE_SUBSCRIPTION_NAME] = COLUMN("subscription_name", STRING),
    [AZURE_RESOURCE_ID] = COLUMN("resource_id", STRING),
    [AZURE_RESOURCE_LOCATION] = COLUMN("resource_location", STRING),
    [AZURE_COST] = COLUMN("cost", DOUBLE),
    [AZURE_QUANTITY] = COLUMN("quantity", DOUBLE),
    [AZURE_CHARGE_TYPE] = COLUMN("charge_type", STRING),
    [AZURE_METER_CATEGORY] = COLUMN("meter_category", STRING),
    [AZURE_UNIT_OF_MEASURE] = COLUMN("unit_of_measure", STRING),
    [AZURE_N] = COLUMN_END,
};

#define NAMES(...) ((const char *const[]){__VA_ARGS__, NULL})

static const struct kind {
    const char *name;
    const struct column *columns;
    const char *partition;
    const char *const *key, *const *cluster;
} kinds[FXCI_N_TABLES] = {
    [FXCI_TASKS] = {"tasks_v2", tasks, "submission_date", NAMES("task_id"), NAMES("task_id")},
    [FXCI_RUNS] = {"task_runs_v1", runs, "submission_date", NAMES("task_id", "run_id"),
                   NAMES("task_id", "run_id")},
    [FXCI_DEFINITIONS] = {"task_definitions_v1", definitions, "submission_date", NAMES("taskId"),
                          NAMES("taskId")},
    [FXCI_METRICS] = {"worker_metrics_v1", metrics, "submission_date",
                      NAMES("project", "zone", "instance_id", "interval_start_time"),
                      NAMES("project", "zone", "instance_id")},
    [FXCI_WORKER_COSTS] = {"worker_costs_v1", worker_costs, "usage_start_date",
                           NAMES("usage_start_date", "cloud_provider", "project", "name", "zone",
                                 "instance_id"),
                           NAMES("project", "zone", "instance_id")},
    [FXCI_WORKER_USAGE] = {"worker_usage_v1", worker_usage, "usage_start_date",
                           NAMES("usage_start_date", "cloud_provider", "project", "zone",
                                 "instance_id", "attribution_method"),
                           NAMES("cloud_provider", "project", "zone", "instance_id")},
    [FXCI_RUN_COSTS] = {"task_run_costs_v1", run_costs, "submission_date",
                        NAMES("submission_date", "task_id", "run_id", "cloud_provider",
                              "worker_project", "worker_zone", "worker_instance_id"),
                        NAMES("task_id", "run_id")},
    [FXCI_GCP_BILLING] = {"gcp_billing", gcp_billing, "usage_date", NULL, NULL},
    [FXCI_AZURE_BILLING] = {"azure_billing", azure_billing, "usage_date", NULL, NULL},
};

static int fill_table(struct fxci_tables *t, enum fxci_table i, const char *dataset,
                      const char *name, struct err *err)
{
    const struct kind *k = &kinds[i];
    const int n = snprintf(t->names[i], sizeof t->names[i], "%s.%s", dataset, name);
    if (n < 0 || (size_t)n >= sizeof t->names[i])
        return err_set(err, E_ARG, 0, "the name of table %.40s is too long", name);
    for (size_t c = 0; k->columns[c].name; c++) {
        t->columns[i][c] = k->columns[c];
        // `load` takes rows that lack any column.
        t->columns[i][c].required = k->columns[c].required && t->bigquery;
    }
    t->schemas[i] = (struct table_schema){
        .name = t->names[i],
        .columns = t->columns[i],
        .partition_column = k->partition,
        .key = k->key,
        .cluster = k->cluster,
        .require_partition_filter = true,
        .lax = true,
    };
    return 0;
}

static int name_views(struct fxci_tables *t, const char *views, const char *dataset,
                      struct err *err)
{
    static const char suffix[] = "_derived";
    const char *text = views ? views : dataset;
    size_t len = strlen(text);
    if (!views) {
        const bool derived =
            len >= sizeof suffix && strcmp(text + len - (sizeof suffix - 1), suffix) == 0;
        len = derived ? len - (sizeof suffix - 1) : 0;
    }
    if (len >= sizeof t->views)
        return err_set(err, E_ARG, 0, "the name of dataset %.40s is too long", text);
    memcpy(t->views, text, len);
    return 0;
}

int fxci_tables_init(struct fxci_tables *t, const struct fxci_table_names *names, bool bigquery,
                     struct err *err)
{
    const char *dataset = names->dataset ? names->dataset : "fxci_derived";
    *t = (struct fxci_tables){.bigquery = bigquery};
    int r = name_views(t, names->views, dataset, err);
    for (enum fxci_table i = 0; i < FXCI_N_TABLES && r == 0; i++)
        r = fill_table(t, i, dataset, names->tables[i] ? names->tables[i] : kinds[i].name, err);
    return r;
}

enum fxci_table fxci_tables_find(const struct fxci_tables *t, const char *name)
{
    for (enum fxci_table i = 0; i < FXCI_N_TABLES; i++)
        if (strcmp(t->names[i], name) == 0 || strcmp(strchr(t->names[i], '.') + 1, name) == 0)
            return i;
    return FXCI_N_TABLES;
}

const char *fxci_table_name(enum fxci_table table)
{
    return kinds[table].name;
}
