/* SPDX-License-Identifier: MPL-2.0 */
/* A batch of messages: mapped, then stored. Source: fxci-etl.md 3.3, 3.5, 3.6, I1 to I3. */
#include "fxci/drain_internal.h"

static int keep_event(struct drain *d, const struct broker_message *m, const char *reason,
                      bool undecodable, struct err *err)
{
    return state_fail(d->o->state,
                      &(struct state_entry){.kind = STATE_EVENT,
                                            .exchange = m->exchange,
                                            .routing_key = m->routing_key,
                                            .content_type = m->content_type,
                                            .body = m->body,
                                            .undecodable = undecodable,
                                            .reason = span_str(reason),
                                            .expires_us = INT64_MIN},
                      NULL, err);
}

static int add_rows(struct drain *d, struct drain_counts *counts, struct err *err)
{
    const struct event *e = &d->event;
    int r = 0;
    if (e->outcome == EVENT_RUN_AND_TASK) {
        counts->n_tasks++;
        r = rows_add(&d->rows, FXCI_TASKS, e->task, err);
    }
    return r < 0 ? r : rows_add(&d->rows, FXCI_RUNS, e->run, err);
}

int drain_event(struct drain *d, const struct broker_message *m, struct drain_counts *counts,
                struct err *err)
{
    const struct event *e = &d->event;
    counts->n_taken++;
    counts->n_redelivered += m->redelivered;
    if (m->is_line) {
        counts->n_failed++;
        return keep_event(d, m, m->reason, true, err);
    }
    const int r = event_map(&d->events, &d->event, m->body, err);
    if (r < 0)
        return r;
    switch (e->outcome) {
    case EVENT_IGNORED:
        counts->n_ignored++;
        return 0;
    case EVENT_FAILED:
        counts->n_failed++;
        return keep_event(d, m, e->reason, e->undecodable, err);
    case EVENT_TASK_ID:
        counts->n_ids++;
        return state_want(d->o->state, e->task_id, e->expires_us, err);
    case EVENT_RUN:
    case EVENT_RUN_AND_TASK:
        counts->n_runs++;
        return add_rows(d, counts, err);
    }
    return err_set(err, E_ARG, 0, "an event has no outcome");
}

int drain_store(struct drain *d, struct drain_counts *counts, struct err *err)
{
    struct drain_counts batch = {0};
    int r = 0;
    for (size_t i = 0; i < d->n_messages && r == 0; i++)
        r = drain_event(d, &d->messages[i], &batch, err);
    if (r == 0)
        r = rows_commit(&d->rows, batch.tables, err);
    rows_abandon(&d->rows);
    // Recorded messages always come again: their state is written once, at the queue's end.
    if (r == 0 && !broker_is_recorded(d->o->broker))
        r = state_save(d->o->state, err);
    if (r == 0)
        drain_add(counts, &batch);
    return r;
}
