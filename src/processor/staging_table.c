/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Pings of a table. Rows come over the query interface; a day that is too large for that is
 * exported to files first, which many workers read side by side.
 */
#include "codec/ndjson.h"
#include "processor/staging_internal.h"

#include <inttypes.h>

enum { SQL_BYTES = 4096 };
static const uint64_t default_export_above = 5000000000;

/* What differs between the two dialects. */
struct dialect {
    const char *quote; // around the name, or each of its parts
    bool quote_parts;
    const char *select;      // the payload as text
    const char *length;      // of a payload in bytes
    const char *time, *next; // of a date: its first moment, and that of the day after
    const char *export_head; // takes the URL
    const char *export_tail;
};

static const struct dialect bigquery = {
    .quote = "`",
    .select = "TO_BASE64(payload) AS payload",
    .length = "BYTE_LENGTH(payload)",
    .time = "TIMESTAMP '%.10s 00:00:00+00'",
    .next = "TIMESTAMP_ADD(TIMESTAMP '%.10s 00:00:00+00', INTERVAL 24 HOUR)",
    .export_head = "EXPORT DATA OPTIONS(uri='%s/rows-*.ndjson', format='JSON', overwrite=true) AS ",
    .export_tail = "",
};

static const struct dialect duckdb = {
    .quote = "\"",
    .quote_parts = true,
    .select = "to_base64(payload) AS payload",
    .length = "octet_length(payload)",
    .time = "TIMESTAMPTZ '%.10s 00:00:00+00'",
    .next = "TIMESTAMPTZ '%.10s 00:00:00+00' + INTERVAL 24 HOUR",
    .export_head = "COPY (",
    .export_tail = ") TO '%s/rows.ndjson' (FORMAT json)",
};

static const struct dialect *dialect_of(const struct staging_options *o)
{
    return warehouse_is_bigquery(o->warehouse) ? &bigquery : &duckdb;
}

/* A name that cannot leave its quotes. */
static int check_table(const char *table, struct err *err)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                  "_-.:";
    if (table[0] == '\0' || table[strspn(table, allowed)] != '\0')
        return err_set(err, E_ARG, 0, "\"%s\" is no table like project.dataset.table", table);
    return 0;
}

static int check_url(const char *url, struct err *err)
{
    if (url[strcspn(url, "'\"\\*\n")] != '\0')
        return err_set(err, E_ARG, 0, "%s: quotes and stars cannot stand in an export's place",
                       url);
    return 0;
}

static int append_table(struct buf *sql, const struct dialect *d, const char *table,
                        struct err *err)
{
    int r = buf_append_str(sql, d->quote, err);
    for (; *table && r == 0; table++) {
        if (*table == '.' && d->quote_parts)
            r = buf_printf(sql, err, "%s.%s", d->quote, d->quote);
        else
            r = buf_append_byte(sql, (uint8_t)*table, err);
    }
    return r < 0 ? r : buf_append_str(sql, d->quote, err);
}

/* Append a part of a dialect that has one %s in it. */
static int append_part(struct buf *sql, const char *part, const char *text, int precision,
                       struct err *err)
{
    const char *mark = strchr(part, '%');
    if (!mark)
        return buf_append_str(sql, part, err);
    int r = buf_append(sql, part, (size_t)(mark - part), err);
    if (r == 0)
        r = buf_printf(sql, err, "%.*s", precision, text);
    return r < 0 ? r : buf_append_str(sql, strchr(mark, 's') + 1, err);
}

static int append_select(struct buf *sql, const struct staging_options *o, const char *what,
                         struct err *err)
{
    const struct dialect *d = dialect_of(o);
    int r = buf_printf(sql, err, "SELECT %s FROM ", what);
    if (r == 0)
        r = append_table(sql, d, o->table, err);
    if (r == 0)
        r = buf_append_str(sql, " WHERE submission_timestamp >= ", err);
    if (r == 0)
        r = append_part(sql, d->time, o->date, 10, err);
    if (r == 0)
        r = buf_append_str(sql, " AND submission_timestamp < ", err);
    return r < 0 ? r : append_part(sql, d->next, o->date, 10, err);
}

static int take_number(void *arg, const struct cell *cells, struct err *err)
{
    (void)err;
    *(uint64_t *)arg = cells[0].is_null || cells[0].integer < 0 ? 0 : (uint64_t)cells[0].integer;
    return 0;
}

/* Bytes of the day's payloads. */
static int measure(const struct staging_options *o, uint64_t *bytes, struct err *err)
{
    static const struct column columns[] = {{.name = "n", .type = COLUMN_INT64}, {0}};
    CLEANUP(buf_deinit) struct buf sql = BUF_INIT(SQL_BYTES);
    CLEANUP(buf_deinit) struct buf what = BUF_INIT(SQL_BYTES);
    int r = buf_printf(&what, err, "CAST(SUM(%s) AS %s) AS n", dialect_of(o)->length,
                       warehouse_is_bigquery(o->warehouse) ? "INT64" : "BIGINT");
    if (r == 0)
        r = buf_append_byte(&what, '\0', err);
    if (r == 0)
        r = append_select(&sql, o, (const char *)what.data, err);
    if (r == 0)
        r = buf_append_byte(&sql, '\0', err);
    *bytes = 0;
    return r < 0 ? r
                 : warehouse_query(o->warehouse, (const char *)sql.data, columns, take_number,
                                   bytes, err);
}

