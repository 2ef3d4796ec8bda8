/* SPDX-License-Identifier: MPL-2.0 */
#include "prio/packet.h"

#include "base/secret.h"
#include "prio/residue.h"

#include <stdlib.h>

int prio_packet_new(struct prio_packet **out, const struct prio_server *server)
{
    if (out == NULL || server == NULL)
        return PRIO_E_ARG;
    struct prio_packet *p = calloc(1, sizeof *p);
    if (p == NULL)
        return PRIO_E_NOMEM;
    const struct prio_batch *b = server->batch;
    p->server = server;
    p->shares = fvec_new(b->n + b->n_points);
    int r = p->shares.lo ? PRIO_OK : PRIO_E_NOMEM;
    if (r == PRIO_OK)
        r = opener_init(&p->opener, &b->suite, server->private_key);
    if (r == PRIO_OK)
        r = prg_init(&p->prg, &b->suite);
    if (r != PRIO_OK) {
        prio_packet_free(p);
        return r;
    }
    *out = p;
    return PRIO_OK;
}

void prio_packet_free(struct prio_packet *packet)
{
    if (packet == NULL)
        return;
    const struct prio_server *s = packet->server;
    fvec_free(packet->shares, s->batch->n + s->batch->n_points);
    opener_deinit(&packet->opener);
    prg_deinit(&packet->prg);
    weights_deinit(&packet->own, &s->roots);
    inverter_deinit(&packet->scratch);
    if (packet->plain != NULL)
        secret_wipe(packet->plain, packet->plain_cap);
    free(packet->plain);
    secret_wipe(packet, sizeof *packet);
    free(packet);
}

/* Usual packets fit at once; a longer one (leading zeros, trailing bytes) grows the room and leaves
 * it grown. */
static int reserve_plain(struct prio_packet *p, size_t len)
{
    if (len <= p->plain_cap)
        return PRIO_OK;
    const size_t usual = batch_plain_max(p->server->batch, p->server->role);
    const size_t cap = len > usual ? len : usual;
    uint8_t *plain = malloc(cap + VEC_SLACK);
    if (plain == NULL)
        return PRIO_E_NOMEM;
    memset(plain + cap, 0, VEC_SLACK);
    if (p->plain != NULL)
        secret_wipe(p->plain, p->plain_cap);
    free(p->plain);
    p->plain = plain;
    p->plain_cap = cap;
    return PRIO_OK;
}

static int parse_body(struct prio_packet *p, struct msgpack_reader *r)
{
    const struct prio_batch *b = p->server->batch;
    if (p->server->role == PRIO_SERVER_A) {
        const bool ok = wire_read_vector(r, &b->ops, p->shares, b->n) &&
                        wire_read_vector(r, &b->ops, fvec_at(p->shares, b->n), b->n_points);
        return ok ? PRIO_OK : PRIO_REJECT_PARSE;
    }
    struct span seed;
    if (!msgpack_read_str(r, &seed) || seed.len != PRG_SEED_BYTES)
        return PRIO_REJECT_PARSE;
    const int status = prg_start(&p->prg, b->prg, seed.ptr, b->id);
    if (status != PRIO_OK)
        return status;
    return prg_expand(&p->prg, &b->ops, p->shares, b->n + b->n_points);
}

int packet_parse(struct prio_packet *packet, const uint8_t *plain, size_t len)
{
    const struct prio_server *s = packet->server;
    struct msgpack_reader r = {plain, plain + len};
    packet->open = false;
    int status = PRIO_REJECT_PARSE;
    if (wire_read_head(&r, s->batch->id, &packet->head, (uint8_t)s->role))
        status = parse_body(packet, &r);
    packet->open = status == PRIO_OK;
    return status;
}

static int open_into(struct prio_packet *p, uint8_t *plain, const uint8_t *share, size_t len)
{
    const int r = opener_open(&p->opener, plain, share, len);
    return r == PRIO_OK ? packet_parse(p, plain, len - SEAL_BYTES) : r;
}

