/* SPDX-License-Identifier: MPL-2.0 */
#include "prio/seal.h"

#include "base/secret.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <string.h>

enum { AAD_BYTES = 10 + SEAL_HEAD_BYTES };

static const uint8_t base_point[SEAL_KEY_BYTES] = {9}; // of Curve25519: RFC 7748, section 4.1

static int sealing_init(struct sealing *s, const struct suite *suite)
{
    *s = (struct sealing){.suite = suite, .gcm = EVP_CIPHER_CTX_new(), .md = EVP_MD_CTX_new()};
    return s->gcm && s->md ? PRIO_OK : PRIO_E_NOMEM;
}

static void sealing_deinit(struct sealing *s)
{
    EVP_CIPHER_CTX_free(s->gcm);
    EVP_MD_CTX_free(s->md);
    *s = (struct sealing){0};
}

/*
 * The shared secret of ctx's private key and peer. The peer key is not validated separately:
 * libcrypto's own check would cost a second derivation, and X25519 needs none but that of the
 * all-zero result, which derivation itself refuses.
 */
static int agree(EVP_PKEY_CTX *ctx, EVP_PKEY *peer, uint8_t z[SEAL_KEY_BYTES])
{
    size_t len = SEAL_KEY_BYTES;
    if (EVP_PKEY_derive_set_peer_ex(ctx, peer, 0) != 1)
        return PRIO_E_CRYPTO;
    if (EVP_PKEY_derive(ctx, z, &len) != 1 || len != SEAL_KEY_BYTES)
        return PRIO_E_KEY;
    return PRIO_OK;
}

/** head: ephemeral public key and IV as they stand in the share. Readies s->gcm with key, IV and
 * AAD. */
static int start_gcm(struct sealing *s, const uint8_t z[SEAL_KEY_BYTES],
                     const uint8_t head[SEAL_HEAD_BYTES], int encrypt)
{
    static const uint8_t counter[4] = {0, 0, 0, 1}; // X9.63: first and only block
    uint8_t key[16];
    uint8_t aad[AAD_BYTES];
    int written = 0;

    int r = suite_digest16(s->suite, s->md, key, z, SEAL_KEY_BYTES, counter, sizeof counter);
    memcpy(aad, "PrioPacket", 10);
    memcpy(aad + 10, head, SEAL_HEAD_BYTES);
    if (r == PRIO_OK && (EVP_CipherInit_ex2(s->gcm, s->suite->gcm, key, head + SEAL_KEY_BYTES,
                                            encrypt, NULL) != 1 ||
                         EVP_CipherUpdate(s->gcm, NULL, &written, aad, sizeof aad) != 1))
        r = PRIO_E_CRYPTO;
    secret_wipe(key, sizeof key);
    return r;
}

static EVP_PKEY *public_half(const uint8_t key[SEAL_KEY_BYTES])
{
    return EVP_PKEY_new_raw_public_key_ex(NULL, "X25519", NULL, key, SEAL_KEY_BYTES);
}

int opener_init(struct opener *o, const struct suite *suite,
                const uint8_t private_key[SEAL_KEY_BYTES])
{
    *o = (struct opener){0};
    int r = sealing_init(&o->s, suite);
    if (r == PRIO_OK) {
        o->private_key =
            EVP_PKEY_new_raw_private_key_ex(NULL, "X25519", NULL, private_key, SEAL_KEY_BYTES);
        if (o->private_key != NULL)
            o->derive = EVP_PKEY_CTX_new_from_pkey(NULL, o->private_key, NULL);
        o->sender = public_half(base_point);
        if (o->derive == NULL || EVP_PKEY_derive_init(o->derive) != 1 || o->sender == NULL)
            r = PRIO_E_CRYPTO;
    }
    if (r != PRIO_OK)
        opener_deinit(o);
    return r;
}

void opener_deinit(struct opener *o)
{
    EVP_PKEY_CTX_free(o->derive);
    EVP_PKEY_free(o->sender);
    EVP_PKEY_free(o->private_key);
    sealing_deinit(&o->s);
    *o = (struct opener){0};
}

static int decrypt_body(struct sealing *s, uint8_t *plain, const uint8_t *share, size_t len)
{
    const size_t body = len - SEAL_BYTES;
    int written = 0, last = 0;
    uint8_t tag[SEAL_TAG_BYTES], none[16];
    memcpy(tag, share + len - SEAL_TAG_BYTES, sizeof tag);
    if (body > 0 &&
        EVP_DecryptUpdate(s->gcm, plain, &written, share + SEAL_HEAD_BYTES, (int)body) != 1)
        return PRIO_E_CRYPTO;
    if (EVP_CIPHER_CTX_ctrl(s->gcm, EVP_CTRL_AEAD_SET_TAG, sizeof tag, tag) != 1)
        return PRIO_E_CRYPTO;
    if (EVP_DecryptFinal_ex(s->gcm, none, &last) != 1) {
        secret_wipe(plain, body);
        return PRIO_REJECT_DECRYPT;
    }
    return PRIO_OK;
}

