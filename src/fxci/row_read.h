/*
 * row_read.h - a row of a table from its JSON, as warehouse_row_json writes it.
 */
#pragma once

#include "base/buf.h"
#include "codec/record.h"
#include "fxci/tables.h"

enum { ROW_REASON_BYTES = 160, ROW_MAX_BYTES = 64 << 20 };

/* Spans of cells borrow from the text or from here, until the next row. */
struct row_mapper {
    struct record_ops ops;
    struct buf scratch;
    struct span *items; // of lists and records
    size_t n_items, room;
    char reason[ROW_REASON_BYTES];
};
void row_mapper_init(struct row_mapper *m, unsigned cpu);
void row_mapper_deinit(struct row_mapper *m);

/**
 * Members that the schema does not know are passed over; what is absent is null, or empty.
 * json: NDJSON_SLACK readable bytes behind it. cells: one a column of the schema.
 * @return 1; 0: it is no such row, see reason; or E_NOMEM.
 */
MUST_CHECK int row_map(struct row_mapper *m, const struct table_schema *schema, struct span json,
                       struct cell *cells, struct err *err);
