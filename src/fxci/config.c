/* SPDX-License-Identifier: MPL-2.0 */
#include "fxci/config.h"

#include "base/secret.h"
#include "fxci/config_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The metric that is there without being asked for (4.2). */
static int add_uptime(struct fxci_config *c, struct err *err)
{
    static const char name[] = "uptime";
    struct metric_config *m = config_metric(c, name, sizeof name - 1, err);
    if (!m)
        return E_NOMEM;
    m->type = "compute.googleapis.com/instance/uptime";
    return 0;
}

static bool is_column(const char *text)
{
    static const char letters[] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_";
    return text[0] > '9' && text[strspn(text, letters)] == '\0';
}

static int finish_metrics(struct fxci_config *c, struct err *err)
{
    for (size_t i = 0; i < c->monitoring.n_metrics; i++) {
        struct metric_config *m = &c->monitoring.metrics[i];
        if (!m->column)
            m->column = m->name;
        if (!m->type)
            return err_set(err, E_ARG, 0,
                           "monitoring.metrics.%s.type is missing: the metric's name in Cloud "
                           "Monitoring",
                           m->name);
        if (!is_column(m->column))
            return err_set(err, E_ARG, 0,
                           "monitoring.metrics.%s.column: \"%s\" cannot be a column's name",
                           m->name, m->column);
    }
    return 0;
}

/* The XDG specification has relative paths ignored. NULL: there is no such place, or no memory. */
static char *usual_file(const struct config_inputs *in)
{
    static const char name[] = "fxci-etl/config.toml";
    char *path;
    int n = -1;
    if (in->xdg_config_home && in->xdg_config_home[0] == '/')
        n = asprintf(&path, "%s/%s", in->xdg_config_home, name);
    else if (in->user_home && in->user_home[0] == '/')
        n = asprintf(&path, "%s/.config/%s", in->user_home, name);
    return n < 0 ? NULL : path;
}

static int read_usual(struct fxci_config *c, const struct config_inputs *in, struct err *err)
{
    char *path = usual_file(in);
    int r = 0;
    c->impl->environment_counts = true;
    if (path) {
        c->impl->file = config_keep(c, path, err);
        r = c->impl->file ? config_read_file(c, path, false, err) : E_NOMEM;
        free(path);
    }
    return r < 0 ? r : config_read_environment(c, in->environment, err);
}

static int read_given(struct fxci_config *c, const char *path, struct err *err)
{
    c->impl->file = config_keep(c, path, err);
    return c->impl->file ? config_read_file(c, path, true, err) : E_NOMEM;
}

int fxci_config_read(struct fxci_config *c, const struct config_inputs *in, struct err *err)
{
    *c = (struct fxci_config){.impl = calloc(1, sizeof *c->impl)};
    if (!c->impl)
        return err_set(err, E_NOMEM, 0, "no memory for the configuration");
    int r = config_set_defaults(c, c, config_keys, err);
    if (r == 0)
        r = add_uptime(c, err);
    if (r == 0)
        r = in->path ? read_given(c, in->path, err) : read_usual(c, in, err);
    if (r == 0)
        r = finish_metrics(c, err);
    c->any_cloud = c->given[CONFIG_BIGQUERY] || c->given[CONFIG_STORAGE] || c->given[CONFIG_PULSE];
    if (r < 0)
        fxci_config_deinit(c);
    return r < 0 ? err_wrap(err, r, "configuration") : 0;
}

void fxci_config_deinit(struct fxci_config *c)
{
    for (size_t i = 0; c->impl && i < c->impl->n_texts; i++) {
        secret_wipe(c->impl->texts[i], strlen(c->impl->texts[i]));
        free(c->impl->texts[i]);
    }
    if (c->impl)
        free(c->impl->texts);
    free(c->impl);
    secret_wipe(c, sizeof *c);
}

/* The keys of a command's sections that have no value. */
struct missing {
    char text[ERR_TEXT_BYTES];
    size_t n;
    bool environment_counts;
};

static void note(struct missing *m, bool is_missing, const char *key)
{
    char variable[CONFIG_KEY_BYTES];
    const size_t len = strlen(m->text);
    if (!is_missing)
        return;
    config_variable(variable, key);
    if (m->environment_counts)
        (void)snprintf(m->text + len, sizeof m->text - len, "%s%s (%s)", m->n++ ? ", " : "", key,
                       variable);
    else
        (void)snprintf(m->text + len, sizeof m->text - len, "%s%s", m->n++ ? ", " : "", key);
}

static void note_pulse(struct missing *m, const struct fxci_config *c, const struct config_use *use)
{
    if (use->source_given || (!use->pulse && !c->given[CONFIG_PULSE]))
        return;
    note(m, !c->pulse.user, "pulse.user");
    note(m, c->pulse.password.len == 0, "pulse.password");
}

int fxci_config_require(const struct fxci_config *c, const struct config_use *use, struct err *err)
{
    struct missing m = {.environment_counts = c->impl->environment_counts};
    if (c->any_cloud && use->bigquery && !use->warehouse_given) {
        note(&m, !c->bigquery.project, "bigquery.project");
        note(&m, !c->bigquery.dataset, "bigquery.dataset");
    }
    if (c->any_cloud && use->storage && !use->store_given) {
        note(&m, !c->storage.project, "storage.project");
        note(&m, !c->storage.bucket, "storage.bucket");
    }
    note_pulse(&m, c, use);
    if (m.n == 0)
        return 0;
    const bool no_pulse = use->pulse && !use->source_given && !c->given[CONFIG_PULSE];
    return err_set(err, E_ARG, 0, "the configuration lacks %s; looked in %s%s%s", m.text,
                   c->impl->file ? c->impl->file : "no file",
                   m.environment_counts ? " and the environment" : " only, as --config says",
                   no_pulse ? ". Recorded messages need none: give --source" : "");
}

static int show_keys(const struct slot *slots, config_value_fn *fn, void *arg, struct err *err)
{
    int r = 0;
    for (size_t i = 0; config_keys[i].name && r == 0; i++) {
        const char *fallback = config_keys[i].fallback ? config_keys[i].fallback : "";
        r = fn(arg, config_keys[i].name, slots[i].shown ? slots[i].shown : fallback,
               slots[i].shown ? slots[i].origin : "default", err);
    }
    return r;
}

static int show_metric(const struct metric_config *m, const struct slot *slots, config_value_fn *fn,
                       void *arg, struct err *err)
{
    int r = 0;
    for (size_t i = 0; config_metric_keys[i].name && r == 0; i++) {
        const struct key *k = &config_metric_keys[i];
        char name[2 * CONFIG_KEY_BYTES];
        (void)snprintf(name, sizeof name, "monitoring.metrics.%s.%s", m->name, k->name);
        const char *text = slots[i].shown ? slots[i].shown : k->fallback;
        if (!text)
            text = *(const char *const *)((const char *)m + k->offset);
        r = fn(arg, name, text ? text : "", slots[i].shown ? slots[i].origin : "default", err);
    }
    return r;
}

int fxci_config_each(const struct fxci_config *c, config_value_fn *fn, void *arg, struct err *err)
{
    int r = show_keys(c->impl->slots, fn, arg, err);
    for (size_t i = 0; i < c->monitoring.n_metrics && r == 0; i++)
        r = show_metric(&c->monitoring.metrics[i], c->impl->metrics[i].slots, fn, arg, err);
    return r;
}
