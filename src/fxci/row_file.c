/* SPDX-License-Identifier: MPL-2.0 */
#include "fxci/row_file.h"

#include "base/source.h"
#include "codec/gzip.h"
#include "codec/ndjson.h"

#include <inttypes.h>
#include <string.h>

enum {
    SNIFF_BYTES = 4096,
    CHUNK_BYTES = 1 << 20,
    SQL_BYTES_MAX = 1 << 16,
    CSV_MAX_LINE = 32 << 20
};

static bool ends_with(const char *path, const char *end)
{
    const size_t n = strlen(path), n_end = strlen(end);
    return n >= n_end && strcmp(path + n - n_end, end) == 0;
}

/* @return -1: the name does not say. */
static int kind_of_name(const char *path)
{
    static const struct {
        const char *end;
        int kind;
    } ends[] = {
        {".parquet", ROW_FILE_PARQUET},  {".csv", ROW_FILE_CSV},
        {".csv.gz", ROW_FILE_CSV},       {".ndjson", ROW_FILE_NDJSON},
        {".jsonl", ROW_FILE_NDJSON},     {".json", ROW_FILE_NDJSON},
        {".ndjson.gz", ROW_FILE_NDJSON}, {".jsonl.gz", ROW_FILE_NDJSON},
        {".json.gz", ROW_FILE_NDJSON},
    };
    for (size_t i = 0; i < ARRAY_LEN(ends); i++)
        if (ends_with(path, ends[i].end))
            return ends[i].kind;
    return -1;
}

static int kind_of_content(struct span start)
{
    static const char magic[] = "PAR1";
    if (start.len >= sizeof magic - 1 && memcmp(start.ptr, magic, sizeof magic - 1) == 0)
        return ROW_FILE_PARQUET;
    size_t i = 0;
    while (i < start.len && memchr(" \t\r\n", start.ptr[i], 4))
        i++;
    return i == start.len || start.ptr[i] == '{' || start.ptr[i] == '[' ? ROW_FILE_NDJSON
                                                                        : ROW_FILE_CSV;
}

struct input {
    struct file_source file;
    struct gunzip *gunzip;
};

static void input_close(struct input *in)
{
    gunzip_free(in->gunzip);
    file_source_close(&in->file);
}

static int input_open(struct input *in, const char *path, struct err *err)
{
    const int r = file_source_open(&in->file, path, err);
    return r < 0 ? r : gunzip_new(&in->gunzip, file_source(&in->file), err);
}

int row_file_open(struct row_file *file, const char *path, struct err *err)
{
    CLEANUP(input_close) struct input in = {.file = {.fd = -1}};
    uint8_t start[SNIFF_BYTES];
    *file = (struct row_file){.path = path};
    int r = input_open(&in, path, err);
    if (r < 0)
        return r;
    const struct source from = gunzip_source(in.gunzip);
    const ssize_t n = from.read(from.arg, start, sizeof start, err);
    if (n < 0)
        return (int)n;
    const int named = kind_of_name(path);
    file->packed = gunzip_is_packed(in.gunzip);
    file->kind = named >= 0 ? named : kind_of_content(span_of(start, (size_t)n));
    file->tabular = file->kind != ROW_FILE_NDJSON;
    return 0;
}

struct rows {
    const char *path, *unit; // "line", "row"
    row_file_fn *fn;
    void *arg;
    uint64_t number;
    struct buf padded; // a row of DuckDB's
};

static int hand_out(struct rows *rows, struct span text, struct err *err)
{
    const int r = rows->fn(rows->arg, text, err);
    return r == E_FORMAT ? err_wrap(err, r, "%s, %s %" PRIu64, rows->path, rows->unit, rows->number)
                         : r;
}

static bool is_blank(struct span line)
{
    for (size_t i = 0; i < line.len; i++)
        if (!memchr(" \t\r", line.ptr[i], 3))
            return false;
    return true;
}

static int read_chunk(struct rows *rows, struct ndjson_chunk *chunk, struct err *err)
{
    struct span line;
    int r = 0;
    if (chunk->too_long)
        return err_set(err, E_FORMAT, 0, "%s, line %" PRIu64 ": it is longer than %d MiB",
                       rows->path, chunk->first_line, ROW_FILE_MAX_LINE >> 20);
    while (r == 0 && ndjson_line(chunk, &line)) {
        rows->number = chunk->line;
        if (!is_blank(line))
            r = hand_out(rows, line, err);
    }
    return r;
}

