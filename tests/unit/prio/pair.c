/* SPDX-License-Identifier: MPL-2.0 */
#include "pair.h"

void keys_from(struct keys *k, const json_t *vector)
{
    const json_t *keys = get(vector, "keys");
    for (int x = 0; x < ROLES; x++) {
        const json_t *half = get(keys, x == PRIO_SERVER_A ? "A" : "B");
        get_hex_into(k->private_key[x], PRIO_KEY_BYTES, half, "private");
        get_hex_into(k->public_key[x], PRIO_KEY_BYTES, half, "public");
    }
    get_hex_into(k->secret, PRIO_SECRET_BYTES, vector, "secret");
}

void keys_fixed(struct keys *k)
{
    uint64_t state = 20200727;
    fill_noise(&state, k->private_key, sizeof k->private_key);
    fill_noise(&state, k->secret, sizeof k->secret);
    for (int x = 0; x < ROLES; x++)
        assert_int_equal(prio_public_key(k->public_key[x], k->private_key[x]), PRIO_OK);
}

struct prio_server *server_of(const struct prio_batch *batch, const struct keys *keys, int role,
                              enum prio_points points)
{
    struct prio_server *server = NULL;
    const struct prio_server_options options = {.role = (enum prio_role)role,
                                                .points = points,
                                                .private_key = keys->private_key[role],
                                                .peer_public_key = keys->public_key[!role],
                                                .shared_secret = keys->secret};
    assert_int_equal(prio_server_new(&server, batch, &options), PRIO_OK);
    return server;
}

void pair_init(struct pair *p, const struct prio_batch_options *batch, const struct keys *keys,
               enum prio_points points)
{
    *p = (struct pair){0};
    assert_int_equal(prio_batch_new(&p->batch, batch), PRIO_OK);
    for (int x = 0; x < ROLES; x++) {
        p->server[x] = server_of(p->batch, keys, x, points);
        assert_int_equal(prio_pass_new(&p->pass[x], p->server[x]), PRIO_OK);
        assert_int_equal(prio_packet_new(&p->packet[x], p->server[x]), PRIO_OK);
        assert_int_equal(prio_sum_new(&p->sum[x], p->server[x]), PRIO_OK);
    }
}

void pair_deinit(struct pair *p)
{
    for (int x = 0; x < ROLES; x++) {
        prio_sum_free(p->sum[x]);
        prio_packet_free(p->packet[x]);
        prio_pass_free(p->pass[x]);
        prio_server_free(p->server[x]);
    }
    prio_batch_free(p->batch);
    *p = (struct pair){0};
}

struct prio_batch_options batch_from(const json_t *vector, struct bytes *id)
{
    *id = get_hex(vector, "batch_id_hex");
    return (struct prio_batch_options){
        .batch_id = id->ptr, .batch_id_len = id->len, .n_data = get_size(vector, "n_data")};
}

void pair_open(struct pair *p, struct bytes share_a, struct bytes share_b)
{
    assert_int_equal(prio_packet_open(p->packet[0], share_a.ptr, share_a.len), PRIO_OK);
    assert_int_equal(prio_packet_open(p->packet[1], share_b.ptr, share_b.len), PRIO_OK);
}

int pair_exchange(struct pair *p, struct messages *m)
{
    for (int x = 0; x < ROLES; x++) {
        assert_int_equal(prio_pass_next(p->pass[x], &m->point[x]), PRIO_OK);
        assert_int_equal(
            prio_packet_verify1(p->packet[x], &m->point[x], m->verify1[x], &m->verify1_len[x]),
            PRIO_OK);
    }
    for (int x = 0; x < ROLES; x++)
        assert_int_equal(prio_packet_verify2(p->packet[x], &m->point[x], m->verify1[x],
                                             m->verify1_len[x], m->verify1[!x], m->verify1_len[!x],
                                             m->verify2[x], &m->verify2_len[x]),
                         PRIO_OK);
    const int verdict =
        prio_verdict(m->verify2[0], m->verify2_len[0], m->verify2[1], m->verify2_len[1]);
    assert_int_equal(
        prio_verdict(m->verify2[1], m->verify2_len[1], m->verify2[0], m->verify2_len[0]), verdict);
    return verdict;
}

