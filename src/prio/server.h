/* server.h - the inside of a server: one per role and batch, shared by all threads. */
#pragma once

#include "prio/batch.h"
#include "prio/prg.h"
#include "prio/seal.h"
#include "prio/weights.h"
#include "prio/wire.h"

struct prio_server { // immutable
    const struct prio_batch *batch;
    enum prio_role role;
    enum prio_points points;
    uint8_t private_key[PRIO_KEY_BYTES], public_key[PRIO_KEY_BYTES], peer_key[PRIO_KEY_BYTES];
    uint8_t secret[PRIO_SECRET_BYTES];
    struct fe first_point;
    struct roots roots; // empty in first mode once `first` is computed
    struct weights first;
};

/** Begin the stream of evaluation points of this server's batch. */
int server_points_start(const struct prio_server *server, struct prg *prg);
/** Its next point: uniform in [n + 2, p). Source: prio-v1.md section 3. */
int server_points_next(const struct prio_server *server, struct prg *prg, struct fe *r);
