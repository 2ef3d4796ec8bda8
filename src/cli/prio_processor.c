/* SPDX-License-Identifier: MPL-2.0 */
/* The prio-processor program: its commands, its other names, and nothing else. */
#include "cli/processor.h"
#include "cli/version.h"
#include "processor/fetch_origins.h"

#define RUN         processor_run_options
#define GROUPS(...) ((const struct opt *const[]){__VA_ARGS__, RUN, NULL})
#define STAGE_GROUPS(...)                                                                          \
    GROUPS(processor_data_options, processor_server_options, __VA_ARGS__,                          \
           processor_output_options, processor_points_options, processor_prg_options,              \
           processor_dry_run_options, processor_access_options, processor_google_options)
#define ARGS .defaults = &processor_defaults, .args_size = sizeof(struct processor_args)

static const char stage_details[] =
    "Reads every part in the order of names, as one batch. A record that does not come through is "
    "counted in the log and never changes the exit status.";

#define VERIFY1                                                                                    \
    {                                                                                              \
        .name = "verify1",                                                                         \
        .summary = "One directory: open shares and write the first message about each",            \
        .details = stage_details, .groups = STAGE_GROUPS(processor_input_options), ARGS,           \
        .run = cmd_verify1                                                                         \
    }
#define VERIFY2                                                                                    \
    {                                                                                              \
        .name = "verify2",                                                                         \
        .summary = "One directory: combine both first messages into the second",                   \
        .details = stage_details,                                                                  \
        .groups = STAGE_GROUPS(processor_input_options, processor_pair_options), ARGS,             \
        .run = cmd_verify2                                                                         \
    }
#define AGGREGATE                                                                                  \
    {                                                                                              \
        .name = "aggregate",                                                                       \
        .summary = "One directory: add up the shares that both second messages prove",             \
        .details = stage_details,                                                                  \
        .groups = STAGE_GROUPS(processor_input_options, processor_pair_options), ARGS,             \
        .run = cmd_aggregate                                                                       \
    }
#define PUBLISH                                                                                    \
    {                                                                                              \
        .name = "publish", .summary = "One directory: combine both total shares into the totals",  \
        .details = "Refuses when the two servers summed different numbers of records.",            \
        .groups = STAGE_GROUPS(processor_pair_options), ARGS, .run = cmd_publish                   \
    }
#define ENCODE_SHARES                                                                              \
    {                                                                                              \
        .name = "encode-shares",                                                                   \
        .summary = "Client: turn directories of plain values into sealed shares for A and B",      \
        .details =                                                                                 \
            "A row that is not exactly --n-data entries of 0 or 1 comes out with an id and "       \
            "no payload.",                                                                         \
        .groups = GROUPS(processor_data_options, processor_client_options, processor_rows_options, \
                         processor_prg_options, processor_dry_run_options,                         \
                         processor_access_options, processor_google_options),                      \
        ARGS, .run = cmd_encode_shares                                                             \
    }

#define PLACES processor_access_options, processor_google_options
#define GENERATE_INTEGRATION                                                                       \
    {                                                                                              \
        .name = "generate-integration",                                                            \
        .summary = "Make shares of known vectors, for tests of the whole",                         \
        .details = "Of each batch --n-rows - 1 good rows and one bad one; and a batch that is in " \
                   "no configuration, bad-id. Bit i is 1 where 3 or 5 divides i.",                 \
        .groups = GROUPS(processor_client_options, processor_small_config_options,                 \
                         processor_integration_options, processor_output_options,                  \
                         processor_prg_options, processor_dry_run_options, PLACES),                \
        ARGS, .run = cmd_generate_integration                                                      \
    }

static const struct opt_command spark_commands[] = {
    VERIFY1,
    VERIFY2,
    AGGREGATE,
    PUBLISH,
    ENCODE_SHARES,
    GENERATE_INTEGRATION,
    {.name = "generate",
     .summary = "Make shares of random vectors, for measuring",
     .groups =
         GROUPS(processor_data_options, processor_client_options, processor_random_options,
                processor_output_options, processor_prg_options, processor_dry_run_options, PLACES),
     ARGS,
     .run = cmd_generate_random},
    {.name = NULL},
};

#define OWN_BUCKETS processor_buckets_options, PLACES

static const struct processor_args generate_defaults = {
    .bucket_prefix = "data/v1", .n_rows = 100, .n_partitions = 2, .n_drop_batch = 1};
static const struct processor_args origins_defaults = {.url = FETCH_ORIGINS_URL, .output = "-"};

static const struct processor_args integrate_defaults = {.n_rows = 100, .pause = 2};

