/* SPDX-License-Identifier: MPL-2.0 */
/*
 * profiles_conformance [URL] - the sentences of profiles.h, on fresh tables at URL (none: LMDB in a
 * temporary folder). WEIR_TEST_EMULATOR is Bigtable's emulator, as host:port.
 */
#include "base/base_test.h"
#include "base/buf.h"
#include "base/utc.h"
#include "profiles/profiles.h"

#include <ftw.h>

enum { MANY = 100000, LARGE = PROFILES_MAX_VALUE };

static struct {
    char folder[TEST_PATH_BYTES];
    char url[TEST_PATH_BYTES + 32];
    char table[64];
    unsigned n_tables;
    int64_t base_us; // the emulator collects, too: times are milliseconds behind this one
    struct profiles *p;
} conformance;

static void check(int r, const struct err *err)
{
    if (r != 0)
        fail_msg("%d: %s", r, err->text);
}

static struct profiles_config config(void)
{
    return (struct profiles_config){.url = conformance.url,
                                    .instance = "instance",
                                    .table = conformance.table,
                                    .emulator = getenv("WEIR_TEST_EMULATOR")};
}

static struct profiles *open_profiles(void)
{
    struct err err = {0};
    const struct profiles_config c = config();
    check(profiles_open(&conformance.p, &c, &err), &err);
    return conformance.p;
}

static int set_up(void **state)
{
    (void)state;
    (void)snprintf(conformance.table, sizeof conformance.table, "table_%ld_%u", (long)getpid(),
                   ++conformance.n_tables);
    struct err err = {0};
    check(profiles_ensure_table(open_profiles(), &err), &err);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    profiles_close(conformance.p);
    conformance.p = NULL;
    return 0;
}

static int64_t stamp(int64_t ms)
{
    return conformance.base_us + ms * 1000;
}

static void put_span(const char *key, struct span value)
{
    struct err err = {0};
    check(profiles_put(conformance.p, span_str(key), value, stamp(1), &err), &err);
}

static void put(const char *key, const char *value, int64_t ms)
{
    struct err err = {0};
    check(profiles_put(conformance.p, span_str(key), span_str(value), stamp(ms), &err), &err);
}

static void flush(void)
{
    struct err err = {0};
    check(profiles_flush(conformance.p, &err), &err);
}

static void delete_row(const char *key)
{
    struct err err = {0};
    check(profiles_delete(conformance.p, span_str(key), &err), &err);
}

static void assert_value(const char *key, const char *value)
{
    struct err err = {0};
    struct buf found = BUF_INIT(1024);
    check(profiles_get(conformance.p, span_str(key), &found, &err), &err);
    assert_int_equal(found.len, strlen(value));
    assert_memory_equal(found.data, value, found.len);
    buf_deinit(&found);
}

static void assert_absent(const char *key)
{
    struct err err = {0};
    struct buf found = BUF_INIT(1024);
    assert_int_equal(profiles_get(conformance.p, span_str(key), &found, &err), E_ABSENT);
    buf_deinit(&found);
}

/* All rows as "key=value@milliseconds " in one text. */
static int append_row(void *arg, struct span key, struct span value, int64_t timestamp_us,
                      struct err *err)
{
    return buf_printf(arg, err, "%.*s=%.*s@%lld ", (int)key.len, (const char *)key.ptr,
                      (int)value.len, (const char *)value.ptr,
                      (long long)(timestamp_us - conformance.base_us) / 1000);
}

static void assert_rows(const char *rows)
{
    struct err err = {0};
    struct buf found = BUF_INIT(4096);
    check(profiles_each(conformance.p, append_row, &found, &err), &err);
    assert_int_equal(buf_append_byte(&found, 0, &err), 0);
    assert_string_equal((const char *)found.data, rows);
    buf_deinit(&found);
}

static void a_row_comes_back(void **state)
{
    (void)state;
    put("key", "value", 123);
    flush();
    assert_value("key", "value");
    assert_rows("key=value@123 ");
}

static void the_newest_cell_counts(void **state)
{
    (void)state;
    put("again", "old", 1);
    put("again", "new", 2);
    put("backwards", "new", 2);
    flush();
    put("backwards", "old", 1);
    put("later", "old", 1);
    flush();
    put("later", "new", 5);
    flush();
    assert_rows("again=new@2 backwards=new@2 later=new@5 ");
    assert_value("backwards", "new");
}

static void a_cell_of_the_same_time_is_replaced(void **state)
{
    (void)state;
    for (int i = 0; i < 20; i++) {
        put("same", "first", 7);
        put("same", "second", 7);
        put("same", "third", 7);
        flush();
        assert_rows("same=third@7 ");
    }
}

