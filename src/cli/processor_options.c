/* SPDX-License-Identifier: MPL-2.0 */
/* Names, variables and meanings as in prio-processor.md, sections 2, 3 and 13. */
#include "base/pool.h"
#include "cli/processor.h"
#include "warehouse/warehouse.h"

#define ARGS struct processor_args

enum { A_DAY_S = 86400, MOST_PARTITIONS = 100000 };

const struct processor_args processor_defaults = {
    .bucket_prefix = "data/v1",
    .n_rows = 100,
    .n_partitions = 2,
    .scale = 1,
    .partition_size_mb = 250,
    .export_above_gb = 5,
    .memory_mb = 256,
    .staged_mb = 250,
    .dataset = "telemetry",
    .table = "content_blocking_dev",
    .retry_limit = 5,
    .retry_delay = 2,
    .retry_exponent = 2,
};

static const char *const roles[] = {"A", "B", NULL};
static const char *const points[] = {"first", "sequential", NULL};
static const char *const prgs[] = {"hashed", "legacy", NULL};
static const char *const log_formats[] = {"text", "json", NULL};

const struct opt processor_data_options[] = {
    OPT_STRING_REQUIRED("batch-id", ARGS, batch_id, "BATCH_ID", "TEXT",
                        "Name of the batch, bound into every share."),
    OPT_UINT_REQUIRED("n-data", ARGS, n_data, "N_DATA", 1, PRIO_MAX_DATA, "Bits of a submission."),
    OPT_END,
};

const struct opt processor_server_options[] = {
    OPT_CHOICE_REQUIRED("server-id", ARGS, server_id, "SERVER_ID", roles, "The own role."),
    OPT_SECRET_REQUIRED("private-key-hex", ARGS, private_key, "PRIVATE_KEY_HEX", "HEX",
                        "The own private key, 64 hex digits."),
    OPT_SECRET_REQUIRED("shared-secret", ARGS, shared_secret, "SHARED_SECRET", "BASE64",
                        "The secret that both servers share, base64 of 16 bytes."),
    OPT_TEXT_REQUIRED("public-key-hex-internal", ARGS, key_internal, "PUBLIC_KEY_HEX_INTERNAL",
                      "HEX",
                      "The own public key, 64 hex digits. It names the path in the partner's "
                      "bucket."),
    OPT_TEXT_REQUIRED("public-key-hex-external", ARGS, key_external, "PUBLIC_KEY_HEX_EXTERNAL",
                      "HEX",
                      "The partner's public key, 64 hex digits. It names the path in the own "
                      "buckets."),
    OPT_END,
};

const struct opt processor_client_options[] = {
    OPT_TEXT_REQUIRED("public-key-hex-internal", ARGS, key_internal, "PUBLIC_KEY_HEX_INTERNAL",
                      "HEX", "Public key of server A, 64 hex digits."),
    OPT_TEXT_REQUIRED("public-key-hex-external", ARGS, key_external, "PUBLIC_KEY_HEX_EXTERNAL",
                      "HEX", "Public key of server B, 64 hex digits."),
    OPT_END,
};

const struct opt processor_prg_options[] = {
    OPT_CHOICE("prg", ARGS, prg, "PRIO_PRG", prgs,
               "How clients and servers expand seeds. `legacy` for Firefox data and everything "
               "made before July 2020."),
    OPT_END,
};

const struct opt processor_points_options[] = {
    OPT_CHOICE("points", ARGS, points, "PRIO_POINTS", points,
               "Evaluation points. `sequential` where the peer runs the original's file commands "
               "on the same files in the same order; `first` everywhere else. Both servers must "
               "use the same."),
    OPT_END,
};

