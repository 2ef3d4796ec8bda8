/* floor.h - what cannot be avoided for a record, with libcrypto or our fastest kernels alone. Each
 * call goes once over all records of a fixture. */
#pragma once

#include "fixture.h"

#include <openssl/evp.h>

struct floor {
    const struct fixture *f;
    EVP_PKEY_CTX *derive[ROLES];
    EVP_PKEY *base;            // the base point of Curve25519
    EVP_PKEY **senders[ROLES]; // the ephemeral key of each record
    uint8_t (*tags)[16];       // of A's records under the floor's own key
    EVP_CIPHER *gcm, *ctr;
    EVP_CIPHER_CTX *cipher;
    uint8_t *out;
};

void floor_init(struct floor *w, const struct fixture *f);
void floor_deinit(struct floor *w);

/** One X25519 derivation a record, in a kept context. */
void floor_derive(struct floor *w, enum prio_role role);
/** AES-128-GCM decryption of each record for A. */
void floor_gcm_open(struct floor *w);
/** AES-128-CTR of as many bytes as the expansion of a seed uses on average. */
void floor_ctr(struct floor *w);
/** Base64 decoding of each payload. */
void floor_base64_decode(struct floor *w, enum prio_role role);

/** Two public keys a record, each derived from the base point: libcrypto's own key generation takes
 * longer. */
void floor_keygen(struct floor *w);
/** AES-128-GCM encryption of packets as long as each record's two. */
void floor_gcm_seal(struct floor *w);
/** Base64 encoding of both shares of each record. */
void floor_base64_encode(struct floor *w);
