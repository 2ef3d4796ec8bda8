/* SPDX-License-Identifier: MPL-2.0 */
#include "codec/record.h"
#include "processor/index.h"
#include "processor/part_out.h"

#include <inttypes.h>
#include <stdio.h>

enum {
    N_SHOWN = 20,
    N_COLUMNS = 7,
    CELL_CHARS = 20, // longer texts are cut
    CELL_BYTES = CELL_CHARS + 4,
    MIN_WIDTH = 3,
    MAX_ROW = 1 << 20,
    MAX_SHOWN = 1 << 16,
};

static const char *const column_names[N_COLUMNS] = {"id",   "timestamp", "batch_id", "origin",
                                                    "hash", "index",     "aggregate"};

struct writing {
    struct part_out out;
    struct buf line;
    uint64_t n_rows;
    char cells[N_SHOWN][N_COLUMNS][CELL_BYTES];
};

static void show_text(char cell[CELL_BYTES], struct span text)
{
    const bool cut = text.len > CELL_CHARS;
    snprintf(cell, CELL_BYTES, "%.*s%s", (int)(cut ? CELL_CHARS - 3 : text.len),
             text.len > 0 ? (const char *)text.ptr : "", cut ? "..." : "");
    for (char *c = cell; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            *c = '?'; // nothing that moves a terminal's cursor
}

static void show_row(char cells[N_COLUMNS][CELL_BYTES], const struct index_row *row)
{
    const struct span texts[] = {row->id, row->timestamp, row->batch_id, row->origin, row->hash};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        show_text(cells[i], texts[i]);
    snprintf(cells[5], CELL_BYTES, "%" PRIu64, row->index);
    snprintf(cells[6], CELL_BYTES, "%" PRIu64, row->aggregate);
}

static int append_text(struct buf *line, const char *head, struct span text, struct err *err)
{
    const int r = buf_append_str(line, head, err);
    return r < 0 ? r : json_write_string(line, text, err);
}

static int format_row(struct buf *line, const struct index_row *row, struct err *err)
{
    buf_clear(line);
    int r = append_text(line, "{\"id\":", row->id, err);
    if (r == 0)
        r = append_text(line, ",\"timestamp\":", row->timestamp, err);
    if (r == 0)
        r = append_text(line, ",\"batch_id\":", row->batch_id, err);
    if (r == 0)
        r = append_text(line, ",\"origin\":", row->origin, err);
    if (r == 0)
        r = append_text(line, ",\"hash\":", row->hash, err);
    return r < 0 ? r
                 : buf_printf(line, err, ",\"index\":%" PRIu64 ",\"aggregate\":%" PRIu64 "}\n",
                              row->index, row->aggregate);
}

static int write_row(void *arg, const struct index_row *row, struct err *err)
{
    struct writing *w = arg;
    if (w->n_rows < N_SHOWN)
        show_row(w->cells[w->n_rows], row);
    w->n_rows++;
    const int r = format_row(&w->line, row, err);
    return r < 0 ? r : part_out_write(&w->out, w->line.data, w->line.len, err);
}

static int check_row(void *arg, const struct index_row *row, struct err *err)
{
    (void)arg, (void)row, (void)err;
    return 0;
}

static int append_rule(struct buf *out, const int widths[N_COLUMNS], struct err *err)
{
    int r = buf_append_byte(out, '+', err);
    for (size_t i = 0; i < N_COLUMNS && r == 0; i++) {
        for (int k = 0; k < widths[i] && r == 0; k++)
            r = buf_append_byte(out, '-', err);
        if (r == 0)
            r = buf_append_byte(out, '+', err);
    }
    return r < 0 ? r : buf_append_byte(out, '\n', err);
}

static int append_cells(struct buf *out, const int widths[N_COLUMNS],
                        const char *const cells[N_COLUMNS], struct err *err)
{
    int r = buf_append_byte(out, '|', err);
    for (size_t i = 0; i < N_COLUMNS && r == 0; i++)
        r = buf_printf(out, err, "%*s|", widths[i], cells[i]);
    return r < 0 ? r : buf_append_byte(out, '\n', err);
}

/* The first rows as Spark shows them. */
static int show(struct buf *out, const struct writing *w, struct err *err)
{
    const size_t n = w->n_rows < N_SHOWN ? (size_t)w->n_rows : N_SHOWN;
    int widths[N_COLUMNS];
    for (size_t i = 0; i < N_COLUMNS; i++) {
        widths[i] = strlen(column_names[i]) > MIN_WIDTH ? (int)strlen(column_names[i]) : MIN_WIDTH;
        for (size_t k = 0; k < n; k++)
            if ((int)strlen(w->cells[k][i]) > widths[i])
                widths[i] = (int)strlen(w->cells[k][i]);
    }
    int r = append_rule(out, widths, err);
    if (r == 0)
        r = append_cells(out, widths, column_names, err);
    if (r == 0)
        r = append_rule(out, widths, err);
    for (size_t k = 0; k < n && r == 0; k++) {
        const char *cells[N_COLUMNS];
        for (size_t i = 0; i < N_COLUMNS; i++)
            cells[i] = w->cells[k][i];
        r = append_cells(out, widths, cells, err);
    }
    if (r == 0)
        r = append_rule(out, widths, err);
    if (r == 0 && w->n_rows > N_SHOWN)
        r = buf_printf(out, err, "only showing top %d rows\n", N_SHOWN);
    return r;
}

static int write_file(struct writing *w, const struct index_options *options,
                      const struct index_rows *rows, struct err *err)
{
    int r = part_out_turn(&w->out, 0, (struct span){0}, err);
    if (r == 0)
        r = rows->each(rows->arg, write_row, w, err);
    if (r == 0)
        r = part_out_close(&w->out, err);
    return r < 0 ? r : place_mark(&options->output, "_SUCCESS", err);
}

int index_run(const struct index_options *options, struct index_result *result, struct err *err)
{
    const struct index_rows rows = index_published_rows(&options->published);
    struct writing w = {.line = BUF_INIT(MAX_ROW)};
    char uuid[LAYOUT_UUID_BYTES];
    *result = (struct index_result){.shown = BUF_INIT(MAX_SHOWN)};
    int r = layout_derived_uuid(uuid, (const char *const[]){"index", NULL}, err);
    if (r == 0)
        r = rows.each(rows.arg, check_row, NULL, err);
    if (r == 0 && options->dry_run)
        return 0;
    if (r == 0)
        r = place_overwrite(&options->output, err);
    if (r < 0)
        return r;
    part_out_init(&w.out, &options->output, uuid, LAYOUT_STAGE);
    r = write_file(&w, options, &rows, err);
    if (r == 0)
        r = show(&result->shown, &w, err);
    result->n_rows = w.n_rows;
    part_out_deinit(&w.out);
    buf_deinit(&w.line);
    if (r < 0)
        buf_deinit(&result->shown);
    return r;
}
