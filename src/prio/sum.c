/* SPDX-License-Identifier: MPL-2.0 */
/*
 * sum.c - a server's partial sum.
 *
 * Limbs are added without carrying: a canonical low limb is below 2^52, so 4096 additions stay
 * below 2^64, then the vector is reduced.
 */
#include "prio/sum.h"

#include "base/secret.h"

#include <stdlib.h>

enum { MAX_UNREDUCED = 4095 };

struct prio_sum {
    const struct prio_server *server;
    struct fvec total;    // [n]
    unsigned n_unreduced; // additions since the last reduction
    uint64_t count;       // records in the sum, pending ones included
    uint64_t pending;
};

int prio_sum_new(struct prio_sum **out, const struct prio_server *server)
{
    if (out == NULL || server == NULL)
        return PRIO_E_ARG;
    struct prio_sum *s = calloc(1, sizeof *s);
    if (s == NULL)
        return PRIO_E_NOMEM;
    s->server = server;
    s->total = fvec_new(server->batch->n);
    if (s->total.lo == NULL) {
        free(s);
        return PRIO_E_NOMEM;
    }
    *out = s;
    return PRIO_OK;
}

void prio_sum_free(struct prio_sum *sum)
{
    if (sum == NULL)
        return;
    fvec_free(sum->total, sum->server->batch->n);
    free(sum);
}

static void reduce(struct prio_sum *s)
{
    const size_t n = s->server->batch->n;
    for (size_t i = 0; i < n; i++) {
        const uint128 v = ((uint128)s->total.hi[i] << FIELD_LO_BITS) + s->total.lo[i];
        fvec_set(s->total, i, fe_reduce(v));
    }
    s->n_unreduced = 0;
}

static void make_room(struct prio_sum *s)
{
    if (s->n_unreduced == MAX_UNREDUCED)
        reduce(s);
    s->n_unreduced++;
}

static void add_limbs(struct prio_sum *s, struct fvec x)
{
    const size_t n = s->server->batch->n;
    make_room(s);
    for (size_t i = 0; i < n; i++)
        s->total.lo[i] += x.lo[i];
    for (size_t i = 0; i < n; i++)
        s->total.hi[i] += x.hi[i];
}

static bool usable(const struct prio_sum *sum, const struct prio_packet *packet)
{
    return sum != NULL && packet != NULL && packet->open && packet->server == sum->server;
}

int sum_add_pending(struct prio_sum *sum, const struct prio_packet *packet)
{
    if (!usable(sum, packet))
        return PRIO_E_ARG;
    add_limbs(sum, packet->shares);
    sum->count++;
    sum->pending++;
    return PRIO_OK;
}

void sum_confirm(struct prio_sum *sum, uint64_t n)
{
    sum->pending -= n;
}

int sum_take_back(struct prio_sum *sum, const struct prio_packet *packet)
{
    if (!usable(sum, packet) || sum->pending == 0)
        return PRIO_E_ARG;
    make_room(sum);
    for (size_t i = 0; i < sum->server->batch->n; i++) {
        const struct fe x = fe_neg(fvec_get(packet->shares, i));
        sum->total.lo[i] += x.lo;
        sum->total.hi[i] += x.hi;
    }
    sum->count--;
    sum->pending--;
    return PRIO_OK;
}

uint64_t sum_pending(const struct prio_sum *sum)
{
    return sum->pending;
}

int prio_sum_add(struct prio_sum *sum, const struct prio_packet *packet, const void *own_verify2,
                 size_t own_len, const void *peer_verify2, size_t peer_len)
{
    if (!usable(sum, packet))
        return PRIO_E_ARG;
    const int verdict = prio_verdict(own_verify2, own_len, peer_verify2, peer_len);
    if (verdict != PRIO_OK)
        return verdict;
    add_limbs(sum, packet->shares);
    sum->count++;
    return PRIO_OK;
}

