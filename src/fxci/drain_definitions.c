/* SPDX-License-Identifier: MPL-2.0 */
/* Task definitions for the ids that events named. Source: fxci-etl.md 3.4, X10. */
#include "base/log.h"
#include "fxci/drain_internal.h"

#include <stdlib.h>

enum { IDS_MAX_BYTES = 1 << 30 };

/* The wanted ids, as they were when the fetch began: the state changes meanwhile. */
struct wanted {
    const struct drain *d;
    struct buf text;  // all ids, one after another
    struct buf spans; // struct span each; ptr is set when text has stopped growing
    size_t n;
};

static void wanted_deinit(struct wanted *w)
{
    buf_deinit(&w->text);
    buf_deinit(&w->spans);
}

static int want(void *arg, const struct state_entry *entry, struct err *err)
{
    struct wanted *w = arg;
    if (state_was_tried(w->d->o->state, entry->id))
        return 0;
    const struct span span = {.len = entry->body.len};
    int r = buf_append(&w->text, entry->body.ptr, entry->body.len, err);
    if (r == 0)
        r = buf_append(&w->spans, &span, sizeof span, err);
    if (r == 0)
        w->n++;
    return r;
}

static struct span *place_ids(struct wanted *w)
{
    struct span *ids = (struct span *)(void *)w->spans.data;
    const uint8_t *at = w->text.data;
    for (size_t i = 0; i < w->n; i++) {
        ids[i].ptr = at;
        at += ids[i].len;
    }
    return ids;
}

struct page {
    struct drain *d;
    const struct span *ids;
    size_t n;
    bool *answered; // one an id
};

static int compare_ids(const void *a, const void *b)
{
    const struct span *x = a, *y = b;
    const size_t n = x->len < y->len ? x->len : y->len;
    const int order = n > 0 ? memcmp(x->ptr, y->ptr, n) : 0;
    return order != 0 ? order : (x->len > y->len) - (x->len < y->len);
}

static int keep_definition(struct drain *d, struct span task_id, struct span task,
                           const char *reason, struct err *err)
{
    CLEANUP(buf_deinit) struct buf body = BUF_INIT(STATE_MAX_OBJECT_BYTES);
    int r = buf_append_str(&body, "{\"taskId\":", err);
    if (r == 0)
        r = json_write_string(&body, task_id, err);
    if (r == 0)
        r = buf_append_str(&body, ",\"task\":", err);
    if (r == 0)
        r = task.len > 0 ? buf_append(&body, task.ptr, task.len, err)
                         : buf_append_str(&body, "null", err);
    if (r == 0)
        r = buf_append_byte(&body, '}', err);
    if (r < 0)
        return r;
    d->total.n_definitions_failed++;
    return state_fail(d->o->state,
                      &(struct state_entry){.kind = STATE_DEFINITION,
                                            .body = buf_span(&body),
                                            .reason = span_str(reason),
                                            .expires_us = INT64_MIN},
                      NULL, err);
}

static int take_definition(void *arg, struct span task_id, struct span task, struct err *err)
{
    struct page *page = arg;
    struct drain *d = page->d;
    const struct span *id = bsearch(&task_id, page->ids, page->n, sizeof *page->ids, compare_ids);
    if (!id)
        return 0;
    page->answered[id - page->ids] = true;
    const int r = definition_map(&d->definitions, &d->definition, task_id, task, err);
    if (r < 0)
        return r;
    return d->definition.reason[0] ? keep_definition(d, task_id, task, d->definition.reason, err)
                                   : rows_add(&d->rows, FXCI_DEFINITIONS, d->definition.row, err);
}

/* Rows are durable: those that were answered are wanted no longer. */
static int settle(struct page *page, struct err *err)
{
    struct drain *d = page->d;
    int r = 0;
    for (size_t i = 0; i < page->n && r == 0; i++) {
        bool given_up = false;
        if (page->answered[i]) {
            r = state_have(d->o->state, page->ids[i], err);
            continue;
        }
        r = state_missed(d->o->state, page->ids[i], &given_up, err);
        d->total.n_ids_missing++;
        d->total.n_definitions_failed += given_up;
    }
    return r;
}

static int fetch_page(struct drain *d, const struct span *ids, size_t n, struct err *err)
{
    bool answered[TASKCLUSTER_MAX_IDS] = {0};
    struct page page = {.d = d, .ids = ids, .n = n, .answered = answered};
    int r = taskcluster_fetch(d->o->taskcluster, ids, n, take_definition, &page, err);
    if (r == 0)
        r = rows_commit(&d->rows, d->total.tables, err);
    rows_abandon(&d->rows);
    return r < 0 ? r : settle(&page, err);
}

static int fetch_all(struct drain *d, struct err *err)
{
    CLEANUP(wanted_deinit)
    struct wanted w = {.d = d, .text = BUF_INIT(IDS_MAX_BYTES), .spans = BUF_INIT(IDS_MAX_BYTES)};
    int r = state_each(d->o->state, STATE_PENDING_ID, want, &w, err);
    if (r < 0 || w.n == 0)
        return r;
    struct span *ids = place_ids(&w);
    qsort(ids, w.n, sizeof *ids, compare_ids);
    for (size_t i = 0; i < w.n && r == 0 && !drain_stopped(d); i += TASKCLUSTER_MAX_IDS) {
        const size_t n = w.n - i < TASKCLUSTER_MAX_IDS ? w.n - i : TASKCLUSTER_MAX_IDS;
        r = fetch_page(d, ids + i, n, err);
    }
    const int saved = r == 0 ? state_save(d->o->state, err) : r;
    return r < 0 ? r : saved;
}

void drain_definitions(struct drain *d)
{
    struct err err = {0};
    if (!d->o->taskcluster || d->no_fetch)
        return;
    const struct row_counts before = d->total.tables[FXCI_DEFINITIONS];
    const uint64_t missing = d->total.n_ids_missing, failed = d->total.n_definitions_failed;
    const int r = fetch_all(d, &err);
    if (r < 0) {
        d->no_fetch = true; // it was tried long enough, and the ids are kept
        drain_note(d, r, "task definitions", &err);
    }
    const struct row_counts *now = &d->total.tables[FXCI_DEFINITIONS];
    if (now->n_written != before.n_written || d->total.n_ids_missing != missing)
        log_event(LOG_LEVEL_INFO, "definitions",
                  LOG_U("written", now->n_written - before.n_written),
                  LOG_U("duplicate", now->n_duplicate - before.n_duplicate),
                  LOG_U("malformed", d->total.n_definitions_failed - failed),
                  LOG_U("missing", d->total.n_ids_missing - missing));
}