const struct opt processor_run_options[] = {
    OPT_UINT("workers", ARGS, workers, "WEIR_WORKERS", 1, POOL_MAX_WORKERS,
             "Worker threads; the default is one a core. Results do not depend on it."),
    OPT_STRING("cpu", ARGS, cpu, "WEIR_CPU", "LEVEL",
               "SIMD level to use: c, avx2, avx512. The default is what is fastest on this CPU."),
    OPT_TEXT("home", ARGS, home, "WEIR_HOME", "DIR",
             "Root of everything that lies on this machine; the default is "
             "$XDG_DATA_HOME/weir, else ~/.local/share/weir."),
    OPT_TEXT("store", ARGS, store, "WEIR_STORE", "URL",
             "Where a bucket with a bare name lies: a directory, s3:// or gs://; the default is "
             "buckets/ below --home."),
    OPT_TEXT("now", ARGS, now, "WEIR_NOW", "TIME",
             "Take this for the present (2026-08-20T04:30:00Z), for tests and repetitions."),
    OPT_CHOICE("log-format", ARGS, log_format, "WEIR_LOG_FORMAT", log_formats,
               "Messages as text, or as one JSON object a line."),
    OPT_FLAG("verbose", 'v', ARGS, verbose, "WEIR_VERBOSE", "Say more on standard error."),
    OPT_FLAG("no-progress", 0, ARGS, no_progress, "WEIR_NO_PROGRESS",
             "No live line on a terminal, and no line every 15 s elsewhere."),
    OPT_END,
};

const struct opt processor_input_options[] = {
    OPT_TEXT_REQUIRED("input", ARGS, input, "INPUT", "PLACE",
                      "The shares: a directory, one file or a glob, gzip or not; here or at s3:// "
                      "or gs://."),
    OPT_END,
};

const struct opt processor_rows_options[] = {
    OPT_TEXT_REQUIRED("input", ARGS, input, "INPUT", "PLACE",
                      "{\"payload\": [0,1,..]} or [0,1,..] a line: a directory, one file or a "
                      "glob."),
    OPT_PLACE_REQUIRED(OPT_PATH_DIR, "output-A", ARGS, output_a, "OUTPUT_A", "DIR",
                       "Where A's shares go; what is there is replaced."),
    OPT_PLACE_REQUIRED(OPT_PATH_DIR, "output-B", ARGS, output_b, "OUTPUT_B", "DIR",
                       "Where B's shares go; what is there is replaced."),
    OPT_END,
};

const struct opt processor_pair_options[] = {
    OPT_TEXT_REQUIRED("input-internal", ARGS, input_internal, "INPUT_INTERNAL", "PLACE",
                      "The own result of the stage before: a directory, one file or a glob."),
    OPT_TEXT_REQUIRED("input-external", ARGS, input_external, "INPUT_EXTERNAL", "PLACE",
                      "The partner's result of the stage before."),
    OPT_END,
};

const struct opt processor_output_options[] = {
    OPT_PLACE_REQUIRED(OPT_PATH_DIR, "output", ARGS, output, "OUTPUT", "DIR",
                       "Directory of the result, here or at s3:// or gs://; what is there is "
                       "replaced."),
    OPT_END,
};

#define ACCESS_OPTIONS(SIDE, VAR, WHOSE)                                                           \
    OPT_TEXT("bucket-" #SIDE "-endpoint", ARGS, SIDE.endpoint, "BUCKET_" VAR "_ENDPOINT", "URL",   \
             "S3 server of " WHOSE ", such as https://s3.amazonaws.com. Without it, a bucket's "   \
             "name says where it is."),                                                            \
        OPT_SECRET("bucket-" #SIDE "-access-key", ARGS, SIDE.access_key,                           \
                   "BUCKET_" VAR "_ACCESS_KEY", "TEXT", "Access key for " WHOSE "."),              \
        OPT_SECRET("bucket-" #SIDE "-secret-key", ARGS, SIDE.secret_key,                           \
                   "BUCKET_" VAR "_SECRET_KEY", "TEXT", "Secret key for " WHOSE "."),              \
        OPT_SECRET("bucket-" #SIDE "-session-token", ARGS, SIDE.session_token,                     \
                   "BUCKET_" VAR "_SESSION_TOKEN", "TEXT",                                         \
                   "Session token that belongs to temporary keys for " WHOSE "."),                 \
        OPT_TEXT("bucket-" #SIDE "-region", ARGS, SIDE.region, "BUCKET_" VAR "_REGION", "NAME",    \
                 "Region of " WHOSE "; the default is us-east-1."),                                \
        OPT_PLACE(OPT_PATH_FILE, "bucket-" #SIDE "-ca-file", ARGS, SIDE.ca_file,                   \
                  "BUCKET_" VAR "_CA_FILE", "FILE",                                                \
                  "Certificates (PEM) to trust for " WHOSE ", instead of the system's.")

