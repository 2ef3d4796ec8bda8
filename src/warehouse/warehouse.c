/* SPDX-License-Identifier: MPL-2.0 */
#include "warehouse/handle.h"

#include <stdlib.h>

static const char duckdb_scheme[] = "duckdb://", bigquery_scheme[] = "bigquery://";

static const char *behind(const char *url, const char *scheme)
{
    const size_t n = strlen(scheme);
    return strncmp(url, scheme, n) == 0 ? url + n : NULL;
}

static int open_backend(struct warehouse *w, const struct warehouse_config *config, struct err *err)
{
    const char *rest = behind(config->url, duckdb_scheme);
    if (rest) {
        w->ops = &duckdb_ops;
        return duckdb_backend_open(&w->impl, config, rest, err);
    }
    rest = behind(config->url, bigquery_scheme);
    if (rest) {
        w->ops = &bigquery_ops;
        return bigquery_backend_open(&w->impl, &w->dataset, config, rest, err);
    }
    return err_set(err, E_ARG, 0,
                   "a warehouse is duckdb:///path/file.duckdb or bigquery://project/dataset, not "
                   "\"%s\"",
                   config->url);
}

int warehouse_open(struct warehouse **out, const struct warehouse_config *config, struct err *err)
{
    CLEANUP(warehouse_closep) struct warehouse *w = calloc(1, sizeof *w);
    if (!w || !(w->url = strdup(config->url)))
        return err_set(err, E_NOMEM, 0, "no memory for a warehouse");
    w->read_only = config->read_only;
    const int r = open_backend(w, config, err);
    if (r < 0)
        return r;
    *out = w;
    w = NULL;
    return 0;
}

void warehouse_close(struct warehouse *w)
{
    if (!w)
        return;
    if (w->impl)
        w->ops->close(w->impl);
    free(w->dataset);
    free(w->url);
    free(w);
}

const char *warehouse_name(const struct warehouse *w)
{
    return w->url;
}

bool warehouse_is_bigquery(const struct warehouse *w)
{
    return w->ops == &bigquery_ops;
}

const char *sql_of(const struct warehouse *w, const struct sql_text *text)
{
    return warehouse_is_bigquery(w) ? text->bigquery : text->duckdb;
}

void table_name_deinit(struct table_name *name)
{
    free(name->dataset);
    free(name->table);
}

int table_name_init(struct table_name *name, const struct warehouse *w, const char *text,
                    struct err *err)
{
    const char *dot = strchr(text, '.');
    const char *dataset = w->dataset ? w->dataset : w->ops->default_dataset;
    if (dot && strchr(dot + 1, '.'))
        return err_set(err, E_ARG, 0, "a table is \"dataset.table\" or \"table\", not \"%s\"",
                       text);
    if (!dot && !dataset)
        return err_set(err, E_ARG, 0, "table %s: name its dataset, as dataset.%s or in %s", text,
                       text, w->url);
    name->dataset = dot ? strndup(text, (size_t)(dot - text)) : strdup(dataset);
    name->table = strdup(dot ? dot + 1 : text);
    if (!name->dataset || !name->table)
        return err_set(err, E_NOMEM, 0, "no memory for a name");
    const int r = w->ops->check_name(name->dataset, err);
    return r < 0 ? r : w->ops->check_name(name->table, err);
}

int check_writable(const struct warehouse *w, struct err *err)
{
    if (!w->loading && !w->read_only)
        return 0;
    return err_set(err, E_ARG, 0, "%s: %s", w->url,
                   w->loading ? "another load has not ended" : "opened for reading only");
}

static int check_column(const struct warehouse *w, const struct table_schema *schema,
                        const struct column *column, struct err *err)
{
    int r = w->ops->check_name(column->name, err);
    if (column->type != COLUMN_RECORD || r < 0)
        return r;
    if (!column->fields || !column->fields[0])
        return err_set(err, E_ARG, 0, "table %s: column %s has no fields", schema->name,
                       column->name);
    for (size_t i = 0; column->fields[i] && r == 0; i++)
        r = w->ops->check_name(column->fields[i], err);
    return r;
}

static int check_named(const struct table_schema *schema, const char *const *names, struct err *err)
{
    for (; names && *names; names++)
        if (find_column(schema->columns, *names) == SIZE_MAX)
            return err_set(err, E_ARG, 0, "table %s has no column %s", schema->name, *names);
    return 0;
}

static int check_schema(const struct warehouse *w, const struct table_schema *schema,
                        struct err *err)
{
    int r = 0;
    for (const struct column *c = schema->columns; c->name && r == 0; c++)
        r = check_column(w, schema, c, err);
    if (r == 0)
        r = check_named(schema, schema->key, err);
    if (r == 0)
        r = check_named(schema, schema->cluster, err);
    if (r < 0 || !schema->partition_column)
        return r;
    const size_t partition = find_column(schema->columns, schema->partition_column);
    return partition != SIZE_MAX && schema->columns[partition].type == COLUMN_DATE
               ? 0
               : err_set(err, E_ARG, 0, "table %s: the partition column %s is no date",
                         schema->name, schema->partition_column);
}

int warehouse_ensure_table(struct warehouse *w, const struct table_schema *schema, struct err *err)
{
    CLEANUP(table_name_deinit) struct table_name name = {0};
    int r = table_name_init(&name, w, schema->name, err);
    if (r == 0)
        r = check_schema(w, schema, err);
    if (r == 0)
        r = w->ops->ensure_table(w->impl, &name, schema, err);
    return r;
}

int warehouse_query(struct warehouse *w, const char *sql, const struct column *columns,
                    warehouse_row_fn *fn, void *arg, struct err *err)
{
    return w->ops->query(w->impl, sql, columns, fn, arg, err);
}
