/* suite.h - the libcrypto algorithms of Prio v1, fetched once and shared by all threads of a batch.
 */
#pragma once

#include "weir/prio.h"

#include <openssl/evp.h>

struct suite {
    EVP_CIPHER *ctr; // AES-128-CTR
    EVP_CIPHER *gcm; // AES-128-GCM
    EVP_MD *sha256;
};

/** @return PRIO_OK or PRIO_E_CRYPTO (nothing to free). */
int suite_init(struct suite *s);
void suite_deinit(struct suite *s);

/** SHA-256 of one or two pieces, cut to 16 bytes: both key derivations of Prio v1 have this shape.
 */
int suite_digest16(const struct suite *s, EVP_MD_CTX *md, uint8_t out[16], const void *first,
                   size_t first_len, const void *second, size_t second_len);

/** n bytes from libcrypto's private random generator. @return PRIO_OK or PRIO_E_CRYPTO. */
int suite_random(void *out, size_t n);
