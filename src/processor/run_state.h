/*
 * run_state.h - own/state/run.json: what this server has answered, so that it never answers
 * otherwise (prio-processor.md D4, D5, D7). Digests only; `process` never deletes it.
 */
#pragma once

#include "processor/data_config.h"
#include "processor/hash.h"
#include "store/store.h"
#include "weir/prio.h"

#include <stdbool.h>

enum run_stage { RUN_VERIFY1, RUN_VERIFY2, RUN_AGGREGATE, RUN_STAGES };
/** "verify1", "verify2", "aggregate" */
const char *run_stage_name(enum run_stage stage);

enum run_phase {
    RUN_BEGUN,
    RUN_RESTARTING, // new raw data took the place of old ones: what is left of them goes first
    RUN_PUBLISHED,  // publish/_SUCCESS is about to be written or is there
    RUN_CLEANED,
};

struct maybe_hash {
    bool set;
    struct hash hash;
};

struct run_state {
    enum run_phase phase;
    /* What decides the answers. */
    enum prio_role role;
    enum prio_prg prg;
    enum prio_points points;
    struct hash private_key, shared_secret; // of the secrets, under a tag of their own
    struct hash config;                     // batch ids and n_data, in any order
    const struct data_config *batches;      // borrowed, for the readers of run.json; NULL when read
    struct maybe_hash raw;                  // share files in order, once verify1 has read them
    /* answer: of the stage's objects, recorded before the first of them leaves.
     * consumed: of the partner's stage that verify2, aggregate or publish answered, by that stage.
     */
    struct maybe_hash answer[RUN_STAGES], consumed[RUN_STAGES];
    bool mirrored[RUN_STAGES];
    /* What lay in the mailbox when new raw data took the place of a run's, and was that run's: a
     * stage that still looks like that counts as absent (D7). */
    struct maybe_hash stale[RUN_STAGES];
};

/** The parts that follow from options; all else unset. @return 0 or E_*. */
MUST_CHECK int run_state_init(struct run_state *state, enum prio_role role, enum prio_prg prg,
                              enum prio_points points, const uint8_t private_key[PRIO_KEY_BYTES],
                              const uint8_t secret[PRIO_SECRET_BYTES],
                              const struct data_config *config, struct err *err);
/** Names the first thing that differs between what two runs would answer; NULL: nothing. */
const char *run_state_difference(const struct run_state *a, const struct run_state *b);
/** Has anything been recorded that may have left? */
bool run_state_answered(const struct run_state *state);

MUST_CHECK int run_state_write(const struct run_state *state, struct store *store, const char *key,
                               struct err *err);
/** @return 0, E_ABSENT, E_FORMAT (damaged, or of another version), or E_*. */
MUST_CHECK int run_state_read(struct run_state *state, struct store *store, const char *key,
                              struct err *err);
