/* SPDX-License-Identifier: MPL-2.0 */
/*
 * weir/prio.h - Prio v1: private sums over clients' bits, byte-compatible with libprio.
 *
 * Two servers, A and B, learn how many clients set each of n bits, and nothing else, unless they
 * collude. A client encodes its bits into two sealed shares; each server opens its own, the two
 * exchange a verify1 and a verify2 message per record, add up what proves to be made of bits, and
 * combine their two total shares.
 *
 *     client   prio_batch, prio_client, one prio_encoder a thread: a share for A, a share for B
 *     server   prio_batch, prio_server, one prio_packet a thread: verify1 messages, exchanged,
 *              verify2 messages, exchanged, prio_sum: a total share
 *     anyone   prio_final: both total shares to totals
 *
 * Conventions. Functions return PRIO_OK (0), a negative PRIO_E_* when the call itself failed, or,
 * where documented, a positive PRIO_REJECT_*: a verdict on a stranger's record, which is normal
 * life. On anything but PRIO_OK outputs are untouched, unless stated. The library keeps no global
 * state, never prints, never exits and reads no environment. prio_batch, prio_client and
 * prio_server are immutable after creation and may be shared by threads; every other handle belongs
 * to one thread at a time. A handle borrows the handles and buffers it was made from where the
 * comment says so. Every _free function takes NULL and wipes secrets. No call allocates memory of
 * its own per record once a handle is warm (libcrypto may, for ephemeral keys).
 *
 * Sections are those of the Prio v1 protocol description in docs/prio-v1.md.
 */
#ifndef WEIR_PRIO_H
#define WEIR_PRIO_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define PRIO_API __attribute__((visibility("default")))
#else
#define PRIO_API
#endif

enum prio_status {
    PRIO_OK = 0,
    /* An argument breaks a documented rule. */
    PRIO_E_ARG = -1,
    /* Memory allocation failed. */
    PRIO_E_NOMEM = -2,
    /* libcrypto failed, or an algorithm is missing there. */
    PRIO_E_CRYPTO = -3,
    /* A key cannot be used: of low order, or halves that do not belong together. */
    PRIO_E_KEY = -4,
    /* Values to encode are not bits, or not below 2^precision. */
    PRIO_E_INPUT = -5,
    /* A total does not fit 64 bits: the servers summed different records. */
    PRIO_E_RANGE = -6,

    /* The share does not authenticate under this server's key (section 4). */
    PRIO_REJECT_DECRYPT = 1,
    /* It decrypts, but is no packet for this server, batch and n (section 2). */
    PRIO_REJECT_PARSE = 2,
    /* A verify1, verify2, state or total-share message is malformed (section 10). */
    PRIO_REJECT_PACKET = 3,
    /* The proof does not hold: the client's values are not all 0 or 1. */
    PRIO_REJECT_INVALID = 4
};

/* English text of a status, for messages. Never NULL. */
PRIO_API const char *prio_status_text(int status);

enum prio_role { PRIO_SERVER_A = 0, PRIO_SERVER_B = 1 };

/* How the AES key of a pseudo-random stream is made (sections 3 and 13): SHA-256(seed || batch id),
 * or, before July 2020, the seed. */
enum prio_prg { PRIO_PRG_HASHED = 0, PRIO_PRG_LEGACY = 1 };

/* Which evaluation point a record gets (section 9): the first of the stream for all, or the next
 * one for each opened record. */
enum prio_points { PRIO_POINTS_FIRST = 0, PRIO_POINTS_SEQUENTIAL = 1 };

enum {
    PRIO_MAX_DATA = 262143,    /* bits of a submission, 2^18 - 1 */
    PRIO_MAX_BATCH_ID = 65535, /* bytes */
    PRIO_MAX_PRECISION = 42,   /* bits of an integer */
    PRIO_KEY_BYTES = 32,
    PRIO_KEY_HEX_BYTES = 65, /* with the terminating NUL */
    PRIO_SECRET_BYTES = 16,
    PRIO_SEAL_BYTES = 60, /* what sealing adds to a packet */
    PRIO_VERIFY1_MAX = 24,
    PRIO_VERIFY2_MAX = 12,
    PRIO_POINT_BYTES = 11
};

/* Keys and secrets (section 4). */

/* A fresh X25519 key pair. */
PRIO_API int prio_keygen(uint8_t private_key[PRIO_KEY_BYTES], uint8_t public_key[PRIO_KEY_BYTES]);
/* The public half that belongs to a private key. */
PRIO_API int prio_public_key(uint8_t public_key[PRIO_KEY_BYTES],
                             const uint8_t private_key[PRIO_KEY_BYTES]);
/* 64 hex digits in any case, nothing else. PRIO_E_KEY otherwise. Time: depends on the length only.
 */
