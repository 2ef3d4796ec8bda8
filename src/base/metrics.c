/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Series are few (stages x batches x reasons), are updated at the end of partitions and not of
 * records, and so stand in a plain list under one lock, metric by metric as the format wants them.
 */
#include "base/metrics.h"

#include "base/buf.h"
#include "base/log.h"
#include "base/outfile.h"
#include "base/ticker.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { FILE_BYTES_MAX = 64 << 20, LABELS_BYTES_MAX = 4096 };

struct series {
    struct series *next;
    const struct metric *metric;
    double value;
    char labels[]; // as written: {a="b",c="d"} or ""
};

struct metrics {
    pthread_mutex_t lock; // of the series
    struct series *first;
    size_t n_series;
    bool is_full;
    pthread_mutex_t writing; // one writer of the file at a time
    bool has_failed;         // the ticker's last write; under writing
    struct ticker ticker;
    char *dir;
    const char *name; // in path
    char path[];
};

static int append_escaped(struct buf *b, const char *text, bool quoted)
{
    int r = 0;
    for (const char *c = text; *c && r == 0; c++) {
        if (*c == '\n')
            r = buf_append_str(b, "\\n", NULL);
        else if (*c == '\\' || (quoted && *c == '"'))
            r = buf_printf(b, NULL, "\\%c", *c);
        else
            r = buf_append_byte(b, (uint8_t)*c, NULL);
    }
    return r;
}

/* @return 0 and the text with its final NUL, or E_NOMEM. */
static int format_labels(struct buf *b, const struct metric_label *labels)
{
    int r = 0;
    for (const struct metric_label *l = labels; l && l->name && r == 0; l++) {
        r = buf_printf(b, NULL, "%s%s=\"", l == labels ? "{" : ",", l->name);
        if (r == 0)
            r = append_escaped(b, l->value ? l->value : "", true);
        if (r == 0)
            r = buf_append_byte(b, '"', NULL);
    }
    if (r == 0 && b->len > 0)
        r = buf_append_byte(b, '}', NULL);
    return r < 0 ? r : buf_append_byte(b, '\0', NULL);
}

/* Put a new series behind the others of its metric. @return NULL: no room. */
static struct series *add_series(struct metrics *m, const struct metric *metric,
                                 const struct buf *labels)
{
    struct series **at = &m->first;
    struct series *s = m->n_series < METRICS_MAX_SERIES ? malloc(sizeof *s + labels->len) : NULL;
    if (!s)
        return NULL;
    bool is_below = false;
    for (; *at && !(is_below && (*at)->metric != metric); at = &(*at)->next)
        is_below |= (*at)->metric == metric;
    *s = (struct series){.next = *at, .metric = metric};
    memcpy(s->labels, labels->data, labels->len);
    *at = s;
    m->n_series++;
    return s;
}

static struct series *find_series(const struct metrics *m, const struct metric *metric,
                                  const char *labels)
{
    for (struct series *s = m->first; s; s = s->next)
        if (s->metric == metric && strcmp(s->labels, labels) == 0)
            return s;
    return NULL;
}

static void change(struct metrics *m, const struct metric *metric,
                   const struct metric_label *labels, double old_factor, double value)
{
    if (!m)
        return;
    CLEANUP(buf_deinit) struct buf text = BUF_INIT(LABELS_BYTES_MAX);
    bool is_first_loss = false;
    if (format_labels(&text, labels) < 0)
        return;
    (void)pthread_mutex_lock(&m->lock);
    struct series *s = find_series(m, metric, (const char *)text.data);
    if (!s)
        s = add_series(m, metric, &text);
    if (s) {
        s->value = s->value * old_factor + value;
    } else {
        is_first_loss = !m->is_full;
        m->is_full = true;
    }
    (void)pthread_mutex_unlock(&m->lock);
    if (is_first_loss)
        log_warning("%s: no room for more metrics; the file is incomplete", m->path);
}

void metrics_add(struct metrics *m, const struct metric *metric, const struct metric_label *labels,
                 double n)
{
    change(m, metric, labels, 1, n);
}

void metrics_set(struct metrics *m, const struct metric *metric, const struct metric_label *labels,
                 double value)
{
    change(m, metric, labels, 0, value);
}

