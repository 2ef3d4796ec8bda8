/* SPDX-License-Identifier: MPL-2.0 */
/*
 * client.c - encoding.
 *
 * f runs through f0 and the bits, g through g0 and the bits less one, h = f g. Only h on the odd
 * 2N-th roots is sent. Since g differs from f by one at the data points and by f0 - g0 at the
 * first, g = f - U - (f0 - g0) L_0 with U = L_1 + .. + L_n; U and L_0 on the odd points are the
 * same for every submission, so one transform pair a submission is enough.
 */
#include "prio/client.h"

#include "base/secret.h"

#include <stdlib.h>

static bool tables_init(struct prio_client *c)
{
    const struct prio_batch *b = c->batch;
    c->u_odd = fvec_new(b->n_points);
    c->l0_odd = fvec_new(b->n_points);
    if (!c->u_odd.lo || !c->l0_odd.lo || ntt_init(&c->ntt, &b->ops, b->n_points) != PRIO_OK)
        return false;
    for (size_t i = 1; i <= b->n; i++)
        fvec_set(c->u_odd, i, FE_ONE);
    fvec_set(c->l0_odd, 0, FE_ONE);
    ntt_to_odd(&c->ntt, &b->ops, c->u_odd);
    ntt_to_odd(&c->ntt, &b->ops, c->l0_odd);
    return true;
}

/* Sealing a byte tells a key of low order before any client's data is at stake. */
static int check_key(const struct suite *suite, const uint8_t key[SEAL_KEY_BYTES])
{
    uint8_t share[SEAL_BYTES + 1];
    struct sealer s;
    int r = sealer_init(&s, suite, key);
    if (r == PRIO_OK) {
        r = sealer_seal(&s, share, (const uint8_t *)"", 1);
        sealer_deinit(&s);
    }
    return r;
}

int prio_client_new(struct prio_client **out, const struct prio_batch *batch,
                    const uint8_t public_key_a[PRIO_KEY_BYTES],
                    const uint8_t public_key_b[PRIO_KEY_BYTES])
{
    if (out == NULL || batch == NULL || public_key_a == NULL || public_key_b == NULL)
        return PRIO_E_ARG;
    int r = check_key(&batch->suite, public_key_a);
    if (r == PRIO_OK)
        r = check_key(&batch->suite, public_key_b);
    if (r != PRIO_OK)
        return r;
    struct prio_client *c = calloc(1, sizeof *c);
    if (c == NULL)
        return PRIO_E_NOMEM;
    c->batch = batch;
    memcpy(c->key_a, public_key_a, sizeof c->key_a);
    memcpy(c->key_b, public_key_b, sizeof c->key_b);
    if (!tables_init(c)) {
        prio_client_free(c);
        return PRIO_E_NOMEM;
    }
    *out = c;
    return PRIO_OK;
}

void prio_client_free(struct prio_client *client)
{
    if (client == NULL)
        return;
    fvec_free(client->u_odd, client->batch->n_points);
    fvec_free(client->l0_odd, client->batch->n_points);
    ntt_deinit(&client->ntt);
    free(client);
}

static int encoder_init(struct prio_encoder *e)
{
    const struct prio_batch *b = e->client->batch;
    e->f = fvec_new(b->n_points);
    e->h = fvec_new(b->n_points);
    e->shares = fvec_new(b->n + b->n_points);
    e->bits = calloc(1, b->n);
    e->plain_a = calloc(1, batch_plain_max(b, PRIO_SERVER_A));
    e->plain_b = calloc(1, batch_plain_max(b, PRIO_SERVER_B));
    e->share_a = calloc(1, prio_batch_share_max(b, PRIO_SERVER_A));
    e->share_b = calloc(1, prio_batch_share_max(b, PRIO_SERVER_B));
    if (!e->f.lo || !e->h.lo || !e->shares.lo || !e->bits || !e->plain_a || !e->plain_b ||
        !e->share_a || !e->share_b)
        return PRIO_E_NOMEM;
    int r = prg_init(&e->prg, &b->suite);
    if (r == PRIO_OK)
        r = sealer_init(&e->to_a, &b->suite, e->client->key_a);
    if (r == PRIO_OK)
        r = sealer_init(&e->to_b, &b->suite, e->client->key_b);
    return r;
}

