/* SPDX-License-Identifier: MPL-2.0 */
/*
 * BigQuery: loads. Rows are gathered in a temporary file; one load job makes all of them visible
 * and puts them in the place of what they replace.
 */
#include "warehouse/bigquery_impl.h"

#include <inttypes.h>
#include <stdlib.h>

enum { FLUSH_BYTES = 256 << 10, ROW_MAX_BYTES = 100 << 20 };

struct bigquery_load {
    struct bigquery *b;
    const struct table_name *name;
    const struct table_schema *schema;
    enum load_mode mode;
    int64_t date;
    struct tempfile file;
    struct buf text; // not in the file yet
    uint64_t n_rows;
};

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
    const int r = tempfile_open(&load->file, b->temp_dir, err);
    if (r < 0) {
        free(load);
        return r;
    }
    *out = load;
    return 0;
}

static int flush(struct bigquery_load *load, struct err *err)
{
    const int r = tempfile_append(&load->file, load->text.data, load->text.len, err);
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

/* What a load job must repeat of a table's layout: with another one, or a part of it, it is
 * refused. The table's own, because tables that others made may be clustered otherwise. */
static int add_layout(struct bigquery_load *load, json_t *configuration, struct err *err)
{
    static const struct {
        const char *name, *part;
    } parts[] = {
        {"timePartitioning", "type"}, {"timePartitioning", "field"}, {"clustering", "fields"}};
    json_t *table = NULL, *into = json_object_get(configuration, "load");
    int r = bigquery_get_table(load->b, load->name, &table, err);
    if (r == 0)
        r = err_set(err, E_ABSENT, 0, "%s: table %s is gone", load->b->url, load->schema->name);
    for (size_t i = 0; i < ARRAY_LEN(parts) && r > 0; i++) {
        const char *name = parts[i].name;
        json_t *value = json_object_get(json_object_get(table, name), parts[i].part);
        if (value && !json_object_get(into, name))
            r = json_object_set_new(into, name, json_object()) == 0 ? 1 : bigquery_need(NULL, err);
        if (value && r > 0 &&
            json_object_set(json_object_get(into, name), parts[i].part, value) != 0)
            r = bigquery_need(NULL, err);
    }
    json_decref(table);
    return r < 0 ? r : 0;
}

/* Without a schema: the table's own is kept, also where it knows more columns. */
static int configure(struct bigquery_load *load, json_t **configuration, struct err *err)
{
    *configuration = json_pack("{s:{s:o, s:s, s:s, s:s, s:i, s:b}}", "load", "destinationTable",
                               destination(load), "sourceFormat", "NEWLINE_DELIMITED_JSON",
                               "createDisposition", "CREATE_NEVER", "writeDisposition",
                               load->mode == LOAD_APPEND ? "WRITE_APPEND" : "WRITE_TRUNCATE",
                               "maxBadRecords", 0, "ignoreUnknownValues", 0);
    const int r = bigquery_need(*configuration, err);
    return r < 0 ? r : add_layout(load, *configuration, err);
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
static int try_load(struct bigquery_load *load, json_t *configuration, json_t **answer,
                    struct err *err)
{
    char id[JOB_ID_BYTES];
    int r = bigquery_job_id(id, "load", err);
    if (r < 0)
        return r;
    json_t *job = bigquery_job(load->b, id, json_incref(configuration));
    r = bigquery_need(job, err);
    if (r == 0)
        r = bigquery_upload(load->b, id, job, &load->file, answer, err);
    json_decref(job);
    if (r == UPLOAD_IS_TOO_LARGE)
        return E_IO;
    return r < 0 ? r : bigquery_wait(load->b, answer, err);
}

static int try_often(struct bigquery_load *load, json_t *configuration, json_t **answer,
                     struct err *err)
{
    struct bigquery_patience patience;
    bigquery_patience_init(&patience, load->b);
    int r = try_load(load, configuration, answer, err);
    while (r == 1 && bigquery_patience_wait(&patience, bigquery_job_limit(*answer), 0)) {
        json_decref(*answer);
        *answer = NULL;
        r = try_load(load, configuration, answer, err);
    }
    return r == 1 ? E_IO : r;
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
    json_t *configuration = NULL, *answer = NULL;
    if (load->n_rows == 0)
        return delete_old(load, err);
    int r = flush(load, err);
    if (r == 0)
        r = configure(load, &configuration, err);
    if (r == 0)
        r = try_often(load, configuration, &answer, err);
    if (r == 0 && load->mode != LOAD_APPEND)
        r = check_count(load, answer, err);
    json_decref(configuration);
    json_decref(answer);
    return r;
}

void bigquery_load_free(void *impl)
{
    struct bigquery_load *load = impl;
    tempfile_close(&load->file);
    buf_deinit(&load->text);
    free(load);
}
