/* forge.h - pairs of share lines, honest and of every kind of cheat. */
#pragma once

#include "base/buf.h"
#include "cheats.h"
#include "codec/base64.h"
#include "weir/prio.h"

/* Encoders for the right and, once they are needed, for the wrong batch, size or keys. */
enum forge_target { FOR_RIGHT, FOR_WRONG_BATCH, FOR_WRONG_N, FOR_WRONG_KEY, FORGE_TARGETS };

struct forge_encoder {
    struct prio_batch *batch;
    struct prio_client *client;
    struct prio_encoder *encoder;
};

struct forge_options {
    const char *batch_id;
    size_t n_data;
    enum prio_prg prg;
    uint8_t key_a[PRIO_KEY_BYTES], key_b[PRIO_KEY_BYTES];
    uint64_t seed;
};

struct forge {
    struct forge_options options;
    struct forge_encoder encoders[FORGE_TARGETS];
    struct base64_ops base64;
    struct dice dice;
    uint8_t *values;                // [n_data + 1]
    struct buf payloads[N_SERVERS]; // base64 of the shares made last
    struct buf lines[N_SERVERS];    // what goes into the files; empty: nothing
};

MUST_CHECK int forge_init(struct forge *f, const struct forge_options *options, struct err *err);
void forge_deinit(struct forge *f);

/**
 * Make the lines of one record. bits: [n_data]. id: JSON text, NULL: a new one. Kinds replay and
 * none encode bits as they are.
 */
MUST_CHECK int forge_record(struct forge *f, enum cheat_kind kind, const uint8_t *bits,
                            const char *id, struct err *err);
/** The lines of a record with given payloads under a new id. */
MUST_CHECK int forge_copy(struct forge *f, struct span payload_a, struct span payload_b,
                          struct err *err);
