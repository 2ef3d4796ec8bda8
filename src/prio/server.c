/* SPDX-License-Identifier: MPL-2.0 */
#include "prio/server.h"

#include "base/secret.h"

#include <stdlib.h>

int server_points_start(const struct prio_server *server, struct prg *prg)
{
    const struct prio_batch *b = server->batch;
    return prg_start(prg, b->prg, server->secret, b->id);
}

int server_points_next(const struct prio_server *server, struct prg *prg, struct fe *r)
{
    const uint128 p = ((uint128)1 << 87) + FIELD_P_LO;
    const uint128 lowest = server->batch->n + 2;
    uint128 draw;
    const int status = prg_draw(prg, p - lowest, &draw);
    if (status == PRIO_OK)
        *r = fe_from_u128(lowest + draw);
    return status;
}

static int compute_first(struct prio_server *s)
{
    const struct prio_batch *b = s->batch;
    struct prg prg = {0};
    struct inverter scratch = {0};
    int r = prg_init(&prg, &b->suite);
    if (r == PRIO_OK)
        r = server_points_start(s, &prg);
    if (r == PRIO_OK)
        r = server_points_next(s, &prg, &s->first_point);
    prg_deinit(&prg);
    if (r == PRIO_OK)
        r = roots_init(&s->roots, &b->ops, b->n, b->n_points);
    if (r == PRIO_OK)
        r = weights_init(&s->first, &s->roots);
    if (r == PRIO_OK)
        r = inverter_init(&scratch);
    if (r == PRIO_OK)
        weights_compute(&s->first, &s->roots, &b->ops, &scratch, s->first_point);
    inverter_deinit(&scratch);
    return r;
}

static int copy_keys(struct prio_server *s, const struct prio_server_options *o)
{
    memcpy(s->private_key, o->private_key, sizeof s->private_key);
    memcpy(s->peer_key, o->peer_public_key, sizeof s->peer_key);
    memcpy(s->secret, o->shared_secret, sizeof s->secret);
    const int r = prio_public_key(s->public_key, s->private_key);
    if (r == PRIO_OK && o->public_key != NULL &&
        memcmp(o->public_key, s->public_key, sizeof s->public_key) != 0)
        return PRIO_E_KEY;
    return r;
}

int prio_server_new(struct prio_server **out, const struct prio_batch *batch,
                    const struct prio_server_options *options)
{
    const struct prio_server_options *o = options;
    if (out == NULL || batch == NULL || o == NULL || o->private_key == NULL ||
        o->peer_public_key == NULL || o->shared_secret == NULL ||
        (o->role != PRIO_SERVER_A && o->role != PRIO_SERVER_B) ||
        (o->points != PRIO_POINTS_FIRST && o->points != PRIO_POINTS_SEQUENTIAL))
        return PRIO_E_ARG;
    struct prio_server *s = calloc(1, sizeof *s);
    if (s == NULL)
        return PRIO_E_NOMEM;
    s->batch = batch;
    s->role = o->role;
    s->points = o->points;
    int r = copy_keys(s, o);
    if (r == PRIO_OK)
        r = compute_first(s);
    if (r != PRIO_OK) {
        prio_server_free(s);
        return r;
    }
    *out = s;
    return PRIO_OK;
}

void prio_server_free(struct prio_server *server)
{
    if (server == NULL)
        return;
    weights_deinit(&server->first, &server->roots);
    roots_deinit(&server->roots);
    secret_wipe(server, sizeof *server);
    free(server);
}