int prio_packet_open(struct prio_packet *packet, const void *share, size_t len)
{
    if (packet == NULL)
        return PRIO_E_ARG;
    packet->open = false;
    if (share == NULL && len > 0)
        return PRIO_E_ARG;
    if (len < SEAL_BYTES)
        return PRIO_REJECT_DECRYPT;
    const int r = reserve_plain(packet, len - SEAL_BYTES);
    return r == PRIO_OK ? open_into(packet, packet->plain, share, len) : r;
}

int packet_open_in_place(struct prio_packet *packet, uint8_t *share, size_t len)
{
    packet->open = false;
    if (len < SEAL_BYTES)
        return PRIO_REJECT_DECRYPT;
    return open_into(packet, share + SEAL_HEAD_BYTES, share, len);
}

/* In sequential mode each record has its own point; verify1 and verify2 of one record in a row
 * share the weights. */
static int weights_for(struct prio_packet *p, struct fe r, const struct weights **out)
{
    const struct prio_server *s = p->server;
    if (fe_equal(r, s->first_point)) {
        *out = &s->first;
        return PRIO_OK;
    }
    if (!p->own.w.lo) {
        int status = weights_init(&p->own, &s->roots);
        if (status == PRIO_OK)
            status = inverter_init(&p->scratch);
        if (status != PRIO_OK) {
            weights_deinit(&p->own, &s->roots);
            return status;
        }
    }
    if (!p->own_ready || !fe_equal(r, p->own_point))
        weights_compute(&p->own, &s->roots, &s->batch->ops, &p->scratch, r);
    p->own_point = r;
    p->own_ready = true;
    *out = &p->own;
    return PRIO_OK;
}

int packet_evaluate(struct prio_packet *packet, struct fe r, struct evaluation *out)
{
    const struct prio_batch *b = packet->server->batch;
    const struct packet_head *head = &packet->head;
    const size_t n = b->n;
    const struct weights *w;
    const int status = weights_for(packet, r, &w);
    if (status != PRIO_OK)
        return status;
    const struct fe data = b->ops.dot(packet->shares, w->w, n);
    const struct fe points = b->ops.dot(fvec_at(packet->shares, n), fvec_at(w->w, n), b->n_points);
    const struct fe minus_one = packet->server->role == PRIO_SERVER_A ? w->sum : FE_ZERO;
    out->f = fe_add(fe_mul(w->l0, head->f0), data);
    out->g = fe_sub(fe_add(fe_mul(w->l0, head->g0), data), minus_one);
    out->h = fe_add(fe_mul(w->m0, head->h0), points);
    return PRIO_OK;
}

/* In first mode a batch has one point, and answering at another would lay bits open (section 9.1).
 */
static int evaluate_at(struct prio_packet *packet, const struct prio_point *point,
                       struct evaluation *e)
{
    struct fe r;
    if (packet == NULL || !packet->open || point == NULL || !fe_from_bytes(&r, point->bytes))
        return PRIO_E_ARG;
    const struct prio_server *s = packet->server;
    if (s->points == PRIO_POINTS_FIRST && !fe_equal(r, s->first_point))
        return PRIO_E_ARG;
    return packet_evaluate(packet, r, e);
}

static void write_verify1(const struct packet_head *head, const struct evaluation *e,
                          uint8_t out[PRIO_VERIFY1_MAX], size_t *out_len)
{
    uint8_t text[PRIO_VERIFY1_MAX + WIRE_SLACK];
    size_t len = wire_write_element(text, fe_sub(e->f, head->a));
    len += wire_write_element(text + len, fe_sub(e->g, head->b));
    memcpy(out, text, len);
    *out_len = len;
}

int prio_packet_verify1(struct prio_packet *packet, const struct prio_point *point,
                        uint8_t out[PRIO_VERIFY1_MAX], size_t *out_len)
{
    struct evaluation e;
    if (out == NULL || out_len == NULL)
        return PRIO_E_ARG;
    const int r = evaluate_at(packet, point, &e);
    if (r == PRIO_OK)
        write_verify1(&packet->head, &e, out, out_len);
    return r;
}

