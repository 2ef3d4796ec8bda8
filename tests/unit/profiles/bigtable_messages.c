/* SPDX-License-Identifier: MPL-2.0 */
/* The bytes of requests: those of vectors/taar/profile/meta.json, and of reads by hand. */
#include "profiles/bigtable_messages.h"

#include "base/base_test.h"
#include "net/grpc.h"

#include <jansson.h>

#define TABLE    "projects/p/instances/i/tables/taar_profile"
#define CLIENT   "54e760dc799b24c6edc1a02b200db9b07d51a96b7dc7d4ebcd1d86ee8728f420"
#define EMPTY_ZL "\x78\x9c\x03\x00\x00\x00\x00\x01"

/* The framed message, in hexadecimal, without its frame. */
static void assert_message(const struct buf *framed, const char *hex)
{
    assert_true(framed->len >= GRPC_PREFIX_BYTES);
    const size_t len = framed->len - GRPC_PREFIX_BYTES;
    assert_int_equal(framed->data[0], 0);
    assert_int_equal(framed->data[3] << 8 | framed->data[4], len);
    char *text = calloc(2, len + 1);
    assert_non_null(text);
    for (size_t i = 0; i < len; i++)
        (void)snprintf(text + 2 * i, 3, "%02x", framed->data[GRPC_PREFIX_BYTES + i]);
    assert_string_equal(text, hex);
    free(text);
}

/* What the vector whose name begins so holds. */
static const char *vector(const json_t *meta, const char *prefix)
{
    const char *name;
    json_t *value;
    json_object_foreach(json_object_get(meta, "wire"), name, value)
    {
        if (strncmp(name, prefix, strlen(prefix)) == 0)
            return json_string_value(value);
    }
    fail_msg("no vector %s", prefix);
    return NULL;
}

static int load(void **state)
{
    *state = json_load_file(WEIR_VECTORS "/taar/profile/meta.json", 0, NULL);
    return *state ? 0 : -1;
}

static int unload(void **state)
{
    json_decref(*state);
    return 0;
}

static void a_table_has_its_garbage_collection(void **state)
{
    struct buf out = BUF_INIT(4096);
    struct err err = {0};
    assert_int_equal(
        bigtable_pack_create_table(&out, "projects/p/instances/i", "taar_profile", &err), 0);
    assert_message(&out, vector(*state, "google.bigtable.admin.v2.CreateTableRequest"));
    buf_deinit(&out);
}

static void rows_are_put_and_deleted(void **state)
{
    struct buf out = BUF_INIT(4096);
    struct err err = {0};
    CLEANUP(batch_freep) struct batch *batch = batch_new();
    const struct span value = span_of(EMPTY_ZL, 8);
    assert_int_equal(batch_add(batch, ROW_PUT, span_str("other"), value, 1000, &err), 0);
    assert_int_equal(
        batch_add(batch, ROW_PUT, span_str(CLIENT), value, INT64_C(1600000000123000), &err), 0);
    assert_int_equal(batch_add(batch, ROW_DELETE, span_str(CLIENT), (struct span){0}, 0, &err), 0);
    const uint32_t put = 1, gone = 2;
    assert_int_equal(bigtable_pack_mutate_rows(&out, TABLE, batch, &put, 1, &err), 0);
    assert_message(&out, vector(*state, "google.bigtable.v2.MutateRowsRequest(set one cell"));
    assert_int_equal(bigtable_pack_mutate_rows(&out, TABLE, batch, &gone, 1, &err), 0);
    assert_message(&out, vector(*state, "google.bigtable.v2.MutateRowsRequest(delete"));
    buf_deinit(&out);
}

static void reads_ask_for_the_newest_cell(void **state)
{
    (void)state;
    struct buf out = BUF_INIT(4096);
    struct err err = {0};
#define FILTER "1a1c0a1a0a092a0770726f66696c650a0932077061796c6f61640a026001"
    assert_int_equal(bigtable_pack_get_table(&out, "t", &err), 0);
    assert_message(&out, "0a01741001");
    assert_int_equal(bigtable_pack_read_row(&out, "t", span_str("k"), &err), 0);
    assert_message(&out, "0a017412030a016b" FILTER "2001");
    assert_int_equal(bigtable_pack_read_rows(&out, "t", span_str("k"), 10, &err), 0);
    assert_message(&out, "0a01741205120312016b" FILTER "200a");
    assert_int_equal(bigtable_pack_read_rows(&out, "t", (struct span){0}, 10, &err), 0);
    assert_message(&out, "0a0174" FILTER "200a");
    buf_deinit(&out);
}

static void a_request_that_is_too_long_is_refused(void **state)
{
    (void)state;
    struct buf out = BUF_INIT(8);
    struct err err = {0};
    assert_int_equal(bigtable_pack_get_table(&out, TABLE, &err), E_NOMEM);
    buf_deinit(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_table_has_its_garbage_collection),
        cmocka_unit_test(rows_are_put_and_deleted),
        cmocka_unit_test(reads_ask_for_the_newest_cell),
        cmocka_unit_test(a_request_that_is_too_long_is_refused),
    };
    return cmocka_run_group_tests(tests, load, unload);
}
