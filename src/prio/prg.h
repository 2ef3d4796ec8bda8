/* prg.h - the pseudo-random generator: AES-128-CTR key streams, and field elements drawn from them
 * (section 3). */
#pragma once

#include "base/span.h"
#include "prio/kernels/vec.h"
#include "prio/suite.h"

enum { PRG_ATTEMPT_BYTES = 12, PRG_SEED_BYTES = 16 };

struct prg { // one per thread; reused for stream after stream
    const struct suite *suite;
    EVP_CIPHER_CTX *ctr;
    EVP_MD_CTX *md;
    uint8_t *stream; // one chunk and VEC_SLACK
};

int prg_init(struct prg *g, const struct suite *suite);
void prg_deinit(struct prg *g);

/**
 * Begin PRG(seed, batch). The AES key is SHA-256(seed || batch) cut to 16 bytes, or the seed itself
 * with PRIO_PRG_LEGACY. Source: prio-v1.md sections 3 and 13.
 */
int prg_start(struct prg *g, enum prio_prg kind, const uint8_t seed[PRG_SEED_BYTES],
              struct span batch);

/**
 * The first n field elements of the stream, right after prg_start. The rest of the last chunk is
 * lost, so the stream is then used up. Shape: out has VEC_PAD elements behind [n].
 */
int prg_expand(struct prg *g, const struct vec_ops *ops, struct fvec out, size_t n);

/** The next number below max: twelve bytes an attempt. Range: 2^87 <= max <= p, the only case that
 * occurs. */
int prg_draw(struct prg *g, uint128 max, uint128 *out);
