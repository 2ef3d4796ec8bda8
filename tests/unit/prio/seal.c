/* SPDX-License-Identifier: MPL-2.0 */
#include "prio/seal.h"

#include "pair.h"

#include <openssl/err.h>

static int setup(void **state)
{
    struct prio_batch *batch;
    const int r = prio_batch_new(&batch, &(struct prio_batch_options){.n_data = 1});
    *state = batch;
    return r;
}

static int teardown(void **state)
{
    prio_batch_free(*state);
    return 0;
}

static void sealed_by_libprio_opens(void **state)
{
    const struct prio_batch *batch = *state;
    JSON *file = vectors_load("kdf_aead.json");
    size_t i;
    json_t *v;
    json_array_foreach(get(file, "vectors"), i, v)
    {
        uint8_t key[SEAL_KEY_BYTES];
        struct opener opener;
        BYTES share = get_hex(v, "ciphertext");
        BYTES plain = {malloc(share.len - SEAL_BYTES + 1), share.len - SEAL_BYTES};
        get_hex_into(key, sizeof key, v, "recipient_private");
        assert_int_equal(opener_init(&opener, &batch->suite, key), PRIO_OK);
        for (int again = 0; again < 2; again++) { // an opener serves record after record
            assert_int_equal(opener_open(&opener, plain.ptr, share.ptr, share.len), PRIO_OK);
            assert_hex_equal(plain.ptr, plain.len, get_text(v, "plaintext"));
        }
        // The plaintext may take the place of the ciphertext.
        uint8_t *in_place = share.ptr + SEAL_HEAD_BYTES;
        assert_int_equal(opener_open(&opener, in_place, share.ptr, share.len), PRIO_OK);
        assert_hex_equal(in_place, plain.len, get_text(v, "plaintext"));
        opener_deinit(&opener);
    }
}

static void sealing_with_given_values_agrees_with_libprio(void **state)
{
    const struct prio_batch *batch = *state;
    JSON *file = vectors_load("kdf_aead.json");
    size_t i, n_sealed = 0;
    json_t *v;
    json_array_foreach(get(file, "vectors"), i, v)
    {
        if (!has(v, "ephemeral_private"))
            continue;
        uint8_t key[SEAL_KEY_BYTES], ephemeral[SEAL_KEY_BYTES], iv[SEAL_IV_BYTES];
        struct sealer sealer;
        BYTES plain = get_hex(v, "plaintext");
        BYTES out = {malloc(plain.len + SEAL_BYTES), plain.len + SEAL_BYTES};
        get_hex_into(key, sizeof key, v, "recipient_public");
        get_hex_into(ephemeral, sizeof ephemeral, v, "ephemeral_private");
        get_hex_into(iv, sizeof iv, v, "iv");
        assert_int_equal(sealer_init(&sealer, &batch->suite, key), PRIO_OK);
        assert_int_equal(sealer_seal_with(&sealer, out.ptr, plain.ptr, plain.len, ephemeral, iv),
                         PRIO_OK);
        assert_hex_equal(out.ptr, out.len, get_text(v, "ciphertext"));
        sealer_deinit(&sealer);
        n_sealed++;
    }
    assert_int_equal(n_sealed, 5); // the file's, of nine
}

static void what_is_sealed_opens_and_never_repeats(void **state)
{
    const struct prio_batch *batch = *state;
    struct keys keys;
    struct sealer sealer;
    struct opener opener;
    keys_fixed(&keys);
    assert_int_equal(sealer_init(&sealer, &batch->suite, keys.public_key[0]), PRIO_OK);
    assert_int_equal(opener_init(&opener, &batch->suite, keys.private_key[0]), PRIO_OK);
    for (size_t len = 0; len < 70; len++) {
        uint8_t plain[70], back[70], share[2][70 + SEAL_BYTES];
        memset(plain, (int)len, sizeof plain);
        for (int i = 0; i < 2; i++) {
            assert_int_equal(sealer_seal(&sealer, share[i], plain, len), PRIO_OK);
            assert_int_equal(opener_open(&opener, back, share[i], len + SEAL_BYTES), PRIO_OK);
            assert_memory_equal(back, plain, len);
        }
        assert_memory_not_equal(share[0], share[1], SEAL_KEY_BYTES);
        assert_memory_not_equal(share[0] + SEAL_KEY_BYTES, share[1] + SEAL_KEY_BYTES,
                                SEAL_IV_BYTES);
    }
    opener_deinit(&opener);
    sealer_deinit(&sealer);
}

