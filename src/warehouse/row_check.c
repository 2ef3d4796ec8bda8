/* SPDX-License-Identifier: MPL-2.0 */
/* What is checked of each row before a backend sees it: each would take, or change, what the other
 * refuses. */
#include "base/utf8.h"
#include "warehouse/handle.h"

#include <inttypes.h>
#include <jansson.h>

size_t find_column(const struct column *columns, const char *name)
{
    for (size_t i = 0; name && columns[i].name; i++)
        if (strcmp(columns[i].name, name) == 0)
            return i;
    return SIZE_MAX;
}

static bool is_json(struct span text)
{
    json_t *json = json_loadb((const char *)text.ptr, text.len,
                              JSON_DECODE_ANY | JSON_DECODE_INT_AS_REAL | JSON_ALLOW_NUL, NULL);
    json_decref(json);
    return json;
}

static bool are_utf8(const struct cell *cell)
{
    for (size_t i = 0; i < cell->n_items; i++)
        if (!utf8_is_valid(cell->items[i]))
            return false;
    return true;
}

static const char *cell_problem(const struct column *column, const struct cell *cell)
{
    static const int64_t first_day = -719162, last_day = 2932896; // 0001-01-01 and 9999-12-31
    if (cell->is_null)
        return column->required ? "is null" : NULL;
    switch (column->type) {
    case COLUMN_STRING:
        return utf8_is_valid(cell->text) ? NULL : "is not UTF-8";
    case COLUMN_STRINGS:
    case COLUMN_RECORD:
        return are_utf8(cell) ? NULL : "is not UTF-8";
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

int check_row(const struct table_schema *schema, const struct cell *cells, uint64_t number,
              struct err *err)
{
    const struct column *columns = schema->columns;
    for (size_t i = 0; columns[i].name; i++) {
        const char *problem = cell_problem(&columns[i], &cells[i]);
        if (problem)
            return err_set(err, E_FORMAT, 0, "row %" PRIu64 " for %s: column %s %s", number,
                           schema->name, columns[i].name, problem);
    }
    return 0;
}