PRIO_API int prio_key_from_hex(uint8_t key[PRIO_KEY_BYTES], const char *hex, size_t len);
/* Upper case, NUL-terminated. Time: constant. */
PRIO_API void prio_key_to_hex(char hex[PRIO_KEY_HEX_BYTES], const uint8_t key[PRIO_KEY_BYTES]);
/* A fresh secret for a pair of servers. */
PRIO_API int prio_shared_secret(uint8_t secret[PRIO_SECRET_BYTES]);

/* Batch: what all records of a batch have in common (section 1). */

struct prio_batch;

struct prio_batch_options {
    /* Any bytes but NUL; copied; may be empty. At most PRIO_MAX_BATCH_ID of them. */
    const void *batch_id;
    size_t batch_id_len;
    /* Bits of a submission, 1..PRIO_MAX_DATA. */
    size_t n_data;
    enum prio_prg prg;
    /* SIMD level to use: "c", "avx2", "avx512"; NULL: what is fastest here as a whole. */
    const char *cpu;
    /* Non-zero, for old data only: accept a batch id with NUL bytes as libprio did, everything
     * from the first one on read as NUL (section 11). */
    int read_nul_batch_id;
};

/* PRIO_E_ARG: n_data, batch id, prg or cpu outside their range. */
PRIO_API int prio_batch_new(struct prio_batch **out, const struct prio_batch_options *options);
PRIO_API void prio_batch_free(struct prio_batch *batch);
PRIO_API size_t prio_batch_n_data(const struct prio_batch *batch);
/* N: h points of a packet for A; the smallest power of two >= n_data + 1. */
PRIO_API size_t prio_batch_n_points(const struct prio_batch *batch);
/* Upper bound of the bytes of a share that a client of this batch sends to that server. */
PRIO_API size_t prio_batch_share_max(const struct prio_batch *batch, enum prio_role role);
/* Name of the SIMD level in use: "c", "avx2", "avx512", "avx512ifma". */
PRIO_API const char *prio_batch_cpu(const struct prio_batch *batch);

/* Client (sections 5 and 8). */

struct prio_client;  /* immutable: public keys and transform tables; borrows the batch */
struct prio_encoder; /* one per thread; borrows the client */

/* PRIO_E_KEY: a key of low order, to which nothing can be sealed. */
PRIO_API int prio_client_new(struct prio_client **out, const struct prio_batch *batch,
                             const uint8_t public_key_a[PRIO_KEY_BYTES],
                             const uint8_t public_key_b[PRIO_KEY_BYTES]);
PRIO_API void prio_client_free(struct prio_client *client);
PRIO_API int prio_encoder_new(struct prio_encoder **out, const struct prio_client *client);
PRIO_API void prio_encoder_free(struct prio_encoder *encoder);

/* Borrowed from the encoder until its next call. */
struct prio_shares {
    const uint8_t *a, *b;
    size_t a_len, b_len;
};

/*
 * Encode n_data bits, one byte each. PRIO_E_INPUT when one is neither 0 nor 1.
 * Time: does not depend on which bits are set, but for the lengths of encoded elements.
 */
PRIO_API int prio_encode_bits(struct prio_encoder *encoder, struct prio_shares *out,
                              const uint8_t *bits);
/*
 * Encode n_data / precision integers below 2^precision as bits, most significant first. PRIO_E_ARG:
 * precision outside 1..PRIO_MAX_PRECISION or not a divisor of n_data. PRIO_E_INPUT: a value too
 * large.
 */
PRIO_API int prio_encode_uints(struct prio_encoder *encoder, struct prio_shares *out,
                               const uint64_t *values, unsigned precision);

/* Server (sections 6, 7 and 9). */

struct prio_server; /* immutable: keys, secret, weights of the first evaluation point; borrows the
                       batch */

struct prio_server_options {
    enum prio_role role;
    enum prio_points points;
    const uint8_t *private_key;     /* [PRIO_KEY_BYTES], copied */
    const uint8_t *public_key;      /* own; checked against the private key; NULL: derived */
    const uint8_t *peer_public_key; /* [PRIO_KEY_BYTES]; identifies the pair when sums are merged */
    const uint8_t *shared_secret;   /* [PRIO_SECRET_BYTES], copied */
};

PRIO_API int prio_server_new(struct prio_server **out, const struct prio_batch *batch,
                             const struct prio_server_options *options);
PRIO_API void prio_server_free(struct prio_server *server);

/* An evaluation point r: big-endian, below p. It is secret towards clients until the batch is
 * closed. */
struct prio_point {
    uint8_t bytes[PRIO_POINT_BYTES];
};

