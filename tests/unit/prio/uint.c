/* SPDX-License-Identifier: MPL-2.0 */
/* uint.c - integers as bits, and totals of integers: uint.json. */
#include "pair.h"

/* Encode, open on both sides, add the shares: the bits that were encoded. bits: [n]. */
static int encoded_bits(uint8_t *bits, size_t n, const uint64_t *values, unsigned precision)
{
    struct keys keys;
    struct prio_shares shares;
    PAIR p;
    DESK desk;
    keys_fixed(&keys);
    pair_init(&p, &(struct prio_batch_options){.n_data = n}, &keys, PRIO_POINTS_FIRST);
    desk_init(&desk, p.batch, &keys);
    memset(&shares, GUARD_BYTE, sizeof shares);
    const int r = prio_encode_uints(desk.encoder, &shares, values, precision);
    if (r != PRIO_OK) {
        assert_guarded((const uint8_t *)&shares, sizeof shares);
        return r;
    }
    BYTES a = bytes_copy(shares.a, shares.a_len);
    BYTES b = bytes_copy(shares.b, shares.b_len);
    struct messages m;
    pair_open(&p, a, b);
    for (size_t i = 0; i < n; i++) {
        const struct fe x =
            fe_add(fvec_get(p.packet[0]->shares, i), fvec_get(p.packet[1]->shares, i));
        assert_true(x.hi == 0 && x.lo <= 1);
        bits[i] = (uint8_t)x.lo;
    }
    assert_int_equal(pair_exchange(&p, &m), PRIO_OK);
    return r;
}

static void integers_become_bits_most_significant_first(void **state)
{
    (void)state;
    JSON *file = vectors_load("uint.json");
    size_t i;
    json_t *v;
    json_array_foreach(get(file, "bits"), i, v)
    {
        const unsigned precision = (unsigned)get_size(v, "prec");
        const uint64_t value = get_size(v, "value");
        const char *want = get_text(v, "bits");
        uint8_t bits[PRIO_MAX_PRECISION];
        assert_int_equal(strlen(want), precision);
        assert_int_equal(encoded_bits(bits, precision, &value, precision), PRIO_OK);
        for (unsigned k = 0; k < precision; k++)
            assert_int_equal('0' + bits[k], want[k]);
    }
}

static void values_that_do_not_fit_are_refused(void **state)
{
    (void)state;
    JSON *file = vectors_load("uint.json");
    uint8_t bits[2 * PRIO_MAX_PRECISION];
    size_t i;
    json_t *v;
    json_array_foreach(get(file, "reject"), i, v)
    {
        const unsigned precision = (unsigned)get_size(v, "prec");
        const uint64_t bad = (uint64_t)json_integer_value(get(v, "value")); // -1: 2^64 - 1
        for (size_t place = 0; place < 2; place++) {
            uint64_t values[2] = {1, 1};
            values[place] = bad;
            assert_int_equal(encoded_bits(bits, (size_t)2 * precision, values, precision),
                             PRIO_E_INPUT);
        }
    }
}

static void precisions_that_do_not_fit_are_refused(void **state)
{
    (void)state;
    static const struct {
        size_t n;
        unsigned precision;
    } bad[] = {{43, 43}, {42, 0}, {43, 8}, {86, 43}, {64, 64}, {1, 2}, {8, UINT32_MAX}};
    static const uint64_t values[64];
    uint8_t bits[86], out[64];
    size_t len = 77;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        assert_int_equal(encoded_bits(bits, bad[i].n, values, bad[i].precision), PRIO_E_ARG);
        assert_int_equal(
            prio_total_share_to_uints("\0", 1, bad[i].n, bad[i].precision, out, sizeof out, &len),
            PRIO_E_ARG);
    }
    assert_int_equal(len, 77);
}

static void record_agrees(struct pair *p, const json_t *client, const json_t *want)
{
    struct messages m;
    BYTES a = get_base64(client, "share_a");
    BYTES b = get_base64(client, "share_b");
    pair_open(p, a, b);
    assert_int_equal(pair_exchange(p, &m), PRIO_OK);
    for (int x = 0; x < ROLES; x++) {
        struct evaluation e;
        struct fe r;
        assert_true(fe_from_bytes(&r, m.point[x].bytes));
        assert_int_equal(packet_evaluate(p->packet[x], r, &e), PRIO_OK);
        assert_fe_equal(e.f, get_fe(want, role_key("f_", x)));
        assert_fe_equal(e.g, get_fe(want, role_key("g_", x)));
        assert_fe_equal(e.h, get_fe(want, role_key("h_", x)));
        assert_hex_equal(m.verify1[x], m.verify1_len[x], get_text(want, role_key("verify1_", x)));
        assert_hex_equal(m.verify2[x], m.verify2_len[x], get_text(want, role_key("verify2_", x)));
    }
    pair_add(p, &m, PRIO_OK);
}

