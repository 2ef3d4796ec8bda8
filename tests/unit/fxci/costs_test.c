/* SPDX-License-Identifier: MPL-2.0 */
#include "costs_test.h"

#include "base/buf.h"
#include "base/utc.h"

enum { SQL_MAX = 1 << 16, N_PATHS = 8 };

void assert_done(int r, const struct err *err)
{
    if (r != 0)
        fail_msg("%d: %s", r, err->text);
}

int make_costs_place(void **state)
{
    static struct costs_place p;
    static const char *const projects[] = {"fxci-production-level1-workers",
                                           "fxci-production-level3-workers"};
    char url[TEST_PATH_BYTES + 64];
    struct err err = {0};
    p = (struct costs_place){0};
    make_temp_dir(p.dir);
    for (size_t i = 0; i < ARRAY_LEN(projects); i++)
        p.config.monitoring.projects[i] = projects[i];
    (void)snprintf(url, sizeof url, "duckdb://%s/w.duckdb", p.dir);
    assert_done(warehouse_open(&p.w, &(struct warehouse_config){.url = url}, &err), &err);
    assert_done(fxci_tables_init(&p.tables, &(struct fxci_table_names){0}, false, &err), &err);
    assert_done(fxci_tables_ensure(&p.tables, p.w, &err), &err);
    *state = &p;
    return 0;
}

int remove_costs_place(void **state)
{
    struct costs_place *p = *state;
    char command[TEST_PATH_BYTES + 16];
    warehouse_close(p->w);
    (void)snprintf(command, sizeof command, "rm -rf '%s'", p->dir);
    return system(command); // NOLINT(cert-env33-c): a path of our own making
}

static void fill_vectors(struct buf *out, struct costs_place *p, const char *sql)
{
    static const struct sql_value values[] = {{"vectors", SQL_VERBATIM, WEIR_VECTORS "/fxci", 0},
                                              {.name = NULL}};
    struct err err = {0};
    assert_done(warehouse_fill_sql(out, p->w, sql, values, &err), &err);
}

void run_sql(struct costs_place *p, const char *sql)
{
    CLEANUP(buf_deinit) struct buf text = BUF_INIT(SQL_MAX);
    struct err err = {0};
    fill_vectors(&text, p, sql);
    assert_done(warehouse_query(p->w, (const char *)text.data, NULL, NULL, NULL, &err), &err);
}

static int take_number(void *arg, const struct cell *cells, struct err *err)
{
    (void)err;
    *(double *)arg = cells[0].is_null ? -1 : cells[0].real;
    return 0;
}

double ask(struct costs_place *p, const char *sql)
{
    static const struct column columns[] = {{.name = "n", .type = COLUMN_DOUBLE}, {.name = NULL}};
    CLEANUP(buf_deinit) struct buf text = BUF_INIT(SQL_MAX);
    struct err err = {0};
    double number = -2;
    assert_done(buf_printf(&text, &err, "SELECT CAST((%s) AS DOUBLE) AS n", sql), &err);
    assert_done(buf_append_byte(&text, '\0', &err), &err);
    assert_done(warehouse_query(p->w, (const char *)text.data, columns, take_number, &number, &err),
                &err);
    return number;
}

static double count_missing(struct costs_place *p, const char *a, const char *b,
                            const char *const *columns, const char *const *floats)
{
    CLEANUP(buf_deinit) struct buf text = BUF_INIT(SQL_MAX);
    struct err err = {0};
    int r = buf_printf(&text, &err,
                       "SELECT count(*) FROM %s AS a WHERE NOT EXISTS (SELECT 1 FROM %s AS b "
                       "WHERE true",
                       a, b);
    for (; *columns && r == 0; columns++)
        r = buf_printf(&text, &err, " AND a.%s IS NOT DISTINCT FROM b.%s", *columns, *columns);
    for (; *floats && r == 0; floats++)
        r = buf_printf(&text, &err,
                       " AND (a.%s IS NOT DISTINCT FROM b.%s OR abs(a.%s - b.%s) <= 1e-9 * "
                       "abs(b.%s))",
                       *floats, *floats, *floats, *floats, *floats);
    assert_done(r, &err);
    assert_done(buf_append(&text, ")", 2, &err), &err);
    return ask(p, (const char *)text.data);
}

double count_differences(struct costs_place *p, const char *a, const char *b,
                         const char *const *columns, const char *const *floats)
{
    return count_missing(p, a, b, columns, floats) + count_missing(p, b, a, columns, floats);
}

const char *write_text(struct costs_place *p, const char *name, const char *text)
{
    static char paths[N_PATHS][TEST_PATH_BYTES + 128];
    static size_t next;
    char *path = paths[next++ % N_PATHS];
    (void)snprintf(path, sizeof paths[0], "%s/%s", p->dir, name);
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(text, 1, strlen(text), f), strlen(text));
    assert_int_equal(fclose(f), 0);
    return path;
}

void load_bills(struct costs_place *p, const char *gcp, const char *azure)
{
    struct err err = {0};
    struct billing_counts counts;
    assert_done(billing_load(p->w, &p->tables, &(struct billing_files){.gcp = gcp, .azure = azure},
                             &counts, &err),
                &err);
}

uint64_t derive(struct costs_place *p, enum fxci_table table, const char *date)
{
    struct err err = {0};
    int64_t day;
    uint64_t n = 0;
    assert_true(utc_parse_date(&day, span_str(date)));
    assert_done(derive_table(p->w, &p->tables, &p->config, table, day, &n, &err), &err);
    return n;
}
