/* SPDX-License-Identifier: MPL-2.0 */
/* Entries are mapped again and stored; only then the state learns of it. */
#include "fxci/definition.h"
#include "fxci/event.h"
#include "fxci/failed.h"
#include "fxci/load_row.h"
#include "fxci/member.h"

#include <stdio.h>
#include <stdlib.h>

enum { MAX_ENTRIES = 5000 };
static const int64_t us_per_day = INT64_C(86400) * 1000 * 1000;

/* One entry of a transaction. */
struct attempt {
    const struct failed_item *item;
    bool has_rows;
    bool wanted;  // a pending id stands for it now
    char *reason; // it failed already; owned
};

struct retry_run {
    struct state *s;
    const struct failed_retry *how;
    struct failed_counts *counts;
    struct event_mapper events;
    struct definition_mapper definitions;
    struct rows rows;
    struct attempt *attempts;
    size_t n;
};

static int fail(struct attempt *a, const char *reason, struct err *err)
{
    a->reason = strdup(reason);
    return a->reason ? 0 : err_set(err, E_NOMEM, 0, "no memory for a reason");
}

static int add_row(struct retry_run *run, struct attempt *a, enum fxci_table table,
                   const struct cell *cells, struct err *err)
{
    a->has_rows = true;
    return rows_add(&run->rows, table, cells, err);
}

static int want(struct retry_run *run, struct attempt *a, struct span task_id, int64_t expires_us,
                struct err *err)
{
    a->wanted = true;
    return state_want(run->s, task_id, expires_us, err);
}

static int try_event(struct retry_run *run, struct attempt *a, const struct state_entry *e,
                     struct err *err)
{
    struct event event;
    if (e->undecodable) { // a line that was no message must not pass for a payload
        a->reason = span_to_text(e->reason);
        return a->reason ? 0 : err_set(err, E_NOMEM, 0, "no memory for a reason");
    }
    int r = event_map(&run->events, &event, e->body, err);
    if (r < 0)
        return r;
    switch (event.outcome) {
    case EVENT_FAILED:
        return fail(a, event.reason, err);
    case EVENT_TASK_ID:
        return want(run, a, event.task_id, event.expires_us, err);
    case EVENT_RUN_AND_TASK:
        r = add_row(run, a, FXCI_TASKS, event.task, err);
        return r == 0 ? add_row(run, a, FXCI_RUNS, event.run, err) : r;
    case EVENT_RUN:
        return add_row(run, a, FXCI_RUNS, event.run, err);
    default:
        return 0; // ignored: nothing to store
    }
}

/* One whose definition was never returned is asked for again. */
static int try_definition(struct retry_run *run, struct attempt *a, const struct state_entry *e,
                          struct err *err)
{
    CLEANUP(buf_deinit) struct buf scratch = BUF_INIT(DEFINITION_MAX_BYTES);
    struct span task_id, task;
    struct definition d;
    int r = failed_definition(&task_id, &task, &run->definitions.ops, e->body, &scratch, err);
    if (r < 0)
        return r;
    if (r == 0)
        return fail(a, "it has no taskId", err);
    if (task.len == 0)
        return want(run, a, task_id, INT64_MIN, err);
    r = definition_map(&run->definitions, &d, task_id, task, err);
    if (r < 0)
        return r;
    return d.reason[0] ? fail(a, d.reason, err) : add_row(run, a, FXCI_DEFINITIONS, d.row, err);
}

static int try_record(struct retry_run *run, struct attempt *a, const struct state_entry *e,
                      struct err *err)
{
    CLEANUP(load_row_deinit) struct load_row row;
    struct err fault = {0};
    enum fxci_table table = FXCI_TASKS;
    while (table < FXCI_DEFINITIONS && strcmp(fxci_table_name(table), e->table) != 0)
        table++;
    load_row_init(&row, run->how->cpu, &run->how->tables->schemas[table], false);
    const int r = load_row_read(&row, e->body, &fault);
    if (r == E_FORMAT)
        return fail(a, fault.text, err);
    return r < 0 ? err_set(err, (enum err_code)r, 0, "%s", fault.text)
                 : add_row(run, a, table, row.cells, err);
}

static int try_entry(struct retry_run *run, struct attempt *a, struct err *err)
{
    struct state_entry e;
    if (!state_get(run->s, a->item->id, &e))
        return 0; // another run settled it meanwhile
    switch (e.kind) {
    case STATE_EVENT:
        return try_event(run, a, &e, err);
    case STATE_DEFINITION:
        return try_definition(run, a, &e, err);
    default:
        return try_record(run, a, &e, err);
    }
}

/* How far back rows of the same keys may lie: an entry may have waited for long. */
static int64_t since(const struct retry_run *run)
{
    int64_t first_us = run->how->now_us;
    for (size_t i = 0; i < run->n; i++)
        if (run->attempts[i].item->first_seen_us < first_us)
            first_us = run->attempts[i].item->first_seen_us;
    return first_us / us_per_day - run->how->window_days;
}

