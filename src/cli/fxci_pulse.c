/* SPDX-License-Identifier: MPL-2.0 */
/* pulse drain: messages into tables. */
#include "base/log.h"
#include "cli/fxci.h"
#include "fxci/drain.h"
#include "fxci/report.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

enum { MS_OF_S = 1000, S_OF_MINUTE = 60, RECORDED_BATCH = 5000 };

static volatile sig_atomic_t stop;

static void ask_to_stop(int signal_number)
{
    (void)signal_number;
    stop = 1;
}

/* A second signal ends the program as signals do: nothing is lost by that, either. */
static void catch_signals(void)
{
    const struct sigaction action = {.sa_handler = ask_to_stop, .sa_flags = SA_RESETHAND};
    (void)sigaction(SIGTERM, &action, NULL);
    (void)sigaction(SIGINT, &action, NULL);
}

struct pulse {
    struct fxci_setup setup;
    struct drain_bindings bindings;
    struct broker *broker;
    struct store *store;
    struct state *state;
    struct taskcluster *taskcluster;
};

static void pulse_deinit(struct pulse *p)
{
    taskcluster_close(p->taskcluster);
    state_close(p->state);
    store_close(p->store);
    broker_close(p->broker);
    fxci_end(&p->setup);
}

static int open_broker(struct pulse *p, const struct fxci_args *a, struct err *err)
{
    const struct fxci_config *c = &p->setup.config;
    const struct broker_config config = fxci_broker_config(&p->setup);
    const int r =
        drain_bindings_init(&p->bindings, a->source ? NULL : c->pulse.user, c->pulse.durable, err);
    return r < 0 ? r : broker_open(&p->broker, &config, p->bindings.bindings, p->bindings.n, err);
}

/* Recorded messages never lead to a network connection (X3). */
static int open_taskcluster(struct pulse *p, const struct fxci_args *a, struct err *err)
{
    const struct taskcluster_config config = {
        .root_url = p->setup.config.taskcluster.root_url,
        .pages = a->taskdefs,
        .ca_file = p->setup.config.taskcluster.ca_file,
        .cpu = p->setup.cpu,
    };
    return a->source && !a->taskdefs ? 0 : taskcluster_open(&p->taskcluster, &config, err);
}

static int open_tables(void *arg, struct warehouse **w, struct err *err)
{
    return fxci_open_tables(arg, w, err);
}

/* Before a message is taken: a warehouse that is out of reach is best found out now. */
static int make_tables(struct pulse *p, struct err *err)
{
    CLEANUP(warehouse_closep) struct warehouse *w = NULL;
    return fxci_open_tables(&p->setup, &w, err);
}

static int start(struct pulse *p, const struct fxci_args *a, struct err *err)
{
    const struct config_use use = {
        .bigquery = true, .storage = true, .pulse = !a->source, .source_given = a->source != NULL};
    int r = fxci_start(&p->setup, a, &use, err);
    if (r == 0)
        r = open_broker(p, a, err);
    if (r == 0)
        r = fxci_open_store(&p->setup, &p->store, err);
    if (r == 0)
        r = state_open(&p->state, p->store, p->setup.now_us, err);
    if (r == 0)
        r = open_taskcluster(p, a, err);
    return r < 0 ? r : make_tables(p, err);
}

static uint64_t batch_size(const struct pulse *p)
{
    if (broker_is_recorded(p->broker))
        return RECORDED_BATCH;
    // Half of what may wait for acknowledgement: the next half comes while this one is written.
    const uint64_t half = (fxci_broker_config(&p->setup).prefetch + 1) / 2;
    const uint64_t most = p->setup.config.pulse.batch_messages;
    return half < most ? half : most;
}

static void log_total(const struct pulse *p, const struct drain_counts *n)
{
    const struct row_counts *tasks = &n->tables[FXCI_TASKS], *runs = &n->tables[FXCI_RUNS];
    log_event(LOG_LEVEL_INFO, "total", LOG_U("taken", n->n_taken), LOG_U("runs", n->n_runs),
              LOG_U("ids", n->n_ids), LOG_U("ignored", n->n_ignored), LOG_U("failed", n->n_failed),
              LOG_U("tasks_written", tasks->n_written),
              LOG_U("tasks_duplicate", tasks->n_duplicate), LOG_U("runs_written", runs->n_written),
              LOG_U("runs_duplicate", runs->n_duplicate),
              LOG_U("definitions_written", n->tables[FXCI_DEFINITIONS].n_written),
              LOG_U("failed_kept", state_count(p->state, STATE_EVENT)),
              LOG_U("records_kept", state_count(p->state, STATE_RECORD)),
              LOG_U("definitions_kept", state_count(p->state, STATE_DEFINITION)),
              LOG_U("ids_pending", state_count(p->state, STATE_PENDING_ID)));
}

/* Tasks whose first message never came (H19): a number to watch, no reason to fail. */
static void log_orphans(struct pulse *p)
{
    CLEANUP(warehouse_closep) struct warehouse *w = NULL;
    struct err err = {0};
    uint64_t n = 0;
    int r = fxci_open_tables(&p->setup, &w, &err);
    if (r == 0)
        r = report_orphan_runs(w, &p->setup.tables, p->setup.today, &n, &err);
    if (r < 0)
        log_event(LOG_LEVEL_WARNING, "runs whose task has no row were not counted",
                  LOG_S("cause", err.text));
    else if (n > 0)
        log_event(LOG_LEVEL_WARNING,
                  "runs of today have a task without a row; fxci-etl backfill tasks makes it where "
                  "its definition is known",
                  LOG_U("runs", n));
}

int cmd_pulse_drain(void *args, struct err *err)
{
    const struct fxci_args *a = args;
    CLEANUP(pulse_deinit) struct pulse p = {0};
    struct drain_counts counts = {0};
    int r = start(&p, a, err);
    if (r < 0)
        return fxci_exit(r);
    catch_signals();
    const struct drain_options options = {
        .broker = p.broker,
        .bindings = &p.bindings,
        .state = p.state,
        .taskcluster = p.taskcluster,
        .tables = &p.setup.tables,
        .open = open_tables,
        .open_arg = &p.setup,
        .now_us = p.setup.now_us,
        .window_days = (int64_t)p.setup.config.bigquery.window_days,
        .cpu = p.setup.cpu,
        .batch_messages = batch_size(&p),
        .batch_ms = p.setup.config.pulse.batch_seconds * MS_OF_S,
        .queue_ms = p.setup.config.pulse.queue_minutes * S_OF_MINUTE * MS_OF_S,
        .stop = &stop,
        .show_progress = !a->quiet,
    };
    r = drain_run(&options, &counts, err);
    log_total(&p, &counts);
    if (r == 0)
        log_orphans(&p);
    return fxci_exit(r);
}