const struct opt processor_access_options[] = {
    ACCESS_OPTIONS(internal, "INTERNAL", "the own buckets"),
    OPT_END,
};

const struct opt processor_external_options[] = {
    ACCESS_OPTIONS(external, "EXTERNAL", "the partner's buckets"),
    OPT_END,
};

const struct opt processor_google_options[] = {
    OPT_TEXT("google-application-credentials", ARGS, google_credentials,
             "GOOGLE_APPLICATION_CREDENTIALS", "FILE",
             "Key file for gs:// and BigQuery; without it, the machine's own account is used."),
    OPT_END,
};

const struct opt processor_buckets_options[] = {
    OPT_TEXT("bucket-internal-ingest", ARGS, internal_ingest, "BUCKET_INTERNAL_INGEST", "BUCKET",
             "The own incoming shares; the default is the private bucket."),
    OPT_TEXT_REQUIRED("bucket-internal-private", ARGS, internal_private, "BUCKET_INTERNAL_PRIVATE",
                      "BUCKET", "The own results and state, for nobody else."),
    OPT_TEXT_REQUIRED("bucket-internal-shared", ARGS, internal_shared, "BUCKET_INTERNAL_SHARED",
                      "BUCKET", "The own mailbox: the partner writes it, this server reads it."),
    OPT_END,
};

const struct opt processor_mailbox_options[] = {
    OPT_TEXT_REQUIRED("bucket-external-shared", ARGS, external_shared, "BUCKET_EXTERNAL_SHARED",
                      "BUCKET", "The partner's mailbox: this server writes it."),
    OPT_END,
};

const struct opt processor_path_options[] = {
    OPT_TEXT_REQUIRED("app-name", ARGS, app_name, "APP_NAME", "NAME",
                      "The application, a part of every path."),
    OPT_TEXT("submission-date", ARGS, submission_date, "SUBMISSION_DATE", "DATE",
             "The data's day, YYYY-MM-DD; the default is today in UTC."),
    OPT_TEXT("bucket-prefix", ARGS, bucket_prefix, "BUCKET_PREFIX", "PATH",
             "The first part of every path."),
    OPT_END,
};

const struct opt processor_config_options[] = {
    OPT_PLACE_REQUIRED(OPT_PATH_FILE, "data-config", ARGS, data_config, "DATA_CONFIG", "FILE",
                       "JSON: the batches, [{\"batch_id\": .., \"n_data\": ..}, ..]."),
    OPT_END,
};

const struct opt processor_process_options[] = {
    OPT_UINT("retry-limit", ARGS, retry_limit, "RETRY_LIMIT", 0, 1000000,
             "How often to look again for data that is not there yet."),
    OPT_REAL("retry-delay", ARGS, retry_delay, "RETRY_DELAY", 0, A_DAY_S,
             "Seconds before the first time."),
    OPT_REAL("retry-backoff-exponent", ARGS, retry_exponent, "RETRY_BACKOFF_EXPONENT", 0, 1000,
             "Each wait is so many times the one before."),
    OPT_FLAG("keep-state", 0, ARGS, keep_state, "WEIR_KEEP_STATE",
             "Leave raw and intermediate data where they are at the end of the run."),
    OPT_FLAG("again", 0, ARGS, again, "WEIR_AGAIN", "Repeat a run that is finished."),
    OPT_UINT("min-batch", ARGS, min_batch, "WEIR_MIN_BATCH", 0, UINT64_MAX,
             "Do not publish a batch of fewer valid records: a small sum tells about few people."),
    OPT_PLACE(OPT_PATH_FILE, "sign-key", ARGS, sign_key, "WEIR_SIGN_KEY", "FILE",
              "Ed25519 private key (PEM): sign what goes to the partner."),
    OPT_PLACE(OPT_PATH_FILE, "verify-key", ARGS, verify_key, "WEIR_VERIFY_KEY", "FILE",
              "Ed25519 public key (PEM) of the partner: use nothing that it did not sign."),
    OPT_TEXT("metrics-file", ARGS, metrics_file, "WEIR_METRICS_FILE", "FILE",
             "Write counts here in Prometheus' text format, at stage ends and every 15 s."),
    OPT_TEXT("report", ARGS, report, "WEIR_REPORT", "FILE",
             "Write what the run did here as JSON: records, bytes and seconds of each stage."),
    OPT_TEXT("bootstrap-bucket", ARGS, bootstrap_bucket, "BOOTSTRAP_BUCKET", "BUCKET",
             "Taken for the sake of old job definitions, and not used: there is no package to "
             "place."),
    OPT_END,
};

