/*
 * locale.h - which add-ons the clients of each locale have, as noisy shares. Source: taar-etl.md
 * section 6, H3, H11, Y4, Y13.
 *
 * Each client counts at most m times in the counts of its locale, so noise of scale m / epsilon
 * makes them epsilon-differentially private for a client that comes or goes. Not protected: which
 * locales there are, unless limits name them; and epsilon is spent anew by every run.
 */
#pragma once

#include "taar/noise.h"
#include "taar/telemetry.h"
#include "taar/whitelist.h"

/* How often a client may count. */
struct locale_limits {
    // of these locales only, sorted by the option's order; n 0: `all` is everyone's
    struct locale_limit {
        char *locale;
        uint64_t limit;
    } * list;
    size_t n;
    uint64_t all; // here as in the list, 0: as often as it likes
};
enum { LOCALE_LIMIT_MAX = 1000000 };
void locale_limits_deinit(struct locale_limits *l); // zeroed is fine
/** "1", or "en-US=1,de=3". @return 0, or E_ARG naming what cannot be read. */
MUST_CHECK int locale_limits_read(struct locale_limits *l, const char *text, struct err *err);
/** @return false: this locale is not counted. */
bool locale_limits_find(const struct locale_limits *l, struct span locale, uint64_t *limit);
/** Is there one without a limit? Then no noise makes it private. */
bool locale_limits_are_open(const struct locale_limits *l);

/* Shape: 8 bytes a locale and add-on of the whitelist. */
struct locale_counts {
    const struct whitelist *whitelist; // borrowed
    struct locale_row {
        char *name;
        double *counts; // by the add-on's place on the whitelist
    } * rows;           // sorted by the names' bytes, once locale_count is through
    size_t n, room;
    struct guids names; // of the rows, in the order in which they came
};
void locale_counts_deinit(struct locale_counts *c); // zeroed is fine

struct locale_config {
    const struct locale_limits *limits;
    bool first;    // a client's first add-ons count, else random ones
    uint64_t seed; // of these: they are chosen by a hash of seed, client and add-on
};
/** The columns that are needed, for telemetry_open. */
extern const char *const locale_needed[];
/** Count the latest row of each client in the source. @return 0; E_ABSENT: no client has an
 * add-on; E_FORMAT: the whitelist is empty; or E_*. */
MUST_CHECK int locale_count(struct locale_counts *c, struct telemetry *t,
                            const struct locale_config *config, struct err *err);
/** The same of a relation of telemetry.h. */
MUST_CHECK int locale_count_relation(struct locale_counts *c, struct warehouse *w,
                                     const char *relation, const struct locale_config *config,
                                     struct err *err);

/* locale_counts.c */
/** A row of the locale, with zeros where it is new. @return 0, or E_NOMEM. */
MUST_CHECK int locale_counts_row(struct locale_counts *c, struct span locale, double **counts,
                                 struct err *err);
void locale_counts_sort(struct locale_counts *c);
/** Add noise of scale m / epsilon to every count, in the order of rows and whitelist. @return 0;
 * E_ARG: a limit is 0, or a scale out of range; or E_CRYPTO. */
MUST_CHECK int locale_counts_add_noise(struct locale_counts *c, const struct locale_limits *limits,
                                       double epsilon, struct noise *noise, struct err *err);
/** Append {"de": {"guid": 2, ..}, ..}. */
MUST_CHECK int locale_counts_json(struct buf *out, const struct locale_counts *c, struct err *err);

/* locale_rank.c */
/** Append {"de": [["guid", 0.5], ..], ..}, the n_addons heaviest of each locale, of equal ones the
 * later on the whitelist first. Weights of a locale whose counts are all equal are 0. */
MUST_CHECK int locale_top_json(struct buf *out, const struct locale_counts *c, size_t n_addons,
                               struct err *err);