static const struct opt_command commands[] = {
    {.name = "process",
     .summary = "Server: verify1, verify2, aggregate and publish, in step with the partner",
     .details = "Waits for data, then for the partner's answers; may be stopped at any moment and "
                "started again. Clears what the run leaves behind, but for what is published.",
     .groups = GROUPS(processor_path_options, processor_config_options, processor_server_options,
                      processor_prg_options, processor_points_options, processor_process_options,
                      processor_dry_run_options, processor_buckets_options,
                      processor_mailbox_options, PLACES, processor_external_options),
     ARGS,
     .run = cmd_process},
    {.name = "validate",
     .summary = "Would process get through? Check keys, files and the rights on every bucket",
     .details = "Prints a line for each check; exit status 1 where one fails.",
     .groups = GROUPS(processor_path_options, processor_config_options, processor_server_options,
                      processor_prg_options, processor_points_options, processor_process_options,
                      processor_validate_options, processor_buckets_options,
                      processor_mailbox_options, PLACES, processor_external_options),
     ARGS,
     .run = cmd_validate},
    {.name = "status",
     .summary = "Show which stage stands where on both sides, and what is waited for",
     .groups = GROUPS(processor_path_options, processor_parties_options, processor_status_options,
                      OWN_BUCKETS, processor_external_options),
     ARGS,
     .run = cmd_status},
    {.name = "cleanup",
     .summary = "Empty the own buckets, results included",
     .details = "For tests and for the end of a deployment: `process` removes what a run leaves "
                "behind by itself. Refuses where a bucket holds the partner's objects, too. Never "
                "touches the partner's bucket.",
     .groups = GROUPS(processor_cleanup_options, processor_dry_run_options, OWN_BUCKETS),
     ARGS,
     .run = cmd_cleanup},
    {.name = "staging",
     .summary = "Turn a day's pings into share records for both servers",
     .groups = GROUPS(processor_staging_options, processor_warehouse_options,
                      processor_dry_run_options, processor_access_options),
     ARGS,
     .run = cmd_staging},
    {.name = "transfer",
     .summary = "Copy a staged day into the servers' ingest buckets",
     .groups =
         GROUPS(processor_transfer_options, processor_parties_options, processor_ingest_options,
                processor_dry_run_options, PLACES, processor_external_options),
     ARGS,
     .run = cmd_transfer},
    {.name = "generate",
     .summary = "Put shares of known vectors into the servers' ingest buckets",
     .details = "From A's point of view: internal is A, external is B. What else lies at the two "
                "destinations is deleted.",
     .groups =
         GROUPS(processor_path_options, processor_config_options, processor_client_options,
                processor_integration_options, processor_prg_options, processor_ingest_options,
                processor_dry_run_options, PLACES, processor_external_options),
     .defaults = &generate_defaults,
     .args_size = sizeof(struct processor_args),
     .run = cmd_generate},
    GENERATE_INTEGRATION,
    {.name = "generate-pings",
     .summary = "Make raw pings of test clients, as ingestion would have stored them",
     .groups =
         GROUPS(processor_pings_options, processor_small_config_options, processor_client_options,
                processor_prg_options, processor_dry_run_options, PLACES),
     ARGS,
     .run = cmd_generate_pings},
    ENCODE_SHARES,
    VERIFY1,
    VERIFY2,
    AGGREGATE,
    PUBLISH,
    {.name = "index",
     .summary = "Turn published sums into a row for each origin",
     .groups = GROUPS(processor_index_options, processor_dry_run_options, PLACES),
     ARGS,
     .run = cmd_index},
    {.name = "insert",
     .summary = "Load a day's published sums into a table",
     .groups = GROUPS(processor_path_options, processor_config_options, processor_insert_options,
                      processor_warehouse_options, processor_dry_run_options, PLACES),
     ARGS,
     .run = cmd_insert},
    {.name = "dump",
     .summary = "Show the rows of the table",
     .groups =
         GROUPS(processor_dump_options, processor_warehouse_options, processor_google_options),
     ARGS,
     .run = cmd_dump},
    {.name = "fetch-origins",
     .summary = "Make the origin configuration from the browser's source list",
     .groups = GROUPS(processor_origins_options, processor_dry_run_options),
     .defaults = &origins_defaults,
     .args_size = sizeof(struct processor_args),
     .run = cmd_fetch_origins},
    {.name = "integrate",
     .summary = "Try the whole on this machine: keys, data, both servers, a table",
     .details = "Plays admin, A and B below --home, today in UTC. Keys that are there are used "
                "again; logs are in logs/.",
     .groups = GROUPS(processor_integrate_options, processor_prg_options, processor_points_options,
                      processor_dry_run_options),
     .defaults = &integrate_defaults,
     .args_size = sizeof(struct processor_args),
     .run = cmd_integrate},
    {.name = NULL},
};

static const char epilog[] =
    "Every variable has a flag, and a flag wins. Secrets are best given by environment or file "
    "(PRIVATE_KEY_HEX_FILE, --private-key-hex-file ..). Without endpoints and URLs, buckets are "
    "directories of this machine.";

static const struct opt_program spark_program = {
    .name = "prio-spark",
    .summary = "The stages of prio-processor, a directory at a time.",
    .version = WEIR_VERSION,
    .commands = spark_commands,
    .epilog = epilog,
};

/* Old job definitions call these; build/bin and libexec/weir/bin hold links of their names. */
static const struct opt_alias aliases[] = {
    {.name = "prio-spark", .program = &spark_program},
    {.name = "process", .command = "process"},
    {.name = "generate", .command = "generate"},
    {.name = "cleanup", .command = "cleanup"},
    {.name = "insert", .command = "insert"},
    {.name = "fetch-origins", .command = "fetch-origins"},
    {.name = "staging", .command = "staging"},
    {.name = "integrate", .command = "integrate"},
    {.name = NULL},
};

int main(int argc, char **argv)
{
    static const struct opt_program program = {
        .name = "prio-processor",
        .summary =
            "The two-server Prio pipeline over buckets: stage what clients sent, process it with a "
            "partner whom one meets only in storage, publish sums, load them into a table.",
        .version = WEIR_VERSION,
        .commands = commands,
        .epilog = epilog,
        .aliases = aliases,
    };
    return opts_main(&program, argc, argv);
}
