/* SPDX-License-Identifier: MPL-2.0 */
/* messages.c - the readers of verify1, verify2, states and total shares: packets.json, and what is
 * left untouched when one of them refuses. */
#include "pair.h"

struct world {
    json_t *file;
    struct keys keys;
    struct pair p; // n_data 3, batch "test", with a packet open on both sides
    struct prio_point point;
};

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    static const uint8_t bits[] = {1, 0, 1};
    BYTES id;
    DESK desk;
    struct prio_shares shares;
    w->file = vectors_load("packets.json");
    keys_from(&w->keys, w->file);
    const struct prio_batch_options options = batch_from(w->file, &id);
    pair_init(&w->p, &options, &w->keys, PRIO_POINTS_FIRST);
    desk_init(&desk, w->p.batch, &w->keys);
    assert_int_equal(prio_encode_bits(desk.encoder, &shares, bits), PRIO_OK);
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
    pair_deinit(&w->p);
    json_decref(w->file);
    free(w);
    return 0;
}

static void verify1_is_judged(struct world *w, struct bytes text, bool accepted)
{
    static const uint8_t good[] = {0xa1, 1, 0xa1, 2};
    const int want = accepted ? PRIO_OK : PRIO_REJECT_PACKET;
    for (int x = 0; x < ROLES; x++) {
        uint8_t out[2][PRIO_VERIFY2_MAX];
        size_t len[2] = {77, 77};
        memset(out, GUARD_BYTE, sizeof out);
        assert_int_equal(prio_packet_verify2(w->p.packet[x], &w->point, text.ptr, text.len, good,
                                             sizeof good, out[0], &len[0]),
                         want);
        assert_int_equal(prio_packet_verify2(w->p.packet[x], &w->point, good, sizeof good, text.ptr,
                                             text.len, out[1], &len[1]),
                         want);
        if (accepted) { // the order of the two does not matter
            assert_int_equal(len[0], len[1]);
            assert_memory_equal(out[0], out[1], len[0]);
        } else {
            assert_guarded(out[0], sizeof out);
            assert_int_equal(len[0], 77);
            assert_int_equal(len[1], 77);
        }
    }
}

static void verify2_is_judged(struct world *w, struct bytes text, bool accepted)
{
    static const uint8_t zero[] = {0xa1, 0};
    const int own = prio_verdict(text.ptr, text.len, zero, sizeof zero);
    const int peer = prio_verdict(zero, sizeof zero, text.ptr, text.len);
    assert_int_equal(own, peer);
    assert_int_equal(own != PRIO_REJECT_PACKET, accepted);
    const uint64_t count = prio_sum_count(w->p.sum[0]);
    assert_int_equal(
        prio_sum_add(w->p.sum[0], w->p.packet[0], text.ptr, text.len, zero, sizeof zero), own);
    assert_int_equal(prio_sum_count(w->p.sum[0]), count + (own == PRIO_OK));
}

static void total_is_judged(struct bytes text, bool accepted)
{
    static const uint8_t a[] = {0x00, 0x93, 0xa1, 1, 0xa1, 1, 0xa1, 1};
    static const uint8_t b[] = {0x01, 0x93, 0xa1, 1, 0xa1, 1, 0xa1, 1};
    uint64_t totals[3] = {77, 77, 77};
    uint8_t uints[64];
    size_t len;
    const int as_a = prio_final(totals, 3, text.ptr, text.len, b, sizeof b);
    const int as_b = prio_final(totals, 3, a, sizeof a, text.ptr, text.len);
    // Exactly one place is right for it, if any.
    assert_int_equal((as_a == PRIO_OK) + (as_b == PRIO_OK), accepted);
    assert_int_equal((as_a == PRIO_REJECT_PACKET) + (as_b == PRIO_REJECT_PACKET), 2 - accepted);
    assert_int_equal(totals[0], accepted ? 8 : 77);
    assert_int_equal(prio_total_share_to_uints(text.ptr, text.len, 3, 1, uints, sizeof uints, &len),
                     accepted ? PRIO_OK : PRIO_REJECT_PACKET);
}

static void state_is_judged(struct world *w, struct bytes text, bool accepted)
{
    struct prio_sum *sum = w->p.sum[1];
    const uint64_t count = prio_sum_count(sum);
    BYTES before = sum_state(sum);
    assert_int_equal(prio_sum_add_state(sum, text.ptr, text.len, 5),
                     accepted ? PRIO_OK : PRIO_REJECT_PACKET);
    BYTES after = sum_state(sum);
    assert_int_equal(prio_sum_count(sum), accepted ? count + 5 : count);
    if (!accepted) {
        assert_int_equal(before.len, after.len);
        assert_memory_equal(before.ptr, after.ptr, after.len);
    }
}

static void messages_are_judged_as_in_libprio(void **state)
{
    struct world *w = *state;
    size_t i;
    json_t *v;
    json_array_foreach(get(w->file, "read"), i, v)
    {
        const char *kind = get_text(v, "kind");
        const bool accepted = get_bool(v, "accepted");
        BYTES text = get_hex(v, "hex");
        if (strcmp(kind, "verify1") == 0)
            verify1_is_judged(w, text, accepted);
        else if (strcmp(kind, "verify2") == 0)
            verify2_is_judged(w, text, accepted);
        else if (strcmp(kind, "total") == 0)
            total_is_judged(text, accepted);
        else if (strcmp(kind, "server_state") == 0)
            state_is_judged(w, text, accepted);
        else
            fail_msg("unknown kind %s", kind);
    }
    assert_int_equal(i, 41);
}

