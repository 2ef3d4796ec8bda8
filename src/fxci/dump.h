/* dump.h - the rows of our tables and views as text. Source: embedded.md, fxci-etl.md X11, X13. */
#pragma once

#include "fxci/tables.h"

/* A table or a view of it. */
struct dump_source {
    struct table_schema schema;
    char name[320]; // of a view, to which schema points: it must stay where it is
};
/** name: "tasks_v2", "fxci_derived.tasks_v2", "tasks", "fxci.tasks". @return 0, or E_ARG naming
 * what there is. */
MUST_CHECK int dump_find(struct dump_source *source, const struct fxci_tables *tables,
                         const char *name, struct err *err);

/**
 * Write the rows of a partition (INT64_MIN: of all), sorted by the stored key (a table without one:
 * by all columns): null first, numbers by value, text by bytes. Times are cut to milliseconds.
 * @return 0, E_ABSENT (no such table yet), or E_*.
 */
MUST_CHECK int dump_write(const struct dump_source *source, struct warehouse *w, int64_t date,
                          enum rows_format format,
                          int (*write)(void *arg, const void *bytes, size_t len, struct err *err),
                          void *write_arg, struct err *err);
