/*
 * metrics.h - numbers of a run as a file in Prometheus' text format, for a node exporter to pick
 * up.
 *
 *   static const struct metric RECORDS = {"weir_records_total", "Share records read.",
 * METRIC_COUNTER}; metrics_open(&m, "/run/weir.prom", &err);            // path NULL: m is NULL,
 * and all below no-ops metrics_add(m, &RECORDS, METRIC_LABELS({"stage", "verify1"}, {"batch", id}),
 * n); metrics_write(m, &err);                              // at stage ends metrics_close(m, &err);
 * // writes once more
 *
 * The file appears whole or not at all (base/outfile.h), and is written every 15 s besides.
 *
 * Thread: any number may add and set; open, write and close belong to one.
 */
#pragma once

#include "base/err.h"

#include <stdint.h>

struct metrics;

struct metric {
    const char *name; // [a-z_]+; a counter's ends in _total
    const char *help; // one line
    enum metric_kind { METRIC_COUNTER, METRIC_GAUGE } kind;
};

struct metric_label {
    const char *name;  // NULL ends a list
    const char *value; // any text
};
#define METRIC_LABELS(...) ((const struct metric_label[]){__VA_ARGS__, {NULL, NULL}})

/* Series of all metrics together; more are dropped, with one warning in the log. */
enum { METRICS_MAX_SERIES = 16384, METRICS_INTERVAL_MS = 15000 };

/**
 * path NULL or "": *out is NULL. The file is written once, so that an unusable path shows at the
 * start; its folder must exist.
 * @return 0, E_ARG, E_NOMEM or E_IO.
 */
MUST_CHECK int metrics_open(struct metrics **out, const char *path, struct err *err);
/** metric: lives as long as m. labels: copied; NULL: none. */
void metrics_add(struct metrics *m, const struct metric *metric, const struct metric_label *labels,
                 double n);
void metrics_set(struct metrics *m, const struct metric *metric, const struct metric_label *labels,
                 double value);
/** @return 0 or E_*; the file is then as it was. */
MUST_CHECK int metrics_write(struct metrics *m, struct err *err);
/** Write a last time and free. NULL is fine. @return 0 or E_* of that write. */
MUST_CHECK int metrics_close(struct metrics *m, struct err *err);
