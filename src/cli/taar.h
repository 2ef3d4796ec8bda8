/*
 * taar.h - the inside of the taar-etl program: its arguments, and what its commands share.
 *
 * A command is a file of its own, taar_NAME.c, which holds its arguments, its options and the
 * function, and ends with its line of the table; that line is declared below, and named in
 * taar_etl.c with its other names:
 *
 *   struct lite_args {
 *       struct taar_args common; // first: every group here fills it
 *       double sample_rate;
 *   };
 *   static const struct lite_args defaults = {.common = TAAR_DEFAULTS, .sample_rate = 0.05};
 *   static const struct opt options[] = {
 *       OPT_REAL("sample-rate", struct lite_args, sample_rate, NULL, 0, 1, "Share of the rows."),
 *       OPT_END,
 *   };
 *
 *   static int run(void *args, struct err *err)
 *   {
 *       const struct lite_args *a = args;
 *       CLEANUP(taar_end) struct taar_setup setup = {0};
 *       CLEANUP(taar_objects_close) struct objects objects = {0};
 *       int r = taar_start(&setup, &a->common, err);
 *       if (r == 0)
 *           r = taar_open_objects(&setup, JOB_LITE, &objects, err);
 *       ...
 *       return taar_exit(r);
 *   }
 *
 *   const struct opt_command taar_lite_command = {
 *       .name = "lite", .summary = "Count which add-ons are installed together",
 *       .groups = TAAR_GROUPS(options, taar_place_options, taar_date_options),
 *       .defaults = &defaults, .args_size = sizeof defaults, .run = run};
 *
 * Another name of the executable stands in taar_etl_aliases of src/cli/meson.build, too.
 * Options are named with dashes; the parser takes underscores as well. Results go to standard
 * output, all else to the log.
 */
#pragma once

#include "base/opts.h"
#include "base/outfile.h"
#include "profiles/profiles.h"
#include "store/store.h"
#include "taar/amo_fetch.h"
#include "taar/objects.h"
#include "taar/telemetry.h"
#include "warehouse/warehouse.h"

/* Every command fills the fields that its option groups name; the others stay at their defaults. */
struct taar_args {
    // every command
    const char *home, *store, *warehouse, *profiles;
    const char *google_credentials;
    struct bucket_side s3; // for s3:// only
    const char *now, *cpu;
    uint64_t workers;        // 0: the command's own default
    uint64_t lock_timeout_s; // for the DuckDB file
    const char *bigquery_endpoint, *bigquery_location;
    const char *temp_dir;
    uint64_t verbose; // how often
    bool quiet;
    int log_format; // enum log_format
    int generation; // enum generation

    // some
    const char *date; // as given; checked by taar_start, setup.date is the day
    const char *bucket, *prefix;
    const char *whitelist_bucket, *whitelist_prefix;
    const char *seed;
    bool dry_run;
};
#define TAAR_DEFAULTS                                                                              \
    {                                                                                              \
        .lock_timeout_s = 600, .generation = GENERATION_3                                          \
    }

/* taar_options.c: the groups of options that commands are made of, each ended by OPT_END */
extern const struct opt taar_common_options[];        // everywhere
extern const struct opt taar_place_options[];         // --bucket, --prefix
extern const struct opt taar_amo_place_options[];     // --gcs-bucket, --s3-prefix and so on
extern const struct opt taar_whitelist_options[];     // where the whitelists lie
extern const struct opt taar_date_options[];          // --date, required
extern const struct opt taar_optional_date_options[]; // --date
extern const struct opt taar_seed_options[];
extern const struct opt taar_dry_run_options[];
#define TAAR_GROUPS(...) ((const struct opt *const[]){__VA_ARGS__, taar_common_options, NULL})

/* taar_amo_client.c: of the jobs that ask AMO; their own arguments begin with these. */
struct taar_amo_args {
    struct taar_args common;
    const char *amo_url, *ca_file, *contact;
    double rate, retry_base_s;
    uint64_t tries, max_retry_after_s;
};
#define TAAR_AMO_DEFAULTS                                                                          \
    {                                                                                              \
        .common = TAAR_DEFAULTS, .contact = "https://github.com/mozilla/telemetry-airflow",        \
        .rate = 10, .retry_base_s = 1, .tries = 5, .max_retry_after_s = 300                        \
    }
extern const struct opt taar_amo_client_options[];
enum { TAAR_AGENT_BYTES = 512 };
/** agent is written, and lent to the result. url: the server, which may be on this machine. */
struct amo_client_options taar_amo_client(const struct taar_amo_args *a,
                                          char agent[TAAR_AGENT_BYTES], const char *url);

/* The commands. */
extern const struct opt_command taar_amodump_command;
extern const struct opt_command taar_amowhitelist_command;
extern const struct opt_command taar_lite_command, taar_ranking_command;
extern const struct opt_command taar_locale_command;
extern const struct opt_command taar_plot_coinstallation_command, taar_plot_curves_command,
    taar_plot_locale_command;
extern const struct opt_command taar_profile_command, taar_profile_get_command,
    taar_profile_dump_command;
