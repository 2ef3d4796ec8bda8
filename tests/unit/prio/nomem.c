/* SPDX-License-Identifier: MPL-2.0 */
/*
 * nomem.c - every constructor and every call that allocates, with the k-th allocation failing, for
 * every k: PRIO_E_NOMEM, outputs as they were, and nothing left behind.
 *
 * The linker puts the functions below in place of the C library's for our own code; libcrypto keeps
 * its allocator.
 */
#include "pair.h"

static struct {
    bool on;
    int fail_at; // this allocation, counted from 1, fails; 0: none
    int seen;
    int live; // allocations not freed
} heap;

/* The linker asks for these names. */
void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_aligned_alloc(size_t alignment, size_t n);
void __real_free(void *p);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t n);
void __wrap_free(void *p);

static bool allowed(void)
{
    return !heap.on || ++heap.seen != heap.fail_at;
}

static void *counted(void *p)
{
    heap.live += p != NULL;
    return p;
}

void *__wrap_malloc(size_t n)
{
    return allowed() ? counted(__real_malloc(n)) : NULL;
}

void *__wrap_calloc(size_t n, size_t size)
{
    return allowed() ? counted(__real_calloc(n, size)) : NULL;
}

void *__wrap_aligned_alloc(size_t alignment, size_t n)
{
    return allowed() ? counted(__real_aligned_alloc(alignment, n)) : NULL;
}

void __wrap_free(void *p)
{
    heap.live -= p != NULL;
    __real_free(p);
}

struct world {
    struct keys keys;
    struct pair p;
    struct desk desk;
    struct bytes share_a;
    struct prio_point other_point;
    struct prio_server *sequential;
};

static int setup(void **state)
{
    static const uint8_t bits[] = {1, 0, 1};
    struct world *w = calloc(1, sizeof *w);
    struct prio_shares shares;
    keys_fixed(&w->keys);
    pair_init(&w->p, &(struct prio_batch_options){.n_data = 3}, &w->keys, PRIO_POINTS_FIRST);
    desk_init(&w->desk, w->p.batch, &w->keys);
    assert_int_equal(prio_encode_bits(w->desk.encoder, &shares, bits), PRIO_OK);
    w->share_a = bytes_copy(shares.a, shares.a_len);
    w->sequential = server_of(w->p.batch, &w->keys, PRIO_SERVER_A, PRIO_POINTS_SEQUENTIAL);
    w->other_point.bytes[PRIO_POINT_BYTES - 1] = 99;
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    prio_server_free(w->sequential);
    bytes_deinit(&w->share_a);
    desk_deinit(&w->desk);
    pair_deinit(&w->p);
    free(w);
    return 0;
}

/* A call under test; on success it undoes what it did. */
typedef int (*call)(const struct world *w);

static void fails_cleanly_at_every_allocation(const struct world *w, call f)
{
    for (int k = 1; k < 100; k++) {
        const int live = heap.live;
        heap.fail_at = k;
        heap.seen = 0;
        heap.on = true;
        const int r = f(w);
        heap.on = false;
        assert_int_equal(heap.live, live);
        if (heap.seen < k) { // fewer allocations than k: all were granted
            assert_int_equal(r, PRIO_OK);
            assert_true(k > 1);
            return;
        }
        assert_int_equal(r, PRIO_E_NOMEM);
    }
    fail_msg("more than a hundred allocations");
}

static int make_batch(const struct world *w)
{
    (void)w;
    struct prio_batch *batch = NULL;
    const struct prio_batch_options options = {.batch_id = "b", .batch_id_len = 1, .n_data = 9};
    const int r = prio_batch_new(&batch, &options);
    assert_int_equal(r == PRIO_OK, batch != NULL);
    prio_batch_free(batch);
    return r;
}

static int make_client(const struct world *w)
{
    struct prio_client *client = NULL;
    const int r =
        prio_client_new(&client, w->p.batch, w->keys.public_key[0], w->keys.public_key[1]);
    assert_int_equal(r == PRIO_OK, client != NULL);
    prio_client_free(client);
    return r;
}

static int make_encoder(const struct world *w)
{
    struct prio_encoder *encoder = NULL;
    const int r = prio_encoder_new(&encoder, w->desk.client);
    assert_int_equal(r == PRIO_OK, encoder != NULL);
    prio_encoder_free(encoder);
    return r;
}

static int make_server(const struct world *w)
{
    struct prio_server *server = NULL;
    const struct prio_server_options options = {.private_key = w->keys.private_key[0],
                                                .peer_public_key = w->keys.public_key[1],
                                                .shared_secret = w->keys.secret};
    const int r = prio_server_new(&server, w->p.batch, &options);
    assert_int_equal(r == PRIO_OK, server != NULL);
    prio_server_free(server);
    return r;
}

static int make_pass(const struct world *w)
{
    struct prio_pass *pass = NULL;
    const int r = prio_pass_new(&pass, w->sequential);
    assert_int_equal(r == PRIO_OK, pass != NULL);
    prio_pass_free(pass);
    return r;
}

static int make_packet(const struct world *w)
{
    struct prio_packet *packet = NULL;
    const int r = prio_packet_new(&packet, w->p.server[0]);
    assert_int_equal(r == PRIO_OK, packet != NULL);
    prio_packet_free(packet);
    return r;
}

static int make_sum(const struct world *w)
{
    struct prio_sum *sum = NULL;
    const int r = prio_sum_new(&sum, w->p.server[0]);
    assert_int_equal(r == PRIO_OK, sum != NULL);
    prio_sum_free(sum);
    return r;
}

