/* SPDX-License-Identifier: MPL-2.0 */
#include "stage/digest.h"

#include "base/secret.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <stdlib.h>

enum { MAC_BYTES = 16, SEAL_HEAD_BYTES = 32 + 12, SEAL_TAG_BYTES = 16 };

struct digester {
    EVP_MAC *mac;
    EVP_MAC_CTX *ctx;
    struct digest_key key;
};

int digest_key_random(struct digest_key *key, struct err *err)
{
    if (RAND_bytes(key->bytes, sizeof key->bytes) != 1)
        return err_set(err, E_CRYPTO, 0, "no random numbers from libcrypto");
    return 0;
}

int digester_new(struct digester **out, const struct digest_key *key, struct err *err)
{
    CLEANUP(digester_freep) struct digester *d = calloc(1, sizeof *d);
    if (!d)
        return err_set(err, E_NOMEM, 0, "no memory for a digest");
    d->key = *key;
    d->mac = EVP_MAC_fetch(NULL, "SIPHASH", NULL);
    d->ctx = d->mac ? EVP_MAC_CTX_new(d->mac) : NULL;
    size_t mac_bytes = MAC_BYTES;
    const OSSL_PARAM params[] = {OSSL_PARAM_construct_size_t(OSSL_MAC_PARAM_SIZE, &mac_bytes),
                                 OSSL_PARAM_construct_end()};
    if (!d->ctx || EVP_MAC_CTX_set_params(d->ctx, params) != 1)
        return err_set(err, E_CRYPTO, 0, "libcrypto lacks SipHash");
    *out = d;
    d = NULL;
    return 0;
}

void digester_free(struct digester *d)
{
    if (!d)
        return;
    EVP_MAC_CTX_free(d->ctx);
    EVP_MAC_free(d->mac);
    secret_wipe(&d->key, sizeof d->key);
    free(d);
}

static int digest_two(struct digester *d, struct digest *out, struct span a, struct span b,
                      struct err *err)
{
    uint8_t mac[MAC_BYTES];
    size_t len = 0;
    // OpenSSL 3.0's SipHash starts over only when the key is given again.
    if (EVP_MAC_init(d->ctx, d->key.bytes, sizeof d->key.bytes, NULL) != 1 ||
        EVP_MAC_update(d->ctx, a.ptr, a.len) != 1 || EVP_MAC_update(d->ctx, b.ptr, b.len) != 1 ||
        EVP_MAC_final(d->ctx, mac, &len, sizeof mac) != 1 || len != sizeof mac)
        return err_set(err, E_CRYPTO, 0, "SipHash failed");
    memcpy(out->bytes, mac, DIGEST_BYTES);
    out->bytes[DIGEST_BYTES - 1] |= 1; // never all zeros, which marks an empty slot
    return 0;
}

int digester_id(struct digester *d, struct digest *out, enum record_id kind, struct span id,
                struct err *err)
{
    const uint8_t tag = (uint8_t)kind;
    return digest_two(d, out, span_of(&tag, 1), id, err);
}

int digester_share(struct digester *d, struct digest *out, struct span share, struct err *err)
{
    return digest_two(d, out, span_of(share.ptr, SEAL_HEAD_BYTES),
                      span_of(share.ptr + share.len - SEAL_TAG_BYTES, SEAL_TAG_BYTES), err);
}
