/* SPDX-License-Identifier: MPL-2.0 */
/* Names, variables and meanings as in fxci-etl.md 2.1 and embedded.md. */
#include "base/pool.h"
#include "cli/fxci.h"
#include "fxci/report.h"

#define ARGS struct fxci_args

enum { LOCK_TIMEOUT_S = 600, A_DAY_S = 86400 };

const struct fxci_args fxci_defaults = {.lock_timeout_s = LOCK_TIMEOUT_S};

static const char *const log_formats[] = {"text", "json", NULL};
static const char *const show_formats[] = {"table", "json", NULL};

const struct opt fxci_common_options[] = {
    OPT_PLACE(
        OPT_PATH_FILE, "config", ARGS, config, NULL, "FILE",
        "Read the configuration from this TOML file alone; FXCI_ETL_* variables do not count. "
        "The default is ~/.config/fxci-etl/config.toml where it exists, with the variables "
        "over it."),
    OPT_TEXT("home", ARGS, home, "WEIR_HOME", "DIR",
             "Root of everything that lies on this machine; the default is $XDG_DATA_HOME/weir, "
             "else ~/.local/share/weir."),
    OPT_TEXT("store", ARGS, store, "WEIR_STORE", "URL",
             "Where the state bucket lies: a directory, s3:// or gs://; the default is buckets/ "
             "below --home, or the configuration's."),
    OPT_TEXT("warehouse", ARGS, warehouse, "WEIR_WAREHOUSE", "URL",
             "duckdb:///FILE or bigquery://PROJECT/DATASET; the default is warehouse.duckdb below "
             "--home, or the configuration's."),
    OPT_UINT("lock-timeout", ARGS, lock_timeout_s, "WEIR_LOCK_TIMEOUT", 0, A_DAY_S,
             "Seconds to wait for another program that holds the DuckDB file."),
    OPT_TEXT("google-application-credentials", ARGS, google_credentials,
             "GOOGLE_APPLICATION_CREDENTIALS", "FILE",
             "Key file for Google's services, where the configuration holds none; the default is "
             "~/.config/gcloud/application_default_credentials.json where it exists, else the "
             "machine's own account."),
    OPT_TEXT("now", ARGS, now, "WEIR_NOW", "TIME",
             "Take this for the present (2026-08-20T04:30:00Z), for tests and repetitions."),
    OPT_UINT("workers", ARGS, workers, "WEIR_WORKERS", 1, POOL_MAX_WORKERS,
             "Threads; the default is one a core. Results do not depend on it."),
    OPT_STRING("cpu", ARGS, cpu, "WEIR_CPU", "LEVEL",
               "SIMD level to use: c, avx2, avx512. The default is what is fastest on this CPU."),
    OPT_CHOICE("log-format", ARGS, log_format, "WEIR_LOG_FORMAT", log_formats,
               "Messages as text, or as one JSON object a line."),
    OPT_COUNT("verbose", 'v', ARGS, verbose, "WEIR_VERBOSE",
              "Say more on standard error; -vv and -vvv say as much."),
    OPT_FLAG("quiet", 'q', ARGS, quiet, NULL, "Say nothing but errors on standard error."),
    OPT_FLAG("ansi", 0, ARGS, ansi, NULL,
             "Taken for the sake of old job definitions, as the next two; output has no colours."),
    OPT_FLAG("no-ansi", 0, ARGS, no_ansi, NULL, "See --ansi."),
    OPT_FLAG("no-interaction", 'n', ARGS, no_interaction, NULL,
             "See --ansi; nothing is ever asked."),
    {.name = "version",
     .short_name = 'V',
     .kind = OPT_KIND_VERSION,
     .help = "Show the version and exit."},
    {.name = "help",
     .short_name = 'h',
     .kind = OPT_KIND_HELP,
     .help = "Show this message and exit."},
    OPT_END,
};

#define OPT_DATE_TEXT(NAME, FIELD, HELP) OPT_TEXT(NAME, ARGS, FIELD, NULL, "DATE", HELP)

const struct opt fxci_derive_options[] = {
    OPT_DATE_TEXT("date", date, "The day to compute; the default is yesterday, UTC."),
    OPT_DATE_TEXT("from", from, "In place of --date: the first of several days, up to --to."),
    OPT_DATE_TEXT("to", to, "The last day; the default is yesterday, UTC."),
    OPT_TEXT("table", ARGS, table, NULL, "TABLE",
             "Compute only this one of worker_costs_v1, worker_usage_v1 and task_run_costs_v1; "
             "several with commas between them."),
    OPT_END,
};

