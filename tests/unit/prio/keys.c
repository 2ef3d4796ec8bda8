/* SPDX-License-Identifier: MPL-2.0 */
#include "pair.h"

static void texts_of_keys_are_judged_as_in_libprio(void **state)
{
    (void)state;
    JSON *file = vectors_load("keys.json");
    size_t i;
    json_t *v;
    json_array_foreach(get(file, "public_key_hex"), i, v)
    {
        const char *hex = get_text(v, "hex");
        const size_t len = json_string_length(get(v, "hex"));
        uint8_t key[PRIO_KEY_BYTES];
        char text[PRIO_KEY_HEX_BYTES];
        memset(key, GUARD_BYTE, sizeof key);
        const int r = prio_key_from_hex(key, hex, len);
        assert_int_equal(r, get_bool(v, "accepted") ? PRIO_OK : PRIO_E_KEY);
        if (r == PRIO_OK) {
            prio_key_to_hex(text, key);
            assert_string_equal(text, get_text(v, "exported"));
        } else {
            assert_guarded(key, sizeof key);
        }
    }
}

static void nothing_is_sealed_to_a_key_of_low_order(void **state)
{
    (void)state;
    JSON *file = vectors_load("keys.json");
    struct keys keys;
    struct prio_batch *batch;
    uint8_t low[PRIO_KEY_BYTES];
    keys_fixed(&keys);
    assert_int_equal(prio_batch_new(&batch, &(struct prio_batch_options){.n_data = 1}), PRIO_OK);
    size_t i;
    json_t *v;
    json_array_foreach(get(file, "low_order_public_keys"), i, v)
    {
        assert_false(get_bool(v, "encrypt_ok"));
        get_hex_into(low, sizeof low, v, "public");
        struct prio_client *client = NULL;
        assert_int_equal(prio_client_new(&client, batch, low, keys.public_key[1]), PRIO_E_KEY);
        assert_int_equal(prio_client_new(&client, batch, keys.public_key[0], low), PRIO_E_KEY);
        assert_null(client);
    }
    prio_batch_free(batch);
}

static void unusual_private_keys_work(void **state)
{
    (void)state;
    JSON *file = vectors_load("keys.json");
    struct prio_batch *batch;
    assert_int_equal(prio_batch_new(&batch, &(struct prio_batch_options){.n_data = 1}), PRIO_OK);
    size_t i;
    json_t *v;
    json_array_foreach(get(file, "private_keys"), i, v)
    {
        uint8_t private_key[PRIO_KEY_BYTES], public_key[PRIO_KEY_BYTES], plain[16];
        struct opener opener;
        BYTES share = get_hex(v, "ciphertext");
        get_hex_into(private_key, sizeof private_key, v, "private");
        assert_int_equal(prio_public_key(public_key, private_key), PRIO_OK);
        assert_hex_equal(public_key, sizeof public_key, get_text(v, "public"));
        assert_int_equal(opener_init(&opener, &batch->suite, private_key), PRIO_OK);
        assert_int_equal(opener_open(&opener, plain, share.ptr, share.len), PRIO_OK);
        assert_hex_equal(plain, share.len - PRIO_SEAL_BYTES, get_text(v, "plaintext"));
        opener_deinit(&opener);
    }
    prio_batch_free(batch);
}

static void generated_keys_and_secrets_are_fresh_and_fit(void **state)
{
    (void)state;
    uint8_t private_key[2][PRIO_KEY_BYTES], public_key[2][PRIO_KEY_BYTES], again[PRIO_KEY_BYTES];
    uint8_t secret[2][PRIO_SECRET_BYTES];
    for (int i = 0; i < 2; i++) {
        assert_int_equal(prio_keygen(private_key[i], public_key[i]), PRIO_OK);
        assert_int_equal(prio_public_key(again, private_key[i]), PRIO_OK);
        assert_memory_equal(again, public_key[i], sizeof again);
        assert_int_equal(prio_shared_secret(secret[i]), PRIO_OK);
    }
    assert_memory_not_equal(private_key[0], private_key[1], PRIO_KEY_BYTES);
    assert_memory_not_equal(secret[0], secret[1], PRIO_SECRET_BYTES);
}

static void text_of_a_key_goes_both_ways_in_any_case(void **state)
{
    (void)state;
    uint8_t key[PRIO_KEY_BYTES], back[PRIO_KEY_BYTES];
    char text[PRIO_KEY_HEX_BYTES];
    uint64_t seed = 3;
    for (int i = 0; i < 100; i++) {
        fill_noise(&seed, key, sizeof key);
        prio_key_to_hex(text, key);
        assert_int_equal(strspn(text, "0123456789ABCDEF"), 2 * PRIO_KEY_BYTES);
        assert_int_equal(text[2 * PRIO_KEY_BYTES], '\0');
        for (char *c = text; *c; c++)
            if (*c >= 'A' && noise(&seed) % 2 == 0)
                *c = (char)(*c - 'A' + 'a');
        assert_int_equal(prio_key_from_hex(back, text, 2 * PRIO_KEY_BYTES), PRIO_OK);
        assert_memory_equal(back, key, sizeof key);
    }
}

/* Checks the options of a server against the keys of the vector files. */
static void halves_that_do_not_belong_together_are_refused(void **state)
{
    (void)state;
    struct keys keys;
    struct prio_batch *batch;
    struct prio_server *server = NULL;
    keys_fixed(&keys);
    assert_int_equal(prio_batch_new(&batch, &(struct prio_batch_options){.n_data = 1}), PRIO_OK);
    struct prio_server_options options = {.private_key = keys.private_key[0],
                                          .public_key = keys.public_key[1],
                                          .peer_public_key = keys.public_key[1],
                                          .shared_secret = keys.secret};
    assert_int_equal(prio_server_new(&server, batch, &options), PRIO_E_KEY);
    assert_null(server);
    options.public_key = keys.public_key[0];
    assert_int_equal(prio_server_new(&server, batch, &options), PRIO_OK);
    prio_server_free(server);
    prio_batch_free(batch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_of_keys_are_judged_as_in_libprio),
        cmocka_unit_test(nothing_is_sealed_to_a_key_of_low_order),
        cmocka_unit_test(unusual_private_keys_work),
        cmocka_unit_test(generated_keys_and_secrets_are_fresh_and_fit),
        cmocka_unit_test(text_of_a_key_goes_both_ways_in_any_case),
        cmocka_unit_test(halves_that_do_not_belong_together_are_refused),
    };
    return cmocka_run_group_tests_name("prio/keys", tests, NULL, NULL);
}
