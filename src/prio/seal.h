/* seal.h - public-key encryption of packets: X25519, ANSI X9.63 KDF, AES-128-GCM (section 4). */
#pragma once

#include "prio/suite.h"

enum {
    SEAL_KEY_BYTES = 32,
    SEAL_IV_BYTES = 12,
    SEAL_TAG_BYTES = 16,
    SEAL_HEAD_BYTES = SEAL_KEY_BYTES + SEAL_IV_BYTES,
    SEAL_BYTES = SEAL_HEAD_BYTES + SEAL_TAG_BYTES,
    SEAL_PLAIN_LIMIT = 268435455, // plaintexts are shorter than this
};

struct sealing { // what both directions keep per thread
    const struct suite *suite;
    EVP_CIPHER_CTX *gcm;
    EVP_MD_CTX *md;
};

struct opener { // one per thread
    struct sealing s;
    EVP_PKEY *private_key;
    EVP_PKEY_CTX *derive; // the private key's side, kept from record to record
    EVP_PKEY *sender;     // overwritten with each record's ephemeral key
};

struct sealer { // one per thread
    struct sealing s;
    EVP_PKEY *recipient, *base;
    EVP_PKEY_CTX *import;
};

int opener_init(struct opener *o, const struct suite *suite,
                const uint8_t private_key[SEAL_KEY_BYTES]);
void opener_deinit(struct opener *o);
/**
 * Decrypt a share of len bytes into plain, which holds len - SEAL_BYTES bytes and may be where the
 * ciphertext is, i.e. share + SEAL_HEAD_BYTES.
 * @return PRIO_OK, PRIO_REJECT_DECRYPT (plain is wiped) or PRIO_E_CRYPTO.
 */
int opener_open(struct opener *o, uint8_t *plain, const uint8_t *share, size_t len);

int sealer_init(struct sealer *s, const struct suite *suite,
                const uint8_t public_key[SEAL_KEY_BYTES]);
void sealer_deinit(struct sealer *s);
/** out: len + SEAL_BYTES bytes, not overlapping plain. @return PRIO_OK, PRIO_E_KEY (recipient of
 * low order) or PRIO_E_CRYPTO. */
int sealer_seal(struct sealer *s, uint8_t *out, const uint8_t *plain, size_t len);
/** The same with a given ephemeral private key and IV, for test vectors. Never use a pair twice. */
int sealer_seal_with(struct sealer *s, uint8_t *out, const uint8_t *plain, size_t len,
                     const uint8_t ephemeral[SEAL_KEY_BYTES], const uint8_t iv[SEAL_IV_BYTES]);
