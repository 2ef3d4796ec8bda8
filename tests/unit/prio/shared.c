/* SPDX-License-Identifier: MPL-2.0 */
/* shared.c - handles shared by threads, and kernels of every level: the same results whoever
 * computes them. */
#include "pair.h"

#include <pthread.h>

enum { THREADS = 4, ROUNDS = 25, CLIENTS = 5, N = 100 };

/* What all threads share. Assertions would jump across stacks: threads count mistakes. */
struct common {
    struct prio_server *server[ROLES];
    struct prio_client *client;
    struct bytes share[CLIENTS][ROLES];
    struct bytes verify1[CLIENTS][ROLES], verify2[CLIENTS][ROLES];
};

struct worker {
    const struct common *common;
    struct prio_sum *sum[ROLES];
    int mistakes;
};

static bool equals(const uint8_t *got, size_t len, struct bytes want)
{
    return len == want.len && memcmp(got, want.ptr, len) == 0;
}

static int answer_known(const struct common *c, struct worker *w, struct prio_packet *packet[ROLES],
                        const struct prio_point *point, int i)
{
    int mistakes = 0;
    for (int x = 0; x < ROLES; x++) {
        uint8_t v1[PRIO_VERIFY1_MAX], v2[PRIO_VERIFY2_MAX];
        size_t v1_len = 0, v2_len = 0;
        const struct bytes *own1 = &c->verify1[i][x], *peer1 = &c->verify1[i][!x];
        const struct bytes *own2 = &c->verify2[i][x], *peer2 = &c->verify2[i][!x];
        if (prio_packet_open(packet[x], c->share[i][x].ptr, c->share[i][x].len) != PRIO_OK ||
            prio_packet_verify1(packet[x], point, v1, &v1_len) != PRIO_OK ||
            prio_packet_verify2(packet[x], point, own1->ptr, own1->len, peer1->ptr, peer1->len, v2,
                                &v2_len) != PRIO_OK ||
            prio_sum_add(w->sum[x], packet[x], own2->ptr, own2->len, peer2->ptr, peer2->len) !=
                PRIO_OK)
            return 1;
        mistakes += !equals(v1, v1_len, *own1) + !equals(v2, v2_len, *own2);
    }
    return mistakes;
}

static int encode_and_check(struct prio_encoder *encoder, struct prio_packet *packet[ROLES],
                            const struct prio_point *point, uint64_t *random)
{
    struct prio_shares s;
    uint8_t bits[N], v1[ROLES][PRIO_VERIFY1_MAX], v2[ROLES][PRIO_VERIFY2_MAX];
    size_t v1_len[ROLES], v2_len[ROLES];
    for (int i = 0; i < N; i++)
        bits[i] = noise(random) & 1;
    if (prio_encode_bits(encoder, &s, bits) != PRIO_OK ||
        prio_packet_open(packet[0], s.a, s.a_len) != PRIO_OK ||
        prio_packet_open(packet[1], s.b, s.b_len) != PRIO_OK)
        return 1;
    for (int x = 0; x < ROLES; x++)
        if (prio_packet_verify1(packet[x], point, v1[x], &v1_len[x]) != PRIO_OK)
            return 1;
    for (int x = 0; x < ROLES; x++)
        if (prio_packet_verify2(packet[x], point, v1[x], v1_len[x], v1[!x], v1_len[!x], v2[x],
                                &v2_len[x]) != PRIO_OK)
            return 1;
    return prio_verdict(v2[0], v2_len[0], v2[1], v2_len[1]) != PRIO_OK;
}

static void *work(void *arg)
{
    struct worker *w = arg;
    const struct common *c = w->common;
    struct prio_packet *packet[ROLES] = {NULL};
    struct prio_encoder *encoder = NULL;
    struct prio_pass *pass = NULL;
    struct prio_point point;
    uint64_t random = (uint64_t)(uintptr_t)w;
    if (prio_packet_new(&packet[0], c->server[0]) != PRIO_OK ||
        prio_packet_new(&packet[1], c->server[1]) != PRIO_OK ||
        prio_encoder_new(&encoder, c->client) != PRIO_OK ||
        prio_pass_new(&pass, c->server[0]) != PRIO_OK || prio_pass_next(pass, &point) != PRIO_OK)
        w->mistakes = 1;
    for (int round = 0; round < ROUNDS && w->mistakes == 0; round++) {
        for (int i = 0; i < CLIENTS; i++)
            w->mistakes += answer_known(c, w, packet, &point, i);
        w->mistakes += encode_and_check(encoder, packet, &point, &random);
    }
    prio_packet_free(packet[0]);
    prio_packet_free(packet[1]);
    prio_encoder_free(encoder);
    prio_pass_free(pass);
    return NULL;
}

static void read_clients(struct common *c, const json_t *clients)
{
    for (int i = 0; i < CLIENTS; i++) {
        const json_t *client = json_array_get(clients, (size_t)i), *first = get(client, "first");
        for (int x = 0; x < ROLES; x++) {
            c->share[i][x] = get_base64(client, role_key("share_", x));
            c->verify1[i][x] = get_hex(first, role_key("verify1_", x));
            c->verify2[i][x] = get_hex(first, role_key("verify2_", x));
        }
    }
}

static void common_deinit(struct common *c)
{
    for (int i = 0; i < CLIENTS; i++)
        for (int x = 0; x < ROLES; x++) {
            bytes_deinit(&c->share[i][x]);
            bytes_deinit(&c->verify1[i][x]);
            bytes_deinit(&c->verify2[i][x]);
        }
}

