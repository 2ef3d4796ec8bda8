/* SPDX-License-Identifier: MPL-2.0 */
#include "base/secret.h"
#include "codec/hex.h"
#include "prio/suite.h"
#include "weir/prio.h"

#include <openssl/evp.h>
#include <string.h>

_Static_assert(PRIO_KEY_HEX_BYTES == 2 * PRIO_KEY_BYTES + 1, "hex text of a key");

int prio_keygen(uint8_t private_key[PRIO_KEY_BYTES], uint8_t public_key[PRIO_KEY_BYTES])
{
    if (private_key == NULL || public_key == NULL)
        return PRIO_E_ARG;
    uint8_t fresh[PRIO_KEY_BYTES], public[PRIO_KEY_BYTES];
    int r = suite_random(fresh, sizeof fresh);
    if (r == PRIO_OK)
        r = prio_public_key(public, fresh);
    if (r == PRIO_OK) {
        memcpy(private_key, fresh, sizeof fresh);
        memcpy(public_key, public, sizeof public);
    }
    secret_wipe(fresh, sizeof fresh);
    return r;
}

int prio_public_key(uint8_t public_key[PRIO_KEY_BYTES], const uint8_t private_key[PRIO_KEY_BYTES])
{
    if (public_key == NULL || private_key == NULL)
        return PRIO_E_ARG;
    size_t len = PRIO_KEY_BYTES;
    EVP_PKEY *key =
        EVP_PKEY_new_raw_private_key_ex(NULL, "X25519", NULL, private_key, PRIO_KEY_BYTES);
    const bool ok = key != NULL && EVP_PKEY_get_raw_public_key(key, public_key, &len) == 1;
    EVP_PKEY_free(key);
    return ok ? PRIO_OK : PRIO_E_CRYPTO;
}

int prio_key_from_hex(uint8_t key[PRIO_KEY_BYTES], const char *hex, size_t len)
{
    uint8_t bytes[PRIO_KEY_BYTES];
    if (key == NULL || hex == NULL)
        return PRIO_E_ARG;
    if (!hex_decode(bytes, sizeof bytes, hex, len))
        return PRIO_E_KEY;
    memcpy(key, bytes, sizeof bytes);
    secret_wipe(bytes, sizeof bytes);
    return PRIO_OK;
}

void prio_key_to_hex(char hex[PRIO_KEY_HEX_BYTES], const uint8_t key[PRIO_KEY_BYTES])
{
    hex_encode(hex, key, PRIO_KEY_BYTES);
}

int prio_shared_secret(uint8_t secret[PRIO_SECRET_BYTES])
{
    return secret == NULL ? PRIO_E_ARG : suite_random(secret, PRIO_SECRET_BYTES);
}