extern const struct opt_command taar_show_command;
extern const struct opt_command taar_similarity_command;
extern const struct opt_command taar_wait_command, taar_wait_daily_command,
    taar_wait_summary_command, taar_wait_last_seen_command;
extern const struct opt_command taar_update_whitelist_command;

/* taar_setup.c: from arguments to what the parts take */

enum { EXIT_NOT_READY = 3 }; // taar-etl wait

struct taar_setup {
    const struct taar_args *args;
    unsigned cpu;       // cpu_feature bits
    unsigned n_workers; // --workers, else one a core
    int64_t now_us;     // UTC: --now, else the real clock
    int64_t today;      // the same as days since 1970-01-01, UTC
    int64_t date;       // --date, or today
    uint64_t seed;      // --seed, or from the system's randomness
    bool seed_given;
    enum generation generation;
    struct bucket_common common;
    char *warehouse_url, *profiles_url;
    const char *google_credentials; // a file, or NULL
    char *own_credentials;          // owned; the former may point here
};

/**
 * Start the logger and read what is everywhere: clock, --date, --seed, places. Nobody is contacted.
 * On failure taar_end is still due. setup must stay where it is. @return 0, or E_ARG, before any
 * work.
 */
MUST_CHECK int taar_start(struct taar_setup *setup, const struct taar_args *a, struct err *err);
void taar_end(struct taar_setup *setup); // zeroed is fine
/** EXIT_DONE for 0, EXIT_USAGE for E_ARG, else EXIT_FAILED. */
int taar_exit(int code);

/** A day, "20200601" or "2020-06-01", as days since 1970-01-01. option: for the message, "--date".
 * @return 0 or E_ARG. Source: H13. */
MUST_CHECK int taar_read_date(int64_t *days, const char *text, const char *option, struct err *err);

/**
 * A bucket by its name, as every job's option has it: a bare one lies below --store, whatever it is
 * called (Y1); a URL or an absolute path is taken as it is. what: for messages, "--bucket".
 */
MUST_CHECK int taar_open_bucket(const struct taar_setup *setup, struct store **out,
                                const char *what, const char *bucket, struct err *err);
/** As location_open: any URL or path of a file, a directory or a glob; *key to be freed. */
MUST_CHECK int taar_open_location(const struct taar_setup *setup, struct store **out, char **key,
                                  const char *location, struct err *err);
/** The job's bucket and prefix: --bucket, --prefix, else those of the generation. */
MUST_CHECK int taar_open_objects(const struct taar_setup *setup, enum taar_job job,
                                 struct objects *out, struct err *err);
/** Where whitelists and add-on databases lie: --whitelist-bucket, else --bucket, else the
 * generation's; --whitelist-prefix, else the generation's. */
MUST_CHECK int taar_open_whitelists(const struct taar_setup *setup, struct objects *out,
                                    struct err *err);
void taar_objects_close(struct objects *o); // zeroed is fine

/** How buckets of url's scheme are reached, for telemetry.h; .url is left NULL. */
struct store_config taar_store_access(const struct taar_setup *setup, const char *url);
/** --warehouse and how it is reached. */
struct warehouse_config taar_warehouse_config(const struct taar_setup *setup, bool read_only);
MUST_CHECK int taar_open_warehouse(const struct taar_setup *setup, struct warehouse **out,
                                   bool read_only, struct err *err);

/* Where a telemetry job reads (Y3). */
struct taar_source {
    const char *given; // the option, or NULL
    // Else, one of both at least: a folder of the bucket that GCS_BUCKET (S3_PARQUET_BUCKET before
    // g3) names, and a table, which is taken where there is no folder, or the warehouse is
    // BigQuery.
    const char *folder; // "clients_daily/v6"
    bool once_on_s3;    // in S3_PARQUET_BUCKET before GENERATION_3
    const char *table;  // "telemetry.addons"
    enum telemetry_kind kind;
    int64_t first, last;       // as in telemetry.h
    const char *const *needed; // as in telemetry.h
    struct warehouse *opened;  // as in telemetry.h, or NULL
};
MUST_CHECK int taar_open_telemetry(const struct taar_setup *setup, struct telemetry **out,
                                   const struct taar_source *source, struct err *err);
/** As telemetry_ready, of the day source->first. */
MUST_CHECK int taar_telemetry_ready(const struct taar_setup *setup,
                                    const struct taar_source *source, bool *ready, struct err *err);
/** Open a file that an option names, in a directory that exists; "-" is standard output. @return 0
 * or E_*. */
MUST_CHECK int taar_open_file(struct outfile *out, const char *path, struct err *err);
/** --profiles and how it is reached; instance, table and read_only are the caller's. */
struct profiles_config taar_profiles_config(const struct taar_setup *setup);

/* taar_show.c */
/** Append the text of an object, "bucket/key", a URL or an absolute path, decompressed; ".bz2" may
 * be left out. @return 0, E_ARG, E_ABSENT, or E_*. */
MUST_CHECK int taar_read_object(const struct taar_setup *setup, const char *object,
                                struct buf *text, struct err *err);

/** Write bytes to standard output, for functions that take where to write. arg: nothing. @return 0
 * or E_IO. */
int taar_print(void *arg, const void *bytes, size_t len, struct err *err);
