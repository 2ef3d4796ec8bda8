/* servers.h - A and B as two sets of directories, and the steps of the file pipeline on them. */
#pragma once

#include "program.h"

enum { A = 0, B = 1, SERVERS = 2 };

struct servers {
    const char *program; // prio
    char dir[SCRATCH_BYTES];
    char n_data[16], batch_id[64];
    char public_key[SERVERS][72];
    char private_key[SERVERS][96], secret[64]; // as environment variables
    const char *points, *prg, *workers;
};

/** "keys" of a vector, its shared secret, n_data and batch id; makes the scratch directory. */
void servers_init(struct servers *s, const char *program, const json_t *keys, const char *secret,
                  const json_t *config);
void servers_deinit(struct servers *s);

/** dir/a/verify1/data.ndjson and so on; step "raw": the share file. */
void servers_path(const struct servers *s, char out[PATH_BYTES], int server, const char *step);

/**
 * One step of one server: "verify1", "verify2", "aggregate" or "publish". Asserts exit status 0 and
 * nothing on stderr. Owner of *out: the caller.
 */
void servers_step(const struct servers *s, int server, const char *step, char **out);
/** The same for both servers, and that each prints "E errors out of T total". */
void servers_counted_step(const struct servers *s, const char *step, const size_t errors[SERVERS],
                          const size_t totals[SERVERS]);
/** encode-shares of an input file, into both servers' share files. */
void servers_encode(const struct servers *s, const char *input);
/** Both publish, and what they publish is as it should be around a payload equal to `want`. */
void servers_publish(const struct servers *s, const json_t *want);
