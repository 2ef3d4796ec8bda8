/* processor.h - the inside of the prio-processor program: its arguments, and what its commands
 * share. */
#pragma once

#include "base/opts.h"
#include "base/progress.h"
#include "processor/data_config.h"
#include "processor/place.h"
#include "processor/share_batch.h"
#include "stage/keys.h"
#include "store/store.h"
#include "weir/prio.h"

/* Every command fills the fields that its option groups name; the others stay at their defaults. */
struct processor_args {
    // the batch, the server, the keys
    const char *batch_id;
    uint64_t n_data;
    int prg;       // enum prio_prg
    int points;    // enum prio_points
    int server_id; // enum prio_role
    struct opt_secret private_key, shared_secret;
    const char *key_internal, *key_external; // public keys, hex

    // places
    const char *input, *input_internal, *input_external;
    const char *output, *output_a, *output_b;
    struct bucket_side internal, external;
    const char *internal_ingest, *internal_private, *internal_shared;
    const char *external_ingest, *external_private, *external_shared;
    const char *bucket_prefix, *app_name, *submission_date;
    const char *data_config, *origin_config;
    const char *google_credentials;
    const char *home, *store, *warehouse;

    // what happens how
    uint64_t retry_limit;
    double retry_delay, retry_exponent;
    const char *bootstrap_bucket;
    bool dry_run, keep_state, again, force, no_probe;
    uint64_t min_batch;
    const char *sign_key, *verify_key;
    const char *metrics_file, *report;
    uint64_t workers; // 0: all cores
    const char *cpu, *now;
    bool verbose, no_progress;
    int log_format; // enum log_format
    int format;     // of the answer

    // data that is made
    uint64_t n_rows, n_partitions, n_drop_batch, scale, partition_size_mb, partitions;
    uint64_t n_pings, n_duplicates, seed;
    double pause; // of integrate, seconds

    // staging, index, tables
    const char *date, *url, *config, *origins, *truth;
    int source;
    int only; // 0: both, else a role + 1
    double export_above_gb;
    double staged_mb; // of a partition
    uint64_t memory_mb;
    const char *export_to, *tmp_dir;
    const char *project, *bigquery_endpoint, *bigquery_location;
    const char *dataset, *table;
    const char *replace_table;
};

/* processor_options.c: the groups of options that commands are made of, each ended by OPT_END */
extern const struct opt processor_data_options[];         // --batch-id, --n-data
extern const struct opt processor_server_options[];       // the role, all keys and the secret
extern const struct opt processor_client_options[];       // public keys of A and B
extern const struct opt processor_prg_options[];          // --prg
extern const struct opt processor_points_options[];       // --points
extern const struct opt processor_run_options[];          // workers, CPU, log, home: everywhere
extern const struct opt processor_input_options[];        // --input of shares
extern const struct opt processor_rows_options[];         // --input of rows, --output-A, --output-B
extern const struct opt processor_pair_options[];         // --input-internal, --input-external
extern const struct opt processor_output_options[];       // --output
extern const struct opt processor_access_options[];       // how the own buckets are reached
extern const struct opt processor_external_options[];     // how the partner's bucket is reached
extern const struct opt processor_google_options[];       // --google-application-credentials
extern const struct opt processor_buckets_options[];      // the own buckets, by name
extern const struct opt processor_mailbox_options[];      // the partner's, by name
extern const struct opt processor_path_options[];         // application, date, prefix
extern const struct opt processor_config_options[];       // --data-config
extern const struct opt processor_process_options[];      // waiting, protections, reports
extern const struct opt processor_dry_run_options[];      // --dry-run
extern const struct opt processor_parties_options[];      // both public keys, as names in paths
extern const struct opt processor_cleanup_options[];      // --force and the own key
extern const struct opt processor_status_options[];       // --format, and the partner's mailbox
extern const struct opt processor_validate_options[];     // --no-probe
extern const struct opt processor_ingest_options[];       // A's and B's ingest buckets
extern const struct opt processor_small_config_options[]; // --data-config, with a default
extern const struct opt processor_integration_options[];  // known vectors
extern const struct opt processor_random_options[];       // random vectors
extern const struct opt processor_pings_options[];
extern const struct opt processor_staging_options[];
extern const struct opt processor_transfer_options[];
extern const struct opt processor_index_options[];
extern const struct opt processor_warehouse_options[]; // --warehouse
extern const struct opt processor_insert_options[];
extern const struct opt processor_dump_options[];
extern const struct opt processor_origins_options[];
extern const struct opt processor_integrate_options[];
extern const struct processor_args processor_defaults;