static int append_head(struct buf *out, const struct metric *metric, struct err *err)
{
    int r = buf_printf(out, err, "# HELP %s ", metric->name);
    if (r == 0)
        r = append_escaped(out, metric->help, false);
    return r < 0 ? r
                 : buf_printf(out, err, "\n# TYPE %s %s\n", metric->name,
                              metric->kind == METRIC_COUNTER ? "counter" : "gauge");
}

static int append_value(struct buf *out, const struct series *s, struct err *err)
{
    if (isinf(s->value) || isnan(s->value))
        return buf_printf(out, err, "%s%s %s\n", s->metric->name, s->labels,
                          isnan(s->value) ? "NaN"
                          : s->value > 0  ? "+Inf"
                                          : "-Inf");
    return buf_printf(out, err, "%s%s %.15g\n", s->metric->name, s->labels, s->value);
}

static int format_all(struct metrics *m, struct buf *out, struct err *err)
{
    const struct series *before = NULL;
    int r = 0;
    (void)pthread_mutex_lock(&m->lock);
    for (const struct series *s = m->first; s && r == 0; s = s->next) {
        if (!before || s->metric != before->metric)
            r = append_head(out, s->metric, err);
        before = s;
        if (r == 0)
            r = append_value(out, s, err);
    }
    (void)pthread_mutex_unlock(&m->lock);
    return r;
}

static int write_file(struct metrics *m, struct err *err)
{
    CLEANUP(buf_deinit) struct buf text = BUF_INIT(FILE_BYTES_MAX);
    CLEANUP(outfile_abandon) struct outfile file = OUTFILE_INIT;
    int r = format_all(m, &text, err);
    if (r == 0)
        r = outfile_open(&file, m->dir, m->name, err);
    if (r == 0)
        r = outfile_write(&file, text.data, text.len, err);
    return r < 0 ? r : outfile_commit(&file, err);
}

int metrics_write(struct metrics *m, struct err *err)
{
    if (!m)
        return 0;
    (void)pthread_mutex_lock(&m->writing);
    const int r = write_file(m, err);
    (void)pthread_mutex_unlock(&m->writing);
    return r;
}

static void tick(void *arg)
{
    struct metrics *m = arg;
    struct err err = {0};
    (void)pthread_mutex_lock(&m->writing);
    const bool fails = write_file(m, &err) < 0;
    const bool is_news = fails && !m->has_failed;
    m->has_failed = fails;
    (void)pthread_mutex_unlock(&m->writing);
    if (is_news)
        log_warning("metrics: %s", err.text);
}

static void metrics_free(struct metrics *m)
{
    for (struct series *s = m->first; s;) {
        struct series *next = s->next;
        free(s);
        s = next;
    }
    (void)pthread_mutex_destroy(&m->lock);
    (void)pthread_mutex_destroy(&m->writing);
    free(m->dir);
    free(m);
}

/* Split path into folder and name. */
static int split_path(struct metrics *m, struct err *err)
{
    const char *slash = strrchr(m->path, '/');
    m->name = slash ? slash + 1 : m->path;
    if (m->name[0] == '\0')
        return err_set(err, E_ARG, 0, "%s is no name of a file for metrics", m->path);
    m->dir =
        slash ? strndup(m->path, slash == m->path ? 1 : (size_t)(slash - m->path)) : strdup(".");
    return m->dir ? 0 : err_set(err, E_NOMEM, 0, "no memory for a path");
}

int metrics_open(struct metrics **out, const char *path, struct err *err)
{
    *out = NULL;
    if (!path || path[0] == '\0')
        return 0;
    const size_t len = strlen(path) + 1;
    struct metrics *m = calloc(1, sizeof *m + len);
    if (!m)
        return err_set(err, E_NOMEM, 0, "no memory for metrics");
    memcpy(m->path, path, len);
    (void)pthread_mutex_init(&m->lock, NULL);
    (void)pthread_mutex_init(&m->writing, NULL);
    int r = split_path(m, err);
    if (r == 0)
        r = metrics_write(m, err);
    if (r == 0)
        r = ticker_start(&m->ticker, METRICS_INTERVAL_MS, tick, m, err);
    if (r < 0) {
        metrics_free(m);
        return r;
    }
    *out = m;
    return 0;
}

int metrics_close(struct metrics *m, struct err *err)
{
    if (!m)
        return 0;
    ticker_stop(&m->ticker);
    const int r = metrics_write(m, err);
    metrics_free(m);
    return r;
}