const struct opt processor_dry_run_options[] = {
    OPT_FLAG("dry-run", 0, ARGS, dry_run, "WEIR_DRY_RUN",
             "Check everything and say what would happen; write and delete nothing."),
    OPT_END,
};

const struct opt processor_parties_options[] = {
    OPT_TEXT_REQUIRED("public-key-hex-internal", ARGS, key_internal, "PUBLIC_KEY_HEX_INTERNAL",
                      "HEX", "The own public key, as it names the path in the partner's bucket."),
    OPT_TEXT_REQUIRED("public-key-hex-external", ARGS, key_external, "PUBLIC_KEY_HEX_EXTERNAL",
                      "HEX", "The partner's public key, as it names the path in the own buckets."),
    OPT_END,
};

const struct opt processor_cleanup_options[] = {
    OPT_TEXT("public-key-hex-internal", ARGS, key_internal, "PUBLIC_KEY_HEX_INTERNAL", "HEX",
             "The own public key. It names what is the partner's, where that lies in the same "
             "bucket."),
    OPT_FLAG("force", 0, ARGS, force, NULL,
             "Delete the partner's objects too, where they lie in the same bucket."),
    OPT_END,
};

static const char *const status_formats[] = {"table", "json", NULL};

const struct opt processor_status_options[] = {
    OPT_TEXT("bucket-external-shared", ARGS, external_shared, "BUCKET_EXTERNAL_SHARED", "BUCKET",
             "The partner's mailbox, where it may be looked into."),
    OPT_CHOICE("format", ARGS, format, NULL, status_formats, "For people, or one JSON object."),
    OPT_END,
};

const struct opt processor_validate_options[] = {
    OPT_FLAG("no-probe", 0, ARGS, no_probe, NULL,
             "Do not write and delete an object where writing must be possible."),
    OPT_END,
};

const struct opt processor_ingest_options[] = {
    OPT_TEXT("bucket-internal-ingest", ARGS, internal_ingest, "BUCKET_INTERNAL_INGEST", "BUCKET",
             "A's incoming shares; the default is A's private bucket."),
    OPT_TEXT("bucket-external-ingest", ARGS, external_ingest, "BUCKET_EXTERNAL_INGEST", "BUCKET",
             "B's incoming shares; the default is B's private bucket."),
    OPT_TEXT("bucket-internal-private", ARGS, internal_private, "BUCKET_INTERNAL_PRIVATE", "BUCKET",
             "A's private bucket, where there is none for ingestion."),
    OPT_TEXT("bucket-external-private", ARGS, external_private, "BUCKET_EXTERNAL_PRIVATE", "BUCKET",
             "B's private bucket, where there is none for ingestion."),
    OPT_END,
};

const struct opt processor_small_config_options[] = {
    OPT_PLACE(OPT_PATH_FILE, "data-config", ARGS, data_config, "DATA_CONFIG", "FILE",
              "JSON: the batches; the default is config/test-small.json."),
    OPT_END,
};

const struct opt processor_integration_options[] = {
    OPT_UINT("n-rows", ARGS, n_rows, NULL, 1, UINT32_MAX, "Rows of a batch."),
    OPT_UINT("n-partitions", ARGS, n_partitions, NULL, 1, MOST_PARTITIONS,
             "Part files of a batch, at most."),
    OPT_UINT("n-drop-batch", ARGS, n_drop_batch, NULL, 0, UINT32_MAX,
             "Leave out so many of the batches with the highest names."),
    OPT_END,
};

