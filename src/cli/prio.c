/* SPDX-License-Identifier: MPL-2.0 */
/* The prio program: its commands, their options, and nothing else. */
#include "cli/prio.h"

#include "base/pool.h"
#include "cli/version.h"

#define ARGS struct prio_args

static const char *const roles[] = {"A", "B", NULL};
static const char *const points[] = {"first", "sequential", NULL};
static const char *const prgs[] = {"hashed", "legacy", NULL};
static const char *const log_formats[] = {"text", "json", NULL};

static const struct opt data_options[] = {
    OPT_STRING_REQUIRED("batch-id", ARGS, batch_id, "BATCH_ID", "TEXT",
                        "Name of the batch, bound into every share."),
    OPT_UINT_REQUIRED("n-data", ARGS, n_data, "N_DATA", 1, PRIO_MAX_DATA,
                      "Bits of a submission, also where --prec makes integers of them."),
    OPT_END,
};

static const struct opt server_options[] = {
    OPT_CHOICE_REQUIRED("server-id", ARGS, server_id, "SERVER_ID", roles, "The own role."),
    OPT_SECRET_REQUIRED("private-key-hex", ARGS, private_key, "PRIVATE_KEY_HEX", "HEX",
                        "The own private key, 64 hex digits."),
    OPT_SECRET_REQUIRED("shared-secret", ARGS, shared_secret, "SHARED_SECRET", "BASE64",
                        "The secret that both servers share, base64 of 16 bytes."),
    OPT_STRING_REQUIRED("public-key-hex-internal", ARGS, key_internal, "PUBLIC_KEY_HEX_INTERNAL",
                        "HEX", "The own public key, 64 hex digits."),
    OPT_STRING_REQUIRED("public-key-hex-external", ARGS, key_external, "PUBLIC_KEY_HEX_EXTERNAL",
                        "HEX", "The peer's public key, 64 hex digits."),
    OPT_END,
};

static const struct opt client_options[] = {
    OPT_STRING_REQUIRED("public-key-hex-internal", ARGS, key_internal, "PUBLIC_KEY_HEX_INTERNAL",
                        "HEX", "Public key of server A, 64 hex digits."),
    OPT_STRING_REQUIRED("public-key-hex-external", ARGS, key_external, "PUBLIC_KEY_HEX_EXTERNAL",
                        "HEX", "Public key of server B, 64 hex digits."),
    OPT_END,
};

static const struct opt points_options[] = {
    OPT_CHOICE("points", ARGS, points, "PRIO_POINTS", points,
               "Evaluation points. `sequential` where the peer runs the original's file commands "
               "on the same files in the same order; `first` everywhere else. Both servers must "
               "use the same."),
    OPT_END,
};

static const struct opt check_options[] = {
    OPT_FLAG("strict", 0, ARGS, strict, "PRIO_STRICT",
             "Fail at the first line that is not a JSON object."),
    OPT_STRING("rejects", ARGS, rejects, "PRIO_REJECTS", "FILE",
               "Write line, id and reason of each record that does not come through, as NDJSON."),
    OPT_END,
};

static const struct opt prg_options[] = {
    OPT_CHOICE("prg", ARGS, prg, "PRIO_PRG", prgs,
               "How clients and servers expand seeds. `legacy` for Firefox data and everything "
               "made before July 2020."),
    OPT_END,
};

static const struct opt prec_options[] = {
    OPT_UINT("prec", ARGS, prec, "PRIO_PREC", 1, PRIO_MAX_PRECISION,
             "Bits of an integer: a submission is --n-data / N integers instead of bits."),
    OPT_END,
};

static const struct opt worker_options[] = {
    OPT_UINT("workers", ARGS, workers, "WEIR_WORKERS", 1, POOL_MAX_WORKERS,
             "Worker threads; the default is one a core. Results do not depend on it."),
    OPT_END,
};

static const struct opt common_options[] = {
    OPT_STRING("cpu", ARGS, cpu, "WEIR_CPU", "LEVEL",
               "SIMD level to use: c, avx2, avx512. The default is what is fastest on this CPU."),
    OPT_FLAG("verbose", 'v', ARGS, verbose, "PRIO_VERBOSE",
             "Say on standard error how many records were rejected for which reason."),
    OPT_CHOICE("log-format", ARGS, log_format, "WEIR_LOG_FORMAT", log_formats,
               "Messages as text, or as one JSON object a line."),
    OPT_END,
};

static const struct opt rows_options[] = {
    OPT_STRING_REQUIRED("input", ARGS, input, "INPUT", "FILE",
                        "{\"payload\": [0,1,..]} or [0,1,..] a line. '-' is standard input."),
    OPT_STRING_REQUIRED("output-A", ARGS, output_a, "OUTPUT_A", "DIR", "Where A's shares go."),
    OPT_STRING_REQUIRED("output-B", ARGS, output_b, "OUTPUT_B", "DIR", "Where B's shares go."),
    OPT_END,
};

