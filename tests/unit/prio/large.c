/* SPDX-License-Identifier: MPL-2.0 */
/*
 * large.c N - the batch of N bits of large.json, where array32 headers and the largest transforms
 * begin: encoded from its random values, sealed with its ephemeral keys, verified and summed on
 * every level of SIMD. Long results are compared by their SHA-256.
 */
#include "pair.h"

#include <openssl/evp.h>

struct world {
    json_t *file;
    const json_t *c; // this N's case
    size_t n;
    struct keys keys;
    uint8_t *bits;
};

static void assert_digest(const void *bytes, size_t len, const char *want)
{
    uint8_t digest[32];
    unsigned written = 0;
    assert_int_equal(EVP_Digest(bytes, len, digest, &written, EVP_sha256(), NULL), 1);
    assert_hex_equal(digest, written, want);
}

static void assert_member_digest(struct bytes got, const json_t *c, const char *prefix, int role)
{
    char key[64];
    (void)snprintf(key, sizeof key, "%s%c_sha256", prefix, role == PRIO_SERVER_A ? 'a' : 'b');
    assert_digest(got.ptr, got.len, get_text(c, key));
}

static void random_of(struct client_random *r, const json_t *v)
{
    *r = (struct client_random){.a_a = get_fe(v, "aA"),
                                .b_a = get_fe(v, "bA"),
                                .a_b = get_fe(v, "aB"),
                                .b_b = get_fe(v, "bB"),
                                .c_b = get_fe(v, "cB"),
                                .f0 = get_fe(v, "f0"),
                                .g0 = get_fe(v, "g0"),
                                .f0_a = get_fe(v, "f0A"),
                                .g0_a = get_fe(v, "g0A"),
                                .h0_a = get_fe(v, "h0A")};
    get_hex_into(r->seed, sizeof r->seed, v, "seed");
}

static struct bytes seal_as_given(const struct world *w, const struct prio_batch *batch, int role,
                                  struct bytes plain)
{
    const char *who = role == PRIO_SERVER_A ? "A" : "B";
    uint8_t ephemeral[SEAL_KEY_BYTES], iv[SEAL_IV_BYTES];
    struct sealer sealer;
    struct bytes share = {malloc(plain.len + SEAL_BYTES), plain.len + SEAL_BYTES};
    assert_non_null(share.ptr);
    get_hex_into(ephemeral, sizeof ephemeral, get(w->c, "ephemeral_private"), who);
    get_hex_into(iv, sizeof iv, get(w->c, "iv"), who);
    assert_int_equal(sealer_init(&sealer, &batch->suite, w->keys.public_key[role]), PRIO_OK);
    assert_int_equal(sealer_seal_with(&sealer, share.ptr, plain.ptr, plain.len, ephemeral, iv),
                     PRIO_OK);
    sealer_deinit(&sealer);
    return share;
}

static void encode(const struct world *w, const struct prio_batch *batch, struct bytes share[ROLES])
{
    struct client_random random;
    DESK desk;
    random_of(&random, get(w->c, "random"));
    desk_init(&desk, batch, &w->keys);
    assert_int_equal(client_make_packets(desk.encoder, w->bits, &random), PRIO_OK);
    const struct prio_encoder *e = desk.encoder;
    const struct bytes plain[ROLES] = {{e->plain_a, e->plain_a_len}, {e->plain_b, e->plain_b_len}};
    assert_int_equal(plain[0].len, get_size(w->c, "plain_a_len"));
    assert_hex_equal(plain[1].ptr, plain[1].len, get_text(w->c, "plain_b"));
    for (int x = 0; x < ROLES; x++) {
        assert_member_digest(plain[x], w->c, "plain_", x);
        share[x] = seal_as_given(w, batch, x, plain[x]);
        assert_member_digest(share[x], w->c, "share_", x);
    }
}

static void totals_are_the_bits(struct pair *p, const struct world *w)
{
    uint64_t *totals = calloc(w->n, sizeof *totals);
    size_t wrong = 0;
    assert_non_null(totals);
    assert_int_equal(pair_final(p, totals), PRIO_OK);
    for (size_t i = 0; i < w->n; i++)
        wrong += totals[i] != w->bits[i];
    assert_int_equal(wrong, 0);
    free(totals);
}

static void one_client_agrees(void **state, const char *cpu)
{
    const struct world *w = *state;
    const char *id = get_text(w->file, "batch_id_utf8");
    const struct prio_batch_options options = {
        .batch_id = id, .batch_id_len = strlen(id), .n_data = w->n, .cpu = cpu};
    struct bytes share[ROLES];
    struct messages m;
    PAIR p;
    pair_init(&p, &options, &w->keys, PRIO_POINTS_FIRST);
    encode(w, p.batch, share);
    pair_open(&p, share[0], share[1]);
    assert_int_equal(pair_exchange(&p, &m), PRIO_OK);
    pair_add(&p, &m, PRIO_OK);
    for (int x = 0; x < ROLES; x++) {
        assert_hex_equal(m.point[x].bytes, sizeof m.point[x].bytes, get_text(w->c, "point"));
        assert_hex_equal(m.verify1[x], m.verify1_len[x], get_text(w->c, role_key("verify1_", x)));
        assert_hex_equal(m.verify2[x], m.verify2_len[x], get_text(w->c, role_key("verify2_", x)));
        BYTES total = sum_total_share(p.sum[x]);
        assert_member_digest(total, w->c, "total_share_", x);
        bytes_deinit(&share[x]);
    }
    totals_are_the_bits(&p, w);
}

static void one_client_agrees_in_plain_c(void **state)
{
    one_client_agrees(state, "c");
}

static void one_client_agrees_with_avx2(void **state)
{
    one_client_agrees(state, "avx2");
}

static void one_client_agrees_with_avx512(void **state)
{
    one_client_agrees(state, "avx512");
}

static void world_init(struct world *w, size_t n)
{
    size_t i;
    json_t *c;
    *w = (struct world){.file = vectors_load("large.json"), .n = n, .bits = malloc(n)};
    json_array_foreach(get(w->file, "cases"), i, c) if (get_size(c, "n_data") == n) w->c = c;
    keys_from(&w->keys, w->file);
    for (uint64_t k = 0; k < n; k++)
        w->bits[k] = (k * k + 3 * k) % 7 < 3;
}

int main(int argc, char **argv)
{
    struct world w;
    if (argc != 2)
        return 2;
    world_init(&w, strtoul(argv[1], NULL, 10));
    if (w.c == NULL)
        return 2;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(one_client_agrees_in_plain_c, &w),
        cmocka_unit_test_prestate(one_client_agrees_with_avx2, &w),
        cmocka_unit_test_prestate(one_client_agrees_with_avx512, &w),
    };
    const int r = cmocka_run_group_tests_name("prio/large", tests, NULL, NULL);
    json_decref(w.file);
    free(w.bits);
    return r;
}
