/* SPDX-License-Identifier: MPL-2.0 */
#include "prio/prg.h"

#include "pair.h"

#include <openssl/evp.h>

static struct prg *start(struct prg *g, const struct prio_batch *batch, const json_t *vector)
{
    uint8_t seed[PRG_SEED_BYTES];
    BYTES id = get_hex(vector, "batch_id_hex");
    get_hex_into(seed, sizeof seed, vector, "seed");
    assert_int_equal(prg_start(g, batch->prg, seed, span_of(id.ptr, id.len)), PRIO_OK);
    return g;
}

/* The vector's keystream, by libcrypto's block cipher alone: ties aes_key and stream together. */
static void key_gives_stream(const json_t *vector)
{
    uint8_t key[16], counters[64] = {0}, stream[64];
    int written = 0;
    get_hex_into(key, sizeof key, vector, "aes_key");
    for (int block = 0; block < 4; block++)
        counters[16 * block + 15] = (uint8_t)block;
    EVP_CIPHER_CTX *ecb = EVP_CIPHER_CTX_new();
    assert_int_equal(EVP_EncryptInit_ex(ecb, EVP_aes_128_ecb(), NULL, key, NULL), 1);
    assert_int_equal(EVP_EncryptUpdate(ecb, stream, &written, counters, sizeof counters), 1);
    EVP_CIPHER_CTX_free(ecb);
    assert_hex_equal(stream, sizeof stream, get_text(vector, "stream64"));
}

static void elements_agree(const struct prio_batch *batch, struct prg *g, const json_t *vector)
{
    const uint128 p = ((uint128)1 << 87) + FIELD_P_LO;
    const json_t *want = get(vector, "field8");
    const size_t n = json_array_size(want);
    struct fvec got = fvec_new(n);
    assert_non_null(got.lo);
    start(g, batch, vector);
    assert_int_equal(prg_expand(g, &batch->ops, got, n), PRIO_OK);
    start(g, batch, vector);
    for (size_t i = 0; i < n; i++) {
        uint128 drawn;
        const struct fe x = to_fe(json_string_value(json_array_get(want, i)));
        assert_fe_equal(fvec_get(got, i), x);
        assert_int_equal(prg_draw(g, p, &drawn), PRIO_OK);
        assert_fe_equal(fe_from_u128(drawn), x);
    }
    fvec_free(got, n);
}

/* Every pass begins at the first point again. */
static void passes_agree(const struct prio_server *server, const json_t *points)
{
    for (int again = 0; again < 2; again++) {
        struct prio_pass *pass;
        assert_int_equal(prio_pass_new(&pass, server), PRIO_OK);
        for (size_t k = 0; k < json_array_size(points); k++) {
            struct prio_point point;
            assert_int_equal(prio_pass_next(pass, &point), PRIO_OK);
            assert_hex_equal(point.bytes, sizeof point.bytes,
                             json_string_value(json_array_get(points, k)));
        }
        prio_pass_free(pass);
    }
}

/* Each list of points: what servers of that secret, batch and n hand out. */
static void points_agree(const json_t *vector, enum prio_prg prg)
{
    struct keys keys;
    BYTES id = get_hex(vector, "batch_id_hex");
    keys_fixed(&keys);
    get_hex_into(keys.secret, sizeof keys.secret, vector, "seed");
    size_t i;
    json_t *entry;
    json_array_foreach(get(vector, "eval_points"), i, entry)
    {
        struct prio_batch *batch;
        const struct prio_batch_options options = {.batch_id = id.ptr,
                                                   .batch_id_len = id.len,
                                                   .n_data = get_size(entry, "n_data"),
                                                   .prg = prg};
        assert_int_equal(prio_batch_new(&batch, &options), PRIO_OK);
        struct prio_server *server =
            server_of(batch, &keys, (int)(i % ROLES), PRIO_POINTS_SEQUENTIAL);
        passes_agree(server, get(entry, "r"));
        prio_server_free(server);
        prio_batch_free(batch);
    }
}

static void streams_agree(const json_t *vectors, enum prio_prg prg)
{
    static const char *const levels[] = {"c", "avx2", "avx512"};
    for (size_t level = 0; level < ARRAY_LEN(levels); level++) {
        struct prio_batch *batch;
        struct prg g;
        const struct prio_batch_options options = {.n_data = 1, .prg = prg, .cpu = levels[level]};
        assert_int_equal(prio_batch_new(&batch, &options), PRIO_OK);
        assert_int_equal(prg_init(&g, &batch->suite), PRIO_OK);
        size_t i;
        json_t *vector;
        json_array_foreach(vectors, i, vector)
        {
            key_gives_stream(vector);
            elements_agree(batch, &g, vector);
        }
        prg_deinit(&g);
        prio_batch_free(batch);
    }
    size_t i;
    json_t *vector;
    json_array_foreach(vectors, i, vector) points_agree(vector, prg);
}

static void hashed_streams_agree_with_libprio(void **state)
{
    (void)state;
    JSON *file = vectors_load("prg.json");
    streams_agree(get(file, "vectors"), PRIO_PRG_HASHED);
}

static void legacy_streams_agree_with_libprio(void **state)
{
    (void)state;
    JSON *file = vectors_load("legacy-prg.json");
    streams_agree(get(file, "prg"), PRIO_PRG_LEGACY);
}

/* The kernels sample whole chunks; one element after the other is the definition. */
static void expansion_is_the_same_draw_after_draw(void **state)
{
    (void)state;
    enum { N = 5000 }; // several chunks of the expansion
    const uint128 p = ((uint128)1 << 87) + FIELD_P_LO;
    const uint8_t seed[PRG_SEED_BYTES] = {1, 2, 3};
    struct prio_batch *batch;
    struct prg g;
    const struct prio_batch_options options = {.n_data = 1};
    assert_int_equal(prio_batch_new(&batch, &options), PRIO_OK);
    assert_int_equal(prg_init(&g, &batch->suite), PRIO_OK);
    const size_t lengths[] = {0, 1, 2, 400, 511, 512, 513, 1000, N};
    for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
        const size_t n = lengths[i];
        struct fvec v = fvec_new(n);
        assert_int_equal(prg_start(&g, PRIO_PRG_HASHED, seed, span_str("x")), PRIO_OK);
        assert_int_equal(prg_expand(&g, &batch->ops, v, n), PRIO_OK);
        assert_int_equal(prg_start(&g, PRIO_PRG_HASHED, seed, span_str("x")), PRIO_OK);
        for (size_t k = 0; k < n; k++) {
            uint128 drawn;
            assert_int_equal(prg_draw(&g, p, &drawn), PRIO_OK);
            assert_true(fe_equal(fvec_get(v, k), fe_from_u128(drawn)));
        }
        fvec_free(v, n);
    }
    prg_deinit(&g);
    prio_batch_free(batch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hashed_streams_agree_with_libprio),
        cmocka_unit_test(legacy_streams_agree_with_libprio),
        cmocka_unit_test(expansion_is_the_same_draw_after_draw),
    };
    return cmocka_run_group_tests_name("prio/prg", tests, NULL, NULL);
}
