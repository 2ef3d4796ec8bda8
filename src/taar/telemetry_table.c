/* SPDX-License-Identifier: MPL-2.0 */
/* Tables of the warehouse. BigQuery's have the columns of section 2, or its own error says so. */
#include "taar/telemetry_internal.h"

static int check_names(const char *table, struct err *err)
{
    static const char letters[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-:.";
    return strspn(table, letters) == strlen(table)
               ? 0
               : err_set(err, E_ARG, 0, "%s is neither there nor can it be a table", table);
}

/* "project.dataset.table" is more than a warehouse's names are. */
static int append_name(struct buf *sql, struct telemetry *t, struct err *err)
{
    const char *dot = strchr(t->source, '.');
    const bool has_project = dot && strchr(dot + 1, '.');
    const struct sql_value values[] = {{.name = "t", .kind = SQL_TABLE, .text = t->source},
                                       {.name = NULL}};
    if (has_project && warehouse_is_bigquery(t->warehouse)) {
        const int r = check_names(t->source, err);
        return r < 0 ? r : buf_printf(sql, err, "`%s`", t->source);
    }
    const int r = warehouse_fill_sql(sql, t->warehouse, "{t}", values, err);
    if (r == 0)
        sql->len--; // its NUL
    return r;
}

static int append_bigquery(struct buf *sql, struct telemetry *t, const char *name, struct err *err)
{
    static const struct {
        const char *columns, *day;
    } kinds[] = {
        [TELEMETRY_CLIENTS] = {"*", "submission_date"},
        [TELEMETRY_ADDONS] = {"submission_date, client_id, addon_id", "submission_date"},
        [TELEMETRY_DELETIONS] = {"DATE(submission_timestamp) AS submission_date, client_id, "
                                 "submission_timestamp",
                                 "DATE(submission_timestamp)"},
    };
    char first[DAY_TEXT_BYTES], last[DAY_TEXT_BYTES];
    int r = buf_printf(sql, err, "(SELECT %s FROM %s", kinds[t->kind].columns, name);
    if (r < 0 || t->first == TELEMETRY_ANY_FIRST)
        return r < 0 ? r : buf_append_str(sql, ")", err);
    day_text(first, t->first, true);
    day_text(last, t->last, true);
    return buf_printf(sql, err, " WHERE %s BETWEEN DATE '%s' AND DATE '%s')", kinds[t->kind].day,
                      first, last);
}

static int take_column(void *arg, const struct cell *cells, struct err *err)
{
    return found_columns_add(arg, cells[0].text, cells[1].text, err);
}

static int describe(struct telemetry *t, const char *name, struct found_columns *found,
                    struct err *err)
{
    static const struct column columns[] = {{.name = "name", .type = COLUMN_STRING},
                                            {.name = "type", .type = COLUMN_STRING},
                                            {.name = NULL}};
    CLEANUP(buf_deinit) struct buf sql = BUF_INIT(1 << 16);
    int r = buf_printf(&sql, err,
                       "SELECT column_name, column_type FROM (DESCRIBE SELECT * FROM %s)", name);
    if (r == 0)
        r = buf_append_byte(&sql, '\0', err);
    if (r == 0)
        r = warehouse_query(t->warehouse, (const char *)sql.data, columns, take_column, found, err);
    if (r == E_IO && strstr(err->text, "does not exist"))
        return err_set(err, E_ABSENT, 0, "%s is no file or directory, and no table of %s",
                       t->source, warehouse_name(t->warehouse));
    return r;
}

static int append_duckdb(struct buf *sql, struct telemetry *t, const char *name, struct err *err)
{
    CLEANUP(found_columns_deinit) struct found_columns found = {0};
    found.place = strdup(t->source);
    int r = found.place ? describe(t, name, &found, err) : err_set(err, E_NOMEM, 0, "no memory");
    if (r == 0)
        r = append_relation_of(sql, t, &found, name, err);
    return r;
}

int append_table_relation(struct buf *sql, struct telemetry *t, struct err *err)
{
    CLEANUP(buf_deinit) struct buf name = BUF_INIT(1 << 16);
    int r = append_name(&name, t, err);
    if (r == 0)
        r = buf_append_byte(&name, '\0', err);
    if (r < 0)
        return r;
    return warehouse_is_bigquery(t->warehouse)
               ? append_bigquery(sql, t, (const char *)name.data, err)
               : append_duckdb(sql, t, (const char *)name.data, err);
}