static void deletes_and_puts_keep_their_order(void **state)
{
    (void)state;
    for (int i = 0; i < 20; i++) {
        put("gone", "x", 1);
        put("back", "x", 1);
        delete_row("gone");
        delete_row("back");
        put("back", "y", 1);
        flush();
        assert_absent("gone");
        assert_rows("back=y@1 ");
    }
}

static void an_absent_row_may_be_deleted(void **state)
{
    (void)state;
    delete_row("never there");
    flush();
    assert_absent("never there");
    assert_rows("");
}

static void a_table_may_be_ensured_twice(void **state)
{
    (void)state;
    put("kept", "x", 1);
    flush();
    struct err err = {0};
    check(profiles_ensure_table(conformance.p, &err), &err);
    profiles_close(conformance.p);
    check(profiles_ensure_table(open_profiles(), &err), &err);
    assert_value("kept", "x");
}

static void an_empty_flush_is_fine(void **state)
{
    (void)state;
    flush();
    flush();
}

static void keys_and_values_are_bytes(void **state)
{
    (void)state;
    uint8_t key[PROFILES_MAX_KEY];
    struct err err = {0};
    for (int i = 0; i < 256; i++) {
        memset(key, i, sizeof key);
        const size_t len = i == 255 ? sizeof key : 1 + (size_t)i % 40;
        check(profiles_put(conformance.p, span_of(key, len), span_of(key, i == 3 ? 0 : len),
                           stamp(1), &err),
              &err);
    }
    flush();
    struct buf found = BUF_INIT(1024);
    for (int i = 0; i < 256; i++) {
        memset(key, i, sizeof key);
        const size_t len = i == 255 ? sizeof key : 1 + (size_t)i % 40;
        buf_clear(&found);
        check(profiles_get(conformance.p, span_of(key, len), &found, &err), &err);
        assert_true(span_equal(buf_span(&found), span_of(key, i == 3 ? 0 : len)));
    }
    buf_deinit(&found);
}

/* Cell i of many: its key and value are a function of i. */
struct row {
    char key[65];
    char value[200];
};

static void make_row(struct row *row, unsigned i)
{
    const unsigned scattered = i * 2654435761u; // odd: no two are equal
    (void)snprintf(row->key, sizeof row->key, "%08x%056u", scattered, i);
    (void)snprintf(row->value, sizeof row->value, "%u:%0150u", i, scattered);
}

struct seen {
    char last[65];
    unsigned n;
};

static int see(void *arg, struct span key, struct span value, int64_t timestamp_us, struct err *err)
{
    struct seen *seen = arg;
    struct row row = {0};
    (void)err;
    char text[65] = "";
    assert_int_equal(key.len, 64);
    memcpy(text, key.ptr, 64);
    assert_true(strcmp(seen->last, text) < 0);
    memcpy(seen->last, text, sizeof text);
    make_row(&row, (unsigned)strtoul(text + 8, NULL, 10));
    assert_string_equal(row.key, text);
    assert_true(span_equal(value, span_str(row.value)));
    assert_int_equal(timestamp_us, stamp(1));
    seen->n++;
    return 0;
}

static void many_rows_come_back_in_order(void **state)
{
    (void)state;
    struct err err = {0};
    struct row row = {0};
    for (unsigned i = 0; i < MANY; i++) {
        make_row(&row, i);
        put(row.key, row.value, 1);
    }
    flush();
    struct seen seen = {0};
    check(profiles_each(conformance.p, see, &seen, &err), &err);
    assert_int_equal(seen.n, MANY);
    for (unsigned i = 0; i < MANY; i += 2) {
        make_row(&row, i);
        check(profiles_delete(conformance.p, span_str(row.key), &err), &err);
    }
    flush();
    seen = (struct seen){0};
    check(profiles_each(conformance.p, see, &seen, &err), &err);
    assert_int_equal(seen.n, MANY / 2);
}

static void large_values_come_back(void **state)
{
    (void)state;
    uint8_t *value = malloc(LARGE);
    assert_non_null(value);
    struct err err = {0};
    uint32_t random = 1;
    for (size_t i = 0; i < LARGE; i++)
        value[i] = (uint8_t)((random = random * 1664525 + 1013904223) >> 24);
    put_span("large", span_of(value, LARGE));
    put_span("half", span_of(value, LARGE / 2));
    put("small", "x", 1);
    flush();
    struct buf found = BUF_INIT(LARGE);
    check(profiles_get(conformance.p, span_str("large"), &found, &err), &err);
    assert_true(span_equal(buf_span(&found), span_of(value, LARGE)));
    buf_clear(&found);
    check(profiles_get(conformance.p, span_str("half"), &found, &err), &err);
    assert_true(span_equal(buf_span(&found), span_of(value, LARGE / 2)));
    buf_deinit(&found);
    free(value);
    assert_value("small", "x");
}

