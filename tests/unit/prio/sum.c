/* SPDX-License-Identifier: MPL-2.0 */
#include "prio/sum.h"

#include "pair.h"

enum { N = 17 };

static const uint8_t zero[] = {0xa1, 0x00}; // as both verify2 messages: a proof that holds

struct world {
    struct keys keys;
    struct pair p;
};

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    keys_fixed(&w->keys);
    pair_init(&w->p, &(struct prio_batch_options){.batch_id = "b", .batch_id_len = 1, .n_data = N},
              &w->keys, PRIO_POINTS_FIRST);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    pair_deinit(&w->p);
    free(w);
    return 0;
}

/* A packet as if opened, with these data shares. */
static void pretend_open(struct prio_packet *packet, struct fe x)
{
    packet->open = true;
    for (size_t i = 0; i < packet->server->batch->n; i++)
        fvec_set(packet->shares, i, x);
}

static int add(struct prio_sum *sum, const struct prio_packet *packet)
{
    return prio_sum_add(sum, packet, zero, sizeof zero, zero, sizeof zero);
}

/* Every element of the sum is x. */
static void assert_sum(const struct prio_sum *sum, struct fe x)
{
    BYTES state = sum_state(sum);
    uint8_t want[3 + N * WIRE_ELEMENT_MAX + WIRE_SLACK];
    uint8_t *p = want + msgpack_write_array(want, N);
    for (size_t i = 0; i < N; i++)
        p += wire_write_element(p, x);
    assert_int_equal(state.len, (size_t)(p - want));
    assert_memory_equal(state.ptr, want, state.len);
}

static struct fe times(struct fe x, uint64_t k)
{
    return fe_mul(x, (struct fe){.lo = k});
}

/* Limbs pile up unreduced; each of the largest shares must still count after many thousands. */
static void sums_of_largest_shares_stay_exact(void **state)
{
    struct world *w = *state;
    const struct fe worst[] = {
        fe_neg(FE_ONE),                              // p - 1
        {.lo = FIELD_LO_MASK, .hi = FIELD_P_HI - 1}, // the largest low limb
        fe_neg((struct fe){.lo = FIELD_P_LO + 1}),   // 2^87 - 1
    };
    for (size_t k = 0; k < ARRAY_LEN(worst); k++) {
        struct prio_sum *sum;
        pretend_open(w->p.packet[0], worst[k]);
        assert_int_equal(prio_sum_new(&sum, w->p.server[0]), PRIO_OK);
        for (uint64_t i = 1; i <= 13000; i++) {
            assert_int_equal(add(sum, w->p.packet[0]), PRIO_OK);
            if (i == 1 || (i >= 4093 && i <= 4098) || (i >= 8188 && i <= 8193) || i == 13000)
                assert_sum(sum, times(worst[k], i));
        }
        assert_int_equal(prio_sum_count(sum), 13000);
        prio_sum_free(sum);
    }
}

static void taking_back_leaves_no_trace(void **state)
{
    struct world *w = *state;
    const struct fe kept = fe_neg(FE_ONE), out = {.lo = FIELD_LO_MASK, .hi = FIELD_P_HI - 1};
    struct prio_packet *stays, *goes;
    struct prio_sum *sum;
    assert_int_equal(prio_packet_new(&stays, w->p.server[1]), PRIO_OK);
    assert_int_equal(prio_packet_new(&goes, w->p.server[1]), PRIO_OK);
    pretend_open(stays, kept);
    pretend_open(goes, out);
    assert_int_equal(prio_sum_new(&sum, w->p.server[1]), PRIO_OK);
    for (int i = 0; i < 5000; i++) { // additions and subtractions both use up the spare bits
        assert_int_equal(sum_add_pending(sum, stays), PRIO_OK);
        assert_int_equal(sum_add_pending(sum, goes), PRIO_OK);
        assert_int_equal(sum_take_back(sum, goes), PRIO_OK);
        sum_confirm(sum, 1);
    }
    assert_int_equal(sum_pending(sum), 0);
    assert_int_equal(prio_sum_count(sum), 5000);
    assert_sum(sum, times(kept, 5000));
    prio_sum_free(sum);
    prio_packet_free(stays);
    prio_packet_free(goes);
}