const struct opt fxci_load_billing_options[] = {
    OPT_PLACE(OPT_PATH_FILE, "gcp", ARGS, gcp, NULL, "FILE",
              "Rows of the resource-level Cloud Billing export: NDJSON, CSV or Parquet."),
    OPT_PLACE(OPT_PATH_FILE, "azure", ARGS, azure, NULL, "FILE",
              "Rows of the four Azure tables as {\"table\", \"row\"} a line, or with a column "
              "\"table\" in CSV and Parquet."),
    OPT_TEXT("azure-table", ARGS, azure_table, NULL, "NAME",
             "The --azure file holds rows of this table alone, as the table has them: "
             "fxci_daily_actual_load and the like."),
    OPT_END,
};

const struct opt fxci_drain_options[] = {
    OPT_TEXT("source", ARGS, source, NULL, "FILE|DIR",
             "Take recorded messages, one JSON object a line, instead of a broker's; \"-\" is "
             "standard input. Nothing is asked over the network then."),
    OPT_PLACE(OPT_PATH_FILE, "taskdefs-from", ARGS, taskdefs, NULL, "FILE",
              "Take task definitions from these recorded answers of the queue service."),
    OPT_END,
};

const struct opt fxci_metric_options[] = {
    OPT_DATE_TEXT("date", date, "The day to export; the default is yesterday, UTC."),
    OPT_FLAG("dry-run", 0, ARGS, dry_run, NULL,
             "Print each series that comes back as one JSON object a line, and store nothing."),
    OPT_PLACE(OPT_PATH_FILE, "timeseries-from", ARGS, timeseries, NULL, "FILE",
              "Take these recorded answers of Cloud Monitoring; nothing is asked over the network "
              "then."),
    OPT_END,
};

const struct opt fxci_show_options[] = {
    OPT_CHOICE("format", ARGS, format, NULL, show_formats,
               "A table, or one JSON object a line: key, value, origin."),
    OPT_END,
};

const struct opt fxci_validate_options[] = {
    OPT_FLAG("online", 0, ARGS, online, NULL,
             "Also try the warehouse, the state bucket (an object is written and deleted), the "
             "broker, Taskcluster and Cloud Monitoring."),
    OPT_END,
};

static const char *const kinds[] = {"any", "event", "record", "definition", "pending-id", NULL};

const struct opt fxci_failed_list_options[] = {
    OPT_CHOICE("kind", ARGS, kind, NULL, kinds, "Only what is of this kind."),
    OPT_END,
};

const struct opt fxci_failed_options[] = {
    OPT_FLAG("all", 0, ARGS, all, NULL, "All there are, or all of --kind."),
    OPT_CHOICE("kind", ARGS, kind, NULL, kinds, "Only what is of this kind."),
    OPT_END,
};

const struct opt fxci_dump_options[] = {
    OPT_DATE_TEXT("date", date, "Rows of this day's partition only."),
    OPT_CHOICE("format", ARGS, format, NULL, rows_format_names, "How rows are written."),
    OPT_END,
};

static const char *const report_formats[] = {"table", "csv", "json", NULL};

const struct opt fxci_report_options[] = {
    OPT_CHOICE_REQUIRED("by", ARGS, by, NULL, report_by_names,
                        "What the lines are: groups of tasks, worker types (queues), projects "
                        "(the tag), or cloud providers."),
    OPT_DATE_TEXT("date", date, "The day; the default is yesterday, UTC."),
    OPT_DATE_TEXT("from", from, "In place of --date: the first of several days, up to --to."),
    OPT_DATE_TEXT("to", to, "The last day; the default is yesterday, UTC."),
    OPT_CHOICE("format", ARGS, format, NULL, report_formats,
               "Columns for people, CSV, or one JSON object a line."),
    OPT_END,
};

const struct opt fxci_queues_options[] = {
    OPT_CHOICE("format", ARGS, format, NULL, report_formats,
               "Columns for people, CSV, or one JSON object a line."),
    OPT_END,
};

const struct opt fxci_backfill_options[] = {
    OPT_DATE_TEXT("from", from, "Look at runs from this submission_date on; the default is all."),
    OPT_DATE_TEXT("to", to, "Look at runs up to this submission_date; the default is today."),
    OPT_END,
};