static bool same_sum(const struct prio_server *a, const struct prio_server *b)
{
    return a->role == b->role && a->batch->n == b->batch->n &&
           span_equal(a->batch->id, b->batch->id) &&
           memcmp(a->public_key, b->public_key, sizeof a->public_key) == 0 &&
           memcmp(a->peer_key, b->peer_key, sizeof a->peer_key) == 0;
}

int sum_merge_pending(struct prio_sum *sum, const struct prio_sum *other)
{
    if (sum == other || !same_sum(sum->server, other->server))
        return PRIO_E_ARG;
    reduce(sum);
    for (size_t i = 0; i < sum->server->batch->n; i++) {
        const uint128 v = ((uint128)other->total.hi[i] << FIELD_LO_BITS) + other->total.lo[i];
        fvec_set(sum->total, i, fe_add(fvec_get(sum->total, i), fe_reduce(v)));
    }
    sum->count += other->count;
    sum->pending += other->pending;
    return PRIO_OK;
}

int prio_sum_merge(struct prio_sum *sum, const struct prio_sum *other)
{
    if (sum == NULL || other == NULL || other->pending != 0)
        return PRIO_E_ARG;
    return sum_merge_pending(sum, other);
}

uint64_t prio_sum_count(const struct prio_sum *sum)
{
    return sum->count;
}

size_t prio_sum_bytes_max(const struct prio_sum *sum)
{
    return 1 + wire_vector_max(sum->server->batch->n);
}

/* Serialising needs reduced elements; the sum itself may stay unreduced, so each is reduced on its
 * way out. */
static size_t write_state(const struct prio_sum *sum, uint8_t *out)
{
    const size_t n = sum->server->batch->n;
    uint8_t *p = out + msgpack_write_array(out, (uint32_t)n);
    for (size_t i = 0; i < n; i++) {
        const uint128 v = ((uint128)sum->total.hi[i] << FIELD_LO_BITS) + sum->total.lo[i];
        p += wire_write_element(p, fe_reduce(v));
    }
    return (size_t)(p - out);
}

static bool writable(const struct prio_sum *sum, const uint8_t *out, size_t cap,
                     const size_t *out_len)
{
    return sum != NULL && out != NULL && out_len != NULL && sum->pending == 0 &&
           cap >= prio_sum_bytes_max(sum);
}

int prio_sum_state(const struct prio_sum *sum, uint8_t *out, size_t cap, size_t *out_len)
{
    if (!writable(sum, out, cap, out_len))
        return PRIO_E_ARG;
    *out_len = write_state(sum, out);
    return PRIO_OK;
}

int prio_sum_total_share(const struct prio_sum *sum, uint8_t *out, size_t cap, size_t *out_len)
{
    if (!writable(sum, out, cap, out_len))
        return PRIO_E_ARG;
    const size_t id = msgpack_write_fixint(out, (uint8_t)sum->server->role);
    *out_len = id + write_state(sum, out + id);
    return PRIO_OK;
}

int prio_sum_add_state(struct prio_sum *sum, const void *state, size_t len, uint64_t count)
{
    if (sum == NULL || state == NULL)
        return PRIO_E_ARG;
    const struct prio_batch *b = sum->server->batch;
    const struct fvec x = fvec_new(b->n);
    if (x.lo == NULL)
        return PRIO_E_NOMEM;
    int r = PRIO_REJECT_PACKET;
    struct msgpack_reader in = {state, (const uint8_t *)state + len};
    uint32_t declared;
    if (msgpack_read_array(&in, &declared) && declared == b->n) {
        size_t i = 0;
        struct fe element;
        while (i < b->n && wire_read_element(&in, &element))
            fvec_set(x, i++, element);
        if (i == b->n) {
            add_limbs(sum, x);
            sum->count += count;
            r = PRIO_OK;
        }
    }
    fvec_free(x, b->n);
    return r;
}
