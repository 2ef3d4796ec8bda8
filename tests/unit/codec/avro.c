/* SPDX-License-Identifier: MPL-2.0 */
/* Files of the vectors, files of libavro, and files for libavro: it judges what we write. */
#include "codec/avro.h"

#include "avro_judge.h"
#include "testing.h"

#include <jansson.h>
#include <stdio.h>
#include <unistd.h>

#define PROFILE WEIR_VECTORS "/taar/profile/"
enum { MAX_TEST_BYTES = 8 << 20 };

static json_t *to_json(const struct avro_value *v)
{
    json_t *json = NULL;
    switch (v->schema->kind) {
    case AVRO_NULL:
        return json_null();
    case AVRO_BOOLEAN:
        return json_boolean(v->boolean);
    case AVRO_INT:
    case AVRO_LONG:
        return json_integer(v->integer);
    case AVRO_FLOAT:
    case AVRO_DOUBLE:
        return json_real(v->real);
    case AVRO_ENUM:
        return json_string(v->schema->names[v->integer]);
    case AVRO_BYTES:
    case AVRO_STRING:
    case AVRO_FIXED:
        return json_stringn((const char *)v->bytes.ptr, v->bytes.len);
    case AVRO_RECORD:
        json = json_object();
        for (size_t i = 0; i < v->n; i++)
            json_object_set_new(json, v->schema->names[i], to_json(&v->items[i]));
        return json;
    case AVRO_MAP:
        json = json_object();
        for (size_t i = 0; i < v->n; i += 2)
            json_object_setn_new(json, (const char *)v->items[i].bytes.ptr, v->items[i].bytes.len,
                                 to_json(&v->items[i + 1]));
        return json;
    case AVRO_ARRAY:
    case AVRO_UNION:
        json = json_array();
        for (size_t i = 0; i < v->n; i++)
            json_array_append_new(json, to_json(&v->items[i]));
        return json;
    }
    return NULL;
}

/* All records, appended to rows. @return 0 or the failure. */
static int read_bytes(struct span bytes, size_t step, json_t *rows, struct err *err)
{
    struct memory_source memory = {bytes, step};
    CLEANUP(avro_reader_closep) struct avro_reader *r = NULL;
    const struct avro_value *value;
    int got = avro_reader_open(&r, memory_source(&memory), "file", err);
    if (got < 0)
        return got;
    while ((got = avro_read(r, &value, err)) == 1)
        json_array_append_new(rows, to_json(value));
    return got;
}

static void read_file(struct buf *out, const char *path)
{
    struct file_source f;
    assert_int_equal(file_source_open(&f, path, NULL), 0);
    assert_int_equal(source_read_all(file_source(&f), out, NULL), 0);
    file_source_close(&f);
}

static json_t *input_rows(void)
{
    json_t *rows = json_array();
    FILE *f = fopen(PROFILE "input_rows.ndjson", "r");
    assert_non_null(f);
    json_t *row;
    while ((row = json_loadf(f, JSON_DISABLE_EOF_CHECK, NULL)))
        json_array_append_new(rows, row);
    (void)fclose(f);
    assert_int_equal(json_array_size(rows), 5);
    return rows;
}

/* A column that JSON spells 0 is a double in the file. */
static void assert_same(const json_t *got, const json_t *want)
{
    if (json_is_number(want)) {
        assert_true(json_is_number(got));
        if (json_is_integer(got) && json_is_integer(want))
            assert_true(json_integer_value(got) == json_integer_value(want));
        else
            assert_true(json_number_value(got) == json_number_value(want));
    } else if (json_is_object(want)) {
        const char *key;
        json_t *value;
        assert_int_equal(json_object_size(got), json_object_size(want));
        json_object_foreach((json_t *)(uintptr_t)want, key, value)
            assert_same(json_object_get(got, key), value);
    } else if (json_is_array(want)) {
        assert_int_equal(json_array_size(got), json_array_size(want));
        for (size_t i = 0; i < json_array_size(want); i++)
            assert_same(json_array_get(got, i), json_array_get(want, i));
    } else {
        assert_true(json_equal(got, want));
    }
}

