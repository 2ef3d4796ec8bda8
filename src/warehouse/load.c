/* SPDX-License-Identifier: MPL-2.0 */
/* Loading: what is checked of each row before a backend sees it. */
#include "base/utf8.h"
#include "warehouse/handle.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>

struct warehouse_load {
    struct warehouse *w;
    void *impl;
    struct table_name name;
    const struct table_schema *schema;
    size_t partition; // index of the column, or SIZE_MAX
    int64_t date;
    uint64_t n_rows;
    bool failed;
};

static size_t column_index(const struct column *columns, const char *name)
{
    for (size_t i = 0; name && columns[i].name; i++)
        if (strcmp(columns[i].name, name) == 0)
            return i;
    return SIZE_MAX;
}

static int load_begin(struct warehouse_load *load, enum load_mode mode, struct err *err)
{
    struct warehouse *w = load->w;
    if (w->loading || w->read_only)
        return err_set(err, E_ARG, 0, "%s: %s", w->url,
                       w->loading ? "another load has not ended" : "opened for reading only");
    if (mode == LOAD_REPLACE_PARTITION && !load->schema->partition_column)
        return err_set(err, E_ARG, 0, "table %s has no partitions to replace", load->schema->name);
    if (mode == LOAD_REPLACE_PARTITION)
        load->partition = column_index(load->schema->columns, load->schema->partition_column);
    int r = table_name_init(&load->name, w, load->schema->name, err);
    if (r == 0)
        r = warehouse_ensure_table(w, load->schema, err);
    if (r == 0)
        r = w->ops->load_begin(&load->impl, w->impl, &load->name, load->schema, mode, load->date,
                               err);
    if (r == 0)
        w->loading = true;
    return r;
}

int warehouse_load_begin(struct warehouse_load **out, struct warehouse *w,
                         const struct table_schema *schema, enum load_mode mode, int64_t date,
                         struct err *err)
{
    CLEANUP(warehouse_load_abandonp) struct warehouse_load *load = calloc(1, sizeof *load);
    if (!load)
        return err_set(err, E_NOMEM, 0, "no memory for a load");
    load->w = w;
    load->schema = schema;
    load->date = date;
    load->partition = SIZE_MAX;
    const int r = load_begin(load, mode, err);
    if (r < 0)
        return r;
    *out = load;
    load = NULL;
    return 0;
}

static bool is_json(struct span text)
{
    json_t *json = json_loadb((const char *)text.ptr, text.len,
                              JSON_DECODE_ANY | JSON_DECODE_INT_AS_REAL | JSON_ALLOW_NUL, NULL);
    json_decref(json);
    return json;
}

/* Each backend would take, or change, what the other refuses. */
static const char *cell_problem(const struct column *column, const struct cell *cell)
{
    static const int64_t first_day = -719162, last_day = 2932896; // 0001-01-01 and 9999-12-31
    if (cell->is_null)
        return column->required ? "is null" : NULL;
    switch (column->type) {
    case COLUMN_STRING:
        return utf8_is_valid(cell->text) ? NULL : "is not UTF-8";
    case COLUMN_JSON:
        return is_json(cell->text) ? NULL : "is not JSON";
    case COLUMN_DATE:
        return cell->integer >= first_day && cell->integer <= last_day ? NULL : "is out of range";
    case COLUMN_TIMESTAMP:
    case COLUMN_DATETIME:
        return cell->integer >= first_day * us_per_day &&
                       cell->integer < (last_day + 1) * us_per_day
                   ? NULL
                   : "is out of range";
    default:
        return NULL;
    }
}

static int check_row(const struct warehouse_load *load, const struct cell *cells, struct err *err)
{
    const struct column *columns = load->schema->columns;
    for (size_t i = 0; columns[i].name; i++) {
        const char *problem = cell_problem(&columns[i], &cells[i]);
        if (problem)
            return err_set(err, E_FORMAT, 0, "row %" PRIu64 " for %s: column %s %s",
                           load->n_rows + 1, load->schema->name, columns[i].name, problem);
    }
    if (load->partition == SIZE_MAX)
        return 0;
    const struct cell *date = &cells[load->partition];
    return !date->is_null && date->integer == load->date
               ? 0
               : err_set(err, E_ARG, 0,
                         "row %" PRIu64 " for %s: column %s is not the date being loaded",
                         load->n_rows + 1, load->schema->name, columns[load->partition].name);
}

int warehouse_load_row(struct warehouse_load *load, const struct cell *cells, struct err *err)
{
    int r = check_row(load, cells, err);
    if (r == 0)
        r = load->w->ops->load_row(load->impl, cells, err);
    load->failed |= r < 0;
    load->n_rows++;
    return r;
}

int warehouse_load_commit(struct warehouse_load *load, uint64_t *n_rows, struct err *err)
{
    int r = load->failed ? err_set(err, E_ARG, 0, "a load for %s is committed after a row failed",
                                   load->schema->name)
                         : load->w->ops->load_commit(load->impl, err);
    if (r == 0 && n_rows)
        *n_rows = load->n_rows;
    warehouse_load_abandon(load);
    return r;
}

void warehouse_load_abandon(struct warehouse_load *load)
{
    if (!load)
        return;
    if (load->impl) {
        load->w->ops->load_free(load->impl);
        load->w->loading = false;
    }
    table_name_deinit(&load->name);
    free(load);
}
