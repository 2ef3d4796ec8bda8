/* SPDX-License-Identifier: MPL-2.0 */
/*
 * negative.c - every case of negative.json: the same verdict as libprio, at the same step. Before
 * each case a good record is open in the same handle, so that whatever survives a rejection shows.
 */
#include "pair.h"

static int expected(const json_t *c, int role)
{
    const char *want = get_text(c, role_key("expect_", role));
    if (strcmp(get_text(c, "name"), "quirk-server-id-2^32") == 0 && role == PRIO_SERVER_A)
        return PRIO_REJECT_PARSE; // libprio looks at the low 32 bits; section 2 leaves it free
    if (strcmp(want, "accept") == 0)
        return PRIO_OK;
    return strcmp(want, "reject-decrypt") == 0 ? PRIO_REJECT_DECRYPT : PRIO_REJECT_PARSE;
}

static void nothing_usable_is_left(struct pair *p, int role)
{
    static const uint8_t zero[] = {0xa1, 0x00};
    struct prio_packet *packet = p->packet[role];
    struct prio_point point;
    uint8_t verify1[PRIO_VERIFY1_MAX], verify2[PRIO_VERIFY2_MAX];
    size_t len = 77;
    memset(verify1, GUARD_BYTE, sizeof verify1);
    memset(verify2, GUARD_BYTE, sizeof verify2);
    assert_int_equal(prio_pass_next(p->pass[role], &point), PRIO_OK);
    assert_int_equal(prio_packet_verify1(packet, &point, verify1, &len), PRIO_E_ARG);
    assert_int_equal(prio_packet_verify2(packet, &point, "\xa1\x05\xa1\x05", 4, "\xa1\x05\xa1\x05",
                                         4, verify2, &len),
                     PRIO_E_ARG);
    assert_int_equal(len, 77);
    assert_guarded(verify1, sizeof verify1);
    assert_guarded(verify2, sizeof verify2);

    BYTES before = sum_total_share(p->sum[role]);
    assert_int_equal(prio_sum_add(p->sum[role], packet, zero, sizeof zero, zero, sizeof zero),
                     PRIO_E_ARG);
    assert_int_equal(sum_add_pending(p->sum[role], packet), PRIO_E_ARG);
    assert_int_equal(sum_take_back(p->sum[role], packet), PRIO_E_ARG);
    assert_int_equal(prio_sum_count(p->sum[role]), 0);
    BYTES after = sum_total_share(p->sum[role]);
    assert_int_equal(before.len, after.len);
    assert_memory_equal(before.ptr, after.ptr, after.len);
}

static void values_agree(struct pair *p, const json_t *first)
{
    struct messages m;
    const int want = get_bool(first, "valid") ? PRIO_OK : PRIO_REJECT_INVALID;
    assert_int_equal(pair_exchange(p, &m), want);
    for (int x = 0; x < ROLES; x++) {
        struct evaluation e;
        struct fe r;
        assert_true(fe_from_bytes(&r, m.point[x].bytes));
        assert_int_equal(packet_evaluate(p->packet[x], r, &e), PRIO_OK);
        assert_fe_equal(e.f, get_fe(first, role_key("f_", x)));
        assert_fe_equal(e.g, get_fe(first, role_key("g_", x)));
        assert_fe_equal(e.h, get_fe(first, role_key("h_", x)));
        assert_hex_equal(m.verify1[x], m.verify1_len[x], get_text(first, role_key("verify1_", x)));
        assert_hex_equal(m.verify2[x], m.verify2_len[x], get_text(first, role_key("verify2_", x)));
    }
    pair_add(p, &m, want);
    for (int x = 0; x < ROLES; x++)
        assert_int_equal(prio_sum_count(p->sum[x]), want == PRIO_OK);
}

static void open_good(struct pair *p, const json_t *cases)
{
    const json_t *good = json_array_get(cases, 0);
    assert_string_equal(get_text(good, "name"), "control-good");
    BYTES a = get_base64(good, "share_a");
    BYTES b = get_base64(good, "share_b");
    pair_open(p, a, b);
}

static void case_agrees(const struct prio_batch_options *options, const struct keys *keys,
                        const json_t *cases, const json_t *c)
{
    PAIR p;
    bool open = true;
    pair_init(&p, options, keys, PRIO_POINTS_FIRST);
    open_good(&p, cases);
    for (int x = 0; x < ROLES; x++) {
        BYTES share = get_base64(c, role_key("share_", x));
        const int want = expected(c, x), got = prio_packet_open(p.packet[x], share.ptr, share.len);
        if (got != want)
            fail_msg("%s: server %c says %d, not %d", get_text(c, "name"), 'A' + x, got, want);
        if (got != PRIO_OK) {
            nothing_usable_is_left(&p, x);
            open = false;
        }
    }
    if (open)
        values_agree(&p, get(c, "first"));
    else
        assert_true(!get_bool(c, "valid") || strncmp(get_text(c, "name"), "quirk", 5) == 0);
    open_good(&p, cases); // a handle outlives a rejection
}

