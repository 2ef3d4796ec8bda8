/* pair.h - two servers of one batch with everything a record passes through, for tests. */
#pragma once

#include "prio/client.h"
#include "prio/packet.h"
#include "prio/sum.h"
#include "vectors.h"

struct keys { // of A and B, and what the two share
    uint8_t private_key[ROLES][PRIO_KEY_BYTES], public_key[ROLES][PRIO_KEY_BYTES];
    uint8_t secret[PRIO_SECRET_BYTES];
};

/** From "keys" and "secret" of a vector. */
void keys_from(struct keys *k, const json_t *vector);
/** Some keys, always the same. */
void keys_fixed(struct keys *k);

struct pair {
    struct prio_batch *batch;
    struct prio_server *server[ROLES];
    struct prio_pass *pass[ROLES];
    struct prio_packet *packet[ROLES];
    struct prio_sum *sum[ROLES];
};

void pair_init(struct pair *p, const struct prio_batch_options *batch, const struct keys *keys,
               enum prio_points points);
void pair_deinit(struct pair *p);
#define PAIR CLEANUP(pair_deinit) struct pair

/** n_data and batch id of a vector, every other option its default. *id owns the batch id. */
struct prio_batch_options batch_from(const json_t *vector, struct bytes *id);

/** prio_server_new for one role, NULL public key. */
struct prio_server *server_of(const struct prio_batch *batch, const struct keys *keys, int role,
                              enum prio_points points);

struct messages {
    struct prio_point point[ROLES];
    uint8_t verify1[ROLES][PRIO_VERIFY1_MAX], verify2[ROLES][PRIO_VERIFY2_MAX];
    size_t verify1_len[ROLES], verify2_len[ROLES];
};

/** Open both shares; asserts that they open. */
void pair_open(struct pair *p, struct bytes share_a, struct bytes share_b);
/** Points, verify1 and verify2 of the open packets. @return the verdict, the same on both sides. */
int pair_exchange(struct pair *p, struct messages *m);
/** Add to both sums. Asserts that both say `want`. */
void pair_add(struct pair *p, const struct messages *m, int want);
/** Both total shares combined. totals: [n]. */
int pair_final(struct pair *p, uint64_t *totals);

/** Owner: the caller. */
struct bytes sum_total_share(const struct prio_sum *sum);
struct bytes sum_state(const struct prio_sum *sum);

/** Client and encoder of the pair's batch and keys. */
struct desk {
    struct prio_client *client;
    struct prio_encoder *encoder;
};
void desk_init(struct desk *d, const struct prio_batch *batch, const struct keys *keys);
void desk_deinit(struct desk *d);
#define DESK CLEANUP(desk_deinit) struct desk

/** Random values that depend on the seed only. */
void random_from(struct client_random *random, uint64_t seed);
/** Seal a plaintext to a server, with an ephemeral key and IV that depend on the seed only. */
struct bytes seal_to(const struct prio_batch *batch, const struct keys *keys, int role,
                     struct span plain, uint64_t seed);
/** The share of values that need not be bits, from the packets client_make_packets left. */
struct bytes desk_share(const struct desk *d, const struct keys *keys, int role, uint64_t seed);
/** Copy of plain with the readable bytes behind it that packet_parse asks for. */
uint8_t *with_slack(const void *plain, size_t len);
