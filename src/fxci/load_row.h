/*
 * load_row.h - a row that somebody brings, or that was refused before, as the cells of one of our
 * tables. Source: fxci-etl.md X11, X13.
 */
#pragma once

#include "fxci/member.h"
#include "fxci/tables.h"

enum { LOAD_MAX_FIELDS = 16, LOAD_MAX_UNKNOWN = 64 };

struct load_row {
    struct record_ops ops;
    const struct table_schema *schema; // borrowed
    bool tabular;                      // rows come from CSV or Parquet
    size_t n_columns;
    struct span names[FXCI_MAX_COLUMNS];
    struct cell cells[FXCI_MAX_COLUMNS]; // borrow from the row and from here, until the next row
    struct span fields[LOAD_MAX_FIELDS];
    struct member_items lists;
    struct buf scratch;
    size_t room; // of scratch, for the row
    /* Hears of each column, or field as "tags.x", that the table does not have, once; NULL: nobody.
     */
    void (*unknown)(void *arg, const char *name);
    void *unknown_arg;
    struct buf known_unknown; // names, a newline behind each
};
void load_row_init(struct load_row *l, unsigned cpu, const struct table_schema *schema,
                   bool tabular);
void load_row_deinit(struct load_row *l);
/**
 * Read one row, NDJSON_SLACK bytes behind it, into l->cells: absent is null, of a list empty, of a
 * record all fields null. @return 0, E_FORMAT naming the column, or E_NOMEM.
 */
MUST_CHECK int load_row_read(struct load_row *l, struct span row, struct err *err);
