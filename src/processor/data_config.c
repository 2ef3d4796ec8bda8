/* SPDX-License-Identifier: MPL-2.0 */
#include "processor/data_config.h"

#include "base/buf.h"
#include "base/source.h"
#include "weir/prio.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_CONFIG_BYTES = 16 * 1024 * 1024, MAX_BATCHES = 100000 };

static void free_json(json_t **json)
{
    json_decref(*json);
}

static int read_all(struct buf *out, const char *path, struct err *err)
{
    struct file_source file;
    int r = file_source_open(&file, path, err);
    if (r < 0)
        return r;
    const struct source source = file_source(&file);
    char chunk[4096];
    ssize_t n;
    while ((n = source.read(source.arg, chunk, sizeof chunk, err)) > 0 && r == 0)
        r = buf_append(out, chunk, (size_t)n, err);
    file_source_close(&file);
    if (r == E_NOMEM)
        return err_set(err, E_FORMAT, 0, "%s: longer than %d bytes", path, MAX_CONFIG_BYTES);
    return n < 0 ? (int)n : r;
}

static int check_batch_id(const char *id, size_t len, struct err *err)
{
    if (len == 0)
        return err_set(err, E_FORMAT, 0, "the batch id is empty");
    if (len > PRIO_MAX_BATCH_ID)
        return err_set(err, E_FORMAT, 0, "the batch id \"%.40s...\" is longer than %d bytes", id,
                       PRIO_MAX_BATCH_ID);
    return 0;
}

static int check_n_data(const char *id, const json_t *n_data, struct err *err)
{
    if (!n_data)
        return err_set(err, E_FORMAT, 0, "batch \"%s\" has no n_data", id);
    if (!json_is_integer(n_data) || json_integer_value(n_data) < 1 ||
        json_integer_value(n_data) > PRIO_MAX_DATA)
        return err_set(err, E_FORMAT, 0, "n_data of batch \"%s\" is not an integer from 1 to %d",
                       id, PRIO_MAX_DATA);
    return 0;
}

static int add_entry(struct data_config *config, const char *id, size_t len, const json_t *n_data,
                     struct err *err)
{
    int r = check_batch_id(id, len, err);
    if (r == 0)
        r = check_n_data(id, n_data, err);
    if (r < 0)
        return r;
    struct data_entry *entry = &config->entries[config->n];
    entry->batch_id = strdup(id);
    if (!entry->batch_id)
        return err_set(err, E_NOMEM, 0, "no memory for a batch id");
    entry->n_data = (size_t)json_integer_value(n_data);
    config->n++;
    return 0;
}

static int add_from_array(struct data_config *config, const json_t *array, struct err *err)
{
    size_t i;
    const json_t *item;
    json_array_foreach(array, i, item)
    {
        const json_t *id = json_object_get(item, "batch_id");
        int r = 0;
        if (!json_is_object(item))
            r = err_set(err, E_FORMAT, 0, "not an object with batch_id and n_data");
        else if (!json_is_string(id))
            r = err_set(err, E_FORMAT, 0, "batch_id is %s", id ? "not a string" : "missing");
        else
            r = add_entry(config, json_string_value(id), json_string_length(id),
                          json_object_get(item, "n_data"), err);
        if (r < 0)
            return err_wrap(err, r, "entry %zu", i + 1);
    }
    return 0;
}

static int add_from_object(struct data_config *config, json_t *object, struct err *err)
{
    const char *id;
    const json_t *n_data;
    json_object_foreach(object, id, n_data)
    {
        const int r = add_entry(config, id, strlen(id), n_data, err);
        if (r < 0)
            return err_wrap(err, r, "entry %zu", config->n + 1);
    }
    return 0;
}

static int by_batch_id(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static int check_repeats(const struct data_config *config, struct err *err)
{
    if (config->n < 2)
        return 0;
    char **ids = calloc(config->n, sizeof *ids);
    if (!ids)
        return err_set(err, E_NOMEM, 0, "no memory for %zu batch ids", config->n);
    for (size_t i = 0; i < config->n; i++)
        ids[i] = config->entries[i].batch_id;
    qsort(ids, config->n, sizeof *ids, by_batch_id);
    int r = 0;
    for (size_t i = 1; i < config->n && r == 0; i++)
        if (strcmp(ids[i - 1], ids[i]) == 0)
            r = err_set(err, E_FORMAT, 0, "batch \"%s\" is there more than once", ids[i]);
    free(ids);
    return r;
}

static int parse(struct data_config *config, struct span text, struct err *err)
{
    json_error_t where;
    const char *bytes = text.len > 0 ? (const char *)text.ptr : ""; // jansson wants no NULL
    CLEANUP(free_json)
    json_t *json = json_loadb(bytes, text.len, JSON_REJECT_DUPLICATES, &where);
    if (!json)
        return err_set(err, E_FORMAT, 0, "line %d, column %d: %s", where.line, where.column,
                       where.text);
    const size_t n = json_is_array(json) ? json_array_size(json) : json_object_size(json);
    if (n == 0 || n > MAX_BATCHES)
        return err_set(err, E_FORMAT, 0,
                       "not a list of 1 to %d batches: [{\"batch_id\": \"...\", \"n_data\": ...}]",
                       MAX_BATCHES);
    config->entries = calloc(n, sizeof *config->entries);
    if (!config->entries)
        return err_set(err, E_NOMEM, 0, "no memory for %zu batches", n);
    const int r = json_is_array(json) ? add_from_array(config, json, err)
                                      : add_from_object(config, json, err);
    return r < 0 ? r : check_repeats(config, err);
}

int data_config_read(struct data_config *out, const char *path, struct err *err)
{
    CLEANUP(buf_deinit) struct buf text = BUF_INIT(MAX_CONFIG_BYTES);
    struct data_config config = {0};
    int r = read_all(&text, path, err);
    if (r < 0)
        return r;
    r = parse(&config, buf_span(&text), err);
    if (r < 0) {
        data_config_deinit(&config);
        return err_wrap(err, r, "%s", path);
    }
    *out = config;
    return 0;
}

void data_config_deinit(struct data_config *config)
{
    for (size_t i = 0; i < config->n; i++)
        free(config->entries[i].batch_id);
    free(config->entries);
    *config = (struct data_config){0};
}