static void nothing_leaves_a_sum_with_pending_records(void **state)
{
    struct world *w = *state;
    struct prio_sum *sum, *other;
    uint8_t out[512];
    size_t len = 77;
    pretend_open(w->p.packet[0], FE_ONE);
    assert_int_equal(prio_sum_new(&sum, w->p.server[0]), PRIO_OK);
    assert_int_equal(prio_sum_new(&other, w->p.server[0]), PRIO_OK);
    memset(out, GUARD_BYTE, sizeof out);
    assert_int_equal(sum_add_pending(sum, w->p.packet[0]), PRIO_OK);
    assert_int_equal(sum_pending(sum), 1);
    assert_int_equal(prio_sum_state(sum, out, sizeof out, &len), PRIO_E_ARG);
    assert_int_equal(prio_sum_total_share(sum, out, sizeof out, &len), PRIO_E_ARG);
    assert_int_equal(prio_sum_merge(other, sum), PRIO_E_ARG);
    assert_int_equal(prio_sum_count(other), 0);
    assert_int_equal(len, 77);
    assert_guarded(out, sizeof out);
    sum_confirm(sum, 1);
    assert_int_equal(prio_sum_merge(other, sum), PRIO_OK);
    assert_sum(other, FE_ONE);
    assert_int_equal(sum_take_back(sum, w->p.packet[0]), PRIO_E_ARG); // confirmed is confirmed
    assert_sum(sum, FE_ONE);
    prio_sum_free(other);
    prio_sum_free(sum);
}

static void only_a_positive_verdict_adds(void **state)
{
    struct world *w = *state;
    static const uint8_t one[] = {0xa1, 0x01}, cut[] = {0xa1};
    struct prio_sum *sum;
    struct prio_packet *packet = w->p.packet[0];
    pretend_open(packet, FE_ONE);
    assert_int_equal(prio_sum_new(&sum, w->p.server[0]), PRIO_OK);
    assert_int_equal(prio_sum_add(sum, packet, one, sizeof one, zero, sizeof zero),
                     PRIO_REJECT_INVALID);
    assert_int_equal(prio_sum_add(sum, packet, cut, sizeof cut, zero, sizeof zero),
                     PRIO_REJECT_PACKET);
    assert_int_equal(prio_sum_add(sum, packet, zero, sizeof zero, NULL, 0), PRIO_REJECT_PACKET);
    assert_int_equal(prio_sum_count(sum), 0);
    assert_sum(sum, FE_ZERO);
    assert_int_equal(add(sum, packet), PRIO_OK);
    assert_sum(sum, FE_ONE);
    prio_sum_free(sum);
}

static void a_packet_of_another_server_is_refused(void **state)
{
    struct world *w = *state;
    pretend_open(w->p.packet[1], FE_ONE);
    assert_int_equal(add(w->p.sum[0], w->p.packet[1]), PRIO_E_ARG);
    assert_int_equal(sum_add_pending(w->p.sum[0], w->p.packet[1]), PRIO_E_ARG);
    assert_int_equal(prio_sum_count(w->p.sum[0]), 0);
}

/* The sum of another server; merging it must be refused, and both left as they were. */
static void assert_refused(struct prio_sum *sum, const struct prio_batch_options *batch_options,
                           const struct keys *keys, int role)
{
    struct prio_batch *batch;
    struct prio_sum *other;
    assert_int_equal(prio_batch_new(&batch, batch_options), PRIO_OK);
    struct prio_server *server = server_of(batch, keys, role, PRIO_POINTS_FIRST);
    assert_int_equal(prio_sum_new(&other, server), PRIO_OK);
    BYTES before = sum_total_share(sum);
    assert_int_equal(prio_sum_merge(sum, other), PRIO_E_ARG);
    assert_int_equal(prio_sum_merge(other, sum), PRIO_E_ARG);
    assert_int_equal(prio_sum_count(other), 0);
    BYTES after = sum_total_share(sum);
    assert_int_equal(before.len, after.len);
    assert_memory_equal(before.ptr, after.ptr, after.len);
    prio_sum_free(other);
    prio_server_free(server);
    prio_batch_free(batch);
}

static void sums_of_different_servers_do_not_merge(void **state)
{
    struct world *w = *state;
    const struct prio_batch_options same = {.batch_id = "b", .batch_id_len = 1, .n_data = N};
    struct prio_batch_options options = same;
    struct keys keys = w->keys;
    pretend_open(w->p.packet[0], FE_ONE);
    assert_int_equal(add(w->p.sum[0], w->p.packet[0]), PRIO_OK);

    assert_refused(w->p.sum[0], &same, &keys, PRIO_SERVER_B);
    options.n_data = N + 1;
    assert_refused(w->p.sum[0], &options, &keys, PRIO_SERVER_A);
    options = same;
    options.batch_id = "c";
    assert_refused(w->p.sum[0], &options, &keys, PRIO_SERVER_A);
    options.batch_id = "b ";
    options.batch_id_len = 2;
    assert_refused(w->p.sum[0], &options, &keys, PRIO_SERVER_A);
    keys.public_key[1][PRIO_KEY_BYTES - 1] ^= 1; // the last byte of the peer's key
    assert_refused(w->p.sum[0], &same, &keys, PRIO_SERVER_A);
    keys = w->keys;
    keys.private_key[0][9] ^= 1;
    assert_refused(w->p.sum[0], &same, &keys, PRIO_SERVER_A);
    keys = w->keys; // A's very keys in the other role
    memcpy(keys.private_key[1], w->keys.private_key[0], PRIO_KEY_BYTES);
    memcpy(keys.public_key[0], w->keys.public_key[1], PRIO_KEY_BYTES);
    assert_refused(w->p.sum[0], &same, &keys, PRIO_SERVER_B);
    assert_int_equal(prio_sum_merge(w->p.sum[0], w->p.sum[0]), PRIO_E_ARG);
}

