/* SPDX-License-Identifier: MPL-2.0 */
/* Would the commands get through? A line for each check. */
#include "base/log.h"
#include "base/utc.h"
#include "broker/broker.h"
#include "cli/fxci.h"
#include "fxci/drain.h"
#include "fxci/metrics.h"
#include "fxci/taskcluster.h"
#include "net/google.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct checks {
    struct fxci_setup setup;
    unsigned n_failed;
};

static void checks_deinit(struct checks *c)
{
    fxci_end(&c->setup);
}

static void tell(struct checks *c, int r, const struct err *err, const char *fmt, ...)
    PRINTF_LIKE(4, 5);

/* The line of one check: what it was, and what is wrong. */
static void tell(struct checks *c, int r, const struct err *err, const char *fmt, ...)
{
    char what[1024], line[2048];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(what, sizeof what, fmt, args);
    va_end(args);
    (void)snprintf(line, sizeof line, "%-6s %s%s%s", r < 0 ? "FAILED" : "ok", what,
                   r < 0 ? ": " : "", r < 0 ? err->text : "");
    for (char *at = line; *at; at++) // error texts may quote the bytes of strangers
        if ((unsigned char)*at < 0x20 || *at == 0x7f)
            *at = '?';
    c->n_failed += r < 0;
    fxci_say(NULL, line);
}

static void check_command(struct checks *c, const char *name, struct config_use use)
{
    struct err err = {0};
    use.warehouse_given = c->setup.args->warehouse != NULL;
    use.store_given = c->setup.args->store != NULL;
    const int r = fxci_config_require(&c->setup.config, &use, &err);
    tell(c, r, &err, "configuration of %s", name);
}

static void check_key(struct checks *c, const char *name, const struct opt_secret *key)
{
    struct err err = {0};
    CLEANUP(google_auth_freep) struct google_auth *auth = NULL;
    if (key->len == 0)
        return;
    const struct google_options options = {
        .key = key, .scope = "https://www.googleapis.com/auth/cloud-platform"};
    const int r = google_auth_new(&auth, &options, &err);
    tell(c, r, &err, "%s", name);
}

static void check_config(struct checks *c)
{
    const struct fxci_config *config = &c->setup.config;
    // Recorded messages need no broker: where only flags say where data goes, there may be none.
    const bool broker = config->given[CONFIG_PULSE] || config->any_cloud;
    check_command(c, "metric export and derive", (struct config_use){.bigquery = true});
    check_command(c, broker ? "pulse drain" : "pulse drain --source",
                  (struct config_use){
                      .bigquery = true, .storage = true, .pulse = broker, .source_given = !broker});
    check_key(c, "bigquery.credentials", &config->bigquery.credentials);
    check_key(c, "storage.credentials", &config->storage.credentials);
    check_key(c, "monitoring.credentials", &config->monitoring.credentials);
}

static int ignore_row(void *arg, const struct cell *cells, struct err *err)
{
    (void)arg;
    (void)cells;
    (void)err;
    return 0;
}

/* A day that no row has: the answer has no rows, but its columns. */
static void check_table(struct checks *c, struct warehouse *w, const struct table_schema *table)
{
    struct err err = {0};
    int64_t never = 0;
    const int r = warehouse_scan(w, table, never, table->columns[0].name, ignore_row, NULL, &err);
    if (r == E_ABSENT)
        tell(c, 0, &err, "table %s: not there yet", table->name);
    else
        tell(c, r, &err, "table %s: there, with its columns", table->name);
}

static void check_warehouse(struct checks *c)
{
    struct err err = {0};
    CLEANUP(warehouse_closep) struct warehouse *w = NULL;
    const int r = fxci_open_warehouse(&c->setup, &w, true, &err);
    if (r == E_ABSENT) {
        tell(c, 0, &err, "warehouse %s: not there yet", c->setup.warehouse_url);
        return;
    }
    tell(c, r, &err, "warehouse %s", c->setup.warehouse_url);
    const enum fxci_table last = c->setup.tables.bigquery ? FXCI_RUN_COSTS : FXCI_N_TABLES - 1;
    for (enum fxci_table i = 0; r == 0 && i <= last; i++)
        check_table(c, w, &c->setup.tables.schemas[i]);
}

/* Write, read and delete an object that no reader of the state looks at. */
static int probe(struct store *store, struct err *err)
{
    char key[64];
    struct store_object object;
    (void)snprintf(key, sizeof key, "weir-probe-%ld-%lld", (long)getpid(), (long long)utc_now_us());
    int r = store_put(store, key, span_str("probe"), NULL, NULL, err);
    if (r < 0)
        return err_wrap(err, r, "write");
    r = store_stat(store, key, &object, err);
    if (r < 0)
        return err_wrap(err, r, "read");
    r = store_delete_one(store, key, err);
    return r < 0 ? err_wrap(err, r, "delete") : 0;
}

