/* SPDX-License-Identifier: MPL-2.0 */
#include "fxci/rows.h"

#include "base/log.h"

enum { JSON_MAX_BYTES = 128 << 20 };

/* What a batch holds, in the order of its tables: fxci_table begins with them. */
static const enum fxci_table stored[] = {FXCI_TASKS, FXCI_RUNS, FXCI_DEFINITIONS};

static int begin(struct rows *rows, struct err *err)
{
    const struct table_schema *schemas[ARRAY_LEN(stored)];
    for (size_t i = 0; i < ARRAY_LEN(stored); i++)
        schemas[i] = &rows->tables->schemas[stored[i]];
    int r = rows->open(rows->open_arg, &rows->w, err);
    if (r == 0)
        r = warehouse_batch_begin(&rows->batch, rows->w, schemas, ARRAY_LEN(stored), rows->since,
                                  err);
    return r;
}

static int keep_row(struct rows *rows, size_t table, struct span json, const char *reason,
                    struct err *err)
{
    log_event(LOG_LEVEL_WARNING, "a row is refused and kept as a failed record",
              LOG_S("table", fxci_table_name(stored[table])), LOG_S("cause", reason));
    return state_fail(rows->state,
                      &(struct state_entry){.kind = STATE_RECORD,
                                            .body = json,
                                            .table = fxci_table_name(stored[table]),
                                            .reason = span_str(reason),
                                            .expires_us = INT64_MIN},
                      NULL, err);
}

static int keep_refused(void *arg, size_t table, struct span json, const char *reason,
                        struct err *err)
{
    return keep_row(arg, table, json, reason, err);
}

/* A row that the warehouse's own checks turn down is as lost as one that the server refuses. */
static int keep_unusable(struct rows *rows, size_t table, const struct cell *cells,
                         const char *reason, struct err *err)
{
    buf_clear(&rows->json);
    rows->json.max = JSON_MAX_BYTES;
    const int r =
        warehouse_row_json(&rows->json, rows->tables->schemas[stored[table]].columns, cells, err);
    return r < 0 ? r : keep_row(rows, table, buf_span(&rows->json), reason, err);
}

int rows_add(struct rows *rows, enum fxci_table table, const struct cell *cells, struct err *err)
{
    int r = rows->batch ? 0 : begin(rows, err);
    if (r < 0)
        return r;
    r = warehouse_batch_row(rows->batch, table, cells, err);
    if (r != E_FORMAT)
        return r;
    const struct err cause = *err;
    *err = (struct err){0};
    return keep_unusable(rows, table, cells, cause.text, err);
}

int rows_commit(struct rows *rows, struct row_counts counts[FXCI_N_TABLES], struct err *err)
{
    struct batch_outcome outcomes[ARRAY_LEN(stored)] = {0};
    if (!rows->batch)
        return 0;
    struct warehouse_batch *batch = rows->batch;
    rows->batch = NULL;
    const int r = warehouse_batch_commit(batch, outcomes, keep_refused, rows, err);
    for (size_t i = 0; i < ARRAY_LEN(stored); i++) {
        if (outcomes[i].code != 0)
            log_event(LOG_LEVEL_ERROR, "a table took nothing of a batch",
                      LOG_S("table", fxci_table_name(stored[i])),
                      LOG_S("cause", outcomes[i].err.text));
        counts[stored[i]].n_written += outcomes[i].n_written;
        counts[stored[i]].n_duplicate += outcomes[i].n_duplicate;
        counts[stored[i]].n_refused += outcomes[i].n_refused;
    }
    rows_abandon(rows);
    return r;
}

void rows_abandon(struct rows *rows)
{
    warehouse_batch_abandon(rows->batch);
    rows->batch = NULL;
    warehouse_close(rows->w);
    rows->w = NULL;
}

void rows_deinit(struct rows *rows)
{
    rows_abandon(rows);
    buf_deinit(&rows->json);
}
