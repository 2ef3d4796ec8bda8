/* SPDX-License-Identifier: MPL-2.0 */
#include "codec/hex.h"
#include "fxci/state_internal.h"

#include <string.h>

/* Its length in front, so that two texts cannot run into one another. */
static bool add_text(EVP_MD_CTX *digest, struct span text)
{
    uint8_t len[8];
    for (size_t i = 0; i < sizeof len; i++)
        len[i] = (uint8_t)((uint64_t)text.len >> 8 * i);
    return EVP_DigestUpdate(digest, len, sizeof len) == 1 &&
           EVP_DigestUpdate(digest, text.ptr, text.len) == 1;
}

int state_key_of(struct state *s, struct state_key *key, const struct state_entry *e,
                 struct err *err)
{
    uint8_t hash[EVP_MAX_MD_SIZE];
    const bool good = EVP_DigestInit_ex(s->digest, s->md, NULL) == 1 &&
                      add_text(s->digest, span_str(state_kind_names[e->kind])) &&
                      add_text(s->digest, e->exchange) && add_text(s->digest, e->routing_key) &&
                      add_text(s->digest, span_str(e->table ? e->table : "")) &&
                      add_text(s->digest, e->body) &&
                      EVP_DigestFinal_ex(s->digest, hash, NULL) == 1;
    if (!good)
        return err_set(err, E_CRYPTO, 0, "SHA-256 failed");
    memcpy(key->bytes, hash, sizeof key->bytes);
    return 0;
}

void state_key_text(char id[STATE_ID_BYTES], const struct state_key *key)
{
    hex_encode(id, key->bytes, sizeof key->bytes);
    for (char *p = id; *p; p++)
        if (*p >= 'A' && *p <= 'F')
            *p = (char)(*p - 'A' + 'a');
}

bool state_key_read(struct state_key *key, const char *id)
{
    return hex_decode(key->bytes, sizeof key->bytes, id, strlen(id));
}
