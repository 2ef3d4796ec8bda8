/* SPDX-License-Identifier: MPL-2.0 */
#include "fxci/dump.h"

#include "fxci/derive.h"

#include <stdio.h>
#include <string.h>

enum { ORDER_BYTES_MAX = 4096, NAMES_BYTES_MAX = 8192, TABLE_WIDTH = 48 };

static int no_such_table(const struct fxci_tables *tables, const char *name, struct err *err)
{
    CLEANUP(buf_deinit) struct buf names = BUF_INIT(NAMES_BYTES_MAX);
    int r = 0;
    for (enum fxci_table i = 0; i < FXCI_N_TABLES && r == 0; i++)
        r = buf_printf(&names, err, "%s, ", strchr(tables->names[i], '.') + 1);
    for (enum fxci_table i = 0; i < FXCI_N_TABLES && r == 0; i++)
        if (tables->views[0] && derive_view_name(i))
            r = buf_printf(&names, err, "%s, ", derive_view_name(i));
    if (r < 0)
        return r;
    return err_set(err, E_ARG, 0, "there is no table or view %.100s; there are %.*s", name,
                   (int)names.len - 2, (const char *)names.data);
}

/* The table whose view it is, or FXCI_N_TABLES. */
static enum fxci_table find_view(const struct fxci_tables *tables, const char *name)
{
    const char *dot = strchr(name, '.');
    const size_t len = strlen(tables->views);
    if (len == 0 || (dot && ((size_t)(dot - name) != len || memcmp(name, tables->views, len) != 0)))
        return FXCI_N_TABLES;
    for (enum fxci_table i = 0; i < FXCI_N_TABLES; i++)
        if (derive_view_name(i) && strcmp(derive_view_name(i), dot ? dot + 1 : name) == 0)
            return i;
    return FXCI_N_TABLES;
}

int dump_find(struct dump_source *source, const struct fxci_tables *tables, const char *name,
              struct err *err)
{
    const enum fxci_table table = fxci_tables_find(tables, name);
    if (table < FXCI_N_TABLES) {
        source->schema = tables->schemas[table];
        return 0;
    }
    const enum fxci_table viewed = find_view(tables, name);
    if (viewed == FXCI_N_TABLES)
        return no_such_table(tables, name, err);
    source->schema = tables->schemas[viewed];
    (void)snprintf(source->name, sizeof source->name, "%s.%s", tables->views,
                   derive_view_name(viewed));
    source->schema.name = source->name;
    return 0;
}

struct scan {
    const struct dump_source *source;
    struct warehouse *w;
    int64_t date;
    const char *order;
};

static int scan(void *scan_arg, warehouse_row_fn *fn, void *arg, struct err *err)
{
    const struct scan *s = scan_arg;
    return warehouse_scan(s->w, &s->source->schema, s->date, s->order, fn, arg, err);
}

static int write_order(struct buf *order, const struct table_schema *schema, struct err *err)
{
    int r = 0;
    for (size_t i = 0; schema->key && schema->key[i] && r == 0; i++)
        r = buf_printf(order, err, "%s,", schema->key[i]);
    for (size_t i = 0; !schema->key && schema->columns[i].name && r == 0; i++)
        r = buf_printf(order, err, "%s,", schema->columns[i].name);
    if (r == 0)
        order->data[order->len - 1] = '\0';
    return r;
}

int dump_write(const struct dump_source *source, struct warehouse *w, int64_t date,
               enum rows_format format,
               int (*write)(void *arg, const void *bytes, size_t len, struct err *err),
               void *write_arg, struct err *err)
{
    CLEANUP(buf_deinit) struct buf order = BUF_INIT(ORDER_BYTES_MAX);
    const int r = write_order(&order, &source->schema, err);
    struct scan s = {source, w, date, (const char *)order.data};
    const struct rows_text text = {.columns = source->schema.columns,
                                   .format = format,
                                   .milliseconds = true,
                                   .max_width = TABLE_WIDTH,
                                   .write = write,
                                   .write_arg = write_arg};
    return r < 0 ? r : rows_text_write(&text, scan, &s, err);
}