/* libprio compared batch ids and keys as C strings. */
static void merging_compares_behind_a_nul_as_well(void **state)
{
    struct world *w = *state;
    struct keys keys = w->keys, other_keys = w->keys;
    keys.public_key[1][0] = other_keys.public_key[1][0] = 0;
    other_keys.public_key[1][1] ^= 1;
    const struct prio_batch_options options = {.n_data = N};
    struct prio_batch *batch;
    struct prio_sum *sum;
    assert_int_equal(prio_batch_new(&batch, &options), PRIO_OK);
    struct prio_server *server = server_of(batch, &keys, PRIO_SERVER_A, PRIO_POINTS_FIRST);
    assert_int_equal(prio_sum_new(&sum, server), PRIO_OK);
    assert_refused(sum, &options, &other_keys, PRIO_SERVER_A);
    prio_sum_free(sum);
    prio_server_free(server);
    prio_batch_free(batch);
}

/* Another secret or points mode is no reason to refuse: section 7 names what is. */
static void sums_of_the_same_server_merge(void **state)
{
    struct world *w = *state;
    const struct prio_batch_options options = {.batch_id = "b", .batch_id_len = 1, .n_data = N};
    struct keys keys = w->keys;
    struct prio_batch *batch;
    struct prio_sum *other;
    struct prio_packet *packet;
    memset(keys.secret, 1, sizeof keys.secret);
    assert_int_equal(prio_batch_new(&batch, &options), PRIO_OK);
    struct prio_server *server = server_of(batch, &keys, PRIO_SERVER_A, PRIO_POINTS_SEQUENTIAL);
    assert_int_equal(prio_sum_new(&other, server), PRIO_OK);
    assert_int_equal(prio_packet_new(&packet, server), PRIO_OK);
    pretend_open(packet, fe_neg(FE_ONE));
    pretend_open(w->p.packet[0], fe_neg(FE_ONE));
    for (int i = 0; i < 4095; i++) { // both full to the brim of what is unreduced
        assert_int_equal(add(other, packet), PRIO_OK);
        assert_int_equal(add(w->p.sum[0], w->p.packet[0]), PRIO_OK);
    }
    assert_int_equal(prio_sum_merge(w->p.sum[0], other), PRIO_OK);
    assert_int_equal(prio_sum_count(w->p.sum[0]), 2 * 4095);
    assert_int_equal(prio_sum_count(other), 4095);
    assert_sum(w->p.sum[0], times(fe_neg(FE_ONE), 2 * 4095));
    assert_sum(other, times(fe_neg(FE_ONE), 4095));
    prio_packet_free(packet);
    prio_sum_free(other);
    prio_server_free(server);
    prio_batch_free(batch);
}

/* cap at the documented bound must do, and one byte less must not. */
static void states_need_their_room(void **state)
{
    struct world *w = *state;
    uint8_t out[512];
    const size_t max = prio_sum_bytes_max(w->p.sum[0]);
    size_t len = 77;
    assert_true(max <= sizeof out);
    memset(out, GUARD_BYTE, sizeof out);
    assert_int_equal(prio_sum_state(w->p.sum[0], out, max - 1, &len), PRIO_E_ARG);
    assert_int_equal(prio_sum_total_share(w->p.sum[0], out, max - 1, &len), PRIO_E_ARG);
    assert_int_equal(len, 77);
    assert_guarded(out, sizeof out);
    pretend_open(w->p.packet[0], fe_neg(FE_ONE)); // the longest elements
    assert_int_equal(add(w->p.sum[0], w->p.packet[0]), PRIO_OK);
    assert_int_equal(prio_sum_total_share(w->p.sum[0], out, max, &len), PRIO_OK);
    assert_true(len <= max);
    assert_guarded(out + max, sizeof out - max);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(sums_of_largest_shares_stay_exact, setup, teardown),
        cmocka_unit_test_setup_teardown(taking_back_leaves_no_trace, setup, teardown),
        cmocka_unit_test_setup_teardown(nothing_leaves_a_sum_with_pending_records, setup, teardown),
        cmocka_unit_test_setup_teardown(only_a_positive_verdict_adds, setup, teardown),
        cmocka_unit_test_setup_teardown(a_packet_of_another_server_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(sums_of_different_servers_do_not_merge, setup, teardown),
        cmocka_unit_test_setup_teardown(merging_compares_behind_a_nul_as_well, setup, teardown),
        cmocka_unit_test_setup_teardown(sums_of_the_same_server_merge, setup, teardown),
        cmocka_unit_test_setup_teardown(states_need_their_room, setup, teardown),
    };
    return cmocka_run_group_tests_name("prio/sum", tests, NULL, NULL);
}
