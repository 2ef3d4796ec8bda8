/* SPDX-License-Identifier: MPL-2.0 */
/*
 * runs.c - libprio's own submissions, through every step of both servers, in both points modes and
 * with every version of the kernels: n*.json, legacy-*.json and quirk-nul-batch.json.
 */
#include "pair.h"

static const char *const levels[] = {"c", "avx2", "avx512"};

static void evaluation_agrees(struct prio_packet *packet, struct fe r, const json_t *want, int role)
{
    struct evaluation e;
    assert_int_equal(packet_evaluate(packet, r, &e), PRIO_OK);
    assert_fe_equal(e.f, get_fe(want, role_key("f_", role)));
    assert_fe_equal(e.g, get_fe(want, role_key("g_", role)));
    assert_fe_equal(e.h, get_fe(want, role_key("h_", role)));
}

static void client_agrees(struct pair *p, const json_t *client, const json_t *want, struct fe r)
{
    struct messages m;
    for (int x = 0; x < ROLES; x++) {
        BYTES share = get_base64(client, role_key("share_", x));
        assert_int_equal(prio_packet_open(p->packet[x], share.ptr, share.len), PRIO_OK);
        assert_in_range(share.len, PRIO_SEAL_BYTES + 1,
                        prio_batch_share_max(p->batch, (enum prio_role)x));
        if (has(client, role_key("plain_", x)))
            assert_hex_equal(p->packet[x]->plain, share.len - PRIO_SEAL_BYTES,
                             get_text(client, role_key("plain_", x)));
    }
    assert_int_equal(pair_exchange(p, &m), get_bool(want, "valid") ? PRIO_OK : PRIO_REJECT_INVALID);
    for (int x = 0; x < ROLES; x++) {
        struct fe point;
        assert_true(fe_from_bytes(&point, m.point[x].bytes));
        assert_fe_equal(point, r);
        evaluation_agrees(p->packet[x], r, want, x);
        assert_hex_equal(m.verify1[x], m.verify1_len[x], get_text(want, role_key("verify1_", x)));
        assert_hex_equal(m.verify2[x], m.verify2_len[x], get_text(want, role_key("verify2_", x)));
    }
    pair_add(p, &m, PRIO_OK);
}

static void sums_agree(struct pair *p, const json_t *want, size_t n_clients)
{
    for (int x = 0; x < ROLES; x++) {
        assert_int_equal(prio_sum_count(p->sum[x]), n_clients);
        BYTES total = sum_total_share(p->sum[x]);
        assert_hex_equal(total.ptr, total.len, get_text(want, role_key("total_share_", x)));
        if (has(want, role_key("server_state_", x))) {
            BYTES state = sum_state(p->sum[x]);
            assert_hex_equal(state.ptr, state.len, get_text(want, role_key("server_state_", x)));
        }
    }
    const size_t n = prio_batch_n_data(p->batch);
    uint64_t *totals = calloc(n, sizeof *totals);
    assert_non_null(totals);
    assert_int_equal(pair_final(p, totals), PRIO_OK);
    assert_totals_equal(totals, n, get(want, "totals"));
    free(totals);
}

static void run_agrees(const json_t *vector, const struct prio_batch_options *options,
                       enum prio_points points)
{
    struct keys keys;
    PAIR p;
    keys_from(&keys, vector);
    pair_init(&p, options, &keys, points);
    assert_int_equal(prio_batch_n_points(p.batch), get_size(vector, "N"));
    const json_t *clients = get(vector, "clients"), *r = get(vector, "r");
    size_t i;
    json_t *client;
    json_array_foreach(clients, i, client)
    {
        const json_t *want = get(client, points == PRIO_POINTS_SEQUENTIAL ? "sequential" : "first");
        const size_t draw = get_size(want, "r_index");
        assert_int_equal(draw, points == PRIO_POINTS_SEQUENTIAL ? i : 0);
        client_agrees(&p, client, want, to_fe(json_string_value(json_array_get(r, draw))));
    }
    sums_agree(&p, get(vector, "aggregate"), json_array_size(clients));
}

static void every_value_agrees_with_libprio(void **state)
{
    const char *name = *state;
    JSON *vector = vectors_load(name);
    BYTES id;
    struct prio_batch_options options = batch_from(vector, &id);
    options.prg = strncmp(name, "legacy", 6) == 0 ? PRIO_PRG_LEGACY : PRIO_PRG_HASHED;
    options.read_nul_batch_id = strncmp(name, "quirk", 5) == 0;
    for (size_t i = 0; i < ARRAY_LEN(levels); i++) {
        options.cpu = levels[i];
        run_agrees(vector, &options, PRIO_POINTS_FIRST);
        run_agrees(vector, &options, PRIO_POINTS_SEQUENTIAL);
    }
}

