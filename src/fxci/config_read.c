/* SPDX-License-Identifier: MPL-2.0 */
/* The file and the environment, leaf by leaf. */
#include "base/secret.h"
#include "base/source.h"
#include "fxci/config_internal.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char prefix[] = "FXCI_ETL_";
enum { LIST_BYTES = 16 << 10, ORIGIN_BYTES = 512 };

void config_variable(char out[CONFIG_KEY_BYTES], const char *key)
{
    (void)snprintf(out, CONFIG_KEY_BYTES, "%s%s", prefix, key);
    for (char *c = out + sizeof prefix - 1; *c; c++)
        *c = *c == '.' ? '_' : (char)toupper((unsigned char)*c);
}

static int set_leaf(struct fxci_config *c, const char *file, const char *path,
                    const struct toml_value *v, const char *text, struct err *err)
{
    char origin[ORIGIN_BYTES];
    (void)snprintf(origin, sizeof origin, "%s:%u", file, v->line);
    const struct found found = {.text = text, .kind = v->kind, .origin = origin};
    return config_set_path(c, path, &found, err);
}

/* A list of texts becomes one text. */
static int set_array(struct fxci_config *c, const char *file, const char *path,
                     const struct toml_value *v, struct err *err)
{
    char text[LIST_BYTES];
    size_t len = 0;
    text[0] = '\0';
    for (const struct toml_value *m = v->first; m; m = m->next) {
        if (m->kind != TOML_STRING || strchr(m->text, ','))
            return err_set(err, E_ARG, 0, "%s (%s:%u) is no list of texts without commas", path,
                           file, m->line);
        const int n =
            snprintf(text + len, sizeof text - len, "%s%s", m == v->first ? "" : ",", m->text);
        if (n < 0 || (size_t)n >= sizeof text - len)
            return err_set(err, E_ARG, 0, "%s (%s:%u) is too long", path, file, m->line);
        len += (size_t)n;
    }
    return set_leaf(c, file, path, v, text, err);
}

static int set_value(struct fxci_config *c, const char *file, const char *path,
                     const struct toml_value *v, struct err *err)
{
    char number[32] = "";
    switch (v->kind) {
    case TOML_STRING:
        return set_leaf(c, file, path, v, v->text, err);
    case TOML_ARRAY:
        return set_array(c, file, path, v, err);
    case TOML_INTEGER:
        (void)snprintf(number, sizeof number, "%" PRId64, v->integer);
        return set_leaf(c, file, path, v, number, err);
    case TOML_BOOL:
        return set_leaf(c, file, path, v, v->boolean ? "true" : "false", err);
    default: // no key wants one: it is refused by its kind
        return set_leaf(c, file, path, v, "", err);
    }
}

static int walk(struct fxci_config *c, const char *file, const char *above,
                const struct toml_value *table, struct err *err)
{
    int r = 0;
    for (const struct toml_value *v = table->first; v && r == 0; v = v->next) {
        char path[CONFIG_KEY_BYTES], origin[ORIGIN_BYTES];
        const int n = snprintf(path, sizeof path, "%s%s%s", above, above[0] ? "." : "", v->key);
        const enum config_at at = config_find(path);
        const bool known = n >= 0 && (size_t)n < sizeof path && !strchr(v->key, '.') &&
                           (at == CONFIG_KEY || at == CONFIG_TABLE);
        (void)snprintf(origin, sizeof origin, "%s:%u", file, v->line);
        const enum config_section section = config_section_of(path);
        if (section < CONFIG_N_SECTIONS)
            c->given[section] = true;
        if (!known)
            config_warn_unknown(path, origin);
        else if (v->kind != TOML_TABLE)
            r = set_value(c, file, path, v, err);
        else if (at == CONFIG_KEY)
            r = err_set(err, E_ARG, 0, "%s (%s) is a table, and should be a value", path, origin);
        else
            r = walk(c, file, path, v, err);
    }
    return r;
}

static int read_text(struct buf *text, const char *path, struct err *err)
{
    struct file_source file;
    int r = file_source_open(&file, path, err);
    if (r < 0)
        return r;
    // All room at once: a text that grows leaves copies of secrets behind.
    r = buf_reserve(text, TOML_MAX_BYTES + 1, err);
    if (r == 0)
        r = source_read_all(file_source(&file), text, err);
    file_source_close(&file);
    return r < 0 ? err_wrap(err, r, "%s", path) : 0;
}

int config_read_file(struct fxci_config *c, const char *path, bool must_exist, struct err *err)
{
    CLEANUP(toml_freep) struct toml *toml = NULL;
    struct buf text = BUF_INIT(TOML_MAX_BYTES + 2);
    struct err own = {0};
    int r = read_text(&text, path, &own);
    const bool absent = r == E_ABSENT;
    if (r == 0)
        r = toml_parse(&toml, buf_span(&text), path, &own);
    if (r == 0)
        r = walk(c, path, "", toml_root(toml), &own);
    secret_wipe(text.data, text.len);
    buf_deinit(&text);
    if (absent && !must_exist)
        return 0;
    return r < 0 ? err_set(err, r, 0, "%s", own.text) : 0;
}

static int unknown_section(const char *variable, struct err *err)
{
    return err_set(err, E_ARG, 0,
                   "%s begins with %s, but names no section of the configuration; there are "
                   "bigquery, storage, pulse, monitoring, taskcluster, billing and google",
                   variable, prefix);
}

static int read_variable(struct fxci_config *c, const char *entry, struct err *err)
{
    char variable[CONFIG_KEY_BYTES + sizeof prefix], path[sizeof variable];
    const char *value = strchr(entry, '=');
    const size_t len = value ? (size_t)(value - entry) : 0, skip = sizeof prefix - 1;
    if (len < skip || strncmp(entry, prefix, skip) != 0)
        return 0;
    (void)snprintf(variable, sizeof variable, "%.*s",
                   (int)(len < sizeof variable ? len : sizeof variable - 1), entry);
    (void)snprintf(path, sizeof path, "%s", variable + skip);
    for (char *p = path; *p; p++)
        *p = *p == '_' ? '.' : (char)tolower((unsigned char)*p);
    if (config_section_of(path) == CONFIG_N_SECTIONS)
        return unknown_section(variable, err);
    if (len >= sizeof variable) {
        config_warn_unknown(path, variable);
        return 0;
    }
    const struct found found = {
        .text = value + 1, .kind = TOML_STRING, .origin = variable, .from_environment = true};
    return config_set_path(c, path, &found, err);
}

int config_read_environment(struct fxci_config *c, char *const *environment, struct err *err)
{
    int r = 0;
    for (char *const *entry = environment; entry && *entry && r == 0; entry++)
        r = read_variable(c, *entry, err);
    return r;
}