void pair_add(struct pair *p, const struct messages *m, int want)
{
    for (int x = 0; x < ROLES; x++)
        assert_int_equal(prio_sum_add(p->sum[x], p->packet[x], m->verify2[x], m->verify2_len[x],
                                      m->verify2[!x], m->verify2_len[!x]),
                         want);
}

struct bytes sum_total_share(const struct prio_sum *sum)
{
    struct bytes b = {malloc(prio_sum_bytes_max(sum)), 0};
    assert_non_null(b.ptr);
    assert_int_equal(prio_sum_total_share(sum, b.ptr, prio_sum_bytes_max(sum), &b.len), PRIO_OK);
    return b;
}

struct bytes sum_state(const struct prio_sum *sum)
{
    struct bytes b = {malloc(prio_sum_bytes_max(sum)), 0};
    assert_non_null(b.ptr);
    assert_int_equal(prio_sum_state(sum, b.ptr, prio_sum_bytes_max(sum), &b.len), PRIO_OK);
    return b;
}

int pair_final(struct pair *p, uint64_t *totals)
{
    BYTES a = sum_total_share(p->sum[0]);
    BYTES b = sum_total_share(p->sum[1]);
    return prio_final(totals, prio_batch_n_data(p->batch), a.ptr, a.len, b.ptr, b.len);
}

void desk_init(struct desk *d, const struct prio_batch *batch, const struct keys *keys)
{
    *d = (struct desk){0};
    assert_int_equal(prio_client_new(&d->client, batch, keys->public_key[0], keys->public_key[1]),
                     PRIO_OK);
    assert_int_equal(prio_encoder_new(&d->encoder, d->client), PRIO_OK);
}

void desk_deinit(struct desk *d)
{
    prio_encoder_free(d->encoder);
    prio_client_free(d->client);
}

void random_from(struct client_random *r, uint64_t seed)
{
    struct fe *const all[] = {&r->a_a, &r->b_a, &r->a_b,  &r->b_b,  &r->c_b,
                              &r->f0,  &r->g0,  &r->f0_a, &r->g0_a, &r->h0_a};
    fill_noise(&seed, r->seed, sizeof r->seed);
    for (size_t i = 0; i < ARRAY_LEN(all); i++)
        *all[i] = noise_fe(&seed);
}

struct bytes seal_to(const struct prio_batch *batch, const struct keys *keys, int role,
                     struct span plain, uint64_t seed)
{
    struct sealer sealer;
    uint8_t ephemeral[SEAL_KEY_BYTES], iv[SEAL_IV_BYTES];
    fill_noise(&seed, ephemeral, sizeof ephemeral);
    fill_noise(&seed, iv, sizeof iv);
    struct bytes share = {malloc(plain.len + SEAL_BYTES), plain.len + SEAL_BYTES};
    assert_non_null(share.ptr);
    assert_int_equal(sealer_init(&sealer, &batch->suite, keys->public_key[role]), PRIO_OK);
    assert_int_equal(sealer_seal_with(&sealer, share.ptr, plain.ptr, plain.len, ephemeral, iv),
                     PRIO_OK);
    sealer_deinit(&sealer);
    return share;
}

struct bytes desk_share(const struct desk *d, const struct keys *keys, int role, uint64_t seed)
{
    const struct prio_encoder *e = d->encoder;
    const struct span plain = role == PRIO_SERVER_A ? span_of(e->plain_a, e->plain_a_len)
                                                    : span_of(e->plain_b, e->plain_b_len);
    return seal_to(e->client->batch, keys, role, plain, seed);
}

uint8_t *with_slack(const void *plain, size_t len)
{
    uint8_t *copy = calloc(1, len + VEC_SLACK);
    assert_non_null(copy);
    if (len > 0)
        memcpy(copy, plain, len);
    return copy;
}