static void check_state(struct checks *c)
{
    struct err err = {0};
    CLEANUP(store_closep) struct store *store = NULL;
    int r = fxci_open_store(&c->setup, &store, &err);
    if (r == 0)
        r = probe(store, &err);
    tell(c, r, &err, "state %s: can be written, read and deleted",
         store ? store_name(store) : c->setup.bucket);
}

static void check_queue(struct checks *c, struct broker *broker, const struct drain_bindings *b,
                        size_t i)
{
    struct err err = {0};
    uint64_t n_ready = 0, n_consumers = 0;
    const int r = broker_queue_ready(broker, i, &n_ready, &n_consumers, &err);
    if (r == E_ABSENT)
        tell(c, 0, &err, "queue %s: not there yet", b->bindings[i].queue);
    else
        tell(c, r, &err, "queue %s: %llu ready, %llu consumers", b->bindings[i].queue,
             (unsigned long long)n_ready, (unsigned long long)n_consumers);
}

static void check_broker(struct checks *c)
{
    struct err err = {0};
    const struct fxci_config *config = &c->setup.config;
    CLEANUP(broker_closep) struct broker *broker = NULL;
    struct drain_bindings bindings;
    if (!config->pulse.user || config->pulse.password.len == 0)
        return;
    int r = drain_bindings_init(&bindings, config->pulse.user, config->pulse.durable, &err);
    const struct broker_config options = fxci_broker_config(&c->setup);
    if (r == 0)
        r = broker_open(&broker, &options, bindings.bindings, bindings.n, &err);
    if (r < 0)
        tell(c, r, &err, "broker");
    for (size_t i = 0; r == 0 && i < bindings.n; i++)
        check_queue(c, broker, &bindings, i);
}

static int ignore_definition(void *arg, struct span id, struct span task, struct err *err)
{
    (void)arg;
    (void)id;
    (void)task;
    (void)err;
    return 0;
}

/* Asks for a task that nobody has. */
static void check_taskcluster(struct checks *c)
{
    struct err err = {0};
    CLEANUP(taskcluster_closep) struct taskcluster *t = NULL;
    const struct taskcluster_config config = {.root_url = c->setup.config.taskcluster.root_url,
                                              .ca_file = c->setup.config.taskcluster.ca_file,
                                              .cpu = c->setup.cpu};
    const struct span nobody = span_str("AAAAAAAAAAAAAAAAAAAAAA");
    int r = taskcluster_open(&t, &config, &err);
    if (r == 0)
        r = taskcluster_fetch(t, &nobody, 1, ignore_definition, NULL, &err);
    tell(c, r, &err, "Taskcluster %s", config.root_url);
}

static void ignore_line(void *arg, const char *line)
{
    (void)arg;
    (void)line;
}

/* A dry run of a day that is long over. */
static void check_monitoring(struct checks *c)
{
    enum { DAYS_AGO = 2 };
    struct err err = {0};
    struct metrics_counts counts = {0};
    const struct metrics_run run = {.config = &c->setup.config,
                                    .now_us = c->setup.now_us,
                                    .date = c->setup.today - DAYS_AGO,
                                    .dry_run = true,
                                    .metadata_host = fxci_metadata_host(&c->setup),
                                    .google_credentials = c->setup.args->google_credentials,
                                    .say = ignore_line,
                                    .tables = &c->setup.tables};
    const int r = metrics_export(&run, &counts, &err);
    tell(c, r, &err, "Cloud Monitoring: %llu series of two days ago",
         (unsigned long long)counts.n_series);
}

int cmd_fxci_validate(void *args, struct err *err)
{
    const struct fxci_args *a = args;
    CLEANUP(checks_deinit) struct checks c = {0};
    const int r = fxci_start(&c.setup, a, NULL, err);
    if (r < 0)
        return fxci_exit(r);
    check_config(&c);
    if (a->online && c.n_failed == 0) {
        check_warehouse(&c);
        check_state(&c);
        check_broker(&c);
        check_taskcluster(&c);
        check_monitoring(&c);
    }
    if (c.n_failed > 0)
        (void)err_set(err, E_ARG, 0, "%u check%s failed", c.n_failed, c.n_failed == 1 ? "" : "s");
    return c.n_failed > 0 ? EXIT_FAILED : EXIT_DONE;
}
