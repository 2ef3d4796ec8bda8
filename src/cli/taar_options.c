/* SPDX-License-Identifier: MPL-2.0 */
/* Names, variables and meanings as in taar-etl.md 2 to 7 and 11, and embedded.md. */
#include "base/pool.h"
#include "cli/taar.h"

#define ARGS struct taar_args

enum { A_DAY_S = 86400 };

static const char *const log_formats[] = {"text", "json", NULL};

const struct opt taar_common_options[] = {
    OPT_CHOICE("generation", ARGS, generation, "TAAR_GENERATION", generation_names,
               "Where files lie and what they are called: g1 and g2 as on S3 (plain .json), g3 as "
               "on Cloud Storage (.json.bz2). Single options stand over it."),
    OPT_TEXT("home", ARGS, home, "WEIR_HOME", "DIR",
             "Root of everything that lies on this machine; the default is $XDG_DATA_HOME/weir, "
             "else ~/.local/share/weir."),
    OPT_TEXT("store", ARGS, store, "WEIR_STORE", "URL",
             "Where a bucket with a bare name lies: a directory, s3:// or gs://; the default is "
             "buckets/ below --home."),
    OPT_TEXT("warehouse", ARGS, warehouse, "WEIR_WAREHOUSE", "URL",
             "duckdb:///FILE or bigquery://PROJECT/DATASET; the default is warehouse.duckdb below "
             "--home."),
    OPT_TEXT("profiles", ARGS, profiles, "WEIR_PROFILES", "URL",
             "lmdb:///DIR or bigtable://PROJECT/INSTANCE; the default is profiles/ below --home."),
    OPT_UINT("lock-timeout", ARGS, lock_timeout_s, "WEIR_LOCK_TIMEOUT", 0, A_DAY_S,
             "Seconds to wait for another program that holds the DuckDB file."),
    OPT_PLACE(OPT_PATH_DIR, "temp-dir", ARGS, temp_dir, "TMPDIR", "DIR",
              "Where files lie that are only needed during the work; the default is /tmp."),
    OPT_TEXT("google-application-credentials", ARGS, google_credentials,
             "GOOGLE_APPLICATION_CREDENTIALS", "FILE",
             "Key file for Google's services; the default is "
             "~/.config/gcloud/application_default_credentials.json where it exists, else the "
             "machine's own account."),
    OPT_TEXT("bigquery-endpoint", ARGS, bigquery_endpoint, "BIGQUERY_EMULATOR_HOST", "URL",
             "Another address for BigQuery's interface; it gets no token."),
    OPT_TEXT("bigquery-location", ARGS, bigquery_location, NULL, "NAME",
             "Where new datasets are kept; the default is US."),
    OPT_TEXT("s3-endpoint", ARGS, s3.endpoint, "AWS_ENDPOINT_URL", "URL",
             "S3 server behind s3:// names; the default is AWS's own."),
    OPT_TEXT("s3-region", ARGS, s3.region, "AWS_REGION", "NAME",
             "Region of s3:// buckets; the default is us-east-1."),
    OPT_PLACE(OPT_PATH_FILE, "s3-ca-file", ARGS, s3.ca_file, "AWS_CA_BUNDLE", "FILE",
              "Certificates (PEM) to trust for s3://, instead of the system's."),
    OPT_SECRET("s3-access-key", ARGS, s3.access_key, "AWS_ACCESS_KEY_ID", "TEXT",
               "Access key for s3:// buckets; without it, requests are not signed."),
    OPT_SECRET("s3-secret-key", ARGS, s3.secret_key, "AWS_SECRET_ACCESS_KEY", "TEXT",
               "Secret key for s3:// buckets."),
    OPT_SECRET("s3-session-token", ARGS, s3.session_token, "AWS_SESSION_TOKEN", "TEXT",
               "Session token that belongs to temporary keys."),
    OPT_TEXT("now", ARGS, now, "WEIR_NOW", "TIME",
             "Take this for the present (2026-08-20T04:30:00Z), for tests and repetitions."),
    OPT_UINT("workers", ARGS, workers, "WEIR_WORKERS", 1, POOL_MAX_WORKERS,
             "Threads, or of a crawl requests at a time. Results do not depend on it."),
    OPT_STRING("cpu", ARGS, cpu, "WEIR_CPU", "LEVEL",
               "SIMD level to use: c, avx2, avx512. The default is what is fastest on this CPU."),
    OPT_CHOICE("log-format", ARGS, log_format, "WEIR_LOG_FORMAT", log_formats,
               "Messages as text, or as one JSON object a line."),
    OPT_COUNT("verbose", 'v', ARGS, verbose, "WEIR_VERBOSE", "Say more on standard error."),
    OPT_FLAG("quiet", 'q', ARGS, quiet, NULL, "Say nothing but errors on standard error."),
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

#define BUCKET(NAME)                                                                               \
    OPT_TEXT(NAME, ARGS, bucket, NULL, "BUCKET",                                                   \
             "Where the job's files lie: a name below --store, s3://, gs:// or a path; the "       \
             "default is the generation's.")
#define PREFIX(NAME)                                                                               \
    OPT_STRING(NAME, ARGS, prefix, NULL, "PREFIX",                                                 \
               "What stands before their names; the default is the generation's. Of g1 with its "  \
               "slash at the end.")

const struct opt taar_place_options[] = {BUCKET("bucket"), PREFIX("prefix"), OPT_END};

const struct opt taar_amo_place_options[] = {
    BUCKET("gcs-bucket"),
    PREFIX("gcs-prefix"),
    OPT_TEXT("s3-bucket", ARGS, bucket, NULL, "BUCKET", "The same, as it was called on S3."),
    OPT_STRING("s3-prefix", ARGS, prefix, NULL, "PREFIX", "The same, as it was called on S3."),
    OPT_END,
};

const struct opt taar_whitelist_options[] = {
    OPT_TEXT("whitelist-bucket", ARGS, whitelist_bucket, NULL, "BUCKET",
             "Where the AMO jobs' files are read; the default is --bucket, else the generation's."),
    OPT_STRING("whitelist-prefix", ARGS, whitelist_prefix, NULL, "PREFIX",
               "What stands before their names; the default is the generation's."),
    OPT_END,
};

const struct opt taar_date_options[] = {
    OPT_TEXT_REQUIRED("date", ARGS, date, NULL, "DATE",
                      "The day, as 20200601 or 2020-06-01; dated copies carry it as it is given."),
    OPT_END,
};

const struct opt taar_optional_date_options[] = {
    OPT_TEXT("date", ARGS, date, NULL, "DATE",
             "The day, as 20200601 or 2020-06-01; dated copies carry it as it is given. The "
             "default is today."),
    OPT_END,
};

const struct opt taar_seed_options[] = {
    OPT_TEXT("seed", ARGS, seed, NULL, "N",
             "Seed of all random choices, for runs that are to be repeated; the default is random, "
             "and said."),
    OPT_END,
};

const struct opt taar_dry_run_options[] = {
    OPT_FLAG("dry-run", 0, ARGS, dry_run, NULL, "Do the work, and write nothing."),
    OPT_END,
};