/* Clients first .. last of the file, summed up by a server of their own. */
static struct prio_sum *partial_sum(struct pair *p, const json_t *clients, int role, size_t first,
                                    size_t last)
{
    static const uint8_t zero[] = {0xa1, 0x00};
    struct prio_sum *sum;
    assert_int_equal(prio_sum_new(&sum, p->server[role]), PRIO_OK);
    for (size_t i = first; i <= last; i++) {
        BYTES share = get_base64(json_array_get(clients, i), role_key("share_", role));
        assert_int_equal(prio_packet_open(p->packet[role], share.ptr, share.len), PRIO_OK);
        assert_int_equal(prio_sum_add(sum, p->packet[role], zero, sizeof zero, zero, sizeof zero),
                         PRIO_OK);
    }
    return sum;
}

static void partial_sums_merge_as_in_libprio(void **state)
{
    (void)state;
    JSON *vector = vectors_load("n0010.json");
    const json_t *merge = get(vector, "merge");
    struct keys keys;
    BYTES id;
    PAIR p;
    const struct prio_batch_options options = batch_from(vector, &id);
    keys_from(&keys, vector);
    pair_init(&p, &options, &keys, PRIO_POINTS_FIRST);
    for (int x = 0; x < ROLES; x++) {
        const json_t *partial = get(merge, role_key("partial_", x));
        struct prio_sum *first = partial_sum(&p, get(vector, "clients"), x, 0, 1);
        struct prio_sum *second = partial_sum(&p, get(vector, "clients"), x, 2, 4);
        BYTES first_state = sum_state(first);
        BYTES second_state = sum_state(second);
        assert_hex_equal(first_state.ptr, first_state.len,
                         json_string_value(json_array_get(partial, 0)));
        assert_hex_equal(second_state.ptr, second_state.len,
                         json_string_value(json_array_get(partial, 1)));

        const char *want = get_text(merge, role_key("merged_total_share_", x));
        assert_int_equal(prio_sum_merge(first, second), PRIO_OK);
        assert_int_equal(prio_sum_count(first), 5);
        BYTES merged = sum_total_share(first);
        assert_hex_equal(merged.ptr, merged.len, want);

        assert_int_equal(prio_sum_add_state(p.sum[x], first_state.ptr, first_state.len, 2),
                         PRIO_OK);
        assert_int_equal(prio_sum_add_state(p.sum[x], second_state.ptr, second_state.len, 3),
                         PRIO_OK);
        assert_int_equal(prio_sum_count(p.sum[x]), 5);
        BYTES read_back = sum_total_share(p.sum[x]);
        assert_hex_equal(read_back.ptr, read_back.len, want);
        prio_sum_free(first);
        prio_sum_free(second);
    }
}

static void a_packet_of_the_other_prg_opens_and_proves_nothing(void **state)
{
    (void)state;
    JSON *vector = vectors_load("legacy-n0003.json");
    BYTES id;
    const struct prio_batch_options options = batch_from(vector, &id);
    struct keys keys;
    struct messages m;
    PAIR p;
    keys_from(&keys, vector);
    pair_init(&p, &options, &keys, PRIO_POINTS_FIRST);
    const json_t *client = json_array_get(get(vector, "clients"), 0);
    BYTES a = get_base64(client, "share_a");
    BYTES b = get_base64(client, "share_b");
    pair_open(&p, a, b);
    assert_int_equal(pair_exchange(&p, &m), PRIO_REJECT_INVALID);
    pair_add(&p, &m, PRIO_REJECT_INVALID);
    assert_int_equal(prio_sum_count(p.sum[0]), 0);
}

static void a_batch_id_with_nul_is_refused_unless_asked_for(void **state)
{
    (void)state;
    JSON *vector = vectors_load("quirk-nul-batch.json");
    BYTES id;
    const struct prio_batch_options options = batch_from(vector, &id);
    struct prio_batch *batch = NULL;
    assert_int_equal(prio_batch_new(&batch, &options), PRIO_E_ARG);
    assert_null(batch);
}

#define RUN(file)                                                                                  \
    {                                                                                              \
        file ": every value agrees with libprio", every_value_agrees_with_libprio, NULL, NULL,     \
            (void *)(uintptr_t)file                                                                \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        RUN("n0001.json"),
        RUN("n0002.json"),
        RUN("n0003.json"),
        RUN("n0007.json"),
        RUN("n0010.json"),
        RUN("n0100.json"),
        RUN("n0441.json"),
        RUN("n1023.json"),
        RUN("n1024.json"),
        RUN("n2046.json"),
        RUN("legacy-n0003.json"),
        RUN("legacy-n0100.json"),
        RUN("quirk-nul-batch.json"),
        cmocka_unit_test(partial_sums_merge_as_in_libprio),
        cmocka_unit_test(a_packet_of_the_other_prg_opens_and_proves_nothing),
        cmocka_unit_test(a_batch_id_with_nul_is_refused_unless_asked_for),
    };
    return cmocka_run_group_tests_name("prio/runs", tests, NULL, NULL);
}
