/* SPDX-License-Identifier: MPL-2.0 */
/*
 * sql-tool URL - run the statements on standard input in a warehouse, for shell tests and
 * benchmarks: to write Parquet, or to fill a table. Exit 0, 1 (the error on standard error) or 2
 * (usage).
 */
#include "base/buf.h"
#include "base/source.h"
#include "warehouse/warehouse.h"

#include <stdio.h>

enum { SQL_MAX = 1 << 20, EXIT_WRONG_USE = 2 };

static int run(const char *url, struct err *err)
{
    CLEANUP(warehouse_closep) struct warehouse *w = NULL;
    CLEANUP(buf_deinit) struct buf sql = BUF_INIT(SQL_MAX);
    struct file_source in;
    const struct warehouse_config config = {.url = url};
    int r = file_source_open(&in, "-", err);
    if (r == 0)
        r = source_read_all(file_source(&in), &sql, err);
    if (r == 0)
        r = buf_append_byte(&sql, '\0', err);
    if (r == 0)
        r = warehouse_open(&w, &config, err);
    return r < 0 ? r : warehouse_query(w, (const char *)sql.data, NULL, NULL, NULL, err);
}

int main(int argc, char **argv)
{
    struct err err = {0};
    if (argc != 2) {
        (void)fprintf(stderr, "usage: sql-tool URL <STATEMENTS\n");
        return EXIT_WRONG_USE;
    }
    if (run(argv[1], &err) == 0)
        return 0;
    (void)fprintf(stderr, "sql-tool: %s\n", err.text);
    return 1;
}
