/* SPDX-License-Identifier: MPL-2.0 */
/* Derived tables: which text, which sources. Source: fxci-etl.md 5.1 to 5.3. */
#include "fxci/derive.h"

#include "base/buf.h"
#include "fxci/sql.h"

enum { SQL_BYTES_MAX = 1 << 20, WINDOW_DAYS = 31 };

static const struct sql_text *const texts[FXCI_N_TABLES] = {
    [FXCI_WORKER_COSTS] = &sql_worker_costs,
    [FXCI_WORKER_USAGE] = &sql_worker_usage,
    [FXCI_RUN_COSTS] = &sql_run_costs,
};

/* What is put together here and must outlive the values. */
struct sources {
    struct buf projects; // 'a', 'b'
    struct buf exports;  // quoted names, each with a NUL
};

static void sources_deinit(struct sources *s)
{
    buf_deinit(&s->projects);
    buf_deinit(&s->exports);
}

static int list_projects(struct buf *out, struct warehouse *w, const struct fxci_config *config,
                         struct err *err)
{
    if (!config->monitoring.projects[0])
        return err_set(err, E_ARG, 0,
                       "monitoring.projects is empty: it says whose machines are looked at");
    int r = 0;
    for (size_t i = 0; config->monitoring.projects[i] && r == 0; i++) {
        const struct sql_value values[] = {
            {.name = "project", .kind = SQL_TEXT, .text = config->monitoring.projects[i]},
            {.name = NULL}};
        if (i > 0)
            out->data[out->len - 1] = ','; // where the text before ended
        r = warehouse_fill_sql(out, w, "{project}", values, err);
    }
    return r;
}

enum { N_EXPORTS = 5 };
static const char *const export_names[N_EXPORTS] = {"gcp", "fxci_load", "fxci_lookup",
                                                    "taskcluster_load", "taskcluster_lookup"};
static const char *const export_keys[N_EXPORTS] = {"billing.gcp", "billing.fxciLoad",
                                                   "billing.fxciLookup", "billing.taskclusterLoad",
                                                   "billing.taskclusterLookup"};

/* An export is another project's, so its name has three parts. */
static int quote_exports(struct buf *out, const struct fxci_config *config, struct err *err)
{
    const char *const names[N_EXPORTS] = {
        config->billing.gcp, config->billing.fxci_load, config->billing.fxci_lookup,
        config->billing.taskcluster_load, config->billing.taskcluster_lookup};
    int r = 0;
    for (size_t i = 0; i < N_EXPORTS && r == 0; i++) {
        if (!names[i] || names[i][strcspn(names[i], "`\\\n")] || !strchr(names[i], '.'))
            return err_set(err, E_ARG, 0, "%s names no table: it is to be project.dataset.table",
                           export_keys[i]);
        r = buf_printf(out, err, "`%s`", names[i]);
        if (r == 0)
            r = buf_append_byte(out, '\0', err);
    }
    return r;
}

enum { N_VALUES = 16 };

static void add_exports(struct sql_value *values, const struct buf *exports)
{
    const char *text = (const char *)exports->data;
    for (size_t i = 0; i < N_EXPORTS; i++) {
        values[i] = (struct sql_value){export_names[i], SQL_VERBATIM, text, 0};
        text += strlen(text) + 1;
    }
}

static int fill(struct buf *sql, struct warehouse *w, const struct fxci_tables *tables,
                const struct sources *sources, enum fxci_table table, int64_t date, struct err *err)
{
    struct sql_value values[N_VALUES] = {
        {"date", SQL_DATE, NULL, date},
        {"first", SQL_DATE, NULL, date - (WINDOW_DAYS - 1)},
        {"projects", SQL_VERBATIM, (const char *)sources->projects.data, 0},
        {"runs", SQL_TABLE, tables->names[FXCI_RUNS], 0},
        {"metrics", SQL_TABLE, tables->names[FXCI_METRICS], 0},
        {"worker_costs", SQL_TABLE, tables->names[FXCI_WORKER_COSTS], 0},
        {"worker_usage", SQL_TABLE, tables->names[FXCI_WORKER_USAGE], 0},
    };
    size_t n = 7;
    if (warehouse_is_bigquery(w)) {
        add_exports(values + n, &sources->exports);
    } else {
        values[n++] = (struct sql_value){"gcp", SQL_TABLE, tables->names[FXCI_GCP_BILLING], 0};
        values[n++] = (struct sql_value){"azure", SQL_TABLE, tables->names[FXCI_AZURE_BILLING], 0};
    }
    return warehouse_fill_sql(sql, w, sql_of(w, texts[table]), values, err);
}

int derive_table(struct warehouse *w, const struct fxci_tables *tables,
                 const struct fxci_config *config, enum fxci_table table, int64_t date,
                 uint64_t *n_rows, struct err *err)
{
    if (table >= FXCI_N_TABLES || !texts[table])
        return err_set(err, E_ARG, 0, "there is no table that could be derived");
    CLEANUP(sources_deinit)
    struct sources sources = {BUF_INIT(SQL_BYTES_MAX), BUF_INIT(SQL_BYTES_MAX)};
    CLEANUP(buf_deinit) struct buf sql = BUF_INIT(SQL_BYTES_MAX);
    int r = list_projects(&sources.projects, w, config, err);
    if (r == 0 && warehouse_is_bigquery(w))
        r = quote_exports(&sources.exports, config, err);
    if (r == 0)
        r = fill(&sql, w, tables, &sources, table, date, err);
    if (r == 0)
        r = warehouse_replace_by_query(w, &tables->schemas[table], date, (const char *)sql.data,
                                       n_rows, err);
    return r < 0 ? err_wrap(err, r, "derive %s", tables->names[table]) : 0;
}