static void vectors_are_read(void **state)
{
    (void)state;
    json_t *want = input_rows();
    for (size_t step = 0; step < 3; step++) {
        json_t *shards = json_array(), *deflated = json_array();
        struct buf a = BUF_INIT(MAX_TEST_BYTES), b = BUF_INIT(MAX_TEST_BYTES);
        struct buf all = BUF_INIT(MAX_TEST_BYTES);
        read_file(&a, PROFILE "taar-profile.20210314.avro.000000000000");
        read_file(&b, PROFILE "taar-profile.20210314.avro.000000000001");
        read_file(&all, PROFILE "all-rows-deflate.avro");
        assert_int_equal(read_bytes(buf_span(&a), step, shards, NULL), 0);
        assert_int_equal(read_bytes(buf_span(&b), step, shards, NULL), 0);
        assert_int_equal(read_bytes(buf_span(&all), step, deflated, NULL), 0);
        assert_same(shards, want);
        assert_same(deflated, want);
        buf_deinit(&a);
        buf_deinit(&b);
        buf_deinit(&all);
        json_decref(shards);
        json_decref(deflated);
    }
    json_decref(want);
}

enum { N_RECORDS = 300 };

static void files_of_libavro_are_read(void **state)
{
    (void)state;
    static const char *const codecs[] = {"null", "deflate", "snappy"};
    for (size_t c = 0; c < 3; c++) {
        char path[] = "/tmp/weir-avro-XXXXXX";
        const int fd = mkstemp(path);
        assert_true(fd >= 0);
        (void)close(fd);
        (void)unlink(path);
        judge_write(path, codecs[c], N_RECORDS);
        struct buf bytes = BUF_INIT(MAX_TEST_BYTES);
        read_file(&bytes, path);
        (void)unlink(path);
        json_t *rows = json_array();
        assert_int_equal(read_bytes(buf_span(&bytes), 0, rows, NULL), 0);
        assert_int_equal(json_array_size(rows), N_RECORDS);
        for (int k = 0; k < N_RECORDS; k++) {
            json_t *want = json_pack("{si sI sf sf sb ss ss ss s{ss} s[]}", "i", -(k % 7), "l",
                                     (json_int_t)(INT64_C(1) << 60 | (k % 7)), "f", 0.5, "d",
                                     -1e300, "b", (k % 7) & 1, "y", "yy", "e",
                                     (k % 7) & 1 ? "Y" : "X", "x", "abc", "m", "key", "X", "a");
            for (int i = 0; i < k % 7; i++)
                json_array_append_new(json_object_get(want, "a"), json_string("def"));
            assert_same(json_array_get(rows, (size_t)k), want);
            json_decref(want);
        }
        json_decref(rows);
        buf_deinit(&bytes);
    }
}

static const char small[] = "{\"type\":\"record\",\"name\":\"Root\",\"fields\":["
                            "{\"name\":\"s\",\"type\":[\"null\",\"string\"]},"
                            "{\"name\":\"n\",\"type\":\"long\"},"
                            "{\"name\":\"d\",\"type\":\"double\"},"
                            "{\"name\":\"b\",\"type\":\"boolean\"}]}";

static int append(void *arg, const void *bytes, size_t len, struct err *err)
{
    return buf_append(arg, bytes, len, err);
}

static void write_small(struct buf *out, bool deflate, int n)
{
    struct avro_writer w;
    const uint8_t sync[16] = "sixteen bytes..";
    assert_int_equal(avro_writer_begin(&w, small, sync, deflate, append, out, NULL), 0);
    for (int k = 0; k < n; k++) {
        assert_int_equal(avro_put_long(&w.block, k % 2, NULL), 0);
        if (k % 2)
            assert_int_equal(avro_put_bytes(&w.block, span_str("some text"), NULL), 0);
        assert_int_equal(avro_put_long(&w.block, k % 3 ? INT64_MIN + k : k, NULL), 0);
        assert_int_equal(avro_put_double(&w.block, k / 4.0, NULL), 0);
        assert_int_equal(avro_put_boolean(&w.block, k % 5 == 0, NULL), 0);
        assert_int_equal(avro_writer_end_record(&w, NULL), 0);
    }
    assert_int_equal(avro_writer_finish(&w, NULL), 0);
    avro_writer_deinit(&w);
}

