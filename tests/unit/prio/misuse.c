/* SPDX-License-Identifier: MPL-2.0 */
/* misuse.c - arguments that break a documented rule: PRIO_E_ARG, and outputs as they were. */
#include "pair.h"

enum { N = 6 };

struct world {
    struct keys keys;
    struct pair p; // with a packet open on both sides
    struct desk desk;
    struct prio_point point;
};

static int setup(void **state)
{
    static const uint8_t bits[N] = {1, 0, 1, 1, 0, 0};
    struct world *w = calloc(1, sizeof *w);
    struct prio_shares shares;
    keys_fixed(&w->keys);
    pair_init(&w->p, &(struct prio_batch_options){.n_data = N}, &w->keys, PRIO_POINTS_FIRST);
    desk_init(&w->desk, w->p.batch, &w->keys);
    assert_int_equal(prio_encode_bits(w->desk.encoder, &shares, bits), PRIO_OK);
    BYTES a = bytes_copy(shares.a, shares.a_len);
    BYTES b = bytes_copy(shares.b, shares.b_len);
    pair_open(&w->p, a, b);
    assert_int_equal(prio_pass_next(w->p.pass[0], &w->point), PRIO_OK);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    desk_deinit(&w->desk);
    pair_deinit(&w->p);
    free(w);
    return 0;
}

static void refuses_batch(const struct prio_batch_options *options)
{
    struct prio_batch *batch = NULL;
    assert_int_equal(prio_batch_new(&batch, options), PRIO_E_ARG);
    assert_null(batch);
}

static void batches_outside_their_range_are_refused(void **state)
{
    (void)state;
    static char id[PRIO_MAX_BATCH_ID + 1];
    const struct prio_batch_options good = {.batch_id = id, .batch_id_len = 3, .n_data = 1};
    struct prio_batch_options bad = good;
    struct prio_batch *batch;
    memset(id, 'i', sizeof id);
    refuses_batch(NULL);
    assert_int_equal(prio_batch_new(NULL, &good), PRIO_E_ARG);
    bad.n_data = 0;
    refuses_batch(&bad);
    bad.n_data = PRIO_MAX_DATA + 1;
    refuses_batch(&bad);
    bad.n_data = SIZE_MAX;
    refuses_batch(&bad);
    bad = good;
    bad.batch_id_len = PRIO_MAX_BATCH_ID + 1;
    refuses_batch(&bad);
    bad.read_nul_batch_id = 1;
    refuses_batch(&bad);
    bad = good;
    bad.batch_id = NULL;
    refuses_batch(&bad);
    bad = good;
    bad.prg = (enum prio_prg)2;
    refuses_batch(&bad);
    bad = good;
    bad.cpu = "avx1024";
    refuses_batch(&bad);
    for (size_t i = 0; i < 3; i++) {
        char nul[3] = "abc";
        nul[i] = '\0';
        bad = good;
        bad.batch_id = nul;
        refuses_batch(&bad);
    }
    bad = good;
    bad.batch_id_len = PRIO_MAX_BATCH_ID;
    assert_int_equal(prio_batch_new(&batch, &bad), PRIO_OK);
    prio_batch_free(batch);
}

static void batch_ids_are_copied_and_bounds_reported(void **state)
{
    (void)state;
    static const size_t sizes[][2] = {
        {1, 2},       {2, 4},       {3, 4},       {4, 8},
        {7, 8},       {10, 16},     {100, 128},   {441, 512},
        {1023, 1024}, {1024, 2048}, {2046, 2048}, {PRIO_MAX_DATA, PRIO_MAX_DATA + 1}};
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        char id[] = "batch";
        struct prio_batch *batch;
        const struct prio_batch_options options = {
            .batch_id = id, .batch_id_len = 5, .n_data = sizes[i][0], .cpu = "c"};
        assert_int_equal(prio_batch_new(&batch, &options), PRIO_OK);
        memset(id, 0, sizeof id);
        assert_memory_equal(batch->id.ptr, "batch", 5);
        assert_int_equal(prio_batch_n_data(batch), sizes[i][0]);
        assert_int_equal(prio_batch_n_points(batch), sizes[i][1]);
        assert_string_equal(prio_batch_cpu(batch), "c");
        prio_batch_free(batch);
    }
}