const struct opt processor_random_options[] = {
    OPT_UINT_REQUIRED("n-rows", ARGS, n_rows, NULL, 1, UINT32_MAX, "Rows to make."),
    OPT_UINT("scale", ARGS, scale, NULL, 1, 1000000,
             "Copies of each encoded row, each under an id of its own."),
    OPT_UINT("partition-size-mb", ARGS, partition_size_mb, NULL, 1, 1000000,
             "Megabytes of A's shares in a part file, at most."),
    OPT_END,
};

const struct opt processor_pings_options[] = {
    OPT_TEXT_REQUIRED("date", ARGS, date, NULL, "DATE", "The pings' day, YYYY-MM-DD."),
    OPT_UINT_REQUIRED("n-pings", ARGS, n_pings, NULL, 1, UINT32_MAX, "Pings to make."),
    OPT_UINT("n-duplicates", ARGS, n_duplicates, NULL, 0, UINT32_MAX,
             "So many of them are sent again later."),
    OPT_UINT("seed", ARGS, seed, NULL, 0, UINT64_MAX, "Decides what the pings report."),
    OPT_PLACE_REQUIRED(OPT_PATH_DIR, "output", ARGS, output, "OUTPUT", "DIR",
                       "Folder of raw pings: <date>/<hour>/telemetry/prio/4/ below it."),
    OPT_TEXT("truth", ARGS, truth, NULL, "FILE",
             "Write the sums that must come out here, as JSON."),
    OPT_END,
};

static const char *const sources[] = {"gcs", "export", "bigquery", NULL};

const struct opt processor_staging_options[] = {
    OPT_TEXT_REQUIRED("date", ARGS, date, NULL, "DATE", "The day to stage, YYYY-MM-DD."),
    OPT_TEXT_REQUIRED(
        "input", ARGS, input, NULL, "PLACE",
        "gcs: the folder above <date>/<hour>/. export: files of rows with the payload "
        "column. bigquery: project.dataset.table."),
    OPT_PLACE_REQUIRED(OPT_PATH_DIR, "output", ARGS, output, NULL, "DIR",
                       "Folder of staged data; other days in it stay."),
    OPT_CHOICE("source", ARGS, source, NULL, sources, "What the input is."),
    OPT_TEXT("credentials", ARGS, google_credentials, "GOOGLE_APPLICATION_CREDENTIALS", "FILE",
             "Key file for gs:// and BigQuery; without it, the machine's own account is used."),
    OPT_REAL("partition-size-mb", ARGS, staged_mb, NULL, 0, 1000000,
             "Megabytes of A's payloads in a partition, at most."),
    OPT_UINT("partitions", ARGS, partitions, NULL, 1, MOST_PARTITIONS,
             "Make so many, whatever their size."),
    OPT_REAL("export-above-gb", ARGS, export_above_gb, NULL, 0, 1000000,
             "bigquery: let larger days be exported to --export-to and read from there."),
    OPT_TEXT("export-to", ARGS, export_to, NULL, "URL", "bigquery: gs:// folder for exports."),
    OPT_UINT("memory-mb", ARGS, memory_mb, NULL, 16, 1000000,
             "Megabytes of memory for records and document ids; the rest waits in --tmp-dir."),
    OPT_PLACE(OPT_PATH_DIR, "tmp-dir", ARGS, tmp_dir, "TMPDIR", "DIR",
              "Where data lies that does not fit into memory."),
    OPT_END,
};

static const char *const servers[] = {"both", "a", "b", NULL};

const struct opt processor_transfer_options[] = {
    OPT_TEXT_REQUIRED("input", ARGS, input, NULL, "DIR", "What staging wrote."),
    OPT_TEXT_REQUIRED("date", ARGS, date, NULL, "DATE", "The day to copy, YYYY-MM-DD."),
    OPT_CHOICE("only", ARGS, only, NULL, servers, "Copy for one server only."),
    OPT_TEXT_REQUIRED("app-name", ARGS, app_name, "APP_NAME", "NAME",
                      "The application, a part of every path."),
    OPT_TEXT("bucket-prefix", ARGS, bucket_prefix, "BUCKET_PREFIX", "PATH",
             "The first part of every path."),
    OPT_END,
};