static void check_row(int k, const char *text, int64_t n, double d, bool b)
{
    if (k % 2)
        assert_string_equal(text, "some text");
    else
        assert_null(text);
    assert_true(n == (k % 3 ? INT64_MIN + k : k));
    assert_true(d == k / 4.0);
    assert_true(b == (k % 5 == 0));
}

static void libavro_reads_what_we_write(void **state)
{
    (void)state;
    for (int deflate = 0; deflate < 2; deflate++) {
        struct buf bytes = BUF_INIT(MAX_TEST_BYTES);
        char path[] = "/tmp/weir-avro-XXXXXX";
        const int fd = mkstemp(path);
        write_small(&bytes, deflate, 10000);
        assert_int_equal(write(fd, bytes.data, bytes.len), (ssize_t)bytes.len);
        (void)close(fd);
        assert_int_equal(judge_read(path, check_row), 10000);
        (void)unlink(path);
        buf_deinit(&bytes);
    }
}

/* An array whose items come in blocks with their size, which libavro does not write. */
static void blocks_with_their_size_are_read(void **state)
{
    (void)state;
    static const char schema[] = "{\"type\":\"array\",\"items\":\"long\"}";
    struct buf bytes = BUF_INIT(MAX_TEST_BYTES);
    struct avro_writer w;
    const uint8_t sync[16] = "sixteen bytes..";
    assert_int_equal(avro_writer_begin(&w, schema, sync, false, append, &bytes, NULL), 0);
    const int64_t numbers[] = {-2, 2, 10, 11, 1, 12, 0}; // two items in 2 bytes; one; no more
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
        assert_int_equal(avro_put_long(&w.block, numbers[i], NULL), 0);
    assert_int_equal(avro_writer_end_record(&w, NULL), 0);
    assert_int_equal(avro_writer_finish(&w, NULL), 0);
    avro_writer_deinit(&w);
    json_t *rows = json_array();
    assert_int_equal(read_bytes(buf_span(&bytes), 0, rows, NULL), 0);
    json_t *want = json_pack("[[i,i,i]]", 10, 11, 12);
    assert_true(json_equal(rows, want));
    json_decref(want);
    json_decref(rows);
    buf_deinit(&bytes);
}

/* Cut anywhere, or with any bit turned: rows before the damage at most, and no crash. */
static void damage_is_told(void **state)
{
    (void)state;
    struct buf bytes = BUF_INIT(MAX_TEST_BYTES);
    write_small(&bytes, true, 40);
    for (size_t n = 0; n < bytes.len; n++) {
        struct err err = {0};
        json_t *rows = json_array();
        const int r = read_bytes(span_of(bytes.data, n), 0, rows, &err);
        // Behind the header a file without blocks is whole.
        assert_true(r == E_FORMAT || (r == 0 && json_array_size(rows) == 0));
        json_decref(rows);
    }
    for (size_t i = 0; i < 8 * bytes.len; i++) {
        bytes.data[i / 8] ^= (uint8_t)(1u << i % 8);
        json_t *rows = json_array();
        const int r = read_bytes(buf_span(&bytes), 0, rows, NULL);
        assert_true(r == 0 || r == E_FORMAT || r == E_NOMEM);
        json_decref(rows);
        bytes.data[i / 8] ^= (uint8_t)(1u << i % 8);
    }
    buf_deinit(&bytes);
}

static void numbers_of_all_kinds(void **state)
{
    (void)state;
    const struct avro_schema decimal = {.kind = AVRO_BYTES, .decimal = true, .scale = 2};
    const struct avro_schema text = {.kind = AVRO_STRING};
    struct avro_value v = {.schema = &decimal, .bytes = span_of("\xff\x85", 2)};
    double x = 0;
    assert_true(avro_number(&x, &v));
    assert_true(x == -1.23);
    v.bytes = span_of("\x30\x39", 2);
    assert_true(avro_number(&x, &v));
    assert_true(x == 123.45);
    v.schema = &text;
    assert_false(avro_number(&x, &v));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vectors_are_read),
        cmocka_unit_test(files_of_libavro_are_read),
        cmocka_unit_test(libavro_reads_what_we_write),
        cmocka_unit_test(blocks_with_their_size_are_read),
        cmocka_unit_test(damage_is_told),
        cmocka_unit_test(numbers_of_all_kinds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
