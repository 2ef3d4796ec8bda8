/* prio.h - the inside of the prio program: its arguments, and what its commands share. */
#pragma once

#include "base/opts.h"
#include "base/outfile.h"
#include "base/source.h"
#include "codec/gzip.h"
#include "stage/stage.h"
#include "weir/prio.h"

/* Every command fills the fields that its option groups name; the others stay zero. */
struct prio_args {
    const char *batch_id;
    uint64_t n_data;
    int prg;       // enum prio_prg
    int points;    // enum prio_points
    int server_id; // enum prio_role
    struct opt_secret private_key, shared_secret;
    const char *key_internal, *key_external; // public keys, hex
    const char *input, *input_internal, *input_external;
    const char *output, *output_a, *output_b;
    uint64_t prec;
    const char *rejects;
    bool strict;
    uint64_t workers; // 0: all cores
    const char *cpu;
    bool verbose;
    int log_format; // enum log_format
    const char *now;
    const char *file;
    bool reveal;
};

/* The commands. Each returns an exit status and fills err as opts.h says. */
int cmd_shared_seed(void *args, struct err *err);
int cmd_keygen(void *args, struct err *err);
int cmd_encode_shares(void *args, struct err *err);
int cmd_verify1(void *args, struct err *err);
int cmd_verify2(void *args, struct err *err);
int cmd_aggregate(void *args, struct err *err);
int cmd_publish(void *args, struct err *err);
int cmd_inspect(void *args, struct err *err);

/* prio_setup.c: from arguments to handles */

/* What every command needs first. */
struct setup {
    unsigned cpu;       // cpu_feature bits
    unsigned n_workers; // at least 1
};
/** Start the logger, read --cpu and --workers. @return 0 or E_ARG. */
MUST_CHECK int setup_start(struct setup *s, const struct prio_args *a, struct err *err);
/** @return 0, or E_* naming the option. */
MUST_CHECK int setup_batch(struct prio_batch **out, const struct prio_args *a, struct err *err);
MUST_CHECK int setup_client(struct prio_client **out, const struct prio_batch *batch,
                            const struct prio_args *a, struct err *err);
/** Check all key and secret options, also that the own halves belong together. */
MUST_CHECK int setup_server(struct prio_server **out, const struct prio_batch *batch,
                            const struct prio_args *a, struct err *err);
/** The options of setup_server alone, without the work of a server. */
MUST_CHECK int setup_check_keys(const struct prio_args *a, struct err *err);
/** --prec fits --n-data. @return 0 or E_ARG. */
MUST_CHECK int setup_check_prec(const struct prio_args *a, struct err *err);
/** EXIT_USAGE for E_ARG, else EXIT_FAILED. */
int setup_exit(int code);

DEFINE_FREEP(struct prio_batch, prio_batch_free)
DEFINE_FREEP(struct prio_client, prio_client_free)
DEFINE_FREEP(struct prio_server, prio_server_free)
DEFINE_FREEP(struct prio_sum, prio_sum_free)

/* prio_files.c: files in and out */

/* A file or standard input, gzip or not. */
struct infile {
    struct file_source file;
    struct gunzip *gunzip;
    uint64_t size_bytes; // 0 when unknown
};
#define INFILE_INIT ((struct infile){.file = {.fd = -1}})
MUST_CHECK int infile_open(struct infile *in, const char *path, struct err *err);
struct source infile_source(struct infile *in); // in must outlive it
void infile_close(struct infile *in);
/** All of it, at most out->max bytes. */
MUST_CHECK int infile_read_all(struct infile *in, struct buf *out, struct err *err);

/** At most one of the paths (NULL ends the list) may be "-". @return 0 or E_ARG. */
MUST_CHECK int files_one_stdin(const char *const *paths, struct err *err);
/**
 * Create directory dir and open the file that is named after `input` in it ("-": standard output).
 * inputs (NULL ends the list) are not overwritten: E_ARG.
 */
MUST_CHECK int files_open_output(struct outfile *out, const char *dir, const char *input,
                                 const struct infile *const *inputs, struct err *err);
/** Open the file at path, not "-", for writing; what is no regular file is written in place. */
MUST_CHECK int files_open_path(struct outfile *out, const char *path,
                               const struct infile *const *inputs, struct err *err);
/** Two open outputs are different files. @return 0 or E_ARG. */
MUST_CHECK int files_check_apart(const struct outfile *a, const struct outfile *b, struct err *err);
struct stage_sink files_sink(struct outfile *out); // out must outlive it