const struct opt processor_index_options[] = {
    OPT_TEXT_REQUIRED("input", ARGS, input, NULL, "DIR",
                      "What publish wrote, with batch_id= folders."),
    OPT_PLACE_REQUIRED(OPT_PATH_DIR, "output", ARGS, output, NULL, "DIR",
                       "Folder of the rows; what is there is replaced."),
    OPT_PLACE_REQUIRED(OPT_PATH_FILE, "config", ARGS, config, NULL, "FILE",
                       "JSON: the batches, as in --data-config."),
    OPT_PLACE_REQUIRED(OPT_PATH_FILE, "origins", ARGS, origins, NULL, "FILE",
                       "JSON: the origins, as fetch-origins writes them."),
    OPT_END,
};

#define TABLE_OPTIONS                                                                              \
    OPT_TEXT("dataset", ARGS, dataset, "DATASET", "NAME", "Dataset of the table."),                \
        OPT_TEXT("table", ARGS, table, "TABLE", "NAME", "The table.")

const struct opt processor_warehouse_options[] = {
    OPT_TEXT("warehouse", ARGS, warehouse, "WEIR_WAREHOUSE", "URL",
             "duckdb:///path/file.duckdb or bigquery://project; the default is warehouse.duckdb "
             "below --home."),
    OPT_TEXT("project", ARGS, project, "CLOUDSDK_CORE_PROJECT", "NAME",
             "The project of `bigquery://` without one."),
    OPT_TEXT("bigquery-endpoint", ARGS, bigquery_endpoint, "BIGQUERY_EMULATOR_HOST", "URL",
             "Another address for BigQuery's interface; it gets no token."),
    OPT_TEXT("bigquery-location", ARGS, bigquery_location, NULL, "NAME",
             "Where new datasets are kept; the default is US."),
    OPT_END,
};

const struct opt processor_insert_options[] = {
    TABLE_OPTIONS,
    OPT_TEXT("bq-replace", ARGS, replace_table, "BQ_REPLACE", "BOOL",
             "true: the rows take the place of the whole table; false: of this date's."),
    OPT_PLACE_REQUIRED(OPT_PATH_FILE, "origin-config", ARGS, origin_config, "ORIGIN_CONFIG", "FILE",
                       "JSON: the origins, as fetch-origins writes them."),
    OPT_TEXT_REQUIRED("bucket-internal-private", ARGS, internal_private, "BUCKET_INTERNAL_PRIVATE",
                      "BUCKET", "The bucket with the results."),
    OPT_TEXT_REQUIRED("public-key-hex-external", ARGS, key_external, "PUBLIC_KEY_HEX_EXTERNAL",
                      "HEX", "The partner's public key, as it names the path in that bucket."),
    OPT_END,
};

const struct opt processor_dump_options[] = {
    TABLE_OPTIONS,
    OPT_TEXT("date", ARGS, date, NULL, "DATE", "Rows of this day only."),
    OPT_CHOICE("format", ARGS, format, NULL, rows_format_names, "How rows are written."),
    OPT_END,
};

const struct opt processor_origins_options[] = {
    OPT_TEXT("url", ARGS, url, NULL, "URL", "The source list: https://, file:// or a path."),
    OPT_TEXT("output", ARGS, output, NULL, "FILE", "The JSON file; '-' is standard output."),
    OPT_PLACE(OPT_PATH_FILE, "ca-file", ARGS, internal.ca_file, NULL, "FILE",
              "Certificates (PEM) to trust instead of the system's."),
    OPT_END,
};

const struct opt processor_integrate_options[] = {
    OPT_UINT("n-rows", ARGS, n_rows, NULL, 1, UINT32_MAX, "Rows of a batch."),
    OPT_REAL("pause", ARGS, pause, NULL, 0, 3600, "Seconds between the starts of A and B."),
    OPT_PLACE(OPT_PATH_FILE, "data-config", ARGS, data_config, "DATA_CONFIG", "FILE",
              "JSON: the batches; the default is config/test-small.json."),
    OPT_PLACE(OPT_PATH_FILE, "origin-config", ARGS, origin_config, "ORIGIN_CONFIG", "FILE",
              "JSON: the origins; the default is config/origins.json."),
    OPT_END,
};
