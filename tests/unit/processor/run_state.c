/* SPDX-License-Identifier: MPL-2.0 */
/* What a server keeps of its runs comes back as it was, or not at all. */
#include "processor/run_state.h"

#include "folder_test.h"
#include "processor/object_list.h"
#include "processor/part_record.h"

static struct data_entry entries[] = {{"b-0", 5}, {"a-1", 7}};
static const struct data_config config = {entries, 2};
static const uint8_t key[PRIO_KEY_BYTES] = {1}, secret[PRIO_SECRET_BYTES] = {2};

static struct run_state sample(void)
{
    struct run_state s;
    assert_int_equal(run_state_init(&s, PRIO_SERVER_B, PRIO_PRG_LEGACY, PRIO_POINTS_FIRST, key,
                                    secret, &config, NULL),
                     0);
    s.phase = RUN_PUBLISHED;
    s.raw = (struct maybe_hash){true, {{3}}};
    s.answer[RUN_VERIFY2] = (struct maybe_hash){true, {{4}}};
    s.consumed[RUN_AGGREGATE] = (struct maybe_hash){true, {{5}}};
    s.stale[RUN_VERIFY1] = (struct maybe_hash){true, {{6}}};
    s.mirrored[RUN_VERIFY2] = true;
    return s;
}

static void a_state_comes_back(void **state)
{
    struct store *store = ((struct folder *)*state)->store;
    const struct run_state s = sample();
    struct run_state read;
    assert_int_equal(run_state_write(&s, store, "run.json", NULL), 0);
    assert_int_equal(run_state_read(&read, store, "run.json", NULL), 0);
    assert_null(run_state_difference(&s, &read));
    assert_int_equal(read.phase, RUN_PUBLISHED);
    assert_true(hash_equal(&read.raw.hash, &s.raw.hash));
    for (int i = 0; i < RUN_STAGES; i++) {
        assert_int_equal(read.answer[i].set, s.answer[i].set);
        assert_int_equal(read.consumed[i].set, s.consumed[i].set);
        assert_int_equal(read.stale[i].set, s.stale[i].set);
        assert_int_equal(read.mirrored[i], s.mirrored[i]);
    }
    assert_true(run_state_answered(&read));
}

static void differences_are_named(void **state)
{
    (void)state;
    struct run_state a = sample(), b = sample();
    b.role = PRIO_SERVER_A;
    assert_string_equal(run_state_difference(&a, &b), "SERVER_ID");
    b = sample();
    b.prg = PRIO_PRG_HASHED;
    assert_string_equal(run_state_difference(&a, &b), "PRIO_PRG");
    const uint8_t other[PRIO_SECRET_BYTES] = {9};
    assert_int_equal(run_state_init(&b, PRIO_SERVER_B, PRIO_PRG_LEGACY, PRIO_POINTS_FIRST, key,
                                    other, &config, NULL),
                     0);
    assert_string_equal(run_state_difference(&a, &b), "SHARED_SECRET");
    struct data_entry swapped[] = {entries[1], entries[0]};
    const struct data_config same = {swapped, 2};
    assert_int_equal(run_state_init(&b, PRIO_SERVER_B, PRIO_PRG_LEGACY, PRIO_POINTS_FIRST, key,
                                    secret, &same, NULL),
                     0);
    assert_null(run_state_difference(&a, &b)); // the order of batches answers nothing
    swapped[0].n_data++;
    assert_int_equal(run_state_init(&b, PRIO_SERVER_B, PRIO_PRG_LEGACY, PRIO_POINTS_FIRST, key,
                                    secret, &same, NULL),
                     0);
    assert_string_equal(run_state_difference(&a, &b), "DATA_CONFIG");
}

