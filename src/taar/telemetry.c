/* SPDX-License-Identifier: MPL-2.0 */
#include "base/log.h"
#include "base/utc.h"
#include "taar/telemetry_internal.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

static int copy_needed(struct telemetry *t, const char *const *needed, struct err *err)
{
    size_t n = 0;
    while (needed[n])
        n++;
    t->needed = calloc(n + 1, sizeof *t->needed);
    bool ok = t->needed != NULL;
    for (size_t i = 0; i < n && ok; i++)
        ok = (t->needed[i] = strdup(needed[i])) != NULL;
    return ok ? 0 : err_set(err, E_NOMEM, 0, "no memory for a source");
}

static int init(struct telemetry *t, const struct telemetry_config *config, struct err *err)
{
    size_t n = 0;
    while (telemetry_columns[config->kind][n].name)
        n++;
    t->kind = config->kind;
    t->first = config->first;
    t->last = config->last;
    t->warehouse = config->opened;
    t->is_table = telemetry_is_table(config->source);
    t->source = strdup(config->source);
    t->warned = calloc(n + 1, sizeof *t->warned);
    if (!t->source || !t->warned)
        return err_set(err, E_NOMEM, 0, "no memory for a source");
    return copy_needed(t, config->needed ? config->needed : telemetry_needed(t->kind), err);
}

/* A folder of its own for the scratch DuckDB, what it spills, and the spool. */
static int make_dir(struct telemetry *t, const char *temp_dir, struct err *err)
{
    if (asprintf(&t->dir, "%s/weir-telemetry-XXXXXX", temp_dir ? temp_dir : "/tmp") < 0) {
        t->dir = NULL;
        return err_set(err, E_NOMEM, 0, "no memory for a path");
    }
    if (mkdtemp(t->dir))
        return 0;
    const int r = err_set(err, E_IO, errno, "%s: create", t->dir);
    free(t->dir);
    t->dir = NULL;
    return r;
}

static int open_scratch(struct telemetry *t, const struct telemetry_config *config, struct err *err)
{
    char *url;
    if (asprintf(&url, "duckdb://%s/scratch.duckdb", t->dir) < 0)
        return err_set(err, E_NOMEM, 0, "no memory for a path");
    const struct warehouse_config scratch = {.url = url,
                                             .memory_limit_bytes = config->memory_limit_bytes,
                                             .n_threads = config->n_threads};
    const int r = warehouse_open(&t->warehouse, &scratch, err);
    t->owns_warehouse = r == 0;
    free(url);
    return r;
}

static int keep_relation(struct telemetry *t, struct buf *sql, struct err *err)
{
    const int r = buf_append_byte(sql, '\0', err);
    if (r < 0)
        return r;
    t->relation = strdup((const char *)sql->data);
    return t->relation ? 0 : err_set(err, E_NOMEM, 0, "no memory for a source");
}

static int absent(const struct telemetry *t, struct err *err)
{
    char first[DAY_TEXT_BYTES], last[DAY_TEXT_BYTES];
    if (t->first == TELEMETRY_ANY_FIRST)
        return err_set(err, E_ABSENT, 0, "%s holds nothing", t->source);
    day_text(first, t->first, true);
    day_text(last, t->last, true);
    return t->first == t->last
               ? err_set(err, E_ABSENT, 0, "%s holds nothing of %s", t->source, first)
               : err_set(err, E_ABSENT, 0, "%s holds nothing of %s to %s", t->source, first, last);
}

static int see_row(void *arg, const struct cell *cells, struct err *err)
{
    bool *seen = arg;
    (void)cells;
    (void)err;
    *seen = true;
    return 0;
}

/* @return 0 with *any, or E_*. */
static int has_rows(struct telemetry *t, bool *any, struct err *err)
{
    static const struct column one[] = {{.name = "one", .type = COLUMN_INT64}, {.name = NULL}};
    CLEANUP(buf_deinit) struct buf sql = BUF_INIT(TELEMETRY_MAX_SQL);
    *any = false;
    int r = buf_printf(&sql, err, "SELECT 1 AS one FROM ");
    if (r == 0)
        r = buf_append_str(&sql, t->relation, err);
    if (r == 0)
        r = buf_append(&sql, " LIMIT 1", sizeof " LIMIT 1", err);
    return r < 0 ? r
                 : warehouse_query(t->warehouse, (const char *)sql.data, one, see_row, any, err);
}

static int require_rows(struct telemetry *t, struct err *err)
{
    bool any;
    const int r = has_rows(t, &any, err);
    return r < 0 || any ? r : absent(t, err);
}

static int open_table(struct telemetry *t, const struct telemetry_config *config, struct err *err)
{
    CLEANUP(buf_deinit) struct buf sql = BUF_INIT(TELEMETRY_MAX_SQL);
    if (!t->warehouse && !config->warehouse)
        return err_set(err, E_ABSENT, 0, "there is no file %s", t->source);
    int r = 0;
    if (!t->warehouse) {
        r = warehouse_open(&t->warehouse, config->warehouse, err);
        t->owns_warehouse = r == 0;
        if (r == E_ABSENT)
            return err_set(err, E_ABSENT, 0,
                           "%s is no file or directory, and there is no warehouse %s", t->source,
                           config->warehouse->url);
    }
    if (r == 0)
        r = append_table_relation(&sql, t, err);
    if (r == 0)
        r = keep_relation(t, &sql, err);
    return r < 0 ? r : require_rows(t, err);
}