static void threads_share_servers_and_clients(void **state)
{
    (void)state;
    JSON *vector = vectors_load("n0100.json");
    BYTES id;
    struct keys keys;
    const struct prio_batch_options options = batch_from(vector, &id);
    struct worker workers[THREADS];
    pthread_t threads[THREADS];
    PAIR p;
    DESK desk;
    keys_from(&keys, vector);
    pair_init(&p, &options, &keys, PRIO_POINTS_FIRST);
    desk_init(&desk, p.batch, &keys);
    struct common c = {.server = {p.server[0], p.server[1]}, .client = desk.client};
    read_clients(&c, get(vector, "clients"));
    for (int t = 0; t < THREADS; t++) {
        workers[t] = (struct worker){.common = &c};
        for (int x = 0; x < ROLES; x++)
            assert_int_equal(prio_sum_new(&workers[t].sum[x], p.server[x]), PRIO_OK);
        assert_int_equal(pthread_create(&threads[t], NULL, work, &workers[t]), 0);
    }
    for (int t = 0; t < THREADS; t++) {
        assert_int_equal(pthread_join(threads[t], NULL), 0);
        assert_int_equal(workers[t].mistakes, 0);
        for (int x = 0; x < ROLES; x++) {
            assert_int_equal(prio_sum_merge(p.sum[x], workers[t].sum[x]), PRIO_OK);
            prio_sum_free(workers[t].sum[x]);
        }
    }
    uint64_t totals[N];
    const json_t *once = get(get(vector, "aggregate"), "totals");
    assert_int_equal(prio_sum_count(p.sum[0]), THREADS * ROUNDS * CLIENTS);
    assert_int_equal(pair_final(&p, totals), PRIO_OK);
    for (size_t i = 0; i < N; i++)
        assert_int_equal(totals[i], THREADS * ROUNDS * json_integer_value(json_array_get(once, i)));
    common_deinit(&c);
}

/* Everything that leaves a machine, for one client made of given random values. */
struct output {
    struct bytes plain[ROLES], total[ROLES];
    struct messages m[MODES];
};

static void produce(struct output *out, size_t n, const char *cpu)
{
    const struct prio_batch_options options = {
        .batch_id = "levels", .batch_id_len = 6, .n_data = n, .cpu = cpu};
    struct keys keys;
    struct client_random random;
    uint8_t *bits = malloc(n);
    keys_fixed(&keys);
    random_from(&random, n);
    for (size_t i = 0; i < n; i++)
        bits[i] = i % 3 == 0;
    for (int mode = 0; mode < MODES; mode++) {
        PAIR p;
        DESK desk;
        pair_init(&p, &options, &keys, (enum prio_points)mode);
        desk_init(&desk, p.batch, &keys);
        assert_int_equal(client_make_packets(desk.encoder, bits, &random), PRIO_OK);
        BYTES a = desk_share(&desk, &keys, 0, 1);
        BYTES b = desk_share(&desk, &keys, 1, 2);
        if (mode == PRIO_POINTS_SEQUENTIAL) { // leave the first point behind
            struct messages skipped;
            pair_open(&p, a, b);
            assert_int_equal(pair_exchange(&p, &skipped), PRIO_OK);
        }
        pair_open(&p, a, b);
        assert_int_equal(pair_exchange(&p, &out->m[mode]), PRIO_OK);
        pair_add(&p, &out->m[mode], PRIO_OK);
        for (int x = 0; x < ROLES && mode == 0; x++) {
            const struct prio_encoder *e = desk.encoder;
            out->plain[x] = x == 0 ? bytes_copy(e->plain_a, e->plain_a_len)
                                   : bytes_copy(e->plain_b, e->plain_b_len);
            out->total[x] = sum_total_share(p.sum[x]);
        }
    }
    free(bits);
}

static void assert_same_bytes(struct bytes got, struct bytes want)
{
    assert_int_equal(got.len, want.len);
    assert_memory_equal(got.ptr, want.ptr, got.len);
}

static void assert_same_output(const struct output *got, const struct output *want)
{
    for (int x = 0; x < ROLES; x++) {
        assert_same_bytes(got->plain[x], want->plain[x]);
        assert_same_bytes(got->total[x], want->total[x]);
        for (int mode = 0; mode < MODES; mode++) {
            const struct messages *g = &got->m[mode], *w = &want->m[mode];
            assert_memory_equal(&g->point[x], &w->point[x], sizeof g->point[x]);
            assert_int_equal(g->verify1_len[x], w->verify1_len[x]);
            assert_memory_equal(g->verify1[x], w->verify1[x], w->verify1_len[x]);
            assert_int_equal(g->verify2_len[x], w->verify2_len[x]);
            assert_memory_equal(g->verify2[x], w->verify2[x], w->verify2_len[x]);
        }
    }
}

static void output_deinit(struct output *out)
{
    for (int x = 0; x < ROLES; x++) {
        bytes_deinit(&out->plain[x]);
        bytes_deinit(&out->total[x]);
    }
}

static void every_level_computes_the_same(void **state)
{
    (void)state;
    static const char *const levels[] = {"avx2", "avx512", NULL};
    static const size_t sizes[] = {1, 2, 3, 5, 7, 8, 9, 15, 16, 31, 63, 64, 100, 441, 2046, 5000};
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        struct output want;
        produce(&want, sizes[i], "c");
        for (size_t level = 0; level < ARRAY_LEN(levels); level++) {
            struct output got;
            produce(&got, sizes[i], levels[level]);
            assert_same_output(&got, &want);
            output_deinit(&got);
        }
        output_deinit(&want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_share_servers_and_clients),
        cmocka_unit_test(every_level_computes_the_same),
    };
    return cmocka_run_group_tests_name("prio/shared", tests, NULL, NULL);
}
