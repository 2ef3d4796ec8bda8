/* lite.h - which add-ons are installed together. Source: taar-etl.md 7.1. */
#pragma once

#include "taar/telemetry.h"
#include "taar/whitelist.h"

/*
 * How often two add-ons stand in one list, by their places on the whitelist. A pair is stored once:
 * n[a][b] is n[b][a]. Shape: 16 bytes a pair that occurs, and room to grow.
 */
struct coinstallation {
    const struct whitelist *whitelist; // borrowed
    struct pair_slot {
        uint64_t key; // smaller place, larger place; PAIR_FREE: none
        uint64_t n;
    } * slots;
    size_t n_slots, n_pairs;
    uint64_t n_lists;   // lists with a pair, where they were seen one by one
    uint64_t n_counted; // ordered pairs
};
void coinstallation_deinit(struct coinstallation *c); // zeroed is fine
/** Add n pairs of positions that hold a and b, in this order or the other. */
MUST_CHECK int coinstallation_add(struct coinstallation *c, size_t a, size_t b, uint64_t n,
                                  struct err *err);

struct lite_config {
    double rate;   // share of the rows that count
    uint64_t seed; // which ones: they are chosen by a hash of seed and client_id
};
/** The columns that are needed, for telemetry_open. */
extern const char *const lite_needed[];
/** Count a source, of whichever backend. @return 0 or E_*. */
MUST_CHECK int lite_count(struct coinstallation *c, struct telemetry *t,
                          const struct lite_config *config, struct err *err);
/** Append {"a": {"b": 2}, ..}, keys in the order of their bytes. */
MUST_CHECK int coinstallation_json(struct buf *out, const struct coinstallation *c,
                                   struct err *err);
