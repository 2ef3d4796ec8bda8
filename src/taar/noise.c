/* SPDX-License-Identifier: MPL-2.0 */
#include "taar/noise.h"

#include "base/secret.h"

#include <math.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { POOL_WORDS = 512, KEY_BYTES = 32, GRID_BITS = 40 };

struct noise {
    EVP_CIPHER_CTX *seeded; // NULL: the private generator
    uint64_t pool[POOL_WORDS];
    size_t used;
    bool failed; // draws are void from then on
};

static bool start_seeded(struct noise *n, uint64_t seed)
{
    static const char label[] = "weir taar locale noise";
    uint8_t text[sizeof label + sizeof seed], key[KEY_BYTES];
    static const uint8_t counter[16] = {0};
    memcpy(text, label, sizeof label);
    for (size_t i = 0; i < sizeof seed; i++)
        text[sizeof label + i] = (uint8_t)(seed >> (8 * i));
    n->seeded = EVP_CIPHER_CTX_new();
    return n->seeded && EVP_Digest(text, sizeof text, key, NULL, EVP_sha256(), NULL) == 1 &&
           EVP_EncryptInit_ex2(n->seeded, EVP_chacha20(), key, counter, NULL) == 1;
}

int noise_open(struct noise **out, const uint64_t *seed, struct err *err)
{
    struct noise *n = calloc(1, sizeof *n);
    *out = n;
    if (!n)
        return err_set(err, E_NOMEM, 0, "no memory for noise");
    n->used = POOL_WORDS;
    if (!seed || start_seeded(n, *seed))
        return 0;
    noise_close(n);
    *out = NULL;
    return err_set(err, E_CRYPTO, 0, "OpenSSL cannot set up ChaCha20");
}

void noise_close(struct noise *n)
{
    if (!n)
        return;
    EVP_CIPHER_CTX_free(n->seeded);
    secret_wipe(n, sizeof *n);
    free(n);
}

static bool refill(struct noise *n)
{
    int len = 0;
    n->used = 0;
    if (!n->seeded)
        return RAND_priv_bytes((unsigned char *)n->pool, sizeof n->pool) == 1;
    memset(n->pool, 0, sizeof n->pool);
    return EVP_EncryptUpdate(n->seeded, (unsigned char *)n->pool, &len,
                             (const unsigned char *)n->pool, sizeof n->pool) == 1;
}

static uint64_t draw_word(struct noise *n)
{
    if (n->used == POOL_WORDS && !n->failed)
        n->failed = !refill(n);
    return n->failed ? 0 : n->pool[n->used++];
}

/* Below bound, which is not 0, each value as likely. */
static uint64_t draw_below(struct noise *n, uint64_t bound)
{
    uint64_t mask = bound - 1, x;
    for (unsigned shift = 1; shift < 64; shift *= 2)
        mask |= mask >> shift;
    do
        x = draw_word(n) & mask;
    while (x >= bound);
    return x;
}

/* True with probability exp(-a / b), where a <= b. */
static bool draw_exp(struct noise *n, uint64_t a, uint64_t b)
{
    uint64_t k = 1;
    while (draw_below(n, b * k) < a && !n->failed)
        k++;
    return k % 2 == 1;
}

/* P(k) ~ exp(-|k| / t). */
static double draw_steps(struct noise *n, uint64_t t)
{
    for (;;) {
        const uint64_t u = draw_below(n, t);
        if (!draw_exp(n, u, t) && !n->failed)
            continue;
        uint64_t v = 0;
        while (!n->failed && draw_exp(n, 1, 1))
            v++;
        const double steps = (double)v * (double)t + (double)u;
        const bool minus = draw_below(n, 2) == 1;
        if (n->failed || !minus || steps > 0) // there is one zero, not two
            return minus ? -steps : steps;
    }
}

int noise_draw(struct noise *n, double scale, double *x, struct err *err)
{
    int exponent;
    if (!(scale >= NOISE_SCALE_MIN && scale <= NOISE_SCALE_MAX))
        return err_set(err, E_ARG, 0, "noise of scale %g is out of range", scale);
    const double fraction = frexp(scale, &exponent);
    const int grid = exponent > GRID_BITS ? 0 : exponent - GRID_BITS; // counts lie on the grid
    const double t = ceil(ldexp(fraction, exponent - grid)) + 1;
    *x = ldexp(draw_steps(n, (uint64_t)t), grid);
    return n->failed ? err_set(err, E_CRYPTO, 0, "OpenSSL gave no random bytes") : 0;
}