int packet_verify1_residue(struct prio_packet *packet, uint8_t out[PRIO_VERIFY1_MAX],
                           size_t *out_len, uint8_t residue[RESIDUE_BYTES])
{
    struct evaluation e;
    if (!packet->open || packet->server->points != PRIO_POINTS_FIRST)
        return PRIO_E_ARG;
    const int r = packet_evaluate(packet, packet->server->first_point, &e);
    if (r != PRIO_OK)
        return r;
    const struct packet_head *head = &packet->head;
    write_verify1(head, &e, out, out_len);
    fe_to_bytes(residue, head->a);
    fe_to_bytes(residue + FIELD_BYTES, head->b);
    fe_to_bytes(residue + 2 * FIELD_BYTES, fe_sub(head->c, e.h));
    return PRIO_OK;
}

static bool read_verify1(const void *bytes, size_t len, struct fe *d, struct fe *e)
{
    if (bytes == NULL)
        return false;
    struct msgpack_reader r = {bytes, (const uint8_t *)bytes + len};
    return wire_read_element(&r, d) && wire_read_element(&r, e);
}

/* c_minus_h: the server's share of c less that of h(r). */
static void write_verify2(const struct fe d[2], const struct fe e[2], struct fe a, struct fe b,
                          struct fe c_minus_h, uint8_t out[PRIO_VERIFY2_MAX], size_t *out_len)
{
    const struct fe ds = fe_add(d[0], d[1]), es = fe_add(e[0], e[1]);
    struct fe sigma = fe_mul(fe_mul(ds, es), FE_HALF);
    sigma = fe_add(sigma, fe_add(fe_mul(ds, b), fe_mul(es, a)));
    sigma = fe_add(sigma, c_minus_h);
    uint8_t text[PRIO_VERIFY2_MAX + WIRE_SLACK];
    *out_len = wire_write_element(text, sigma);
    memcpy(out, text, *out_len);
}

int prio_packet_verify2(struct prio_packet *packet, const struct prio_point *point,
                        const void *own_verify1, size_t own_len, const void *peer_verify1,
                        size_t peer_len, uint8_t out[PRIO_VERIFY2_MAX], size_t *out_len)
{
    struct fe d[2], e[2];
    struct evaluation at;
    if (out == NULL || out_len == NULL || packet == NULL || !packet->open)
        return PRIO_E_ARG;
    if (!read_verify1(own_verify1, own_len, &d[0], &e[0]) ||
        !read_verify1(peer_verify1, peer_len, &d[1], &e[1]))
        return PRIO_REJECT_PACKET;
    const int r = evaluate_at(packet, point, &at);
    if (r != PRIO_OK)
        return r;
    const struct packet_head *head = &packet->head;
    write_verify2(d, e, head->a, head->b, fe_sub(head->c, at.h), out, out_len);
    return PRIO_OK;
}

int residue_verify2(const uint8_t residue[RESIDUE_BYTES], struct span own_verify1,
                    struct span peer_verify1, uint8_t out[PRIO_VERIFY2_MAX], size_t *out_len)
{
    struct fe a, b, c_minus_h, d[2], e[2];
    if (!fe_from_bytes(&a, residue) || !fe_from_bytes(&b, residue + FIELD_BYTES) ||
        !fe_from_bytes(&c_minus_h, residue + 2 * FIELD_BYTES))
        return PRIO_E_ARG;
    if (!read_verify1(own_verify1.ptr, own_verify1.len, &d[0], &e[0]) ||
        !read_verify1(peer_verify1.ptr, peer_verify1.len, &d[1], &e[1]))
        return PRIO_REJECT_PACKET;
    write_verify2(d, e, a, b, c_minus_h, out, out_len);
    return PRIO_OK;
}

static bool read_verify2(const void *bytes, size_t len, struct fe *sigma)
{
    if (bytes == NULL)
        return false;
    struct msgpack_reader r = {bytes, (const uint8_t *)bytes + len};
    return wire_read_element(&r, sigma);
}

int prio_verdict(const void *own_verify2, size_t own_len, const void *peer_verify2, size_t peer_len)
{
    struct fe own, peer;
    if (!read_verify2(own_verify2, own_len, &own) || !read_verify2(peer_verify2, peer_len, &peer))
        return PRIO_REJECT_PACKET;
    return fe_is_zero(fe_add(own, peer)) ? PRIO_OK : PRIO_REJECT_INVALID;
}
