/* SPDX-License-Identifier: MPL-2.0 */
/* failed list, retry, drop: what drain could not store. */
#include "base/buf.h"
#include "base/log.h"
#include "cli/fxci.h"
#include "fxci/failed.h"

#include <string.h>

enum { LINE_MAX_BYTES = 1 << 30 };

struct failed {
    struct fxci_setup setup;
    struct store *store;
    struct state *state;
    struct failed_entries entries;
};

static void failed_deinit(struct failed *f)
{
    failed_entries_deinit(&f->entries);
    state_close(f->state);
    store_close(f->store);
    fxci_end(&f->setup);
}

static int start(struct failed *f, const struct fxci_args *a, bool bigquery, struct err *err)
{
    const struct config_use use = {.storage = true, .bigquery = bigquery};
    int r = fxci_start(&f->setup, a, &use, err);
    if (r == 0)
        r = fxci_open_store(&f->setup, &f->store, err);
    if (r == 0)
        r = state_open(&f->state, f->store, f->setup.now_us, err);
    return r == 0 ? state_load(f->state, err) : r;
}

/* The first choice is any kind, the others are those of state.h. */
static int picked_kind(const struct fxci_args *a)
{
    return a->kind == 0 ? FAILED_ANY_KIND : a->kind - 1;
}

/* Nothing is dropped because nothing was said. */
static int check_pick(const struct fxci_args *a, struct err *err)
{
    if (a->all && a->words.n > 0)
        return err_set(err, E_ARG, 0, "Give ids or '--all', not both.");
    if (!a->all && a->words.n == 0 && picked_kind(a) == FAILED_ANY_KIND)
        return err_set(err, E_ARG, 0,
                       "Give ids, as `fxci-etl failed list` shows them, '--kind' or '--all'.");
    return 0;
}

static int find(struct failed *f, const struct fxci_args *a, struct err *err)
{
    const struct failed_pick pick = {
        .ids = (const char *const *)a->words.words, .n_ids = a->words.n, .kind = picked_kind(a)};
    return failed_find(&f->entries, f->state, &pick, err);
}

struct listing {
    int kind;
    struct buf line;
};

static int list_entry(void *arg, const struct state_entry *e, struct err *err)
{
    struct listing *l = arg;
    if (l->kind != FAILED_ANY_KIND && l->kind != (int)e->kind)
        return 0;
    buf_clear(&l->line);
    int r = state_entry_json(&l->line, e, err);
    if (r == 0)
        r = buf_append_byte(&l->line, '\0', err);
    if (r == 0)
        fxci_say(NULL, (const char *)l->line.data);
    return r;
}

int cmd_failed_list(void *args, struct err *err)
{
    const struct fxci_args *a = args;
    CLEANUP(failed_deinit) struct failed f = {0};
    struct listing listing = {.kind = picked_kind(a), .line = BUF_INIT(LINE_MAX_BYTES)};
    int r = start(&f, a, false, err);
    if (r == 0)
        r = state_list(f.state, list_entry, &listing, err);
    buf_deinit(&listing.line);
    return fxci_exit(r);
}

int cmd_failed_drop(void *args, struct err *err)
{
    const struct fxci_args *a = args;
    CLEANUP(failed_deinit) struct failed f = {0};
    if (check_pick(a, err) < 0)
        return EXIT_USAGE;
    int r = start(&f, a, false, err);
    if (r == 0)
        r = find(&f, a, err);
    if (r == 0)
        r = failed_drop(f.state, &f.entries, err);
    if (r == 0)
        log_event(LOG_LEVEL_INFO, "dropped", LOG_U("entries", f.entries.n));
    return fxci_exit(r);
}

static int open_tables(void *arg, struct warehouse **w, struct err *err)
{
    return fxci_open_tables(arg, w, err);
}

static void log_counts(const struct failed_counts *n)
{
    log_event(LOG_LEVEL_INFO, "tried again", LOG_U("done", n->n_done),
              LOG_U("failed_again", n->n_failed));
    if (n->n_waiting > 0)
        log_event(LOG_LEVEL_INFO, "ids wait: the next `pulse drain` asks for their definitions",
                  LOG_U("ids", n->n_waiting));
    if (n->n_foreign > 0)
        log_event(LOG_LEVEL_WARNING, "some can only be dropped, as their reasons say",
                  LOG_U("entries", n->n_foreign));
}

int cmd_failed_retry(void *args, struct err *err)
{
    const struct fxci_args *a = args;
    CLEANUP(failed_deinit) struct failed f = {0};
    struct failed_counts counts = {0};
    if (check_pick(a, err) < 0)
        return EXIT_USAGE;
    int r = start(&f, a, true, err);
    if (r == 0)
        r = find(&f, a, err);
    if (r < 0)
        return fxci_exit(r);
    const struct failed_retry how = {
        .open = open_tables,
        .open_arg = &f.setup,
        .tables = &f.setup.tables,
        .now_us = f.setup.now_us,
        .window_days = (int64_t)f.setup.config.bigquery.window_days,
        .cpu = f.setup.cpu,
    };
    r = failed_retry(f.state, &how, &f.entries, &counts, err);
    log_counts(&counts);
    return fxci_exit(r);
}
