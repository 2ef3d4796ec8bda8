/* SPDX-License-Identifier: MPL-2.0 */
/* From a key's path, as a file or the environment spells it, to the key. */
#include "base/log.h"
#include "fxci/config_internal.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

static const char metrics[] = "monitoring.metrics";

/* What follows the path and a dot in text; "" when they are the same; NULL: something else. */
static const char *behind(const char *text, const char *path)
{
    const size_t len = strlen(path);
    if (strncasecmp(text, path, len) != 0)
        return NULL;
    return text[len] == '\0' ? text + len : text[len] == '.' ? text + len + 1 : NULL;
}

/* Where a path stands to a key's name. */
static enum config_at compare(const char *path, const char *name)
{
    const char *rest = behind(path, name);
    if (rest)
        return rest[0] ? CONFIG_BELOW_KEY : CONFIG_KEY;
    return behind(name, path) ? CONFIG_TABLE : CONFIG_NOWHERE;
}

static enum config_at find_among(const struct key *keys, const char *path)
{
    for (const struct key *k = keys; k->name; k++) {
        const enum config_at at = compare(path, k->name);
        if (at != CONFIG_NOWHERE)
            return at;
    }
    return CONFIG_NOWHERE;
}

enum config_at config_find(const char *path)
{
    const char *metric = behind(path, metrics);
    if (!metric)
        return find_among(config_keys, path);
    const char *dot = strchr(metric, '.');
    return dot ? find_among(config_metric_keys, dot + 1) : CONFIG_TABLE;
}

enum config_section config_section_of(const char *path)
{
    enum config_section s = 0;
    while (s < CONFIG_N_SECTIONS && !behind(path, config_sections[s]))
        s++;
    return s;
}

void config_warn_unknown(const char *path, const char *origin)
{
    log_event(LOG_LEVEL_WARNING, "unknown key of the configuration, ignored", LOG_S("key", path),
              LOG_S("set_by", origin));
}

int config_set_defaults(struct fxci_config *c, void *at, const struct key *keys, struct err *err)
{
    int r = 0;
    for (const struct key *k = keys; k->name && r == 0; k++) {
        struct slot unset = {0};
        const struct found fallback = {
            .text = k->fallback, .kind = TOML_STRING, .origin = "default"};
        if (k->fallback)
            r = config_set(c, at, k, &unset, k->name, &fallback, err);
    }
    return r;
}

struct metric_config *config_metric(struct fxci_config *c, const char *name, size_t len,
                                    struct err *err)
{
    for (size_t i = 0; i < c->monitoring.n_metrics; i++) {
        struct metric_config *m = &c->monitoring.metrics[i];
        if (strlen(m->name) == len && strncasecmp(m->name, name, len) == 0)
            return m;
    }
    if (c->monitoring.n_metrics == CONFIG_MAX_METRICS) {
        (void)err_set(err, E_ARG, 0, "%s has more than %d metrics", metrics, CONFIG_MAX_METRICS);
        return NULL;
    }
    char text[CONFIG_KEY_BYTES];
    (void)snprintf(text, sizeof text, "%.*s", (int)(len < sizeof text ? len : sizeof text - 1),
                   name);
    struct metric_config *m = &c->monitoring.metrics[c->monitoring.n_metrics];
    m->name = config_keep(c, text, err);
    if (!m->name || config_set_defaults(c, m, config_metric_keys, err) < 0)
        return NULL;
    c->monitoring.n_metrics++;
    return m;
}

static int set_metric(struct fxci_config *c, const char *path, const struct found *found,
                      struct err *err)
{
    const char *name = behind(path, metrics), *dot = strchr(name, '.');
    struct metric_config *m = config_metric(c, name, (size_t)(dot - name), err);
    if (!m)
        return err && err->code ? err->code : E_NOMEM;
    struct slot *slots = c->impl->metrics[m - c->monitoring.metrics].slots;
    size_t i = 0;
    while (strcasecmp(config_metric_keys[i].name, dot + 1) != 0)
        i++;
    return config_set(c, m, &config_metric_keys[i], &slots[i], path, found, err);
}

int config_set_path(struct fxci_config *c, const char *path, const struct found *found,
                    struct err *err)
{
    const enum config_section section = config_section_of(path);
    if (section < CONFIG_N_SECTIONS)
        c->given[section] = true;
    switch (config_find(path)) {
    case CONFIG_TABLE:
        return err_set(err, E_ARG, 0,
                       "%s (%s) is a section, and has keys in place of a value of its own", path,
                       found->origin);
    case CONFIG_BELOW_KEY:
        return err_set(err, E_ARG, 0, "%s (%s) is no key: what it begins with has a value", path,
                       found->origin);
    case CONFIG_KEY:
        break;
    default:
        config_warn_unknown(path, found->origin);
        return 0;
    }
    if (behind(path, metrics))
        return set_metric(c, path, found, err);
    size_t i = 0;
    while (strcasecmp(config_keys[i].name, path) != 0)
        i++;
    return config_set(c, c, &config_keys[i], &c->impl->slots[i], config_keys[i].name, found, err);
}