static void integer_totals_agree(struct pair *p, const json_t *run)
{
    const size_t n = get_size(run, "n_data"), n_uint = get_size(run, "n_uint");
    const unsigned precision = (unsigned)get_size(run, "prec");
    uint64_t totals[128];
    struct bytes uints[ROLES];
    assert_true(n <= ARRAY_LEN(totals));
    for (int x = 0; x < ROLES; x++) {
        BYTES bits = sum_total_share(p->sum[x]);
        assert_hex_equal(bits.ptr, bits.len, get_text(run, role_key("total_share_", x)));
        uints[x] = (struct bytes){malloc(bits.len), 0};
        assert_int_equal(prio_total_share_to_uints(bits.ptr, bits.len, n, precision, uints[x].ptr,
                                                   bits.len, &uints[x].len),
                         PRIO_OK);
        assert_hex_equal(uints[x].ptr, uints[x].len,
                         get_text(run, role_key("uint_total_share_", x)));
    }
    assert_int_equal(pair_final(p, totals), PRIO_OK);
    assert_totals_equal(totals, n, get(run, "bit_totals"));
    assert_int_equal(
        prio_final(totals, n_uint, uints[0].ptr, uints[0].len, uints[1].ptr, uints[1].len),
        PRIO_OK);
    assert_totals_equal(totals, n_uint, get(run, "uint_totals"));
    bytes_deinit(&uints[0]);
    bytes_deinit(&uints[1]);
}

static void runs_of_integers_agree_with_libprio(void **state)
{
    (void)state;
    JSON *file = vectors_load("uint.json");
    struct keys keys;
    keys_from(&keys, file);
    size_t i;
    json_t *run;
    json_array_foreach(get(file, "runs"), i, run)
    {
        for (int mode = 0; mode < MODES; mode++) {
            BYTES id;
            PAIR p;
            const struct prio_batch_options options = batch_from(run, &id);
            pair_init(&p, &options, &keys, (enum prio_points)mode);
            size_t k;
            json_t *client;
            json_array_foreach(get(run, "clients"), k, client)
                record_agrees(&p, client, get(client, mode ? "sequential" : "first"));
            integer_totals_agree(&p, run);
        }
    }
}

static void the_largest_values_of_every_precision_add_up(void **state)
{
    (void)state;
    struct keys keys;
    keys_fixed(&keys);
    for (unsigned precision = 1; precision <= PRIO_MAX_PRECISION; precision++) {
        const uint64_t largest = (UINT64_C(1) << precision) - 1;
        const uint64_t values[3] = {largest, 0, largest ^ 1};
        const size_t n = (size_t)3 * precision;
        PAIR p;
        DESK desk;
        uint64_t totals[3];
        uint8_t uints[ROLES][3 * 12 + 2];
        size_t len[ROLES];
        pair_init(&p, &(struct prio_batch_options){.n_data = n}, &keys, PRIO_POINTS_FIRST);
        desk_init(&desk, p.batch, &keys);
        for (int i = 0; i < 3; i++) {
            struct prio_shares shares;
            struct messages m;
            assert_int_equal(prio_encode_uints(desk.encoder, &shares, values, precision), PRIO_OK);
            BYTES a = bytes_copy(shares.a, shares.a_len);
            BYTES b = bytes_copy(shares.b, shares.b_len);
            pair_open(&p, a, b);
            assert_int_equal(pair_exchange(&p, &m), PRIO_OK);
            pair_add(&p, &m, PRIO_OK);
        }
        for (int x = 0; x < ROLES; x++) {
            BYTES bits = sum_total_share(p.sum[x]);
            assert_int_equal(prio_total_share_to_uints(bits.ptr, bits.len, n, precision, uints[x],
                                                       sizeof uints[x], &len[x]),
                             PRIO_OK);
        }
        assert_int_equal(prio_final(totals, 3, uints[0], len[0], uints[1], len[1]), PRIO_OK);
        for (int i = 0; i < 3; i++)
            assert_int_equal(totals[i], 3 * values[i]);
    }
}

static void integer_totals_need_room_and_a_whole_share(void **state)
{
    (void)state;
    static const uint8_t share[] = {0x01, 0x92, 0xa1, 0x03, 0xa1, 0x01}; // B: bits 3 and 1
    uint8_t out[8];
    size_t len = 77;
    memset(out, GUARD_BYTE, sizeof out);
    for (size_t cut = 0; cut < sizeof share; cut++) {
        BYTES part = bytes_copy(share, cut);
        assert_int_equal(prio_total_share_to_uints(part.ptr, part.len, 2, 2, out, sizeof out, &len),
                         PRIO_REJECT_PACKET);
    }
    assert_int_equal(prio_total_share_to_uints(share, sizeof share, 4, 2, out, sizeof out, &len),
                     PRIO_REJECT_PACKET);
    for (size_t cap = 0; cap < 4; cap++)
        assert_int_equal(prio_total_share_to_uints(share, sizeof share, 2, 2, out, cap, &len),
                         PRIO_E_ARG);
    assert_guarded(out, sizeof out);
    assert_int_equal(len, 77);
    assert_int_equal(prio_total_share_to_uints(share, sizeof share, 2, 2, out, 4, &len), PRIO_OK);
    assert_hex_equal(out, len, "0191a107");
    assert_guarded(out + 4, sizeof out - 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(integers_become_bits_most_significant_first),
        cmocka_unit_test(values_that_do_not_fit_are_refused),
        cmocka_unit_test(precisions_that_do_not_fit_are_refused),
        cmocka_unit_test(runs_of_integers_agree_with_libprio),
        cmocka_unit_test(the_largest_values_of_every_precision_add_up),
        cmocka_unit_test(integer_totals_need_room_and_a_whole_share),
    };
    return cmocka_run_group_tests_name("prio/uint", tests, NULL, NULL);
}
