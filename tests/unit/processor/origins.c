/* SPDX-License-Identifier: MPL-2.0 */
#include "processor/origins.h"

#include "processor/data_config.h"
#include "processor/fetch_origins.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
// cmocka.h leans on the standard headers above it.
#include <cmocka.h>

static const char list[] = "// Origins that are counted.\n"
                           "\n"
                           "ORIGIN(\"PAGELOAD\", \"PAGELOAD\")\n"
                           "ORIGIN(\"advertising.example\", \"hash1=\")\r\n"
                           "  // another comment\n"
                           "ORIGIN(\"b.example\", \"hash2=\")\n"
                           "\t ORIGIN( \"c.example\" , \"hash3=\" ) \n"
                           "ORIGIN(\"d.example\", \"hash4=\")";

/* A file that is gone with the test. */
static char path[] = "/tmp/weir-origins-XXXXXX";

static int make_file(void **state)
{
    (void)state;
    const int fd = mkstemp(path);
    return fd < 0 ? -1 : close(fd);
}

static int remove_file(void **state)
{
    (void)state;
    return unlink(path);
}

static void write_file(const char *text)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

static void a_list_of_five_gives_six_entries(void **state)
{
    (void)state;
    struct origins o;
    assert_int_equal(origins_parse_list(&o, span_str(list), "list", NULL), 0);
    assert_int_equal(o.n, 6);
    assert_string_equal(o.entries[0].name, "PAGELOAD");
    assert_int_equal(o.entries[0].index, 0);
    assert_string_equal(o.entries[4].name, "d.example");
    assert_int_equal(o.entries[4].index, 4);
    assert_string_equal(o.entries[5].name, "__UNKNOWN__");
    assert_string_equal(o.entries[5].hash, "__UNKNOWN__");
    assert_int_equal(o.entries[5].index, 5);
    origins_deinit(&o);
}

static void anything_but_a_macro_line_is_refused_by_its_number(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "ORIGIN(\"a\", f())",          "ORIGIN(\"a\")",
        "ORIGIN(\"a\", \"b\");",       "ORIGIN(\"a\", \"b\") ORIGIN(\"c\", \"d\")",
        "#define ORIGIN(a, b)",        "ORIGIN(\"a\\\"\", \"b\")",
        "ORIGIN(\"\xc3\xa9\", \"b\")", "ORIGIN(\"\", \"b\")",
        "origin(\"a\", \"b\")",        "ORIGIN(\"a\", \"b",
        "/* ORIGIN(\"a\", \"b\") */",  "ORIGIN(\"a\" \"b\")"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char text[128];
        struct err err = {0};
        struct origins o;
        snprintf(text, sizeof text, "// first\n%s\n", bad[i]);
        assert_int_equal(origins_parse_list(&o, span_str(text), "the list", &err), E_FORMAT);
        assert_non_null(strstr(err.text, "the list: line 2"));
    }
}

static void fetching_a_file_writes_indented_json(void **state)
{
    (void)state;
    write_file("ORIGIN(\"a\", \"b\")\n");
    char url[64];
    snprintf(url, sizeof url, "file://%s", path);
    const char *const ways[] = {path, url};
    static const char want[] = "[\n  {\n    \"name\": \"a\",\n    \"hash\": \"b\",\n"
                               "    \"index\": 0\n  },\n  {\n    \"name\": \"__UNKNOWN__\",\n"
                               "    \"hash\": \"__UNKNOWN__\",\n    \"index\": 1\n  }\n]";
    for (size_t i = 0; i < 2; i++) {
        struct fetch_origins_result result;
        const struct fetch_origins_options options = {.url = ways[i]};
        assert_int_equal(fetch_origins_run(&options, &result, NULL), 0);
        assert_int_equal(result.n_origins, 2);
        assert_int_equal(result.json.len, sizeof want - 1);
        assert_memory_equal(result.json.data, want, result.json.len);
        buf_deinit(&result.json);
    }
}

static void what_is_not_there_is_said_with_its_name(void **state)
{
    (void)state;
    struct fetch_origins_result result;
    struct err err = {0};
    const struct fetch_origins_options options = {.url = "/nonexistent/list.inc"};
    assert_int_equal(fetch_origins_run(&options, &result, &err), E_ABSENT);
    assert_non_null(strstr(err.text, "/nonexistent/list.inc"));
}

static void a_config_is_checked_entry_by_entry(void **state)
{
    (void)state;
    static const struct {
        const char *text, *says;
    } bad[] = {
        {"{}", "not an array"},
        {"[3]", "entry 0 is not an object"},
        {"[{\"name\":\"a\",\"hash\":\"b\",\"index\":0},{\"name\":1,\"hash\":\"b\",\"index\":0}]",
         "entry 1: name is not a string"},
        {"[{\"name\":\"a\",\"index\":0}]", "entry 0: hash is not a string"},
        {"[{\"name\":\"a\",\"hash\":\"b\",\"index\":-1}]", "entry 0: index"},
        {"[{\"name\":\"a\",\"hash\":\"b\",\"index\":1.0}]", "entry 0: index"},
        {"[{\"name\":\"a\"", "line 1"},
    };
    struct origins o;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct err err = {0};
        write_file(bad[i].text);
        assert_int_equal(origins_read(&o, path, &err), E_FORMAT);
        if (!strstr(err.text, bad[i].says))
            fail_msg("\"%s\" is not in \"%s\"", bad[i].says, err.text);
        assert_non_null(strstr(err.text, path));
    }
    write_file("[{\"name\":\"a\",\"hash\":\"b\",\"index\":7,\"more\":null}]");
    assert_int_equal(origins_read(&o, path, NULL), 0);
    assert_int_equal(o.n, 1);
    assert_int_equal(o.entries[0].index, 7);
    origins_deinit(&o);
}

static void the_shipped_files_fit_each_other(void **state)
{
    (void)state;
    struct origins o;
    struct data_config c;
    assert_int_equal(origins_read(&o, WEIR_SOURCE_ROOT "/config/origins.json", NULL), 0);
    assert_int_equal(data_config_read(&c, WEIR_SOURCE_ROOT "/config/content.json", NULL), 0);
    assert_int_equal(o.n, 2487);
    for (size_t i = 0; i < o.n; i++)
        assert_int_equal(o.entries[i].index, i);
    assert_string_equal(o.entries[0].hash, "PAGELOAD");
    assert_int_equal(strlen(o.entries[1].hash), 44);
    assert_string_equal(o.entries[2486].name, "__UNKNOWN__");
    assert_int_equal(c.n, 16);
    for (size_t i = 0; i < c.n; i++)
        assert_int_equal(c.entries[i].n_data, i % 2 ? 441 : 2046);
    data_config_deinit(&c);
    origins_deinit(&o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_list_of_five_gives_six_entries),
        cmocka_unit_test(anything_but_a_macro_line_is_refused_by_its_number),
        cmocka_unit_test(fetching_a_file_writes_indented_json),
        cmocka_unit_test(what_is_not_there_is_said_with_its_name),
        cmocka_unit_test(a_config_is_checked_entry_by_entry),
        cmocka_unit_test(the_shipped_files_fit_each_other),
    };
    return cmocka_run_group_tests(tests, make_file, remove_file);
}