static int read_ndjson(struct rows *rows, struct err *err)
{
    CLEANUP(input_close) struct input in = {.file = {.fd = -1}};
    int r = input_open(&in, rows->path, err);
    if (r < 0)
        return r;
    CLEANUP(ndjson_reader_deinit) struct ndjson_reader reader;
    CLEANUP(ndjson_chunk_deinit) struct ndjson_chunk chunk;
    ndjson_reader_init(&reader, gunzip_source(in.gunzip), ROW_FILE_MAX_LINE);
    ndjson_chunk_init(&chunk, ROW_FILE_MAX_LINE);
    while ((r = ndjson_fill(&reader, &chunk, CHUNK_BYTES, err)) > 0) {
        r = read_chunk(rows, &chunk, err);
        if (r < 0)
            return r;
    }
    return r == E_FORMAT ? err_wrap(err, r, "%s", rows->path) : r;
}

/* DuckDB takes a path for a pattern. */
static int escape_path(struct buf *out, const char *path, struct err *err)
{
    int r = 0;
    for (const char *c = path; *c && r == 0; c++)
        r = strchr("*?[", *c) ? buf_printf(out, err, "[%c]", *c)
                              : buf_append_byte(out, (uint8_t)*c, err);
    return r < 0 ? r : buf_append_byte(out, '\0', err);
}

static int take_row(void *arg, const struct cell *cells, struct err *err)
{
    static const uint8_t slack[NDJSON_SLACK];
    struct rows *rows = arg;
    const struct span text = cells[0].text;
    rows->number++;
    buf_clear(&rows->padded);
    int r = buf_append(&rows->padded, text.ptr, text.len, err);
    if (r == 0)
        r = buf_append(&rows->padded, slack, sizeof slack, err);
    return r < 0 ? r : hand_out(rows, span_of(rows->padded.data, text.len), err);
}

static int read_table(struct rows *rows, struct warehouse *w, const struct row_file *file,
                      struct err *err)
{
    static const struct column columns[] = {{.name = "row", .type = COLUMN_JSON}, {.name = NULL}};
    const char *sql = file->kind == ROW_FILE_PARQUET
                          ? "SELECT to_json(t) AS row FROM read_parquet({path}) AS t"
                          : "SELECT to_json(t) AS row FROM read_csv({path}, header = true, "
                            "all_varchar = true, compression = {compression}, "
                            "allow_quoted_nulls = {quoted_nulls}, quote = '\"', escape = '\"', "
                            "max_line_size = {max_line}, buffer_size = {max_line}) AS t";
    CLEANUP(buf_deinit) struct buf path = BUF_INIT(SQL_BYTES_MAX);
    CLEANUP(buf_deinit) struct buf query = BUF_INIT(SQL_BYTES_MAX);
    int r = escape_path(&path, rows->path, err);
    if (r < 0)
        return r;
    const struct sql_value values[] = {
        {"path", SQL_TEXT, (const char *)path.data, 0},
        {"compression", SQL_TEXT, file->packed ? "gzip" : "none", 0},
        {"quoted_nulls", SQL_VERBATIM, file->keep_empty ? "false" : "true", 0},
        {.name = "max_line", .kind = SQL_INT, .integer = CSV_MAX_LINE},
        {.name = NULL},
    };
    r = warehouse_fill_sql(&query, w, sql, values, err);
    if (r == 0)
        r = warehouse_query(w, (const char *)query.data, columns, take_row, rows, err);
    buf_deinit(&rows->padded);
    return r == E_IO ? err_wrap(err, r, "%s", file->path) : r;
}

int row_file_read(const struct row_file *file, struct warehouse *w, row_file_fn *fn, void *arg,
                  struct err *err)
{
    struct rows rows = {.path = file->path,
                        .unit = file->tabular ? "row" : "line",
                        .fn = fn,
                        .arg = arg,
                        .padded = BUF_INIT(ROW_FILE_MAX_LINE + NDJSON_SLACK)};
    return file->tabular ? read_table(&rows, w, file, err) : read_ndjson(&rows, err);
}