static void keys_need_both_ends(void **state)
{
    (void)state;
    uint8_t key[PRIO_KEY_BYTES];
    memset(key, GUARD_BYTE, sizeof key);
    assert_int_equal(prio_keygen(NULL, key), PRIO_E_ARG);
    assert_int_equal(prio_keygen(key, NULL), PRIO_E_ARG);
    assert_int_equal(prio_public_key(NULL, key), PRIO_E_ARG);
    assert_int_equal(prio_public_key(key, NULL), PRIO_E_ARG);
    assert_int_equal(prio_key_from_hex(NULL, "", 0), PRIO_E_ARG);
    assert_int_equal(prio_key_from_hex(key, NULL, 64), PRIO_E_ARG);
    assert_int_equal(prio_shared_secret(NULL), PRIO_E_ARG);
    assert_guarded(key, sizeof key);
}

static void clients_need_a_batch_and_two_keys(void **state)
{
    const struct world *w = *state;
    struct prio_client *client = NULL;
    struct prio_encoder *encoder = NULL;
    const uint8_t *a = w->keys.public_key[0], *b = w->keys.public_key[1];
    assert_int_equal(prio_client_new(NULL, w->p.batch, a, b), PRIO_E_ARG);
    assert_int_equal(prio_client_new(&client, NULL, a, b), PRIO_E_ARG);
    assert_int_equal(prio_client_new(&client, w->p.batch, NULL, b), PRIO_E_ARG);
    assert_int_equal(prio_client_new(&client, w->p.batch, a, NULL), PRIO_E_ARG);
    assert_int_equal(prio_encoder_new(&encoder, NULL), PRIO_E_ARG);
    assert_int_equal(prio_encoder_new(NULL, w->desk.client), PRIO_E_ARG);
    assert_null(client);
    assert_null(encoder);
}

static void only_bits_are_encoded(void **state)
{
    const struct world *w = *state;
    struct prio_shares shares;
    memset(&shares, GUARD_BYTE, sizeof shares);
    for (unsigned value = 2; value <= UINT8_MAX; value++)
        for (size_t place = 0; place < N; place += N - 1) {
            uint8_t bits[N] = {0};
            bits[place] = (uint8_t)value;
            assert_int_equal(prio_encode_bits(w->desk.encoder, &shares, bits), PRIO_E_INPUT);
        }
    const uint8_t bits[N] = {0};
    const uint64_t values[N] = {0};
    assert_int_equal(prio_encode_bits(NULL, &shares, bits), PRIO_E_ARG);
    assert_int_equal(prio_encode_bits(w->desk.encoder, NULL, bits), PRIO_E_ARG);
    assert_int_equal(prio_encode_bits(w->desk.encoder, &shares, NULL), PRIO_E_ARG);
    assert_int_equal(prio_encode_uints(NULL, &shares, values, 1), PRIO_E_ARG);
    assert_int_equal(prio_encode_uints(w->desk.encoder, NULL, values, 1), PRIO_E_ARG);
    assert_int_equal(prio_encode_uints(w->desk.encoder, &shares, NULL, 1), PRIO_E_ARG);
    assert_guarded((const uint8_t *)&shares, sizeof shares);
}

static void servers_need_every_option(void **state)
{
    const struct world *w = *state;
    const struct prio_server_options good = {.private_key = w->keys.private_key[0],
                                             .peer_public_key = w->keys.public_key[1],
                                             .shared_secret = w->keys.secret};
    struct prio_server_options bad[5] = {good, good, good, good, good};
    struct prio_server *server = NULL;
    bad[0].private_key = NULL;
    bad[1].peer_public_key = NULL;
    bad[2].shared_secret = NULL;
    bad[3].role = (enum prio_role)2;
    bad[4].points = (enum prio_points)2;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(prio_server_new(&server, w->p.batch, &bad[i]), PRIO_E_ARG);
    assert_int_equal(prio_server_new(&server, w->p.batch, NULL), PRIO_E_ARG);
    assert_int_equal(prio_server_new(&server, NULL, &good), PRIO_E_ARG);
    assert_int_equal(prio_server_new(NULL, w->p.batch, &good), PRIO_E_ARG);
    assert_null(server);
}

