/* SPDX-License-Identifier: MPL-2.0 */
#include "fxci/load.h"

#include "base/log.h"
#include "fxci/load_row.h"
#include "fxci/row_file.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BATCH_ROWS = 50000, BATCH_BYTES = 32 << 20, PATH_BYTES = 4096 };

/* DuckDB reads CSV and Parquet from a warehouse of its own, so that the real one is not held longer
 * than a batch takes. */
struct scratch {
    char dir[PATH_BYTES];
    struct warehouse *w;
};

static void scratch_remove(struct scratch *s)
{
    static const char *const names[] = {"rows.duckdb", "rows.duckdb.lock", "rows.duckdb.wal"};
    char path[PATH_BYTES + 32];
    warehouse_close(s->w);
    for (size_t i = 0; s->dir[0] && i < ARRAY_LEN(names); i++) {
        (void)snprintf(path, sizeof path, "%s/%s", s->dir, names[i]);
        (void)unlink(path);
    }
    if (s->dir[0])
        (void)rmdir(s->dir); // a temporary file of DuckDB's inside would keep it
}

static int scratch_open(struct scratch *s, const char *temp_dir, struct err *err)
{
    char url[PATH_BYTES + 32];
    const int n = snprintf(s->dir, sizeof s->dir, "%s/weir-load-XXXXXX",
                           temp_dir && *temp_dir ? temp_dir : "/tmp");
    if (n < 0 || (size_t)n >= sizeof s->dir || !mkdtemp(s->dir)) {
        s->dir[0] = '\0';
        return err_set(err, E_IO, errno, "make a folder in %s",
                       temp_dir && *temp_dir ? temp_dir : "/tmp");
    }
    (void)snprintf(url, sizeof url, "duckdb://%s/rows.duckdb", s->dir);
    return warehouse_open(&s->w, &(const struct warehouse_config){.url = url}, err);
}

struct loader {
    const struct load_options *o;
    const struct table_schema *schema;
    struct load_counts *counts;
    struct load_row row;
    size_t partition; // the column
    int64_t first_date;
    struct warehouse *w;
    struct warehouse_batch *batch;
    uint64_t n_rows;  // of the batch
    uint64_t n_bytes; // of it
};

static void loader_deinit(struct loader *l)
{
    warehouse_batch_abandon(l->batch);
    warehouse_close(l->w);
    load_row_deinit(&l->row);
}

static void warn_unknown(void *arg, const char *name)
{
    const struct loader *l = arg;
    log_warning("%s: %s has no column %s; it is ignored", l->o->path, l->schema->name, name);
}

/* Where the table is BigQuery's, keys are never null. */
static int check_key(const struct loader *l, struct err *err)
{
    for (size_t k = 0; l->schema->key[k]; k++)
        for (size_t i = 0; i < l->row.n_columns; i++)
            if (strcmp(l->schema->columns[i].name, l->schema->key[k]) == 0 &&
                l->schema->columns[i].required && l->row.cells[i].is_null)
                return err_set(err, E_FORMAT, 0, "%s is missing, which is part of the key",
                               l->schema->key[k]);
    return 0;
}

static int check_row(void *arg, struct span text, struct err *err)
{
    struct loader *l = arg;
    int r = load_row_read(&l->row, text, err);
    if (r == 0)
        r = check_key(l, err);
    if (r < 0)
        return r;
    const struct cell *date = &l->row.cells[l->partition];
    if (!date->is_null && date->integer < l->first_date)
        l->first_date = date->integer;
    l->counts->n_rows++;
    return 0;
}

static int begin_batch(struct loader *l, struct err *err)
{
    int r = l->o->open_warehouse(l->o->open_arg, &l->w, err);
    return r < 0 ? r
                 : warehouse_batch_begin(&l->batch, l->w, &l->schema, 1,
                                         l->first_date - (int64_t)l->o->window_days, err);
}

static int end_batch(struct loader *l, struct err *err)
{
    struct batch_outcome outcome = {0};
    if (!l->batch)
        return 0;
    struct warehouse_batch *batch = l->batch;
    l->batch = NULL;
    const int r = warehouse_batch_commit(batch, &outcome, NULL, NULL, err);
    l->counts->n_written += outcome.code == 0 ? outcome.n_written : 0;
    l->counts->n_duplicate += outcome.code == 0 ? outcome.n_duplicate : 0;
    l->n_rows = l->n_bytes = 0;
    warehouse_close(l->w);
    l->w = NULL;
    return r;
}

static int store_row(void *arg, struct span text, struct err *err)
{
    struct loader *l = arg;
    const uint64_t max_rows = l->o->batch_rows > 0 ? l->o->batch_rows : BATCH_ROWS;
    int r = load_row_read(&l->row, text, err);
    if (r == 0 && !l->batch)
        r = begin_batch(l, err);
    if (r == 0)
        r = warehouse_batch_row(l->batch, 0, l->row.cells, err);
    l->n_bytes += text.len;
    if (r == 0 && (++l->n_rows == max_rows || l->n_bytes >= BATCH_BYTES))
        r = end_batch(l, err);
    return r;
}

static int check_and_store(struct loader *l, const struct row_file *file, struct warehouse *reader,
                           struct err *err)
{
    int r = row_file_read(file, reader, check_row, l, err);
    l->row.unknown = NULL; // it was told of everything
    if (r < 0)
        return r;
    r = row_file_read(file, reader, store_row, l, err);
    if (r == 0)
        r = end_batch(l, err);
    if (r < 0 && l->counts->n_written + l->counts->n_duplicate > 0)
        return err_wrap(err, r,
                        "%" PRIu64 " rows are stored and %" PRIu64
                        " were there already; loading the file again stores the rest",
                        l->counts->n_written, l->counts->n_duplicate);
    return r;
}

static size_t find_partition(const struct table_schema *schema)
{
    size_t i = 0;
    while (strcmp(schema->columns[i].name, schema->partition_column) != 0)
        i++;
    return i;
}

/* Rows are read twice. */
static int check_file(const char *path, struct err *err)
{
    struct stat st;
    if (stat(path, &st) < 0)
        return err_set(err, errno == ENOENT ? E_ABSENT : E_IO, errno, "%s: %s", path,
                       errno == ENOENT ? "no such file" : "it cannot be read");
    return S_ISREG(st.st_mode) ? 0 : err_set(err, E_ARG, 0, "%s is no regular file", path);
}

int load_rows(const struct load_options *o, struct load_counts *counts, struct err *err)
{
    CLEANUP(loader_deinit)
    struct loader l = {
        .o = o, .schema = &o->tables->schemas[o->table], .counts = counts, .first_date = o->today};
    CLEANUP(scratch_remove) struct scratch scratch = {.w = NULL};
    struct row_file file = {0};
    *counts = (struct load_counts){0};
    if (!l.schema->key)
        return err_set(err, E_ARG, 0, "%s holds bills, which load-billing loads", l.schema->name);
    l.partition = find_partition(l.schema);
    int r = check_file(o->path, err);
    if (r == 0)
        r = row_file_open(&file, o->path, err);
    if (r < 0)
        return r;
    file.keep_empty = true;
    load_row_init(&l.row, o->cpu, l.schema, file.tabular);
    l.row.unknown = warn_unknown;
    l.row.unknown_arg = &l;
    if (file.tabular)
        r = scratch_open(&scratch, o->temp_dir, err);
    return r < 0 ? r : check_and_store(&l, &file, scratch.w, err);
}
