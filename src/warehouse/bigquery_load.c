/* SPDX-License-Identifier: MPL-2.0 */
/*
 * BigQuery: loads. Rows are gathered in a temporary file; one load job makes all of them visible
 * and puts them in the place of what they replace.
 */
#include "base/outfile.h"
#include "warehouse/bigquery_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

enum { FLUSH_BYTES = 256 << 10, ROW_MAX_BYTES = 100 << 20, MAX_TRIES = 3 };

struct bigquery_load {
    struct bigquery *b;
    const struct table_name *name;
    const struct table_schema *schema;
    enum load_mode mode;
    int64_t date;
    int fd;
    struct buf text; // not in the file yet
    uint64_t n_bytes, n_rows;
};

/* A file without a name, which ends with this process. */
static int open_spool(const char *dir, struct err *err)
{
    int fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd >= 0)
        return fd;
    char *name = NULL;
    if (asprintf(&name, "%s/weir-rows-XXXXXX", dir) < 0)
        return err_set(err, E_NOMEM, 0, "no memory for a path");
    fd = mkostemp(name, O_CLOEXEC); // for file systems that know no nameless files
    if (fd < 0)
        (void)err_set(err, E_IO, errno, "create a temporary file in %s", dir);
    else
        (void)unlink(name);
    free(name);
    return fd < 0 ? E_IO : fd;
}

int bigquery_load_begin(void **out, void *impl, const struct table_name *name,
                        const struct table_schema *schema, enum load_mode mode, int64_t date,
                        struct err *err)
{
    struct bigquery *b = impl;
    struct bigquery_load *load = calloc(1, sizeof *load);
    if (!load)
        return err_set(err, E_NOMEM, 0, "no memory for a load");
    *load =
        (struct bigquery_load){.b = b, .name = name, .schema = schema, .mode = mode, .date = date};
    load->text = BUF_INIT(FLUSH_BYTES + ROW_MAX_BYTES);
    load->fd = open_spool(b->temp_dir, err);
    if (load->fd < 0) {
        const int r = load->fd;
        free(load);
        return r;
    }
    *out = load;
    return 0;
}

static int flush(struct bigquery_load *load, struct err *err)
{
    struct outfile file = {.fd = load->fd, .path = load->b->temp_dir};
    const int r = outfile_write(&file, load->text.data, load->text.len, err);
    load->n_bytes += load->text.len;
    buf_clear(&load->text);
    return r;
}

int bigquery_load_row(void *impl, const struct cell *cells, struct err *err)
{
    struct bigquery_load *load = impl;
    const int r = bigquery_write_row(&load->text, load->schema->columns, cells, err);
    load->n_rows++;
    return r < 0 || load->text.len < FLUSH_BYTES ? r : flush(load, err);
}

/* The table as a job names it: with the day, where only that is replaced. */
static json_t *destination(const struct bigquery_load *load)
{
    char table[512], date[DATE_TEXT_BYTES] = "";
    (void)snprintf(table, sizeof table, "%s", load->name->table);
    if (load->mode == LOAD_REPLACE_PARTITION) {
        format_date(date, load->date);
        (void)snprintf(table, sizeof table, "%s$%.4s%.2s%.2s", load->name->table, date, date + 5,
                       date + 8);
    }
    return json_pack("{s:s, s:s, s:s}", "projectId", load->b->project, "datasetId",
                     load->name->dataset, "tableId", table);
}

/* Without a schema: the table's own is kept, also where it knows more columns. */
static json_t *configure(const struct bigquery_load *load)
{
    return json_pack("{s:{s:o, s:s, s:s, s:s, s:i, s:b, s:o*}}", "load", "destinationTable",
                     destination(load), "sourceFormat", "NEWLINE_DELIMITED_JSON",
                     "createDisposition", "CREATE_NEVER", "writeDisposition",
                     load->mode == LOAD_APPEND ? "WRITE_APPEND" : "WRITE_TRUNCATE", "maxBadRecords",
                     0, "ignoreUnknownValues", 0, "timePartitioning",
                     bigquery_partitioning(load->schema));
}

/* An upload cannot be empty, so what has no rows is deleted by a statement. */
static int delete_old(struct bigquery_load *load, struct err *err)
{
    CLEANUP(buf_deinit) struct buf sql = BUF_INIT(SQL_MAX_BYTES);
    if (load->mode == LOAD_APPEND)
        return 0;
    int r = buf_append_str(
        &sql, load->mode == LOAD_REPLACE_TABLE ? "TRUNCATE TABLE " : "DELETE FROM ", err);
    if (r == 0)
        r = bigquery_append_table(load->b, load->name, &sql, err);
    if (r == 0 && load->mode == LOAD_REPLACE_PARTITION) {
        r = buf_printf(&sql, err, " WHERE `%s` = ", load->schema->partition_column);
        if (r == 0)
            r = append_date(&sql, load->date, err);
    }
    if (r == 0)
        r = buf_append_byte(&sql, '\0', err);
    return r < 0 ? r : bigquery_run_query(load->b, (const char *)sql.data, NULL, NULL, NULL, err);
}

/* @return as bigquery_wait. */
static int try_load(struct bigquery_load *load, json_t **answer, struct err *err)
{
    char id[JOB_ID_BYTES];
    int r = bigquery_job_id(id, "load", err);
    if (r < 0)
        return r;
    json_t *job = bigquery_job(load->b, id, configure(load));
    r = bigquery_need(job, err);
    if (r == 0)
        r = bigquery_upload(load->b, id, job, load->fd, load->n_bytes, answer, err);
    json_decref(job);
    return r < 0 ? r : bigquery_wait(load->b, answer, err);
}

/* Of a load that appends, an emulator counts what was there before, too. */
static int check_count(const struct bigquery_load *load, const json_t *job, struct err *err)
{
    const json_t *statistics = json_object_get(json_object_get(job, "statistics"), "load");
    const char *rows = json_string_value(json_object_get(statistics, "outputRows"));
    return !rows || strtoull(rows, NULL, 10) == load->n_rows
               ? 0
               : err_set(err, E_IO, 0, "%s: %s rows were loaded into %s.%s, not %" PRIu64,
                         load->b->url, rows, load->name->dataset, load->name->table, load->n_rows);
}

int bigquery_load_commit(void *impl, struct err *err)
{
    struct bigquery_load *load = impl;
    json_t *answer = NULL;
    if (load->n_rows == 0)
        return delete_old(load, err);
    int r = flush(load, err);
    if (r == 0)
        r = 1;
    for (int i = 0; i < MAX_TRIES && r == 1; i++) {
        json_decref(answer);
        answer = NULL;
        r = try_load(load, &answer, err);
    }
    if (r == 0 && load->mode != LOAD_APPEND)
        r = check_count(load, answer, err);
    json_decref(answer);
    return r == 1 ? E_IO : r;
}

void bigquery_load_free(void *impl)
{
    struct bigquery_load *load = impl;
    (void)close(load->fd); // nothing of it is wanted any more
    buf_deinit(&load->text);
    free(load);
}
