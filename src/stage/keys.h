/* keys.h - from the texts of options to keys, secrets and the handles that need them. */
#pragma once

#include "base/opts.h"
#include "weir/prio.h"

/*
 * As the user gives them, borrowed. Errors name the options --private-key-hex, --shared-secret,
 * --public-key-hex-internal and --public-key-hex-external, and never show a secret.
 */
struct key_texts {
    const struct opt_secret *private_key;   // 64 hex digits; servers only
    const struct opt_secret *shared_secret; // base64 of 16 bytes; servers only
    const char *public_internal;            // 64 hex digits: a server's own, a client's A
    const char *public_external;            // 64 hex digits: the peer's, a client's B
};

/* All that identifies a server. */
struct server_keys {
    uint8_t private_key[PRIO_KEY_BYTES];
    uint8_t secret[PRIO_SECRET_BYTES];
    uint8_t public_key[PRIO_KEY_BYTES], peer_key[PRIO_KEY_BYTES];
};

/** For CLEANUP. */
void server_keys_wipe(struct server_keys *keys);
/** Check all four texts, also that the own halves belong together. @return 0, E_FORMAT or E_*. */
MUST_CHECK int server_keys_read(struct server_keys *keys, const struct key_texts *texts,
                                struct err *err);
/** The private key alone; the caller wipes it. @return 0 or E_FORMAT. */
MUST_CHECK int private_key_read(uint8_t key[PRIO_KEY_BYTES], const struct opt_secret *text,
                                struct err *err);

/** n_data: 1..PRIO_MAX_DATA. cpu: level as in WEIR_CPU, NULL or "": all. @return 0, E_ARG or E_*.
 */
MUST_CHECK int batch_from_options(struct prio_batch **out, const char *batch_id, size_t n_data,
                                  enum prio_prg prg, const char *cpu, struct err *err);
MUST_CHECK int client_from_texts(struct prio_client **out, const struct prio_batch *batch,
                                 const struct key_texts *texts, struct err *err);
MUST_CHECK int server_from_keys(struct prio_server **out, const struct prio_batch *batch,
                                const struct server_keys *keys, enum prio_role role,
                                enum prio_points points, struct err *err);
