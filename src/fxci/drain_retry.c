/* SPDX-License-Identifier: MPL-2.0 */
/* Failed events of earlier runs, tried once. Source: fxci-etl.md 3.6, X12. */
#include "base/log.h"
#include "fxci/drain_internal.h"

#include <stdio.h>
#include <string.h>

enum { IDS_MAX_BYTES = 256 << 20 };

struct retry_events {
    struct drain *d;
    struct drain_counts counts;
    struct buf done; // ids of those that failed no more, STATE_ID_BYTES each
};

static void retry_events_deinit(struct retry_events *t)
{
    buf_deinit(&t->done);
}

static int retry_event(void *arg, const struct state_entry *entry, struct err *err)
{
    struct retry_events *t = arg;
    if (state_was_tried(t->d->o->state, entry->id))
        return 0;
    char id[STATE_ID_BYTES], reason[EVENT_REASON_BYTES];
    memcpy(id, entry->id, sizeof id);
    (void)snprintf(reason, sizeof reason, "%.*s", (int)entry->reason.len,
                   (const char *)entry->reason.ptr);
    const struct broker_message m = {.exchange = entry->exchange,
                                     .routing_key = entry->routing_key,
                                     .content_type = entry->content_type,
                                     .body = entry->body,
                                     // A line that was no message must not pass for a payload.
                                     .is_line = entry->undecodable,
                                     .reason = reason};
    const uint64_t n_failed = t->counts.n_failed;
    int r = drain_event(t->d, &m, &t->counts, err);
    if (r == 0 && t->counts.n_failed == n_failed)
        r = buf_append(&t->done, id, sizeof id, err);
    return r;
}

static int resolve_done(struct retry_events *t, struct err *err)
{
    int r = 0;
    for (size_t i = 0; i < t->done.len && r == 0; i += STATE_ID_BYTES)
        r = state_resolve(t->d->o->state, (const char *)t->done.data + i, err);
    return r;
}

static int retry_all(struct retry_events *t, struct err *err)
{
    struct drain *d = t->d;
    int r = state_each(d->o->state, STATE_EVENT, retry_event, t, err);
    if (r == 0)
        r = rows_commit(&d->rows, t->counts.tables, err);
    rows_abandon(&d->rows);
    if (r == 0)
        r = resolve_done(t, err);
    return r < 0 ? r : state_save(d->o->state, err);
}

void drain_retry(struct drain *d)
{
    struct err err = {0};
    CLEANUP(retry_events_deinit)
    struct retry_events t = {.d = d, .done = BUF_INIT(IDS_MAX_BYTES)};
    if (drain_stopped(d))
        return;
    const int r = retry_all(&t, &err);
    if (r < 0) {
        drain_note(d, r, "failed events of earlier runs", &err);
        return;
    }
    if (t.counts.n_taken == 0)
        return;
    d->total.n_retried += t.counts.n_taken;
    d->total.n_recovered += t.counts.n_taken - t.counts.n_failed;
    for (size_t i = 0; i < FXCI_N_TABLES; i++) {
        d->total.tables[i].n_written += t.counts.tables[i].n_written;
        d->total.tables[i].n_duplicate += t.counts.tables[i].n_duplicate;
        d->total.tables[i].n_refused += t.counts.tables[i].n_refused;
    }
    log_event(LOG_LEVEL_INFO, "failed events of earlier runs, tried again",
              LOG_U("tried", t.counts.n_taken), LOG_U("failed_again", t.counts.n_failed));
}
