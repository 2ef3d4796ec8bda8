/* SPDX-License-Identifier: MPL-2.0 */
#include "truth.h"

#include <inttypes.h>
#include <string.h>

static const char *const STAGES[N_STAGES] = {"verify1", "verify2", "aggregate"};
static const char SERVERS[N_SERVERS] = {'A', 'B'};
/* prio-v1.md 16.3, spelled out once more on purpose: a truth should not ask the accused. */
static const char *const REASONS[] = {
    "bad-json",     "no-id",  "bad-base64",       "too-long",         "decrypt",    "parse",
    "duplicate-id", "replay", "missing-internal", "missing-external", "bad-packet", "invalid"};

static int write_lines(struct buf *out, const struct truth *t, size_t server, struct err *err)
{
    uint64_t n = t->n_honest;
    for (size_t k = 0; k < CHEAT_KINDS; k++)
        n += CHEATS[k].absent[server] ? 0 : t->cheats[k];
    return buf_printf(out, err, "lines %c %" PRIu64 "\n", SERVERS[server], n);
}

/* Records that are rejected for a reason, or for any where reason is NULL. */
static uint64_t count(const struct truth *t, size_t server, size_t stage, const char *reason)
{
    uint64_t n = 0;
    for (size_t k = 0; k < CHEAT_KINDS; k++) {
        const char *why = CHEATS[k].reason[server][stage];
        if (why && (!reason || strcmp(why, reason) == 0))
            n += t->cheats[k];
    }
    return n;
}

static int write_stage(struct buf *out, const struct truth *t, size_t server, size_t stage,
                       struct err *err)
{
    int r = buf_printf(out, err, "error %s %c %" PRIu64 "\n", STAGES[stage], SERVERS[server],
                       count(t, server, stage, NULL));
    for (size_t i = 0; r == 0 && i < ARRAY_LEN(REASONS); i++) {
        const uint64_t n = count(t, server, stage, REASONS[i]);
        if (n > 0)
            r = buf_printf(out, err, "reject %s %c %s %" PRIu64 "\n", STAGES[stage],
                           SERVERS[server], REASONS[i], n);
    }
    return r;
}

static int write_totals(struct buf *out, const struct truth *t, struct err *err)
{
    int r = buf_append_str(out, "totals [", err);
    for (size_t i = 0; r == 0 && i < t->n_data; i++)
        r = buf_printf(out, err, "%s%" PRIu64, i > 0 ? ", " : "", t->totals[i]);
    return r < 0 ? r : buf_append_str(out, "]\n", err);
}

int truth_write(struct buf *out, const struct truth *truth, struct err *err)
{
    int r = buf_printf(out, err, "honest %" PRIu64 "\n", truth->n_honest);
    for (size_t k = 0; r == 0 && k < CHEAT_KINDS; k++)
        if (truth->cheats[k] > 0)
            r = buf_printf(out, err, "cheat %s %" PRIu64 "\n", CHEATS[k].name, truth->cheats[k]);
    for (size_t s = 0; r == 0 && s < N_SERVERS; s++)
        r = write_lines(out, truth, s, err);
    for (size_t stage = 0; stage < N_STAGES; stage++)
        for (size_t s = 0; r == 0 && s < N_SERVERS; s++)
            r = write_stage(out, truth, s, stage, err);
    return r < 0 ? r : write_totals(out, truth, err);
}
