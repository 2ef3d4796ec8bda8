/* SPDX-License-Identifier: MPL-2.0 */
#include "warehouse/bigquery_batch.h"
#include "warehouse_test.h"

#define NAMES(...) ((const char *const[]){__VA_ARGS__, NULL})

static const struct column columns[] = {
    {.name = "day", .type = COLUMN_DATE, .required = true},
    {.name = "id", .type = COLUMN_STRING, .required = true},
    {.name = "run", .type = COLUMN_INT64},
    {.name = NULL},
};
static const struct column loose[] = {
    {.name = "day", .type = COLUMN_DATE},
    {.name = "id", .type = COLUMN_STRING},
    {.name = NULL},
};

static void assert_sql(const struct table_schema *schema, const char *want)
{
    CLEANUP(buf_deinit) struct buf sql = BUF_INIT(10000);
    char project[] = "a-project", d[] = "d", t[] = "t", s[] = "s";
    const struct bigquery b = {.project = project};
    const struct table_name name = {d, t}, staging = {d, s};
    assert_int_equal(merge_sql(&sql, &b, &name, &staging, schema, 0, NULL), 0);
    assert_string_equal((const char *)sql.data, want);
}

static void keys_that_are_never_null_are_compared(void **state)
{
    const struct table_schema schema = {
        .columns = columns, .partition_column = "day", .key = NAMES("id")};
    assert_sql(&schema,
               "MERGE `a-project`.`d`.`t` AS t USING `a-project`.`d`.`s` AS s ON t.`id` = s.`id` "
               "AND t.`day` >= DATE '1970-01-01' WHEN NOT MATCHED THEN INSERT (`day`, `id`, `run`) "
               "VALUES (s.`day`, s.`id`, s.`run`)");
    (void)state;
}

static void null_equals_null(void **state)
{
    const struct table_schema schema = {.columns = columns, .key = NAMES("id", "run")};
    assert_sql(&schema,
               "MERGE `a-project`.`d`.`t` AS t USING `a-project`.`d`.`s` AS s ON t.`id` = s.`id` "
               "AND IFNULL(CAST(t.`run` AS STRING), '') = IFNULL(CAST(s.`run` AS STRING), '') AND "
               "(t.`run` IS NULL) = (s.`run` IS NULL) WHEN NOT MATCHED THEN INSERT "
               "(`day`, `id`, `run`) VALUES (s.`day`, s.`id`, s.`run`)");
    (void)state;
}

static void rows_without_a_date_are_looked_at_too(void **state)
{
    const struct table_schema schema = {
        .columns = loose, .partition_column = "day", .key = NAMES("day")};
    assert_sql(&schema,
               "MERGE `a-project`.`d`.`t` AS t USING `a-project`.`d`.`s` AS s ON "
               "IFNULL(CAST(t.`day` AS STRING), '') = IFNULL(CAST(s.`day` AS STRING), '') AND "
               "(t.`day` IS NULL) = (s.`day` IS NULL) AND (t.`day` >= DATE "
               "'1970-01-01' OR t.`day` IS NULL) WHEN NOT MATCHED THEN INSERT (`day`, `id`) VALUES "
               "(s.`day`, s.`id`)");
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_that_are_never_null_are_compared),
        cmocka_unit_test(null_equals_null),
        cmocka_unit_test(rows_without_a_date_are_looked_at_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
