/* SPDX-License-Identifier: MPL-2.0 */
/* The run: queue after queue, then what earlier runs left. Source: fxci-etl.md 3.1, 3.7, 3.8. */
#include "base/log.h"
#include "fxci/drain_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static const int64_t us_per_day = INT64_C(86400) * 1000000;

int drain_bindings_init(struct drain_bindings *b, const char *user, bool durable, struct err *err)
{
#define EXCHANGE(name)                                                                             \
    {                                                                                              \
        name, "exchange/taskcluster-queue/v1/" name                                                \
    }
    static const struct {
        const char *name, *exchange;
    } exchanges[DRAIN_N_QUEUES] = {
        EXCHANGE("task-completed"), EXCHANGE("task-failed"), EXCHANGE("task-exception"),
        EXCHANGE("task-defined"),   {"other exchanges", ""},
    };
#undef EXCHANGE
    // A broker has no queue for exchanges that nobody binds.
    *b = (struct drain_bindings){.n = user ? DRAIN_N_QUEUES - 1 : DRAIN_N_QUEUES};
    for (size_t i = 0; i < b->n; i++) {
        const int n = snprintf(b->queues[i], sizeof b->queues[i], "queue/%s/%s", user ? user : "-",
                               exchanges[i].name);
        if (n < 0 || (size_t)n >= sizeof b->queues[i])
            return err_set(err, E_ARG, 0, "pulse.user is too long");
        b->bindings[i] = (struct broker_binding){.name = exchanges[i].name,
                                                 .exchange = exchanges[i].exchange,
                                                 .routing_key = "#",
                                                 .queue = b->queues[i],
                                                 .durable = durable};
    }
    return 0;
}

void drain_note(struct drain *d, int code, const char *what, const struct err *cause)
{
    log_event(LOG_LEVEL_ERROR, what, LOG_S("cause", cause->text));
    if (d->code != 0)
        return;
    d->code = code;
    d->first = *cause;
    (void)err_wrap(&d->first, code, "%s", what);
}

bool drain_stopped(const struct drain *d)
{
    return d->o->stop && *d->o->stop;
}

void drain_add(struct drain_counts *to, const struct drain_counts *from)
{
    to->n_taken += from->n_taken;
    to->n_runs += from->n_runs;
    to->n_ids += from->n_ids;
    to->n_ignored += from->n_ignored;
    to->n_failed += from->n_failed;
    to->n_tasks += from->n_tasks;
    to->n_redelivered += from->n_redelivered;
    to->n_retried += from->n_retried;
    to->n_recovered += from->n_recovered;
    to->n_definitions_failed += from->n_definitions_failed;
    to->n_ids_missing += from->n_ids_missing;
    for (size_t i = 0; i < FXCI_N_TABLES; i++) {
        to->tables[i].n_written += from->tables[i].n_written;
        to->tables[i].n_duplicate += from->tables[i].n_duplicate;
        to->tables[i].n_refused += from->tables[i].n_refused;
    }
}

static int drain_init(struct drain *d, const struct drain_options *o, struct err *err)
{
    *d = (struct drain){.o = o, .today = o->now_us / us_per_day};
    d->rows = (struct rows){.tables = o->tables,
                            .state = o->state,
                            .open = o->open,
                            .open_arg = o->open_arg,
                            .since = d->today - o->window_days};
    event_mapper_init(&d->events, o->cpu, d->today);
    definition_mapper_init(&d->definitions, o->cpu, d->today);
    d->messages = calloc(o->batch_messages, sizeof *d->messages);
    return d->messages ? 0 : err_set(err, E_NOMEM, 0, "no memory for a batch of messages");
}

static void drain_deinit(struct drain *d)
{
    free(d->messages);
    rows_deinit(&d->rows);
    event_mapper_deinit(&d->events);
    definition_mapper_deinit(&d->definitions);
}

static void run_all(struct drain *d)
{
    for (size_t i = 0; i < d->o->bindings->n && !drain_stopped(d); i++) {
        drain_queue(d, i);
        drain_definitions(d);
    }
    drain_retry(d);
    drain_definitions(d);
    struct err cause = {0};
    const int r = state_save(d->o->state, &cause);
    if (r < 0)
        drain_note(d, r, "what is kept for the next run could not be saved", &cause);
}

int drain_run(const struct drain_options *o, struct drain_counts *counts, struct err *err)
{
    CLEANUP(drain_deinit) struct drain d = {0};
    int r = drain_init(&d, o, err);
    if (r == 0)
        r = state_load(o->state, err);
    if (r < 0)
        return r;
    run_all(&d);
    *counts = d.total;
    if (d.code != 0 && err)
        *err = d.first;
    return d.code;
}