static int fail_again(struct retry_run *run, struct state_entry *e, const char *reason,
                      struct err *err)
{
    run->counts->n_failed++;
    e->reason = span_str(reason);
    return state_fail(run->s, e, NULL, err);
}

static int have_definition(struct retry_run *run, const struct state_entry *e, struct err *err)
{
    CLEANUP(buf_deinit) struct buf scratch = BUF_INIT(DEFINITION_MAX_BYTES);
    struct span task_id, task;
    const int r = failed_definition(&task_id, &task, &run->definitions.ops, e->body, &scratch, err);
    return r == 1 ? state_have(run->s, task_id, err) : r;
}

/* not_stored: why the warehouse did not take the rows, or NULL. */
static int settle(struct retry_run *run, const struct attempt *a, const char *not_stored,
                  struct err *err)
{
    struct state_entry e;
    int r = 0;
    if (!state_get(run->s, a->item->id, &e))
        return 0;
    if (a->reason || (not_stored && a->has_rows))
        return fail_again(run, &e, a->reason ? a->reason : not_stored, err);
    // A row that is refused again is in the state already: as the same entry.
    if (e.kind == STATE_RECORD && state_was_tried(run->s, a->item->id)) {
        run->counts->n_failed++;
        return 0;
    }
    if (e.kind == STATE_DEFINITION && a->has_rows)
        r = have_definition(run, &e, err);
    *(a->wanted ? &run->counts->n_waiting : &run->counts->n_done) += 1;
    return r == 0 ? state_resolve(run->s, a->item->id, err) : r;
}

static int settle_all(struct retry_run *run, const char *not_stored, struct err *err)
{
    int r = 0;
    for (size_t i = 0; i < run->n && r == 0; i++)
        r = settle(run, &run->attempts[i], not_stored, err);
    return r == 0 ? state_save(run->s, err) : r;
}

/* Rows are durable before the state says so. Where the warehouse takes none, that is an attempt,
 * too, and the end. */
static int retry_some(struct retry_run *run, struct err *err)
{
    struct row_counts counts[FXCI_N_TABLES] = {0};
    int r = 0;
    run->rows.since = since(run);
    for (size_t i = 0; i < run->n && r == 0; i++)
        r = try_entry(run, &run->attempts[i], err);
    if (r < 0)
        return r;
    r = rows_commit(&run->rows, counts, err);
    if (r == 0)
        return settle_all(run, NULL, err);
    char reason[ERR_TEXT_BYTES];
    struct err second = {0};
    (void)snprintf(reason, sizeof reason, "%s", err->text);
    const int saved = settle_all(run, reason, &second);
    return saved < 0 ? err_wrap(err, r, "%s; then", second.text) : r;
}

static void forget_attempts(struct retry_run *run)
{
    rows_abandon(&run->rows);
    for (size_t i = 0; i < run->n; i++)
        free(run->attempts[i].reason);
    run->n = 0;
}

static bool is_tried(const struct retry_run *run, const struct failed_item *item)
{
    if (item->foreign)
        run->counts->n_foreign++;
    else if (item->kind == STATE_PENDING_ID)
        run->counts->n_waiting++;
    return !item->foreign && item->kind != STATE_PENDING_ID;
}

static int retry_all(struct retry_run *run, const struct failed_entries *entries, struct err *err)
{
    int r = 0;
    for (size_t i = 0; i < entries->n && r == 0;) {
        for (; i < entries->n && run->n < MAX_ENTRIES; i++)
            if (is_tried(run, &entries->items[i]))
                run->attempts[run->n++] = (struct attempt){.item = &entries->items[i]};
        if (run->n > 0)
            r = retry_some(run, err);
        forget_attempts(run);
    }
    return r;
}

int failed_retry(struct state *s, const struct failed_retry *how,
                 const struct failed_entries *entries, struct failed_counts *counts,
                 struct err *err)
{
    struct retry_run run = {.s = s, .how = how, .counts = counts};
    const int64_t today = how->now_us / us_per_day;
    run.attempts = calloc(MAX_ENTRIES, sizeof *run.attempts);
    if (!run.attempts)
        return err_set(err, E_NOMEM, 0, "no memory for %d entries", MAX_ENTRIES);
    *counts = (struct failed_counts){0};
    run.rows = (struct rows){
        .tables = how->tables, .state = s, .open = how->open, .open_arg = how->open_arg};
    event_mapper_init(&run.events, how->cpu, today);
    definition_mapper_init(&run.definitions, how->cpu, today);
    const int r = retry_all(&run, entries, err);
    rows_deinit(&run.rows);
    event_mapper_deinit(&run.events);
    definition_mapper_deinit(&run.definitions);
    free(run.attempts);
    return r;
}