static void what_does_not_authenticate_is_wiped(void **state)
{
    const struct prio_batch *batch = *state;
    static const uint8_t text[] = "sixteen letters, and then some more of them";
    struct keys keys;
    struct opener opener;
    keys_fixed(&keys);
    BYTES share = seal_to(batch, &keys, 0, span_of(text, sizeof text), 1);
    assert_int_equal(opener_init(&opener, &batch->suite, keys.private_key[0]), PRIO_OK);
    share.ptr[share.len - 1] ^= 1;
    uint8_t plain[sizeof text];
    memset(plain, GUARD_BYTE, sizeof plain);
    assert_int_equal(opener_open(&opener, plain, share.ptr, share.len), PRIO_REJECT_DECRYPT);
    for (size_t i = 0; i < sizeof plain; i++)
        assert_int_equal(plain[i], 0);
    opener_deinit(&opener);
}

static void strangers_leave_nothing_in_the_error_queue(void **state)
{
    const struct prio_batch *batch = *state;
    struct keys keys;
    struct opener opener;
    uint8_t share[SEAL_BYTES + 10] = {0}, plain[10]; // an ephemeral key of low order
    keys_fixed(&keys);
    ERR_clear_error();
    assert_int_equal(opener_init(&opener, &batch->suite, keys.private_key[0]), PRIO_OK);
    for (int i = 0; i < 100; i++) {
        share[0] = (uint8_t)i; // 0 and 1 are of low order, 2 and later fail to authenticate
        assert_int_equal(opener_open(&opener, plain, share, sizeof share), PRIO_REJECT_DECRYPT);
    }
    assert_int_equal(ERR_peek_error(), 0);
    opener_deinit(&opener);
}

static void lengths_that_cannot_be_are_refused(void **state)
{
    const struct prio_batch *batch = *state;
    struct keys keys;
    struct opener opener;
    struct sealer sealer;
    uint8_t byte = 0, key[SEAL_KEY_BYTES] = {9}, iv[SEAL_IV_BYTES] = {0};
    keys_fixed(&keys);
    assert_int_equal(opener_init(&opener, &batch->suite, keys.private_key[0]), PRIO_OK);
    assert_int_equal(sealer_init(&sealer, &batch->suite, keys.public_key[0]), PRIO_OK);
    for (size_t len = 0; len < SEAL_BYTES; len++) {
        BYTES share = {calloc(1, len > 0 ? len : 1), len};
        assert_int_equal(opener_open(&opener, &byte, share.ptr, len), PRIO_REJECT_DECRYPT);
    }
    // Judged by the length alone, before any byte is looked at.
    assert_int_equal(opener_open(&opener, &byte, &byte, (size_t)SEAL_PLAIN_LIMIT + SEAL_BYTES),
                     PRIO_REJECT_DECRYPT);
    assert_int_equal(sealer_seal(&sealer, &byte, &byte, SEAL_PLAIN_LIMIT), PRIO_E_ARG);
    assert_int_equal(sealer_seal_with(&sealer, &byte, &byte, SEAL_PLAIN_LIMIT, key, iv),
                     PRIO_E_ARG);
    opener_deinit(&opener);
    sealer_deinit(&sealer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sealed_by_libprio_opens),
        cmocka_unit_test(sealing_with_given_values_agrees_with_libprio),
        cmocka_unit_test(what_is_sealed_opens_and_never_repeats),
        cmocka_unit_test(what_does_not_authenticate_is_wiped),
        cmocka_unit_test(strangers_leave_nothing_in_the_error_queue),
        cmocka_unit_test(lengths_that_cannot_be_are_refused),
    };
    return cmocka_run_group_tests_name("prio/seal", tests, setup, teardown);
}
