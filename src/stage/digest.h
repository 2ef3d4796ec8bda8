/* digest.h - short keyed digests of ids and ciphertexts, for telling records apart. */
#pragma once

#include "base/span.h"
#include "codec/record.h"
#include "stage/table.h"

enum { DIGEST_KEY_BYTES = 16 };

/*
 * Fresh for each run, or derived from a server's private key where digests must outlive the
 * process, so that nobody can prepare ids that collide or that fill one corner of a table. With 95
 * bits left, two of 2^32 records collide with probability 2^-32.
 */
struct digest_key {
    uint8_t bytes[DIGEST_KEY_BYTES];
};

/** @return 0 or E_CRYPTO. */
MUST_CHECK int digest_key_random(struct digest_key *key, struct err *err);

struct digester; // SipHash-2-4 with 128-bit output; one thread at a time
MUST_CHECK int digester_new(struct digester **out, const struct digest_key *key, struct err *err);
void digester_free(struct digester *d);
DEFINE_FREEP(struct digester, digester_free)

/** Of an id and its JSON type: the number 1 and the string "1" differ. @return 0 or E_CRYPTO. */
MUST_CHECK int digester_id(struct digester *d, struct digest *out, enum record_id kind,
                           struct span id, struct err *err);

/**
 * Of what makes a ciphertext unique: ephemeral key, IV and tag (prio-v1.md 16.2). The tag depends
 * on every other byte, and only shares that authenticate are compared.
 * Shape: share has at least PRIO_SEAL_BYTES bytes. @return 0 or E_CRYPTO.
 */
MUST_CHECK int digester_share(struct digester *d, struct digest *out, struct span share,
                              struct err *err);