int opener_open(struct opener *o, uint8_t *plain, const uint8_t *share, size_t len)
{
    if (len < SEAL_BYTES || len - SEAL_BYTES >= SEAL_PLAIN_LIMIT)
        return PRIO_REJECT_DECRYPT;
    uint8_t z[SEAL_KEY_BYTES];
    ERR_set_mark(); // a stranger's bad record must not pile up in the caller's error queue
    int r = PRIO_E_CRYPTO;
    if (EVP_PKEY_set1_encoded_public_key(o->sender, share, SEAL_KEY_BYTES) == 1)
        r = agree(o->derive, o->sender, z);
    if (r == PRIO_E_KEY)
        r = PRIO_REJECT_DECRYPT;
    if (r == PRIO_OK)
        r = start_gcm(&o->s, z, share, 0);
    if (r == PRIO_OK)
        r = decrypt_body(&o->s, plain, share, len);
    ERR_pop_to_mark();
    secret_wipe(z, sizeof z);
    return r;
}

int sealer_init(struct sealer *s, const struct suite *suite,
                const uint8_t public_key[SEAL_KEY_BYTES])
{
    *s = (struct sealer){0};
    int r = sealing_init(&s->s, suite);
    if (r == PRIO_OK) {
        s->recipient = public_half(public_key);
        s->base = public_half(base_point);
        s->import = EVP_PKEY_CTX_new_from_name(NULL, "X25519", NULL);
        if (s->recipient == NULL || s->base == NULL || s->import == NULL ||
            EVP_PKEY_fromdata_init(s->import) != 1)
            r = PRIO_E_CRYPTO;
    }
    if (r != PRIO_OK)
        sealer_deinit(s);
    return r;
}

void sealer_deinit(struct sealer *s)
{
    EVP_PKEY_CTX_free(s->import);
    EVP_PKEY_free(s->base);
    EVP_PKEY_free(s->recipient);
    sealing_deinit(&s->s);
    *s = (struct sealer){0};
}

static int encrypt_body(struct sealing *s, uint8_t *out, const uint8_t *plain, size_t len)
{
    int written = 0, last = 0;
    uint8_t none[16];
    if (len > 0 && EVP_EncryptUpdate(s->gcm, out + SEAL_HEAD_BYTES, &written, plain, (int)len) != 1)
        return PRIO_E_CRYPTO;
    if (EVP_EncryptFinal_ex(s->gcm, none, &last) != 1 ||
        EVP_CIPHER_CTX_ctrl(s->gcm, EVP_CTRL_AEAD_GET_TAG, SEAL_TAG_BYTES,
                            out + SEAL_HEAD_BYTES + len) != 1)
        return PRIO_E_CRYPTO;
    return PRIO_OK;
}

/*
 * A derivation context for a private key. Its public half is not computed but claimed to be the
 * base point, since nobody asks for it here: libcrypto's own way to a public key takes longer than
 * a derivation.
 */
static EVP_PKEY_CTX *derivation_for(struct sealer *s, const uint8_t key[SEAL_KEY_BYTES])
{
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PRIV_KEY, (void *)(uintptr_t)key,
                                          SEAL_KEY_BYTES),
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, (void *)(uintptr_t)base_point,
                                          SEAL_KEY_BYTES),
        OSSL_PARAM_construct_end(),
    };
    EVP_PKEY *pkey = NULL;
    if (EVP_PKEY_fromdata(s->import, &pkey, EVP_PKEY_KEYPAIR, params) != 1)
        return NULL;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);
    EVP_PKEY_free(pkey); // ctx holds it
    if (ctx != NULL && EVP_PKEY_derive_init(ctx) == 1)
        return ctx;
    EVP_PKEY_CTX_free(ctx);
    return NULL;
}

/* out's IV is already in its place. */
static int seal_from(struct sealer *s, uint8_t *out, const uint8_t *plain, size_t len,
                     const uint8_t ephemeral[SEAL_KEY_BYTES])
{
    uint8_t z[SEAL_KEY_BYTES];
    ERR_set_mark();
    EVP_PKEY_CTX *derive = derivation_for(s, ephemeral);
    int r = derive != NULL ? PRIO_OK : PRIO_E_CRYPTO;
    if (r == PRIO_OK)
        r = agree(derive, s->base, out); // the ephemeral public key
    if (r == PRIO_OK)
        r = agree(derive, s->recipient, z);
    if (r == PRIO_OK)
        r = start_gcm(&s->s, z, out, 1);
    if (r == PRIO_OK)
        r = encrypt_body(&s->s, out, plain, len);
    ERR_pop_to_mark();
    EVP_PKEY_CTX_free(derive);
    secret_wipe(z, sizeof z);
    return r;
}

int sealer_seal(struct sealer *s, uint8_t *out, const uint8_t *plain, size_t len)
{
    uint8_t random[SEAL_KEY_BYTES + SEAL_IV_BYTES];
    int r = suite_random(random, sizeof random);
    if (r == PRIO_OK)
        r = sealer_seal_with(s, out, plain, len, random, random + SEAL_KEY_BYTES);
    secret_wipe(random, sizeof random);
    return r;
}

int sealer_seal_with(struct sealer *s, uint8_t *out, const uint8_t *plain, size_t len,
                     const uint8_t ephemeral[SEAL_KEY_BYTES], const uint8_t iv[SEAL_IV_BYTES])
{
    if (len >= SEAL_PLAIN_LIMIT)
        return PRIO_E_ARG;
    memcpy(out + SEAL_KEY_BYTES, iv, SEAL_IV_BYTES);
    return seal_from(s, out, plain, len, ephemeral);
}
