/* SPDX-License-Identifier: MPL-2.0 */
#include "avro_judge.h"

#include <avro.h>

// cmocka.h needs the types of the headers above it.
// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>
// clang-format on

// NOLINTBEGIN(clang-analyzer-core.*): the analyser does not see what libavro fills in
/* Every type, a name that is used again, and one that stands in a namespace. */
static const char every_type[] =
    "{\"type\":\"record\",\"name\":\"R\",\"namespace\":\"n\",\"fields\":["
    "{\"name\":\"i\",\"type\":\"int\"},{\"name\":\"l\",\"type\":\"long\"},"
    "{\"name\":\"f\",\"type\":\"float\"},{\"name\":\"d\",\"type\":\"double\"},"
    "{\"name\":\"b\",\"type\":\"boolean\"},{\"name\":\"y\",\"type\":\"bytes\"},"
    "{\"name\":\"e\",\"type\":{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"X\",\"Y\"]}},"
    "{\"name\":\"x\",\"type\":{\"type\":\"fixed\",\"name\":\"F\",\"size\":3}},"
    "{\"name\":\"m\",\"type\":{\"type\":\"map\",\"values\":[\"null\",\"E\"]}},"
    "{\"name\":\"a\",\"type\":{\"type\":\"array\",\"items\":\"F\"}}]}";

static void set(avro_value_t *record, const char *name, avro_value_t *field)
{
    assert_int_equal(avro_value_get_by_name(record, name, field, NULL), 0);
}

static void fill(avro_value_t *v, int k)
{
    avro_value_t f, item, branch;
    set(v, "i", &f);
    avro_value_set_int(&f, -k);
    set(v, "l", &f);
    avro_value_set_long(&f, INT64_C(1) << 60 | k);
    set(v, "f", &f);
    avro_value_set_float(&f, 0.5f);
    set(v, "d", &f);
    avro_value_set_double(&f, -1e300);
    set(v, "b", &f);
    avro_value_set_boolean(&f, k & 1);
    set(v, "y", &f);
    avro_value_set_bytes(&f, (void *)(uintptr_t) "yy", 2);
    set(v, "e", &f);
    avro_value_set_enum(&f, k & 1);
    set(v, "x", &f);
    avro_value_set_fixed(&f, (void *)(uintptr_t) "abc", 3);
    set(v, "m", &f);
    avro_value_add(&f, "key", &item, NULL, NULL);
    avro_value_set_branch(&item, 1, &branch);
    avro_value_set_enum(&branch, 0);
    set(v, "a", &f);
    for (int i = 0; i < k; i++) {
        avro_value_append(&f, &item, NULL);
        avro_value_set_fixed(&item, (void *)(uintptr_t) "def", 3);
    }
}

void judge_write(const char *path, const char *codec, int n)
{
    avro_schema_t schema;
    avro_file_writer_t file;
    assert_int_equal(avro_schema_from_json_length(every_type, strlen(every_type), &schema), 0);
    assert_int_equal(avro_file_writer_create_with_codec(path, schema, &file, codec, 4096), 0);
    avro_value_iface_t *iface = avro_generic_class_from_schema(schema);
    for (int k = 0; k < n; k++) {
        avro_value_t v;
        avro_generic_value_new(iface, &v);
        fill(&v, k % 7);
        assert_int_equal(avro_file_writer_append_value(file, &v), 0);
        avro_value_decref(&v);
    }
    avro_file_writer_close(file);
    avro_value_iface_decref(iface);
    avro_schema_decref(schema);
}

int judge_read(const char *path, judge_fn *fn)
{
    avro_file_reader_t file;
    assert_int_equal(avro_file_reader(path, &file), 0);
    avro_schema_t schema = avro_file_reader_get_writer_schema(file);
    avro_value_iface_t *iface = avro_generic_class_from_schema(schema);
    avro_value_t v, f, branch;
    avro_generic_value_new(iface, &v);
    int k = 0;
    for (; avro_file_reader_read_value(file, &v) == 0; k++) {
        const char *text = NULL;
        size_t len = 0;
        int64_t n = 0;
        double d = 0;
        int b = 0;
        set(&v, "s", &f);
        avro_value_get_current_branch(&f, &branch);
        if (avro_value_get_type(&branch) == AVRO_STRING)
            avro_value_get_string(&branch, &text, &len);
        set(&v, "n", &f);
        avro_value_get_long(&f, &n);
        set(&v, "d", &f);
        avro_value_get_double(&f, &d);
        set(&v, "b", &f);
        avro_value_get_boolean(&f, &b);
        fn(k, text, n, d, b);
    }
    avro_value_decref(&v);
    avro_value_iface_decref(iface);
    avro_schema_decref(schema);
    avro_file_reader_close(file);
    return k;
}
// NOLINTEND(clang-analyzer-core.*)
