/* SPDX-License-Identifier: MPL-2.0 */
#include "prio/prg.h"

#include "base/secret.h"

#include <stdlib.h>

/* Small enough that the stream is sampled out of the first-level cache, large enough that a call's
 * overhead does not count. */
enum { CHUNK_ATTEMPTS = 1024, CHUNK_BYTES = CHUNK_ATTEMPTS * PRG_ATTEMPT_BYTES };

static const uint8_t zeros[CHUNK_BYTES];

int prg_init(struct prg *g, const struct suite *suite)
{
    *g = (struct prg){.suite = suite,
                      .ctr = EVP_CIPHER_CTX_new(),
                      .md = EVP_MD_CTX_new(),
                      .stream = calloc(1, CHUNK_BYTES + VEC_SLACK)};
    if (g->ctr && g->md && g->stream)
        return PRIO_OK;
    prg_deinit(g);
    return PRIO_E_NOMEM;
}

void prg_deinit(struct prg *g)
{
    EVP_CIPHER_CTX_free(g->ctr);
    EVP_MD_CTX_free(g->md);
    if (g->stream != NULL)
        secret_wipe(g->stream, CHUNK_BYTES);
    free(g->stream);
    *g = (struct prg){0};
}

int prg_start(struct prg *g, enum prio_prg kind, const uint8_t seed[PRG_SEED_BYTES],
              struct span batch)
{
    static const uint8_t first_block[16];
    uint8_t key[16];
    const uint8_t *aes_key = seed;
    if (kind == PRIO_PRG_HASHED) {
        const int r =
            suite_digest16(g->suite, g->md, key, seed, PRG_SEED_BYTES, batch.ptr, batch.len);
        if (r != PRIO_OK)
            return r;
        aes_key = key;
    }
    const int ok = EVP_EncryptInit_ex2(g->ctr, g->suite->ctr, aes_key, first_block, NULL);
    secret_wipe(key, sizeof key);
    return ok == 1 ? PRIO_OK : PRIO_E_CRYPTO;
}

static int next_bytes(struct prg *g, size_t n)
{
    int written = 0;
    const int ok = EVP_EncryptUpdate(g->ctr, g->stream, &written, zeros, (int)n);
    return ok == 1 && (size_t)written == n ? PRIO_OK : PRIO_E_CRYPTO;
}

int prg_expand(struct prg *g, const struct vec_ops *ops, struct fvec out, size_t n)
{
    for (size_t done = 0; done < n;) {
        // Half of the attempts are rejected; 64 more make a second small chunk rare. A multiple of
        // 4 ends on an AES block.
        const size_t likely = (2 * (n - done) + 64) / 4 * 4;
        const size_t attempts = likely < CHUNK_ATTEMPTS ? likely : CHUNK_ATTEMPTS;
        const int r = next_bytes(g, attempts * PRG_ATTEMPT_BYTES);
        if (r != PRIO_OK)
            return r;
        done += ops->sample(fvec_at(out, done), n - done, g->stream, attempts);
    }
    return PRIO_OK;
}

int prg_draw(struct prg *g, uint128 max, uint128 *out)
{
    uint128 v;
    do {
        const int r = next_bytes(g, PRG_ATTEMPT_BYTES);
        if (r != PRIO_OK)
            return r;
        v = g->stream[11];
        for (int i = 1; i < FIELD_BYTES; i++)
            v = (v << 8) | g->stream[i];
    } while (v >= max);
    *out = v;
    return PRIO_OK;
}
