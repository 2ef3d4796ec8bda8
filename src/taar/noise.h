/*
 * noise.h - Laplace noise for counts that are to be private. Source: taar-etl.md 6.
 *
 * The mechanism is the discrete Laplace distribution on a grid of a power of two, near 2^-40 of the
 * scale, and at most 1, so that counts lie on the grid: P(k steps) ~ exp(-|k| / t). It is sampled
 * exactly, with whole numbers only (Canonne, Kamath, Steinke 2020, algorithms 1 and 2), so nothing
 * of the count shows in low bits, as it would with logarithms of doubles. The grid is rounded so
 * that the scale is never below the one that is asked for.
 */
#pragma once

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

struct noise;
/**
 * seed: NULL for OpenSSL's private generator; else ChaCha20 under a key made from it, which is for
 * tests only: whoever knows the seed can take the noise away again.
 * @return 0, E_NOMEM or E_CRYPTO.
 */
MUST_CHECK int noise_open(struct noise **out, const uint64_t *seed, struct err *err);
void noise_close(struct noise *n); // NULL is fine
DEFINE_FREEP(struct noise, noise_close)

#define NOISE_SCALE_MIN 0x1p-40
#define NOISE_SCALE_MAX 0x1p+40
/** *x: a draw of mean 0 and mean absolute value `scale`. @return 0; E_ARG: a scale out of range; or
 * E_CRYPTO: there is no randomness. */
MUST_CHECK int noise_draw(struct noise *n, double scale, double *x, struct err *err);
