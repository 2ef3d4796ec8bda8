/* SPDX-License-Identifier: MPL-2.0 */
/* BigQuery: the answer of a query job, page by page. */
#include "warehouse/bigquery_impl.h"

#include <stdlib.h>

enum { ROWS_A_PAGE = 20000 };

struct pages {
    struct bigquery *b;
    const struct column *columns;
    size_t n_columns;
    warehouse_row_fn *fn;
    void *arg;
    struct cell *cells;
    struct bigquery_nested *nested; // one a column
};

static bool is_nested(const struct column *column)
{
    return column->type == COLUMN_STRINGS || column->type == COLUMN_RECORD;
}

/* "JSON" is text here, as in a load. */
static bool fits(const struct column *want, const json_t *field)
{
    const char *type = json_string_value(json_object_get(field, "type"));
    const char *mode = json_string_value(json_object_get(field, "mode"));
    const bool repeated = mode && strcmp(mode, "REPEATED") == 0;
    if (!type || repeated != (want->type == COLUMN_STRINGS))
        return false;
    if (want->type == COLUMN_JSON && bigquery_is_type(COLUMN_STRING, type))
        return true;
    return bigquery_is_type(want->type, type);
}

static int check_columns(const struct pages *p, const json_t *page, struct err *err)
{
    const json_t *fields = json_object_get(json_object_get(page, "schema"), "fields");
    if (json_array_size(fields) != p->n_columns)
        return err_set(err, E_ARG, 0, "the query gives %zu columns, not %zu",
                       json_array_size(fields), p->n_columns);
    for (size_t i = 0; i < p->n_columns; i++)
        if (!fits(&p->columns[i], json_array_get(fields, i)))
            return err_set(err, E_ARG, 0, "column %s of the query is not of type %s%s: cast it",
                           p->columns[i].name,
                           p->columns[i].type == COLUMN_STRINGS ? "repeated " : "",
                           bigquery_type_name(p->columns[i].type));
    int r = 0;
    for (size_t i = 0; i < p->n_columns && r == 0; i++)
        r = bigquery_nested_init(&p->nested[i], &p->columns[i], json_array_get(fields, i), err);
    return r;
}

static int read_column(const struct pages *p, size_t i, const json_t *value, struct err *err)
{
    return is_nested(&p->columns[i])
               ? bigquery_read_nested(&p->nested[i], &p->cells[i], &p->columns[i], value, err)
               : bigquery_read_cell(&p->cells[i], &p->columns[i], value, err);
}

static int hand_out_row(const struct pages *p, const json_t *row, struct err *err)
{
    const json_t *values = json_object_get(row, "f");
    int r = 0;
    if (json_array_size(values) != p->n_columns)
        return err_set(err, E_FORMAT, 0, "BigQuery's answer has a row of %zu columns, not %zu",
                       json_array_size(values), p->n_columns);
    for (size_t i = 0; i < p->n_columns && r == 0; i++)
        r = read_column(p, i, json_object_get(json_array_get(values, i), "v"), err);
    return r < 0 ? r : p->fn(p->arg, p->cells, err);
}

static int hand_out(const struct pages *p, const json_t *page, struct err *err)
{
    const json_t *rows = json_object_get(page, "rows");
    int r = 0;
    for (size_t i = 0; i < json_array_size(rows) && r == 0; i++)
        r = hand_out_row(p, json_array_get(rows, i), err);
    return r;
}

/* token "": the first page. */
static int get_page(const struct pages *p, const json_t *job, const char *token, json_t **page,
                    struct err *err)
{
    CLEANUP(buf_deinit) struct buf path = BUF_INIT(BIGQUERY_URL_MAX);
    int status = 0;
    int r = bigquery_job_path(&path, "queries", job, err);
    if (r == 0)
        r = buf_printf(&path, err, "&maxResults=%d&formatOptions.useInt64Timestamp=true%s",
                       ROWS_A_PAGE, *token ? "&pageToken=" : "");
    if (r == 0)
        r = http_escape(&path, span_str(token), false, err);
    if (r == 0)
        r = buf_append_byte(&path, '\0', err);
    if (r == 0)
        r = bigquery_call(p->b, "GET", (const char *)path.data, NULL, &status, page, err);
    if (r == 0 && status != 200)
        r = bigquery_answer_err(err, E_IO, p->b, "GET /queries", status, *page);
    return r;
}

static int walk_pages(const struct pages *p, const json_t *job, struct err *err)
{
    json_t *page = NULL;
    int r = get_page(p, job, "", &page, err);
    if (r == 0)
        r = check_columns(p, page, err);
    while (r == 0) {
        r = hand_out(p, page, err);
        const char *token = json_string_value(json_object_get(page, "pageToken"));
        if (r < 0 || !token || !*token)
            break;
        json_t *next = NULL;
        r = get_page(p, job, token, &next, err);
        json_decref(page);
        page = next;
    }
    json_decref(page);
    return r;
}

int bigquery_walk_pages(struct bigquery *b, const json_t *job, const struct column *columns,
                        warehouse_row_fn *fn, void *arg, struct err *err)
{
    struct pages pages = {
        .b = b, .columns = columns, .n_columns = count_columns(columns), .fn = fn, .arg = arg};
    pages.cells = calloc(pages.n_columns + 1, sizeof *pages.cells);
    pages.nested = calloc(pages.n_columns + 1, sizeof *pages.nested);
    const int r = pages.cells && pages.nested ? walk_pages(&pages, job, err)
                                              : err_set(err, E_NOMEM, 0, "no memory for rows");
    for (size_t i = 0; i < pages.n_columns && pages.nested; i++)
        bigquery_nested_deinit(&pages.nested[i]);
    free(pages.nested);
    free(pages.cells);
    return r;
}