static void constructors_fail_cleanly(void **state)
{
    const struct world *w = *state;
    fails_cleanly_at_every_allocation(w, make_batch);
    fails_cleanly_at_every_allocation(w, make_client);
    fails_cleanly_at_every_allocation(w, make_encoder);
    fails_cleanly_at_every_allocation(w, make_server);
    fails_cleanly_at_every_allocation(w, make_pass);
    fails_cleanly_at_every_allocation(w, make_packet);
    fails_cleanly_at_every_allocation(w, make_sum);
}

static struct prio_packet *fresh_packet(const struct prio_server *server)
{
    struct prio_packet *packet;
    const bool on = heap.on;
    heap.on = false;
    assert_int_equal(prio_packet_new(&packet, server), PRIO_OK);
    heap.on = on;
    return packet;
}

/* The first record makes room for plaintexts. */
static int open_first(const struct world *w)
{
    struct prio_packet *packet = fresh_packet(w->p.server[0]);
    uint8_t out[PRIO_VERIFY1_MAX];
    size_t len;
    const int r = prio_packet_open(packet, w->share_a.ptr, w->share_a.len);
    struct prio_point point;
    assert_int_equal(prio_pass_next(w->p.pass[0], &point), PRIO_OK);
    assert_int_equal(prio_packet_verify1(packet, &point, out, &len),
                     r == PRIO_OK ? PRIO_OK : PRIO_E_ARG);
    prio_packet_free(packet);
    return r;
}

/* In sequential mode the first answer makes room for weights; a second try must find its feet. */
static int answer_at_another_point(const struct world *w)
{
    struct prio_packet *packet = fresh_packet(w->sequential);
    uint8_t out[PRIO_VERIFY1_MAX];
    size_t len = 77;
    const bool on = heap.on;
    heap.on = false;
    assert_int_equal(prio_packet_open(packet, w->share_a.ptr, w->share_a.len), PRIO_OK);
    heap.on = on;
    memset(out, GUARD_BYTE, sizeof out);
    const int r = prio_packet_verify1(packet, &w->other_point, out, &len);
    if (r != PRIO_OK) {
        assert_guarded(out, sizeof out);
        assert_int_equal(len, 77);
        heap.on = false;
        assert_int_equal(prio_packet_verify1(packet, &w->other_point, out, &len), PRIO_OK);
        heap.on = on;
    }
    prio_packet_free(packet);
    return r;
}

static int add_state(const struct world *w)
{
    static const uint8_t text[] = {0x93, 0xa1, 1, 0xa1, 2, 0xa1, 3};
    const uint64_t count = prio_sum_count(w->p.sum[0]);
    const int r = prio_sum_add_state(w->p.sum[0], text, sizeof text, 1);
    assert_int_equal(prio_sum_count(w->p.sum[0]), count + (r == PRIO_OK));
    return r;
}

static int combine(const struct world *w)
{
    (void)w;
    uint64_t total = 77;
    const int r = prio_final(&total, 1, "\x00\x91\xa1\x01", 4, "\x01\x91\xa1\x01", 4);
    assert_int_equal(total, r == PRIO_OK ? 2 : 77);
    return r;
}

static int combine_bits(const struct world *w)
{
    (void)w;
    uint8_t out[4];
    size_t len = 77;
    memset(out, GUARD_BYTE, sizeof out);
    const int r =
        prio_total_share_to_uints("\x00\x92\xa1\x01\xa1\x01", 6, 2, 2, out, sizeof out, &len);
    if (r != PRIO_OK) {
        assert_guarded(out, sizeof out);
        assert_int_equal(len, 77);
    }
    return r;
}

static void calls_that_allocate_fail_cleanly(void **state)
{
    const struct world *w = *state;
    fails_cleanly_at_every_allocation(w, open_first);
    fails_cleanly_at_every_allocation(w, answer_at_another_point);
    fails_cleanly_at_every_allocation(w, add_state);
    fails_cleanly_at_every_allocation(w, combine);
    fails_cleanly_at_every_allocation(w, combine_bits);
}

/* prio.h: no call allocates per record once a handle is warm. */
static void warm_handles_do_not_allocate(void **state)
{
    struct world *w = *state;
    static const uint8_t bits[] = {1, 0, 1};
    struct prio_packet *packet = fresh_packet(w->p.server[0]);
    struct prio_sum *sum = w->p.sum[0];
    heap.fail_at = 0;
    for (int round = 0; round < 3; round++) {
        struct prio_shares shares;
        struct prio_point point;
        uint8_t v1[PRIO_VERIFY1_MAX], v2[PRIO_VERIFY2_MAX];
        size_t v1_len, v2_len;
        heap.seen = 0;
        heap.on = round > 0;
        assert_int_equal(prio_encode_bits(w->desk.encoder, &shares, bits), PRIO_OK);
        assert_int_equal(prio_packet_open(packet, shares.a, shares.a_len), PRIO_OK);
        assert_int_equal(prio_pass_next(w->p.pass[0], &point), PRIO_OK);
        assert_int_equal(prio_packet_verify1(packet, &point, v1, &v1_len), PRIO_OK);
        assert_int_equal(prio_packet_verify2(packet, &point, v1, v1_len, v1, v1_len, v2, &v2_len),
                         PRIO_OK);
        assert_int_equal(prio_sum_add(sum, packet, "\xa1\0", 2, "\xa1\0", 2), PRIO_OK);
        heap.on = false;
        assert_int_equal(heap.seen, 0);
    }
    prio_packet_free(packet);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(constructors_fail_cleanly, setup, teardown),
        cmocka_unit_test_setup_teardown(calls_that_allocate_fail_cleanly, setup, teardown),
        cmocka_unit_test_setup_teardown(warm_handles_do_not_allocate, setup, teardown),
    };
    return cmocka_run_group_tests_name("prio/nomem", tests, NULL, NULL);
}