/* The commands. Each returns an exit status and fills err as opts.h says. */
int cmd_process(void *args, struct err *err);
int cmd_verify1(void *args, struct err *err);
int cmd_verify2(void *args, struct err *err);
int cmd_aggregate(void *args, struct err *err);
int cmd_publish(void *args, struct err *err);
int cmd_encode_shares(void *args, struct err *err);
int cmd_generate(void *args, struct err *err);             // bin/generate
int cmd_generate_random(void *args, struct err *err);      // prio-spark generate
int cmd_generate_integration(void *args, struct err *err); // of prio-spark
int cmd_generate_pings(void *args, struct err *err);
int cmd_staging(void *args, struct err *err);
int cmd_transfer(void *args, struct err *err);
int cmd_index(void *args, struct err *err);
int cmd_insert(void *args, struct err *err);
int cmd_dump(void *args, struct err *err);
int cmd_fetch_origins(void *args, struct err *err);
int cmd_integrate(void *args, struct err *err);
int cmd_cleanup(void *args, struct err *err);
int cmd_status(void *args, struct err *err);
int cmd_validate(void *args, struct err *err);

/* processor_setup.c: from arguments to what the engines take */

struct processor_setup {
    unsigned cpu;       // cpu_feature bits
    unsigned n_workers; // at least 1
    int64_t now_us;     // UTC: --now, else the real clock
    bool now_given;
    struct bucket_common common; // borrows from args and the environment
    char date[11];               // SUBMISSION_DATE, or today
    enum progress_mode progress;
};
/** Start the logger; read --cpu, --workers, --now and --submission-date. @return 0 or E_ARG. */
MUST_CHECK int processor_start(struct processor_setup *s, const struct processor_args *a,
                               struct err *err);
struct key_texts processor_keys(const struct processor_args *a);
/** EXIT_DONE for 0, EXIT_USAGE for E_ARG, else EXIT_FAILED. */
int processor_exit(int code);
/** Print a line on standard output, above any live line. arg: not used. */
void processor_say(void *arg, const char *line);

/* The four buckets of a server; NULL: not wanted. */
struct processor_buckets {
    struct store *ingest, *private, *shared, *external_shared;
};
/** Open the own three and, where its option is given, the partner's mailbox. @return 0 or E_ARG. */
MUST_CHECK int processor_open_buckets(struct processor_buckets *b, const struct processor_setup *s,
                                      const struct processor_args *a, struct err *err);
void processor_close_buckets(struct processor_buckets *b);
/** Print what status tells on standard output. @return 0 or E_*. */
MUST_CHECK int processor_print_status(const struct processor_args *a,
                                      const struct processor_setup *setup,
                                      const struct processor_buckets *buckets, struct err *err);

/* The folders that options name, and what is behind them. */
enum { PROCESSOR_MAX_PLACES = 8 };
struct processor_places {
    struct store *stores[PROCESSOR_MAX_PLACES];
    char *dirs[PROCESSOR_MAX_PLACES];
    size_t n;
};
/** Set out to where location is, reached as the own buckets are; option: for messages.
 * @return 0, E_ARG or E_NOMEM. */
MUST_CHECK int processor_place(struct processor_places *places, struct place *out,
                               const struct processor_setup *s, const struct processor_args *a,
                               const char *option, const char *location, struct err *err);
void processor_places_close(struct processor_places *places);
/** For --dry-run: say that the folder would be replaced. what: "submission_date=..", or "". */
void processor_would_replace(const struct place *place, const char *what);
/** Both places are different ones. @return 0 or E_ARG naming the options. */
MUST_CHECK int processor_apart(const struct place *a, const char *option_a, const struct place *b,
                               const char *option_b, struct err *err);

/** output, which is replaced, neither holds the batch_id= folders of input nor lies in one.
 * @return 0 or E_ARG. */
MUST_CHECK int processor_outside(const struct place *input, const struct place *output,
                                 struct err *err);

/** What makes clients' shares. @return 0, or E_FORMAT naming a key. */
MUST_CHECK int processor_shares(struct share_options *out, const struct processor_setup *s,
                                const struct processor_args *a, struct err *err);
enum { PROCESSOR_PATH_BYTES = 4096 };
/** A shipped configuration file, where none was given. @return given, or out with the first place
 * that has it; where none has, the one of the installation. */
const char *processor_config_file(char out[PROCESSOR_PATH_BYTES], const char *given,
                                  const char *name);
/** Read --data-config; without it, the shipped test-small.json. @return as data_config_read. */
MUST_CHECK int processor_read_config(struct data_config *out, const struct processor_args *a,
                                     struct err *err);

/** Write text to a file that appears whole, making its folder; "-" is standard output. @return 0 or
 * E_*. */
MUST_CHECK int processor_write_file(const char *path, const struct buf *text, struct err *err);
/** --date is a day. @return 0 or E_ARG. */
MUST_CHECK int processor_check_date(const char *date, struct err *err);

/** Both servers' ingest buckets, from A's point of view; of --only, one. @return 0 or E_ARG. */
MUST_CHECK int processor_ingest_open(struct ingest *ingest, const struct processor_setup *s,
                                     const struct processor_args *a, struct err *err);
void processor_ingest_close(struct ingest *ingest);

struct warehouse;
/** @return 0 or E_* as warehouse_open. */
MUST_CHECK int processor_open_warehouse(struct warehouse **out, const struct processor_setup *s,
                                        const struct processor_args *a, const char *url,
                                        bool read_only, struct err *err);