int prio_encoder_new(struct prio_encoder **out, const struct prio_client *client)
{
    if (out == NULL || client == NULL)
        return PRIO_E_ARG;
    struct prio_encoder *e = calloc(1, sizeof *e);
    if (e == NULL)
        return PRIO_E_NOMEM;
    e->client = client;
    const int r = encoder_init(e);
    if (r != PRIO_OK) {
        prio_encoder_free(e);
        return r;
    }
    *out = e;
    return PRIO_OK;
}

static void free_secret(uint8_t *p, size_t n)
{
    if (p != NULL)
        secret_wipe(p, n);
    free(p);
}

void prio_encoder_free(struct prio_encoder *encoder)
{
    if (encoder == NULL)
        return;
    const struct prio_batch *b = encoder->client->batch;
    fvec_free(encoder->f, b->n_points);
    fvec_free(encoder->h, b->n_points);
    fvec_free(encoder->shares, b->n + b->n_points);
    free_secret(encoder->bits, b->n);
    free_secret(encoder->plain_a, batch_plain_max(b, PRIO_SERVER_A));
    free_secret(encoder->plain_b, batch_plain_max(b, PRIO_SERVER_B));
    free(encoder->share_a);
    free(encoder->share_b);
    prg_deinit(&encoder->prg);
    sealer_deinit(&encoder->to_a);
    sealer_deinit(&encoder->to_b);
    free(encoder);
}

/* Eleven random bytes are below p about half of the time; a pool of 64 candidates yields ten of
 * them almost always. */
int client_random_draw(struct client_random *random)
{
    struct fe *const want[] = {&random->a_a,  &random->b_a, &random->a_b, &random->b_b,
                               &random->c_b,  &random->f0,  &random->g0,  &random->f0_a,
                               &random->g0_a, &random->h0_a};
    enum { N_WANT = sizeof want / sizeof want[0], POOL = 64 };
    uint8_t pool[POOL][FIELD_BYTES];
    size_t got = 0;
    int r = suite_random(random->seed, sizeof random->seed);
    while (r == PRIO_OK && got < N_WANT) {
        r = suite_random(pool, sizeof pool);
        for (size_t i = 0; r == PRIO_OK && i < POOL && got < N_WANT; i++)
            got += fe_from_bytes(want[got], pool[i]);
    }
    secret_wipe(pool, sizeof pool);
    return r;
}

/* f on the N-th roots: f0, the values, zeros. */
static void fill_f(struct prio_encoder *e, const uint8_t *values, struct fe f0)
{
    const size_t n = e->client->batch->n, n_points = e->client->batch->n_points;
    fvec_set(e->f, 0, f0);
    for (size_t i = 1; i <= n; i++)
        fvec_set(e->f, i, (struct fe){.lo = values[i - 1]});
    for (size_t i = n + 1; i < n_points; i++)
        fvec_set(e->f, i, FE_ZERO);
}

/* h on the odd points, from f on the N-th roots, which moves to the odd points too. */
static void make_h(struct prio_encoder *e, const struct client_random *rnd)
{
    const struct prio_client *c = e->client;
    const struct vec_ops *ops = &c->batch->ops;
    const size_t n_points = c->batch->n_points;
    ntt_to_odd(&c->ntt, ops, e->f);
    ops->scale(e->h, c->l0_odd, fe_sub(rnd->f0, rnd->g0), n_points);
    ops->add(e->h, e->h, c->u_odd, n_points);
    ops->sub(e->h, e->f, e->h, n_points); // g
    ops->mul(e->h, e->f, e->h, n_points);
}

static struct packet_head head_of_a(const struct client_random *rnd)
{
    const struct fe ab = fe_mul(fe_add(rnd->a_a, rnd->a_b), fe_add(rnd->b_a, rnd->b_b));
    return (struct packet_head){.a = rnd->a_a,
                                .b = rnd->b_a,
                                .c = fe_sub(ab, rnd->c_b),
                                .f0 = rnd->f0_a,
                                .g0 = rnd->g0_a,
                                .h0 = rnd->h0_a};
}

