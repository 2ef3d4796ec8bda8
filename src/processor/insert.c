/* SPDX-License-Identifier: MPL-2.0 */
#include "processor/insert.h"

#include "base/utc.h"

#include <inttypes.h>
#include <stdio.h>

struct inserter {
    struct warehouse_load *load;
    int64_t date;
};

static int bad_row(struct err *err, const struct index_row *row, const char *what)
{
    return err_set(err, E_FORMAT, 0, "record %.*s of batch %.*s, index %" PRIu64 ": %s",
                   (int)row->id.len, (const char *)row->id.ptr, (int)row->batch_id.len,
                   (const char *)row->batch_id.ptr, row->index, what);
}

static int read_timestamp(int64_t *us, const struct index_row *row, struct err *err)
{
    char text[UTC_TEXT_BYTES];
    const struct span t = row->timestamp;
    if (t.len == 0 || t.len + 2 > sizeof text || memchr(t.ptr, '\0', t.len))
        return bad_row(err, row, "its timestamp is no time");
    (void)snprintf(text, sizeof text, "%.*sZ", (int)t.len, (const char *)t.ptr);
    return utc_parse(us, text, NULL) == 0 ? 0 : bad_row(err, row, "its timestamp is no time");
}

/* The warehouse's integers have a sign; the sums have none. */
static int insert_row(void *arg, const struct index_row *row, struct err *err)
{
    struct inserter *in = arg;
    int64_t us = 0;
    if (row->aggregate > INT64_MAX)
        return bad_row(err, row, "the aggregate exceeds 2^63-1");
    if (row->index > INT64_MAX)
        return bad_row(err, row, "the index exceeds 2^63-1");
    const int r = read_timestamp(&us, row, err);
    if (r < 0)
        return r;
    const struct cell cells[CONTENT_N_COLUMNS] = {
        [CONTENT_ID] = {.text = row->id},
        [CONTENT_TIMESTAMP] = {.integer = us},
        [CONTENT_BATCH_ID] = {.text = row->batch_id},
        [CONTENT_ORIGIN] = {.text = row->origin},
        [CONTENT_HASH] = {.text = row->hash},
        [CONTENT_INDEX] = {.integer = (int64_t)row->index},
        [CONTENT_AGGREGATE] = {.integer = (int64_t)row->aggregate},
        [CONTENT_SUBMISSION_DATE] = {.integer = in->date},
    };
    return warehouse_load_row(in->load, cells, err);
}

/* Counts rows on their way. */
struct counted {
    struct inserter *in;
    uint64_t n;
};

static int insert_counted(void *arg, const struct index_row *row, struct err *err)
{
    struct counted *c = arg;
    c->n++;
    return insert_row(c->in, row, err);
}

static int load_rows(const struct insert_options *options, const struct table_schema *schema,
                     const struct index_rows *rows, uint64_t *n_rows, struct err *err)
{
    struct inserter in = {0};
    struct counted counted = {.in = &in};
    int r = content_date(&in.date, options->date, err);
    if (r == 0)
        r = warehouse_load_begin(
            &in.load, options->place.warehouse, schema,
            options->replace_table ? LOAD_REPLACE_TABLE : LOAD_REPLACE_PARTITION, in.date, err);
    if (r < 0)
        return r;
    r = rows->each(rows->arg, insert_counted, &counted, err);
    if (r == 0 && counted.n == 0)
        r = err_set(err, E_ABSENT, 0,
                    "nothing to insert for %s: there is no published row of a known batch",
                    options->date);
    if (r < 0) {
        warehouse_load_abandon(in.load);
        return r;
    }
    return warehouse_load_commit(in.load, n_rows, err);
}

static int report(const struct stage_sink *out, const char *table, uint64_t n, struct err *err)
{
    CLEANUP(buf_deinit) struct buf text = BUF_INIT(4096);
    const int r = buf_printf(&text, err, "select count(*) from %s\n%" PRIu64 "\n", table, n);
    return r < 0 ? r : out->write(out->arg, text.data, text.len, err);
}

int insert_rows(const struct insert_options *options, const struct index_rows *rows,
                const struct stage_sink *out, struct insert_counts *counts, struct err *err)
{
    struct table_schema schema;
    CLEANUP(buf_deinit) struct buf name = BUF_INIT(4096);
    int r = content_schema(&schema, &name, &options->place, err);
    if (r == 0)
        r = load_rows(options, &schema, rows, &counts->n_rows, err);
    if (r == 0)
        r = warehouse_count(options->place.warehouse, schema.name, &counts->n_table, err);
    return r < 0 ? r : report(out, schema.name, counts->n_table, err);
}
