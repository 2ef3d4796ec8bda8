/* SPDX-License-Identifier: MPL-2.0 */
/* What index wrote, read back and inserted. */
#include "../warehouse/warehouse_test.h"
#include "processor/insert.h"

static int keep(void *arg, const void *bytes, size_t len, struct err *err)
{
    return buf_append(arg, bytes, len, err);
}

static void put_file(const char *dir, const char *name, const char *text)
{
    char path[2 * TEST_PATH_BYTES];
    (void)snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

static int insert_files(struct warehouse *w, const char *dir, const char *prefix,
                        struct insert_counts *counts, struct err *err)
{
    CLEANUP(store_closep) struct store *store = NULL;
    CLEANUP(buf_deinit) struct buf said = BUF_INIT(1000);
    assert_ok(store_open(&store, &(struct store_config){.url = dir}, err), err);
    struct index_files files = {.store = store, .prefix = prefix};
    const struct index_rows rows = index_files_rows(&files);
    const struct insert_options options = {.place = {.warehouse = w}, .date = "2026-03-14"};
    return insert_rows(&options, &rows, &(struct stage_sink){.write = keep, .arg = &said}, counts,
                       err);
}

#define ROW(aggregate)                                                                             \
    "{\"id\":\"x\",\"timestamp\":\"2020-08-03T20:06:46.920410\",\"batch_id\":\"b\","               \
    "\"origin\":\"o\",\"hash\":\"h\",\"index\":7,\"aggregate\":" aggregate "}\n"

static void files_of_index_are_inserted(void **state)
{
    const struct place *p = *state;
    CLEANUP(warehouse_closep) struct warehouse *w = open_place(p);
    struct insert_counts counts;
    struct err err = {0};
    put_file(p->dir, "part-0.json", ROW("1") ROW("2") "\n");
    put_file(p->dir, "part-1.json", ROW("9223372036854775807"));
    put_file(p->dir, "_SUCCESS", "not a row");
    assert_ok(insert_files(w, p->dir, "part", &counts, &err), &err);
    assert_int_equal(counts.n_table, 3);
    assert_int_equal(insert_files(w, p->dir, "nowhere/", &counts, &err), E_ABSENT);
    static const char *const bad[] = {ROW("9223372036854775808"), ROW("-1"), ROW("1.5"), ROW("x"),
                                      "[]\n"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        put_file(p->dir, "part-1.json", bad[i]);
        assert_int_equal(insert_files(w, p->dir, "part", &counts, &err), E_FORMAT);
        assert_contains(err.text, "part-1.json: line 1");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(files_of_index_are_inserted, make_place, remove_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