static void handles_need_their_servers(void **state)
{
    const struct world *w = *state;
    struct prio_pass *pass = NULL;
    struct prio_packet *packet = NULL;
    struct prio_sum *sum = NULL;
    struct prio_point point;
    memset(&point, GUARD_BYTE, sizeof point);
    assert_int_equal(prio_pass_new(&pass, NULL), PRIO_E_ARG);
    assert_int_equal(prio_pass_new(NULL, w->p.server[0]), PRIO_E_ARG);
    assert_int_equal(prio_packet_new(&packet, NULL), PRIO_E_ARG);
    assert_int_equal(prio_packet_new(NULL, w->p.server[0]), PRIO_E_ARG);
    assert_int_equal(prio_sum_new(&sum, NULL), PRIO_E_ARG);
    assert_int_equal(prio_sum_new(NULL, w->p.server[0]), PRIO_E_ARG);
    assert_int_equal(prio_pass_next(NULL, &point), PRIO_E_ARG);
    assert_int_equal(prio_pass_next(w->p.pass[0], NULL), PRIO_E_ARG);
    assert_int_equal(prio_packet_open(NULL, "x", 1), PRIO_E_ARG);
    assert_null(pass);
    assert_null(packet);
    assert_null(sum);
    assert_guarded(point.bytes, sizeof point.bytes);
}

static void shares_of_no_bytes_do_not_open(void **state)
{
    struct world *w = *state;
    assert_int_equal(prio_packet_open(w->p.packet[0], NULL, 0), PRIO_REJECT_DECRYPT);
    assert_int_equal(prio_packet_open(w->p.packet[0], "", 0), PRIO_REJECT_DECRYPT);
}

struct answer {
    uint8_t verify1[PRIO_VERIFY1_MAX], verify2[PRIO_VERIFY2_MAX];
    size_t len;
};

/* Neither message is given for this packet and point. */
static void refuses_to_answer(struct prio_packet *packet, const struct prio_point *point)
{
    static const uint8_t message[] = {0xa1, 1, 0xa1, 2};
    struct answer a;
    memset(&a, GUARD_BYTE, sizeof a);
    assert_int_equal(prio_packet_verify1(packet, point, a.verify1, &a.len), PRIO_E_ARG);
    assert_int_equal(prio_packet_verify2(packet, point, message, sizeof message, message,
                                         sizeof message, a.verify2, &a.len),
                     PRIO_E_ARG);
    assert_guarded((const uint8_t *)&a, sizeof a);
}

static void a_call_of_open_forgets_whatever_its_fate(void **state)
{
    struct world *w = *state;
    assert_int_equal(prio_packet_open(w->p.packet[0], NULL, 1), PRIO_E_ARG);
    refuses_to_answer(w->p.packet[0], &w->point);
    assert_int_equal(prio_packet_open(w->p.packet[1], "", 0), PRIO_REJECT_DECRYPT);
    refuses_to_answer(w->p.packet[1], &w->point);
}

static void answers_need_an_open_packet_and_a_point(void **state)
{
    struct world *w = *state;
    struct prio_packet *fresh, *packet = w->p.packet[0];
    struct answer a;
    assert_int_equal(prio_packet_new(&fresh, w->p.server[0]), PRIO_OK);
    refuses_to_answer(fresh, &w->point);
    refuses_to_answer(NULL, &w->point);
    refuses_to_answer(packet, NULL);
    memset(&a, GUARD_BYTE, sizeof a);
    assert_int_equal(prio_packet_verify1(packet, &w->point, NULL, &a.len), PRIO_E_ARG);
    assert_int_equal(prio_packet_verify1(packet, &w->point, a.verify1, NULL), PRIO_E_ARG);
    assert_int_equal(
        prio_packet_verify2(packet, &w->point, "\xa1\1\xa1\1", 4, "\xa1\1\xa1\1", 4, NULL, &a.len),
        PRIO_E_ARG);
    assert_int_equal(prio_packet_verify2(packet, &w->point, "\xa1\1\xa1\1", 4, "\xa1\1\xa1\1", 4,
                                         a.verify2, NULL),
                     PRIO_E_ARG);
    assert_guarded((const uint8_t *)&a, sizeof a);
    prio_packet_free(fresh);
}

