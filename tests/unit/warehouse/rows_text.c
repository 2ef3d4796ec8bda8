/* SPDX-License-Identifier: MPL-2.0 */
#include "base/buf.h"
#include "warehouse_test.h"

static const struct column columns[] = {
    {.name = "key", .type = COLUMN_STRING},
    {.name = "cost", .type = COLUMN_DOUBLE},
    {.name = NULL},
};

static int scan(void *scan_arg, warehouse_row_fn *fn, void *arg, struct err *err)
{
    static const struct cell rows[][2] = {
        {{.text = {(const uint8_t *)"a", 1}}, {.real = 12.34567890123}},
        {{.is_null = true}, {.real = 0.00005}},
        {{.text = {(const uint8_t *)"b", 1}}, {.is_null = true}},
    };
    int r = 0;
    for (size_t i = 0; i < ARRAY_LEN(rows) && r == 0; i++)
        r = fn(arg, rows[i], err);
    (void)scan_arg;
    return r;
}

static int keep(void *arg, const void *bytes, size_t len, struct err *err)
{
    return buf_append(arg, bytes, len, err);
}

static void writes(enum rows_format format, int decimals, const char *want)
{
    CLEANUP(buf_deinit) struct buf out = BUF_INIT(10000);
    const struct rows_text text = {.columns = columns,
                                   .format = format,
                                   .decimals = decimals,
                                   .write = keep,
                                   .write_arg = &out};
    assert_int_equal(rows_text_write(&text, scan, NULL, NULL), 0);
    assert_int_equal(buf_append_byte(&out, '\0', NULL), 0);
    assert_string_equal((const char *)out.data, want);
}

static void a_table_for_people_is_rounded(void **state)
{
    writes(ROWS_TABLE, 4,
           "key      cost\n"
           "a     12.3457\n"
           "null   0.0001\n"
           "b        null\n");
    writes(ROWS_TABLE, 0,
           "key             cost\n"
           "a     12.34567890123\n"
           "null           5e-05\n"
           "b               null\n");
    (void)state;
}

static void programs_get_all_digits(void **state)
{
    writes(ROWS_CSV, 4, "key,cost\r\na,12.34567890123\r\n,5e-05\r\nb,\r\n");
    writes(ROWS_NDJSON, 4,
           "{\"key\":\"a\",\"cost\":12.34567890123}\n{\"key\":null,\"cost\":5e-05}\n"
           "{\"key\":\"b\",\"cost\":null}\n");
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_table_for_people_is_rounded),
        cmocka_unit_test(programs_get_all_digits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
