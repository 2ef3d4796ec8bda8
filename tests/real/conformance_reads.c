/* SPDX-License-Identifier: MPL-2.0 */
/* Reading, and many threads at once. */
#include "real/conformance.h"

#include <pthread.h>

enum { MIB = 1024 * 1024, THREADS = 8, ROUNDS = 12 };

void ranges_are_read(void **state)
{
    const uint64_t size = 5 * MIB + 3;
    static const struct {
        uint64_t offset, len;
    } ranges[] = {
        {0, 0},
        {0, 1},
        {0, 5 * MIB + 3},
        {0, STORE_TO_END},
        {1, 10},
        {5 * MIB + 2, 1},
        {5 * MIB + 2, 100},
        {5 * MIB + 3, 1},
        {3 * MIB, MIB},
        {7, 2 * MIB},
        {5 * MIB + 3, STORE_TO_END},
        {100 * MIB, 1},
        {4 * MIB, STORE_TO_END - 1},
        {UINT64_MAX - 1, 1},
        {9, 0},
    };
    put_pattern("range/x", size, 7, NULL, 0);
    for (size_t i = 0; i < ARRAY_LEN(ranges); i++)
        assert_pattern("range/x", ranges[i].offset, ranges[i].len, size, 7);
    put_text("range/empty", "");
    assert_pattern("range/empty", 0, STORE_TO_END, 0, 0);
    assert_pattern("range/empty", 0, 10, 0, 0);
    assert_pattern("range/empty", 3, 10, 0, 0);
    (void)state;
}

/* More than sockets and rings hold, so that reading goes on after the overwrite. */
void an_overwritten_object_is_not_mixed(void **state)
{
    const uint64_t size = 30 * MIB;
    static uint8_t got[65536], expected[sizeof got];
    CLEANUP(store_reader_closep) struct store_reader *reader = NULL;
    struct err err = {0};
    put_pattern("mix/x", size, 1, NULL, 0);
    assert_result(store_get(&reader, conformance.store, "mix/x", 0, STORE_TO_END, &err), 0, &err);
    const struct source source = store_reader_source(reader);
    assert_int_equal(source.read(source.arg, got, 1, &err), 1);
    put_pattern("mix/x", size, 2, NULL, 0);
    uint64_t at = 1;
    ssize_t n;
    while ((n = source.read(source.arg, got, sizeof got, &err)) > 0) {
        fill_pattern(expected, (size_t)n, 1, at);
        assert_memory_equal(got, expected, (size_t)n);
        at += (size_t)n;
    }
    if (n < 0) {
        assert_result((int)n, E_IO, &err);
        assert_contains(err.text, "mix/x");
    } else {
        assert_int_equal(at, size);
    }
    (void)state;
}

void a_reader_may_be_closed_early(void **state)
{
    struct err err = {0};
    put_pattern("early/x", 20 * MIB, 1, NULL, 0);
    for (int i = 0; i < 4; i++) {
        CLEANUP(store_reader_closep) struct store_reader *reader = NULL;
        uint8_t byte;
        assert_result(store_get(&reader, conformance.store, "early/x", 0, STORE_TO_END, &err), 0,
                      &err);
        assert_string_equal(store_reader_object(reader)->key, "early/x");
        const struct source source = store_reader_source(reader);
        if (i % 2)
            assert_int_equal(source.read(source.arg, &byte, 1, &err), 1);
    }
    (void)state;
}

void a_small_buffer_is_not_overrun(void **state)
{
    CLEANUP(buf_deinit) struct buf out = BUF_INIT(10);
    struct store_object object = {0};
    struct err err = {0};
    put_text("small/x", "12345678");
    assert_int_equal(buf_append_str(&out, "ab", NULL), 0);
    assert_result(store_get_all(conformance.store, "small/x", &out, &object, &err), 0, &err);
    assert_true(span_equal(buf_span(&out), span_str("ab12345678")));
    assert_string_equal(object.key, "small/x");
    assert_result(store_get_all(conformance.store, "small/x", &out, NULL, &err), E_NOMEM, &err);
    assert_contains(err.text, "small/x");
    assert_int_equal(out.len, 10);
    (void)state;
}

/* cmocka's assertions belong to the main thread: others come back with a text. */
struct worker {
    unsigned number;
    struct err err;
    bool failed;
};

static int one_round(const struct worker *w, int round, struct err *err)
{
    char key[64];
    CLEANUP(buf_deinit) struct buf got = BUF_INIT(4 * MIB);
    CLEANUP(buf_deinit) struct buf sent = BUF_INIT(4 * MIB);
    const size_t len = (size_t)(round % 3) * 700000 + w->number;
    (void)snprintf(key, sizeof key, "threads/%u/%d", w->number, round);
    int r = buf_reserve(&sent, len, err);
    if (r < 0)
        return r;
    fill_pattern(sent.data, len, w->number, 0);
    sent.len = len;
    r = store_put(conformance.store, key, buf_span(&sent), NULL, NULL, err);
    if (r == 0)
        r = store_get_all(conformance.store, key, &got, NULL, err);
    if (r == 0 && !span_equal(buf_span(&got), buf_span(&sent)))
        r = err_set(err, E_FORMAT, 0, "%s: other bytes came back", key);
    if (r == 0 && round % 2)
        r = store_delete_one(conformance.store, key, err);
    return r;
}

static void *work(void *arg)
{
    struct worker *w = arg;
    for (int round = 0; round < ROUNDS && !w->failed; round++)
        w->failed = one_round(w, round, &w->err) != 0;
    return NULL;
}

static void run_threads(void *(*run)(void *))
{
    struct worker workers[THREADS];
    pthread_t threads[THREADS];
    for (unsigned i = 0; i < THREADS; i++) {
        workers[i] = (struct worker){.number = i};
        assert_int_equal(pthread_create(&threads[i], NULL, run, &workers[i]), 0);
    }
    for (unsigned i = 0; i < THREADS; i++)
        (void)pthread_join(threads[i], NULL);
    for (unsigned i = 0; i < THREADS; i++)
        if (workers[i].failed)
            fail_msg("thread %u: %s", i, workers[i].err.text);
}

void threads_share_a_store(void **state)
{
    struct store_listing listing = {0};
    struct err err = {0};
    run_threads(work);
    assert_result(store_list(conformance.store, "threads/", &listing, &err), 0, &err);
    assert_int_equal(listing.n, THREADS * ROUNDS / 2);
    store_listing_deinit(&listing);
    (void)state;
}

static void *write_the_same(void *arg)
{
    struct worker *w = arg;
    static uint8_t bytes[THREADS][100000];
    memset(bytes[w->number], 'a' + (int)w->number, sizeof bytes[0]);
    for (int round = 0; round < ROUNDS && !w->failed; round++)
        w->failed = store_put(conformance.store, "same/x",
                              span_of(bytes[w->number], sizeof bytes[0] - w->number), NULL, NULL,
                              &w->err) != 0;
    return NULL;
}

void writers_of_one_name_do_not_mix(void **state)
{
    CLEANUP(buf_deinit) struct buf got = BUF_INIT(MIB);
    struct err err = {0};
    run_threads(write_the_same);
    assert_result(store_get_all(conformance.store, "same/x", &got, NULL, &err), 0, &err);
    assert_true(got.len > 0);
    assert_int_equal(got.len, 100000 - (got.data[0] - 'a'));
    for (size_t i = 1; i < got.len; i++)
        assert_int_equal(got.data[i], got.data[0]);
    assert_keys("same/", "same/x");
    (void)state;
}
