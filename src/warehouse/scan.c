/* SPDX-License-Identifier: MPL-2.0 */
/* Reading tables: the SQL that the backends share. */
#include "base/utc.h"
#include "warehouse/handle.h"

#include <inttypes.h>

int append_quoted(struct buf *sql, char quote, const char *name, struct err *err)
{
    int r = buf_append_byte(sql, (uint8_t)quote, err);
    for (const char *c = name; *c && r == 0; c++) {
        if (*c == quote)
            r = buf_append_byte(sql, (uint8_t)quote, err);
        if (r == 0)
            r = buf_append_byte(sql, (uint8_t)*c, err);
    }
    return r < 0 ? r : buf_append_byte(sql, (uint8_t)quote, err);
}

void format_date(char out[DATE_TEXT_BYTES], int64_t days)
{
    char text[UTC_TEXT_BYTES];
    utc_format_naive(text, days * us_per_day);
    memcpy(out, text, DATE_TEXT_BYTES - 1);
    out[DATE_TEXT_BYTES - 1] = '\0';
}

int append_date(struct buf *sql, int64_t days, struct err *err)
{
    char text[DATE_TEXT_BYTES];
    format_date(text, days);
    return buf_printf(sql, err, "DATE '%s'", text);
}

size_t count_columns(const struct column *columns)
{
    size_t n = 0;
    while (columns && columns[n].name)
        n++;
    return n;
}

static int append_columns(struct buf *sql, char quote, const struct column *columns,
                          struct err *err)
{
    int r = buf_append_str(sql, "SELECT ", err);
    for (size_t i = 0; columns[i].name && r == 0; i++) {
        if (i > 0)
            r = buf_append_str(sql, ", ", err);
        if (r == 0)
            r = append_quoted(sql, quote, columns[i].name, err);
    }
    return r;
}

static const struct column *named_column(const struct column *columns, const char *name, size_t len)
{
    for (; columns->name; columns++)
        if (strlen(columns->name) == len && memcmp(columns->name, name, len) == 0)
            return columns;
    return NULL;
}

/* One order in both backends, whose defaults differ on null. */
static int append_order(struct buf *sql, char quote, const struct table_schema *schema,
                        const char *order_by, struct err *err)
{
    const char *lead = " ORDER BY ";
    int r = 0;
    for (const char *p = order_by; *p && r == 0;) {
        p += strspn(p, " ,");
        const size_t len = strcspn(p, " ,");
        const struct column *column = named_column(schema->columns, p, len);
        if (!column)
            return err_set(err, E_ARG, 0, "table %s has no column to sort by named %.*s",
                           schema->name, (int)len, p);
        r = buf_append_str(sql, lead, err);
        if (r == 0)
            r = append_quoted(sql, quote, column->name, err);
        if (r == 0)
            r = buf_append_str(sql, " NULLS FIRST", err);
        lead = ", ";
        p += len;
    }
    return r;
}

/* BigQuery reads a whole table only where a filter names its partitions all the same. */
static int append_every_partition(struct buf *sql, char quote, const char *column, struct err *err)
{
    int r = buf_append_str(sql, " WHERE (", err);
    if (r == 0)
        r = append_quoted(sql, quote, column, err);
    if (r == 0)
        r = buf_append_str(sql, " >= DATE '0001-01-01' OR ", err);
    if (r == 0)
        r = append_quoted(sql, quote, column, err);
    return r < 0 ? r : buf_append_str(sql, " IS NULL)", err);
}

static int append_partition(struct buf *sql, const struct warehouse *w,
                            const struct table_schema *schema, int64_t date, struct err *err)
{
    const char quote = w->ops->quote;
    if (date == INT64_MIN)
        return schema->require_partition_filter && warehouse_is_bigquery(w)
                   ? append_every_partition(sql, quote, schema->partition_column, err)
                   : 0;
    int r = buf_append_str(sql, " WHERE ", err);
    if (r == 0)
        r = append_quoted(sql, quote, schema->partition_column, err);
    if (r == 0)
        r = buf_append_str(sql, " = ", err);
    return r < 0 ? r : append_date(sql, date, err);
}

static int write_scan(struct buf *sql, struct warehouse *w, const struct table_name *name,
                      const struct table_schema *schema, int64_t date, const char *order_by,
                      struct err *err)
{
    const char quote = w->ops->quote;
    int r = append_columns(sql, quote, schema->columns, err);
    if (r == 0)
        r = buf_append_str(sql, " FROM ", err);
    if (r == 0)
        r = w->ops->append_table(w->impl, name, sql, err);
    if (r == 0)
        r = append_partition(sql, w, schema, date, err);
    if (r == 0)
        r = append_order(sql, quote, schema, order_by, err);
    return r < 0 ? r : buf_append_byte(sql, '\0', err);
}

static int require_table(struct warehouse *w, struct table_name *name, const char *text,
                         struct err *err)
{
    int r = table_name_init(name, w, text, err);
    if (r == 0)
        r = w->ops->has_table(w->impl, name, err);
    if (r == 0)
        return err_set(err, E_ABSENT, 0, "%s has no table %s.%s", w->url, name->dataset,
                       name->table);
    return r < 0 ? r : 0;
}

int warehouse_scan(struct warehouse *w, const struct table_schema *schema, int64_t date,
                   const char *order_by, warehouse_row_fn *fn, void *arg, struct err *err)
{
    if (date != INT64_MIN && !schema->partition_column)
        return err_set(err, E_ARG, 0, "table %s has no partitions", schema->name);
    CLEANUP(table_name_deinit) struct table_name name = {0};
    CLEANUP(buf_deinit) struct buf sql = BUF_INIT(SQL_MAX_BYTES);
    int r = require_table(w, &name, schema->name, err);
    if (r == 0)
        r = write_scan(&sql, w, &name, schema, date, order_by, err);
    if (r == 0)
        r = w->ops->query(w->impl, (const char *)sql.data, schema->columns, fn, arg, err);
    return r;
}

static int take_count(void *arg, const struct cell *cells, struct err *err)
{
    (void)err;
    *(uint64_t *)arg = (uint64_t)cells[0].integer;
    return 0;
}

int warehouse_count(struct warehouse *w, const char *table, uint64_t *n, struct err *err)
{
    static const struct column columns[] = {{.name = "n", .type = COLUMN_INT64}, {.name = NULL}};
    CLEANUP(table_name_deinit) struct table_name name = {0};
    CLEANUP(buf_deinit) struct buf sql = BUF_INIT(SQL_MAX_BYTES);
    int r = require_table(w, &name, table, err);
    if (r == 0)
        r = buf_append_str(&sql, "SELECT count(*) AS n FROM ", err);
    if (r == 0)
        r = w->ops->append_table(w->impl, &name, &sql, err);
    if (r == 0)
        r = buf_append_byte(&sql, '\0', err);
    if (r == 0)
        r = w->ops->query(w->impl, (const char *)sql.data, columns, take_count, n, err);
    return r;
}