/*
 * One pass over a batch's records: hands out their evaluation points. In `first` mode it is always
 * the same one. In `sequential` mode call prio_pass_next exactly once for each record that opened,
 * in record order (section 9); every pass starts at the first point again.
 */
struct prio_pass; /* borrows the server */
PRIO_API int prio_pass_new(struct prio_pass **out, const struct prio_server *server);
PRIO_API void prio_pass_free(struct prio_pass *pass);
PRIO_API int prio_pass_next(struct prio_pass *pass, struct prio_point *point);

struct prio_packet; /* workspace that holds one opened submission; one per thread; borrows the
                       server */
PRIO_API int prio_packet_new(struct prio_packet **out, const struct prio_server *server);
PRIO_API void prio_packet_free(struct prio_packet *packet);

/*
 * Decrypt and parse a share. Forgets the previous submission first, whatever happens.
 * PRIO_REJECT_DECRYPT, PRIO_REJECT_PARSE: nothing usable is left.
 */
PRIO_API int prio_packet_open(struct prio_packet *packet, const void *share, size_t len);

/*
 * The verify1 message at a point: two field elements. PRIO_E_ARG when no submission is open.
 * Answer each submission at one point only: answers at several let the peer solve for the bits
 * (section 9.1).
 */
PRIO_API int prio_packet_verify1(struct prio_packet *packet, const struct prio_point *point,
                                 uint8_t out[PRIO_VERIFY1_MAX], size_t *out_len);
/* The verify2 message, from both servers' verify1 messages, in either order. PRIO_REJECT_PACKET:
 * one of them is malformed. */
PRIO_API int prio_packet_verify2(struct prio_packet *packet, const struct prio_point *point,
                                 const void *own_verify1, size_t own_len, const void *peer_verify1,
                                 size_t peer_len, uint8_t out[PRIO_VERIFY2_MAX], size_t *out_len);

/* PRIO_OK: valid. PRIO_REJECT_INVALID, PRIO_REJECT_PACKET: not. Both servers come to the same
 * verdict from the same two messages. */
PRIO_API int prio_verdict(const void *own_verify2, size_t own_len, const void *peer_verify2,
                          size_t peer_len);

/* Sums (section 7). */

struct prio_sum; /* a server's partial sum; borrows the server */
PRIO_API int prio_sum_new(struct prio_sum **out, const struct prio_server *server);
PRIO_API void prio_sum_free(struct prio_sum *sum);
/* Add the open submission if the two verify2 messages prove it: returns what prio_verdict says, and
 * adds on PRIO_OK only. */
PRIO_API int prio_sum_add(struct prio_sum *sum, const struct prio_packet *packet,
                          const void *own_verify2, size_t own_len, const void *peer_verify2,
                          size_t peer_len);
/* Add another partial sum. PRIO_E_ARG: another role, n_data, batch id or pair of public keys, or
 * the same handle. */
PRIO_API int prio_sum_merge(struct prio_sum *sum, const struct prio_sum *other);
/* Records in the sum. */
PRIO_API uint64_t prio_sum_count(const struct prio_sum *sum);

/* Bytes that prio_sum_state or prio_sum_total_share write at most. */
PRIO_API size_t prio_sum_bytes_max(const struct prio_sum *sum);
/* Serialise the partial sum; cap >= prio_sum_bytes_max. It carries no server id: keep it apart from
 * the peer's. */
PRIO_API int prio_sum_state(const struct prio_sum *sum, uint8_t *out, size_t cap, size_t *out_len);
/* Add a serialised partial sum of the same server and batch, of `count` records.
 * PRIO_REJECT_PACKET: malformed (nothing added). */
PRIO_API int prio_sum_add_state(struct prio_sum *sum, const void *state, size_t len,
                                uint64_t count);
/* The total share: server id and sum. */
PRIO_API int prio_sum_total_share(const struct prio_sum *sum, uint8_t *out, size_t cap,
                                  size_t *out_len);

/*
 * From a total share of n_data bits to one of n_data / precision integers (section 8). cap >= len
 * suffices. PRIO_E_ARG as in prio_encode_uints; PRIO_REJECT_PACKET: no total share of n_data
 * elements.
 */
PRIO_API int prio_total_share_to_uints(const void *total_share, size_t len, size_t n_data,
                                       unsigned precision, uint8_t *out, size_t cap,
                                       size_t *out_len);

/*
 * Combine A's and B's total shares, in that order, into n totals. PRIO_REJECT_PACKET: malformed,
 * other than n elements, or not in the order A, B. PRIO_E_RANGE: a total is 2^64 or more. totals is
 * untouched unless PRIO_OK.
 */
PRIO_API int prio_final(uint64_t *totals, size_t n, const void *total_share_a, size_t a_len,
                        const void *total_share_b, size_t b_len);

#ifdef __cplusplus
}
#endif

#endif