static int stop_at_once(void *arg, struct span key, struct span value, int64_t timestamp_us,
                        struct err *err)
{
    (void)key;
    (void)value;
    (void)timestamp_us;
    (void)err;
    ++*(int *)arg;
    return 42;
}

static void a_reader_may_stop(void **state)
{
    (void)state;
    put("a", "x", 1);
    put("b", "x", 1);
    flush();
    int n = 0;
    struct err err = {0};
    assert_int_equal(profiles_each(conformance.p, stop_at_once, &n, &err), 42);
    assert_int_equal(n, 1);
    assert_value("b", "x");
}

static void what_is_no_row_is_refused(void **state)
{
    (void)state;
    struct err err = {0};
    struct profiles *p = conformance.p;
    static const uint8_t long_key[PROFILES_MAX_KEY + 1];
    const struct span x = span_str("x");
    assert_int_equal(profiles_put(p, span_str(""), x, 1000, &err), E_ARG);
    assert_int_equal(profiles_put(p, span_of(long_key, sizeof long_key), x, 1000, &err), E_ARG);
    assert_int_equal(profiles_put(p, x, x, 1001, &err), E_ARG);
    assert_int_equal(profiles_put(p, x, x, -1000, &err), E_ARG);
    assert_int_equal(profiles_put(p, x, span_of(long_key, (size_t)LARGE + 1), 1000, &err), E_ARG);
    flush();
    assert_rows("");
}

static void a_missing_table_is_reported(void **state)
{
    (void)state;
    profiles_close(conformance.p);
    (void)strncat(conformance.table, "_none", 6);
    open_profiles();
    struct err err = {0};
    struct buf found = BUF_INIT(16);
    assert_int_equal(profiles_get(conformance.p, span_str("x"), &found, &err), E_ABSENT);
    assert_contains(err.text, conformance.table);
    put("x", "y", 1);
    assert_int_equal(profiles_flush(conformance.p, &err), E_IO);
    assert_contains(err.text, "1 row could not be written");
    assert_contains(err.text, conformance.table);
    buf_deinit(&found);
    flush(); // was reported
}

static void a_reader_changes_nothing(void **state)
{
    (void)state;
    put("there", "x", 1);
    flush();
    profiles_close(conformance.p);
    conformance.p = NULL;
    struct err err = {0};
    struct profiles_config c = config();
    c.read_only = true;
    check(profiles_open(&conformance.p, &c, &err), &err);
    assert_value("there", "x");
    const struct span x = span_str("x");
    uint64_t n;
    assert_int_equal(profiles_put(conformance.p, x, x, 1000, &err), E_ARG);
    assert_int_equal(profiles_delete(conformance.p, x, &err), E_ARG);
    assert_int_equal(profiles_ensure_table(conformance.p, &err), E_ARG);
    assert_int_equal(profiles_collect(conformance.p, 0, &n, &err), E_ARG);
    assert_rows("there=x@1 ");
}

static void what_is_young_is_not_collected(void **state)
{
    (void)state;
    put("young", "x", 1);
    flush();
    struct err err = {0};
    uint64_t n = 1;
    check(profiles_collect(conformance.p, stamp(1), &n, &err), &err);
    assert_int_equal(n, 0);
    assert_value("young", "x");
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *where)
{
    (void)st;
    (void)kind;
    (void)where;
    return remove(path);
}

#define ON_A_TABLE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        ON_A_TABLE(a_row_comes_back),
        ON_A_TABLE(the_newest_cell_counts),
        ON_A_TABLE(a_cell_of_the_same_time_is_replaced),
        ON_A_TABLE(deletes_and_puts_keep_their_order),
        ON_A_TABLE(an_absent_row_may_be_deleted),
        ON_A_TABLE(a_table_may_be_ensured_twice),
        ON_A_TABLE(an_empty_flush_is_fine),
        ON_A_TABLE(keys_and_values_are_bytes),
        ON_A_TABLE(large_values_come_back),
        ON_A_TABLE(many_rows_come_back_in_order),
        ON_A_TABLE(a_reader_may_stop),
        ON_A_TABLE(what_is_no_row_is_refused),
        ON_A_TABLE(a_missing_table_is_reported),
        ON_A_TABLE(a_reader_changes_nothing),
        ON_A_TABLE(what_is_young_is_not_collected),
    };
    if (argc > 1) {
        (void)snprintf(conformance.url, sizeof conformance.url, "%s", argv[1]);
    } else {
        make_temp_dir(conformance.folder);
        (void)snprintf(conformance.url, sizeof conformance.url, "lmdb://%s/new/store",
                       conformance.folder);
    }
    conformance.base_us = utc_now_us() / 1000000 * 1000000;
    int r = cmocka_run_group_tests(tests, NULL, NULL);
    if (conformance.folder[0])
        r |= nftw(conformance.folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    return r;
}