static int open_files(struct telemetry *t, const struct telemetry_config *config, struct err *err)
{
    CLEANUP(buf_deinit) struct buf sql = BUF_INIT(TELEMETRY_MAX_SQL);
    int r = source_files_find(&t->files, config, err);
    if (r == 0 && t->files.n == 0)
        r = absent(t, err);
    if (r == 0)
        r = make_dir(t, config->temp_dir, err);
    if (r == 0 && !t->warehouse)
        r = open_scratch(t, config, err);
    if (r < 0 || t->files.store)
        return r;
    r = append_files_relation(&sql, t, t->files.files, t->files.n, err);
    if (r == 0)
        r = keep_relation(t, &sql, err);
    if (r == 0)
        r = require_rows(t, err);
    return r < 0 ? explain_json(t->files.files, t->files.n, r, err) : 0;
}

int telemetry_open(struct telemetry **out, const struct telemetry_config *config, struct err *err)
{
    CLEANUP(telemetry_closep) struct telemetry *t = calloc(1, sizeof *t);
    if (!t)
        return err_set(err, E_NOMEM, 0, "no memory for a source");
    if (!config->source || !*config->source || config->first > config->last)
        return err_set(err, E_ARG, 0, "a source needs a name, and days that end after they begin");
    int r = init(t, config, err);
    if (r == 0)
        r = t->is_table ? open_table(t, config, err) : open_files(t, config, err);
    if (r < 0)
        return r;
    *out = t;
    t = NULL;
    return 0;
}

void telemetry_close(struct telemetry *t)
{
    if (!t)
        return;
    if (t->owns_warehouse)
        warehouse_close(t->warehouse);
    if (t->dir)
        remove_tree(t->dir);
    source_files_deinit(&t->files);
    for (char **name = t->needed; name && *name; name++)
        free(*name);
    free(t->needed);
    free(t->warned);
    free(t->relation);
    free(t->source);
    free(t->dir);
    free(t);
}

struct warehouse *telemetry_warehouse(const struct telemetry *t)
{
    return t->warehouse;
}

bool telemetry_is_scratch(const struct telemetry *t)
{
    return t->owns_warehouse && !t->is_table;
}

bool telemetry_is_staged(const struct telemetry *t)
{
    return t->files.store != NULL;
}

/* files lie on this machine. */
static int run_files(struct telemetry *t, const struct source_file *files, size_t n,
                     telemetry_fn *fn, void *arg, struct err *err)
{
    CLEANUP(buf_deinit) struct buf sql = BUF_INIT(TELEMETRY_MAX_SQL);
    int r = append_files_relation(&sql, t, files, n, err);
    if (r == E_ABSENT && n == 1) // one file of many may be empty
        return 0;
    if (r == 0)
        r = buf_append_byte(&sql, '\0', err);
    if (r == 0)
        r = fn(arg, (const char *)sql.data, err);
    return r < 0 ? explain_json(files, n, r, err) : 0;
}

static int stage_each(struct telemetry *t, telemetry_fn *fn, void *arg, struct err *err)
{
    int r = 0;
    for (size_t i = 0; i < t->files.n && r == 0; i++) {
        struct source_file staged = t->files.files[i];
        r = spool_fetch(t, &t->files.files[i], &staged.path, err);
        if (r == 0)
            r = run_files(t, &staged, 1, fn, arg, err);
        if (staged.path)
            spool_drop(staged.path);
        free(staged.path);
    }
    return r;
}

static int stage_all(struct telemetry *t, telemetry_fn *fn, void *arg, struct err *err)
{
    struct source_file *staged = calloc(t->files.n + 1, sizeof *staged);
    if (!staged)
        return err_set(err, E_NOMEM, 0, "no memory for a source");
    int r = 0;
    size_t n = 0;
    while (r == 0 && n < t->files.n) {
        staged[n] = t->files.files[n];
        r = spool_fetch(t, &t->files.files[n], &staged[n].path, err);
        n++;
    }
    if (r == 0)
        r = run_files(t, staged, n, fn, arg, err);
    for (size_t i = 0; i < n; i++) {
        if (staged[i].path)
            spool_drop(staged[i].path);
        free(staged[i].path);
    }
    free(staged);
    return r;
}

int telemetry_each(struct telemetry *t, bool whole, telemetry_fn *fn, void *arg, struct err *err)
{
    if (t->files.store)
        return whole ? stage_all(t, fn, arg, err) : stage_each(t, fn, arg, err);
    const int r = fn(arg, t->relation, err);
    return r < 0 && !t->is_table ? explain_json(t->files.files, t->files.n, r, err) : r;
}

static int table_ready(const struct telemetry_config *config, bool *ready, struct err *err)
{
    CLEANUP(telemetry_closep) struct telemetry *t = NULL;
    const int r = telemetry_open(&t, config, err);
    *ready = r == 0;
    return r == E_ABSENT ? 0 : r;
}

int telemetry_ready(const struct telemetry_config *config, bool *ready, struct err *err)
{
    CLEANUP(source_files_deinit) struct source_files files = {0};
    *ready = false;
    if (telemetry_is_table(config->source))
        return table_ready(config, ready, err);
    const int r = source_files_find(&files, config, err);
    if (r == 0)
        *ready = files.n > 0 && (files.single || files.n_day_success > 0 ||
                                 (files.files[0].day == NO_DAY && files.n_success > 0));
    return r == E_ABSENT ? 0 : r;
}
