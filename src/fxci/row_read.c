/* SPDX-License-Identifier: MPL-2.0 */
#include "fxci/row_read.h"

#include "base/utc.h"
#include "fxci/member.h"

#include <stdio.h>
#include <stdlib.h>

enum { MAX_FIELDS = 32 };

void row_mapper_init(struct row_mapper *m, unsigned cpu)
{
    *m = (struct row_mapper){.scratch = BUF_INIT(2 * (size_t)ROW_MAX_BYTES)};
    record_ops_init(&m->ops, cpu);
}

void row_mapper_deinit(struct row_mapper *m)
{
    buf_deinit(&m->scratch);
    free(m->items);
    m->items = NULL;
}

static int push_item(struct row_mapper *m, struct span item, struct err *err)
{
    if (m->n_items == m->room) {
        const size_t room = m->room > 0 ? m->room * 2 : 64;
        struct span *items = realloc(m->items, room * sizeof *items);
        if (!items)
            return err_set(err, E_NOMEM, 0, "no memory for %zu texts", room);
        m->items = items;
        m->room = room;
    }
    m->items[m->n_items++] = item;
    return 1;
}

static int blame(struct row_mapper *m, const char *column, const char *what)
{
    (void)snprintf(m->reason, sizeof m->reason, "%.60s %s", column, what);
    return 0;
}

/* scratch has room for all of the row. @return 1 or 0: it is no text. */
static int take_text(struct row_mapper *m, const struct member *value, struct span *text,
                     struct err *err)
{
    if (!member_is_text(value))
        return 0;
    const int r = member_text(text, value, &m->scratch, m->scratch.cap, err);
    return r < 0 ? r : 1;
}

static int take_list(struct row_mapper *m, const struct member *value, struct cell *cell,
                     struct err *err)
{
    struct json_elements it = {.text = {&m->ops, span_end(value->text)},
                               .p = value->text.ptr,
                               .max_depth = RECORD_MAX_DEPTH};
    struct member element = {0};
    int more, r = 1;
    cell->is_null = false;
    if (!value->text.ptr)
        return 1;
    while (r == 1 && (more = json_next_element(&it, &element.text, &element.escaped)) == 1) {
        struct span text;
        r = take_text(m, &element, &text, err);
        if (r == 1)
            r = push_item(m, text, err);
        cell->n_items += r == 1;
    }
    return r == 1 ? more == 0 : r;
}

static int take_record(struct row_mapper *m, const struct member *value, const char *const *fields,
                       struct cell *cell, struct err *err)
{
    struct span names[MAX_FIELDS];
    struct member members[MAX_FIELDS] = {0};
    size_t n = 0;
    int r = 1;
    for (; fields[n] && n < MAX_FIELDS; n++)
        names[n] = span_str(fields[n]);
    cell->is_null = false;
    if (!member_is_absent(value) &&
        !members_of_text(&m->ops, value->text, RECORD_MAX_DEPTH, names, n, members))
        return 0;
    for (size_t i = 0; i < n && r == 1; i++) {
        struct span text = {0};
        if (!member_is_absent(&members[i]))
            r = take_text(m, &members[i], &text, err);
        if (r == 1)
            r = push_item(m, text, err);
    }
    cell->n_items = n;
    return r;
}

static int take_value(struct row_mapper *m, const struct column *column, const struct member *value,
                      struct cell *cell, struct err *err)
{
    struct span text;
    int r = 1;
    switch (column->type) {
    case COLUMN_STRING:
        return take_text(m, value, &cell->text, err);
    case COLUMN_INT64:
        return member_integer(&cell->integer, value);
    case COLUMN_JSON:
        cell->text = value->text;
        return 1;
    case COLUMN_DATE:
        r = take_text(m, value, &text, err);
        return r == 1 ? utc_parse_date(&cell->integer, text) : r;
    case COLUMN_TIMESTAMP:
        r = take_text(m, value, &text, err);
        return r == 1 ? utc_parse_rfc3339(&cell->integer, text) : r;
    default:
        return 0; // in no table whose rows are kept
    }
}

static int take_cell(struct row_mapper *m, const struct column *column, const struct member *value,
                     struct cell *cell, struct err *err)
{
    *cell = (struct cell){.is_null = member_is_absent(value)};
    if (column->type == COLUMN_STRINGS)
        return take_list(m, value, cell, err);
    if (column->type == COLUMN_RECORD)
        return take_record(m, value, column->fields, cell, err);
    return cell->is_null ? 1 : take_value(m, column, value, cell, err);
}

/* Items do not move any more. */
static void place_items(const struct row_mapper *m, const struct table_schema *schema,
                        struct cell *cells)
{
    const struct span *items = m->items;
    for (size_t i = 0; schema->columns[i].name; i++) {
        cells[i].items = items;
        items += cells[i].n_items;
    }
}

int row_map(struct row_mapper *m, const struct table_schema *schema, struct span json,
            struct cell *cells, struct err *err)
{
    struct span names[FXCI_MAX_COLUMNS];
    struct member members[FXCI_MAX_COLUMNS];
    size_t n = 0;
    for (; schema->columns[n].name; n++)
        names[n] = span_str(schema->columns[n].name);
    m->n_items = 0;
    m->reason[0] = '\0';
    buf_clear(&m->scratch);
    int r = buf_reserve(&m->scratch, json.len + 1, err);
    if (r < 0)
        return r;
    if (!members_of_text(&m->ops, json, RECORD_MAX_DEPTH, names, n, members))
        return blame(m, schema->name, "has rows that are objects: this is none");
    for (size_t i = 0; i < n; i++) {
        r = take_cell(m, &schema->columns[i], &members[i], &cells[i], err);
        if (r < 0)
            return r;
        if (r == 0)
            return blame(m, schema->columns[i].name, "has an unusable value");
    }
    place_items(m, schema, cells);
    return 1;
}