static void points_that_are_none_are_refused(void **state)
{
    struct world *w = *state;
    struct prio_point p = {{0x80, 0, 0, 0, 0, 0, 0, 0, 0x08, 0, 0x01}}; // the modulus
    refuses_to_answer(w->p.packet[0], &p);
    memset(&p, 0xff, sizeof p);
    refuses_to_answer(w->p.packet[0], &p);
}

/* Section 9.1, rule 1: with one point a batch, an answer at a second one would lay bits open. */
static void a_batch_of_one_point_answers_at_no_other(void **state)
{
    struct world *w = *state;
    for (size_t i = 0; i < PRIO_POINT_BYTES; i++) {
        struct prio_point other = w->point;
        other.bytes[i] ^= 1;
        refuses_to_answer(w->p.packet[0], &other);
        refuses_to_answer(w->p.packet[1], &other);
    }
    struct answer a;
    assert_int_equal(prio_packet_verify1(w->p.packet[0], &w->point, a.verify1, &a.len), PRIO_OK);
}

static void missing_messages_are_malformed(void **state)
{
    struct world *w = *state;
    struct answer a;
    memset(&a, GUARD_BYTE, sizeof a);
    assert_int_equal(prio_packet_verify2(w->p.packet[0], &w->point, NULL, 0, "\xa1\1\xa1\1", 4,
                                         a.verify2, &a.len),
                     PRIO_REJECT_PACKET);
    assert_int_equal(prio_packet_verify2(w->p.packet[0], &w->point, "\xa1\1\xa1\1", 4, NULL, 0,
                                         a.verify2, &a.len),
                     PRIO_REJECT_PACKET);
    assert_int_equal(prio_verdict(NULL, 0, "\xa1\0", 2), PRIO_REJECT_PACKET);
    assert_int_equal(prio_verdict("\xa1\0", 2, NULL, 0), PRIO_REJECT_PACKET);
    assert_guarded((const uint8_t *)&a, sizeof a);
}

static void sums_need_all_arguments(void **state)
{
    struct world *w = *state;
    struct prio_sum *sum = w->p.sum[0];
    struct prio_packet *fresh;
    uint8_t out[256];
    size_t len = 77;
    memset(out, GUARD_BYTE, sizeof out);
    assert_int_equal(prio_packet_new(&fresh, w->p.server[0]), PRIO_OK);
    assert_int_equal(prio_sum_add(NULL, w->p.packet[0], "\xa1\0", 2, "\xa1\0", 2), PRIO_E_ARG);
    assert_int_equal(prio_sum_add(sum, NULL, "\xa1\0", 2, "\xa1\0", 2), PRIO_E_ARG);
    assert_int_equal(prio_sum_add(sum, fresh, "\xa1\0", 2, "\xa1\0", 2), PRIO_E_ARG);
    assert_int_equal(prio_sum_merge(NULL, sum), PRIO_E_ARG);
    assert_int_equal(prio_sum_merge(sum, NULL), PRIO_E_ARG);
    assert_int_equal(prio_sum_merge(sum, sum), PRIO_E_ARG);
    assert_int_equal(prio_sum_add_state(NULL, "\x90", 1, 1), PRIO_E_ARG);
    assert_int_equal(prio_sum_add_state(sum, NULL, 1, 1), PRIO_E_ARG);
    assert_int_equal(prio_sum_state(NULL, out, sizeof out, &len), PRIO_E_ARG);
    assert_int_equal(prio_sum_state(sum, NULL, sizeof out, &len), PRIO_E_ARG);
    assert_int_equal(prio_sum_state(sum, out, sizeof out, NULL), PRIO_E_ARG);
    assert_int_equal(prio_sum_total_share(NULL, out, sizeof out, &len), PRIO_E_ARG);
    assert_int_equal(prio_sum_total_share(sum, NULL, sizeof out, &len), PRIO_E_ARG);
    assert_int_equal(prio_sum_total_share(sum, out, sizeof out, NULL), PRIO_E_ARG);
    assert_int_equal(prio_sum_count(sum), 0);
    assert_int_equal(len, 77);
    assert_guarded(out, sizeof out);
    prio_packet_free(fresh);
}

