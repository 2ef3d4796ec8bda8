/* SPDX-License-Identifier: MPL-2.0 */
/* Every key: its type, its default, its limits. Source: fxci-etl.md 2.2, 3.2, 3.5, 4.2, 5.1. */
#include "fxci/config_internal.h"

#define FIELD(FIELD)  offsetof(struct fxci_config, FIELD)
#define METRIC(FIELD) offsetof(struct metric_config, FIELD)
#define TABLE(NAME, TABLE, FALLBACK)                                                               \
    {                                                                                              \
        "bigquery.tables." NAME, CONFIG_BIGQUERY, KEY_TEXT, FIELD(bigquery.tables[TABLE]),         \
            FALLBACK, 0, 0                                                                         \
    }
#define BILLING "moz-fx-data-shared-prod."

const char *const config_sections[CONFIG_N_SECTIONS + 1] = {
    [CONFIG_BIGQUERY] = "bigquery",
    [CONFIG_STORAGE] = "storage",
    [CONFIG_PULSE] = "pulse",
    [CONFIG_MONITORING] = "monitoring",
    [CONFIG_TASKCLUSTER] = "taskcluster",
    [CONFIG_BILLING] = "billing",
    [CONFIG_GOOGLE] = "google",
};

const struct key config_keys[] = {
    {"bigquery.project", CONFIG_BIGQUERY, KEY_TEXT, FIELD(bigquery.project), NULL, 0, 0},
    {"bigquery.dataset", CONFIG_BIGQUERY, KEY_TEXT, FIELD(bigquery.dataset), NULL, 0, 0},
    // of the views; the default is the dataset without "_derived"
    {"bigquery.views", CONFIG_BIGQUERY, KEY_TEXT, FIELD(bigquery.views), NULL, 0, 0},
    {"bigquery.credentials", CONFIG_BIGQUERY, KEY_CREDENTIALS, FIELD(bigquery.credentials), NULL, 0,
     0},
    {"bigquery.endpoint", CONFIG_BIGQUERY, KEY_URL, FIELD(bigquery.endpoint), NULL, 0, 0},
    {"bigquery.location", CONFIG_BIGQUERY, KEY_TEXT, FIELD(bigquery.location), NULL, 0, 0},
    {"bigquery.windowDays", CONFIG_BIGQUERY, KEY_UINT, FIELD(bigquery.window_days), "14", 1, 3650},
    TABLE("metrics", FXCI_METRICS, "worker_metrics_v1"),
    TABLE("tasks", FXCI_TASKS, "tasks_v2"),
    TABLE("runs", FXCI_RUNS, "task_runs_v1"),
    TABLE("taskdefinitions", FXCI_DEFINITIONS, "task_definitions_v1"),
    TABLE("workercosts", FXCI_WORKER_COSTS, "worker_costs_v1"),
    TABLE("workerusage", FXCI_WORKER_USAGE, "worker_usage_v1"),
    TABLE("taskruncosts", FXCI_RUN_COSTS, "task_run_costs_v1"),
    {"storage.project", CONFIG_STORAGE, KEY_TEXT, FIELD(storage.project), NULL, 0, 0},
    {"storage.bucket", CONFIG_STORAGE, KEY_TEXT, FIELD(storage.bucket), NULL, 0, 0},
    {"storage.credentials", CONFIG_STORAGE, KEY_CREDENTIALS, FIELD(storage.credentials), NULL, 0,
     0},
    {"storage.endpoint", CONFIG_STORAGE, KEY_URL, FIELD(storage.endpoint), NULL, 0, 0},
    {"pulse.user", CONFIG_PULSE, KEY_TEXT, FIELD(pulse.user), NULL, 0, 0},
    {"pulse.password", CONFIG_PULSE, KEY_PASSWORD, FIELD(pulse.password), NULL, 0, 0},
    {"pulse.host", CONFIG_PULSE, KEY_TEXT, FIELD(pulse.host), "pulse.mozilla.org", 0, 0},
    {"pulse.port", CONFIG_PULSE, KEY_UINT, FIELD(pulse.port), "5671", 1, 65535},
    {"pulse.durable", CONFIG_PULSE, KEY_BOOL, FIELD(pulse.durable), "true", 0, 0},
    {"pulse.tls", CONFIG_PULSE, KEY_BOOL, FIELD(pulse.tls), "true", 0, 0},
    {"pulse.caFile", CONFIG_PULSE, KEY_TEXT, FIELD(pulse.ca_file), NULL, 0, 0},
    {"pulse.vhost", CONFIG_PULSE, KEY_TEXT, FIELD(pulse.vhost), "/", 0, 0},
    {"pulse.prefetch", CONFIG_PULSE, KEY_UINT, FIELD(pulse.prefetch), "1000", 1, 65535},
    {"pulse.batchMessages", CONFIG_PULSE, KEY_UINT, FIELD(pulse.batch_messages), "5000", 1, 100000},
    // well below the 30 minutes after which the broker closes the channel
    {"pulse.batchSeconds", CONFIG_PULSE, KEY_UINT, FIELD(pulse.batch_seconds), "30", 1, 600},
    {"pulse.queueMinutes", CONFIG_PULSE, KEY_UINT, FIELD(pulse.queue_minutes), "20", 1, 1440},
    {"pulse.heartbeatSeconds", CONFIG_PULSE, KEY_UINT, FIELD(pulse.heartbeat_seconds), "60", 1,
     3600},
    {"monitoring.credentials", CONFIG_MONITORING, KEY_CREDENTIALS, FIELD(monitoring.credentials),
     NULL, 0, 0},
    {"monitoring.endpoint", CONFIG_MONITORING, KEY_URL, FIELD(monitoring.endpoint), NULL, 0, 0},
    {"monitoring.projects", CONFIG_MONITORING, KEY_LIST, FIELD(monitoring.projects),
     "fxci-production-level1-workers,fxci-production-level3-workers", 0, CONFIG_MAX_PROJECTS},
    {"taskcluster.rootUrl", CONFIG_TASKCLUSTER, KEY_URL, FIELD(taskcluster.root_url),
     "https://firefox-ci-tc.services.mozilla.com", 0, 0},
    {"taskcluster.caFile", CONFIG_TASKCLUSTER, KEY_TEXT, FIELD(taskcluster.ca_file), NULL, 0, 0},
    {"billing.gcp", CONFIG_BILLING, KEY_TEXT, FIELD(billing.gcp),
     BILLING "billing_syndicate.gcp_billing_export_resource_v1_01E7D5_97288E_E2EBA0", 0, 0},
    {"billing.fxciLoad", CONFIG_BILLING, KEY_TEXT, FIELD(billing.fxci_load),
     BILLING "azure_billing_syndicate.fxci_daily_actual_load", 0, 0},
    {"billing.fxciLookup", CONFIG_BILLING, KEY_TEXT, FIELD(billing.fxci_lookup),
     BILLING "azure_billing_syndicate.fxci_daily_actual_lookup", 0, 0},
    {"billing.taskclusterLoad", CONFIG_BILLING, KEY_TEXT, FIELD(billing.taskcluster_load),
     BILLING "azure_billing_syndicate.taskcluster_daily_actual_load", 0, 0},
    {"billing.taskclusterLookup", CONFIG_BILLING, KEY_TEXT, FIELD(billing.taskcluster_lookup),
     BILLING "azure_billing_syndicate.taskcluster_daily_actual_lookup", 0, 0},
    // The place of tokens of an account of the machine; a key file names its own.
    {"google.metadataHost", CONFIG_GOOGLE, KEY_TEXT, FIELD(google.metadata_host), NULL, 0, 0},
    {NULL, CONFIG_N_SECTIONS, KEY_TEXT, 0, NULL, 0, 0},
};

/* Below [monitoring.metrics.NAME]; "type" must be set, but for the metric that is there. */
const struct key config_metric_keys[] = {
    {"type", CONFIG_MONITORING, KEY_TEXT, METRIC(type), NULL, 0, 0},
    {"aligner", CONFIG_MONITORING, KEY_TEXT, METRIC(aligner), "ALIGN_SUM", 0, 0},
    {"reducer", CONFIG_MONITORING, KEY_TEXT, METRIC(reducer), "REDUCE_SUM", 0, 0},
    {"groupFields", CONFIG_MONITORING, KEY_LIST, METRIC(group_fields),
     "metric.labels.instance_name,resource.labels.instance_id,resource.labels.zone", 0,
     CONFIG_MAX_GROUP_FIELDS},
    {"table", CONFIG_MONITORING, KEY_TEXT, METRIC(table), NULL, 0, 0},
    {"column", CONFIG_MONITORING, KEY_TEXT, METRIC(column), NULL, 0, 0}, // NULL: the metric's name
    {NULL, CONFIG_N_SECTIONS, KEY_TEXT, 0, NULL, 0, 0},
};