static const struct opt shares_options[] = {
    OPT_STRING_REQUIRED("input", ARGS, input, "INPUT", "FILE",
                        "The share file, gzip or not. '-' is standard input."),
    OPT_END,
};

static const struct opt pair_options[] = {
    OPT_STRING_REQUIRED("input-internal", ARGS, input_internal, "INPUT_INTERNAL", "FILE",
                        "The own result of the step before."),
    OPT_STRING_REQUIRED("input-external", ARGS, input_external, "INPUT_EXTERNAL", "FILE",
                        "The peer's result of the step before."),
    OPT_END,
};

static const struct opt output_options[] = {
    OPT_STRING_REQUIRED("output", ARGS, output, "OUTPUT", "DIR",
                        "Directory of the result, created where missing; the file is named after "
                        "the input. '-' is standard output."),
    OPT_END,
};

static const struct opt publish_options[] = {
    OPT_STRING("now", ARGS, now, "WEIR_NOW", "TIME",
               "Timestamp of the result (2026-08-20T04:30:00Z) instead of the clock's."),
    OPT_END,
};

static const struct opt inspect_options[] = {
    {.name = "private-key-hex",
     .kind = OPT_KIND_SECRET,
     .offset = offsetof(ARGS, private_key),
     .env = "PRIVATE_KEY_HEX",
     .metavar = "HEX",
     .help = "Open shares with this private key and describe the packets in them."},
    OPT_STRING("batch-id", ARGS, batch_id, "BATCH_ID", "TEXT",
               "Say which opened packets belong to another batch."),
    OPT_FLAG("reveal", 0, ARGS, reveal, NULL,
             "Print secret values too: shares, seeds, triples, plain values, sums."),
    OPT_END,
};

#define GROUPS(...) ((const struct opt *const[]){__VA_ARGS__, common_options, NULL})

static const char check_details[] =
    "A record that does not come through is counted and never changes the exit status.";

static const struct opt_command commands[] = {
    {.name = "shared-seed",
     .summary = "Make a secret for a pair of servers",
     .details = "Prints {\"shared_seed\": base64}. Both servers keep it; nobody else may have it.",
     .run = cmd_shared_seed},
    {.name = "keygen",
     .summary = "Make a key pair for a server",
     .details = "Prints {\"private_key\": HEX, \"public_key\": HEX}.",
     .run = cmd_keygen},
    {.name = "encode-shares",
     .summary = "Client: turn plain values into sealed shares for A and B",
     .details =
         "Ends at the first row that is not exactly --n-data entries of 0 or 1 (with --prec, "
         "--n-data / N integers), and then writes no file.",
     .groups = GROUPS(data_options, client_options, rows_options, prec_options, prg_options,
                      worker_options),
     .args_size = sizeof(ARGS),
     .run = cmd_encode_shares},
    {.name = "verify1",
     .summary = "Server: open shares and write the first message about each",
     .details = check_details,
     .groups = GROUPS(data_options, server_options, shares_options, output_options, points_options,
                      check_options, prg_options, worker_options),
     .args_size = sizeof(ARGS),
     .run = cmd_verify1},
    {.name = "verify2",
     .summary = "Server: combine both first messages into the second",
     .details = check_details,
     .groups = GROUPS(data_options, server_options, shares_options, pair_options, output_options,
                      points_options, check_options, prg_options, worker_options),
     .args_size = sizeof(ARGS),
     .run = cmd_verify2},
    {.name = "aggregate",
     .summary = "Server: add up the shares that both second messages prove",
     .details = check_details,
     .groups = GROUPS(data_options, server_options, shares_options, pair_options, output_options,
                      points_options, check_options, prg_options, worker_options),
     .args_size = sizeof(ARGS),
     .run = cmd_aggregate},
    {.name = "publish",
     .summary = "Server: combine both total shares into the totals",
     .details = "Refuses when the two servers summed different numbers of records.",
     .groups = GROUPS(data_options, server_options, pair_options, output_options, prec_options,
                      prg_options, points_options, publish_options, worker_options),
     .args_size = sizeof(ARGS),
     .run = cmd_publish},
    {.name = "inspect",
     .summary = "Describe the records of a file of the pipeline",
     .details = "Tells shares, verify1 and verify2 messages, aggregates and results apart by their "
                "structure. '-' is standard input.",
     .positionals = (const struct opt_positional[]){{"FILE", .offset = offsetof(ARGS, file)}, {0}},
     .groups = GROUPS(inspect_options),
     .args_size = sizeof(ARGS),
     .run = cmd_inspect},
    {.name = NULL},
};

int main(int argc, char **argv)
{
    static const struct opt_program program = {
        .name = "prio",
        .summary = "Prio v1 on files: sums over clients' bits, computed by two servers of which "
                   "neither sees a single one. Compatible with libprio and its file pipeline.",
        .version = WEIR_VERSION,
        .commands = commands,
        .epilog = "Secrets are best given by environment (PRIVATE_KEY_HEX, SHARED_SECRET) or file "
                  "(--private-key-hex-file, --shared-secret-file).",
    };
    return opts_main(&program, argc, argv);
}