struct rows {
    struct decoder *decoder;
    struct buf payload; // with the slack that decoding wants
    uint64_t number;
    struct progress *progress;
};

static int take_row(void *arg, const struct cell *cells, struct err *err)
{
    struct rows *rows = arg;
    struct span text = {0};
    if (!cells[0].is_null)
        text = cells[0].text;
    buf_clear(&rows->payload);
    rows->number++;
    progress_add(rows->progress, 1, text.len);
    if (text.len > STAGING_MAX_LINE) {
        decoder_too_long(rows->decoder, rows->number);
        return decoder_commit(rows->decoder, err);
    }
    int r = buf_reserve(&rows->payload, text.len + NDJSON_SLACK, err);
    if (r == 0)
        r = buf_append(&rows->payload, text.ptr, text.len, err);
    if (r == 0)
        r = decoder_payload(rows->decoder, buf_span(&rows->payload), rows->number, err);
    return r < 0 ? r : decoder_commit(rows->decoder, err);
}

static int read_rows(struct staging_intake *in, struct err *err)
{
    static const struct column columns[] = {{.name = "payload", .type = COLUMN_STRING}, {0}};
    const struct staging_options *o = in->options;
    CLEANUP(buf_deinit) struct buf sql = BUF_INIT(SQL_BYTES);
    CLEANUP(decoder_freep) struct decoder *decoder = NULL;
    int r = append_select(&sql, o, dialect_of(o)->select, err);
    if (r == 0)
        r = buf_append_byte(&sql, '\0', err);
    if (r == 0)
        r = decoder_new(&decoder, in, err);
    if (r < 0)
        return r;
    struct rows rows = {.decoder = decoder, .payload = BUF_INIT(STAGING_MAX_LINE + NDJSON_SLACK)};
    rows.progress = &in->progress;
    progress_start(&in->progress, "staging: pings", 0, o->progress);
    r = warehouse_query(o->warehouse, (const char *)sql.data, columns, take_row, &rows, err);
    progress_end(&in->progress);
    buf_deinit(&rows.payload);
    return r;
}

/* The day's own folder below export_to. */
static int export_folder(struct buf *out, const char *base, const char *date, struct err *err)
{
    int r = buf_printf(out, err, "%s%sweir-staging-%.10s", base, base[0] ? "/" : "", date);
    return r < 0 ? r : buf_append_byte(out, '\0', err);
}

static int export_rows(const struct staging_options *o, struct err *err)
{
    const struct dialect *d = dialect_of(o);
    CLEANUP(buf_deinit) struct buf sql = BUF_INIT(SQL_BYTES);
    CLEANUP(buf_deinit) struct buf url = BUF_INIT(SQL_BYTES);
    int r = check_url(o->export_url, err);
    if (r == 0)
        r = export_folder(&url, o->export_url, o->date, err);
    if (r == 0)
        r = append_part(&sql, d->export_head, (const char *)url.data, SQL_BYTES, err);
    if (r == 0)
        r = append_select(&sql, o, d->select, err);
    if (r == 0)
        r = append_part(&sql, d->export_tail, (const char *)url.data, SQL_BYTES, err);
    if (r == 0)
        r = buf_append_byte(&sql, '\0', err);
    return r < 0 ? r : warehouse_query(o->warehouse, (const char *)sql.data, NULL, NULL, NULL, err);
}

static int read_exported(struct staging_intake *in, struct err *err)
{
    const struct staging_options *o = in->options;
    CLEANUP(buf_deinit) struct buf dir = BUF_INIT(SQL_BYTES);
    int r = export_folder(&dir, o->export_to.dir, o->date, err);
    if (r < 0)
        return r;
    const struct place day = {.store = o->export_to.store, .dir = (const char *)dir.data};
    r = place_clear(&day, "", err);
    // A directory has to be there before DuckDB writes into it; for a bucket it is one object more.
    if (r == 0)
        r = place_mark(&day, "_begun", err);
    if (r == 0)
        r = export_rows(o, err);
    if (r == 0)
        r = staging_read_place(in, &day, STAGING_EXPORT, err);
    struct err ignored; // of a clean-up behind a failure
    const int cleared = place_clear(&day, "", r < 0 ? &ignored : err);
    return r < 0 ? r : cleared;
}

int staging_read_table(struct staging_intake *in, struct err *err)
{
    const struct staging_options *o = in->options;
    const uint64_t above = o->export_above_bytes > 0 ? o->export_above_bytes : default_export_above;
    uint64_t bytes = 0;
    int r = check_table(o->table, err);
    // A local database has no limit, and is exported only where that is asked for.
    if (r == 0 && (o->export_to.store || warehouse_is_bigquery(o->warehouse)))
        r = measure(o, &bytes, err);
    if (r < 0)
        return r;
    if (bytes > above && !o->export_to.store)
        return err_set(err, E_ARG, 0,
                       "%s has %" PRIu64 " MB of payloads on this date, too many to query: name a "
                       "folder of a bucket to export them to (--export-to)",
                       o->table, bytes / 1000000);
    return bytes > above ? read_exported(in, err) : read_rows(in, err);
}
