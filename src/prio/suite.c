/* SPDX-License-Identifier: MPL-2.0 */
#include "prio/suite.h"

#include "base/secret.h"

#include <openssl/rand.h>
#include <string.h>

int suite_init(struct suite *s)
{
    *s = (struct suite){
        .ctr = EVP_CIPHER_fetch(NULL, "AES-128-CTR", NULL),
        .gcm = EVP_CIPHER_fetch(NULL, "AES-128-GCM", NULL),
        .sha256 = EVP_MD_fetch(NULL, "SHA2-256", NULL),
    };
    if (s->ctr && s->gcm && s->sha256)
        return PRIO_OK;
    suite_deinit(s);
    return PRIO_E_CRYPTO;
}

void suite_deinit(struct suite *s)
{
    EVP_CIPHER_free(s->ctr);
    EVP_CIPHER_free(s->gcm);
    EVP_MD_free(s->sha256);
    *s = (struct suite){0};
}

int suite_digest16(const struct suite *s, EVP_MD_CTX *md, uint8_t out[16], const void *first,
                   size_t first_len, const void *second, size_t second_len)
{
    uint8_t digest[32];
    const bool ok = EVP_DigestInit_ex2(md, s->sha256, NULL) == 1 &&
                    EVP_DigestUpdate(md, first, first_len) == 1 &&
                    EVP_DigestUpdate(md, second, second_len) == 1 &&
                    EVP_DigestFinal_ex(md, digest, NULL) == 1;
    if (ok)
        memcpy(out, digest, 16);
    secret_wipe(digest, sizeof digest);
    return ok ? PRIO_OK : PRIO_E_CRYPTO;
}

int suite_random(void *out, size_t n)
{
    return RAND_priv_bytes_ex(NULL, out, n, 0) == 1 ? PRIO_OK : PRIO_E_CRYPTO;
}
