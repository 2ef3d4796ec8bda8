/* client.h - the inside of encoding: a submission from its random values, for the encoder, test
 * vectors and cheaters. */
#pragma once

#include "prio/batch.h"
#include "prio/ntt.h"
#include "prio/prg.h"
#include "prio/seal.h"
#include "prio/wire.h"

/* Everything a client draws at random but for the sealing (section 5). Secret. */
struct client_random {
    uint8_t seed[PRG_SEED_BYTES];
    struct fe a_a, b_a, a_b, b_b, c_b; // shares of the Beaver triple
    struct fe f0, g0;
    struct fe f0_a, g0_a, h0_a; // A's shares
};

struct prio_client { // immutable
    const struct prio_batch *batch;
    struct ntt ntt;
    struct fvec u_odd;  // L_1 + .. + L_n on the odd 2N-th roots
    struct fvec l0_odd; // L_0 there
    uint8_t key_a[SEAL_KEY_BYTES], key_b[SEAL_KEY_BYTES];
};

struct prio_encoder {
    const struct prio_client *client;
    struct prg prg;
    struct sealer to_a, to_b;
    struct fvec f, h;   // [N]
    struct fvec shares; // [n + N]: first B's, then A's
    uint8_t *bits;      // [n], for integers
    uint8_t *plain_a, *plain_b;
    size_t plain_a_len, plain_b_len;
    uint8_t *share_a, *share_b;
};

/** Fresh uniform values. @return PRIO_OK or PRIO_E_CRYPTO. */
int client_random_draw(struct client_random *random);

/**
 * The two plaintext packets, in encoder->plain_a and plain_b. values: [n], one byte each, taken as
 * they are: a value other than 0 and 1 gives a submission whose proof does not hold. Source:
 * prio-v1.md section 5, and hint 16 (b) for g.
 */
int client_make_packets(struct prio_encoder *encoder, const uint8_t *values,
                        const struct client_random *random);
