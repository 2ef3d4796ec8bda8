/* SPDX-License-Identifier: MPL-2.0 */
#include "warehouse/bigquery_impl.h"
#include "warehouse_test.h"

static const char *const tags[] = {"kind", "os", NULL};
static const char *const clusters[] = {"id", "day", NULL};
static const struct column columns[] = {
    {.name = "day", .type = COLUMN_DATE, .required = true},
    {.name = "id", .type = COLUMN_STRING, .required = true},
    {.name = "list", .type = COLUMN_STRINGS},
    {.name = "tags", .type = COLUMN_RECORD, .required = true, .fields = tags},
    {.name = "n", .type = COLUMN_INT64},
    {.name = NULL},
};
static const struct table_schema strict = {
    .name = "d.t", .columns = columns, .partition_column = "day", .cluster = clusters};
static const struct table_schema lax = {
    .name = "d.t", .columns = columns, .partition_column = "day", .lax = true};

#define FIELD(NAME, TYPE, MODE)                                                                    \
    "{\"name\":\"" NAME "\",\"type\":\"" TYPE "\",\"mode\":\"" MODE "\"}"
#define TAGS(MODE, FIELDS)                                                                         \
    "{\"name\":\"tags\",\"type\":\"RECORD\",\"mode\":\"" MODE "\",\"fields\":[" FIELDS "]}"
#define DAY  FIELD("day", "DATE", "REQUIRED")
#define ID   FIELD("id", "STRING", "REQUIRED")
#define LIST FIELD("list", "STRING", "REPEATED")
#define KIND FIELD("kind", "STRING", "NULLABLE")
#define OS   FIELD("os", "STRING", "NULLABLE")
#define N    FIELD("n", "INTEGER", "NULLABLE")
#define ALL  DAY "," ID "," LIST "," TAGS("REQUIRED", KIND "," OS) "," N

static json_t *table_of(const char *fields)
{
    char text[2000];
    (void)snprintf(text, sizeof text,
                   "{\"schema\":{\"fields\":[%s]},"
                   "\"timePartitioning\":{\"type\":\"DAY\",\"field\":\"day\"}}",
                   fields);
    json_t *table = json_loads(text, 0, NULL);
    assert_non_null(table);
    return table;
}

static void assert_json(json_t *json, const char *want)
{
    char *text = json_dumps(json, JSON_COMPACT);
    assert_string_equal(text, want);
    free(text);
    json_decref(json);
}

static void columns_become_fields(void **state)
{
    assert_json(bigquery_fields(columns), "[" ALL "]");
    assert_json(bigquery_clustering(&strict), "{\"fields\":[\"id\",\"day\"]}");
    assert_null(bigquery_clustering(&lax));
    assert_json(bigquery_partitioning(&lax), "{\"type\":\"DAY\",\"field\":\"day\"}");
    (void)state;
}

static void assert_compared(const struct table_schema *schema, const char *fields, int want,
                            const char *text)
{
    struct err err = {0};
    json_t *table = table_of(fields);
    assert_int_equal(bigquery_compare(schema, table, &err), want);
    if (want > 0)
        assert_json(json_incref(json_object_get(json_object_get(table, "schema"), "fields")), text);
    else if (want < 0)
        assert_contains(err.text, text);
    json_decref(table);
}

static void what_is_missing_is_added(void **state)
{
    assert_compared(&strict, ALL, 0, "");
    assert_compared(&strict, DAY "," ID "," TAGS("REQUIRED", OS), 3,
                    "[" DAY "," ID "," TAGS("REQUIRED", OS "," KIND) "," LIST "," N "]");
    assert_compared(&strict, ALL "," FIELD("more", "JSON", "NULLABLE"), 0, "");
    (void)state;
}

static void differences_are_named(void **state)
{
    static const struct {
        const char *fields, *text;
    } bad[] = {
        {ID "," LIST "," TAGS("REQUIRED", KIND) "," N, "lacks the column day"},
        {ALL "," FIELD("more", "JSON", "REQUIRED"), "column more is not among ours"},
        {DAY "," ID "," FIELD("list", "STRING", "NULLABLE") "," TAGS("REQUIRED", KIND),
         "column list is STRING, not repeated STRING"},
        {DAY "," FIELD("id", "STRING", "REPEATED") "," TAGS("REQUIRED", KIND),
         "column id is repeated STRING, not STRING"},
        {DAY "," ID "," FIELD("tags", "STRING", "REQUIRED"), "column tags is STRING, not RECORD"},
        {DAY "," ID "," TAGS("REQUIRED", FIELD("os", "INTEGER", "NULLABLE")),
         "field os of column tags is NULLABLE INTEGER os there"},
        {DAY "," ID "," TAGS("REQUIRED", FIELD("OS", "STRING", "NULLABLE")),
         "field os of column tags is NULLABLE STRING OS there"},
        {DAY "," ID "," TAGS("REQUIRED", KIND) "," FIELD("N", "INTEGER", "NULLABLE"),
         "column n is spelled N there"},
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        assert_compared(&strict, bad[i].fields, E_FORMAT, bad[i].text);
        assert_compared(&lax, bad[i].fields, E_FORMAT, bad[i].text);
    }
    (void)state;
}

static void lax_schemas_mind_no_nulls(void **state)
{
    static const struct {
        const char *fields, *text;
    } differing[] = {
        {DAY "," FIELD("id", "STRING", "NULLABLE") "," LIST "," TAGS("REQUIRED", KIND "," OS) "," N,
         "column id may be null"},
        {DAY "," ID "," LIST "," TAGS("NULLABLE", KIND "," OS) "," N, "column tags may be null"},
        {DAY "," ID "," LIST
             "," TAGS("REQUIRED", KIND "," OS) "," FIELD("n", "INTEGER", "REQUIRED"),
         "column n must not be null"},
        {DAY "," ID "," LIST "," TAGS("REQUIRED", KIND "," FIELD("os", "STRING", "REQUIRED")) "," N,
         "field os of column tags is REQUIRED STRING os there"},
    };
    for (size_t i = 0; i < ARRAY_LEN(differing); i++) {
        assert_compared(&strict, differing[i].fields, E_FORMAT, differing[i].text);
        assert_compared(&lax, differing[i].fields, 0, "");
    }
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_become_fields),
        cmocka_unit_test(what_is_missing_is_added),
        cmocka_unit_test(differences_are_named),
        cmocka_unit_test(lax_schemas_mind_no_nulls),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
