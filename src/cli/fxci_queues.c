/* SPDX-License-Identifier: MPL-2.0 */
/* report queues: what waits in the pulse queues, and who reads them (X8). */
#include "base/log.h"
#include "cli/fxci.h"
#include "fxci/drain.h"

static const struct column columns[] = {
    {.name = "queue", .type = COLUMN_STRING},
    {.name = "ready", .type = COLUMN_INT64},
    {.name = "consumers", .type = COLUMN_INT64},
    {.name = NULL},
};

enum { QUEUE, READY, CONSUMERS, N_COLUMNS };

struct queues {
    struct fxci_setup setup;
    struct drain_bindings bindings;
    struct broker *broker;
    struct cell rows[DRAIN_N_QUEUES][N_COLUMNS];
};

static void queues_deinit(struct queues *q)
{
    broker_close(q->broker);
    fxci_end(&q->setup);
}

/* A queue that was never drained is not there yet: its numbers are null. */
static int look_at(struct queues *q, size_t binding, struct err *err)
{
    uint64_t n_ready = 0, n_consumers = 0;
    struct cell *row = q->rows[binding];
    int r = broker_queue_ready(q->broker, binding, &n_ready, &n_consumers, err);
    const bool absent = r == E_ABSENT;
    if (absent) {
        log_event(LOG_LEVEL_WARNING, "there is no such queue yet: the first pulse drain makes it",
                  LOG_S("queue", q->bindings.queues[binding]));
        *err = (struct err){0};
        r = 0;
    }
    row[QUEUE].text = span_str(q->bindings.queues[binding]);
    row[READY] = (struct cell){.is_null = absent, .integer = (int64_t)n_ready};
    row[CONSUMERS] = (struct cell){.is_null = absent, .integer = (int64_t)n_consumers};
    return r;
}

/* Everything is known before a line is printed: widths need the rows twice. */
static int look(struct queues *q, struct err *err)
{
    const struct broker_config config = fxci_broker_config(&q->setup);
    int r = drain_bindings_init(&q->bindings, q->setup.config.pulse.user,
                                q->setup.config.pulse.durable, err);
    if (r == 0)
        r = broker_open(&q->broker, &config, q->bindings.bindings, q->bindings.n, err);
    for (size_t i = 0; i < q->bindings.n && r == 0; i++)
        r = look_at(q, i, err);
    return r;
}

static int scan(void *scan_arg, warehouse_row_fn *fn, void *arg, struct err *err)
{
    const struct queues *q = scan_arg;
    int r = 0;
    for (size_t i = 0; i < q->bindings.n && r == 0; i++)
        r = fn(arg, q->rows[i], err);
    return r;
}

int cmd_report_queues(void *args, struct err *err)
{
    static const enum rows_format formats[] = {ROWS_TABLE, ROWS_CSV, ROWS_NDJSON};
    CLEANUP(queues_deinit) struct queues q = {0};
    int r = fxci_start(&q.setup, args, &(const struct config_use){.pulse = true}, err);
    if (r == 0)
        r = look(&q, err);
    if (r < 0)
        return fxci_exit(r);
    const struct rows_text text = {
        .columns = columns,
        .format = formats[q.setup.args->format],
        .write = fxci_print,
    };
    return fxci_exit(rows_text_write(&text, scan, &q, err));
}
