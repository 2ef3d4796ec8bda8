/* SPDX-License-Identifier: MPL-2.0 */
/* What the configuration came to: each value, and who set it. */
#include "base/log.h"
#include "cli/fxci.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FORMAT_TABLE, FORMAT_JSON, MAX_VALUE_COLUMNS = 60 };

/* The same rows are walked twice: to measure, then to print. */
struct shown {
    int format;
    bool measuring;
    int key_columns, value_columns;
};

static void measure(int *columns, const char *text, int most)
{
    const size_t len = strlen(text);
    if (len <= (size_t)most && (int)len > *columns)
        *columns = (int)len;
}

static int print_json(const char *key, const char *value, const char *origin, struct err *err)
{
    json_t *row = json_pack("{ssssss}", "key", key, "value", value, "origin", origin);
    char *text = row ? json_dumps(row, JSON_ENSURE_ASCII | JSON_COMPACT) : NULL;
    json_decref(row);
    if (!text)
        return err_set(err, E_FORMAT, 0, "the value of %s is not UTF-8", key);
    (void)puts(text);
    free(text);
    return 0;
}

static int show(void *arg, const char *key, const char *value, const char *origin, struct err *err)
{
    struct shown *s = arg;
    if (s->measuring) {
        measure(&s->key_columns, key, MAX_VALUE_COLUMNS);
        measure(&s->value_columns, value, MAX_VALUE_COLUMNS);
        return 0;
    }
    if (s->format == FORMAT_JSON)
        return print_json(key, value, origin, err);
    (void)printf("%-*s  %-*s  %s\n", s->key_columns, key, s->value_columns, value, origin);
    return 0;
}

static const char *flag_or(const char *given, const char *flag, const char *configured)
{
    return given ? flag : configured ? "configuration" : "default";
}

/* Where data lies after all: what a flag says stands over the keys. */
static int show_places(const struct fxci_setup *s, struct shown *shown, struct err *err)
{
    const struct fxci_args *a = s->args;
    CLEANUP(store_closep) struct store *state = NULL;
    int r = show(shown, "warehouse", s->warehouse_url,
                 flag_or(a->warehouse, "--warehouse or WEIR_WAREHOUSE", s->config.bigquery.dataset),
                 err);
    // A name that cannot be a bucket's is to be seen, too; validate says what is wrong with it.
    const char *name = fxci_open_store(s, &state, NULL) == 0 ? store_name(state) : s->bucket;
    if (r == 0)
        r = show(shown, "state", name,
                 flag_or(a->store, "--store or WEIR_STORE", s->config.storage.bucket), err);
    return r;
}

static int show_all(const struct fxci_setup *s, struct shown *shown, struct err *err)
{
    const int r = show_places(s, shown, err);
    return r < 0 ? r : fxci_config_each(&s->config, show, shown, err);
}

int cmd_config_show(void *args, struct err *err)
{
    const struct fxci_args *a = args;
    CLEANUP(fxci_end) struct fxci_setup setup = {0};
    struct shown shown = {.format = a->format, .measuring = true};
    int r = fxci_start(&setup, a, NULL, err);
    if (r == 0)
        r = show_all(&setup, &shown, err);
    shown.measuring = false;
    if (r == 0)
        r = show_all(&setup, &shown, err);
    return fxci_exit(r);
}