static void no_secret_is_written(void **state)
{
    struct store *store = ((struct folder *)*state)->store;
    const struct run_state s = sample();
    CLEANUP(buf_deinit) struct buf text = BUF_INIT(1 << 20);
    assert_int_equal(run_state_write(&s, store, "run.json", NULL), 0);
    assert_int_equal(store_get_all(store, "run.json", &text, NULL, NULL), 0);
    assert_int_equal(buf_append_byte(&text, 0, NULL), 0);
    assert_null(strstr((const char *)text.data, "0100000000000000")); // the key
    assert_null(strstr((const char *)text.data, "0200000000000000")); // the secret
    assert_non_null(strstr((const char *)text.data, "\"a-1\""));
}

static void what_is_no_state_is_refused(void **state)
{
    static const char *const texts[] = {
        "", "{", "[]", "{}", "{\"format\": 2}", "null", "{\"format\": 1, \"phase\": \"begun\"}"};
    struct store *store = ((struct folder *)*state)->store;
    struct run_state read;
    assert_int_equal(run_state_read(&read, store, "absent", NULL), E_ABSENT);
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        assert_int_equal(store_put(store, "x", span_str(texts[i]), NULL, NULL, NULL), 0);
        assert_int_equal(run_state_read(&read, store, "x", NULL), E_FORMAT);
    }
}

static void lists_come_back_sorted(void **state)
{
    struct store *store = ((struct folder *)*state)->store;
    struct object_list list = {0}, read = {0};
    const struct hash hash = {{7}};
    assert_int_equal(object_list_add(&list, "b/2", 5, "v1", &hash, NULL), 0);
    assert_int_equal(object_list_add(&list, "a/1 \xc3\xa4", 0, "v2", NULL, NULL), 0);
    assert_int_equal(object_list_write(&list, store, "list", NULL), 0);
    assert_int_equal(object_list_read(&read, store, "list", NULL), 0);
    object_list_sort(&list);
    assert_true(object_list_equal(&list, &read));
    assert_string_equal(read.objects[0].key, "a/1 \xc3\xa4");
    assert_true(read.objects[1].has_hash && hash_equal(&read.objects[1].hash, &hash));
    struct hash one, two;
    assert_int_equal(object_list_digest(&list, &one, NULL), 0);
    list.objects[1].hash.bytes[0]++;
    assert_int_equal(object_list_digest(&list, &two, NULL), 0);
    assert_false(hash_equal(&one, &two));
    list.objects[1].size++;
    assert_false(object_list_equal(&list, &read));
    object_list_drop_below(&list, "a");
    assert_int_equal(list.n, 1);
    object_list_deinit(&list);
    object_list_deinit(&read);
}

static void a_part_record_comes_back(void **state)
{
    struct store *store = ((struct folder *)*state)->store;
    struct part_record record = {.packed = true}, read;
    record.raw.key = strdup("shares/x");
    record.answer.key = strdup("x/part");
    record.trace.key = strdup("x/trace");
    record.raw.size = UINT64_C(1) << 40;
    record.counts.total = 9;
    record.counts.error = record.counts.by_reason[REASON_REPLAY] = 2;
    (void)snprintf(record.raw.version, sizeof record.raw.version, "v");
    assert_int_equal(part_record_write(&record, store, "part", NULL), 0);
    assert_int_equal(part_record_read(&read, store, "part", NULL), 0);
    assert_true(read.packed && noted_equal(&read.raw, &record.raw));
    assert_int_equal(read.counts.by_reason[REASON_REPLAY], 2);
    part_record_deinit(&read);
    part_record_deinit(&record);
    assert_int_equal(store_put(store, "part", span_str("{\"format\":1}"), NULL, NULL, NULL), 0);
    assert_int_equal(part_record_read(&read, store, "part", NULL), E_FORMAT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_state_comes_back),     cmocka_unit_test(differences_are_named),
        cmocka_unit_test(no_secret_is_written),   cmocka_unit_test(what_is_no_state_is_refused),
        cmocka_unit_test(lists_come_back_sorted), cmocka_unit_test(a_part_record_comes_back),
    };
    return cmocka_run_group_tests_name("run_state", tests, folder_setup, folder_teardown);
}
