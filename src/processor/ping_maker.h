/* ping_maker.h - test pings, each a function of seed and number. For generate_pings.c. */
#pragma once

#include "processor/generate_pings.h"

/* What all workers share. */
struct ping_plan {
    const struct generate_pings_options *options;
    struct share_batch *batches; // by the config's entries
    size_t *group;               // of each entry: the first entry of its metric
    size_t *metrics;             // the first entries
    size_t n_metrics;
};
/** The options are checked already. *plan is to be deinited in any case. */
MUST_CHECK int ping_plan_init(struct ping_plan *plan, const struct generate_pings_options *options,
                              struct err *err);
void ping_plan_deinit(struct ping_plan *plan);

/* A batch's part of the truth. */
struct ping_sums {
    uint64_t *sums; // [n_data]
    uint64_t n_records;
};

struct ping_maker; // one a thread
MUST_CHECK int ping_maker_new(struct ping_maker **out, const struct ping_plan *plan,
                              struct err *err);
void ping_maker_free(struct ping_maker *m); // NULL is fine
DEFINE_FREEP(struct ping_maker, ping_maker_free)
/** Append ping `number` as a Pub/Sub line to out. count: add it to the maker's sums. */
MUST_CHECK int ping_maker_line(struct ping_maker *m, struct buf *out, uint64_t number, bool count,
                               struct err *err);
/** Of batch entry i, so far. */
const struct ping_sums *ping_maker_sums(const struct ping_maker *m, size_t i);
