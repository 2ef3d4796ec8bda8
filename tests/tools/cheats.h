/* cheats.h - what a hostile or broken client may send, what becomes of it, and in which order it
 * arrives. */
#pragma once

#include "base/err.h"
#include "crowd.h"

#include <stdbool.h>

enum cheat_kind {
    CHEAT_BIT2,
    CHEAT_PROOF,
    CHEAT_MISMATCH,
    CHEAT_REPLAY,
    CHEAT_DUPLICATE_ID,
    CHEAT_TRUNCATED,
    CHEAT_TRUNCATED_A,
    CHEAT_TRUNCATED_B,
    CHEAT_WRONG_BATCH,
    CHEAT_WRONG_N,
    CHEAT_WRONG_KEY,
    CHEAT_SWAPPED,
    CHEAT_GARBAGE,
    CHEAT_BAD_BASE64,
    CHEAT_NO_ID,
    CHEAT_BAD_JSON,
    CHEAT_TOO_LONG,
    CHEAT_LOST_A,
    CHEAT_LOST_B,
    CHEAT_KINDS,
    CHEAT_NONE = CHEAT_KINDS, // an honest client
};

enum { N_SERVERS = 2, N_STAGES = 3 }; // A, B; verify1, verify2, aggregate

/* A kind and, for each server and stage, the reason it must be rejected for; NULL: the record comes
 * through that stage. */
struct cheat {
    const char *name, *help;
    bool absent[N_SERVERS]; // that server's share file has no line for it
    const char *reason[N_SERVERS][N_STAGES];
};
extern const struct cheat CHEATS[CHEAT_KINDS];

/**
 * Read "bit2=10,proof=.01,all=1": a whole number counts records, one with a point is a part of
 * n_honest, at least one record.
 * @return 0 or E_ARG naming the word.
 */
MUST_CHECK int cheats_parse(uint64_t counts[CHEAT_KINDS], const char *text, uint64_t n_honest,
                            struct err *err);

struct slot {
    enum cheat_kind kind;
    uint64_t victim; // honest client, counted from 0, whose record a replay or a duplicate id takes
};

struct plan {
    struct slot *slots;
    size_t n_slots;
};

/**
 * Honest clients in their order, cheaters anywhere between them; a victim stands before the slot
 * that needs it. @return 0, E_NOMEM, or E_ARG where there is no victim.
 */
MUST_CHECK int plan_make(struct plan *plan, uint64_t n_honest, const uint64_t counts[CHEAT_KINDS],
                         uint64_t seed, struct err *err);
void plan_deinit(struct plan *plan);
