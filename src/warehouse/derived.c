/* SPDX-License-Identifier: MPL-2.0 */
/* What is computed from other tables within the warehouse: a date's rows, and views. */
#include "warehouse/handle.h"

static int append_where_date(struct buf *sql, const struct warehouse *w,
                             const struct table_schema *schema, int64_t date, struct err *err)
{
    int r = buf_append_str(sql, " WHERE ", err);
    if (r == 0)
        r = append_quoted(sql, w->ops->quote, schema->partition_column, err);
    if (r == 0)
        r = buf_append_str(sql, " = ", err);
    return r < 0 ? r : append_date(sql, date, err);
}

static int append_from(struct buf *sql, struct warehouse *w, const char *lead,
                       const struct table_name *name, struct err *err)
{
    const int r = buf_append_str(sql, lead, err);
    return r < 0 ? r : w->ops->append_table(w->impl, name, sql, err);
}

static int append_column_list(struct buf *sql, const struct warehouse *w,
                              const struct column *columns, struct err *err)
{
    int r = 0;
    for (size_t i = 0; columns[i].name && r == 0; i++) {
        r = buf_append_str(sql, i == 0 ? " (" : ", ", err);
        if (r == 0)
            r = append_quoted(sql, w->ops->quote, columns[i].name, err);
    }
    return r < 0 ? r : buf_append_str(sql, ")\n", err);
}

/* A script: a backend undoes what a script that fails has begun. A semicolon behind select is not
 * ours to mind; a comment at its end is. */
static int write_replace(struct buf *sql, struct warehouse *w, const struct table_name *name,
                         const struct table_schema *schema, int64_t date, const char *select,
                         struct err *err)
{
    int r = append_from(sql, w, "BEGIN TRANSACTION;\nDELETE FROM ", name, err);
    if (r == 0)
        r = append_where_date(sql, w, schema, date, err);
    if (r == 0)
        r = append_from(sql, w, ";\nINSERT INTO ", name, err);
    if (r == 0)
        r = append_column_list(sql, w, schema->columns, err);
    if (r == 0)
        r = buf_append_str(sql, select, err);
    if (r == 0)
        r = buf_append_str(sql, "\n;\nCOMMIT TRANSACTION;", err);
    return r < 0 ? r : buf_append_byte(sql, '\0', err);
}

static int take_count(void *arg, const struct cell *cells, struct err *err)
{
    (void)err;
    *(uint64_t *)arg = (uint64_t)cells[0].integer;
    return 0;
}

static int count_date(struct warehouse *w, const struct table_name *name,
                      const struct table_schema *schema, int64_t date, uint64_t *n, struct err *err)
{
    static const struct column columns[] = {{.name = "n", .type = COLUMN_INT64}, {.name = NULL}};
    CLEANUP(buf_deinit) struct buf sql = BUF_INIT(SQL_MAX_BYTES);
    int r = append_from(&sql, w, "SELECT count(*) AS n FROM ", name, err);
    if (r == 0)
        r = append_where_date(&sql, w, schema, date, err);
    if (r == 0)
        r = buf_append_byte(&sql, '\0', err);
    return r < 0 ? r : w->ops->query(w->impl, (const char *)sql.data, columns, take_count, n, err);
}

int warehouse_replace_by_query(struct warehouse *w, const struct table_schema *schema, int64_t date,
                               const char *select, uint64_t *n_rows, struct err *err)
{
    CLEANUP(table_name_deinit) struct table_name name = {0};
    CLEANUP(buf_deinit) struct buf sql = BUF_INIT(SQL_MAX_BYTES);
    if (!schema->partition_column)
        return err_set(err, E_ARG, 0, "table %s has no partitions to replace", schema->name);
    int r = check_writable(w, err);
    if (r == 0)
        r = table_name_init(&name, w, schema->name, err);
    if (r == 0)
        r = warehouse_ensure_table(w, schema, err);
    if (r == 0)
        r = write_replace(&sql, w, &name, schema, date, select, err);
    if (r == 0)
        r = w->ops->query(w->impl, (const char *)sql.data, NULL, NULL, NULL, err);
    if (r == 0 && n_rows)
        r = count_date(w, &name, schema, date, n_rows, err);
    return r;
}

int warehouse_ensure_view(struct warehouse *w, const char *name, const char *select,
                          struct err *err)
{
    CLEANUP(table_name_deinit) struct table_name parts = {0};
    int r = check_writable(w, err);
    if (r == 0)
        r = table_name_init(&parts, w, name, err);
    return r < 0 ? r : w->ops->ensure_view(w->impl, &parts, select, err);
}
