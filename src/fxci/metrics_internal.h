/* metrics_internal.h - the steps of `metric export`: answers are read, from the service or a file,
 * series become rows, rows take the place of a partition. */
#pragma once

#include "fxci/metrics.h"

#include <jansson.h>

enum { METRICS_MAX_ANSWER_BYTES = 256 << 20 };

/* Whole seconds of the day. */
struct metric_interval {
    int64_t start_us, end_us;
};

/* Texts are offsets, for the buffer moves while it grows. */
struct metric_row {
    size_t texts; // instance id, project, zone, one behind the other
    size_t instance_id_len, project_len, zone_len;
    double value;
    int64_t start_us, end_us;
    bool is_duplicate;
};

/* In the order in which they came. */
struct metric_rows {
    struct buf texts;
    struct metric_row *rows;
    size_t n, room;
};
void metric_rows_init(struct metric_rows *r);
void metric_rows_deinit(struct metric_rows *r);
/** The cells of a row, in the order of METRIC_*; texts are borrowed. */
void metric_rows_cells(const struct metric_rows *r, const struct metric_row *row, int64_t date,
                       struct cell cells[METRIC_N]);
/** Mark all rows of a key but the first, with a line in the log each. @return 0 or E_NOMEM. */
MUST_CHECK int metric_rows_mark_duplicates(struct metric_rows *r, uint64_t *n, struct err *err);

/** To two decimals as "%.2f" has it, ties to even. Source: 4.3. */
double metric_round(double value);

enum { SERIES_BROKEN = 1 };
/** Source: 4.3, X14. @return 0 with one row more, SERIES_BROKEN with the reason in err, E_NOMEM. */
MUST_CHECK int metric_series_read(struct metric_rows *rows, const json_t *series,
                                  const struct metric_interval *interval, struct err *err);

/* What came of one metric. */
struct metric_intake {
    const struct metrics_run *run;
    const struct metric_config *metric;
    struct metric_interval interval;
    const char *project; // whose answers are read
    uint64_t n_series, n_broken;
    struct metric_rows rows;
};
/** Take what an answer of timeSeries.list has. @return 0, E_FORMAT (no such answer), E_IO (it says
 * itself that it is not whole), E_NOMEM. */
MUST_CHECK int metric_intake_answer(struct metric_intake *in, const json_t *answer,
                                    struct err *err);

/* Cloud Monitoring. */
struct monitoring;
/** Contacts nobody. @return 0 or E_*. */
MUST_CHECK int monitoring_open(struct monitoring **out, const struct metrics_run *run,
                               struct err *err);
void monitoring_free(struct monitoring *m); // NULL is fine
/** Ask for in->project, all pages. */
MUST_CHECK int monitoring_read(struct monitoring *m, struct metric_intake *in, struct err *err);

/* A file of answers. */
struct recorded_answers;
/** @return 0, E_ABSENT, E_FORMAT naming the file and place, or E_*. */
MUST_CHECK int recorded_answers_open(struct recorded_answers **out, const struct metrics_run *run,
                                     struct err *err);
void recorded_answers_free(struct recorded_answers *a); // NULL is fine
/** The answers of in->project, of which series of other metrics are left out. */
MUST_CHECK int recorded_answers_read(const struct recorded_answers *a, struct metric_intake *in,
                                     struct err *err);

/** Rows take the place of the day's in the metric's table. *n_rows: those that did. */
MUST_CHECK int metric_store(const struct metrics_run *run, const struct metric_intake *in,
                            uint64_t *n_rows, struct err *err);