static void totals_need_all_arguments(void **state)
{
    (void)state;
    uint64_t total = 77;
    uint8_t out[16];
    size_t len = 77;
    memset(out, GUARD_BYTE, sizeof out);
    assert_int_equal(prio_final(NULL, 1, "\0", 1, "\1", 1), PRIO_E_ARG);
    assert_int_equal(prio_final(&total, 0, "\0", 1, "\1", 1), PRIO_E_ARG);
    assert_int_equal(prio_final(&total, PRIO_MAX_DATA + 1, "\0", 1, "\1", 1), PRIO_E_ARG);
    assert_int_equal(prio_final(&total, 1, NULL, 0, "\1", 1), PRIO_E_ARG);
    assert_int_equal(prio_final(&total, 1, "\0", 1, NULL, 0), PRIO_E_ARG);
    assert_int_equal(prio_total_share_to_uints(NULL, 0, 1, 1, out, sizeof out, &len), PRIO_E_ARG);
    assert_int_equal(prio_total_share_to_uints("\0", 1, 1, 1, NULL, 9, &len), PRIO_E_ARG);
    assert_int_equal(prio_total_share_to_uints("\0", 1, 1, 1, out, sizeof out, NULL), PRIO_E_ARG);
    assert_int_equal(prio_total_share_to_uints("\0", 1, 0, 1, out, sizeof out, &len), PRIO_E_ARG);
    assert_int_equal(
        prio_total_share_to_uints("\0", 1, PRIO_MAX_DATA + 1, 1, out, sizeof out, &len),
        PRIO_E_ARG);
    assert_int_equal(total, 77);
    assert_int_equal(len, 77);
    assert_guarded(out, sizeof out);
}

static void every_free_takes_null(void **state)
{
    (void)state;
    prio_batch_free(NULL);
    prio_client_free(NULL);
    prio_encoder_free(NULL);
    prio_server_free(NULL);
    prio_pass_free(NULL);
    prio_packet_free(NULL);
    prio_sum_free(NULL);
}

static void every_status_has_a_text_of_its_own(void **state)
{
    (void)state;
    const char *unknown = prio_status_text(INT32_MIN);
    assert_non_null(unknown);
    for (int a = PRIO_E_RANGE; a <= PRIO_REJECT_INVALID; a++) {
        assert_string_not_equal(prio_status_text(a), unknown);
        for (int b = PRIO_E_RANGE; b < a; b++)
            assert_string_not_equal(prio_status_text(a), prio_status_text(b));
    }
    assert_string_equal(prio_status_text(PRIO_REJECT_INVALID + 1), unknown);
    assert_string_equal(prio_status_text(PRIO_E_RANGE - 1), unknown);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(batches_outside_their_range_are_refused),
        cmocka_unit_test(batch_ids_are_copied_and_bounds_reported),
        cmocka_unit_test(keys_need_both_ends),
        TEST(clients_need_a_batch_and_two_keys),
        TEST(only_bits_are_encoded),
        TEST(servers_need_every_option),
        TEST(handles_need_their_servers),
        TEST(shares_of_no_bytes_do_not_open),
        TEST(a_call_of_open_forgets_whatever_its_fate),
        TEST(answers_need_an_open_packet_and_a_point),
        TEST(points_that_are_none_are_refused),
        TEST(a_batch_of_one_point_answers_at_no_other),
        TEST(missing_messages_are_malformed),
        TEST(sums_need_all_arguments),
        cmocka_unit_test(totals_need_all_arguments),
        cmocka_unit_test(every_free_takes_null),
        cmocka_unit_test(every_status_has_a_text_of_its_own),
    };
    return cmocka_run_group_tests_name("prio/misuse", tests, NULL, NULL);
}