static struct packet_head head_of_b(const struct client_random *rnd)
{
    return (struct packet_head){.a = rnd->a_b,
                                .b = rnd->b_b,
                                .c = rnd->c_b,
                                .f0 = fe_sub(rnd->f0, rnd->f0_a),
                                .g0 = fe_sub(rnd->g0, rnd->g0_a),
                                .h0 = fe_sub(fe_mul(rnd->f0, rnd->g0), rnd->h0_a)};
}

static void write_packets(struct prio_encoder *e, const struct client_random *rnd)
{
    const struct prio_batch *b = e->client->batch;
    struct packet_head head = head_of_a(rnd);
    uint8_t *p = e->plain_a;
    p += wire_write_head(p, b->id, &head, PRIO_SERVER_A);
    p += wire_write_vector(p, e->shares, b->n);
    p += wire_write_vector(p, fvec_at(e->shares, b->n), b->n_points);
    e->plain_a_len = (size_t)(p - e->plain_a);

    head = head_of_b(rnd);
    p = e->plain_b;
    p += wire_write_head(p, b->id, &head, PRIO_SERVER_B);
    p += msgpack_write_str(p, span_of(rnd->seed, sizeof rnd->seed));
    e->plain_b_len = (size_t)(p - e->plain_b);
    secret_wipe(&head, sizeof head);
}

int client_make_packets(struct prio_encoder *encoder, const uint8_t *values,
                        const struct client_random *random)
{
    const struct prio_batch *b = encoder->client->batch;
    const struct fvec data = encoder->shares, points = fvec_at(encoder->shares, b->n);
    int r = prg_start(&encoder->prg, b->prg, random->seed, b->id);
    if (r == PRIO_OK)
        r = prg_expand(&encoder->prg, &b->ops, encoder->shares, b->n + b->n_points);
    if (r != PRIO_OK)
        return r;
    fill_f(encoder, values, random->f0);
    b->ops.sub(data, fvec_at(encoder->f, 1), data, b->n);
    make_h(encoder, random);
    b->ops.sub(points, encoder->h, points, b->n_points);
    write_packets(encoder, random);
    return PRIO_OK;
}

int prio_encode_bits(struct prio_encoder *encoder, struct prio_shares *out, const uint8_t *bits)
{
    if (encoder == NULL || out == NULL || bits == NULL)
        return PRIO_E_ARG;
    uint8_t seen = 0;
    for (size_t i = 0; i < encoder->client->batch->n; i++)
        seen |= bits[i];
    if (seen > 1)
        return PRIO_E_INPUT;
    struct client_random random;
    int r = client_random_draw(&random);
    if (r == PRIO_OK)
        r = client_make_packets(encoder, bits, &random);
    secret_wipe(&random, sizeof random);
    if (r == PRIO_OK)
        r = sealer_seal(&encoder->to_a, encoder->share_a, encoder->plain_a, encoder->plain_a_len);
    if (r == PRIO_OK)
        r = sealer_seal(&encoder->to_b, encoder->share_b, encoder->plain_b, encoder->plain_b_len);
    if (r != PRIO_OK)
        return r;
    *out = (struct prio_shares){.a = encoder->share_a,
                                .b = encoder->share_b,
                                .a_len = encoder->plain_a_len + SEAL_BYTES,
                                .b_len = encoder->plain_b_len + SEAL_BYTES};
    return PRIO_OK;
}

int prio_encode_uints(struct prio_encoder *encoder, struct prio_shares *out, const uint64_t *values,
                      unsigned precision)
{
    if (encoder == NULL || out == NULL || values == NULL)
        return PRIO_E_ARG;
    const size_t n = encoder->client->batch->n;
    if (precision < 1 || precision > PRIO_MAX_PRECISION || n % precision != 0)
        return PRIO_E_ARG;
    uint64_t seen = 0;
    for (size_t i = 0; i < n / precision; i++)
        seen |= values[i];
    if (seen >> precision != 0)
        return PRIO_E_INPUT;
    for (size_t i = 0; i < n; i++)
        encoder->bits[i] = (values[i / precision] >> (precision - 1 - i % precision)) & 1;
    return prio_encode_bits(encoder, out, encoder->bits);
}