static void totals_are_combined_as_in_libprio(void **state)
{
    const struct world *w = *state;
    size_t i;
    json_t *v;
    json_array_foreach(get(w->file, "final"), i, v)
    {
        uint64_t totals[3];
        BYTES first = get_hex(v, "first");
        BYTES second = get_hex(v, "second");
        memset(totals, GUARD_BYTE, sizeof totals);
        const int r = prio_final(totals, 3, first.ptr, first.len, second.ptr, second.len);
        assert_int_equal(r == PRIO_OK, get_bool(v, "ok"));
        if (r == PRIO_OK)
            assert_totals_equal(totals, 3, get(v, "totals"));
        else
            assert_guarded((const uint8_t *)totals, sizeof totals);
    }
}

static void verdicts_agree_with_libprio(void **state)
{
    const struct world *w = *state;
    size_t i;
    json_t *v;
    json_array_foreach(get(w->file, "validity"), i, v)
    {
        BYTES a = get_hex(v, "verify2_a");
        BYTES b = get_hex(v, "verify2_b");
        assert_int_equal(prio_verdict(a.ptr, a.len, b.ptr, b.len),
                         get_bool(v, "valid") ? PRIO_OK : PRIO_REJECT_INVALID);
        assert_int_equal(prio_verdict(b.ptr, b.len, a.ptr, a.len),
                         get_bool(v, "valid") ? PRIO_OK : PRIO_REJECT_INVALID);
    }
}

/* 2^64 - 1 is the last total that fits; one element more must spoil all, wherever it stands. */
static void a_total_beyond_64_bits_fails_as_a_whole(void **state)
{
    (void)state;
    static const char *const a = "0093a101a101a101";
    static const char *const b[] = {
        "0193a8ffffffffffffffffa101a101", "0193a101a8ffffffffffffffffa101",
        "0193a101a101a8ffffffffffffffff", "0193ab8000000000000000080000a101a9010000000000000000"};
    BYTES first = from_hex(a);
    for (size_t i = 0; i < ARRAY_LEN(b); i++) {
        uint64_t totals[3];
        BYTES second = from_hex(b[i]);
        memset(totals, GUARD_BYTE, sizeof totals);
        assert_int_equal(prio_final(totals, 3, first.ptr, first.len, second.ptr, second.len),
                         PRIO_E_RANGE);
        assert_guarded((const uint8_t *)totals, sizeof totals);
    }
    uint64_t totals[3];
    BYTES largest = from_hex("0193a8fffffffffffffffea101ab8000000000000000080000");
    assert_int_equal(prio_final(totals, 3, first.ptr, first.len, largest.ptr, largest.len),
                     PRIO_OK);
    assert_int_equal(totals[0], UINT64_MAX);
    assert_int_equal(totals[1], 2);
    assert_int_equal(totals[2], 0); // 1 and p - 1
}

/* A malformed element behind one that is too large is malformed first of all. */
static void malformed_totals_are_no_matter_of_range(void **state)
{
    (void)state;
    uint64_t totals[2] = {77, 77};
    BYTES a = from_hex("0092a9010000000000000000a101");
    BYTES b = from_hex("0192a101a0");
    assert_int_equal(prio_final(totals, 2, a.ptr, a.len, b.ptr, b.len), PRIO_REJECT_PACKET);
    assert_int_equal(totals[0], 77);
    assert_int_equal(totals[1], 77);
}

static void headers_of_totals_are_not_believed(void **state)
{
    (void)state;
    static const char *const bad[] = {"00ddffffffff",     "00dd000000",
                                      "00dcffff",         "00dc00",
                                      "00dd00040000a101", "cf000000010000000091a101",
                                      "d091a101",         "00c0",
                                      "0081a101a101",     "00"};
    BYTES b = from_hex("0191a101");
    uint64_t total = 77;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        BYTES a = from_hex(bad[i]);
        assert_int_equal(prio_final(&total, 1, a.ptr, a.len, b.ptr, b.len), PRIO_REJECT_PACKET);
    }
    assert_int_equal(total, 77);
    static const char *const good[] = {"00dc0001a101", "00dd00000001a101", "cc0091a101",
                                       "d3000000000000000091a101"};
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        BYTES a = from_hex(good[i]);
        assert_int_equal(prio_final(&total, 1, a.ptr, a.len, b.ptr, b.len), PRIO_OK);
        assert_int_equal(total, 2);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_are_judged_as_in_libprio),
        cmocka_unit_test(totals_are_combined_as_in_libprio),
        cmocka_unit_test(verdicts_agree_with_libprio),
        cmocka_unit_test(a_total_beyond_64_bits_fails_as_a_whole),
        cmocka_unit_test(malformed_totals_are_no_matter_of_range),
        cmocka_unit_test(headers_of_totals_are_not_believed),
    };
    return cmocka_run_group_tests_name("prio/messages", tests, setup, teardown);
}