static void every_case_is_judged_as_in_libprio(void **state)
{
    JSON *vector = vectors_load("negative.json");
    BYTES id;
    struct keys keys;
    struct prio_batch_options options = batch_from(vector, &id);
    options.cpu = *state;
    keys_from(&keys, vector);
    const json_t *cases = get(vector, "cases");
    size_t i;
    json_t *c;
    json_array_foreach(cases, i, c) case_agrees(&options, &keys, cases, c);
    assert_int_equal(i, 99);
}

/* A share of the right key with a plaintext of our making. */
static int open_made(struct pair *p, const struct keys *keys, int role, const char *plain_hex)
{
    BYTES plain = from_hex(plain_hex);
    BYTES share = seal_to(p->batch, keys, role, span_of(plain.ptr, plain.len), plain.len);
    return prio_packet_open(p->packet[role], share.ptr, share.len);
}

/* Lengths a stranger may declare beyond what is there must neither be believed nor allocated. */
static void declared_lengths_are_not_believed(void **state)
{
    (void)state;
    static const char *const plains[] = {
        "dbffffffff",                                   // batch id of 4 GiB
        "a0dbffffffff41",                               // element of 4 GiB
        "a0a101a101a101a101a101a10100ddffffffff",       // 2^32 - 1 data shares
        "a0a101a101a101a101a101a10100dc000191a1019200", // n = 1 and a wrong h count
        "a0a101a101a101a101a101a1010091a101ddffffffff", // 2^32 - 1 h points
        "a0a101a101a101a101a101a1010091a10192a101dbffffffff01",
        "a0a101a101a101a101a101a1010091a10192a101abffffffffffffffffffffff",
        "a0a101a101a101a101a101a1010091a10192a101da",
        "a0a101a101a101a101a101a101",
        "a0a101a101a101a101a101a10100",
        "a0",
    };
    struct keys keys;
    PAIR p;
    keys_fixed(&keys);
    pair_init(&p, &(struct prio_batch_options){.n_data = 1}, &keys, PRIO_POINTS_FIRST);
    assert_int_equal(
        open_made(&p, &keys, PRIO_SERVER_A, "a0a101a101a101a101a101a1010091a10192a101a101"),
        PRIO_OK);
    for (size_t i = 0; i < ARRAY_LEN(plains); i++) {
        assert_int_equal(open_made(&p, &keys, PRIO_SERVER_A, plains[i]), PRIO_REJECT_PARSE);
        nothing_usable_is_left(&p, PRIO_SERVER_A);
    }
    assert_int_equal(open_made(&p, &keys, PRIO_SERVER_B,
                               "a0a101a101a101a101a101a10101dbffffffff00000000000000000000000000"),
                     PRIO_REJECT_PARSE);
}

/* Every byte of an honest plaintext may be the last that is there. */
static void every_prefix_of_a_packet_is_refused(void **state)
{
    (void)state;
    JSON *vector = vectors_load("negative.json");
    BYTES id;
    struct keys keys;
    const struct prio_batch_options options = batch_from(vector, &id);
    PAIR p;
    keys_from(&keys, vector);
    pair_init(&p, &options, &keys, PRIO_POINTS_FIRST);
    for (int x = 0; x < ROLES; x++) {
        const json_t *good = json_array_get(get(vector, "cases"), 0);
        BYTES plain = get_hex(good, role_key("plain_", x));
        for (size_t len = 0; len <= plain.len; len++) {
            BYTES share = seal_to(p.batch, &keys, x, span_of(plain.ptr, len), len);
            assert_int_equal(prio_packet_open(p.packet[x], share.ptr, share.len),
                             len == plain.len ? PRIO_OK : PRIO_REJECT_PARSE);
        }
    }
}

int main(void)
{
    static char plain_c[] = "c", avx2[] = "avx2", avx512[] = "avx512";
    const struct CMUnitTest tests[] = {
        {"c: every case is judged as in libprio", every_case_is_judged_as_in_libprio, NULL, NULL,
         plain_c},
        {"avx2: every case is judged as in libprio", every_case_is_judged_as_in_libprio, NULL, NULL,
         avx2},
        {"avx512: every case is judged as in libprio", every_case_is_judged_as_in_libprio, NULL,
         NULL, avx512},
        cmocka_unit_test(declared_lengths_are_not_believed),
        cmocka_unit_test(every_prefix_of_a_packet_is_refused),
    };
    return cmocka_run_group_tests_name("prio/negative", tests, NULL, NULL);
}
