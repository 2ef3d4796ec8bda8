/*
 * config.h - the settings of fxci-etl: a TOML file, the environment, defaults. Source: fxci-etl.md
 * 2.2, X1; embedded.md. The keys, their types and defaults are the table in config_keys.c.
 *
 * A variable's name is FXCI_ETL_ and the key's parts, in capitals and with "_" between them. Keys
 * are matched without regard to case. A value that is empty sets its section, but no value.
 */
#pragma once

#include "base/buf.h"
#include "base/opts.h"
#include "codec/toml.h"
#include "fxci/tables.h"

#include <stdbool.h>

enum config_section {
    CONFIG_BIGQUERY,
    CONFIG_STORAGE,
    CONFIG_PULSE,
    CONFIG_MONITORING,
    CONFIG_TASKCLUSTER,
    CONFIG_BILLING,
    CONFIG_GOOGLE,
    CONFIG_N_SECTIONS
};

enum { CONFIG_MAX_PROJECTS = 64, CONFIG_MAX_METRICS = 32, CONFIG_MAX_GROUP_FIELDS = 16 };

/* A metric of `metric export` (X9): one series, one row; the column gets the value. */
struct metric_config {
    const char *name; // "uptime", of [monitoring.metrics.uptime]
    const char *type; // "compute.googleapis.com/instance/uptime"
    const char *aligner, *reducer;
    const char *group_fields[CONFIG_MAX_GROUP_FIELDS + 1]; // NULL ends
    const char *table;                                     // NULL: bigquery.tables.metrics
    const char *column;                                    // "uptime"
};

struct fxci_config {
    struct {
        const char *project, *dataset, *views, *endpoint, *location;
        struct opt_secret credentials;
        const char *tables[FXCI_N_TABLES]; // NULL: has no key
        uint64_t window_days;              // 3.5: where a key is looked for
    } bigquery;
    struct {
        const char *project, *bucket, *endpoint;
        struct opt_secret credentials;
    } storage;
    struct {
        const char *user, *host, *vhost, *ca_file;
        struct opt_secret password;
        uint64_t port;
        bool durable, tls;
        uint64_t prefetch, batch_messages, batch_seconds, heartbeat_seconds;
        uint64_t queue_minutes; // time budget of a queue
    } pulse;
    struct {
        const char *endpoint, *projects[CONFIG_MAX_PROJECTS + 1];
        struct opt_secret credentials;
        struct metric_config metrics[CONFIG_MAX_METRICS + 1];
        size_t n_metrics;
    } monitoring;
    struct {
        const char *root_url, *ca_file;
    } taskcluster;
    /* Full names, "project.dataset.table"; BigQuery only. */
    struct {
        const char *gcp, *fxci_load, *fxci_lookup, *taskcluster_load, *taskcluster_lookup;
    } billing;
    struct {
        const char *metadata_host;
    } google;
    bool any_cloud;                // a key of bigquery, storage or pulse is set (X1)
    bool given[CONFIG_N_SECTIONS]; // a key of the section is set
    struct config_impl *impl;      // the texts, and where each value comes from
};

struct config_inputs {
    const char *path;                        // --config; NULL: XDG file, then environment over it
    char *const *environment;                // as environ; borrowed
    const char *xdg_config_home, *user_home; // may be NULL
};
/**
 * Unknown keys are warned about, in the log. On failure there is nothing to deinit.
 * @return 0; E_ARG naming the key that is malformed, unknown as a section, or not a table, and
 * where it is set; E_ABSENT, E_IO, E_FORMAT: the file.
 */
MUST_CHECK int fxci_config_read(struct fxci_config *c, const struct config_inputs *in,
                                struct err *err);
void fxci_config_deinit(struct fxci_config *c); // wipes; zeroed is fine

/* What a command uses, and what flags or WEIR_* variables already settle. */
struct config_use {
    bool bigquery, storage, pulse;                   // sections that the command uses
    bool warehouse_given, store_given, source_given; // --warehouse, --store, --source and the like
};
/** X1. @return 0, or E_ARG naming the keys that are missing, and how they may be set. */
MUST_CHECK int fxci_config_require(const struct fxci_config *c, const struct config_use *use,
                                   struct err *err);

/** Each effective value and where it comes from ("default", "FILE:3", a variable's name), secrets
 * masked, lists with commas, "" where there is none: called once a key. @return 0 or what fn
 * returned. */
typedef int config_value_fn(void *arg, const char *key, const char *value, const char *origin,
                            struct err *err);
MUST_CHECK int fxci_config_each(const struct fxci_config *c, config_value_fn *fn, void *arg,
                                struct err *err);
